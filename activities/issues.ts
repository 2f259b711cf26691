// Issues in Jira: making exactly one, and finding it again. What happens to it later: issue-follow-up.ts.

import type { Db } from '../prisma/client';
import type { IssueMaterial } from '../prisma/findings';
import type { LinkedIssue } from '../workflows/rules/lifecycle';
import type { PushLane } from '../workflows/rules/vocabulary';
import type { Engine } from './engine';
import type { JiraClient } from './jira/client';
import { JiraError, toActivityFailure } from './jira/errors';
import { issueFields, MARKER_PROPERTY, OPTIONAL_FIELDS } from './jira/issue-content';
import type { JiraAccess } from './jira-access';
import { createSlotLine, untilSlot } from './slot-line';

export type IssueDeps = {
  db: Pick<Db, 'connections' | 'findings' | 'lifecycle'>;
  jira: JiraAccess;
  baseUrl: string;
  pushIntervalMs: number;
  engine: Pick<Engine, 'attachEvidence'>;
};

type LinkRef = { organisationId: string; linkId: string };
type CreateAttempt = LinkRef & { attempt: number; lane?: PushLane | undefined };

/** How one attempt to create an issue ended. */
export type CreateAnswer =
  | { kind: 'created'; key: string }
  /** Jira said no, in a way that trying again does not change; the push ends as `failed`. */
  | { kind: 'refused'; reason: string }
  /** Not executed, because the credentials are dead: it can be sent once they are replaced. */
  | { kind: 'held'; reason: string }
  /** Not sent, so that the attempt can still be used: the connection's turn is far off, or Jira wants no calls now. */
  | { kind: 'no_slot'; waitMs: number }
  /** Sent, and surely not executed: rate limited, or nobody there. */
  | { kind: 'not_executed'; waitMs: number }
  /** Sent, and the answer is lost: the issue may or may not exist. */
  | { kind: 'ambiguous' };

/** The activities that make an issue and find it again. */
export function createIssueActivities({ db, jira, baseUrl, engine, pushIntervalMs: intervalMs }: IssueDeps) {
  const slotFor = createSlotLine({ takeSlot: db.connections.takeSlot });
  return {
    /**
     * One attempt to create the issue of a link; sends at most once per attempt, however often it is called, and once
     * more without a field that Jira has refused, while the attempt is still the open one. Whatever Jira says is returned; trouble of our own (PostgreSQL is away) is thrown, which the workflow takes as ambiguous.
     */
    async createIssue({ organisationId, linkId, attempt, lane = 'interactive' }: CreateAttempt): Promise<CreateAnswer> {
      try {
        const material = await db.findings.issueMaterial({ linkId });
        if (material.state === 'linked' && material.jiraKey) return { kind: 'created', key: material.jiraKey };
        const { connectionId } = material;
        const content = await contentOf({ jira, baseUrl }, material);
        const client = await jira.clientFor(connectionId);
        // Creates of one connection start a little apart, over all processes.
        const slot = await slotFor({ connectionId, intervalMs, lane });
        // Waits for a near turn; of a far one, this says how far.
        const waitMs = await untilSlot(slot, () => db.connections.blockedMs(connectionId));
        if (waitMs > 0) return { kind: 'no_slot', waitMs };
        // The fence: marks the attempt as sent, for one caller alone, and only while no later attempt is open.
        // Whoever comes second cannot know what became of the first.
        if (!(await db.lifecycle.fenceSend({ linkId, attempt }))) return { kind: 'ambiguous' };
        const mayRepeat = () => db.lifecycle.fenceAgain({ linkId, attempt });
        const issue = await createOnce(client, content, mayRepeat);
        if (!issue) return { kind: 'ambiguous' };
        // Should this fail, the marker finds the issue.
        await db.lifecycle.storeIssue({ linkId, issueId: issue.id, key: issue.key });
        await attachPicturesLater(engine, material, organisationId);
        return { kind: 'created', key: issue.key };
      } catch (error) {
        // Returns what Jira said, or that the answer was lost; throws the rest.
        return await createFailed({ db, jira, linkId, attempt, error });
      }
    },

    /** Searches Jira for the marker of a link; the lowest id is adopted. A miss proves nothing: the index lags. */
    async findIssue({ organisationId, linkId }: LinkRef): Promise<{ issue: LinkedIssue | null }> {
      try {
        const material = await db.findings.issueMaterial({ linkId });
        if (material.state === 'linked' && material.jiraKey) return { issue: { linkId, key: material.jiraKey } };
        const client = await jira.clientFor(material.connectionId);
        const found = await issuesByMarker(client, material);
        const first = found[0];
        if (!first) return { issue: null };
        await db.lifecycle.storeIssue({ linkId, issueId: first.id, key: first.key });
        await attachPicturesLater(engine, material, organisationId);
        return { issue: { linkId, key: first.key } };
      } catch (error) {
        throw toActivityFailure(error);
      }
    },
  };
}

