import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';

/**
 * Why an activity that calls Jira ended. `held`: the credentials are dead, so that it works again after a reconnect;
 * `unanswered`: its time was over before Jira could be asked with success; `disconnected`: somebody disconnected the site;
 * `final`: trying again changes nothing.
 */
export type JiraRefusal = { kind: 'held' | 'unanswered' | 'disconnected' | 'final'; reason: string };

/** Reads the refusal off an activity's failure; throws everything else on, cancellation included. */
export function refusalOf(error: unknown): JiraRefusal {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  const { cause } = error;
  if (error.retryState === 'TIMEOUT' || cause instanceof TimeoutFailure) {
    const isJiras = cause instanceof ApplicationFailure && cause.type?.startsWith('Jira');
    return { kind: 'unanswered', reason: isJiras ? cause.message : 'Jira was not reached in time.' };
  }
  const reason = cause?.message ?? error.message;
  if (!(cause instanceof ApplicationFailure) || !['JiraAuth', 'JiraScope'].includes(cause.type ?? '')) {
    return { kind: 'final', reason };
  }
  const told = cause.details?.[0] as { reason?: unknown } | null | undefined;
  return { kind: told?.reason === 'disconnected' ? 'disconnected' : 'held', reason };
}
