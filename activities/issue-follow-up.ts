// What happens to an issue after it is there: read it, comment on it, reopen it.

import type { Db } from '../prisma/client';
import {
  type DonePolicy,
  type IssueMeaning,
  type IssueReading,
  issueMeaning,
  type StatusMapping,
} from '../workflows/rules/status-mapping';
import type { JiraClient } from './jira/client';
import { JiraError, toActivityFailure } from './jira/errors';
import { failedComment, passedComment } from './jira/verification-comments';
import type { JiraAccess } from './jira-access';

export type FollowUpDeps = {
  db: Pick<Db, 'connections' | 'findings' | 'sessions'>;
  jira: JiraAccess;
  baseUrl: string;
};
type VerdictRef = { organisationId: string; findingId: string; linkId: string; sessionId: string; claim: number };

/** The activities that follow an issue up. */
export function createFollowUpActivities(deps: FollowUpDeps) {
  const { db, jira } = deps;
  return {
    /** Reads what an issue says now and what that means by the mapping and the policy of its source. */
    async readIssue(input: {
      organisationId: string;
      findingId: string;
      linkId: string;
    }): Promise<{ meaning: IssueMeaning; key: string; onJiraDone: DonePolicy }> {
      try {
        const material = await db.findings.issueMaterial({ linkId: input.linkId });
        const connection = await db.connections.find(input.organisationId, material.connectionId);
        const client = await jira.clientFor(material.connectionId);
        const reading = await read(client, material.jiraIssueId ?? '');
        const mapping = mappingOf(connection?.mapping, material.projectKey);
        return {
          meaning: issueMeaning(reading, mapping),
          key: reading.kind === 'found' ? reading.key : (material.jiraKey ?? ''),
          onJiraDone: material.rule.onJiraDone,
        };
      } catch (error) {
        throw toActivityFailure(error);
      }
    },

    /** Puts the proof of a verdict on the issue. A comment whose answer was lost is not repeated. */
    async commentOnIssue(input: VerdictRef & { verdict: 'pass' | 'fail' }): Promise<void> {
      try {
        const { client, issueId, comment } = await commentFor(deps, input);
        await client.addComment(issueId, input.verdict === 'pass' ? passedComment(comment) : failedComment(comment));
      } catch (error) {
        if (error instanceof JiraError && ['ambiguous', 'not-found'].includes(error.kind)) return;
        throw toActivityFailure(error);
      }
    },

    /**
     * Moves a failed issue back to a status that is not done: the one before Done where there is a transition to it,
     * else any. Where there is none it comments instead. The change is announced first, so that its echo is known.
     */
    async reopenIssue(input: VerdictRef): Promise<{ reopened: boolean; reason: string }> {
      try {
        const { client, issueId, connectionId, comment } = await commentFor(deps, input);
        const back = (await client.transitions(issueId)).filter(({ to }) => to.statusCategory.key !== 'done');
        const target = back.find(({ to }) => to.statusCategory.key === 'new') ?? back[0];
        await client.addComment(issueId, failedComment({ ...comment, reopened: target !== undefined }));
        if (!target) return { reopened: false, reason: 'Jira offers no transition out of Done to this account.' };
        await db.connections.expectChange({
          organisationId: input.organisationId,
          connectionId,
          jiraIssueId: issueId,
          field: 'status',
          target: target.to.id,
        });
        await client.transition(issueId, target.id);
        return { reopened: true, reason: `moved to ${target.to.name}` };
      } catch (error) {
        if (error instanceof JiraError && ['rejected', 'forbidden', 'conflict'].includes(error.kind)) {
          return { reopened: false, reason: error.message };
        }
        throw toActivityFailure(error);
      }
    },
  };
}

async function read(client: JiraClient, issueId: string): Promise<IssueReading> {
  try {
    const issue = await client.getIssue(issueId, { fields: ['status', 'resolution', 'project'] });
    const status = issue.fields?.status;
    return {
      kind: 'found',
      key: issue.key ?? '',
      category: status?.statusCategory.key ?? 'undefined',
      status: status?.name ?? '',
      resolution: issue.fields?.resolution?.name ?? null,
    };
  } catch (error) {
    if (!(error instanceof JiraError) || error.kind !== 'not-found') throw error;
    // Dead credentials can look like a missing issue; only a live account's "not found" counts.
    await client.myself();
    return { kind: 'missing' };
  }
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

function mappingOf(stored: unknown, projectKey: string): StatusMapping | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  return (stored as { [project: string]: StatusMapping | undefined })[projectKey];
}
