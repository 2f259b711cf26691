// What happens to an issue after it is there: read it, comment on it, reopen it.

import type { Db } from '../prisma/client';
import type { ConnectionRow } from '../prisma/connections';
import { issueStatus } from '../workflows/rules/issue-status';
import { mappingOf } from '../workflows/rules/mapping-lists';
import { type DonePolicy, type IssueMeaning, type IssueReading, issueMeaning } from '../workflows/rules/status-mapping';
import type { Engine } from './engine';
import type { JiraClient } from './jira/client';
import { JiraError, toActivityFailure } from './jira/errors';
import { failedComment, passedComment } from './jira/verification-comments';
import type { JiraAccess } from './jira-access';

export type FollowUpDeps = {
  db: Pick<Db, 'connections' | 'findings' | 'lifecycle' | 'sessions'>;
  jira: JiraAccess;
  engine: Pick<Engine, 'syncConnection'>;
  baseUrl: string;
};
type VerdictRef = { organisationId: string; findingId: string; linkId: string; sessionId: string; claim: number };

/** The activities that follow an issue up. */
export function createFollowUpActivities(deps: FollowUpDeps) {
  const { db, jira } = deps;
  return {
    /** Reads what an issue says now, for its card, and what that means by the mapping and the policy of its source. */
    async readIssue(input: {
      organisationId: string;
      findingId: string;
      linkId: string;
    }): Promise<{ meaning: IssueMeaning; key: string; onJiraDone: DonePolicy }> {
      try {
        const material = await db.findings.issueMaterial({ linkId: input.linkId });
        const connection = await db.connections.find(input.organisationId, material.connectionId);
        const client = await jira.clientFor(material.connectionId);
        const { jiraIssueId, projectKey } = material;
        const { project, ...reading } = await read(client, { issueId: jiraIssueId ?? '', projectKey });
        if (connection) await noteProject(deps, { connection, project, isLost: reading.kind === 'project_lost' });
        if (reading.kind === 'found' && reading.status.name !== '') {
          await db.lifecycle.noteIssueStatus([{ linkId: input.linkId, ...issueStatus(reading) }]);
        }
        return {
          meaning: issueMeaning(reading, mappingOf(connection?.mapping, project)),
          key: reading.kind === 'found' ? reading.key : (material.jiraKey ?? ''),
          onJiraDone: material.rule.onJiraDone,
        };
      } catch (error) {
        throw toActivityFailure(error);
      }
    },

    /** Puts the proof of a verdict on the issue. A comment whose answer was lost is not repeated. `gone`: no issue. */
    async commentOnIssue(input: VerdictRef & { verdict: 'pass' | 'fail' }): Promise<'gone' | undefined> {
      try {
        const { client, issueId, comment } = await commentFor(deps, input);
        await client.addComment(issueId, input.verdict === 'pass' ? passedComment(comment) : failedComment(comment));
        return undefined;
      } catch (error) {
        if (error instanceof JiraError && error.kind === 'ambiguous') return undefined;
        if (error instanceof JiraError && error.kind === 'not-found') return 'gone';
        throw toActivityFailure(error);
      }
    },

    /**
     * Moves a failed issue back to a status that is not done and says why in a comment; where Jira offers no way back
     * it only comments. The change is announced first, so that its echo is known. Repeated, it moves nothing twice.
     */
    async reopenIssue(input: VerdictRef): Promise<{ reopened: boolean; reason: string }> {
      try {
        const { client, issueId, connectionId, comment } = await commentFor(deps, input);
        const end = await moveBack(client, issueId, (target) =>
          db.connections.expectChange({
            organisationId: input.organisationId,
            connectionId,
            jiraIssueId: issueId,
            field: 'status',
            target,
          }),
        );
        await commentIfPossible(() =>
          client.addComment(issueId, failedComment({ ...comment, reopened: end.reopened })),
        );
        return end;
      } catch (error) {
        if (error instanceof JiraError && ['rejected', 'forbidden', 'conflict'].includes(error.kind)) {
          return { reopened: false, reason: error.message };
        }
        throw toActivityFailure(error);
      }
    },
  };
}

