// Talking to the workflows from outside: the worker's activities and the API process both do it through here.

import { randomUUID } from 'node:crypto';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import {
  type ApprovalSaid,
  type ApprovalTimings,
  approvalSignal,
  approveUpdate,
  cancelPushUpdate,
  cancelSessionUpdate,
  caseWithdrawnSignal,
  type DecidedPush,
  type DecisionInput,
  type GroupedIssuesInput,
  groupedIssuesWorkflowId,
  jiraChangedSignal,
  lifecycleStart,
  lifecycleWorkflowId,
  linkUpdate,
  type MissingInput,
  missingDecidedUpdate,
  type PushBatchInput,
  type PushResult,
  pushUpdate,
  pushWorkflowId,
  rejectUpdate,
  resumePushSignal,
  searchAttributes,
  sessionWorkflowId,
  startSessionUpdate,
  type Timings,
  taskQueue,
  unlinkUpdate,
  type VerdictsInput,
  verdictSignal,
  verdictsUpdate,
} from '../workflows/contract';
import type { Actor, ClaimVerdict } from '../workflows/rules/lifecycle';
import { NotDoneYet } from '../workflows/rules/not-done-yet';
import type { PushLane } from '../workflows/rules/vocabulary';
import {
  type ConnectionRef,
  type SyncInput,
  type SyncReason,
  syncSignal,
  syncWorkflowId,
} from '../workflows/sync-contract';
import { createUpdates } from './engine-updates';
import { createEvidenceStart } from './evidence-start';
import { createSchedules } from './schedules';

export type StartedFinding = Parameters<typeof lifecycleStart>[0];
type SessionStart = { organisationId: string; sessionId: string };

const decisionUpdates = { approve: approveUpdate, reject: rejectUpdate, cancel: cancelPushUpdate } as const;

export type Engine = ReturnType<typeof createEngine>;

