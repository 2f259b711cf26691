// What a report that was taken in sets off: verdicts on claims, news on grouped issues, and auto-push.

import type { Stored } from '../../prisma/reports';
import type { SourceRow } from '../../prisma/sources';
import { needsApproval, pushDecision } from '../../workflows/rules/push-gate';
import type { OperationDeps } from './deps';
import type { Caller } from './types';

export type AfterReport = ReturnType<typeof createAfterReport>;

/**
 * What follows a report. The report stands whatever becomes of that: a failure is logged, and the next report (or the
 * same one sent again) makes up for it.
 */
export function createAfterReport({ db, engine, log }: OperationDeps) {
  /** A later run that looked for flagged findings and did not find them: the re-run that the claim was waiting for. */
  async function verify(caller: Caller, source: SourceRow, { loopVerdicts, reportId }: Stored): Promise<void> {
    const { organisationId } = caller;
    const passed = loopVerdicts.filter(({ status, verdict }) => status === 'needs_rerun' && verdict === 'pass');
    if (passed.length === 0) return;
    const held = await db.sessions.holding(
      organisationId,
      passed.map(({ findingId }) => findingId),
    );
    const free = passed.filter(({ findingId }) => !held.some((each) => each.findingId === findingId));
    const made = await sessionOf(caller, source, free);
    for (const sessionId of new Set([...held, ...made].map((each) => each.sessionId))) {
      const cases = [...held, ...made].filter((each) => each.sessionId === sessionId);
      // A claim that was made since is another question.
      const proven = cases.filter((each) =>
        passed.some((p) => p.findingId === each.findingId && p.claim === each.claim),
      );
      const verdicts = proven.map(({ findingId }) => ({ findingId, verdict: 'pass' as const }));
      if (verdicts.length > 0) {
        await engine.verdicts({ organisationId, sessionId }, { verdicts, memberId: null, reportId });
      }
    }
  }

  async function sessionOf({ organisationId, memberId }: Caller, source: SourceRow, free: { findingId: string }[]) {
    if (free.length === 0) return [];
    const ids = free.map(({ findingId }) => findingId);
    const findings = ids.map((id) => ({ id, number: 0 }));
    const session = { sourceId: source.id, findings, suite: 'Later report', memberId };
    const made = await db.sessions.create(organisationId, session);
    return made.kind === 'created' ? await db.sessions.holding(organisationId, ids) : [];
  }

  async function tellIssues({ organisationId }: Caller, { placesChanged, reportId }: Stored): Promise<void> {
    if (placesChanged.length === 0) return;
    await engine.updateGroupedIssues({ organisationId, reportId, changed: placesChanged });
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
    /** After a report of a source. Without a result it was taken in before, and only what was left undone is done. */
    async reported(caller: Caller, source: SourceRow, result: Stored | null): Promise<void> {
      if (result) {
        await unharmed('what a report proves', () => verify(caller, source, result));
        await unharmed('the news on issues', () => tellIssues(caller, result));
      }
      await unharmed('auto-push', () => push(caller, source));
    },
    /** After a report that was sent to a session, which gives the verdicts itself. */
    async reportedInSession(caller: Caller, source: SourceRow, result: Stored): Promise<void> {
      await unharmed('the news on issues', () => tellIssues(caller, result));
      await unharmed('auto-push', () => push(caller, source));
    },
  };
}
