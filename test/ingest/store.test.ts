import { randomUUID } from 'node:crypto';
import type { ReportInput } from '../../prisma/reports';
import type { ParsedFinding } from '../../workflows/rules/report-verdict';
import { createReportWorld, finding, minute, type ReportWorld, scanned } from './store-fixture';

let world: ReportWorld;
let at: { organisationId: string; sourceId: string; memberId: string };

beforeAll(async () => {
  world = await createReportWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  at = await world.makeOrganisation();
});

const rules = ['label', 'list', 'region'];
const everywhere = scanned({ '/': rules, '/cart': rules });

function report(minutes: number, findings: ParsedFinding[], changes: Partial<ReportInput> = {}): ReportInput {
  const id = randomUUID();
  return {
    sourceId: at.sourceId,
    idempotencyKey: id,
    bodyHash: id,
    format: 'axe-core',
    startedAt: minute(minutes),
    scope: 'full',
    uploadedById: at.memberId,
    grouping: 'rule',
    findings,
    coverage: everywhere,
    ...changes,
  };
}
const ingest = (minutes: number, findings: ParsedFinding[], changes?: Partial<ReportInput>) =>
  world.stored(at.organisationId, report(minutes, findings, changes));
async function only() {
  const [row, ...others] = await world.findings(at.sourceId);
  if (!row || others.length > 0) throw new Error(`Expected one finding, got ${others.length + (row ? 1 : 0)}`);
  return row;
}

describe('taking in a report', () => {
  it('makes a finding of each problem, gravest first, with a short number and its history', async () => {
    const found = [finding('list', ['/#ul'], 'minor'), finding('label', ['/cart#mail', '/#mail'], 'critical')];
    const result = await ingest(1, found);
    expect(result.counts).toEqual({ new: 2, seen: 0, regressed: 0, absent: 0 });
    const rows = await world.findings(at.sourceId);
    expect(rows.map(({ number, rule, status, severity }) => [number, rule, status, severity])).toEqual([
      [1, 'label', 'open', 'critical'],
      [2, 'list', 'open', 'minor'],
    ]);
    expect(rows.map(({ id }) => id)).toEqual(result.newFindingIds);
    expect(rows[0]?.key).toMatch(/^[0-9a-f]{64}$/);
    expect(rows[0]?.details).toEqual({ help: 'label', grouping: 'rule' });
    expect(await world.occurrences(at.sourceId)).toEqual([
      { rule: 'label', page: '/', status: 'seen' },
      { rule: 'label', page: '/cart', status: 'seen' },
      { rule: 'list', page: '/', status: 'seen' },
    ]);
    const { rows: history } = await world.pool.query(
      'select actor, event, detail from audit_event where finding_id = $1',
      [rows[0]?.id],
    );
    expect(history).toEqual([
      { actor: 'Mina', event: 'found', detail: 'axe-core report, run began 2026-01-15T08:01:00.000Z' },
    ]);
  });

  it('takes the same upload once, and refuses another body under its key', async () => {
    const first = report(1, [finding('label', ['/#mail'])], { idempotencyKey: 'run-1', bodyHash: 'a' });
    const stored = await world.stored(at.organisationId, first);
    const again = await world.reports.ingest(at.organisationId, first);
    const { reportId, counts, pictures, follows } = stored;
    expect(again).toEqual({ kind: 'repeated', format: 'axe-core', reportId, counts, pictures, follows });
    expect(await world.reports.earlier(at.organisationId, first)).toEqual(again);
    const other = { ...first, bodyHash: 'b' };
    expect(await world.reports.ingest(at.organisationId, other)).toEqual({ kind: 'conflict' });
    expect(await world.reports.earlier(at.organisationId, other)).toEqual({ kind: 'conflict' });
    expect(await world.reports.earlier(at.organisationId, { ...first, idempotencyKey: 'run-2' })).toBeNull();
    expect(await world.findings(at.sourceId)).toHaveLength(1);
  });

  it('keeps keys of one source apart from those of another', async () => {
    const other = await world.makeSource(at.organisationId);
    await ingest(1, [finding('label', ['/#mail'])], { idempotencyKey: 'nightly' });
    const result = await ingest(1, [finding('label', ['/#mail'])], { idempotencyKey: 'nightly', sourceId: other });
    expect(result.counts.new).toBe(1);
    expect((await world.findings(other))[0]?.number).toBe(2);
  });

  it('leaves nothing behind when it fails', async () => {
    const broken = { ...finding('list', ['/#ul']), severity: null as unknown as 'minor' };
    await expect(ingest(1, [finding('label', ['/#mail']), broken])).rejects.toThrow();
    expect(await world.findings(at.sourceId)).toEqual([]);
    expect((await ingest(2, [finding('label', ['/#mail'])])).counts.new).toBe(1);
    expect((await only()).number).toBe(1);
  });

  it('does not reach into another organisation', async () => {
    const stranger = await world.makeOrganisation();
    await expect(world.reports.ingest(stranger.organisationId, report(1, []))).rejects.toThrow(
      'is not in organisation',
    );
  });

  it('stands by what it says a finding is made of, outside the loop only', async () => {
    await ingest(1, [finding('label', ['/#mail'], 'minor')]);
    await ingest(2, [finding('label', ['/#mail'], 'critical')]);
    const row = await only();
    expect(row).toMatchObject({ severity: 'critical', last_seen_at: minute(2) });
    await world.setStatus(row.id, 'awaiting_fix', { inLoop: true });
    await ingest(3, [finding('label', ['/#mail'], 'minor')]);
    expect(await only()).toMatchObject({ severity: 'critical', last_seen_at: minute(3), status: 'awaiting_fix' });
  });

  it('takes a time ahead of ours, and none, for now', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000);
    await ingest(0, [finding('label', ['/#mail'])], { startedAt: tomorrow });
    expect((await only()).last_seen_at.getTime()).toBeLessThanOrEqual(Date.now());
    const result = await ingest(0, [finding('label', ['/#mail'])], { startedAt: null });
    expect(result.counts.seen).toBe(1);
  });
});

