import {
  condition,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue, type LifecycleInput, type PushResult, searchAttributes } from './contract';
import { createIssueExactlyOnce, type NoIssue } from './create-issue';
import type { JiraRefusal } from './jira-refusal';
import { lostWords, orFailed, orLog, orNote, withoutWords } from './refusals';
import { describeLifecycle } from './rules/describe';
import { type Effect, isAtRest, type LifecycleEvent, type LifecycleState, newLifecycle } from './rules/lifecycle';
import { nextStep } from './rules/next-step';
import { heldReason } from './rules/push-gate';
import { refusedData } from './rules/refused-data';
import type { AuditEvent } from './rules/vocabulary';

const { loadLifecycle, recordChange } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { readIssue, reopenIssue, commentOnIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '60s',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});

type Said = Extract<Effect, { type: 'comment' | 'reopen_issue' }>;
/** Something to say in Jira; `since` when dead credentials have held it back, if they have. */
type Saying = { effect: Said; linkId: string; since: number | null };

/** Credentials that nobody has replaced for so long are not waited for: the next change starts a new run anyway. */
const longestWaitMs = 7 * 24 * 3_600_000;

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
  let push: { batchId: string | null; failure: NoIssue | null } | null = null;
  let beforePush: LifecycleState | null = null;
  let heldCalls: Saying[] = [];
  /** Since when a change in Jira could not be read because of dead credentials. */
  let unreadSince: number | null = null;
  /** The last try to read the issue failed, and that was written down. */
  let isUnread = false;
  let tries = 0;

  async function handle(event: LifecycleEvent): Promise<void> {
    // A settled finding belongs to ingest again, which may have reopened it while this run was finishing.
    if (isAtRest(state) && ((event.type === 'push_asked' && state.issue) || isAnythingHeld())) await reload();
    if (event.type === 'push_asked' && state.status !== 'pushing') beforePush = state;
    const step = nextStep(state, event);
    recordedStatus = state.status;
    state = step.state;
    if (event.type === 'push_ended' && event.outcome !== 'created' && push) {
      push.failure = { outcome: event.outcome, reason: event.reason };
    }
    try {
      for (const effect of step.effects) await perform(effect);
    } catch (error) {
      // What PostgreSQL does not take has not happened.
      if (refusedData(error) !== null) await reload();
      throw error;
    }
  }

  async function perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'record':
        return await record(effect);
      case 'create_issue':
        return await createIssue(effect);
      case 'comment':
      case 'reopen_issue':
        return await say({ effect, linkId: state.issue?.linkId ?? '', since: null });
    }
  }

  async function record({ type: _, ...change }: Extract<Effect, { type: 'record' }>): Promise<void> {
    records += 1;
    const dedupeKey = `${workflowInfo().runId}:${records}`;
    if (change.items?.outcome === 'created' && push?.batchId) change.items.batchId = push.batchId;
    const keepsStatus = state.status === recordedStatus;
    const written = { organisationId, findingId, dedupeKey, keepsStatus };
    try {
      await recordChange({ ...written, state, record: change });
    } catch (error) {
      if (refusedData(error) === null) throw error;
      // It is the words, as Jira or a person wrote them: what happened counts without them.
      state = { ...state, reason: state.reason && lostWords };
      await recordChange({ ...written, state, record: withoutWords(change) });
    }
    recordedStatus = state.status;
    showInUi();
  }

  async function createIssue({ batchId, actor, lane }: Extract<Effect, { type: 'create_issue' }>): Promise<void> {
    push = { batchId, failure: null };
    showInUi();
    const create = { batchId, actor, lane, organisationId, findingId, timings };
    const end = await orFailed(() => createIssueExactlyOnce(create));
    await handle({ type: 'push_ended', ...end, ...(beforePush ? { before: beforePush } : {}) });
  }

  async function say(saying: Saying): Promise<void> {
    const { effect } = saying;
    if (effect.type === 'comment') await comment(effect, saying);
    else await reopen(effect, saying);
  }

  async function comment(
    { verdict, sessionId, claim }: Extract<Said, { type: 'comment' }>,
    saying: Saying,
  ): Promise<void> {
    const input = { organisationId, findingId, linkId: saying.linkId, sessionId, claim, verdict };
    const options = { summary: `Comment: ${verdict}`, scheduleToCloseTimeout: '24h' } as const;
    // The verdict stands without its comment; that it is missing is written down.
    const end = await orNote(
      async () => (await commentOnIssue.executeWithOptions(options, [input])) ?? 'made',
      (refusal) => keep(saying, refusal, 'comment'),
    );
    if (!end || saying.since === null || !tellsWhatWasHeld()) return;
    if (end === 'gone') await note('comment_failed', 'Its issue is not in Jira any more.');
    else await note('comment_made', '');
  }

  async function reopen({ sessionId, claim }: Extract<Said, { type: 'reopen_issue' }>, saying: Saying): Promise<void> {
    // Said late, it may be about a claim that is over.
    if (state.status !== 'needs_rerun' || state.claim !== claim) return;
    const input = { organisationId, findingId, linkId: saying.linkId, sessionId, claim };
    const end = await orNote(
      () => reopenIssue.executeWithOptions({ summary: 'Reopen the issue' }, [input]),
      (refusal) => keep(saying, refusal, 'reopen'),
    );
    if (end) await handle({ type: 'reopen_ended', ...end });
  }

  /** Dead credentials come back: what they kept from being said is said then. Everything else is only noted. */
  async function keep(saying: Saying, { kind, reason }: JiraRefusal, what: 'comment' | 'reopen'): Promise<void> {
    const since = saying.since ?? Date.now();
    if (kind !== 'held' || Date.now() - since > longestWaitMs) return await note(`${what}_failed`, reason);
    heldCalls.push({ ...saying, since });
    if (saying.since === null) await note(`${what}_held`, heldReason(reason));
  }

  async function unreadable({ kind, reason }: JiraRefusal): Promise<void> {
    const since = unreadSince ?? Date.now();
    const isKnown = unreadSince !== null;
    unreadSince = kind === 'held' && Date.now() - since <= longestWaitMs ? since : null;
    isUnread = true;
    if (!isKnown) await note('read_failed', kind === 'held' ? heldReason(reason) : reason);
  }

  const isAnythingHeld = () => heldCalls.length > 0 || unreadSince !== null;

  async function reload(): Promise<void> {
    state = await loadLifecycle({ organisationId, findingId });
    recordedStatus = state.status;
  }

  const note = (event: AuditEvent, detail: string) =>
    record({ type: 'record', event, actor: { kind: 'recheck' }, detail });

  function showInUi(): void {
    setCurrentDetails(describeLifecycle(state));
    const now = `${state.status} ${state.issue?.key}`;
    if (now !== shown) showAttributes(state);
    shown = now;
  }

  return {
    state: (): LifecycleState => state,
    handle,

    /** Takes the state from the finding's row, and goes on with a push that an earlier run left in the middle. */
    async load(): Promise<void> {
      await reload();
      if (state.status === 'pushing') {
        await orLog(() => createIssue({ type: 'create_issue', actor: { kind: 'recheck' }, batchId: null }));
      }
    },

    /** Reads what the issue says now, and lets that count. */
    async readIssue(): Promise<void> {
      if (!state.issue) {
        unreadSince = null;
        return;
      }
      const { linkId, key } = state.issue;
      const reading = await orNote(
        () => readIssue.executeWithOptions({ summary: `Read ${key}` }, [{ organisationId, findingId, linkId }]),
        unreadable,
      );
      if (!reading) return;
      unreadSince = null;
      if (isUnread && tellsWhatWasHeld()) await note('read_again', '');
      isUnread = false;
      await orLog(() => handle({ type: 'issue_read', ...reading }));
    },

    /** Says in Jira what dead credentials kept from being said. */
    async retryCalls(): Promise<void> {
      if (!isAnythingHeld()) return;
      tries += 1;
      if (isAtRest(state)) await reload();
      const due = heldCalls;
      heldCalls = [];
      for (const saying of due) await orLog(() => say(saying));
    },

    /** Nothing is left to wait for: the finding is at rest (open, verified, resolved or blocked), and nothing is held. */
    isDone: (): boolean => isAtRest(state) && !isAnythingHeld(),

    /**
     * Waits until `wakes` holds. False: it is time to try again what dead credentials kept from being said or read. A
     * reconnect wakes the lifecycle before that; this is the net below it.
     */
    async waitUntil(wakes: () => boolean): Promise<boolean> {
      if (isAnythingHeld()) {
        const ms = Math.min(60_000 * 2 ** Math.min(tries, 5), 1_800_000);
        return await condition(wakes, ms, { summary: 'Until Jira takes what it refused' });
      }
      tries = 0;
      await condition(wakes);
      return true;
    },

    /** What the push with this id is answered. */
    pushResult(batchId: string): PushResult {
      if (!state.issue) return push?.failure ?? { outcome: 'failed', reason: 'The push ended without an issue.' };
      return { outcome: push?.batchId === batchId ? 'created' : 'reused', jiraKey: state.issue.key };
    },
  };
}

/** Whether what was held and then succeeded is written down: runs from before that record nothing then. */
function tellsWhatWasHeld(): boolean {
  return patched('tell-what-was-held');
}

/** For the Temporal UI: what operators filter by. */
function showAttributes(state: LifecycleState): void {
  upsertSearchAttributes([
    { key: searchAttributes.status, value: state.status },
    ...(state.issue ? [{ key: searchAttributes.jiraKey, value: state.issue.key }] : []),
  ]);
}
