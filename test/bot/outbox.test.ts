import { createOutbox, type OutboxDeps } from '../../bot/outbox';
import { DEFAULT_CHANNEL, TEAM } from '../../local/sandbox/slack/directory';
import { startWorld, TOKEN, type World } from '../sandbox/slack-fixture';
import { until } from '../support/until';
import { type CardsDatabase, openCardsDatabase } from './cards-database';

type Message = { ts: string; text: string; thread_ts?: string; reply_count?: number };

describe('the outbox, with PostgreSQL and the sandbox Slack', () => {
  let world: World;
  let db: CardsDatabase;
  let installationId: string;
  const running: { stop(): Promise<void> }[] = [];
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

  beforeAll(async () => {
    [world, db] = await Promise.all([startWorld(), openCardsDatabase()]);
  });
  afterAll(async () => {
    await db.close();
    await world.stop();
  });
  beforeEach(async () => {
    await world.sandbox('POST', 'reset');
    await db.pool.query('delete from card');
    ({ id: installationId } = await install());
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((outbox) => outbox.stop()));
  });

  const install = () => db.install({ teamId: TEAM.id, botToken: TOKEN, channelId: DEFAULT_CHANNEL });
  const start = async (over: Partial<OutboxDeps> = {}) => {
    const { cards, installations } = db;
    const outbox = createOutbox({
      cards,
      installations,
      slackApiUrl: world.slack.apiUrl,
      log: quiet,
      sweepMs: 60_000,
      quietMs: 300,
      postEveryMs: 0,
      ...over,
    });
    running.push(outbox);
    await outbox.start();
    return outbox;
  };
  const addCard = () => db.addCard({ installationId, channelId: DEFAULT_CHANNEL });
  const messages = async (): Promise<Message[]> => {
    const answer = await world.client.conversations.history({ channel: DEFAULT_CHANNEL, limit: 200 });
    return answer.messages as Message[];
  };
  const replies = async (ts: string): Promise<string[]> => {
    const answer = await world.client.conversations.replies({ channel: DEFAULT_CHANNEL, ts });
    return (answer.messages as Message[]).filter((each) => each.ts !== ts).map((each) => each.text);
  };
  const calls = async (method: string): Promise<number> =>
    ((await (await world.sandbox('GET', `requests?method=${method}`)).json()) as { items: unknown[] }).items.length;
  const fault = (body: object) => world.sandbox('POST', 'faults', body);
  const settled = (cardId: string) =>
    until(async () => {
      const card = await db.card(cardId);
      return card.ts !== null && !card.dirty && card.attempts === 0 ? { ...card, ts: card.ts } : null;
    });

  it('posts a card, updates it in place, and tells its thread who did what', async () => {
    await start();
    const { findingId, cardId, id } = await addCard();
    const { ts } = await settled(cardId);
    expect((await messages()).map((each) => each.text)).toEqual([expect.stringContaining(`${id}, serious`)]);

    await db.change(findingId, { status: 'needs_rerun', event: 'claimed', actor: 'Dana', claimedBy: 'Dana' });
    await until(async () => (await messages())[0]?.text.includes('Needs re-run: Done in Jira by Dana'));
    await until(async () => (await replies(ts)).length === 1);
    await db.change(findingId, { status: 'verified', event: 'verified', actor: 'Mel' });
    await until(async () => (await replies(ts)).length === 2);
    await settled(cardId);

    const [card, ...others] = await messages();
    expect(others).toEqual([]);
    expect(card?.ts).toBe(ts);
    expect(card?.text).toContain('Verified');
    expect(await replies(ts)).toEqual([
      `${id}: Marked Done in Jira by Dana, so it needs a re-run. Start a re-run from the card above.`,
      `${id}: Verified: the re-run passed (Mel).`,
    ]);
  });

  it('sends the first change at once, and the next ones together after a quiet moment', async () => {
    await start({ quietMs: 4000 });
    const { findingId, cardId } = await addCard();
    await settled(cardId);
    const before = Date.now();
    await db.change(findingId, { status: 'pushing', event: 'push_asked' });
    await until(async () => (await calls('chat.update')) === 1);
    expect(Date.now() - before).toBeLessThan(3000);

    for (const status of ['push_failed', 'pushing', 'awaiting_fix'])
      await db.change(findingId, { status, event: status });
    await until(async () => (await messages())[0]?.text.includes('Waiting for a fix'));
    expect(await calls('chat.update')).toBe(2);
    expect(Date.now() - before).toBeGreaterThan(3900);
  });

  it('does not call Slack where nothing visible has changed', async () => {
    await start();
    const { findingId, cardId } = await addCard();
    await settled(cardId);
    await db.pool.query(`update card set dirty = true where finding_id = $1`, [findingId]);
    await db.pool.query(`select pg_notify('recheck_cards', '')`);
    await settled(cardId);
    expect(await calls('chat.update')).toBe(0);
  });

  it('is swept when no notification comes', async () => {
    await start({ sweepMs: 100 });
    const { findingId, cardId } = await addCard();
    await settled(cardId);
    await db.pool.query(`update finding set status = 'blocked' where id = $1`, [findingId]);
    await db.pool.query(`update card set dirty = true, dirty_since = now() where finding_id = $1`, [findingId]);
    await until(async () => (await messages())[0]?.text.includes('Blocked'));
  });

  it('hears again after its database connection was ended', async () => {
    await start();
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`,
    );
    await until(async () => {
      const { rows } = await db.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
      );
      return rows.length > 0;
    });
    const { cardId } = await addCard();
    await settled(cardId);
  });

  it('posts one message for a card however many processes there are', async () => {
    await Promise.all([start(), start(), start()]);
    const added = await Promise.all(Array.from({ length: 12 }, addCard));
    for (const { cardId } of added) await settled(cardId);
    const texts = (await messages()).map((each) => each.text.split(',')[0]).sort();
    expect(texts).toEqual(added.map(({ id }) => id).sort());
    expect(await calls('chat.postMessage')).toBe(12);
  });

  it('waits as long as a 429 says, for that method of that workspace only', async () => {
    const first = await addCard();
    await start();
    await settled(first.cardId);
    await fault({ method: 'chat.postMessage', kind: 'rate_limit', retryAfter: 5 });
    const before = Date.now();
    const second = await addCard();
    await until(async () => (await calls('chat.postMessage')) === 2);
    await db.change(first.findingId, { status: 'awaiting_fix', event: 'linked' });
    await until(async () => (await messages()).some((each) => each.text.includes('Waiting for a fix')));
    expect(Date.now() - before).toBeLessThan(5000);
    await settled(second.cardId);
    expect(Date.now() - before).toBeGreaterThanOrEqual(4900);
    expect(await calls('chat.postMessage')).toBe(3);
  });

  it('posts a card again whose message was deleted', async () => {
    await start();
    const { findingId, cardId } = await addCard();
    const { ts } = await settled(cardId);
    await world.client.chat.delete({ channel: DEFAULT_CHANNEL, ts });
    await db.change(findingId, { status: 'awaiting_fix', event: 'linked' });
    await until(async () => (await messages()).some((each) => each.text.includes('Waiting for a fix')));
    expect((await settled(cardId)).ts).not.toBe(ts);
  });

  it('stops for a workspace whose token Slack refuses, and goes on after a new install', async () => {
    await fault({ method: 'chat.postMessage', kind: 'error', error: 'token_revoked' });
    await start();
    const { cardId } = await addCard();
    await until(async () => (await db.installations.findByTeam(TEAM.id)) === null);
    await until(async () => (await db.card(cardId)).last_error === 'token_revoked');
    await install();
    await db.pool.query(`select pg_notify('recheck_cards', '')`);
    await settled(cardId);
  });

  it('tries again after trouble, and gives up on what Slack keeps refusing', async () => {
    await fault({ method: 'chat.postMessage', kind: 'http', status: 503 });
    await start({ sweepMs: 100 });
    const { cardId } = await addCard();
    await settled(cardId);
    expect((await db.card(cardId)).last_error).toBeNull();

    await fault({ method: 'chat.postMessage', kind: 'error', error: 'is_archived', times: 100 });
    const refused = await addCard();
    await db.pool.query('update card set attempts = 4 where id = $1', [refused.cardId]);
    await until(async () => {
      const card = await db.card(refused.cardId);
      return card.last_error === 'is_archived' && card.attempts === 0 && !card.dirty;
    });
  });

  it('posts about once a second in a channel, and updates meanwhile', async () => {
    const { findingId, cardId } = await addCard();
    await start({ postEveryMs: 1000 });
    await settled(cardId);
    await fault({ method: 'chat.postMessage', kind: 'pace' });
    const more = await Promise.all(Array.from({ length: 3 }, addCard));
    await db.change(findingId, { status: 'awaiting_fix', event: 'linked' });
    await until(async () => (await messages()).some((each) => each.text.includes('Waiting for a fix')));
    expect((await messages()).length).toBeLessThan(4);
    for (const each of more) await settled(each.cardId);
    const [newest, , oldest] = (await messages()).map((each) => Number(each.ts));
    expect((newest ?? 0) - (oldest ?? 0)).toBeGreaterThan(1.8);
  });

  it('finishes what a killed process had begun, when its lease is over', async () => {
    const { cardId } = await addCard();
    await db.cards.claim({ limit: 1, leaseMs: 500 });
    await start();
    expect((await db.card(cardId)).ts).toBeNull();
    await settled(cardId);
  });
});

describe('installations', () => {
  it('keep the bot token sealed, bound to their row, and erase it when the workspace leaves', async () => {
    const db = await openCardsDatabase();
    try {
      const install = (botToken: string, organisationId = db.organisationId) =>
        db.installations.upsert({ organisationId, teamId: 'T1', botToken, botId: 'B', botUserId: 'U', scopes: [] });
      const { id } = await install('xoxb-first');
      expect((await install('xoxb-second')).id).toBe(id);
      expect((await db.installations.findByTeam('T1'))?.botToken).toBe('xoxb-second');
      expect((await db.installations.findById(db.organisationId, id))?.teamId).toBe('T1');
      expect(await db.installations.findById('00000000-0000-4000-8000-000000000000', id)).toBeNull();
      const { rows } = await db.pool.query('select bot_token from slack_installation');
      expect(rows[0].bot_token.toString('latin1')).not.toContain('xoxb');
      expect(db.box.open(rows[0].bot_token, `slack_installation:${id}:bot_token`)).toBe('xoxb-second');

      const other = '00000000-0000-4000-8000-000000000009';
      await db.pool.query(`insert into organisation (id, name) values ($1, 'Other')`, [other]);
      await expect(install('xoxb-third', other)).rejects.toThrow('belongs to another organisation');

      await db.installations.markDisconnected(id);
      expect(await db.installations.findByTeam('T1')).toBeNull();
      expect((await db.pool.query('select bot_token from slack_installation')).rows[0].bot_token).toBeNull();
    } finally {
      await db.close();
    }
  });
});
