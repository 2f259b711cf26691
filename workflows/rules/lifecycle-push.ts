// What a push, its approval, and a link to an existing issue make of a finding.

import { type Effect, type EventOf, isAtRest, type LifecycleState, recheck, type Step, unchanged } from './lifecycle';
import { goneReason } from './push-gate';

export function pushAsked(state: LifecycleState, { actor, batchId, lane }: EventOf<'push_asked'>): Step {
  const gone = state.issue && goneReason({ ...state, key: state.issue.key });
  if (gone) {
    const items = { outcome: 'refused' as const, reason: gone };
    return { state, effects: [{ type: 'record', event: 'push_refused', actor, detail: gone, items }] };
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
    effects: [{ type: 'create_issue', actor, batchId, lane }],
  };
}

/** A finding that waits for approval is out of the loop until somebody decides: approved, it is pushed like any other. */
export function approvalSaid(state: LifecycleState, { said, actor, reason }: EventOf<'approval_said'>): Step {
  if (said === 'asked') {
    if (state.issue || !['open', 'push_failed'].includes(state.status)) return unchanged(state);
    return {
      state: { ...state, status: 'awaiting_approval', reason: null },
      effects: [{ type: 'record', event: 'approval_asked', actor }],
    };
  }
  if (state.status !== 'awaiting_approval') return unchanged(state);
  return {
    state: { ...state, status: 'open', reason: null },
    effects: [{ type: 'record', event: `approval_${said}`, actor, ...(reason ? { detail: reason } : {}) }],
  };
}

export function pushEnded(state: LifecycleState, event: EventOf<'push_ended'>): Step {
  if (state.status !== 'pushing') return unchanged(state);
  if (event.outcome === 'created') {
    return {
      state: { ...state, status: 'awaiting_fix', issue: event.issue, reason: null },
      effects: [
        { type: 'record', event: 'pushed', actor: recheck, detail: event.issue.key, items: { outcome: 'created' } },
      ],
    };
  }
  const { outcome, reason, cancelled, before } = event;
  // A cancelled push has no waiting item any more: one that waits was taken up again since, and asks for itself.
  const items = cancelled ? {} : { items: { outcome, reason } };
  const effects: Effect[] = [{ type: 'record', event: `push_${outcome}`, actor: recheck, detail: reason, ...items }];
  // A refused push leaves what was closed before it closed: a report may have done that while the push was held.
  if (outcome === 'refused' && before && before.status !== 'open' && isAtRest(before)) {
    return { state: { ...state, status: before.status, reason: before.reason }, effects };
  }
  // What is held or refused waits for something else than the next try of a person.
  return { state: { ...state, status: outcome === 'failed' ? 'push_failed' : 'open', reason }, effects };
}

export function linkAsked(state: LifecycleState, { actor, linkId, key }: EventOf<'link_asked'>): Step {
  if (state.issue || state.status === 'pushing') return unchanged(state);
  return {
    state: { ...state, status: 'awaiting_fix', issue: { linkId, key }, reason: null },
    effects: [{ type: 'record', event: 'linked', actor, detail: key }],
  };
}

export function unlinkAsked(state: LifecycleState, { actor }: EventOf<'unlink_asked'>): Step {
  if (!state.issue) return unchanged(state);
  return {
    state: { ...state, status: 'open', issue: null, reason: null, missing: false },
    effects: [
      { type: 'record', event: 'unlinked', actor, detail: state.issue.key, withdraw: true, occurrences: 'seen' },
    ],
  };
}
