// The words that every part of Recheck shares. Sets are only ever added to: other programs rely on them.

export const findingStatuses = [
  'open',
  'awaiting_approval',
  'pushing',
  'push_failed',
  'awaiting_fix',
  'needs_rerun',
  'verified',
  'resolved',
  'blocked',
] as const;
export type FindingStatus = (typeof findingStatuses)[number];

/** `reconnect_required`: Jira no longer takes its credentials; what needs them is held. */
export type ConnectionStatus = 'connected' | 'reconnect_required' | 'disconnected';

export const severities = ['critical', 'serious', 'moderate', 'minor'] as const;
export type Severity = (typeof severities)[number];

export const roles = ['owner', 'admin', 'member'] as const;
export type Role = (typeof roles)[number];

/** What a person waits for goes before what runs in the background. */
export type PushLane = 'interactive' | 'bulk';

export const pushStatuses = ['awaiting_approval', 'running', 'completed', 'cancelled', 'rejected', 'expired'] as const;
export type PushStatus = (typeof pushStatuses)[number];

export const pushOutcomes = ['pending', 'created', 'reused', 'refused', 'failed', 'held', 'cancelled'] as const;
export type PushOutcome = (typeof pushOutcomes)[number];

export const sessionStatuses = ['planned', 'in_progress', 'completed', 'cancelled'] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

/** What a person or a report may say of a case; `withdrawn` is said by the lifecycle alone. */
export const givenVerdicts = ['pass', 'fail', 'skip', 'unstable'] as const;
export type GivenVerdict = (typeof givenVerdicts)[number];
export const verdicts = [...givenVerdicts, 'withdrawn'] as const;
export type Verdict = (typeof verdicts)[number];

/** What can become of a finding whose issue was deleted in Jira. */
export const missingDecisions = ['recreate', 'accept', 'drop'] as const;
export type MissingDecision = (typeof missingDecisions)[number];

/** Every event of the history of a finding. What is said of each in Slack: bot/blocks/words.ts. */
export const auditEvents = [
  'found',
  'seen again',
  'regressed',
  'absent',
  'approval_asked',
  'approval_rejected',
  'approval_expired',
  'approval_cancelled',
  'push_approved',
  'push_asked',
  'pushed',
  'push_reused',
  'push_refused',
  'push_failed',
  'push_held',
  'push_resumed',
  'push_cancelled',
  'linked',
  'unlinked',
  'moved',
  'issue_missing',
  'issue_found',
  'missing_asked',
  'recreate_asked',
  'accepted',
  'dropped',
  'duplicate_issues',
  'places_changed',
  'evidence_attached',
  'evidence_refused',
  'read_failed',
  'read_again',
  'comment_held',
  'comment_made',
  'comment_failed',
  'reopen_held',
  'reopen_failed',
  'claimed',
  'resolved',
  'reopened',
  'reopened_by_recheck',
  'reopen_refused',
  'blocked',
  'verified',
  'verdict_fail',
  'verdict_skip',
  'verdict_unstable',
  'verdict_late',
] as const;
export type AuditEvent = (typeof auditEvents)[number];

export const groupings = ['rule', 'page', 'element'] as const;
export type Grouping = (typeof groupings)[number];

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** How the issues of a source are written. Texts may hold placeholders such as `{title}`: issue-template.ts. */
export type IssueTemplate = {
  /** Absent: the finding's title. */
  summary?: string;
  /** Absent: the standard description. */
  description?: string;
  /** Jira field id -> value as Jira's API takes it, for fields that the project requires and nothing else fills. */
  fields: { [fieldId: string]: JsonValue };
};

/** The sync rule of a source. */
export type SyncRule = {
  enabled: boolean;
  projectKey: string | null;
  issueType: string;
  severities: Severity[];
  autoPush: boolean;
  labels: string[];
  component: string | null;
  assignee: string | null;
  priorities: Partial<Record<Severity, string>>;
  onJiraDone: 'verify' | 'resolve';
  onVerifyFail: 'comment' | 'reopen';
  grouping: Grouping;
  approval: 'none' | 'all' | { bulkOver: number };
  verifier: 'person' | 'report';
  /** Ids of the connections that a person may choose for a push, beside the source's own; absent: none. */
  otherConnections?: string[];
  template?: IssueTemplate;
};

/** The priority of a severity that a rule maps to none; where the project has none of that name, Jira's default. */
export const defaultPriorities: Readonly<Record<Severity, string>> = {
  critical: 'Highest',
  serious: 'High',
  moderate: 'Medium',
  minor: 'Low',
};

/** The rule that a new source starts with: opted out, so that nothing flows before somebody says so. */
export const defaultRule: SyncRule = {
  enabled: false,
  projectKey: null,
  issueType: 'Bug',
  severities: ['critical', 'serious', 'moderate', 'minor'],
  autoPush: false,
  labels: [],
  component: null,
  assignee: null,
  priorities: {},
  onJiraDone: 'verify',
  onVerifyFail: 'comment',
  grouping: 'rule',
  approval: 'none',
  verifier: 'person',
};
