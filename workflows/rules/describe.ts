import type { LifecycleState } from './lifecycle';
import type { FindingStatus, PushStatus } from './vocabulary';

/** Each status in the words that people read, on cards, in lists and in the Temporal UI. */
export const statusWords: Record<FindingStatus, string> = {
  open: 'Open',
  awaiting_approval: 'Waiting for approval',
  pushing: 'Being pushed to Jira',
  push_failed: 'Push failed',
  awaiting_fix: 'Waiting for a fix',
  needs_rerun: 'Needs re-run',
  verified: 'Verified',
  resolved: 'Resolved',
  blocked: 'Blocked',
};

/** What is said of a finding whose issue is on a connection that was ended. */
export const notFollowedReason =
  'Its connection to Jira was disconnected: what happens to its issue there no longer counts. ' +
  'An admin can type "/recheck connect", connect the same site again and adopt its links.';

/** Markdown for the current details in the Temporal UI: where the finding stands and what it waits for. */
export function describeLifecycle(state: LifecycleState): string {
  const lines = [`**${statusWords[state.status]}**${state.issue ? ` - ${state.issue.key}` : ''}`];
  if (state.claim > 0) lines.push(`Claims so far: ${state.claim}`);
  if (state.reason) lines.push(state.reason);
  const waits = state.missing ? 'somebody to decide what becomes of it' : waitingFor[state.status];
  if (waits) lines.push(`Waits for: ${waits}`);
  return lines.join('\n\n');
}

/** The same of a push. */
export function describePush(status: PushStatus): string {
  return pushWords[status];
}

const pushWords: Record<PushStatus, string> = {
  awaiting_approval: '**Waits for approval**\n\nAn admin who did not ask for it has to approve it.',
  running: '**Being pushed**',
  completed: '**Completed**',
  cancelled: '**Cancelled**',
  rejected: '**Rejected**',
  expired: '**Expired**\n\nNobody approved it in time.',
};

const waitingFor: Partial<Record<FindingStatus, string>> = {
  awaiting_approval: 'an admin to approve its push',
  pushing: 'Jira to take the issue',
  push_failed: 'somebody to push it again',
  awaiting_fix: 'the issue to be marked Done in Jira',
  needs_rerun: 'a re-run session to give a verdict',
};
