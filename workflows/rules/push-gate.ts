import type { ConnectionStatus, FindingStatus, Severity, SyncRule } from './vocabulary';

/** Everything that decides whether a finding may be pushed, read in one go. */
export type PushCandidate = {
  severity: Severity;
  status: FindingStatus;
  /** The issue that it has; null while it is being made, too. */
  jiraKey: string | null;
  /** The linked issue was deleted in Jira, and nobody has decided yet what becomes of the finding. */
  missing?: boolean;
  /** What stands on the finding as the reason of its status. */
  statusReason?: string | null;
  /** Reports no longer find it; it is not `resolved` yet only because it waited for approval. */
  absent?: boolean;
  /** Another push of it waits for approval. */
  awaitsApproval?: boolean;
  rule: SyncRule;
  /** Set where a person chose another connection than the source's. */
  chosen?: { connectionId: string; projectKey: string } | null;
  /** On which the issue is made. `reason`: why it is not `connected`, with the cure. */
  connection: { status: ConnectionStatus; reason?: string | null } | null;
};

export type PushDecision =
  | { kind: 'create' }
  | { kind: 'reuse'; jiraKey: string }
  | { kind: 'refuse'; reason: string }
  /** Nothing stands against the push but the connection, which an admin can repair: it waits for that. */
  | { kind: 'held'; reason: string };

/** The one decision whether a finding may flow to Jira, with the reason where not. */
export function pushDecision(candidate: PushCandidate): PushDecision {
  // With an issue there is nothing to make, whatever the finding's status.
  if (candidate.jiraKey) {
    const gone = goneReason({ ...candidate, key: candidate.jiraKey, reason: candidate.statusReason ?? null });
    if (gone) return { kind: 'refuse', reason: gone };
    return { kind: 'reuse', jiraKey: candidate.jiraKey };
  }
  const reason = refusal(candidate);
  if (reason !== null) return { kind: 'refuse', reason };
  const { connection } = candidate;
  if (connection?.status === 'reconnect_required') return { kind: 'held', reason: heldReason(connection.reason) };
  return { kind: 'create' };
}

function refusal(candidate: PushCandidate): string | null {
  const { rule, connection } = candidate;
  if (!rule.enabled) return 'The source is excluded from sync. An admin can enable it in its sync rule.';
  if (!connection) return 'The source has no Jira connection. An admin can set one in its sync rule.';
  if (candidate.chosen && !rule.otherConnections?.includes(candidate.chosen.connectionId)) return notAllowedReason;
  if (!projectOf(candidate)) return 'The source has no Jira project key. An admin can set one in its sync rule.';
  if (!rule.severities.includes(candidate.severity)) {
    return `Its severity, ${candidate.severity}, is not among those that the source lets through (${rule.severities.join(', ') || 'none'}).`;
  }
  if (connection.status === 'disconnected' && candidate.chosen) {
    return 'The chosen Jira connection was disconnected. Choose another one.';
  }
  if (connection.status === 'disconnected') {
    return 'The Jira connection of the source was disconnected. An admin has to route the source to another connection in its sync rule.';
  }
  if (candidate.awaitsApproval) return awaitsApprovalReason;
  if (candidate.status === 'resolved' || candidate.absent) return 'It is resolved: the last report no longer found it.';
  if (candidate.status === 'blocked') return 'It is blocked: Jira closed it as not to be fixed.';
  if (candidate.status === 'verified') return 'It is verified as fixed.';
  return null;
}

/** Where the issue is made: the connection that was chosen has its own project. */
export function projectOf({ rule, chosen }: Pick<PushCandidate, 'rule' | 'chosen'>): string | null {
  return chosen ? chosen.projectKey : rule.projectKey;
}

const notAllowedReason =
  'The sync rule of the source does not let pushes go to that Jira connection. An admin can allow it there.';

/** Why a finding is not asked about twice. */
export const awaitsApprovalReason = 'A push of it waits for approval already. Have that one approved, or cancel it.';

/** Whether so many findings that are ready go only after an admin has approved them. */
export function needsApproval(approval: SyncRule['approval'], ready: number): boolean {
  if (approval === 'none' || ready === 0) return false;
  return approval === 'all' || ready > approval.bulkOver;
}

/** Why something waits for a connection, and what makes it go on. `cause`: what is wrong with it, where that is known. */
export function heldReason(cause: string | null | undefined): string {
  const because = cause ?? 'Jira no longer takes its credentials. An admin has to reconnect it.';
  return `${HELD}${because} It then goes on by itself.`;
}

const HELD = 'Connection held: ';

/** What a finding's push waits for, where `reason` is why an open finding is held; null where it is not. */
export function heldCause(reason: string | null): string | null {
  return reason?.startsWith(HELD) ? reason.slice(HELD.length) : null;
}

/** Why nothing can be done with an issue that is gone, and what can be decided. */
export function missingReason(key: string): string {
  return `${key} was deleted in Jira, or Recheck can no longer see it. Recreate it, accept the finding as it is, or drop the link.`;
}

const ACCEPTED = 'Accepted as it is: ';

/** Why a finding is blocked that was accepted without its issue. */
export function acceptedReason(key: string): string {
  return `${ACCEPTED}${key} was deleted in Jira.`;
}

type Gone = { key: string; missing?: boolean; status: FindingStatus; reason?: string | null };

/** Why a finding with the issue `key` cannot be pushed, and what can be done, where that issue is not in Jira any more; else null. */
export function goneReason({ key, missing, status, reason }: Gone): string | null {
  if (missing) return missingReason(key);
  if (status !== 'blocked' || !reason?.startsWith(ACCEPTED)) return null;
  return `It was accepted as it is when ${key} was deleted in Jira. To push it anew, unlink ${key} first: the finding is open again then.`;
}
