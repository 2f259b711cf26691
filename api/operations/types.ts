// What can be asked of Recheck and what it answers, for HTTP and Slack alike. Shapes are those of the HTTP API.

import type { Readable } from 'node:stream';
import type {
  FindingStatus,
  GivenVerdict,
  MissingDecision,
  PushOutcome,
  PushStatus,
  Role,
  SessionStatus,
  Severity,
  SyncRule,
  Verdict,
} from '../../workflows/rules/vocabulary';
import type { ConnectionOperations } from './connection-types';

/** Who asks. Rights are checked in the operation, never at the edge. `scopes` of an API key narrow them; null = all. */
export type Caller = {
  organisationId: string;
  memberId: string;
  name: string;
  role: Role;
  via: 'http' | 'slack';
  scopes: string[] | null;
};

export type Page<T> = { items: T[]; nextCursor: string | null };
export type PageInput = { limit?: number | undefined; cursor?: string | undefined };

export type SourceView = {
  key: string;
  name: string;
  kind: 'site' | 'suite';
  connection: string | null;
  rule: SyncRule;
};
export type NewSource = {
  key: string;
  name: string;
  kind: 'site' | 'suite';
  connection?: string | undefined;
  projectKey?: string | undefined;
  rule?: Partial<SyncRule> | undefined;
};

/** The sync rule, with the connection that the source names. */
export type RuleView = SyncRule & { connection: string | null };
export type RuleChange = Partial<RuleView>;

export type ReportUpload = {
  body: Readable;
  gzip: boolean;
  idempotencyKey?: string | undefined;
  startedAt?: Date | undefined;
  scope?: 'full' | 'partial' | undefined;
  /** What files of axe-core (raw) and pa11y leave out: the page, pa11y's runners with commas, its standard. */
  page?: string | undefined;
  runner?: string | undefined;
  standard?: string | undefined;
};
export type ReportCounts = { new: number; seen: number; regressed: number; absent: number };
export type ReportView = { report: string; format: string; findings: ReportCounts };

export type IssueView = { key: string; url: string };
export type FindingView = {
  id: string;
  title: string;
  rule: string;
  severity: Severity;
  status: FindingStatus;
  fingerprint: string;
  source: string;
  occurrences: number;
  jira: IssueView | null;
  updatedAt: string;
};
export type OccurrenceView = {
  page: string | null;
  status: string;
  details: { [key: string]: unknown };
  firstSeenAt: string;
  lastSeenAt: string;
};
export type HistoryView = { at: string; actor: string; event: string; detail: string };
export type FindingDetail = Omit<FindingView, 'occurrences'> & {
  occurrences: OccurrenceView[];
  history: HistoryView[];
  /** Why it is in its status (a failed push, a block), or null. */
  reason: string | null;
  /** Since when its issue is gone from Jira and somebody has to decide what becomes of it; null otherwise. */
  missingSince: string | null;
  claim: { number: number; by: string | null; at: string } | null;
  /** The open session that holds its case, if one does. */
  session: { id: string; status: SessionStatus } | null;
};

export type PushRequest = { source: string; findings: string[] | 'all'; note?: string | undefined };
export type PushPreview = {
  create: string[];
  reuse: { finding: string; jiraKey: string }[];
  refuse: { finding: string; reason: string }[];
};
export type PushView = {
  id: string;
  status: PushStatus;
  items: { finding: string; outcome: PushOutcome; jiraKey?: string; reason?: string }[];
};

export type VerificationRow = {
  finding: string;
  title: string;
  jiraKey: string | null;
  claimedBy: string | null;
  claimedAt: string | null;
  session: { id: string; status: SessionStatus } | null;
};

export type SessionRequest = { source: string; findings: string[]; suite?: string | undefined };
export type SessionView = {
  id: string;
  source: string;
  suite: string | null;
  status: SessionStatus;
  cases: { finding: string; claim: number; verdict: Verdict | null }[];
};
export type VerdictRequest = { finding: string; verdict: GivenVerdict; note?: string | undefined };