/** The issue is there: its finding's pictures follow. Never throws: a sweep looks after those that nobody could be told of. */
async function attachPicturesLater(
  engine: IssueDeps['engine'],
  { isPictured, finding }: IssueMaterial,
  organisationId: string,
): Promise<void> {
  if (!isPictured) return;
  await engine.attachEvidence({ organisationId, findingId: finding.id }).catch(() => undefined);
}

/**
 * Sends a new issue. Jira's refusal of a field that is only for comfort costs that field, not the issue. Null: refused,
 * and given up by who waited for it before it could be sent without that field.
 */
async function createOnce(
  client: JiraClient,
  content: Awaited<ReturnType<typeof contentOf>>,
  mayRepeat: () => Promise<boolean>,
) {
  try {
    return await client.createIssue(content);
  } catch (error) {
    const refused = error instanceof JiraError && error.kind === 'rejected' ? Object.keys(error.fields) : [];
    if (refused.length === 0 || !refused.every((field) => OPTIONAL_FIELDS.includes(field))) throw error;
    // A refusal is a clear answer: nothing was created, so the same attempt may be sent without those fields. But this
    // took its time, and a later attempt may be on its way.
    if (!(await mayRepeat())) return null;
    const fields = Object.fromEntries(Object.entries(content.fields).filter(([field]) => !refused.includes(field)));
    return await client.createIssue({ ...content, fields });
  }
}

type Failed = Pick<IssueDeps, 'db' | 'jira'> & { linkId: string; attempt: number; error: unknown };

async function createFailed(failed: Failed): Promise<CreateAnswer> {
  const { db, linkId, attempt } = failed;
  const error = await judged(failed);
  if (!(error instanceof JiraError)) throw error;
  const isHeld = (error.kind === 'auth' || error.kind === 'scope') && error.reason !== 'disconnected';
  if (isHeld) {
    // A clear answer: nothing was created, so the resumed push has nothing to search for.
    await db.lifecycle.nextAttempt({ linkId, attempt });
    return { kind: 'held', reason: error.message };
  }
  switch (error.kind) {
    case 'ambiguous':
      return { kind: 'ambiguous' };
    case 'rate-limited':
      // The connection is blocked already, for every call of it.
      return { kind: error.reason === 'blocked' ? 'no_slot' : 'not_executed', waitMs: error.retryAfterMs ?? 5000 };
    case 'unavailable':
    case 'conflict':
      return { kind: 'not_executed', waitMs: error.retryAfterMs ?? 2000 };
    default:
      await db.lifecycle.failLink({ linkId, reason: error.message });
      return { kind: 'refused', reason: error.message };
  }
}

/** "Not found" can also mean that the gateway does not know the site (any more): only a live account's counts. */
async function judged({ db, jira, linkId, error }: Failed): Promise<unknown> {
  if (!(error instanceof JiraError) || error.kind !== 'not-found') return error;
  try {
    const { connectionId } = await db.findings.issueMaterial({ linkId });
    await (await jira.clientFor(connectionId)).myself();
    return error;
  } catch (dead) {
    return dead;
  }
}

async function contentOf({ jira, baseUrl }: Pick<IssueDeps, 'jira' | 'baseUrl'>, material: IssueMaterial) {
  const { connectionId, projectKey, rule, finding } = material;
  const target = await jira.createTarget({
    ...{ connectionId, projectKey, issueType: rule.issueType },
    needs: Object.keys(rule.template?.fields ?? {}),
    asks: [rule.component, rule.assignee, rule.priorities],
  });
  const content = issueFields({
    projectId: target.projectId,
    issueTypeId: target.issueTypeId,
    createFields: target.fields,
    finding,
    occurrences: material.occurrences,
    occurrenceCount: material.occurrenceCount,
    source: material.source,
    rule,
    note: material.note,
    findingUrl: `${baseUrl}/findings/F-${finding.number}`,
    marker: material.marker,
  });
  if (content.markerIn === 'none') {
    throw new JiraError({
      kind: 'rejected',
      operation: 'createIssue',
      message: `The create screen of ${projectKey} has neither labels nor a description, so the issue could not be found again. Add one of them to the screen.`,
    });
  }
  return { fields: content.fields, properties: content.properties };
}

async function issuesByMarker(
  client: JiraClient,
  { marker, projectKey }: IssueMaterial,
): Promise<{ id: string; key: string }[]> {
  // The property proves that an issue found by its text is ours; a label is exact in itself.
  const jql = `project = "${projectKey}" AND (labels = "${marker}" OR text ~ "${marker}")`;
  const page = await client.searchJql({ jql, fields: ['labels'], properties: [MARKER_PROPERTY], maxResults: 50 });
  return page.issues
    .filter((issue) => issue.fields?.labels?.includes(marker) || isMarked(issue.properties, marker))
    .map((issue) => ({ id: issue.id, key: issue.key ?? '' }))
    .sort((a, b) => Number(a.id) - Number(b.id));
}

function isMarked(properties: { [key: string]: unknown } | undefined, marker: string): boolean {
  const value = properties?.[MARKER_PROPERTY];
  return typeof value === 'object' && value !== null && 'marker' in value && value.marker === marker;
}
