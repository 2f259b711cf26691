import { randomUUID } from 'node:crypto';
import type { FindingExtra, FindingRow } from '../../prisma/findings';
import type { AdoptedLink } from '../../prisma/hand-links';
import { notFollowedReason } from '../../workflows/rules/describe';
import { defaultRule } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { demand, findingName, findingNumber, numberPageOf, orNotFound, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import { sourceByKey } from './sources';
import type { Caller, FindingDetail, FindingView, Operations } from './types';

type FindingOperations = Pick<
  Operations,
  'listFindings' | 'getFinding' | 'getEvidence' | 'linkFinding' | 'unlinkFinding'
>;

/** Findings: lists, one with its history, and their link to an existing issue. */
export function createFindingOperations(deps: OperationDeps): FindingOperations {
  const { db, engine, baseUrl } = deps;

  async function detail(caller: Caller, id: string): Promise<FindingDetail> {
    const row = await findingByName(db, caller, id);
    const [occurrences, evidence, history] = await Promise.all([
      db.findings.occurrences(row.id),
      db.evidence.ofFinding(row.id),
      db.findings.history(row.id),
    ]);
    return {
      ...viewOf(row),
      occurrences: occurrences.map((each) => ({
        page: each.page,
        status: each.status,
        details: each.details,
        firstSeenAt: each.firstSeenAt.toISOString(),
        lastSeenAt: each.lastSeenAt.toISOString(),
      })),
      evidence: evidence.map(({ id: evidenceId, ...each }) => ({
        ...each,
        url: `${baseUrl}/api/v1/evidence/${evidenceId}`,
      })),
      history: history.map((each) => ({ ...each, at: each.at.toISOString() })),
      reason: row.reason,
      missingSince: row.missingSince?.toISOString() ?? null,
      notFollowed: row.notFollowed ? notFollowedReason : null,
      sourceName: row.sourceName,
      sourceKind: row.sourceKind,
      verifier: row.verifier ?? defaultRule.verifier,
      claim: row.claimedAt ? { number: row.claim, by: row.claimedBy, at: row.claimedAt.toISOString() } : null,
      session: row.sessionId && row.sessionStatus ? { id: row.sessionId, status: row.sessionStatus } : null,
    };
  }

  return {
    async listFindings(caller, filter) {
      demand(caller, 'read');
      const { limit, after } = numberPageOf(filter);
      const sourceId = filter.source ? (await sourceByKey(db, caller, filter.source)).id : undefined;
      const rows = await db.findings.list(caller.organisationId, {
        sourceId,
        status: filter.status,
        after,
        limit: limit + 1,
      });
      return toPage(rows, limit, (row) => row.number, viewOf);
    },

    async getFinding(caller, id) {
      demand(caller, 'read');
      return await detail(caller, id);
    },

    async getEvidence(caller, id) {
      demand(caller, 'read');
      const found = await db.evidence.content(caller.organisationId, uuid(id, 'The picture'));
      return orNotFound(found, 'The picture', 'A finding lists its pictures under "evidence".');
    },

    async linkFinding(caller, id, jiraKey) {
      demand(caller, 'push');
      const row = await findingByName(db, caller, id);
      if (row.jiraKey === jiraKey) return await detail(caller, id);
      if (row.jiraKey) {
        throw new Refusal('conflict', 'already_linked', `${id} is linked to ${row.jiraKey}. Unlink it first.`);
      }
      const source = await sourceByKey(db, caller, row.sourceKey);
      if (!source.connectionId) {
        throw new Refusal('conflict', 'no_connection', 'The source has no Jira connection. An admin can set one.');
      }
      const linkId = await adoptIssue(deps, { caller, row, connectionId: source.connectionId, jiraKey });
      if (linkId === null) return await detail(caller, id);
      const start = await db.findings.forStart(caller.organisationId, row.id);
      await engine.link(start, { linkId, key: jiraKey, actor: { kind: 'member', id: caller.memberId } });
      if (await db.lifecycle.dropUnused({ organisationId: caller.organisationId, linkId })) {
        const message = `${id} was linked or pushed by another call at the same time. Look at it, and unlink it first to link it to ${jiraKey}.`;
        throw new Refusal('conflict', 'already_linked', message);
      }
      await engine.jiraChanged(start);
      if ((await db.evidence.lacking(caller.organisationId, [row.id])).length > 0) {
        await engine.attachEvidence({ organisationId: caller.organisationId, findingId: row.id });
      }
      return await detail(caller, id);
    },

    async unlinkFinding(caller, id) {
      demand(caller, 'push');
      const row = await findingByName(db, caller, id);
      if (!row.jiraKey) throw new Refusal('conflict', 'not_linked', `${id} is not linked to an issue.`);
      const start = await db.findings.forStart(caller.organisationId, row.id);
      await engine.unlink(start, { kind: 'member', id: caller.memberId });
      return await detail(caller, id);
    },
  };
}

/** Keeps the link; answers its id, or null where another call has linked the same issue meanwhile. */
async function adoptIssue(
  { db, jiraClient }: OperationDeps,
  input: { caller: Caller; row: FindingRow; connectionId: string; jiraKey: string },
): Promise<string | null> {
  const { caller, row, connectionId, jiraKey } = input;
  const issue = await jiraClient(connectionId)
    .then((client) => client.getIssue(jiraKey, { fields: ['project'] }))
    .catch((cause: unknown) => {
      throw unseen(jiraKey, cause);
    });
  const linkId = randomUUID();
  const outcome = await db.lifecycle.adoptLink({
    linkId,
    organisationId: caller.organisationId,
    findingId: row.id,
    connectionId,
    memberId: caller.memberId,
    issueId: issue.id,
    key: issue.key ?? jiraKey,
    projectKey: issue.fields?.project?.key ?? jiraKey.replace(/-\d+$/, ''),
  });
  if (outcome.kind === 'linked' && outcome.key === jiraKey) return null;
  if (outcome.kind !== 'adopted') throw notAdopted(outcome, { id: findingName(row.number), jiraKey });
  return linkId;
}

function notAdopted(outcome: AdoptedLink, { id, jiraKey }: { id: string; jiraKey: string }): Refusal {
  switch (outcome.kind) {
    case 'pushing':
      return new Refusal('conflict', 'push_under_way', 'It is being pushed to Jira right now. Wait for its issue.');
    case 'linked':
      return new Refusal('conflict', 'already_linked', `${id} is linked to ${outcome.key}. Unlink it first.`);
    case 'linking': {
      const message = `Another call links ${id} to ${outcome.key} right now. Look at it in a minute, and unlink it first to link another issue.`;
      return new Refusal('conflict', 'already_linked', message);
    }
    default:
      return new Refusal('conflict', 'issue_taken', `${jiraKey} is linked to another finding. Unlink it there first.`);
  }
}

function unseen(jiraKey: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.name !== 'JiraError' || !('kind' in cause)) return cause;
  if (cause.kind === 'not-found') {
    const message = `Jira does not show the issue ${jiraKey} to Recheck. Check the key.`;
    return new Refusal('not_found', 'issue_not_found', message, { cause });
  }
  const message = `The issue ${jiraKey} could not be looked up: ${cause.message}`;
  return cause.kind === 'auth' || cause.kind === 'scope'
    ? new Refusal('conflict', 'connection_broken', message, { cause })
    : new Refusal('unavailable', 'jira_unavailable', message, { cause });
}