export type MemberRequest = { name: string; role: Role; slackUserId?: string | undefined };
export type MemberView = { id: string; name: string; role: Role; slackUserId: string | null };
export type ApiKeyRequest = { member: string; name: string; scopes?: string[] | undefined };
export type ApiKeyView = {
  id: string;
  member: string;
  name: string;
  prefix: string;
  scopes: string[];
  createdAt: string;
};

/**
 * Every operation. Each checks the caller's rights first and throws `Refusal` for an expected "no".
 * Findings are named by short number (`F-12`), sources by key.
 */
export type Operations = ConnectionOperations & {
  /** The caller behind an API key; refuses unknown and revoked keys with 401. */
  callerByApiKey(key: string): Promise<Caller>;
  /** The member behind a Slack user, or null for strangers. */
  callerBySlackUser(who: { teamId: string; userId: string }): Promise<Caller | null>;

  listSources(caller: Caller, page?: PageInput): Promise<Page<SourceView>>;
  createSource(caller: Caller, source: NewSource): Promise<SourceView>;
  getRule(caller: Caller, sourceKey: string): Promise<RuleView>;
  putRule(caller: Caller, sourceKey: string, change: RuleChange): Promise<RuleView>;

  ingestReport(
    caller: Caller,
    sourceKey: string,
    upload: ReportUpload,
  ): Promise<{ repeated: boolean; report: ReportView }>;

  listFindings(
    caller: Caller,
    filter: { source?: string | undefined; status?: FindingStatus | undefined } & PageInput,
  ): Promise<Page<FindingView>>;
  getFinding(caller: Caller, id: string): Promise<FindingDetail>;
  linkFinding(caller: Caller, id: string, jiraKey: string): Promise<FindingDetail>;
  unlinkFinding(caller: Caller, id: string): Promise<FindingDetail>;
  /** The issue was deleted in Jira: a new one, block the finding as it is (admins), or go on without an issue. */
  decideMissing(caller: Caller, id: string, decision: MissingDecision): Promise<FindingDetail>;

  previewPush(caller: Caller, request: PushRequest): Promise<PushPreview>;
  /** Starts the push and answers at once; `requestId` makes a redelivered request the same push. */
  push(caller: Caller, request: PushRequest & { requestId?: string | undefined }): Promise<PushView>;
  getPush(caller: Caller, id: string): Promise<PushView>;
  /** Waits until no item is pending, at most `ms`; answers the push as it then is. */
  awaitPush(caller: Caller, id: string, ms: number): Promise<PushView>;
  decidePush(
    caller: Caller,
    id: string,
    decision: 'approve' | 'reject' | 'cancel' | 'retry',
    note?: string,
  ): Promise<PushView>;

  listVerification(caller: Caller, filter: { source?: string | undefined } & PageInput): Promise<Page<VerificationRow>>;
  createSession(caller: Caller, request: SessionRequest): Promise<SessionView>;
  getSession(caller: Caller, id: string): Promise<SessionView>;
  startSession(caller: Caller, id: string): Promise<SessionView>;
  cancelSession(caller: Caller, id: string): Promise<SessionView>;
  giveVerdicts(caller: Caller, id: string, given: VerdictRequest[]): Promise<SessionView>;
  sessionReport(caller: Caller, id: string, upload: ReportUpload): Promise<SessionView>;

  listMembers(caller: Caller, page?: PageInput): Promise<Page<MemberView>>;
  createMember(caller: Caller, request: MemberRequest): Promise<MemberView>;
  removeMember(caller: Caller, id: string): Promise<void>;
  listApiKeys(caller: Caller, page?: PageInput): Promise<Page<ApiKeyView>>;
  /** The key itself is answered this once. */
  createApiKey(caller: Caller, request: ApiKeyRequest): Promise<ApiKeyView & { key: string }>;
  revokeApiKey(caller: Caller, id: string): Promise<void>;
};
