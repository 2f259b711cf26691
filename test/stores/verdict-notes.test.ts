// What is told of a verdict besides the verdict: its note in the history, and the last re-run in the panel.

import type { OperationDeps } from '../../api/operations/deps';
import { createSessionOperations } from '../../api/operations/sessions';
import type { Caller } from '../../api/operations/types';
import type { Db } from '../../prisma/client';
import { type AuditEvent, defaultRule, type GivenVerdict } from '../../workflows/rules/vocabulary';
import { createAcme, openStores, type Stores } from '../support/stores';

let stores: Stores;
let db: Db;
let ids: { organisationId: string; memberId: string };
let sourceId: string;
let steps = 0;
beforeAll(async () => {
  stores = await openStores();
  db = stores.db;
  ids = await createAcme(db);
  const made = { key: 'shop', name: 'Shop', kind: 'site', connectionId: null, rule: defaultRule } as const;
  sourceId = (await db.sources.create(ids.organisationId, made))?.id ?? '';
});
afterAll(async () => {
  await stores?.close();
});

const flagged = (number: number) =>
  db.prisma.finding.create({
    data: {
      ...{ organisationId: ids.organisationId, sourceId, number, key: `k${number}`, rule: 'label', title: 'label' },
      ...{ severity: 'serious', status: 'needs_rerun', claim: 2 },
    },
  });

async function planned(finding: { id: string; number: number }): Promise<string> {
  const { memberId, organisationId } = ids;
  const made = await db.sessions.create(organisationId, { sourceId, findings: [finding], suite: null, memberId });
  if (made.kind !== 'created') throw new Error(made.kind);
  return made.sessionId;
}

/** A verdict as it is stored, and then told to the lifecycle, which writes its event. */
async function decide(finding: { id: string; number: number }, verdict: GivenVerdict, note?: string): Promise<void> {
  const { organisationId, memberId } = ids;
  const sessionId = await planned(finding);
  const given = [{ findingId: finding.id, verdict, ...(note ? { note } : {}) }];
  await db.sessions.storeVerdicts({ organisationId, sessionId, memberId, reportId: null, verdicts: given });
  await record(finding.id, verdict === 'pass' ? 'verified' : `verdict_${verdict}`);
}

async function record(findingId: string, event: AuditEvent): Promise<void> {
  steps += 1;
  await db.lifecycle.record({
    organisationId: ids.organisationId,
    findingId,
    state: {
      version: 1,
      status: event === 'verified' ? 'verified' : 'needs_rerun',
      claim: 2,
      issue: null,
      reason: null,
    },
    record: { event, actor: { kind: 'member', id: ids.memberId }, detail: 'claim 2' },
    dedupeKey: `step ${steps}`,
  });
}

const details = async (findingId: string) => (await db.findings.history(findingId)).map(({ detail }) => detail);
const lastVerdicts = async () =>
  (await db.sessions.panel(ids.organisationId, { after: 0, limit: 10 })).map((row) => [row.number, row.lastVerdict]);

describe('V3 what a person says with a verdict', () => {
  it('V3 B9 the note of each verdict stands in the history of its finding, and only there', async () => {
    const [one, other] = [await flagged(1), await flagged(2)];
    await decide(one, 'fail', 'The label is there, but empty.');
    await decide(other, 'fail');
    await decide(one, 'fail');
    await decide(one, 'pass', 'Seen in the release.');
    expect(await details(one.id)).toEqual([
      'claim 2: The label is there, but empty.',
      'claim 2',
      'claim 2: Seen in the release.',
    ]);
    expect(await details(other.id)).toEqual(['claim 2']);
  });

  it('V2 the panel knows how the last re-run since the claim ended', async () => {
    const [failed, claimedAnew, fresh] = [await flagged(11), await flagged(12), await flagged(13)];
    await decide(failed, 'skip');
    await decide(failed, 'fail');
    await decide(claimedAnew, 'fail');
    await record(claimedAnew.id, 'claimed');
    expect((await lastVerdicts()).filter(([number]) => Number(number) > 10)).toEqual([
      [failed.number, 'fail'],
      [claimedAnew.number, null],
      [fresh.number, null],
    ]);
  });

  it('V3 who decides in a session that has ended is told how a new one is made, there where they are', async () => {
    const finding = await flagged(21);
    const sessionId = await planned(finding);
    await db.sessions.cancel({ organisationId: ids.organisationId, sessionId });
    const { startSession } = createSessionOperations({ db } as OperationDeps);
    const caller: Caller = { ...ids, name: 'Olivia', role: 'owner', via: 'slack', scopes: null };
    await expect(startSession(caller, sessionId)).rejects.toMatchObject({
      message: expect.stringContaining('Make a new one with POST /api/v1/sessions.'),
      inSlack: expect.stringContaining('Start a new one: `/recheck rerun F-21`.'),
    });
  });
});