/** Takes a transition out of Done, to a status that nobody works in yet where there is one. */
async function moveBack(client: JiraClient, issueId: string, announce: (statusId: string) => Promise<void>) {
  const now = (await client.getIssue(issueId, { fields: ['status'] })).fields?.status;
  // Somebody was quicker, or the answer to an earlier try was lost.
  if (now && now.statusCategory.key !== 'done') return { reopened: true, reason: `it is in ${now.name}` };
  const back = (await client.transitions(issueId)).filter(({ to }) => to.statusCategory.key !== 'done');
  const target = back.find(({ to }) => to.statusCategory.key === 'new') ?? back[0];
  if (!target) return { reopened: false, reason: 'Jira offers no transition out of Done to this account.' };
  await announce(target.to.id);
  await client.transition(issueId, target.id);
  return { reopened: true, reason: `moved to ${target.to.name}` };
}

/** The move counts without its comment; one whose answer was lost is not repeated. */
async function commentIfPossible(send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    const needless = ['rejected', 'forbidden', 'not-found', 'conflict', 'ambiguous'];
    if (!(error instanceof JiraError) || !needless.includes(error.kind)) throw error;
  }
}

/** A reading, and the key of the project that it is about: an issue that moved has the lists of the new one. */
type Read = IssueReading & { project: string };

/**
 * What the issue says, or why nothing can be seen of it. Jira answers "not found" for what is deleted, for what may not
 * be seen, and now and then for dead credentials: only a live account that sees the project, and is told so twice,
 * proves a deletion.
 */
async function read(client: JiraClient, issue: { issueId: string; projectKey: string }): Promise<Read> {
  const found = await lookUp(client, issue);
  if (found) return found;
  await client.myself();
  const project = issue.projectKey;
  if ((await orMissing(() => client.project(project))) === null) return { kind: 'project_lost', project };
  return (await lookUp(client, issue)) ?? { kind: 'missing', project };
}

async function lookUp(client: JiraClient, { issueId, projectKey }: { issueId: string; projectKey: string }) {
  const issue = await orMissing(() => client.getIssue(issueId, { fields: ['status', 'resolution', 'project'] }));
  if (!issue) return null;
  const { status, resolution, project } = issue.fields ?? {};
  return {
    kind: 'found' as const,
    key: issue.key ?? '',
    category: status?.statusCategory.key ?? 'undefined',
    status: { id: status?.id ?? '', name: status?.name ?? '' },
    resolution: resolution ? { id: resolution.id, name: resolution.name } : null,
    project: project?.key ?? projectKey,
  };
}

async function orMissing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof JiraError && error.kind === 'not-found') return null;
    throw error;
  }
}

/** Says on the connection that a project went out of sight, or is back: then what was missed meanwhile is caught up. */
async function noteProject(
  { db, engine }: Pick<FollowUpDeps, 'db' | 'engine'>,
  { connection, project, isLost }: { connection: ConnectionRow; project: string; isLost: boolean },
): Promise<void> {
  const { id, organisationId, lostProjects } = connection;
  if (isLost === lostProjects.includes(project)) return;
  if (isLost) await db.connections.lostProject({ id, projectKey: project, detail: lostDetail(project) });
  else if (await db.connections.foundProject({ id, projectKey: project })) {
    await engine.syncConnection({ organisationId, connectionId: id, reason: 'restored' });
  }
}

function lostDetail(project: string): string {
  return `Recheck's account no longer sees the Jira project ${project}. Let it browse the project again, or route the sources elsewhere. Nothing was changed meanwhile.`;
}

async function commentFor({ db, jira, baseUrl }: FollowUpDeps, input: VerdictRef) {
  // By the link that the verdict was about: a regression may have made it history meanwhile.
  const material = await db.findings.issueMaterial({ linkId: input.linkId });
  const verdict = await db.sessions.findVerdict(input);
  return {
    client: await jira.clientFor(material.connectionId),
    connectionId: material.connectionId,
    issueId: material.jiraIssueId ?? '',
    comment: {
      findingNumber: material.finding.number,
      findingUrl: `${baseUrl}/findings/F-${material.finding.number}`,
      decidedBy: verdict?.by ?? (verdict?.report ? `report ${verdict.report}` : 'Recheck'),
      decidedAt: verdict?.at ?? new Date(),
      note: verdict?.note ?? null,
      proof: `Claim ${input.claim}, re-run session ${input.sessionId}.`,
    },
  };
}
