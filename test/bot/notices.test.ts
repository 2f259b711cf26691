import { randomUUID } from 'node:crypto';
import { connectionNotice } from '../../bot/blocks/notices';
import { createNoticeSweep, type NoticeSweep } from '../../bot/notices';
import { createOutbox } from '../../bot/outbox';
import { DEFAULT_CHANNEL, TEAM } from '../../local/sandbox/slack/directory';
import { createNoticeStore } from '../../prisma/notices';
import { startWorld, TOKEN, type World } from '../sandbox/slack-fixture';
import { until } from '../support/until';
import { type CardsDatabase, openCardsDatabase } from './cards-database';

const people = { olivia: 'U0OLIVIA00', ada: 'U0ADA00000', alex: 'U0ALEX0000', mel: 'U0MEL00000' };
type Block = { type: string; elements?: { type: string; url?: string; text?: { text: string } }[] };
type Message = { ts: string; text: string; blocks: Block[] };

describe('C10 what admins are told, with PostgreSQL and the sandbox Slack', () => {
  let world: World;
  let db: CardsDatabase;
  let connectionId: string;
  const running: { stop(): Promise<void> }[] = [];
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

  beforeAll(async () => {
    [world, db] = await Promise.all([startWorld(), openCardsDatabase()]);
  });
  afterAll(async () => {
    await db?.close();
    await world?.stop();
  });
  beforeEach(async () => {
    await world.sandbox('POST', 'reset');
    await db.pool.query('delete from notice');
    await db.pool.query('delete from connection');
    await db.pool.query('delete from member');
    await db.pool.query('delete from slack_installation');
    connectionId = await connection();
    await install();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((sweep) => sweep.stop()));
  });

  const install = () => db.install({ teamId: TEAM.id, botToken: TOKEN, channelId: DEFAULT_CHANNEL });
  async function connection(): Promise<string> {
    const id = randomUUID();
    await db.pool.query(
      `insert into connection (id, organisation_id, site_url, project_key)
       values ($1, $2, 'https://shop.atlassian.net', 'ACC')`,
      [id, db.organisationId],
    );
    return id;
  }
  const member = (role: string, slackUserId: string | null) =>
    db.pool.query(
      `insert into member (id, organisation_id, name, role, slack_team_id, slack_user_id)
       values (gen_random_uuid(), $1, $2, $3, $4, $5)`,
      [db.organisationId, slackUserId ?? 'Nobody', role, slackUserId && TEAM.id, slackUserId],
    );
  let notices = 0;
  async function notice(kind = 'reconnect_required', { of = connectionId, over = false } = {}): Promise<string> {
    const { rows } = await db.pool.query<{ id: string }>(
      `insert into notice (organisation_id, connection_id, kind, detail, resolved_at, created_at)
       values ($1, $2, $3, 'Jira refused the API token. Make a new one.', case when $4 then now() end,
         now() + $5 * interval '1 millisecond') returning id`,
      // Told in the order of their times, which must differ.
      [db.organisationId, of, kind, over, ++notices],
    );
    return rows[0]?.id ?? '';
  }
  const start = (over: Partial<Parameters<typeof createNoticeSweep>[0]> = {}): NoticeSweep => {
    const sweep = createNoticeSweep({
      notices: createNoticeStore({ pool: db.pool }),
      installations: db.installations,
      slackApiUrl: world.slack.apiUrl,
      command: '/recheck',
      log: quiet,
      ...over,
    });
    running.push(sweep);
    sweep.wake();
    return sweep;
  };
  const row = async (id: string) => {
    const { rows } = await db.pool.query('select * from notice where id = $1', [id]);
    return rows[0] as { sent_at: Date | null; attempts: number; last_error: string | null; not_before: Date | null };
  };
  /** Sweeps until the notice counts as sent. */
  const sent = (id: string, sweep: NoticeSweep) =>
    until(
      async () => {
        sweep.wake();
        const { sent_at, last_error } = await row(id);
        return sent_at ? { last_error } : null;
      },
      { seconds: 30, what: 'the notice being sent' },
    );
  const messages = async (channel: string): Promise<Message[]> => {
    const answer = await world.client.conversations.history({ channel, limit: 100 });
    return answer.messages as Message[];
  };
  const direct = (user: string) => messages(`D${user.slice(1)}`);
  const fault = (body: object) => world.sandbox('POST', 'faults', body);

  it('C10 tells each owner and admin once, in person, and nobody else', async () => {
    await member('owner', people.olivia);
    await member('admin', people.ada);
    await member('admin', null);
    await member('member', people.mel);
    const id = await notice();
    const sweep = start();
    await sent(id, sweep);
    // Other processes, and later sweeps, find nothing to do.
    const others = [start(), start()];
    for (const each of [sweep, ...others]) await each.stop();

    for (const user of [people.olivia, people.ada]) {
      const [told, ...more] = await direct(user);
      expect(more).toEqual([]);
      expect(told?.text).toContain(
        'Jira has to be connected again (shop.atlassian.net, ACC, API token). Jira refused the API token.',
      );
      expect(told?.text).toContain('`/recheck connect` opens the page');
      const [button] = told?.blocks.flatMap(({ type, elements }) => (type === 'actions' ? (elements ?? []) : [])) ?? [];
      expect(button?.url).toBe('https://shop.atlassian.net');
    }
    expect(await direct(people.mel)).toEqual([]);
    expect(await messages(DEFAULT_CHANNEL)).toEqual([]);
  });

  it('C10 says it in the channel where no admin can be reached', async () => {
    await member('owner', null);
    const id = await notice();
    await sent(id, start());
    expect(await messages(DEFAULT_CHANNEL)).toHaveLength(1);
  });

  it('C10 says it in the channel where Slack lets no admin be written to', async () => {
    await member('owner', 'U0GONE0000');
    const id = await notice();
    await sent(id, start());
    expect(await messages(DEFAULT_CHANNEL)).toHaveLength(1);
  });

  it('C10 tells of the break first and of the recovery after it, each once', async () => {
    await member('owner', people.olivia);
    await fault({ method: 'chat.postMessage', kind: 'http', status: 503 });
    await notice('reconnect_required', { over: true });
    const restored = await notice('restored', { over: true });
    const sweep = start();
    await sent(restored, sweep);
    const told = (await direct(people.olivia)).reverse().map(({ text }) => text);
    expect(told).toEqual([
      expect.stringContaining('This is over already'),
      expect.stringContaining('Jira is connected again'),
    ]);
  });

  it('C10 does not repeat to those who know when somebody has to be told again', async () => {
    await member('owner', people.olivia);
    await member('admin', people.ada);
    const id = await notice();
    const store = createNoticeStore({ pool: db.pool });
    await store.markTold(
      { id, organisationId: db.organisationId, kind: 'reconnect_required' },
      {
        installationId: randomUUID(),
        channelId: people.olivia,
        name: 'Olivia',
      },
    );
    await sent(id, start());
    expect(await direct(people.olivia)).toEqual([]);
    expect(await direct(people.ada)).toHaveLength(1);
  });

  it('C10 waits as long as a 429 says, and goes on after trouble of Slack', async () => {
    await member('owner', people.olivia);
    await fault({ method: 'chat.postMessage', kind: 'rate_limit', retryAfter: 1 });
    const id = await notice();
    const before = Date.now();
    const sweep = start();
    await sent(id, sweep);
    expect(Date.now() - before).toBeGreaterThanOrEqual(900);
    expect(await direct(people.olivia)).toHaveLength(1);

    await fault({ method: 'chat.postMessage', kind: 'http', status: 503 });
    const next = await notice('project_lost');
    await sent(next, sweep);
    expect(await direct(people.olivia)).toHaveLength(2);
  });

  it('C10 waits for a workspace whose token Slack refuses, until it is installed again', async () => {
    await member('owner', people.olivia);
    await fault({ method: 'chat.postMessage', kind: 'error', error: 'token_revoked' });
    const id = await notice();
    const sweep = start();
    await until(async () => (await db.installations.findByTeam(TEAM.id)) === null);
    await install();
    await sent(id, sweep);
    expect(await direct(people.olivia)).toHaveLength(1);
  });

  it('C10 is told by several processes as if they were one', async () => {
    await member('owner', people.olivia);
    const ids = await Promise.all(
      Array.from({ length: 6 }, async () => notice('reconnect_required', { of: await connection() })),
    );
    const [sweep] = [start(), start(), start()];
    for (const id of ids) if (sweep) await sent(id, sweep);
    expect(await direct(people.olivia)).toHaveLength(6);
  });

  it('C10 takes up what a killed process had begun, when its lease is over', async () => {
    await member('owner', people.olivia);
    const id = await notice();
    const store = createNoticeStore({ pool: db.pool });
    expect(await store.claim({ leaseMs: 500 })).toMatchObject({ id, attempts: 1 });
    expect(await store.claim({ leaseMs: 500 })).toBeNull();
    await sent(id, start());
    expect(await direct(people.olivia)).toHaveLength(1);
  });

  it('C10 is swept with the cards', async () => {
    await member('owner', people.olivia);
    const { cards, installations } = db;
    const common = { installations, slackApiUrl: world.slack.apiUrl, log: quiet };
    const notices = createNoticeSweep({
      ...common,
      notices: createNoticeStore({ pool: db.pool }),
      command: '/recheck',
    });
    const outbox = createOutbox({ ...common, cards, notices, sweepMs: 100 });
    running.push(outbox);
    await outbox.start();
    const id = await notice();
    await until(async () => (await row(id)).sent_at !== null);
  });
});

