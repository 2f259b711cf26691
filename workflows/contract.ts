// What processes say to each other through Temporal: queues, workflow ids, messages and their types.
// Wire names are the operators' words in the Temporal UI and are never renamed after release.

import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Actor, LifecycleState, VerdictGiven } from './rules/lifecycle';
import type { GivenVerdict, MissingDecision } from './rules/vocabulary';

/** Workflows, and the activities that touch PostgreSQL and Temporal itself. */
export const taskQueue = 'recheck';
/** Activities that call Jira; a queue of their own, so that a slow site holds up nothing else. */
export const jiraTaskQueue = 'recheck-jira';

export const lifecycleWorkflowId = (findingId: string) => `finding:${findingId}`;
export const pushWorkflowId = (batchId: string) => `push:${batchId}`;
export const sessionWorkflowId = (sessionId: string) => `session:${sessionId}`;

/** Durations in milliseconds; configuration, carried in the input so that a replay sees what the run saw. 0 skips a wait. */
export type Timings = {
  /** After Done, before the issue is read: people set the resolution a moment later. */
  settleMs: number;
  /** Start-to-close of one create; the HTTP timeout and the wait for a slot stay below it. */
  createTimeoutMs: number;
  /** After an ambiguous end: how long the marker is searched, and the pause between searches. */
  searchWindowMs: number;
  searchPauseMs: number;
};

export type LifecycleInput = { organisationId: string; findingId: string; timings: Timings };
export type PushInput = { batchId: string; actor: Actor };
export type PushResult =
  | { outcome: 'created' | 'reused'; jiraKey: string }
  | { outcome: 'refused' | 'failed' | 'held'; reason: string };
export type LinkInput = { linkId: string; key: string; actor: Actor };
export type UnlinkInput = { actor: Actor };
export type MissingInput = { decision: MissingDecision; actor: Actor };

/** Updates: a person waits for the answer. */
export const pushUpdate = defineUpdate<PushResult, [PushInput]>('push');
export const linkUpdate = defineUpdate<LifecycleState, [LinkInput]>('link');
export const unlinkUpdate = defineUpdate<LifecycleState, [UnlinkInput]>('unlink');
/** What becomes of a finding whose issue was deleted in Jira. */
export const missingDecidedUpdate = defineUpdate<LifecycleState, [MissingInput]>('missingDecided');
/** Signals: level-triggered ("something changed, go and read"), so a repeated or late one does no harm. */
export const jiraChangedSignal = defineSignal('jiraChanged');
export const verdictSignal = defineSignal<[VerdictGiven]>('verdict');
export const lifecycleStateQuery = defineQuery<LifecycleState>('state');

export type PushBatchInput = { organisationId: string; batchId: string; findingIds: string[]; actor: Actor };

export type SessionInput = { organisationId: string; sessionId: string };
export type VerdictInput = { findingId: string; verdict: GivenVerdict; note?: string };
export type VerdictsInput = { verdicts: VerdictInput[]; memberId: string | null; reportId: string | null };
export const startSessionUpdate = defineUpdate<void, []>('start');
export const cancelSessionUpdate = defineUpdate<void, []>('cancel');
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
