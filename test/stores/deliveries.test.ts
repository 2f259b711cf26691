import { randomUUID } from 'node:crypto';
import { createDeliveryStore, type NewDelivery } from '../../prisma/deliveries';
import { database, type Seeded, seed } from '../http/support';

describe('the store of deliveries', () => {
  let db: Awaited<ReturnType<typeof database>>;
  let tracked: Seeded;
  beforeAll(async () => {
    db = await database();
    tracked = await seed(db.pool);
  });
  afterAll(async () => {
    await db?.close();
  });

  const delivery = (changed: Partial<NewDelivery>): NewDelivery => ({
    organisationId: tracked.organisationId,
    connectionId: tracked.connectionId,
    identifier: randomUUID(),
    event: 'jira:issue_updated',
    jiraIssueId: tracked.issueId,
    changes: [],
    ofInterest: true,
    actorId: null,
    actorName: null,
    occurredAt: null,
    ...changed,
  });

  /** A pool that counts the statements which it passes on. */
  function counting() {
    let statements = 0;
    const query = (...args: Parameters<typeof db.pool.query>) => {
      statements += 1;
      return db.pool.query(...args);
    };
    return { pool: { query } as unknown as typeof db.pool, statements: () => statements };
  }

  it('stores what arrives at once in few statements, and answers each its own state', async () => {
    const { pool, statements } = counting();
    const store = createDeliveryStore({ pool });
    const given = Array.from({ length: 60 }, (_, n) => [
      delivery({}),
      delivery({ jiraIssueId: `elsewhere-${n}` }),
      delivery({ ofInterest: false }),
    ]).flat();
    const states = await Promise.all(given.map((each) => store.insert(each)));
    expect(states).toEqual(given.map((_, n) => ['pending', 'untracked', 'ignored'][n % 3]));
    expect(statements()).toBeLessThanOrEqual(6);
    const { rows } = await db.pool.query('select identifier, jira_issue_id, state from delivery');
    const stored = new Map(rows.map((row) => [row.identifier, row]));
    for (const [n, { identifier, jiraIssueId }] of given.entries()) {
      expect(stored.get(identifier)).toMatchObject({ jira_issue_id: jiraIssueId, state: states[n] });
    }
  });

  it('stores one of several deliveries with the same identifier that arrive at once', async () => {
    const store = createDeliveryStore({ pool: db.pool });
    const identifier = randomUUID();
    const states = await Promise.all(Array.from({ length: 8 }, () => store.insert(delivery({ identifier }))));
    expect(states.sort()).toEqual([...Array(7).fill('duplicate'), 'pending'].sort());
    expect(await store.insert(delivery({ identifier }))).toBe('duplicate');
  });

  it('S3 gives a claimed delivery to nobody else until its lease is over, and then to the next who asks', async () => {
    await db.pool.query('delete from delivery');
    const store = createDeliveryStore({ pool: db.pool, retryMs: 3_600_000, retryCapMs: 3_600_000 });
    await store.insert(delivery({}));
    const [claimed] = await store.claimPending(10);
    const ids = claimed ? [claimed.id] : [];
    const endLease = () => db.pool.query(`update delivery set processed_at = now() - interval '1 second'`);
    expect(await store.claimPending(10)).toEqual([]);
    await endLease();
    await store.renew(ids);
    expect(await store.claimPending(10)).toEqual([]);
    await endLease();
    expect(await store.claimPending(10)).toMatchObject([{ attempts: 2 }]);
    // The pause after a failure is another one: it does not end with the lease.
    await store.markFailed(ids[0] ?? '', 'Temporal is away');
    const { rowCount } = await db.pool.query(
      `select 1 from delivery where processed_at > now() + interval '30 minutes' and last_error = 'Temporal is away'`,
    );
    expect(rowCount).toBe(1);
    await store.release(ids);
    expect(await store.claimPending(10)).toMatchObject([{ attempts: 2 }]);
  });

  it('lets no delivery fail for another one in the same statement', async () => {
    const store = createDeliveryStore({ pool: db.pool });
    const gone = delivery({ connectionId: randomUUID() });
    const ends = await Promise.allSettled([
      store.insert(delivery({})),
      store.insert(gone),
      store.insert(delivery({ actorName: 'a name with \0 in it' })),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const { rows } = await db.pool.query('select 1 from delivery where identifier = $1', [gone.identifier]);
    expect(rows).toEqual([]);
  });
});
