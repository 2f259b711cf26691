import { randomUUID } from 'node:crypto';
import { createDeliveryStore } from '../../prisma/deliveries';
import { until } from '../support/until';
import {
  adminAuth,
  appOf,
  ask,
  database,
  deliver,
  jiraUpdate,
  listen,
  type Seeded,
  seed,
  signatureOf,
  toDone,
} from './support';

describe('the Jira webhook', () => {
  let db: Awaited<ReturnType<typeof database>>;
  let server: Awaited<ReturnType<typeof listen>>;
  let tracked: Seeded;
  let woken = 0;

  beforeAll(async () => {
    db = await database();
    tracked = await seed(db.pool);
    const app = appOf(
      {},
      {
        deliveries: createDeliveryStore({ pool: db.pool }),
        connections: {
          webhookAuth: async (id) => (id === tracked.connectionId ? adminAuth(tracked.organisationId) : null),
        },
        wakeRelay: () => {
          woken += 1;
        },
      },
    );
    server = await listen(app);
  });
  afterAll(async () => {
    await server?.close();
    await db?.close();
  });
  beforeEach(async () => {
    woken = 0;
    await db.pool.query('delete from delivery');
  });

  const rows = async () => (await db.pool.query('select * from delivery order by received_at')).rows;
  const send = (payload: unknown, options?: Parameters<typeof deliver>[3]) =>
    deliver(server.url, tracked.connectionId, payload, options);

  it('stores a tracked change before it answers, wakes the relay, and keeps no text of the issue', async () => {
    const answer = await send(jiraUpdate(), { identifier: 'd-1' });
    expect(answer.status).toBe(200);
    const [row] = await rows();
    expect(row).toMatchObject({
      identifier: 'd-1',
      event: 'jira:issue_updated',
      jira_issue_id: '10001',
      state: 'pending',
      actor_name: 'Mia Krystof',
      changes: [{ field: 'status', from: '10000', to: '10001', fromName: 'To Do', toName: 'Done' }],
    });
    expect(JSON.stringify(row)).not.toContain('secret');
    expect(woken).toBe(1);
  });

  it('takes the same delivery five times in parallel as one', async () => {
    const payload = JSON.stringify(jiraUpdate());
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(payload, { identifier: 'd-2' })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await rows()).toHaveLength(1);
    expect(woken).toBe(1);
  });

  it('tells deliveries without an identifier apart by event, issue and time', async () => {
    const first = JSON.stringify(jiraUpdate({ timestamp: Date.now() - 5_000 }));
    await send(first);
    await send(first);
    await send(jiraUpdate({ timestamp: Date.now() - 4_000 }));
    expect(await rows()).toHaveLength(2);
  });

  it('takes deliveries out of order and keeps when each happened', async () => {
    const late = jiraUpdate({ timestamp: Date.now() });
    const early = jiraUpdate({ timestamp: Date.now() - 60_000 });
    expect((await send(late, { identifier: 'late' })).status).toBe(200);
    expect((await send(early, { identifier: 'early' })).status).toBe(200);
    const stored = await rows();
    expect(stored.map(({ identifier, state }) => [identifier, state])).toEqual([
      ['late', 'pending'],
      ['early', 'pending'],
    ]);
    expect(stored[1].occurred_at.getTime()).toBe(early.timestamp);
  });

  it.each([
    ['an edit of the summary', jiraUpdate({ items: [{ field: 'summary', from: null, to: null }] }), 'ignored'],
    ['another event', jiraUpdate({ event: 'comment_created' }), 'ignored'],
    [
      'a change of the resolution to nothing',
      jiraUpdate({ items: [{ field: 'resolution', from: '1', to: null }] }),
      'pending',
    ],
    ['a move', jiraUpdate({ items: [{ field: 'Key', fromString: 'ACC-1', toString: 'WEB-7' }] }), 'pending'],
    ['a deletion', { ...jiraUpdate({ event: 'jira:issue_deleted' }), changelog: undefined }, 'pending'],
    ['a change of an issue that no link knows', jiraUpdate({ issueId: '777' }), 'untracked'],
    ['an id as a number', { ...jiraUpdate(), issue: { id: 10001 } }, 'pending'],
    ['an empty body', '', 'pending'],
    ['a body without issue', { timestamp: Date.now(), webhookEvent: 'jira:issue_updated' }, 'pending'],
    ['a body that is not JSON', '<html>', 'pending'],
    ['a list', '[1]', 'pending'],
    ['NUL characters', { ...jiraUpdate(), user: { accountId: 'a\u0000b', displayName: '\u0000' } }, 'pending'],
  ])('stores %s as it should', async (_what, payload, state) => {
    expect((await send(payload)).status).toBe(200);
    expect((await rows()).map((row) => row.state)).toEqual([state]);
  });

  it('does not take the function toString for a name', async () => {
    const { toString: _name, ...item } = toDone;
    await send(jiraUpdate({ items: [item] }));
    expect((await rows())[0].changes).toEqual([
      { field: 'status', from: '10000', to: '10001', fromName: 'To Do', toName: null },
    ]);
  });

  it.each([
    ['missing', null],
    ['wrong', signatureOf('something else')],
    ['made with another secret', signatureOf(JSON.stringify(jiraUpdate({ timestamp: 1 })), 'guess')],
    ['of another method', signatureOf('x').replace('sha256', 'sha1')],
  ])('S1 answers 401 and stores nothing where the signature is %s', async (_what, signature) => {
    const answer = await send(jiraUpdate(), { signature });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'bad_signature', status: 401 });
    expect(await rows()).toHaveLength(0);
    expect(woken).toBe(0);
  });

  it('S1 answers 400 without an id and 404 for one that is malformed or unknown', async () => {
    const at = (path: string) => ask(server.url, `POST /api/integrations/jira/webhook${path}`, '{}');
    expect((await at('')).status).toBe(400);
    expect((await at('?integration_id=')).status).toBe(400);
    expect((await at('?integration_id=42')).status).toBe(404);
    expect((await at(`?integration_id=${randomUUID()}`)).status).toBe(404);
    expect((await at(`/${randomUUID()}`)).status).toBe(404);
    expect(await rows()).toHaveLength(0);
  });

  it('takes the id from the path too, and query parameters that Jira adds', async () => {
    const body = JSON.stringify(jiraUpdate());
    const path = `/api/integrations/jira/webhook/${tracked.connectionId}?triggeredByUser=5b10&x=1`;
    const answer = await ask(server.url, `POST ${path}`, body, { 'x-hub-signature': signatureOf(body) });
    expect(answer.status).toBe(200);
    expect(await rows()).toHaveLength(1);
  });

  it('refuses what was sent more than a day ago', async () => {
    const answer = await send(jiraUpdate({ timestamp: Date.now() - 25 * 3_600_000 }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'stale_delivery' } });
    expect(await rows()).toHaveLength(0);
  });

  it('takes a large body and refuses one over 25 MB', async () => {
    const large = JSON.stringify({ ...jiraUpdate(), padding: 'x'.repeat(8_000_000) });
    expect((await send(large)).status).toBe(200);
    expect((await send('x'.repeat(26_300_000))).status).toBe(413);
  });

  it('notes on the connection that a webhook came', async () => {
    await send(jiraUpdate());
    await until(
      async () => {
        const { rows: found } = await db.pool.query('select 1 from connection where last_webhook_at is not null');
        return found.length === 1;
      },
      { what: 'last_webhook_at' },
    );
  });
});

