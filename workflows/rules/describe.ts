import type { LifecycleState } from './lifecycle';
import type { FindingStatus } from './vocabulary';

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

/** Markdown for the current details in the Temporal UI: where the finding stands and what it waits for. */
export function describeLifecycle(state: LifecycleState): string {
  const lines = [`**${statusWords[state.status]}**${state.issue ? ` - ${state.issue.key}` : ''}`];
  if (state.claim > 0) lines.push(`Claims so far: ${state.claim}`);
  if (state.reason) lines.push(state.reason);
  const waits = state.missing ? 'somebody to decide what becomes of it' : waitingFor[state.status];
  if (waits) lines.push(`Waits for: ${waits}`);
  return lines.join('\n\n');
}

const waitingFor: Partial<Record<FindingStatus, string>> = {
  pushing: 'Jira to take the issue',
  push_failed: 'somebody to push it again',
  awaiting_fix: 'the issue to be marked Done in Jira',
  needs_rerun: 'a re-run session to give a verdict',
};
