// What can be asked of Recheck and what it answers, for HTTP and Slack alike. Shapes are those of the HTTP API.

import type { Readable } from 'node:stream';
import type { PushCardView } from '../../prisma/push-cards';
import type {
  FindingStatus,
  GivenVerdict,
  IssueTemplate,
  JsonValue,
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
  /** Why nothing flows although the source is enabled; empty where all is well. */
  warnings: string[];
};
export type NewSource = {
  key: string;
  name: string;
  kind: 'site' | 'suite';
  connection?: string | undefined;
  projectKey?: string | undefined;
  rule?: Partial<SyncRule> | undefined;
};

/**
 * The sync rule, with the connection that the source names. `warnings`: what will not be as the rule says.
 * `autoPushSince`: from when on findings are pushed by themselves; null while that is off.
 */
export type RuleView = SyncRule & { connection: string | null; warnings: string[]; autoPushSince: string | null };
/** What is absent stays. What only Recheck says is taken along and ignored, so that a rule as read can be sent back. */
export type RuleChange = Partial<Omit<RuleView, 'warnings' | 'autoPushSince' | 'template'>> & {
  template?: IssueTemplate | null;
  warnings?: unknown;
  autoPushSince?: unknown;
};

export type Choice = { id: string; name: string };
/** All that a form for a sync rule offers, as Jira has it now. */
export type RuleForm = {
  source: { key: string; name: string; kind: 'site' | 'suite' };
  rule: RuleView;
  /** `projectKey`: where pushes go that choose the connection. */
  connections: { id: string; name: string; status: string; projectKey: string }[];
  projects: { key: string; name: string }[];
  issueTypes: Choice[];
  priorities: Choice[];
  components: Choice[];
  /** Fields that Jira requires and that have no default, with the value that the template gives. */
  required: (Choice & { type: string | null; allowedValues: Choice[]; value: JsonValue | null })[];
  placeholders: { name: string; meaning: string }[];
  /** Why there is nothing to choose from, with cause and cure; null where Jira answered. */
  problem: string | null;
};
/** What the form is asked about, where that is not what the rule says. */
export type RuleFormQuery = {
  connection?: string | undefined;
  projectKey?: string | undefined;
  issueType?: string | undefined;
};
export type IssuePreviewRequest = { template?: IssueTemplate | undefined; finding?: string | undefined };
/** An issue as the rule would make it; the description as plain text. `finding` is null for an example. */
export type IssuePreviewView = {
  finding: string | null;
  summary: string;
  description: string;
  labels: string[];
  priority: string | null;
  component: string | null;
  fields: { [fieldId: string]: unknown };
  /** What is cut, because Jira takes no more. */
  warnings: string[];
};

export type ReportUpload = {
  body: Readable;
  gzip: boolean;
  /** The Content-Type of a multipart form with a report and pictures; absent where the body is the report. */
  form?: string | undefined;
  idempotencyKey?: string | undefined;
  startedAt?: Date | undefined;
  scope?: 'full' | 'partial' | undefined;
  /** What files of axe-core (raw) and pa11y leave out: the page, pa11y's runners with commas, its standard. */
  page?: string | undefined;
  runner?: string | undefined;
  standard?: string | undefined;
};
export type ReportCounts = { new: number; seen: number; regressed: number; absent: number };
/** What became of the pictures of an upload; `unused` are those that are not kept, and why. */
export type PicturesView = { kept: number; unused: { name: string; reason: string }[] };
export type ReportView = { report: string; format: string; findings: ReportCounts; pictures?: PicturesView };

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
/** A picture of a finding; its bytes are at `url`, for the same callers. */
export type EvidenceView = { name: string; contentType: string; size: number; url: string };
export type EvidenceFile = { name: string; contentType: string; content: Buffer };
export type HistoryView = { at: string; actor: string; event: string; detail: string };
export type FindingDetail = Omit<FindingView, 'occurrences'> & {
  occurrences: OccurrenceView[];
  evidence: EvidenceView[];
  history: HistoryView[];
  /** Why it is in its status (a failed push, a block), or null. */
  reason: string | null;
  /** Since when its issue is gone from Jira and somebody has to decide what becomes of it; null otherwise. */
  missingSince: string | null;
  /** Why nothing that happens to its issue in Jira counts any more, with the cure; null where it does. */
  notFollowed: string | null;
  sourceName: string;
  sourceKind: 'site' | 'suite';
  /** `report`: nobody can pass its re-run by hand. */
  verifier: SyncRule['verifier'];
  claim: { number: number; by: string | null; at: string } | null;
  /** The open session that holds its case, if one does. */
  session: { id: string; status: SessionStatus } | null;
};

