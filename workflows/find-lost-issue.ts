// What became of an attempt to create an issue that nobody knows the answer of.

import { proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { backOff } from './backoff';
import { jiraTaskQueue, type Timings } from './contract';
import type { CreateEnd } from './create-issue';
import { refusalOf } from './jira-refusal';
import { heldReason } from './rules/push-gate';

export type Attempt = { organisationId: string; linkId: string; attempt: number };
const { settleAttempt } = proxyLocalActivities<Activities>({ startToCloseTimeout: '10s', summary: 'PostgreSQL' });
const { findIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '2s', maximumInterval: '1m' },
  summary: 'Search Jira for the marker',
});

/** However slowly Jira answers, so many searches must have come back empty before the window is over. */
const leastSearches = 5;

/**
 * Searches Jira for the marker of the issue that an attempt may have made, until the search window is over. An attempt
 * that was not sent yet is burnt, so that it never will be. Null: the attempt made no issue, and the next one may be
 * sent at once. Where Jira refuses to search, the push ends, and its link waits to be searched for.
 */
export async function findLostIssue(attempt: Attempt, timings: Timings): Promise<CreateEnd | null> {
  const settled = await settleAttempt(attempt);
  if (settled.kind === 'linked') return { outcome: 'created', issue: settled.issue };
  if (settled.kind === 'never_sent') {
    await backOff(attempt.attempt);
    return null;
  }
  const { organisationId, linkId } = attempt;
  const { searchWindowMs, searchPauseMs } = timings;
  let since = 0;
  for (let misses = 1; ; misses += 1) {
    // The index lags and flickers: one hit is enough, one miss proves nothing.
    const found = await search({ organisationId, linkId });
    if (found) return found;
    // Counted from the first answer: while Jira cannot search, nothing is proven, however long that takes.
    since ||= Date.now();
    const isOver = searchWindowMs === 0 || (misses >= leastSearches && Date.now() >= since + searchWindowMs);
    if (isOver) return null;
    await sleep(Math.max(searchPauseMs, 1), { summary: 'Search Jira again for the marker' });
  }
}

async function search(link: { organisationId: string; linkId: string }): Promise<CreateEnd | null> {
  try {
    const { issue } = await findIssue(link);
    return issue && { outcome: 'created', issue };
  } catch (error) {
    const { kind, reason } = refusalOf(error);
    if (kind === 'held') return { outcome: 'held', reason: heldReason(reason) };
    return { outcome: kind === 'disconnected' ? 'refused' : 'failed', reason };
  }
}