describe('the Jira webhook in trouble of our own', () => {
  it('answers 503, so that Jira repeats the delivery, and shows nothing of the inside', async () => {
    const id = randomUUID();
    const app = appOf(
      {},
      {
        connections: { webhookAuth: async () => adminAuth(randomUUID()) },
        deliveries: {
          insert: async () => {
            throw new Error('connect ECONNREFUSED db.internal:5432');
          },
          noteWebhook: async () => undefined,
          countByState: async () => ({ pending: 0, untracked: 0, ignored: 0, processed: 0 }),
        },
      },
    );
    const server = await listen(app);
    try {
      const answer = await deliver(server.url, id, jiraUpdate());
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(JSON.stringify(answer.body)).not.toContain('db.internal');
    } finally {
      await server.close();
    }
  });

  it('asks for a secret again after it could not be read', async () => {
    let reads = 0;
    const organisationId = randomUUID();
    const app = appOf(
      {},
      {
        connections: {
          webhookAuth: async () => {
            reads += 1;
            if (reads === 1) throw new Error('the database is away');
            return adminAuth(organisationId);
          },
        },
      },
    );
    const server = await listen(app);
    try {
      const id = randomUUID();
      expect((await deliver(server.url, id, jiraUpdate())).status).toBe(503);
      expect((await deliver(server.url, id, jiraUpdate())).status).toBe(200);
      expect((await deliver(server.url, id, jiraUpdate())).status).toBe(200);
      expect(reads).toBe(2);
    } finally {
      await server.close();
    }
  });
});
