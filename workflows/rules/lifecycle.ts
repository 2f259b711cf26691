// The heart of Recheck: what happens to one finding, as a pure function. No clock, no I/O, no Temporal.
// workflows/lifecycle-run.ts runs the effects; tests drive this table exhaustively. It runs inside workflows that are
// replayed: other effects for the same events are other commands, and need patched() where runs are under way.
// What a re-run says is in lifecycle-verdict.ts.

import { issueReopened, verdictGiven } from './lifecycle-verdict';
import { missingReason } from './push-gate';
import type { DonePolicy, IssueMeaning } from './status-mapping';
import type { AuditEvent, FindingStatus, GivenVerdict, MissingDecision, SyncRule } from './vocabulary';

export type LinkedIssue = { linkId: string; key: string };

/** What a lifecycle knows. All of it stands on the finding's row and its link, so that a later run starts from there. */
export type LifecycleState = {
  version: 1;
  status: FindingStatus;
  /** The number of the last claim (Done in Jira); cases and verdicts carry it. */
  claim: number;
  issue: LinkedIssue | null;
  /** Why the last push failed or is held, or why the finding is blocked. */
  reason: string | null;
  /** The issue is gone from Jira, and somebody is asked what becomes of the finding. */
  missing?: boolean;
};

/** Who did it: a member, somebody in Jira (the deliveries say who), or Recheck itself. */
export type Actor = { kind: 'member'; id: string } | { kind: 'jira' } | { kind: 'recheck' };

export type VerdictGiven = {
  claim: number;
  verdict: GivenVerdict;
  actor: Actor;
  sessionId: string;
  onVerifyFail: SyncRule['onVerifyFail'];
};

export type LifecycleEvent =
  | { type: 'push_asked'; actor: Actor; batchId: string; lane?: 'interactive' | 'bulk' }
  | { type: 'approval_asked'; actor: Actor }
  | { type: 'approval_ended'; said: 'rejected' | 'expired' | 'cancelled'; actor: Actor; reason?: string }
  | { type: 'push_ended'; outcome: 'created'; issue: LinkedIssue }
  /** Refused by the gate, failed by Jira, or held until the connection works. `before`: the state before the push. */
  | { type: 'push_ended'; outcome: 'refused' | 'failed' | 'held'; reason: string; before?: LifecycleState }
  | { type: 'link_asked'; actor: Actor; linkId: string; key: string }
  | { type: 'unlink_asked'; actor: Actor }
  | { type: 'issue_read'; meaning: IssueMeaning; key: string; onJiraDone: DonePolicy }
  | { type: 'missing_decided'; decision: MissingDecision; actor: Actor }
  | ({ type: 'verdict_given' } & VerdictGiven)
  | { type: 'issue_reopened'; reopened: boolean; reason: string };

/** One change to write down: status, audit event, waiting push items, cases, and the card, in one transaction. */
export type Change = {
  event: AuditEvent;
  actor: Actor;
  detail?: string;
  /** Pending push items of this finding end with this outcome; those of `batchId` (the run knows it) alone may say `created`. */
  items?: { outcome: 'created' | 'reused' | 'refused' | 'failed' | 'held'; batchId?: string; reason?: string };
  /** The open case is withdrawn, because Jira took the claim back. */
  withdraw?: boolean;
  /** Occurrences become `pending_rerun`, or go back to `seen` / `absent`. */
  occurrences?: 'pending_rerun' | 'seen' | 'absent';
};

export type Effect =
  | ({ type: 'record' } & Change)
  | { type: 'create_issue'; actor: Actor; batchId: string | null; lane?: 'interactive' | 'bulk' }
  | { type: 'comment'; verdict: 'pass' | 'fail'; sessionId: string; claim: number }
  | { type: 'reopen_issue'; sessionId: string; claim: number };

export type Step = { state: LifecycleState; effects: Effect[] };

export const newLifecycle: LifecycleState = { version: 1, status: 'open', claim: 0, issue: null, reason: null };

/** Statuses in which a run has nothing left to wait for and completes. */
export function isAtRest(state: LifecycleState): boolean {
  return ['open', 'verified', 'resolved', 'blocked'].includes(state.status);
}

