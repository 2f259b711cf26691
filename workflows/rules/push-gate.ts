import type { FindingStatus, Severity, SyncRule } from './vocabulary';

/** Everything that decides whether a finding may be pushed, read in one go. */
export type PushCandidate = {
  severity: Severity;
  status: FindingStatus;
  /** The key of the active link's issue, or null; `''` while the issue is being created. */
  jiraKey: string | null;
  rule: SyncRule;
  connection: { status: string } | null;
};

export type PushDecision = { kind: 'create' } | { kind: 'reuse'; jiraKey: string } | { kind: 'refuse'; reason: string };

/** The one decision whether a finding may flow to Jira, with the reason where not (features P1, R1, R2). */
export function pushDecision(candidate: PushCandidate): PushDecision {
  const { rule, connection } = candidate;
  if (candidate.jiraKey) return { kind: 'reuse', jiraKey: candidate.jiraKey };
  const reason = refusal(candidate, rule, connection);
  return reason === null ? { kind: 'create' } : { kind: 'refuse', reason };
}

function refusal(candidate: PushCandidate, rule: SyncRule, connection: PushCandidate['connection']): string | null {
  if (!rule.enabled) return 'The source is excluded from sync. An admin can enable it in its sync rule.';
  if (!connection) return 'The source has no Jira connection. An admin can set one in its sync rule.';
  if (!rule.projectKey) return 'The source has no Jira project key. An admin can set one in its sync rule.';
  if (!rule.severities.includes(candidate.severity)) {
    return `Its severity, ${candidate.severity}, is not among those that the source lets through (${rule.severities.join(', ') || 'none'}).`;
  }
  if (connection.status === 'disconnected') return 'The Jira connection was disconnected. Connect Jira again first.';
  if (candidate.status === 'resolved') return 'It is resolved: the last report no longer found it.';
  if (candidate.status === 'blocked') return 'It is blocked: Jira closed it as not to be fixed.';
  if (candidate.status === 'verified') return 'It is verified as fixed.';
  return null;
}
