// Everything that leaves a workflow: PostgreSQL, Jira, and the engine itself. The type is what workflows import.

import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Db } from '../prisma/client';
import type { RecordedChange } from '../prisma/lifecycle-record';
import type { GivenToLifecycle } from '../prisma/sessions';
import type { VerdictsInput } from '../workflows/contract';
import type { Actor, LifecycleState } from '../workflows/rules/lifecycle';
import type { Engine } from './engine';
import { createEvidenceActivities } from './evidence';
import { createGroupedIssueActivities } from './grouped-issue';
import { createFollowUpActivities } from './issue-follow-up';
import { createIssueActivities } from './issues';
import type { JiraAccess } from './jira-access';
import { createMaintenanceActivities } from './maintenance';
import { createPushItemActivities } from './push-items';
import { endingOnRefusedData } from './refused-data';
import { createSyncActivities, type SyncSettings } from './sync';

export type ActivityDeps = {
  db: Db;
  jira: JiraAccess;
  engine: Engine;
  baseUrl: string;
  pushIntervalMs: number;
  sync: SyncSettings;
};
type FindingRef = { organisationId: string; findingId: string };
type SessionRef = { organisationId: string; sessionId: string };

export type Activities = ReturnType<typeof createActivities>;

/** Verdicts on their way at once. */
const inFlight = 8;

/** All activities, with their dependencies bound. */
export function createActivities(deps: ActivityDeps) {
  return endingOnRefusedData({
    ...lifecycleActivities(deps),
    ...sessionActivities(deps),
    ...createIssueActivities(deps),
    ...createFollowUpActivities(deps),
    ...createEvidenceActivities(deps),
    ...createGroupedIssueActivities(deps),
    ...pushActivities(deps),
    ...createPushItemActivities(deps),
    ...createSyncActivities(deps),
    ...createMaintenanceActivities(deps),
  });
}

/** For Jira's own task queue. */
export function createJiraActivities(deps: ActivityDeps) {
  return endingOnRefusedData({
    ...createIssueActivities(deps),
    ...createFollowUpActivities(deps),
    ...createEvidenceActivities(deps),
    ...createGroupedIssueActivities(deps),
    ...createSyncActivities(deps),
    ...createMaintenanceActivities(deps),
  });
}

function lifecycleActivities({ db: { lifecycle }, engine }: ActivityDeps) {
  return {
    loadLifecycle: (ref: FindingRef): Promise<LifecycleState> => lifecycle.load(ref),
    /** Writes a change down; `overtaken`: nothing was written, because the finding is not what the change starts from. */
    async recordChange(
      input: FindingRef & Pick<RecordedChange, 'state' | 'record' | 'dedupeKey' | 'keepsStatus' | 'restsAs'>,
    ): Promise<'overtaken' | undefined> {
      const { organisationId } = input;
      const { withdrawnFrom, isOvertaken } = await lifecycle.record(input);
      // Not heard, a session that has nothing left to verify only stays listed as running in the Temporal UI.
      const tell = (sessionId: string) => engine.caseWithdrawn({ organisationId, sessionId }).catch(() => undefined);
      await Promise.all(withdrawnFrom.map(tell));
      return isOvertaken ? 'overtaken' : undefined;
    },
    openLink: (input: FindingRef & { batchId: string | null; actor: Actor }) => lifecycle.openLink(input),
    settleAttempt: (input: { organisationId: string; linkId: string; attempt: number }) =>
      lifecycle.settleAttempt(input),
    nextAttempt: (input: { organisationId: string; linkId: string; attempt: number }) => lifecycle.nextAttempt(input),
  };
}

function sessionActivities({ db, engine }: ActivityDeps) {
  const { sessions } = db;
  return {
    startSession: (ref: SessionRef): Promise<{ ended: boolean } | undefined> => sessions.start(ref),
    cancelSession: (ref: SessionRef) => sessions.cancel(ref),
    settleSession: (ref: SessionRef) => sessions.settle(ref),
    storeVerdicts: (input: SessionRef & VerdictsInput) => sessions.storeVerdicts(input),
    /**
     * Signals each finding's lifecycle its verdict, a few at once. The next attempt goes on where the last one was; what
     * a lifecycle is told again it leaves out.
     */
    async deliverVerdicts({ organisationId, given }: SessionRef & { given: GivenToLifecycle[] }): Promise<void> {
      let told = Number(activityInfo().heartbeatDetails ?? 0);
      while (told < given.length) {
        cancellationSignal().throwIfAborted();
        const next = given.slice(told, told + inFlight);
        await Promise.all(
          next.map(async ({ findingId, ...verdict }) =>
            engine.verdictGiven(await db.findings.forStart(organisationId, findingId), verdict),
          ),
        );
        told += next.length;
        heartbeat(told);
      }
    },
  };
}

function pushActivities({ db, engine }: ActivityDeps) {
  return {
    /** For runs that carry their findings: hands one of them to its lifecycle and waits a while for the end. */
    async pushFinding(input: FindingRef & { batchId: string; actor: Actor }): Promise<void> {
      const { organisationId, findingId, batchId, actor } = input;
      const askId = await db.pushes.askId(batchId, findingId);
      if (askId === null) return;
      const beat = setInterval(() => heartbeat(), 5000);
      try {
        const finding = await db.findings.forStart(organisationId, findingId);
        const ended = await engine.push(finding, { askId, batchId, actor, waitMs: 30_000 });
        // Without an answer nobody knows whether the lifecycle took the request, so it is asked again: the same
        // question, as long as the item has no outcome. The lifecycle writes that itself.
        if (ended === null && (await db.pushes.askId(batchId, findingId)) !== null) {
          throw ApplicationFailure.create({
            type: 'PushUnderWay',
            message: 'The push has not ended yet.',
            category: 'BENIGN',
          });
        }
      } finally {
        clearInterval(beat);
      }
    },
  };
}
