import {
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import {
  jiraChangedSignal,
  jiraTaskQueue,
  type LifecycleInput,
  lifecycleStateQuery,
  linkUpdate,
  type PushResult,
  pushUpdate,
  searchAttributes,
  unlinkUpdate,
  verdictSignal,
} from './contract';
import { createIssueExactlyOnce } from './create-issue';
import { describeLifecycle } from './rules/describe';
import { type Effect, isSettled, type LifecycleEvent, newLifecycle, nextStep } from './rules/lifecycle';

const { loadLifecycle, recordChange } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { readIssue, reopenIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '60s',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});
const { commentOnIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '24h',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});

/**
 * One finding on its way through the loop: push, wait for Jira, flag the re-run, wait for the verdict, close or go
 * round again. Completes when nothing is left to wait for; a later change starts a new run from the stored state.
 */
export async function findingLifecycle(input: LifecycleInput) {
  const { organisationId, findingId, timings } = input;
  let state = newLifecycle;
  const inbox: LifecycleEvent[] = [];
  let issueChanged = false;
  let accepted = 0;
  let handled = 0;
  let records = 0;
  let lastPush: { batchId: string | null; failure: { outcome: 'refused' | 'failed'; reason: string } | null } | null =
    null;

  // Handlers only put messages in the inbox: one loop handles them one at a time.
  const enqueue = (event: LifecycleEvent) => {
    inbox.push(event);
    accepted += 1;
    return accepted;
  };
  setHandler(pushUpdate, async ({ batchId, actor }): Promise<PushResult> => {
    const ticket = enqueue({ type: 'push_asked', actor, batchId });
    await condition(() => handled >= ticket && state.status !== 'pushing');
    if (!state.issue) return lastPush?.failure ?? { outcome: 'failed', reason: 'The push ended without an issue.' };
    return { outcome: lastPush?.batchId === batchId ? 'created' : 'reused', jiraKey: state.issue.key };
  });
  setHandler(linkUpdate, async ({ linkId, key, actor }) => {
    const ticket = enqueue({ type: 'link_asked', actor, linkId, key });
    await condition(() => handled >= ticket);
    return state;
  });
  setHandler(unlinkUpdate, async ({ actor }) => {
    const ticket = enqueue({ type: 'unlink_asked', actor });
    await condition(() => handled >= ticket);
    return state;
  });
  setHandler(verdictSignal, (given) => {
    enqueue({ type: 'verdict_given', ...given });
  });
  setHandler(jiraChangedSignal, () => {
    issueChanged = true;
  });
  setHandler(lifecycleStateQuery, () => state);

  async function handle(event: LifecycleEvent): Promise<void> {
    const before = state;
    const step = nextStep(state, event);
    state = step.state;
    if (event.type === 'push_ended' && lastPush) {
      lastPush.failure = event.outcome === 'created' ? null : { outcome: event.outcome, reason: event.reason };
    }
    for (const effect of step.effects) await perform(effect);
    if (before.status !== state.status || before.issue?.key !== state.issue?.key) showInUi();
  }

  async function perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'record': {
        const { type: _, ...record } = effect;
        records += 1;
        const dedupeKey = `${workflowInfo().runId}:${records}`;
        if (record.items?.outcome === 'created' && lastPush?.batchId) record.items.batchId = lastPush.batchId;
        return await recordChange({ organisationId, findingId, state, record, dedupeKey });
      }
      case 'create_issue': {
        lastPush = { batchId: effect.batchId, failure: null };
        showInUi();
        const end = await createIssueExactlyOnce({ ...effect, organisationId, findingId, timings });
        return await handle({ type: 'push_ended', ...end });
      }
      case 'comment':
        return await commentOnIssue.executeWithOptions({ summary: `Comment: ${effect.verdict}` }, [
          { organisationId, findingId, ...effect },
        ]);
      case 'reopen_issue': {
        const end = await reopenIssue.executeWithOptions({ summary: 'Reopen the issue' }, [
          { organisationId, findingId, ...effect },
        ]);
        return await handle({ type: 'issue_reopened', ...end });
      }
    }
  }

  async function settleAndRead(): Promise<void> {
    // People move to Done first and set the resolution a moment later, so Jira's word is read when it has settled.
    const { settleMs } = timings;
    if (settleMs > 0 && (await condition(() => inbox.length > 0, settleMs, { summary: 'Let the issue settle' })))
      return;
    issueChanged = false;
    if (!state.issue) return;
    const reading = await readIssue.executeWithOptions({ summary: `Read ${state.issue.key}` }, [
      { organisationId, findingId, linkId: state.issue.linkId },
    ]);
    await handle({ type: 'issue_read', ...reading });
  }

  function showInUi(): void {
    upsertSearchAttributes([
      { key: searchAttributes.status, value: state.status },
      ...(state.issue ? [{ key: searchAttributes.jiraKey, value: state.issue.key }] : []),
    ]);
    setCurrentDetails(describeLifecycle(state));
  }

  state = await loadLifecycle({ organisationId, findingId });
  if (state.status === 'pushing') await perform({ type: 'create_issue', actor: { kind: 'recheck' }, batchId: null });
  const idle = () => inbox.length === 0 && !issueChanged;
  for (;;) {
    if (idle() && isSettled(state) && allHandlersFinished()) return state;
    await condition(() => !idle() || (isSettled(state) && allHandlersFinished()));
    const event = inbox.shift();
    if (event) {
      await handle(event);
      handled += 1;
    } else if (issueChanged) await settleAndRead();
  }
}
