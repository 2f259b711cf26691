// Updates as whoever waits for their end sees them: done, refused, or not done in time.

import { randomUUID } from 'node:crypto';
import { type Client, WorkflowNotFoundError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { NotDoneYet } from '../workflows/rules/not-done-yet';

/** How often an update may meet a run that is about to close. */
const mostClosings = 5;
/** So long it is asked whether an update was taken, in milliseconds. */
const takenMs = 2000;
/** `temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage`: what is accepted stands in the run's history. */
const ACCEPTED = 2;

/** Asking runs for updates; `callMs` is how long an answer is waited for. */
export function createUpdates({ client, callMs }: { client: Client; callMs: number }) {
  const within = <T>(ms: number, call: () => Promise<T>) => client.withDeadline(Date.now() + ms, call);

  /** An update with start. One that meets a run which is closing is refused, and asked again of the next run. */
  async function asking<T>(ms: number, call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await within(ms, call);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError) || tries === mostClosings) throw error;
      }
    }
  }

  /** The same for somebody who is told how it ended. Throws `NotDoneYet` where it was taken and not done in time. */
  async function telling<T>(workflowId: string, call: (updateId: string) => Promise<T>): Promise<T> {
    const updateId = randomUUID();
    try {
      return await asking(callMs, () => call(updateId));
    } catch (error) {
      if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
      if (!(await isTaken(workflowId, updateId))) throw error;
      throw new NotDoneYet(`${workflowId} has taken an update and not ended it in time.`, { cause: error });
    }
  }

  /** Whether the update stands in the history of a run. Without a worker it does not, and nobody knows what becomes of it. */
  async function isTaken(workflowId: string, updateId: string): Promise<boolean> {
    const { namespace } = client.options;
    const updateRef = { workflowExecution: { workflowId }, updateId };
    const asked = { namespace, updateRef, waitPolicy: { lifecycleStage: ACCEPTED } };
    try {
      const { stage } = await within(takenMs, () => client.workflowService.pollWorkflowExecutionUpdate(asked));
      return (stage ?? 0) >= ACCEPTED;
    } catch {
      return false;
    }
  }

  return { asking, telling };
}
