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
import {
  type Change,
  type Effect,
  type EventOf,
  isAtRest,
  type LifecycleEvent,
  type LifecycleState,
  newLifecycle,
} from './rules/lifecycle';
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
/** That Jira is away for a shorter time is not worth a word on the finding. */
const worthTellingMs = 15 * 60_000;
/** Jira may take so long; then messages that wait are handled, and it is asked again later. */
const scheduleToCloseTimeout = '1m';

/** Ingest made another status of a settled finding, while this run was about to. */
class Overtaken extends Error {}

export type LifecycleRun = ReturnType<typeof createLifecycleRun>;

/**
 * The state of one run and the effects of its changes: what the reducer decides is done here, one thing after the
 * other, and shown in the Temporal UI.
 */
export function createLifecycleRun({ organisationId, findingId, timings }: LifecycleInput) {
  let state = newLifecycle;
  let recordedStatus = state.status;
  /** The workflow task in which the state was loaded, as the length of the history then. */
  let loadedAt = 0;
  let records = 0;
  let shown = '';
  let push: { batchId: string | null; failure: NoIssue | null } | null = null;
  let beforePush: LifecycleState | null = null;
  let heldCalls: Saying[] = [];
  /** Those that counted. */
  const verdicts = new Set<string>();
  /** Since when a change in Jira could not be read: dead credentials, or no answer. */
  let unreadSince: number | null = null;
  /** The last try to read the issue failed, and that was written down. */
  let isUnread = false;
  let tries = 0;

  async function handle(event: LifecycleEvent): Promise<void> {
    if (isAtRest(state) && isOutdated(event)) await reload();
    if (event.type === 'verdict_given' && wasToldBefore(event)) return;
    while ((await apply(event)) === 'overtaken') await reload();
    if (event.type === 'verdict_given') verdicts.add(verdictKey(event));
  }

  async function apply(event: LifecycleEvent): Promise<'done' | 'overtaken'> {
    if (event.type === 'push_asked' && state.status !== 'pushing') beforePush = state;
    const step = nextStep(state, event);
    recordedStatus = state.status;
    state = step.state;
    if (event.type === 'push_ended' && event.outcome !== 'created' && push) {
      push.failure = { outcome: event.outcome, reason: event.reason };
    }
    try {
      for (const effect of step.effects) await perform(effect);
      return 'done';
    } catch (error) {
      if (error instanceof Overtaken) return 'overtaken';
      // What PostgreSQL does not take has not happened.
      if (refusedData(error) !== null) await reload();
      throw error;
    }
  }

  /** A settled finding belongs to ingest again, which may have changed it since this run looked at it. */
  function isOutdated(event: LifecycleEvent): boolean {
    if ((event.type === 'push_asked' && state.issue) || isAnythingHeld()) return true;
    return workflowInfo().historyLength !== loadedAt && patched('reload-at-rest');
  }

  /** A step that tells many lifecycles may be repeated. */
  function wasToldBefore(given: EventOf<'verdict_given'>): boolean {
    const isVerified = state.status === 'verified' && state.claim === given.claim;
    const isKnown = verdicts.has(verdictKey(given)) || (isVerified && given.verdict === 'pass');
    return isKnown && patched('verdicts-count-once');
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
    const restsAs = !keepsStatus && isAtRest({ status: recordedStatus }) ? { restsAs: recordedStatus } : {};
    const write = async (what: Change) => {
      const written = { organisationId, findingId, dedupeKey, keepsStatus, ...restsAs, state, record: what };
      if ((await recordChange(written)) === 'overtaken') throw new Overtaken();
    };
    try {
      await write(change);
    } catch (error) {
      if (refusedData(error) === null) throw error;
      // It is the words, as Jira or a person wrote them: what happened counts without them.
      state = { ...state, reason: state.reason && lostWords };
      await write(withoutWords(change));
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
      () => reopenIssue.executeWithOptions({ summary: 'Reopen the issue', scheduleToCloseTimeout }, [input]),
      (refusal) => keep(saying, refusal, 'reopen'),
    );
    if (end) await handle({ type: 'reopen_ended', ...end });
  }

  /** Dead credentials come back, and Jira answers again: what was not said is said then. All else is only noted. */
  async function keep(saying: Saying, refusal: JiraRefusal, what: 'comment' | 'reopen'): Promise<void> {
    const since = saying.since ?? Date.now();
    // A comment has been tried for a day when its time is over.
    const waits = passes(refusal, since) && !(what === 'comment' && refusal.kind === 'unanswered');
    if (!waits) return await note(`${what}_failed`, refusal.reason);
    heldCalls.push({ ...saying, since });
    if (saying.since === null) await note(`${what}_held`, wordsFor(refusal));
  }

  async function unreadable(refusal: JiraRefusal): Promise<void> {
    const since = unreadSince ?? Date.now();
    const isTold = unreadSince !== null && isUnread;
    unreadSince = passes(refusal, since) ? since : null;
    if (refusal.kind === 'unanswered' && Date.now() - since < worthTellingMs) return;
    isUnread = true;
    if (!isTold) await note('read_failed', wordsFor(refusal));
  }

  const isAnythingHeld = () => heldCalls.length > 0 || unreadSince !== null;

  async function reload(): Promise<void> {
    state = await loadLifecycle({ organisationId, findingId });
    recordedStatus = state.status;
    loadedAt = workflowInfo().historyLength;
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
      const options = { summary: `Read ${key}`, scheduleToCloseTimeout } as const;
      const reading = await orNote(
        () => readIssue.executeWithOptions(options, [{ organisationId, findingId, linkId }]),
        unreadable,
      );
      if (!reading) return;
      unreadSince = null;
      if (isUnread && tellsWhatWasHeld()) await note('read_again', '');
      isUnread = false;
      await orLog(() => handle({ type: 'issue_read', ...reading }));
    },

    /** Says in Jira what could not be said before. */
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
     * Waits until `wakes` holds. False: it is time to try again what could not be said or read, because credentials
     * are dead or Jira did not answer. A reconnect wakes the lifecycle before that; this is the net below it.
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

/** A session holds one case of a finding, which has one verdict. */
const verdictKey = ({ sessionId, claim }: EventOf<'verdict_given'>) => `${sessionId} ${claim}`;

/** Whether it can be tried again with success, `since` the first try. */
function passes({ kind }: JiraRefusal, since: number): boolean {
  return (kind === 'held' || kind === 'unanswered') && Date.now() - since <= longestWaitMs;
}

function wordsFor({ kind, reason }: JiraRefusal): string {
  if (kind === 'held') return heldReason(reason);
  return kind === 'unanswered' ? `${reason} It is tried again by itself.` : reason;
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