/** The engine's calls in the words of the product. `callMs` bounds every call; Temporal being away is an error then. */
export function createEngine({
  client,
  timings,
  sync = { pollMs: 3_600_000, maintenanceMs: 900_000 },
  approval = { remindMs: 86_400_000, expireMs: 604_800_000 },
  callMs = 10_000,
}: {
  client: Client;
  timings: Timings;
  /** How often connections are polled and looked after, in milliseconds. */
  sync?: { pollMs: number; maintenanceMs: number };
  approval?: ApprovalTimings;
  callMs?: number;
}) {
  // Until a marker that is not found counts as not there, Jira's search index may run behind.
  const indexLagMs = timings.searchWindowMs;
  const schedules = createSchedules({ client, settings: { ...sync, indexLagMs } });
  const within = <T>(ms: number, call: () => Promise<T>) => client.withDeadline(Date.now() + ms, call);
  const { asking, telling } = createUpdates({ client, callMs });

  function operation(finding: StartedFinding) {
    // Used once: the SDK refuses a second use.
    return new WithStartWorkflowOperation('findingLifecycle', {
      ...lifecycleStart(finding, timings),
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
  }

  /** Asks a finding's lifecycle, starting it where none runs. */
  async function inLifecycle<Ret, Args extends unknown[]>(
    finding: StartedFinding,
    update: UpdateDefinition<Ret, Args>,
    ...args: Args
  ): Promise<Ret> {
    return await telling(lifecycleWorkflowId(finding.findingId), (updateId) =>
      client.workflow.executeUpdateWithStart(update, { updateId, args, startWorkflowOperation: operation(finding) }),
    );
  }

  /** Something changed in Jira: the lifecycle goes and reads. */
  async function jiraChanged(finding: StartedFinding): Promise<void> {
    const start = lifecycleStart(finding, timings);
    await within(callMs, () =>
      client.workflow.signalWithStart('findingLifecycle', { ...start, signal: jiraChangedSignal, signalArgs: [] }),
    );
  }

  const pushStart = (input: PushBatchInput) => ({
    workflowId: pushWorkflowId(input.batchId),
    taskQueue,
    args: [{ ...input, approval }] as [PushBatchInput],
    staticSummary: 'Push to Jira',
    typedSearchAttributes: [{ key: searchAttributes.organisation, value: input.organisationId }],
  });

  const sessionStart = (session: SessionStart) => ({
    workflowId: sessionWorkflowId(session.sessionId),
    taskQueue,
    args: [session] as [SessionStart],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
  });

  /** Once a run was there none is started: nothing would end that of a session which has ended meanwhile. */
  async function ensureSession({ organisationId, sessionId }: SessionStart): Promise<void> {
    const start = {
      ...sessionStart({ organisationId, sessionId }),
      workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    };
    try {
      await within(callMs, () => client.workflow.start('rerunSession', start));
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async function inSession<Args extends unknown[]>(
    { organisationId, sessionId }: SessionStart,
    update: UpdateDefinition<void, Args>,
    ...args: Args
  ): Promise<void> {
    await telling(sessionWorkflowId(sessionId), (updateId) =>
      client.workflow.executeUpdateWithStart(update, {
        updateId,
        args,
        startWorkflowOperation: new WithStartWorkflowOperation(
          'rerunSession',
          sessionStart({ organisationId, sessionId }),
        ),
      }),
    );
  }

  return {
    /**
     * Asks a finding's lifecycle for a push, starting it where none runs. Answers how it ended, or null when it had
     * not within `waitMs`. `askId` is the update's id: asked again with it, it is the same question.
     */
    async push(
      finding: StartedFinding,
      ask: { askId: string; batchId: string; actor: Actor; waitMs: number; lane?: PushLane },
    ): Promise<PushResult | null> {
      const { askId, batchId, actor, waitMs, lane } = ask;
      try {
        return await asking(waitMs, () =>
          client.workflow.executeUpdateWithStart(pushUpdate, {
            updateId: askId,
            args: [{ batchId, actor, ...(lane ? { lane } : {}) }],
            startWorkflowOperation: operation(finding),
          }),
        );
      } catch (error) {
        if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return null;
        throw error;
      }
    },

    /** Runs a push in the background, its approval first where it waits for one; false where it ran already. */
    async pushBatch(input: PushBatchInput): Promise<boolean> {
      try {
        await within(callMs, () => client.workflow.start('pushBatch', pushStart(input)));
        return true;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return false;
      }
    },

    /** The same for a push of which items wait again: a run that is about to end takes them up. */
    async resumePush(input: PushBatchInput): Promise<void> {
      await within(callMs, () =>
        client.workflow.signalWithStart('pushBatch', {
          ...pushStart(input),
          signal: resumePushSignal,
          signalArgs: [],
        }),
      );
    },

    /** Decides about a push that waits for approval; answers how it stands then. */
    async decidePush(
      input: PushBatchInput,
      decision: 'approve' | 'reject' | 'cancel',
      given: DecisionInput,
    ): Promise<DecidedPush> {
      return await telling(pushWorkflowId(input.batchId), (updateId) =>
        client.workflow.executeUpdateWithStart(decisionUpdates[decision], {
          updateId,
          args: [given],
          startWorkflowOperation: new WithStartWorkflowOperation('pushBatch', {
            ...pushStart(input),
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        }),
      );
    },

    /** Tells a finding's lifecycle about the approval of its push, starting it where none runs. */
    async approvalSaid(finding: StartedFinding, said: ApprovalSaid): Promise<void> {
      const start = lifecycleStart(finding, timings);
      await within(callMs, () =>
        client.workflow.signalWithStart('findingLifecycle', { ...start, signal: approvalSignal, signalArgs: [said] }),
      );
    },

    async link(finding: StartedFinding, input: { linkId: string; key: string; actor: Actor }): Promise<void> {
      try {
        await inLifecycle(finding, linkUpdate, input);
      } catch (error) {
        // Whoever asked has the issue read next, and is not there any more when it is linked.
        if (error instanceof NotDoneYet) await jiraChanged(finding);
        throw error;
      }
    },

    async unlink(finding: StartedFinding, actor: Actor): Promise<void> {
      await inLifecycle(finding, unlinkUpdate, { actor });
    },

    /** Somebody decided what becomes of a finding whose issue was deleted in Jira; answers whether that decision counts. */
    async missingDecided(finding: StartedFinding, input: MissingInput): Promise<boolean> {
      const askId = randomUUID();
      const { decidedBy } = await inLifecycle(finding, missingDecidedUpdate, { ...input, askId });
      return decidedBy === askId;
    },

    jiraChanged,

    /** Has issues told which places of their findings came and went by a report; once per report. */
    async updateGroupedIssues(input: GroupedIssuesInput): Promise<void> {
      try {
        await within(callMs, () =>
          client.workflow.start('groupedIssues', {
            workflowId: groupedIssuesWorkflowId(input.reportId),
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            taskQueue,
            args: [input],
            staticSummary: `Places of ${input.changed.length} findings changed`,
            typedSearchAttributes: [{ key: searchAttributes.organisation, value: input.organisationId }],
          }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },

    async verdictGiven(finding: StartedFinding, verdict: ClaimVerdict): Promise<void> {
      const start = lifecycleStart(finding, timings);
      await within(callMs, () =>
        client.workflow.signalWithStart('findingLifecycle', { ...start, signal: verdictSignal, signalArgs: [verdict] }),
      );
    },

    /**
     * Has a connection brought up to date; a sync that is under way takes the reason up. `restored`, `asked` and
     * `connected` look at everything that is tracked, `routing` only sees to the webhook and the poll's schedule, and
     * `hint` says that something changed and not what.
     */
    async syncConnection({ reason, ...connection }: ConnectionRef & { reason: SyncReason }): Promise<void> {
      const args: [SyncInput] = [{ ...connection, reasons: [], indexLagMs }];
      await within(callMs, () =>
        client.workflow.signalWithStart('connectionSync', {
          workflowId: syncWorkflowId(connection.connectionId),
          taskQueue,
          args,
          signal: syncSignal,
          signalArgs: [reason],
          staticSummary: 'Sync of a Jira connection',
          typedSearchAttributes: [{ key: searchAttributes.organisation, value: connection.organisationId }],
        }),
      );
    },

    ...schedules,
    ...createEvidenceStart({ client, call: (work) => within(callMs, work) }),

    ensureSession,
    startSession: (session: SessionStart) => inSession(session, startSessionUpdate),
    cancelSession: (session: SessionStart) => inSession(session, cancelSessionUpdate),
    /** Has a session look whether anything is left to verify. */
    caseWithdrawn: (session: SessionStart): Promise<void> =>
      within(callMs, () => client.workflow.getHandle(sessionWorkflowId(session.sessionId)).signal(caseWithdrawnSignal)),
    verdicts: (session: SessionStart, given: VerdictsInput) => inSession(session, verdictsUpdate, given),
  };
}
