// The reducer: which rule an event meets. It runs inside workflows that are replayed: other effects for the same events are
// other commands, and need patched() where runs are under way. Tests drive this table exhaustively.

import type { EventOf, LifecycleEvent, LifecycleState, Step } from './lifecycle';
import { issueRead, missingDecided } from './lifecycle-issue';
import { approvalSaid, linkAsked, pushAsked, pushEnded, unlinkAsked } from './lifecycle-push';
import { reopenEnded, verdictGiven } from './lifecycle-verdict';

/** The next state and what has to be done, for any event in any state. Events that do not fit change nothing. */
export function nextStep(state: LifecycleState, event: LifecycleEvent): Step {
  switch (event.type) {
    case 'push_asked':
      return pushAsked(state, event);
    case 'push_ended':
      return pushEnded(state, event);
    case 'approval_said':
      return approvalSaid(state, event);
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
    case 'reopen_ended':
      return reopenEnded(state, event);
  }
}

/** Whether reading this off an issue would change anything: what a poll asks before it wakes a lifecycle. */
export function wouldChange(state: LifecycleState, reading: Omit<EventOf<'issue_read'>, 'type'>): boolean {
  return nextStep(state, { type: 'issue_read', ...reading }).effects.length > 0;
}
