import type { Db } from '../prisma/client';
import type { Step } from '../workflows/sync-contract';
import { JiraError, toActivityFailure } from './jira/errors';

/** Where Jira does not say how long a rate limit lasts. */
const WAIT_MS = 30_000;

/**
 * Does a step that calls Jira: a rate limit is answered as a wait (milliseconds), which the workflow spends in a timer
 * and which holds up every other call of the connection too; other failures are noted on the connection and thrown as
 * activity failures, final where a retry cannot change them.
 */
export async function jiraStep<T>(
  { db, connectionId }: { db: Pick<Db, 'connections'>; connectionId: string },
  work: () => Promise<T>,
): Promise<Step<T>> {
  const blockedMs = await db.connections.blockedMs(connectionId);
  if (blockedMs > 0) return { kind: 'wait', waitMs: blockedMs };
  try {
    return { kind: 'done', ...(await work()) };
  } catch (error) {
    if (!(error instanceof JiraError)) throw error;
    if (error.kind === 'rate-limited') {
      const waitMs = error.retryAfterMs ?? WAIT_MS;
      await db.connections.block(connectionId, waitMs);
      return { kind: 'wait', waitMs };
    }
    // Shown while the step is tried again; what ends the sync is noted by the workflow.
    if (error.kind === 'unavailable') await db.connections.notePoll({ id: connectionId, error: error.message });
    throw toActivityFailure(error);
  }
}