export type PushRequest = {
  source: string;
  findings: string[] | 'all';
  note?: string | undefined;
  /** Another connection than the source's, among those that its rule allows; the issues are made in its project. */
  connection?: string | undefined;
};
export type NewPushRequest = PushRequest & {
  /** Makes a redelivered request the same push. */
  requestId?: string | undefined;
};
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

/** What can be picked for a push of a source: each with what a person chooses by. */
export type PushChoice = {
  finding: string;
  title: string;
  rule: string;
  severity: Severity;
  /** How many pages (or test files) it is on. */
  pages: number;
  wcag: string[];
};
export type PushChoices = {
  source: { key: string; name: string };
  projectKey: string | null;
  /** Where else a push may go that says so: the connections that the rule allows beside the source's. */
  others: { connection: string; name: string; projectKey: string; status: string }[];
  /** Every finding that is ready, the most severe first. */
  ready: PushChoice[];
  /** Why what is pushed now waits before it goes to Jira, and what ends that; null where it goes at once. */
  held: string | null;
  linked: number;
  refused: { reason: string; count: number; findings: string[] }[];
};

/** A push as its message in Slack shows it. */
export type PushSummary = PushCardView;

export type VerificationRow = {
  finding: string;
  title: string;
  jiraKey: string | null;
  claimedBy: string | null;
  claimedAt: string | null;
  session: { id: string; status: SessionStatus } | null;
  /** Of the last re-run since the claim; null before one. */
  lastVerdict: Exclude<GivenVerdict, 'pass'> | null;
};

export type SessionRequest = { source: string; findings: string[]; suite?: string | undefined };
export type SessionView = {
  id: string;
  source: string;
  suite: string | null;
  status: SessionStatus;
  verifier: SyncRule['verifier'];
  cases: { finding: string; claim: number; verdict: Verdict | null }[];
  /** In the answer to a report that came with pictures. */
  pictures?: PicturesView;
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
  /** What a form for the rule offers; asks Jira, and says so where it does not answer. */
  ruleForm(caller: Caller, sourceKey: string, query?: RuleFormQuery): Promise<RuleForm>;
  /** What the issue of a finding (or of an example) would say, with the rule's template or another. */
  previewIssue(caller: Caller, sourceKey: string, request?: IssuePreviewRequest): Promise<IssuePreviewView>;

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
  getEvidence(caller: Caller, id: string): Promise<EvidenceFile>;
  linkFinding(caller: Caller, id: string, jiraKey: string): Promise<FindingDetail>;
  unlinkFinding(caller: Caller, id: string): Promise<FindingDetail>;
  /** The issue was deleted in Jira: a new one, block the finding as it is (admins), or go on without an issue. */
  decideMissing(
    caller: Caller,
    id: string,
    decision: MissingDecision,
  ): Promise<{ finding: FindingDetail; push: PushView | null }>;

  previewPush(caller: Caller, request: PushRequest): Promise<PushPreview>;
  /** Starts the push, or has it wait for its approval, and answers at once. */
  push(caller: Caller, request: NewPushRequest): Promise<PushView>;
  getPush(caller: Caller, id: string): Promise<PushView>;
  /** Waits until no item is pending, at most `ms`; answers the push as it then is. */
  awaitPush(caller: Caller, id: string, ms: number): Promise<PushView>;
  /** What could be picked for a push of a source, and what not, with the reasons. */
  pushChoices(caller: Caller, sourceKey: string): Promise<PushChoices>;
  /** The pushes that wait for an approval, the oldest first; at most 50. */
  waitingPushes(caller: Caller): Promise<PushSummary[]>;
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
