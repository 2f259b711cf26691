// The steps of a connection's sync: what changed in Jira since the last poll, and whether the tracked issues are there.
// What a poll finds is handed on as deliveries, so that the lifecycles read and decide; nothing here writes a finding.

import { heartbeat } from '@temporalio/activity';
import type { Db } from '../prisma/client';
import type { IssueToRead, TrackedIssue } from '../prisma/sync';
import { issueStatus, saysOther } from '../workflows/rules/issue-status';
import { mappingOf } from '../workflows/rules/mapping-lists';
import { wouldChange } from '../workflows/rules/next-step';
import { type IssueReading, issueMeaning } from '../workflows/rules/status-mapping';
import type {
  ChangesPage,
  ChangesSearch,
  ConnectionRef,
  IssueCheck,
  Step,
  SyncReason,
  SyncStart,
  WebhookOutcome,
} from '../workflows/sync-contract';
import type { Engine } from './engine';
import type { JiraClient } from './jira/client';
import { JiraError } from './jira/errors';
import type { JiraIssue } from './jira/schemas';
import type { JiraAccess } from './jira-access';
import { createJiraWebhooks } from './jira-webhooks';
import { jiraStep } from './sync-step';

export type SyncDeps = {
  db: Pick<Db, 'connections' | 'evidence' | 'lifecycle' | 'pushes' | 'sync'>;
  jira: Pick<JiraAccess, 'clientFor'>;
  engine: Pick<Engine, 'setAutoSync' | 'attachEvidence'>;
  baseUrl: string;
  sync: SyncSettings;
};
export type SyncSettings = {
  /** How many issues one poll looks at whether they are there. */
  checks: number;
  /** By how many milliseconds Jira's search index may run behind. */
  indexLagMs: number;
};

type ReadChanges = ConnectionRef & { since: string; startedAt: string; next: ChangesSearch | null };

/** A request of `bulkfetch` takes at most 100 issues (Jira Cloud platform REST API v3). */
const CHUNK = 100;
const AT_ONCE = 1000;
const MINUTE = 60_000;
const FIELDS = ['status', 'resolution', 'project', 'updated'];

/** Reasons that poll a connection without auto sync too: somebody asked, or something was missed. */
const POLLING: SyncReason[] = ['asked', 'restored', 'connected', 'hint', 'second_look'];

/** Reasons that may go with a change of the switch. */
const SWITCHING: SyncReason[] = ['routing', 'connected', 'restored', 'asked'];

