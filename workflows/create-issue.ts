import { ActivityFailure, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { backOff } from './backoff';
import { jiraTaskQueue, type Timings } from './contract';
import { type Attempt, findLostIssue } from './find-lost-issue';
import type { Actor, LinkedIssue } from './rules/lifecycle';
import { heldReason } from './rules/push-gate';
import type { PushLane } from './rules/vocabulary';

export type CreateInput = {
  organisationId: string;
  findingId: string;
  batchId: string | null;
  actor: Actor;
  lane?: PushLane | undefined;
  timings: Timings;
};
export type NoIssue = { outcome: 'refused' | 'failed' | 'held'; reason: string; cancelled?: true };
export type CreateEnd = { outcome: 'created'; issue: LinkedIssue } | NoIssue;

const { openLink, nextAttempt } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});

/**
 * Makes exactly one Jira issue for a finding, whatever dies on the way. Jira has no idempotency key, so each attempt is
 * sent at most once: just before the request, an update in PostgreSQL (the fence) marks it as sent. The fence lets an
 * attempt pass once, and never when a later one has replaced it: what was given up is not sent late. After an attempt
 * without a clear answer, Jira is searched for the marker, a word in the issue's labels or description, before
 * the next one is sent. It rests on one thing: within `searchWindowMs`, Jira's index shows an issue that exists.
 */
export async function createIssueExactlyOnce(input: CreateInput): Promise<CreateEnd> {
  const { organisationId, findingId, batchId, actor } = input;
  // Asks the push gate and opens the link in one transaction; `resumed`: an earlier run had opened it already.
  const opened = await openLink({ organisationId, findingId, batchId, actor });
  if (opened.kind === 'linked') return { outcome: 'created', issue: opened.issue }; // An earlier run made it.
  if (opened.kind !== 'opened') {
    const { kind: outcome, ...why } = opened;
    return { outcome, ...why }; // Refused or held by the gate, or cancelled meanwhile.
  }

  const { linkId } = opened;
  let attempt: Attempt = { organisationId, linkId, attempt: opened.attempt };
  // A run that takes over cannot know what its predecessor sent.
  let answer = opened.resumed ? ambiguous : await send(attempt, input);
  for (;;) {
    switch (answer.kind) {
      case 'created':
        return { outcome: 'created', issue: { linkId, key: answer.key } };
      case 'refused': // By Jira: the push failed, and the activity has closed the link.
        return { outcome: 'failed', reason: answer.reason };
      case 'held': // Jira no longer takes the credentials. The link stays for the push after the reconnect.
        return { outcome: 'held', reason: heldReason(answer.reason) };
      case 'no_slot': // Not sent, and not at the fence yet: its turn on the connection has not come.
        await pause(answer.waitMs, 'Wait for a slot of the connection');
        break;
      case 'not_executed': // Rate limited, or nobody there.
        await backOff(attempt.attempt, answer.waitMs);
        break;
      case 'ambiguous': {
        // Perhaps sent: the worker died, the answer was lost, or an earlier run made this attempt.
        const end = await findLostIssue(attempt, input.timings);
        if (end) return end;
        break; // It made no issue; the next attempt, opened below, fences it off.
      }
    }
    // After `no_slot` the same attempt goes on.
    if (answer.kind !== 'no_slot') attempt = { ...attempt, ...(await nextAttempt(attempt)) };
    answer = await send(attempt, input);
  }
}

type Answer = Awaited<ReturnType<Activities['createIssue']>>;
const ambiguous: Answer = { kind: 'ambiguous' };

async function send(attempt: Attempt, { lane, timings }: CreateInput): Promise<Answer> {
  const { createIssue } = proxyActivities<Activities>({
    taskQueue: jiraTaskQueue,
    startToCloseTimeout: timings.createTimeoutMs,
    // A retry by the engine could send twice: the loop above decides.
    retry: { maximumAttempts: 1 },
    summary: 'Create the Jira issue',
  });
  try {
    return await createIssue({ ...attempt, lane });
  } catch (error) {
    // The worker died, or answered too late: the issue may or may not exist.
    if (error instanceof ActivityFailure) return ambiguous;
    throw error;
  }
}

async function pause(ms: number, summary: string): Promise<void> {
  if (ms > 0) await sleep(ms, { summary });
}
