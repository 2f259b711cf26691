import { ActivityFailure, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue, type PushLane, type Timings } from './contract';
import { refusalOf } from './jira-refusal';
import type { Actor, LinkedIssue } from './rules/lifecycle';
import { heldReason } from './rules/push-gate';

export type CreateInput = {
  organisationId: string;
  findingId: string;
  batchId: string | null;
  actor: Actor;
  lane?: PushLane | undefined;
  timings: Timings;
};
export type NoIssue = { outcome: 'refused' | 'failed' | 'held'; reason: string };
export type CreateEnd = { outcome: 'created'; issue: LinkedIssue } | NoIssue;

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
  const { organisationId, findingId, batchId, actor, lane, timings } = input;
  const opened = await openLink({ organisationId, findingId, batchId, actor });
  if (opened.kind === 'linked') return { outcome: 'created', issue: opened.issue };
  if (opened.kind !== 'opened') return { outcome: opened.kind, reason: opened.reason };
  const { linkId } = opened;
  let { attempt, resumed } = opened;
  for (let failures = 0; ; ) {
    // A run that takes over a push cannot know what its predecessor sent.
    const sent = resumed ? ambiguous : await sendOnce({ organisationId, linkId, attempt, lane }, timings);
    resumed = false;
    const end = clearEnd(sent, linkId);
    if (end) return end;
    // Without a slot nothing was sent, and the attempt stands.
    if (sent.kind === 'no_slot') {
      await pause(sent.waitMs, 'Wait for a slot of the connection');
      continue;
    }
    // Everything else takes a new one: at once after a search that found nothing, which has waited long enough,
    // otherwise after a pause.
    const lost = sent.kind === 'ambiguous' ? await lookFor({ organisationId, linkId, attempt }, timings) : null;
    if (lost?.end) return lost.end;
    if (!lost?.searched) {
      failures += 1;
      await pause(Math.max('waitMs' in sent ? sent.waitMs : 0, backoffMs(failures)), 'Try again');
    }
    attempt = (await nextAttempt({ organisationId, linkId, attempt })).attempt;
  }
}

function clearEnd(sent: Sent | typeof ambiguous, linkId: string): CreateEnd | null {
  if (sent.kind === 'created') return { outcome: 'created', issue: { linkId, key: sent.key } };
  if (sent.kind === 'held') return { outcome: 'held', reason: heldReason(sent.reason) };
  return sent.kind === 'refused' ? { outcome: 'failed', reason: sent.reason } : null;
}

type Attempt = { organisationId: string; linkId: string; attempt: number };

/** What became of an attempt without an answer; `searched` says that it was sent and stayed unfound. */
async function lookFor(attempt: Attempt, timings: Timings): Promise<{ end: CreateEnd | null; searched: boolean }> {
  const settled = await settleAttempt(attempt);
  if (settled.kind === 'linked') return { end: { outcome: 'created', issue: settled.issue }, searched: false };
  if (settled.kind === 'never_sent') return { end: null, searched: false };
  return { end: await search(attempt, timings), searched: true };
}

const ambiguous = { kind: 'ambiguous' as const };
type Sent = Awaited<ReturnType<Activities['createIssue']>>;

async function sendOnce(
  input: Attempt & { lane: PushLane | undefined },
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

/** However slowly Jira answers, so many searches must have come back empty before the window is over. */
const leastSearches = 5;

/** Null: the attempt made no issue. Where Jira refuses to search, the push ends, and its link waits to be searched for. */
async function search({ organisationId, linkId }: Attempt, timings: Timings): Promise<CreateEnd | null> {
  const { searchWindowMs, searchPauseMs } = timings;
  let since = 0;
  for (let misses = 1; ; misses += 1) {
    // The index lags and flickers: one hit is enough, one miss proves nothing.
    const found = await findOnce({ organisationId, linkId });
    if (found) return found;
    // Counted from the first answer: while Jira cannot search, nothing is proven, however long that takes.
    since ||= Date.now();
    if (searchWindowMs === 0 || (misses >= leastSearches && Date.now() >= since + searchWindowMs)) return null;
    await pause(Math.max(searchPauseMs, 1), 'Search Jira again for the marker');
  }
}

async function findOnce(link: { organisationId: string; linkId: string }): Promise<CreateEnd | null> {
  try {
    const { issue } = await findIssue(link);
    return issue && { outcome: 'created', issue };
  } catch (error) {
    const { kind, reason } = refusalOf(error);
    if (kind === 'held') return { outcome: 'held', reason: heldReason(reason) };
    return { outcome: kind === 'disconnected' ? 'refused' : 'failed', reason };
  }
}

async function pause(ms: number, summary: string): Promise<void> {
  if (ms > 0) await sleep(ms, { summary });
}

function backoffMs(failures: number): number {
  return Math.min(1000 * 2 ** Math.min(failures, 8), 300_000);
}
