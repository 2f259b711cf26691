import { createRelay, type RelayDeps } from '../../api/relay';
import { createDeliveryStore, type DeliveredFinding, type NewDelivery } from '../../prisma/deliveries';
import { until } from '../support/until';
import { database, link, type Seeded, seed, silent } from './support';

describe('the relay', () => {
  let db: Awaited<ReturnType<typeof database>>;
  let tracked: Seeded;
  let number = 0;
  const relays: { stop: () => Promise<void> }[] = [];

  beforeAll(async () => {
    db = await database();
  });
  afterAll(async () => {
    await db?.close();
  });
  beforeEach(async () => {
    await db.pool.query('delete from delivery');
    await db.pool.query('delete from issue_link');
    tracked = await seed(db.pool);
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  });

  const store = () => createDeliveryStore({ pool: db.pool, retryMs: 100, retryCapMs: 200 });
  const delivery = (changed: Partial<NewDelivery> = {}): NewDelivery => ({
    organisationId: tracked.organisationId,
    connectionId: tracked.connectionId,
    identifier: `d-${++number}`,
    event: 'jira:issue_updated',
    jiraIssueId: tracked.issueId,
    changes: [],
    ofInterest: true,
    actorId: null,
    actorName: null,
    occurredAt: null,
    ...changed,
  });
  const states = async () => (await db.pool.query('select state from delivery')).rows.map((row) => row.state as string);
  const allProcessed = (count: number) =>
    until(async () => (await states()).filter((state) => state === 'processed').length === count, {
      what: 'all processed',
    });

  const endLease = () => db.pool.query(`update delivery set processed_at = now() - interval '1 second'`);

  function relayOf(deps: Partial<RelayDeps> = {}) {
    const told: DeliveredFinding[] = [];
    const relay = createRelay({
      deliveries: store(),
      signalJiraChanged: async (finding) => {
        told.push(finding);
      },
      log: silent,
      sweepMs: 60_000,
      ...deps,
    });
    relays.push(relay);
    return { relay, told };
  }

  it('signals at a wake, once for several deliveries of one issue, with what starts a lifecycle', async () => {
    const { relay, told } = relayOf();
    for (let n = 0; n < 5; n++) await store().insert(delivery());
    relay.start();
    relay.wake();
    await allProcessed(5);
    expect(told).toEqual([
      {
        organisationId: tracked.organisationId,
        findingId: tracked.findingId,
        number: 1,
        title: 'Images must have alternate text',
        severity: 'critical',
        sourceKey: 'shop',
      },
    ]);
  });

  it('sweeps at the start what a process that died had claimed', async () => {
    await store().insert(delivery());
    expect(await store().claimPending(10)).toHaveLength(1);
    expect(await store().claimPending(10)).toHaveLength(0);
    await endLease();
    const { relay, told } = relayOf({ sweepMs: 50 });
    relay.start();
    await allProcessed(1);
    expect(told).toHaveLength(1);
  });

  it('keeps what cannot be signalled and tries again until it can', async () => {
    await store().insert(delivery());
    let calls = 0;
    const { relay } = relayOf({
      sweepMs: 50,
      signalJiraChanged: async () => {
        calls += 1;
        if (calls < 3) throw new Error('Temporal is away');
      },
    });
    relay.start();
    await until(async () => (await db.pool.query('select last_error from delivery')).rows[0]?.last_error, {
      what: 'the reason',
    });
    await allProcessed(1);
    expect(calls).toBe(3);
    const { rows } = await db.pool.query('select last_error, attempts from delivery');
    expect(rows).toEqual([{ last_error: null, attempts: 3 }]);
  });

  it('shares the work between processes without doing it twice', async () => {
    const others = await Promise.all(Array.from({ length: 60 }, (_, n) => seed(db.pool, { issueId: `${20_000 + n}` })));
    for (const { organisationId, connectionId, issueId } of others) {
      await store().insert(delivery({ organisationId, connectionId, jiraIssueId: issueId }));
    }
    const a = relayOf();
    const b = relayOf();
    a.relay.start();
    b.relay.start();
    await allProcessed(60);
    const told = [...a.told, ...b.told].map((finding) => finding.findingId);
    expect(told).toHaveLength(60);
    expect(new Set(told).size).toBe(60);
  });

  it('S3 keeps what it works on to itself for as long as that takes', async () => {
    await store().insert(delivery());
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let begun = 0;
    const signalJiraChanged = async () => {
      begun += 1;
      await gate;
    };
    relayOf({ signalJiraChanged, renewMs: 20 }).relay.start();
    await until(() => begun === 1, { what: 'the signal under way' });
    try {
      await endLease();
      await until(async () => (await db.pool.query('select 1 from delivery where processed_at > now()')).rowCount, {
        what: 'the lease renewed',
        seconds: 5,
      });
      expect(await store().claimPending(10)).toEqual([]);
    } finally {
      open();
    }
    await allProcessed(1);
    expect(begun).toBe(1);
  });

  it('relays what waited for its issue to be linked', async () => {
    const unlinked = await seed(db.pool, { linked: false });
    const { organisationId, connectionId, findingId } = unlinked;
    expect(await store().insert(delivery({ organisationId, connectionId, jiraIssueId: '555' }))).toBe('untracked');
    const { relay, told } = relayOf({ sweepMs: 50 });
    relay.start();
    await link(db.pool, { organisationId, connectionId, findingId, issueId: '555' });
    await allProcessed(1);
    expect(told.map((finding) => finding.findingId)).toEqual([findingId]);
  });

  it('asks for a poll where a delivery says only that something changed', async () => {
    await store().insert(delivery({ jiraIssueId: null, event: '' }));
    await store().insert(delivery({ jiraIssueId: null, event: '' }));
    const asked: unknown[] = [];
    const { relay, told } = relayOf({
      syncConnection: async (connection) => {
        asked.push(connection);
      },
    });
    relay.start();
    await allProcessed(2);
    expect(told).toEqual([]);
    expect(asked).toEqual([{ organisationId: tracked.organisationId, connectionId: tracked.connectionId }]);
  });

  it('does not signal for an issue that is linked no more', async () => {
    await store().insert(delivery());
    await db.pool.query('update issue_link set active = false');
    const { relay, told } = relayOf();
    relay.start();
    await allProcessed(1);
    expect(told).toEqual([]);
  });

  it('finishes what is under way when it is stopped, and gives the rest back', async () => {
    const others = await Promise.all(Array.from({ length: 40 }, (_, n) => seed(db.pool, { issueId: `${30_000 + n}` })));
    for (const { organisationId, connectionId, issueId } of others) {
      await store().insert(delivery({ organisationId, connectionId, jiraIssueId: issueId }));
    }
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let begun = 0;
    const { relay } = relayOf({
      signalJiraChanged: async () => {
        begun += 1;
        await gate;
      },
    });
    relay.start();
    await until(() => begun === 20, { what: '20 signals under way' });
    const stopped = relay.stop();
    open();
    await stopped;
    expect((await states()).filter((state) => state === 'processed')).toHaveLength(20);
    expect(await store().claimPending(100)).toHaveLength(20);
  });
});