describe('grouping', () => {
  const found = [finding('label', ['/#mail', '/#name', '/cart#mail'])];

  it.each([
    ['rule', 1],
    ['page', 2],
    ['element', 3],
  ] as const)('by %s makes %i of three places', async (grouping, expected) => {
    expect((await ingest(1, found, { grouping })).counts.new).toBe(expected);
    expect((await ingest(2, found, { grouping })).counts).toEqual({ new: 0, seen: expected, regressed: 0, absent: 0 });
  });

  it('has no meaning for tests', async () => {
    const tests = [
      {
        ...finding('adds', []),
        occurrences: [
          { page: 'a.test.js', element: null, details: {} },
          { page: 'b.test.js', element: null, details: {} },
        ],
      },
    ];
    const coverage = { kind: 'tests' as const, tests: new Map() };
    expect((await ingest(1, tests, { grouping: 'element', coverage })).counts.new).toBe(1);
  });

  it('changed: open findings are replaced, those in the loop and blocked ones keep their grain', async () => {
    const all = [...found, finding('list', ['/#ul', '/cart#ul']), finding('region', ['/#main', '/cart#main'])];
    await ingest(1, all);
    const [label, list, region] = await world.findings(at.sourceId);
    await world.setStatus(list?.id ?? '', 'awaiting_fix', { inLoop: true });
    await world.setStatus(region?.id ?? '', 'blocked');
    const result = await ingest(2, all, { grouping: 'page' });
    expect(result.counts).toEqual({ new: 2, seen: 2, regressed: 0, absent: 0 });
    const rows = await world.findings(at.sourceId);
    expect(rows.map(({ rule, status }) => `${rule} ${status}`).sort()).toEqual([
      'label open',
      'label open',
      'label resolved',
      'list awaiting_fix',
      'region blocked',
    ]);
    expect(await world.events(label?.id ?? '')).toEqual(['found', 'resolved']);
    expect(result.loopVerdicts).toMatchObject([{ findingId: list?.id, verdict: 'fail' }]);
  });

  it('changed: an open finding stays while one of its pages was not looked at', async () => {
    await ingest(1, found);
    await ingest(2, [finding('label', ['/#mail'])], { grouping: 'page', coverage: scanned({ '/': rules }) });
    expect((await world.findings(at.sourceId)).map(({ status }) => status)).toEqual(['open', 'open']);
  });
});

