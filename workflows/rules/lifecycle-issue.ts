// What the issue says in Jira makes of a finding.

import {
  type Effect,
  type EventOf,
  isAtRest,
  jira,
  type LifecycleState,
  type LinkedIssue,
  recheck,
  type Step,
  unchanged,
} from './lifecycle';
import { acceptedReason, missingReason } from './push-gate';
import type { DonePolicy } from './status-mapping';

export function issueRead(before: LifecycleState, event: EventOf<'issue_read'>): Step {
  if (!before.issue || event.meaning === 'project_lost') return unchanged(before);
  if (event.meaning === 'missing') return issueMissing(before, before.issue);
  // Its key may have changed, or it was thought deleted.
  const seen = issueSeen(before, before.issue, event.key);
  const step = byMeaning(seen.state, event);
  return { ...step, effects: [...seen.effects, ...step.effects] };
}

function byMeaning(state: LifecycleState, event: EventOf<'issue_read'>): Step {
  switch (event.meaning) {
    case 'not_done':
      return reopenedInJira(state);
    case 'claimed':
      return claimed(state, event.onJiraDone);
    case 'blocked':
      return blockedInJira(state);
    default: // `missing` and `project_lost`: issueRead took them.
      return unchanged(state);
  }
}

function claimed(state: LifecycleState, onJiraDone: DonePolicy): Step {
  // A blocked finding can be claimed too: Won't Do may be changed to Done. Elsewhere there is nothing new to claim.
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

function reopenedInJira(state: LifecycleState): Step {
  if (!['needs_rerun', 'verified', 'resolved', 'blocked'].includes(state.status)) return unchanged(state);
  return {
    state: { ...state, status: 'awaiting_fix', reason: null },
    effects: [{ type: 'record', event: 'reopened', actor: jira, withdraw: true, occurrences: 'seen' }],
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

export function missingDecided(state: LifecycleState, { decision, actor, askId }: EventOf<'missing_decided'>): Step {
  if (!state.issue || !state.missing) return unchanged(state);
  const { key } = state.issue;
  const told = askId ? { decidedBy: askId } : {};
  const decided = { withdraw: true, occurrences: 'seen' as const };
  if (decision === 'accept') {
    const reason = acceptedReason(key);
    return {
      state: { ...state, ...told, status: 'blocked', missing: false, reason },
      effects: [{ type: 'record', event: 'accepted', actor, detail: reason, ...decided }],
    };
  }
  // The dead link becomes history; a new issue is an ordinary push after it.
  const event = decision === 'recreate' ? 'recreate_asked' : 'dropped';
  return {
    state: { ...state, ...told, status: 'open', issue: null, missing: false, reason: null },
    effects: [{ type: 'record', event, actor, detail: key, ...decided }],
  };
}
