import type { Db } from '../../prisma/client';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { openStores, type Stores } from '../support/stores';

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
});