describe('absence', () => {
  it('resolves an open finding, once it is proven at every place', async () => {
    await ingest(1, [finding('label', ['/#mail', '/cart#mail'])]);
    const half = await ingest(2, [], { coverage: scanned({ '/': rules }) });
    expect(half.counts.absent).toBe(0);
    expect(await world.occurrences(at.sourceId)).toMatchObject([{ status: 'absent' }, { status: 'seen' }]);
    const rest = await ingest(3, [], { coverage: scanned({ '/cart': rules }) });
    expect(rest.counts).toEqual({ new: 0, seen: 0, regressed: 0, absent: 1 });
    const row = await only();
    expect(row).toMatchObject({ status: 'resolved', absent_since: minute(3) });
    expect(await world.events(row.id)).toEqual(['found', 'resolved']);
    expect((await ingest(4, [])).counts.absent).toBe(0);
  });

  it.each([
    ['the rule was inconclusive', scanned({ '/': ['?label'] })],
    ['another rule ran', scanned({ '/': ['list'] })],
    ['another page was visited', scanned({ '/cart': rules })],
  ])('is not proven where %s', async (_why, coverage) => {
    await ingest(1, [finding('label', ['/#mail'])]);
    expect((await ingest(2, [], { coverage })).counts.absent).toBe(0);
    expect((await only()).status).toBe('open');
  });

  it('is not proven by a run that began before the finding was last seen', async () => {
    await ingest(5, [finding('label', ['/#mail'])]);
    expect((await ingest(4, [])).counts.absent).toBe(0);
    expect((await ingest(5, [])).counts.absent).toBe(0);
    expect((await only()).status).toBe('open');
  });

  it('changes no status in the loop, and counts once', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    await world.setStatus(id, 'awaiting_fix', { inLoop: true });
    const result = await ingest(2, []);
    expect(result.counts.absent).toBe(1);
    expect(result.loopVerdicts).toEqual([{ findingId: id, status: 'awaiting_fix', claim: 0, verdict: 'pass' }]);
    expect(await only()).toMatchObject({ status: 'awaiting_fix', absent_since: minute(2) });
    expect((await ingest(3, [])).counts.absent).toBe(0);
    expect((await ingest(4, [finding('label', ['/#mail'])])).counts).toMatchObject({ seen: 1, regressed: 0 });
    expect(await only()).toMatchObject({ status: 'awaiting_fix', absent_since: null });
    expect(await world.events(id)).toEqual(['found', 'absent', 'seen again']);
  });

  it('B9 seen by report after report it has one line in the history, until something else happens to it', async () => {
    const label = [finding('label', ['/#mail'])];
    await ingest(1, label);
    const { id } = await only();
    await world.setStatus(id, 'awaiting_fix', { inLoop: true });
    for (const at of [2, 3, 4]) await ingest(at, label);
    expect(await world.events(id)).toEqual(['found', 'seen again']);
    await ingest(5, []);
    for (const at of [6, 7]) await ingest(at, label);
    expect(await world.events(id)).toEqual(['found', 'seen again', 'absent', 'seen again']);
  });

  it('leaves a place that waits for a re-run waiting', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    await world.setStatus(id, 'needs_rerun', { inLoop: true });
    await world.pool.query(`update occurrence set status = 'pending_rerun' where finding_id = $1`, [id]);
    await ingest(2, []);
    expect(await world.occurrences(at.sourceId)).toMatchObject([{ status: 'pending_rerun' }]);
    await ingest(3, [finding('label', ['/#mail'])]);
    expect(await world.occurrences(at.sourceId)).toMatchObject([{ status: 'pending_rerun' }]);
  });

  it('leaves blocked findings blocked', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    await world.setStatus(id, 'blocked');
    expect((await ingest(2, [])).counts.absent).toBe(1);
    expect((await ingest(3, [finding('label', ['/#mail'])])).counts).toMatchObject({ seen: 1, regressed: 0 });
    expect((await only()).status).toBe('blocked');
  });
});

describe('regression', () => {
  it.each(['verified', 'resolved'])('opens a %s finding again and keeps its issue as history', async (status) => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    await world.link(at.organisationId, id);
    await world.setStatus(id, status, { since: minute(2) });
    const result = await ingest(3, [finding('label', ['/#mail'])]);
    expect(result.counts).toEqual({ new: 0, seen: 0, regressed: 1, absent: 0 });
    expect(result.regressedFindingIds).toEqual([id]);
    expect((await only()).status).toBe('open');
    expect(
      (await world.pool.query('select active, jira_key from issue_link where finding_id = $1', [id])).rows,
    ).toEqual([{ active: false, jira_key: 'SHOP-1' }]);
    expect(await world.events(id)).toEqual(['found', 'regressed']);
    expect((await ingest(4, [finding('label', ['/#mail'])])).counts).toEqual({
      new: 0,
      seen: 1,
      regressed: 0,
      absent: 0,
    });
    expect((await ingest(5, [])).counts.absent).toBe(1);
    expect((await only()).status).toBe('resolved');
  });

  it('is not shown by a run that began before the finding was closed', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    await world.setStatus(id, 'verified', { since: minute(5) });
    expect((await ingest(4, [finding('label', ['/#mail'])])).counts).toEqual({
      new: 0,
      seen: 1,
      regressed: 0,
      absent: 0,
    });
    expect((await only()).status).toBe('verified');
  });

  it('is not shown by a run that began before the one that proved absence', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    await ingest(5, []);
    expect((await ingest(4, [finding('label', ['/#mail'])])).counts.regressed).toBe(0);
    expect((await ingest(6, [finding('label', ['/#mail'])])).counts.regressed).toBe(1);
  });

  it('marks the card of the finding', async () => {
    await ingest(1, [finding('label', ['/#mail'])]);
    const { id } = await only();
    const installation = randomUUID();
    await world.pool.query(
      `insert into slack_installation (id, organisation_id, team_id, bot_id, bot_user_id) values ($1, $2, $3, 'B1', 'U1')`,
      [installation, at.organisationId, installation],
    );
    await world.pool.query(
      `insert into card (id, organisation_id, finding_id, installation_id, channel_id, dirty) values ($1, $2, $3, $4, 'C1', false)`,
      [randomUUID(), at.organisationId, id, installation],
    );
    const dirty = async () =>
      (await world.pool.query<{ dirty: boolean }>('select dirty from card where finding_id = $1', [id])).rows[0]?.dirty;
    await ingest(2, [finding('label', ['/#mail'])]);
    expect(await dirty()).toBe(false);
    await world.setStatus(id, 'verified', { since: minute(3) });
    await ingest(4, [finding('label', ['/#mail'])]);
    expect(await dirty()).toBe(true);
  });
});

