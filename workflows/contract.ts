// What processes say to each other through Temporal: queues, workflow ids, messages and their types.
// Wire names are the operators' words in the Temporal UI and are never renamed after release.

import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Actor, ClaimVerdict, LifecycleState } from './rules/lifecycle';
import type { GivenVerdict, MissingDecision, PushLane, PushStatus } from './rules/vocabulary';

/** Workflows, and the activities that touch PostgreSQL and Temporal itself. */
export const taskQueue = 'recheck';
/** Activities that call Jira; a queue of their own, so that a slow site holds up nothing else. */
export const jiraTaskQueue = 'recheck-jira';

export const lifecycleWorkflowId = (findingId: string) => `finding:${findingId}`;
export const pushWorkflowId = (batchId: string) => `push:${batchId}`;
export const groupedIssuesWorkflowId = (reportId: string) => `groupedIssues:${reportId}`;
export const evidenceWorkflowId = (findingId: string) => `evidence:${findingId}`;
export const sessionWorkflowId = (sessionId: string) => `session:${sessionId}`;

/** Durations in milliseconds; configuration, carried in the input so that a replay sees what the run saw. 0 skips a wait. */
export type Timings = {
  /** After the first sign of a change, before the issue is read: people set the resolution a moment after Done. */
  settleMs: number;
  /**
   * After so long an attempt to create counts as lost, and is searched for. One call and the wait for the connection's
   * turn fit into it; what Jira is asked before the first create of a rule, or again without a field, may not.
   */
  createTimeoutMs: number;
  /** After an ambiguous end: how long the marker is searched, and the pause between searches. */
  searchWindowMs: number;
  searchPauseMs: number;
};

export type LifecycleInput = { organisationId: string; findingId: string; timings: Timings };
/** Every push is a row with its findings as items, also that of one finding: `batchId` is its id. */
export type PushInput = { batchId: string; actor: Actor; lane?: PushLane };
export type PushResult =
  | { outcome: 'created' | 'reused'; jiraKey: string }
  | { outcome: 'refused' | 'failed' | 'held'; reason: string };
export type LinkInput = { linkId: string; key: string; actor: Actor };
export type UnlinkInput = { actor: Actor };
/** `askId`: where this decision is the one that counts, the answered state has it as `decidedBy`. */
export type MissingInput = { decision: MissingDecision; actor: Actor; askId?: string };

/** Updates: a person waits for the answer, for a while: what takes longer shows on the card. */
export const pushUpdate = defineUpdate<PushResult, [PushInput]>('push');
export const linkUpdate = defineUpdate<LifecycleState, [LinkInput]>('link');
export const unlinkUpdate = defineUpdate<LifecycleState, [UnlinkInput]>('unlink');
/** What becomes of a finding whose issue was deleted in Jira. */
export const missingDecidedUpdate = defineUpdate<LifecycleState, [MissingInput]>('missingDecided');
/** Signals do no harm when they are repeated or late. This one is level-triggered: "something changed, go and read". */
export const jiraChangedSignal = defineSignal('jiraChanged');
/** This one names the claim that it is about. */
export const verdictSignal = defineSignal<[ClaimVerdict]>('verdict');
export const lifecycleStateQuery = defineQuery<LifecycleState>('state');

/** What became of the approval that the push of a finding waits for; once it is given, the push itself is sent. */
export type ApprovalSaid = {
  batchId: string;
  said: 'asked' | 'rejected' | 'expired' | 'cancelled';
  actor: Actor;
  reason?: string;
};
export const approvalSignal = defineSignal<[ApprovalSaid]>('approval');

/** After how long an approval that nobody gave is asked for again, and after how long it expires, in milliseconds; 0 is never. */
export type ApprovalTimings = { remindMs: number; expireMs: number };
export type PushRef = { organisationId: string; batchId: string };
export type PushBatchInput = PushRef & {
  actor: Actor;
  approval?: ApprovalTimings;
  /** Only runs that began before items were read from PostgreSQL carry them. */
  findingIds?: string[];
};
export type ApprovalDecision = 'approve' | 'reject' | 'cancel' | 'expire';
export type DecisionInput = { memberId: string; note?: string };
/** `status` as the push is now; `decided`: this decision made it so, and not an earlier one. */
export type DecidedPush = { status: PushStatus; decided: boolean };
export const approveUpdate = defineUpdate<DecidedPush, [DecisionInput]>('approve');
export const rejectUpdate = defineUpdate<DecidedPush, [DecisionInput]>('reject');
export const cancelPushUpdate = defineUpdate<DecidedPush, [DecisionInput]>('cancel');
/** Items of the push wait again. */
export const resumePushSignal = defineSignal('resume');

/** How many places of a finding came and went by a report. */
export type PlacesChanged = { findingId: string; came: number; gone: number };
export type GroupedIssuesInput = { organisationId: string; reportId: string; changed: PlacesChanged[] };

export type EvidenceInput = { organisationId: string; findingId: string };
/** Level-triggered: "attach what is not attached yet". */
export const evidenceSignal = defineSignal('evidence');

export type SessionInput = { organisationId: string; sessionId: string };
export type VerdictInput = { findingId: string; verdict: GivenVerdict; note?: string };
export type VerdictsInput = { verdicts: VerdictInput[]; memberId: string | null; reportId: string | null };
export const startSessionUpdate = defineUpdate<void, []>('start');
export const cancelSessionUpdate = defineUpdate<void, []>('cancel');
/** Jira took the claim of a case back, which may leave the session with nothing to verify. */
export const caseWithdrawnSignal = defineSignal('caseWithdrawn');
export const verdictsUpdate = defineUpdate<void, [VerdictsInput]>('verdicts');

/** Typed search attributes; `activities/search-attributes.ts` registers them at every start. */
export const searchAttributes = {
  status: defineSearchAttributeKey('FindingStatus', 'KEYWORD'),
  severity: defineSearchAttributeKey('Severity', 'KEYWORD'),
  source: defineSearchAttributeKey('SourceKey', 'KEYWORD'),
  jiraKey: defineSearchAttributeKey('JiraKey', 'KEYWORD'),
  organisation: defineSearchAttributeKey('OrganisationId', 'KEYWORD'),
} as const;

/** What starts (or joins) the lifecycle of a finding, the same whoever starts it. */
export function lifecycleStart(
  finding: {
    organisationId: string;
    findingId: string;
    number: number;
    title: string;
    severity: string;
    sourceKey: string;
  },
  timings: Timings,
) {
  const { organisationId, findingId } = finding;
  return {
    workflowId: lifecycleWorkflowId(findingId),
    taskQueue,
    args: [{ organisationId, findingId, timings }] as [LifecycleInput],
    staticSummary: `F-${finding.number} ${finding.title}`.slice(0, 180),
    typedSearchAttributes: [
      { key: searchAttributes.severity, value: finding.severity },
      { key: searchAttributes.source, value: finding.sourceKey.slice(0, 255) },
      { key: searchAttributes.organisation, value: organisationId },
    ],
  };
}