describe('the delivery store', () => {
  let db: Awaited<ReturnType<typeof database>>;
  beforeAll(async () => {
    db = await database();
  });
  afterAll(async () => {
    await db?.close();
  });

  it('deletes what nobody needs any more, and never what waits', async () => {
    const { organisationId, connectionId } = await seed(db.pool);
    await db.pool.query(
      `insert into delivery (organisation_id, connection_id, identifier, event, state, received_at)
       select $1, $2, state || age, 'jira:issue_updated', state, now() - age * interval '1 hour'
       from unnest(array['pending', 'untracked', 'ignored', 'processed']) state, unnest(array[24, 50, 800]) age`,
      [organisationId, connectionId],
    );
    const store = createDeliveryStore({ pool: db.pool });
    expect(await store.deleteOld()).toBe(5);
    expect(await store.countByState()).toEqual({ pending: 3, untracked: 1, ignored: 1, processed: 2 });
  });

  it('keeps the deliveries of organisations apart', async () => {
    const one = await seed(db.pool, { issueId: '1' });
    const two = await seed(db.pool, { issueId: '2' });
    const store = createDeliveryStore({ pool: db.pool });
    const base = { identifier: 'same', event: 'jira:issue_updated', changes: [], ofInterest: true };
    const rest = { actorId: null, actorName: null, occurredAt: null };
    const of = ({ organisationId, connectionId }: Seeded) => ({ ...base, ...rest, organisationId, connectionId });
    expect(await store.insert({ ...of(one), jiraIssueId: '2' })).toBe('untracked');
    expect(await store.insert({ ...of(two), jiraIssueId: '2' })).toBe('pending');
    expect(await store.insert({ ...of(two), jiraIssueId: '2' })).toBe('duplicate');
  });
});