/** The next state and what has to be done, for any event in any state. Events that do not fit change nothing. */
export function nextStep(state: LifecycleState, event: LifecycleEvent): Step {
  switch (event.type) {
    case 'push_asked':
      return pushAsked(state, event);
    case 'push_ended':
      return pushEnded(state, event);
    case 'approval_asked':
      return approvalAsked(state, event);
    case 'approval_ended':
      return approvalEnded(state, event);
    case 'link_asked':
      return linkAsked(state, event);
    case 'unlink_asked':
      return unlinkAsked(state, event);
    case 'issue_read':
      return issueRead(state, event);
    case 'missing_decided':
      return missingDecided(state, event);
    case 'verdict_given':
      return verdictGiven(state, event);
    case 'issue_reopened':
      return issueReopened(state, event);
  }
}

/** Whether reading this off an issue would change anything: what a poll asks before it wakes a lifecycle. */
export function wouldChange(state: LifecycleState, reading: Omit<Of<'issue_read'>, 'type'>): boolean {
  return nextStep(state, { type: 'issue_read', ...reading }).effects.length > 0;
}

type Of<T extends LifecycleEvent['type']> = Extract<LifecycleEvent, { type: T }>;
const recheck: Actor = { kind: 'recheck' };
const jira: Actor = { kind: 'jira' };
const unchanged = (state: LifecycleState): Step => ({ state, effects: [] });

function pushAsked(state: LifecycleState, { actor, batchId, lane }: Of<'push_asked'>): Step {
  if (state.issue && state.missing) {
    const reason = missingReason(state.issue.key);
    const items = { outcome: 'refused' as const, reason };
    return { state, effects: [{ type: 'record', event: 'push_refused', actor, detail: reason, items }] };
  }
  if (state.issue) {
    const items = { outcome: 'reused' as const };
    return { state, effects: [{ type: 'record', event: 'push_reused', actor, detail: state.issue.key, items }] };
  }
  // A push that is under way answers this one too, when it ends.
  if (state.status === 'pushing') return unchanged(state);
  // Nothing to record: opening the link writes `pushing` and its event together with it (prisma/lifecycle.ts).
  return {
    state: { ...state, status: 'pushing', reason: null },
    effects: [{ type: 'create_issue', actor, batchId, ...(lane ? { lane } : {}) }],
  };
}

function approvalAsked(state: LifecycleState, { actor }: Of<'approval_asked'>): Step {
  if (state.issue || !['open', 'push_failed'].includes(state.status)) return unchanged(state);
  return {
    state: { ...state, status: 'awaiting_approval', reason: null },
    effects: [{ type: 'record', event: 'approval_asked', actor }],
  };
}

function approvalEnded(state: LifecycleState, { said, actor, reason }: Of<'approval_ended'>): Step {
  if (state.status !== 'awaiting_approval') return unchanged(state);
  return {
    state: { ...state, status: 'open', reason: null },
    effects: [{ type: 'record', event: `approval_${said}`, actor, ...(reason ? { detail: reason } : {}) }],
  };
}

function pushEnded(state: LifecycleState, event: Of<'push_ended'>): Step {
  if (state.status !== 'pushing') return unchanged(state);
  if (event.outcome === 'created') {
    return {
      state: { ...state, status: 'awaiting_fix', issue: event.issue, reason: null },
      effects: [
        { type: 'record', event: 'pushed', actor: recheck, detail: event.issue.key, items: { outcome: 'created' } },
      ],
    };
  }
  const { outcome, reason, before } = event;
  const effects: Effect[] = [
    { type: 'record', event: `push_${outcome}`, actor: recheck, detail: reason, items: { outcome, reason } },
  ];
  // A refused push leaves what was closed before it closed: a report may have done that while the push was held.
  if (outcome === 'refused' && before && before.status !== 'open' && isAtRest(before)) {
    return { state: { ...state, status: before.status, reason: before.reason }, effects };
  }
  // What is held or refused waits for something else than the next try of a person.
  return { state: { ...state, status: outcome === 'failed' ? 'push_failed' : 'open', reason }, effects };
}

function linkAsked(state: LifecycleState, { actor, linkId, key }: Of<'link_asked'>): Step {
  if (state.issue || state.status === 'pushing') return unchanged(state);
  return {
    state: { ...state, status: 'awaiting_fix', issue: { linkId, key }, reason: null },
    effects: [{ type: 'record', event: 'linked', actor, detail: key }],
  };
}

function unlinkAsked(state: LifecycleState, { actor }: Of<'unlink_asked'>): Step {
  if (!state.issue) return unchanged(state);
  return {
    state: { ...state, status: 'open', issue: null, reason: null, missing: false },
    effects: [
      { type: 'record', event: 'unlinked', actor, detail: state.issue.key, withdraw: true, occurrences: 'seen' },
    ],
  };
}

