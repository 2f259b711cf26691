// What happens to one finding: its state, the events that change it, and the effects that follow. The rules themselves are
// pure functions (no clock, no I/O, no Temporal): next-step.ts finds the one for an event, lifecycle-push.ts,
// lifecycle-issue.ts and lifecycle-verdict.ts hold them. workflows/lifecycle-run.ts runs the effects.

import type { DonePolicy, IssueMeaning } from './status-mapping';
import type { AuditEvent, FindingStatus, GivenVerdict, MissingDecision, PushLane, SyncRule } from './vocabulary';

/** The issue of a finding, and the row that ties the two. */
export type LinkedIssue = { linkId: string; key: string };

/** What a lifecycle knows. All of it stands on the finding's row and its link, so that a later run starts from there. */
export type LifecycleState = {
  version: 1;
  /** open, awaiting_approval, pushing, push_failed, awaiting_fix, needs_rerun, verified, resolved or blocked. */
  status: FindingStatus;
  /** The number of the last claim (Done in Jira); the verdict of a re-run names the claim that it is about. */
  claim: number;
  issue: LinkedIssue | null;
  /** Why the last push failed or is held, why the finding is blocked, or what is wrong with its issue. */
  reason: string | null;
  /** The issue is gone from Jira, and somebody is asked what becomes of the finding. */
  missing?: boolean;
  /** The `askId` of what this run was last decided by about a missing issue: of several decisions at once one counts. */
  decidedBy?: string;
};

/** Who did it: a member, somebody in Jira (the deliveries say who), or Recheck itself. */
export type Actor = { kind: 'member'; id: string } | { kind: 'jira' } | { kind: 'recheck' };

export type ClaimVerdict = {
  claim: number;
  verdict: GivenVerdict;
  actor: Actor;
  sessionId: string;
  onVerifyFail: SyncRule['onVerifyFail'];
};

export type LifecycleEvent =
  // Messages: somebody asks or says something. Every push, also of one finding, is a row: `batchId`.
  | { type: 'push_asked'; actor: Actor; batchId: string; lane?: PushLane | undefined }
  | { type: 'approval_said'; said: 'asked' | 'rejected' | 'expired' | 'cancelled'; actor: Actor; reason?: string }
  | { type: 'link_asked'; actor: Actor; linkId: string; key: string }
  | { type: 'unlink_asked'; actor: Actor }
  | { type: 'missing_decided'; decision: MissingDecision; actor: Actor; askId?: string }
  | ({ type: 'verdict_given' } & ClaimVerdict)
  // What the run found out: how creating the issue ended, what the issue says now, how reopening it ended.
  | { type: 'push_ended'; outcome: 'created'; issue: LinkedIssue }
  /**
   * Refused by the gate (`cancelled`: because the push was, meanwhile), failed, or held. `before` is restored where a
   * report closed the finding while its push was held.
   */
  | {
      type: 'push_ended';
      outcome: 'refused' | 'failed' | 'held';
      reason: string;
      cancelled?: true;
      before?: LifecycleState;
    }
  | { type: 'issue_read'; meaning: IssueMeaning; key: string; onJiraDone: DonePolicy }
  | { type: 'reopen_ended'; reopened: boolean; reason: string };

/** One change to write down: status, audit event, waiting push items, cases, and the card, in one transaction. */
export type Change = {
  event: AuditEvent;
  actor: Actor;
  detail?: string;
  /** Ends every waiting push of this finding: as `created` only that of `batchId`, the others then as `reused`. */
  items?: { outcome: 'created' | 'reused' | 'refused' | 'failed' | 'held'; batchId?: string; reason?: string };
  /** The finding leaves the re-run session that it is in: the claim is over. */
  withdraw?: boolean;
  /** What becomes of the places where it was seen. */
  occurrences?: 'pending_rerun' | 'seen' | 'absent';
};

export type Effect =
  /** Writes the new state down, with its audit event. */
  | ({ type: 'record' } & Change)
  | { type: 'create_issue'; actor: Actor; batchId: string | null; lane?: PushLane | undefined }
  | { type: 'comment'; verdict: 'pass' | 'fail'; sessionId: string; claim: number }
  | { type: 'reopen_issue'; sessionId: string; claim: number };

export type Step = { state: LifecycleState; effects: Effect[] };

export const newLifecycle: LifecycleState = { version: 1, status: 'open', claim: 0, issue: null, reason: null };

/** Statuses in which a run has nothing left to wait for and completes; that of a failed push stays for the next try. */
export function isAtRest({ status }: Pick<LifecycleState, 'status'>): boolean {
  return ['open', 'verified', 'resolved', 'blocked'].includes(status);
}

export type EventOf<T extends LifecycleEvent['type']> = Extract<LifecycleEvent, { type: T }>;
export const recheck: Actor = { kind: 'recheck' };
export const jira: Actor = { kind: 'jira' };
export const unchanged = (state: LifecycleState): Step => ({ state, effects: [] });
