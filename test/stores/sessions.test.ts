import { createCardStore } from '../../prisma/cards';
import type { Db } from '../../prisma/client';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { openStores, type Stores } from '../support/stores';
import { until } from '../support/until';

describe('the store of sessions', () => {
  let stores: Stores;
  let db: Db;
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
  });
  afterAll(async () => {
    await stores?.close();
  });

  /** A planned session of one flagged finding. */
  async function flagged(number: number) {
    const organisationId = await db.members.createOrganisation('Acme');
    const member = await db.members.create(organisationId, {
      name: 'Mel',
      role: 'member',
      slackTeamId: null,
      slackUserId: null,
    });
    const source = await db.sources.create(organisationId, {
      key: 'shop',
      name: 'Shop',
      kind: 'site',
      connectionId: null,
      rule: defaultRule,
    });
    const finding = await db.prisma.finding.create({
      data: {
        organisationId,
        sourceId: source?.id ?? '',
        number,
        key: `k${number}`,
        rule: 'label',
        title: 'label',
        severity: 'serious',
        status: 'needs_rerun',
        claim: 3,
      },
    });
    const memberId = member?.id ?? '';
    const asked = { sourceId: source?.id ?? '', findings: [{ id: finding.id, number }], suite: null, memberId };
    const made = await db.sessions.create(organisationId, asked);
    if (made.kind !== 'created') throw new Error(made.kind);
    return { organisationId, sessionId: made.sessionId, findingId: finding.id, memberId, asked };
  }

  it('answers a verdict again when the step that stored it is repeated, and keeps one row of it', async () => {
    const { organisationId, sessionId, findingId, memberId } = await flagged(1);
    const input = {
      organisationId,
      sessionId,
      memberId,
      reportId: null,
      verdicts: [{ findingId, verdict: 'pass' as const }],
    };
    const first = await db.sessions.storeVerdicts(input);
    expect(first).toMatchObject({ ended: true, given: [{ findingId, claim: 3, verdict: 'pass' }] });
    expect(await db.sessions.storeVerdicts(input)).toEqual(first);
    expect(await db.prisma.verdict.count({ where: { organisationId } })).toBe(1);
  });

  it('lets the first verdict of a case stand', async () => {
    const { organisationId, sessionId, findingId, memberId } = await flagged(2);
    const of = (verdict: 'pass' | 'fail') => ({
      organisationId,
      sessionId,
      memberId,
      reportId: null,
      verdicts: [{ findingId, verdict }],
    });
    await db.sessions.storeVerdicts(of('fail'));
    expect((await db.sessions.storeVerdicts(of('pass'))).given).toEqual([]);
    expect((await db.sessions.find({ organisationId, sessionId }))?.cases).toMatchObject([{ verdict: 'fail' }]);
  });

  it('V2 holds a finding in one open session, and frees it when that is cancelled, also when asked twice', async () => {
    const { organisationId, sessionId, asked } = await flagged(3);
    expect(await db.sessions.create(organisationId, asked)).toEqual({ kind: 'held', number: 3, sessionId });
    expect(await db.sessions.cancel({ organisationId, sessionId })).toEqual({ ended: true });
    expect(await db.sessions.cancel({ organisationId, sessionId })).toEqual({ ended: true });
    expect(await db.sessions.create(organisationId, asked)).toMatchObject({ kind: 'created' });
  });

  /** Another flagged finding of the same source. */
  async function another({ organisationId, asked }: Awaited<ReturnType<typeof flagged>>, number: number, id: string) {
    const of = { organisationId, sourceId: asked.sourceId, key: `k${number}`, rule: 'label', title: 'label' };
    await db.prisma.finding.create({
      data: { ...of, id, number, severity: 'serious', status: 'needs_rerun', claim: 1 },
    });
    return { id, number };
  }
  const waiting = async () => {
    const { rows } = await db.pool.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.count ?? 0;
  };

  it('V2 makes one session of a finding, and tells the others of it, also when all wait for the same lock', async () => {
    const first = await flagged(4);
    await db.sessions.cancel(first);
    const client = await db.pool.connect();
    await client.query('begin');
    await client.query('select 1 from finding where id = $1 for update', [first.findingId]);
    const both = [1, 2].map(() => db.sessions.create(first.organisationId, first.asked));
    await until(async () => (await waiting()) === 2, { what: 'both at the lock' });
    await client.query('commit');
    client.release();
    const kinds = (await Promise.all(both)).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['created', 'held']);
  });

  it('I3 locks findings in the order of their ids, as ingest does, so that neither ends the other', async () => {
    const first = await flagged(5);
    const low = await another(first, 7, '00000000-0000-4000-8000-000000000001');
    const high = await another(first, 6, 'ffffffff-0000-4000-8000-000000000001');
    const ingest = await db.pool.connect();
    await ingest.query('begin');
    await ingest.query('select 1 from finding where id = $1 for no key update', [low.id]);
    const made = db.sessions.create(first.organisationId, { ...first.asked, findings: [high, low] });
    await until(async () => (await waiting()) === 1, { what: 'the session at the lock' });
    await ingest.query('select 1 from finding where id = $1 for no key update nowait', [high.id]);
    await ingest.query('commit');
    ingest.release();
    expect(await made).toMatchObject({ kind: 'created' });
  });

  it('V3 V7 finds a case for each claim that a report proves: held, free, and none where it is decided', async () => {
    const first = await flagged(8);
    const { organisationId, sessionId, findingId, memberId, asked } = first;
    const free = await another(first, 9, '00000000-0000-4000-8000-000000000002');
    const over = await another(first, 10, '00000000-0000-4000-8000-000000000003');
    const decided = await another(first, 11, '00000000-0000-4000-8000-000000000004');
    const report = await db.reports.ingest(organisationId, {
      ...{ sourceId: asked.sourceId, idempotencyKey: 'k', bodyHash: 'h', format: 'junit', startedAt: null },
      ...{ scope: 'full', uploadedById: null, grouping: 'rule', findings: [] },
      coverage: { kind: 'tests', tests: new Map() },
    });
    const reportId = report.kind === 'stored' ? report.reportId : '';
    const other = await db.sessions.create(organisationId, { ...asked, findings: [decided] });
    if (other.kind !== 'created') throw new Error(other.kind);
    const pass = { memberId: null, reportId, verdicts: [{ findingId: decided.id, verdict: 'pass' as const }] };
    await db.sessions.storeVerdicts({ organisationId, sessionId: other.sessionId, ...pass });
    const claims = [
      { findingId, claim: 3 },
      { findingId: free.id, claim: 1 },
      { findingId: over.id, claim: 0 },
      { findingId: decided.id, claim: 1 },
    ];
    const proof = { sourceId: asked.sourceId, suite: 'Later report', memberId, reportId, claims };
    const cases = await db.sessions.casesOf(organisationId, proof);
    expect(cases).toEqual([
      { findingId, sessionId },
      { findingId: free.id, sessionId: expect.any(String) },
    ]);
    // The session is cancelled before the verdict comes in: the case is free, and the proof is not lost.
    await db.sessions.cancel({ organisationId, sessionId });
    const given = await db.sessions.storeVerdicts({
      ...{ organisationId, sessionId, memberId: null, reportId },
      verdicts: [{ findingId, verdict: 'pass' }],
    });
    expect(given).toEqual({ given: [], ended: true });
    const later = await db.sessions.casesOf(organisationId, proof);
    expect(later.map((each) => each.findingId)).toEqual([findingId, free.id]);
    expect(later[0]?.sessionId).not.toBe(sessionId);
    // A person said since the report that it is still broken: that stands, for this report.
    const failed = { organisationId, sessionId: later[0]?.sessionId ?? '', memberId, reportId: null };
    await db.sessions.storeVerdicts({ ...failed, verdicts: [{ findingId, verdict: 'fail' }] });
    const last = await db.sessions.casesOf(organisationId, proof);
    expect(last.map((each) => each.findingId)).toEqual([free.id]);
  });

  it('V3 stores what a person says of several cases all together or not at all', async () => {
    const first = await flagged(12);
    const { organisationId, memberId, asked, findingId } = first;
    await db.sessions.cancel(first);
    const second = await another(first, 13, '00000000-0000-4000-8000-000000000005');
    const made = await db.sessions.create(organisationId, { ...asked, findings: [...asked.findings, second] });
    if (made.kind !== 'created') throw new Error(made.kind);
    const { sessionId } = made;
    const give = (given: ['pass' | 'fail', 'pass' | 'fail'], by: string | null) =>
      db.sessions.storeVerdicts({
        ...{ organisationId, sessionId, memberId: by, reportId: null },
        verdicts: [
          { findingId, verdict: given[0] },
          { findingId: second.id, verdict: given[1] },
        ],
      });
    await db.sessions.storeVerdicts({
      ...{ organisationId, sessionId, memberId, reportId: null },
      verdicts: [{ findingId, verdict: 'fail' }],
    });
    expect((await give(['pass', 'pass'], memberId)).given).toEqual([]);
    expect((await db.sessions.find({ organisationId, sessionId }))?.cases[1]).toMatchObject({ verdict: null });
    // A report says what it can.
    expect(await give(['pass', 'pass'], null)).toMatchObject({ given: [{ findingId: second.id }], ended: true });
  });

  it('V3 says of an ended session that it has ended, whatever is asked of it', async () => {
    const { organisationId, sessionId, findingId, memberId } = await flagged(14);
    const ref = { organisationId, sessionId };
    await db.sessions.storeVerdicts({
      ...{ ...ref, memberId, reportId: null },
      verdicts: [{ findingId, verdict: 'fail' }],
    });
    expect(await db.sessions.start(ref)).toEqual({ ended: true });
    expect(await db.sessions.cancel(ref)).toEqual({ ended: true });
    expect(await db.sessions.find(ref)).toMatchObject({ status: 'completed', cases: [{ verdict: 'fail' }] });
  });

  it('V3 a card that is drawn while its session is being cancelled is drawn again afterwards', async () => {
    const { organisationId, sessionId, findingId } = await flagged(15);
    const { id: installationId } = await db.prisma.slackInstallation.create({
      data: { organisationId, teamId: 'T15', botId: 'B', botUserId: 'U', botToken: Buffer.from('sealed') },
    });
    const card = await db.prisma.card.create({ data: { organisationId, findingId, installationId, channelId: 'C' } });
    const cards = createCardStore({ pool: db.pool });
    const drawn = async () => {
      const [claimed] = await cards.claim({ limit: 1, leaseMs: 60_000 });
      const view = claimed ? await cards.view(claimed, []) : null;
      if (claimed) await cards.done({ id: claimed.id, quietMs: 0 });
      return view ? (view.finding.session?.status ?? 'no session') : 'clean';
    };
    expect(await drawn()).toBe('planned');
    const client = await db.pool.connect();
    await client.query('begin');
    await client.query('select 1 from session where id = $1 for update', [sessionId]);
    const cancelling = db.sessions.cancel({ organisationId, sessionId });
    await until(async () => (await waiting()) === 1, { what: 'the cancelling at the lock' });
    await drawn();
    await client.query('commit');
    client.release();
    await cancelling;
    expect(await db.prisma.card.findUnique({ where: { id: card.id } })).toMatchObject({ dirty: true });
    expect(await drawn()).toBe('no session');
  });
});