/** The activities of a sync. */
export function createSyncActivities({ db, jira, engine, baseUrl, sync }: SyncDeps) {
  const webhooks = createJiraWebhooks({ db, jira, baseUrl });

  return {
    /**
     * Says what is to be done, and releases the pushes that were held while the connection did not work. The schedule
     * of its poll follows the switch of the connection, and ends with it.
     */
    async beginSync(input: ConnectionRef & { reasons: SyncReason[] }): Promise<SyncStart> {
      const { organisationId, connectionId, reasons } = input;
      const found = await db.sync.beginning(connectionId);
      const autoSync = found?.autoSync ?? false;
      if (reasons.some((reason) => SWITCHING.includes(reason)) || (reasons.includes('schedule') && !autoSync)) {
        await engine.setAutoSync({ organisationId, connectionId, autoSync });
      }
      if (!found) return { kind: 'gone' };
      if (found.status !== 'connected') return { kind: 'broken' };
      await db.pushes.releaseHeld(connectionId);
      await wake({ db, engine }, input);
      const isForPolling = reasons.some((reason) => reason !== 'routing');
      return {
        kind: 'ready',
        siteUrl: found.siteUrl,
        isOauth: found.kind === 'oauth',
        polls: isForPolling && (autoSync || reasons.some((reason) => POLLING.includes(reason))),
        since: found.polledUntil?.toISOString() ?? null,
        startedAt: found.now.toISOString(),
      };
    },

    /** Has Jira tell of changes in the projects of an OAuth connection. */
    async ensureWebhook({ connectionId }: ConnectionRef): Promise<Step<WebhookOutcome>> {
      return await jiraStep({ db, connectionId }, () => webhooks.ensure(connectionId));
    },

    /** One page of what changed in the tracked projects; hands on what would change a finding. */
    async readChanges(input: ReadChanges): Promise<Step<ChangesPage>> {
      return await jiraStep({ db, connectionId: input.connectionId }, async () => {
        const client = await jira.clientFor(input.connectionId);
        const minutes = Math.ceil((Date.parse(input.startedAt) - Date.parse(input.since) + sync.indexLagMs) / MINUTE);
        const page = input.next
          ? { jql: input.next.jql, found: await search(client, input.next) }
          : await firstPage({ db, client, connectionId: input.connectionId, minutes: minutes + 1 });
        if (!page) return { seen: 0, handedOn: 0, next: null };
        const { jql, found } = page;
        const issues = await withTracked(db, input.connectionId, found.issues);
        const handedOn = await handOnChanged(db, input, issues);
        const { nextPageToken } = found;
        const next = nextPageToken ? { jql, pageToken: nextPageToken } : null;
        return { seen: found.issues.length, handedOn, next };
      });
    },

    /**
     * Looks whether tracked issues are there, and where: a share of them, or (`everything`) up to 1000 of those that
     * were not looked at since the sync started. Hands on what is gone, moved or otherwise would change a finding.
     */
    async checkIssues(input: ConnectionRef & { startedAt: string; everything: boolean }): Promise<Step<IssueCheck>> {
      const { connectionId, startedAt, everything } = input;
      return await jiraStep({ db, connectionId }, async () => {
        const limit = everything ? AT_ONCE : sync.checks;
        const tracked = limit > 0 ? await db.sync.unchecked(connectionId, { before: new Date(startedAt), limit }) : [];
        const total: IssueCheck = { lookedAt: 0, handedOn: 0, absent: 0, lostProjects: [] };
        if (tracked.length === 0) return total;
        const client = await jira.clientFor(connectionId);
        const absence = createAbsence({ db, client, connectionId });
        for (let from = 0; from < tracked.length; from += CHUNK) {
          const chunk = tracked.slice(from, from + CHUNK);
          const looked = await look({ client, chunk });
          const gone = await absence.confirmed(looked.absent);
          const handedOn = await handOnChanged(db, input, looked.present);
          const missing = gone.filter((issue) => matters(issue, { kind: 'missing' }, null));
          await db.sync.handOn(
            input,
            missing.map(({ jiraIssueId }) => ({ jiraIssueId, version: 'absent' })),
          );
          // Stamped when all is done: what was not looked at to its end is looked at again.
          await db.sync.checked(
            connectionId,
            chunk.map(({ jiraIssueId }) => jiraIssueId),
          );
          total.lookedAt += chunk.length;
          total.handedOn += handedOn + missing.length;
          total.absent += looked.absent.length;
          heartbeat(total.lookedAt);
        }
        return { ...total, lostProjects: absence.lost() };
      });
    },

    /** Stores how the poll ended: changes up to its start are known, or why they are not. */
    async endSync(input: ConnectionRef & { startedAt: string; error: string | null }): Promise<{ isBroken: boolean }> {
      const { connectionId: id, startedAt, error } = input;
      await db.connections.notePoll({ id, error, ...(error === null ? { polledUntil: new Date(startedAt) } : {}) });
      const now = await db.sync.beginning(id);
      return { isBroken: now !== null && now.status !== 'connected' };
    },
  };
}

/** Has go on what was held while the connection did not work: at once, and not only when it is next tried. */
async function wake({ db, engine }: Pick<SyncDeps, 'db' | 'engine'>, input: ConnectionRef & { reasons: SyncReason[] }) {
  const { organisationId, connectionId, reasons } = input;
  const isBack = reasons.includes('restored') || reasons.includes('connected');
  // Pictures wait for credentials in workflows of their own, whose pauses may have grown long.
  const lacking = isBack ? await db.evidence.lackingAt(connectionId) : [];
  await Promise.all(lacking.map((findingId) => engine.attachEvidence({ organisationId, findingId })));
  if (isBack || reasons.includes('asked')) await db.sync.wakeHeld({ organisationId, connectionId });
  // It may have adopted the links of one that was ended.
  if (reasons.includes('connected')) await db.sync.redrawCards(connectionId);
}

type Found = { tracked: TrackedIssue; issue: JiraIssue };

/** Whether the lifecycle would do anything about its issue saying this. */
function matters(tracked: TrackedIssue, reading: IssueReading, mapping: unknown): boolean {
  const { state, onJiraDone, jiraKey, projectKey } = tracked;
  const key = reading.kind === 'found' ? reading.key : jiraKey;
  const meaning = issueMeaning(reading, mappingOf(mapping, projectOf(key) || projectKey));
  return wouldChange(state, { meaning, key, onJiraDone });
}

/** Project keys have no hyphen. */
function projectOf(issueKey: string): string {
  return issueKey.split('-')[0] ?? '';
}

