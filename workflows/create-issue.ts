import { ActivityFailure, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue, type Timings } from './contract';
import type { Actor, LinkedIssue } from './rules/lifecycle';

export type CreateInput = {
  organisationId: string;
  findingId: string;
  batchId: string | null;
  actor: Actor;
  timings: Timings;
};
export type CreateEnd = { outcome: 'created'; issue: LinkedIssue } | { outcome: 'refused' | 'failed'; reason: string };

const { openLink, settleAttempt, nextAttempt } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { findIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '2s', maximumInterval: '1m' },
  summary: 'Search Jira for the marker',
});

/**
 * Makes exactly one Jira issue for a finding, whatever dies on the way.
 * Jira has no idempotency key, so each attempt is sent at most once (a fence in PostgreSQL) and an attempt that may
 * have been sent without a clear answer is searched for by its marker before another one is allowed.
 */
export async function createIssueExactlyOnce(input: CreateInput): Promise<CreateEnd> {
  const { organisationId, findingId, batchId, actor, timings } = input;
  const opened = await openLink({ organisationId, findingId, batchId, actor });
  if (opened.kind === 'refused') return { outcome: 'refused', reason: opened.reason };
  if (opened.kind === 'linked') return { outcome: 'created', issue: opened.issue };
  const { linkId } = opened;
  let { attempt } = opened;
  let { resumed } = opened;
  for (let failures = 0; ; ) {
    // A run that takes over a push cannot know what its predecessor sent.
    const sent = resumed ? ambiguous : await sendOnce({ organisationId, linkId, attempt }, timings);
    resumed = false;
    if (sent.kind === 'created') return { outcome: 'created', issue: { linkId, key: sent.key } };
    if (sent.kind === 'refused') return { outcome: 'failed', reason: sent.reason };
    if (sent.kind === 'no_slot') {
      await pause(sent.waitMs, 'Wait for a slot of the connection');
      continue;
    }
    if (sent.kind === 'ambiguous') {
      const settled = await settleAttempt({ organisationId, linkId, attempt });
      if (settled.kind === 'linked') return { outcome: 'created', issue: settled.issue };
      if (settled.kind === 'sent') {
        const found = await search(input, linkId);
        if (found) return { outcome: 'created', issue: found };
      } else {
        failures += 1;
        await pause(backoffMs(failures), 'Try again');
      }
    } else {
      failures += 1;
      await pause(Math.max(sent.waitMs, backoffMs(failures)), 'Jira is not taking requests');
    }
    attempt = (await nextAttempt({ organisationId, linkId, attempt })).attempt;
  }
}

const ambiguous = { kind: 'ambiguous' as const };
type Sent = Awaited<ReturnType<Activities['createIssue']>>;

async function sendOnce(
  input: { organisationId: string; linkId: string; attempt: number },
  timings: Timings,
): Promise<Sent | typeof ambiguous> {
  const { createIssue } = proxyActivities<Activities>({
    taskQueue: jiraTaskQueue,
    startToCloseTimeout: timings.createTimeoutMs,
    // A retry by the engine could send twice: the loop above decides.
    retry: { maximumAttempts: 1 },
    summary: 'Create the Jira issue',
  });
  try {
    return await createIssue(input);
  } catch (error) {
    // The worker died, or answered too late: the issue may or may not exist.
    if (error instanceof ActivityFailure) return ambiguous;
    throw error;
  }
}

async function search({ organisationId, timings }: CreateInput, linkId: string): Promise<LinkedIssue | null> {
  const end = Date.now() + timings.searchWindowMs;
  for (;;) {
    // The index lags and flickers: one hit is enough, one miss proves nothing.
    const { issue } = await findIssue({ organisationId, linkId });
    if (issue) return issue;
    if (Date.now() >= end) return null;
    await pause(Math.max(timings.searchPauseMs, 1), 'Search Jira again for the marker');
  }
}

async function pause(ms: number, summary: string): Promise<void> {
  if (ms > 0) await sleep(ms, { summary });
}

function backoffMs(failures: number): number {
  return Math.min(1000 * 2 ** Math.min(failures, 8), 300_000);
}