describe('C10 the words of a notice', () => {
  const about = {
    kind: 'reconnect_required',
    detail: 'Jira says: <!channel> & more',
    siteUrl: 'https://user:pass@shop.atlassian.net/browse/ACC-1?token=abc',
    projectKey: 'ACC',
    connectionKind: 'oauth' as const,
    heldPushes: 2,
    createdAt: new Date(0),
    resolvedAt: null,
  };

  it.each(['reconnect_required', 'project_lost', 'webhook_failed'])(
    'C10 %s: name the connection, how many pushes are held, and the cure',
    (kind) => {
      const { text, blocks } = connectionNotice({ ...about, kind }, { command: '/recheck' });
      for (const said of [text, JSON.stringify(blocks)]) {
        expect(said).toContain('shop.atlassian.net, ACC, OAuth');
        expect(said).toContain('Held now: 2 pushes.');
        expect(said).toContain('`/recheck connect`');
      }
    },
  );

  it('C10 quote nobody alive, and link to the front page of the site alone', () => {
    const said = JSON.stringify(connectionNotice(about, { command: '/recheck' }));
    expect(said).toContain('&lt;!channel&gt; &amp; more');
    expect(said).toContain('"url":"https://shop.atlassian.net"');
    expect(said).not.toMatch(/pass|token=abc/);
  });

  it('C10 do without a button where the address is none', () => {
    const said = connectionNotice({ ...about, kind: 'other', siteUrl: 'shop', heldPushes: 0 }, { command: '/recheck' });
    expect(said.text).toBe('Jira needs your attention (Jira, ACC, OAuth). Jira says: &lt;!channel&gt; &amp; more');
    expect(said.blocks.map(({ type }) => type)).toEqual(['header', 'section', 'context']);
  });
});
