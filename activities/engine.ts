// Talking to the workflows from outside: the worker's activities and the API process both do it through here.

import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  cancelSessionUpdate,
  jiraChangedSignal,
  lifecycleStart,
  linkUpdate,
  type MissingInput,
  missingDecidedUpdate,
  type PushBatchInput,
  type PushResult,
  pushUpdate,
  pushWorkflowId,
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
import type { Actor, VerdictGiven } from '../workflows/rules/lifecycle';
import {
  type ConnectionRef,
  type SyncInput,
  type SyncReason,
  syncSignal,
  syncWorkflowId,
} from '../workflows/sync-contract';
import { createSchedules } from './schedules';

export type StartedFinding = Parameters<typeof lifecycleStart>[0];
type SessionStart = { organisationId: string; sessionId: string };

export type Engine = ReturnType<typeof createEngine>;

/** The engine's calls in the words of the product. `callMs` bounds every call; Temporal being away is an error then. */
export function createEngine({
  client,
  timings,
  sync = { pollMs: 3_600_000, maintenanceMs: 900_000 },
  callMs = 10_000,
}: {
  client: Client;
  timings: Timings;
  /** How often connections are polled and looked after, in milliseconds. */
  sync?: { pollMs: number; maintenanceMs: number };
  callMs?: number;
}) {
  // Until a marker that is not found counts as not there, Jira's search index may run behind.
  const indexLagMs = timings.searchWindowMs;
  const schedules = createSchedules({ client, settings: { ...sync, indexLagMs } });
  const within = <T>(ms: number, call: () => Promise<T>) => client.withDeadline(Date.now() + ms, call);

  function operation(finding: StartedFinding) {
    // Used once: the SDK refuses a second use.
    return new WithStartWorkflowOperation('findingLifecycle', {
      ...lifecycleStart(finding, timings),
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
  }

  const sessionHandle = (session: SessionStart) => client.workflow.getHandle(sessionWorkflowId(session.sessionId));

  async function inSession<T>(session: SessionStart, act: () => Promise<T>): Promise<T> {
    await ensureSession(session);
    return await within(callMs, act);
  }

  async function ensureSession({ organisationId, sessionId }: SessionStart): Promise<void> {
    await within(callMs, () =>
      client.workflow.start('rerunSession', {
        workflowId: sessionWorkflowId(sessionId),
        taskQueue,
        args: [{ organisationId, sessionId }],
        workflowIdConflictPolicy: 'USE_EXISTING',
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
      ask: { askId: string; batchId: string; actor: Actor; waitMs: number },
    ): Promise<PushResult | null> {
      const { askId, batchId, actor, waitMs } = ask;
      try {
        return await within(waitMs, () =>
          client.workflow.executeUpdateWithStart(pushUpdate, {
            updateId: askId,
            args: [{ batchId, actor }],
            startWorkflowOperation: operation(finding),
          }),
        );
      } catch (error) {
        if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return null;
        throw error;
      }
    },

    /** Runs a push of several findings in the background. Asked again for the same push, it joins the run. */
    async pushBatch(input: PushBatchInput): Promise<void> {
      try {
        await within(callMs, () =>
          client.workflow.start('pushBatch', {
            workflowId: pushWorkflowId(input.batchId),
            taskQueue,
            args: [input],
            staticSummary: `Push of ${input.findingIds.length} findings`,
          }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },

    async link(finding: StartedFinding, input: { linkId: string; key: string; actor: Actor }): Promise<void> {
      await within(callMs, () =>
        client.workflow.executeUpdateWithStart(linkUpdate, {
          args: [input],
          startWorkflowOperation: operation(finding),
        }),
      );
    },

    async unlink(finding: StartedFinding, actor: Actor): Promise<void> {
      await within(callMs, () =>
        client.workflow.executeUpdateWithStart(unlinkUpdate, {
          args: [{ actor }],
          startWorkflowOperation: operation(finding),
        }),
      );
    },

    /** Somebody decided what becomes of a finding whose issue was deleted in Jira. */
    async missingDecided(finding: StartedFinding, input: MissingInput): Promise<void> {
      await within(callMs, () =>
        client.workflow.executeUpdateWithStart(missingDecidedUpdate, {
          args: [input],
          startWorkflowOperation: operation(finding),
        }),
      );
    },

    /** Something changed in Jira: the lifecycle goes and reads. */
    async jiraChanged(finding: StartedFinding): Promise<void> {
      const start = lifecycleStart(finding, timings);
      await within(callMs, () =>
        client.workflow.signalWithStart('findingLifecycle', { ...start, signal: jiraChangedSignal, signalArgs: [] }),
      );
    },

    async verdictGiven(finding: StartedFinding, verdict: VerdictGiven): Promise<void> {
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

    ensureSession,
    startSession: (session: SessionStart) =>
      inSession(session, () => sessionHandle(session).executeUpdate(startSessionUpdate)),
    cancelSession: (session: SessionStart) =>
      inSession(session, () => sessionHandle(session).executeUpdate(cancelSessionUpdate)),
    verdicts: (session: SessionStart, given: VerdictsInput) =>
      inSession(session, () => sessionHandle(session).executeUpdate(verdictsUpdate, { args: [given] })),

    /** Whether Temporal answers now. */
    async isUp(): Promise<boolean> {
      try {
        await client.connection.withDeadline(Date.now() + 2000, () =>
          client.connection.workflowService.getSystemInfo({}),
        );
        return true;
      } catch {
        return false;
      }
    },
  };
}