/** The finding that a short number or a Jira key names; refuses one that is not there, and a key that names several. */
export async function findingByName(
  db: OperationDeps['db'],
  caller: Caller,
  name: string,
): Promise<FindingRow & FindingExtra> {
  const number = /^F-/i.test(name.trim()) ? findingNumber(name) : await numberByKey(db, caller, name);
  const rows = number === null ? [] : await db.findings.byNumbers(caller.organisationId, [number]);
  return orNotFound(rows[0], `The finding ${name}`, {
    http: 'Check the number; GET /api/v1/findings lists them.',
    slack: 'Check the number; `/recheck list` shows them.',
  });
}

async function numberByKey(db: OperationDeps['db'], caller: Caller, name: string): Promise<number | null> {
  const key = name.trim().toUpperCase();
  const [one, ...others] = await db.findings.byJiraKey(caller.organisationId, key);
  if (!one || others.length === 0) return one?.number ?? null;
  const found = [one, ...others];
  const where = found.map(({ number, siteUrl }) => `that of ${findingName(number)} at ${siteUrl}`).join(', ');
  const ids = found.map(({ number }) => findingName(number)).join(' or ');
  const message = `${key} is the key of several issues: ${where}. Name the finding by its number: ${ids}.`;
  throw new Refusal('conflict', 'ambiguous_key', message);
}

function viewOf(row: FindingRow): FindingView {
  return {
    id: findingName(row.number),
    title: row.title,
    rule: row.rule,
    severity: row.severity,
    status: row.status,
    fingerprint: row.key,
    source: row.sourceKey,
    occurrences: row.occurrences,
    jira: row.jiraKey && row.siteUrl ? { key: row.jiraKey, url: `${row.siteUrl}/browse/${row.jiraKey}` } : null,
    updatedAt: row.updatedAt.toISOString(),
  };
}