function issueRead(before: LifecycleState, event: Of<'issue_read'>): Step {
  if (!before.issue || event.meaning === 'project_lost') return unchanged(before);
  if (event.meaning === 'missing') return issueMissing(before, before.issue);
  const seen = issueSeen(before, before.issue, event.key);
  const step = byMeaning(seen.state, event);
  return { ...step, effects: [...seen.effects, ...step.effects] };
}

/** It is there (again), perhaps under another key: an issue that moves keeps its id. */
function issueSeen(before: LifecycleState, issue: LinkedIssue, key: string): Step {
  let state = before;
  const effects: Effect[] = [];
  if (before.missing) {
    state = { ...state, missing: false, reason: null };
    effects.push({ type: 'record', event: 'issue_found', actor: jira, detail: key });
  }
  if (key !== issue.key) {
    state = { ...state, issue: { ...issue, key } };
    effects.push({ type: 'record', event: 'moved', actor: jira, detail: `${issue.key} is now ${key}` });
  }
  return { state, effects };
}

function issueMissing(state: LifecycleState, { key }: LinkedIssue): Step {
  // Of what is settled nobody waits for the issue any more, so there is nothing to ask.
  if (state.missing || isAtRest(state)) return unchanged(state);
  const reason = missingReason(key);
  return {
    state: { ...state, missing: true, reason },
    // Whoever changed the issue last need not be who deleted it.
    effects: [{ type: 'record', event: 'issue_missing', actor: recheck, detail: reason }],
  };
}

function missingDecided(state: LifecycleState, { decision, actor }: Of<'missing_decided'>): Step {
  if (!state.issue || !state.missing) return unchanged(state);
  const { key } = state.issue;
  const decided = { withdraw: true, occurrences: 'seen' as const };
  if (decision === 'accept') {
    const reason = `Accepted as it is: ${key} was deleted in Jira.`;
    return {
      state: { ...state, status: 'blocked', missing: false, reason },
      effects: [{ type: 'record', event: 'accepted', actor, detail: reason, ...decided }],
    };
  }
  // The dead link becomes history; a new issue is an ordinary push after it.
  const event = decision === 'recreate' ? 'recreate_asked' : 'dropped';
  return {
    state: { ...state, status: 'open', issue: null, missing: false, reason: null },
    effects: [{ type: 'record', event, actor, detail: key, ...decided }],
  };
}

function byMeaning(state: LifecycleState, event: Of<'issue_read'>): Step {
  switch (event.meaning) {
    case 'not_done':
      return state.status === 'awaiting_fix' ? unchanged(state) : reopenedInJira(state);
    case 'claimed':
      return claimed(state, event.onJiraDone);
    case 'blocked':
      return blockedInJira(state);
    default:
      return unchanged(state);
  }
}

function reopenedInJira(state: LifecycleState): Step {
  if (!['needs_rerun', 'verified', 'resolved', 'blocked'].includes(state.status)) return unchanged(state);
  return {
    state: { ...state, status: 'awaiting_fix', reason: null },
    effects: [{ type: 'record', event: 'reopened', actor: jira, withdraw: true, occurrences: 'seen' }],
  };
}

function claimed(state: LifecycleState, onJiraDone: DonePolicy): Step {
  if (state.status !== 'awaiting_fix' && state.status !== 'blocked') return unchanged(state);
  if (onJiraDone === 'resolve') {
    return {
      state: { ...state, status: 'resolved', reason: null },
      effects: [{ type: 'record', event: 'resolved', actor: jira, occurrences: 'absent' }],
    };
  }
  const claim = state.claim + 1;
  return {
    state: { ...state, status: 'needs_rerun', claim, reason: null },
    effects: [
      { type: 'record', event: 'claimed', actor: jira, detail: `claim ${claim}`, occurrences: 'pending_rerun' },
    ],
  };
}

function blockedInJira(state: LifecycleState): Step {
  // A verified finding was proven fixed; how Jira files the issue afterwards takes nothing from that.
  if (!['awaiting_fix', 'needs_rerun', 'resolved'].includes(state.status)) return unchanged(state);
  const reason = 'Closed in Jira as not to be fixed.';
  return {
    state: { ...state, status: 'blocked', reason },
    effects: [{ type: 'record', event: 'blocked', actor: jira, detail: reason, withdraw: true, occurrences: 'seen' }],
  };
}