describe('verdicts', () => {
  it('are the same before and after the report was taken in, and need a run that began after the claim', async () => {
    await ingest(1, [
      finding('label', ['/#mail', '/cart#mail']),
      finding('list', ['/#ul']),
      finding('region', ['/far#main']),
    ]);
    const rows = await world.findings(at.sourceId);
    for (const { id } of rows) await world.setStatus(id, 'needs_rerun', { inLoop: true });
    await world.pool.query('update finding set claim = 1, claimed_at = $2 where source_id = $1', [
      at.sourceId,
      minute(3),
    ]);
    const byRule = async (minutes: number) => {
      const said = await world.reports.verdicts(
        at.organisationId,
        rows.map(({ id }) => id),
        report(minutes, [finding('list', ['/cart#ul'])]),
      );
      return Object.fromEntries(rows.map(({ id, rule }) => [rule, said.get(id)]));
    };
    const expected = { label: 'pass', list: 'fail', region: 'inconclusive' };
    expect(await byRule(4)).toEqual(expected);
    expect(await byRule(3)).toEqual({ label: 'inconclusive', list: 'inconclusive', region: 'inconclusive' });
    const early = await ingest(2, [finding('list', ['/cart#ul'])]);
    expect(early.loopVerdicts).toEqual([]);
    const { loopVerdicts } = await ingest(4, [finding('list', ['/cart#ul'])]);
    const told = rows.flatMap(({ id, rule }) =>
      loopVerdicts.filter(({ findingId }) => findingId === id).map(({ verdict, claim }) => [rule, verdict, claim]),
    );
    expect(told.sort()).toEqual([
      ['label', 'pass', 1],
      ['list', 'fail', 1],
    ]);
    expect(await byRule(4)).toEqual(expected);
  });
});

describe('many reports at once', () => {
  it('give distinct numbers without gaps, over sources of one organisation', async () => {
    const sources = [at.sourceId, await world.makeSource(at.organisationId), await world.makeSource(at.organisationId)];
    const many = (from: number) => Array.from({ length: 40 }, (_, index) => finding(`rule-${from + index}`, ['/#x']));
    const uploads = sources.flatMap((sourceId) => [0, 20, 40].map((from) => ingest(1, many(from), { sourceId })));
    const results = await Promise.all(uploads);
    expect(results.reduce((sum, { counts }) => sum + counts.new, 0)).toBe(240);
    const { rows } = await world.pool.query<{ number: number }>(
      'select number from finding where organisation_id = $1 order by number',
      [at.organisationId],
    );
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 240 }, (_, index) => index + 1));
  });

  it('of one body under one key are one report', async () => {
    const same = report(1, [finding('label', ['/#mail'])], { idempotencyKey: 'run', bodyHash: 'a' });
    const results = await Promise.all(Array.from({ length: 6 }, () => world.reports.ingest(at.organisationId, same)));
    expect(results.map(({ kind }) => kind).sort()).toEqual([
      'repeated',
      'repeated',
      'repeated',
      'repeated',
      'repeated',
      'stored',
    ]);
    expect(await world.findings(at.sourceId)).toHaveLength(1);
  });

  it('do not hold up each other for ever while findings change', async () => {
    const all = Array.from({ length: 60 }, (_, index) => finding(`rule-${index}`, ['/#x']));
    await ingest(1, all);
    const rows = await world.findings(at.sourceId);
    const changes = rows.toReversed().map(({ id }) => world.setStatus(id, 'awaiting_fix', { inLoop: true }));
    await Promise.all([...changes, ingest(2, all), ingest(3, all.toReversed()), ingest(4, all)]);
    expect((await world.findings(at.sourceId)).every(({ status }) => status === 'awaiting_fix')).toBe(true);
  });
});
