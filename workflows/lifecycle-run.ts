import {
  ActivityFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue, type LifecycleInput, type PushResult, searchAttributes } from './contract';
import { createIssueExactlyOnce } from './create-issue';
import { describeLifecycle } from './rules/describe';
import {
  type Effect,
  isSettled,
  type LifecycleEvent,
  type LifecycleState,
  newLifecycle,
  nextStep,
} from './rules/lifecycle';

const { loadLifecycle, recordChange } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { readIssue, reopenIssue, commentOnIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '60s',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});

export type LifecycleRun = ReturnType<typeof createLifecycleRun>;

/**
 * The state of one run and the effects of its changes: what the reducer decides is done here, one thing after the
 * other, and shown in the Temporal UI.
 */
export function createLifecycleRun({ organisationId, findingId, timings }: LifecycleInput) {
  let state = newLifecycle;
  let recordedStatus = state.status;
  let records = 0;
  let shown = '';
  let push: { batchId: string | null; failure: { outcome: 'refused' | 'failed'; reason: string } | null } | null = null;

  async function handle(event: LifecycleEvent): Promise<void> {
    // A settled finding belongs to ingest again, which may have reopened it while this run was finishing.
    if (event.type === 'push_asked' && state.issue && isSettled(state)) {
      state = await loadLifecycle({ organisationId, findingId });
    }
    const step = nextStep(state, event);
    recordedStatus = state.status;
    state = step.state;
    if (event.type === 'push_ended' && event.outcome !== 'created' && push) {
      push.failure = { outcome: event.outcome, reason: event.reason };
    }
    for (const effect of step.effects) await perform(effect);
  }

  async function perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'record':
        return await record(effect);
      case 'create_issue':
        return await createIssue(effect);
      case 'comment':
        return await comment(effect);
      case 'reopen_issue':
        return await reopen(effect);
    }
  }

  async function record({ type: _, ...change }: Extract<Effect, { type: 'record' }>): Promise<void> {
    records += 1;
    const dedupeKey = `${workflowInfo().runId}:${records}`;
    if (change.items?.outcome === 'created' && push?.batchId) change.items.batchId = push.batchId;
    const keepsStatus = state.status === recordedStatus;
    await recordChange({ organisationId, findingId, state, record: change, dedupeKey, keepsStatus });
    recordedStatus = state.status;
    showInUi();
  }

  async function createIssue({ batchId, actor }: Extract<Effect, { type: 'create_issue' }>): Promise<void> {
    push = { batchId, failure: null };
    showInUi();
    const end = await createIssueExactlyOnce({ batchId, actor, organisationId, findingId, timings });
    await handle({ type: 'push_ended', ...end });
  }

  async function comment(effect: Extract<Effect, { type: 'comment' }>): Promise<void> {
    const { verdict, sessionId, claim } = effect;
    const linkId = state.issue?.linkId ?? '';
    // The verdict stands without its comment; that it is missing is written down.
    await orNote(
      () =>
        commentOnIssue.executeWithOptions({ summary: `Comment: ${verdict}`, scheduleToCloseTimeout: '24h' }, [
          { organisationId, findingId, linkId, sessionId, claim, verdict },
        ]),
      noteAs('comment_failed'),
    );
  }

  async function reopen({ sessionId, claim }: Extract<Effect, { type: 'reopen_issue' }>): Promise<void> {
    const input = { organisationId, findingId, linkId: state.issue?.linkId ?? '', sessionId, claim };
    const end = await orNote(
      () => reopenIssue.executeWithOptions({ summary: 'Reopen the issue' }, [input]),
      noteAs('reopen_failed'),
    );
    if (end) await handle({ type: 'issue_reopened', ...end });
  }

  const noteAs = (event: string) => (detail: string) =>
    record({ type: 'record', event, actor: { kind: 'recheck' }, detail });

  function showInUi(): void {
    const now = `${state.status} ${state.issue?.key}`;
    if (now !== shown) showState(state);
    shown = now;
  }

  return {
    state: (): LifecycleState => state,
    handle,

    /** Takes the state from the finding's row, and goes on with a push that an earlier run left in the middle. */
    async load(): Promise<void> {
      state = await loadLifecycle({ organisationId, findingId });
      if (state.status === 'pushing') {
        await createIssue({ type: 'create_issue', actor: { kind: 'recheck' }, batchId: null });
      }
    },

    /** Reads what the issue says now, and lets that count. */
    async readIssue(): Promise<void> {
      if (!state.issue) return;
      const { linkId, key } = state.issue;
      const reading = await orNote(
        () => readIssue.executeWithOptions({ summary: `Read ${key}` }, [{ organisationId, findingId, linkId }]),
        noteAs('read_failed'),
      );
      if (reading) await handle({ type: 'issue_read', ...reading });
    },

    /** What the push with this id is answered. */
    pushResult(batchId: string): PushResult {
      if (!state.issue) return push?.failure ?? { outcome: 'failed', reason: 'The push ended without an issue.' };
      return { outcome: push?.batchId === batchId ? 'created' : 'reused', jiraKey: state.issue.key };
    },
  };
}

/** For the Temporal UI: what operators filter by, and what they read. */
function showState(state: LifecycleState): void {
  upsertSearchAttributes([
    { key: searchAttributes.status, value: state.status },
    ...(state.issue ? [{ key: searchAttributes.jiraKey, value: state.issue.key }] : []),
  ]);
  setCurrentDetails(describeLifecycle(state));
}

/** What Jira refuses for good ends one effect, not the run: it is noted, and the finding stays where it is. */
async function orNote<T>(call: () => Promise<T>, note: (refusal: string) => Promise<void>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    await note(error.cause?.message ?? error.message);
    return null;
  }
}
