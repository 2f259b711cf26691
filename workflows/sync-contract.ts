// What is said about synchronising a connection and about maintenance: ids, messages and their types. The sync of a
// connection is a workflow of its own, beside the lifecycles; it hands findings on and never writes their status.

import { defineSignal } from '@temporalio/workflow';

/**
 * Why a connection is synchronised: by its schedule, or because of what somebody did. `hint`: Jira said that something
 * changed, and not what; `second_look` follows it, when the search index knows.
 */
export type SyncReason = 'schedule' | 'asked' | 'restored' | 'routing' | 'hint' | 'second_look' | 'connected';

export type ConnectionRef = { organisationId: string; connectionId: string };
export type SyncInput = ConnectionRef & {
  /** A run that is started by a signal has none: the signals bring them. */
  reasons: SyncReason[];
  /** Milliseconds by which Jira's search index may run behind its issues. */
  indexLagMs: number;
};
/** How a run ended. `broken` is left to the maintenance, which starts another when the connection works again. */
export type SyncResult = { ended: 'done' | 'broken' | 'gone' | 'failed'; handedOn: number; lookedAt: number };

export type MaintenanceInput = { intervalMs: number; daily?: boolean };

export const syncWorkflowId = (connectionId: string) => `sync:${connectionId}`;
export const maintenanceWorkflowId = 'maintenance';

/** A reason more. Level-triggered: any number of them are worked off by one round. */
export const syncSignal = defineSignal<[SyncReason]>('sync');

/** What a step of a sync comes back with: its result, or how long Jira wants to be left alone (milliseconds). */
export type Step<T> = ({ kind: 'done' } & T) | { kind: 'wait'; waitMs: number };

export type SyncStart =
  | { kind: 'ready'; siteUrl: string; isOauth: boolean; polls: boolean; since: string | null; startedAt: string }
  /** Disconnected. */
  | { kind: 'gone' }
  /** Its credentials do not work. */
  | { kind: 'broken' };
/** The search as it was begun: later pages are asked for in the same words. */
export type ChangesSearch = { jql: string; pageToken: string };
export type ChangesPage = { seen: number; handedOn: number; next: ChangesSearch | null };
export type IssueCheck = { lookedAt: number; handedOn: number; absent: number; lostProjects: string[] };
export type WebhookOutcome = { webhook: 'none' | 'kept' | 'renewed' | 'registered' | 'refused'; projects: string[] };
