// What a report that was taken in sets off: verdicts on claims, news on grouped issues, and auto-push.

import type { Repeated, Stored } from '../../prisma/reports';
import type { SourceRow } from '../../prisma/sources';
import { NotDoneYet } from '../../workflows/rules/not-done-yet';
import { needsApproval, pushDecision } from '../../workflows/rules/push-gate';
import type { OperationDeps } from './deps';
import type { Caller } from './types';

export type AfterReport = ReturnType<typeof createAfterReport>;
type Report = Pick<Stored | Repeated, 'reportId' | 'follows'>;

/** Telling the lifecycles of many verdicts takes its time, and nobody has to wait for the end. */
function orGoesOn(error: unknown): void {
  if (!(error instanceof NotDoneYet)) throw error;
}

/** In each, all cases that a claim had are decided or were taken back, so that a second is rare. */
const mostRounds = 5;

/**
 * What follows a report. The report stands whatever becomes of that: a failure is logged, and the next report (or the
 * same one sent again) makes up for it.
 */
export function createAfterReport({ db, engine, log }: OperationDeps) {
  /**
   * A later run that looked for flagged findings and did not find them: the re-run that the claim was waiting for. It
   * counts in the session that holds a case, and in one of its own for the others. Sessions end meanwhile, and other
   * reports take cases too, so this looks again until nothing is left to decide.
   */
  async function verify(caller: Caller, source: SourceRow, { reportId, follows }: Report): Promise<void> {
    if (follows.proven.length === 0) return;
    const { organisationId, memberId } = caller;
    const asked = { sourceId: source.id, suite: 'Later report', memberId, reportId, claims: follows.proven };
    for (let round = 1; round <= mostRounds; round += 1) {
      const cases = await db.sessions.casesOf(organisationId, asked);
      if (cases.length === 0) return;
      for (const sessionId of new Set(cases.map((each) => each.sessionId))) {
        const verdicts = cases.flatMap(({ findingId, sessionId: at }) =>
          at === sessionId ? [{ findingId, verdict: 'pass' as const }] : [],
        );
        await engine.verdicts({ organisationId, sessionId }, { verdicts, memberId: null, reportId }).catch(orGoesOn);
      }
    }
    throw new Error(`The sessions of what report ${reportId} proves ended ${mostRounds} times before it was told.`);
  }

  async function tellIssues({ organisationId }: Caller, { reportId, follows }: Report): Promise<void> {
    const { placesChanged: changed } = follows;
    if (changed.length === 0) return;
    await engine.updateGroupedIssues({ organisationId, reportId, changed });
    await db.reports.placesTold(organisationId, reportId);
  }

  async function push({ organisationId }: Caller, source: SourceRow): Promise<void> {
    const numbers = await db.autoPush.eligible(organisationId, source.id);
    if (numbers.length === 0) return;
    const rows = await db.pushes.candidates(organisationId, source.id, numbers);
    const ready = rows.filter((row) => ['create', 'held'].includes(pushDecision(row).kind));
    const rule = ready[0]?.rule;
    if (!rule) return;
    const batch = await db.pushes.create(organisationId, {
      ...{ sourceId: source.id, kind: 'auto', memberId: null, note: null },
      needsApproval: needsApproval(rule.approval, ready.length),
      items: ready.map(({ findingId }) => ({ findingId, outcome: 'pending' })),
    });
    if (batch.stopped) return;
    await engine.pushBatch({ organisationId, batchId: batch.id, actor: { kind: 'recheck' } });
  }

  async function unharmed(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.warn({ err: error }, `${what} comes later`);
    }
  }

  return {
    /** After a report. Of one that was sent again, only what was left undone is done. */
    async reported(caller: Caller, source: SourceRow, report: Report): Promise<void> {
      await unharmed('what a report proves', () => verify(caller, source, report));
      await unharmed('the news on issues', () => tellIssues(caller, report));
      await unharmed('auto-push', () => push(caller, source));
    },
  };
}
