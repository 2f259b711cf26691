// What the verdict of a re-run makes of a finding, and the reopening of its issue after one.

import { type Effect, type EventOf, type LifecycleState, recheck, type Step } from './lifecycle';
import { missingReason } from './push-gate';

/** A verdict counts for the claim that the finding is flagged for; any other is kept as evidence. */
export function verdictGiven(state: LifecycleState, event: EventOf<'verdict_given'>): Step {
  const { verdict, actor, sessionId, claim } = event;
  if (state.status !== 'needs_rerun' || claim !== state.claim) {
    const detail = `${verdict} for claim ${claim}, kept as evidence only`;
    return { state, effects: [{ type: 'record', event: 'verdict_late', actor, detail }] };
  }
  if (verdict === 'pass') {
    const verified: Effect = {
      type: 'record',
      event: 'verified',
      actor,
      detail: `claim ${claim}`,
      occurrences: 'absent',
    };
    const comment: Effect = { type: 'comment', verdict: 'pass', sessionId, claim };
    return {
      state: { ...state, status: 'verified', reason: null, missing: false },
      effects: state.missing ? [verified] : [verified, comment],
    };
  }
  if (verdict !== 'fail') {
    return { state, effects: [{ type: 'record', event: `verdict_${verdict}`, actor, detail: `claim ${claim}` }] };
  }
  const failed: Effect = { type: 'record', event: 'verdict_fail', actor, detail: `claim ${claim}` };
  if (state.missing && state.issue) {
    const detail = missingReason(state.issue.key);
    return { state, effects: [failed, { type: 'record', event: 'missing_asked', actor: recheck, detail }] };
  }
  if (event.onVerifyFail === 'reopen') return { state, effects: [failed, { type: 'reopen_issue', sessionId, claim }] };
  return { state, effects: [failed, { type: 'comment', verdict: 'fail', sessionId, claim }] };
}

/** Jira reopened the issue as it was asked to, or would not. */
export function reopenEnded(state: LifecycleState, { reopened, reason }: EventOf<'reopen_ended'>): Step {
  if (state.status !== 'needs_rerun') return { state, effects: [] };
  if (!reopened) {
    return { state, effects: [{ type: 'record', event: 'reopen_refused', actor: recheck, detail: reason }] };
  }
  return {
    state: { ...state, status: 'awaiting_fix' },
    effects: [{ type: 'record', event: 'reopened_by_recheck', actor: recheck, occurrences: 'seen', detail: reason }],
  };
}