async function handOnChanged(db: SyncDeps['db'], ref: ConnectionRef, found: Found[]): Promise<number> {
  if (found.length === 0) return 0;
  const connection = await db.connections.find(ref.organisationId, ref.connectionId);
  const forCards: Parameters<typeof db.lifecycle.noteIssueStatus>[0] = [];
  const changed: IssueToRead[] = found.flatMap(({ tracked, issue }) => {
    const { key = tracked.jiraKey, fields } = issue;
    const status = fields?.status;
    // An issue that says no status says nothing; the next look asks again.
    if (!status) return [];
    const category = status.statusCategory.key;
    const reading: IssueReading = { kind: 'found', key, category, status, resolution: fields.resolution ?? null };
    const says = issueStatus(reading);
    const isForCard = !matters(tracked, reading, connection?.mapping);
    if (!isForCard) return [{ jiraIssueId: tracked.jiraIssueId, version: fields.updated ?? '' }];
    // A search may run behind: the next poll looks at its last minutes again.
    if (saysOther(tracked.said, says)) forCards.push({ linkId: tracked.linkId, ...says });
    return [];
  });
  await db.lifecycle.noteIssueStatus(forCards);
  await db.sync.handOn(ref, changed);
  return changed.length;
}

async function withTracked(db: SyncDeps['db'], connectionId: string, issues: JiraIssue[]): Promise<Found[]> {
  const ids = issues.map(({ id }) => id);
  const tracked = new Map((await db.sync.trackedAmong(connectionId, ids)).map((each) => [each.jiraIssueId, each]));
  return issues.flatMap((issue) => {
    const known = tracked.get(issue.id);
    return known ? [{ tracked: known, issue }] : [];
  });
}

async function look({ client, chunk }: { client: JiraClient; chunk: TrackedIssue[] }) {
  const ids = chunk.map(({ jiraIssueId }) => jiraIssueId);
  const { issues } = await client.bulkFetch(ids, FIELDS);
  const byId = new Map(issues.map((issue) => [issue.id, issue]));
  const present: Found[] = [];
  const absent: TrackedIssue[] = [];
  for (const tracked of chunk) {
    const issue = byId.get(tracked.jiraIssueId);
    if (issue) present.push({ tracked, issue });
    else absent.push(tracked);
  }
  return { present, absent };
}

type Site = { db: SyncDeps['db']; client: JiraClient; connectionId: string };

/**
 * What is not in an answer is deleted, or only not visible. Before anything is called gone the credentials are proved,
 * and the project must be visible; a project that is not is marked as lost, and its issues are left in peace.
 */
function createAbsence(site: Site) {
  const visible = new Map<string, boolean>();
  let isProved = false;
  return {
    async confirmed(absent: TrackedIssue[]): Promise<TrackedIssue[]> {
      if (absent.length === 0) return [];
      if (!isProved) await site.client.myself();
      isProved = true;
      for (const key of new Set(absent.map(({ projectKey }) => projectKey))) {
        if (!visible.has(key)) visible.set(key, await isVisible(site, key));
      }
      return absent.filter(({ projectKey }) => visible.get(projectKey));
    },
    lost: () => [...visible].flatMap(([key, isSeen]) => (isSeen ? [] : [key])),
  };
}

/** Whether the account sees a project; marks it as lost where it does not. */
async function isVisible({ db, client, connectionId }: Site, projectKey: string): Promise<boolean> {
  try {
    await client.project(projectKey);
    return true;
  } catch (error) {
    if (!(error instanceof JiraError) || error.kind !== 'not-found') throw error;
    await db.connections.lostProject({ id: connectionId, projectKey, detail: lostDetail(projectKey) });
    return false;
  }
}

function lostDetail(projectKey: string): string {
  return (
    `Recheck cannot see the Jira project ${projectKey} any more: it was deleted, archived or renamed, or the connecting ` +
    'account lost the permission Browse Projects. Findings stay as they are until it is visible again.'
  );
}

/** The first page of the search, without projects that turn out to be lost; null where no project is tracked. */
async function firstPage(input: Site & { minutes: number }) {
  const { db, client, connectionId, minutes } = input;
  const projects = (await db.sync.projects(connectionId)).tracked;
  if (projects.length === 0) return null;
  const jql = changedJql(projects, minutes);
  try {
    return { jql, found: await search(client, { jql }) };
  } catch (error) {
    // Jira refuses a search as a whole when one of its projects is unknown to the account.
    if (!(error instanceof JiraError) || error.kind !== 'rejected') throw error;
    const seen: string[] = [];
    for (const key of projects) if (await isVisible(input, key)) seen.push(key);
    if (seen.length === projects.length) throw error;
    if (seen.length === 0) return null;
    const rest = changedJql(seen, minutes);
    return { jql: rest, found: await search(client, { jql: rest }) };
  }
}

/** Relative, because JQL's dates are in the time zone of the account; Jira takes them to the minute. */
function changedJql(projects: string[], minutes: number): string {
  const list = projects.map((key) => `"${key}"`).join(', ');
  return `project in (${list}) AND updated >= -${minutes}m ORDER BY key ASC`;
}

function search(client: JiraClient, { jql, pageToken }: { jql: string; pageToken?: string }) {
  return client.searchJql({ jql, fields: FIELDS, maxResults: AT_ONCE, nextPageToken: pageToken });
}
