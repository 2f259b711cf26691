import type { Db } from '../prisma/client';
import { basicAuthorization } from './jira/auth';
import { createJiraClient, type JiraClient } from './jira/client';
import { JiraError } from './jira/errors';
import type { JiraIssueField } from './jira/schemas';

export type JiraSettings = { allowedHttpOrigins: string[]; timeoutMs: number };
export type CreateTarget = { projectId: string; issueTypeId: string; fields: JiraIssueField[] };

export type JiraAccess = ReturnType<typeof createJiraAccess>;

/** Opens connections to Jira: the one place where a connection's credentials meet the client. */
export function createJiraAccess({ db, settings }: { db: Pick<Db, 'connections'>; settings: JiraSettings }) {
  const targets = new Map<string, { until: number; target: CreateTarget }>();

  async function clientFor(connectionId: string): Promise<JiraClient> {
    const connection = await db.connections.withCredentials(connectionId);
    if (!connection) {
      throw new JiraError({ kind: 'auth', operation: 'connect', message: 'The Jira connection was disconnected.' });
    }
    const { siteUrl, accountEmail, apiToken } = connection;
    return clientOf({ siteUrl, email: accountEmail ?? '', apiToken });
  }

  function clientOf(account: { siteUrl: string; email: string; apiToken: string }): JiraClient {
    const authorization = basicAuthorization(account);
    return createJiraClient({
      connection: { siteUrl: account.siteUrl, authorization: () => authorization },
      timeoutMs: settings.timeoutMs,
      allowedHttpOrigins: settings.allowedHttpOrigins,
    });
  }

  /**
   * Where issues go: ids (names are translated and renamed) and what the create screen allows. Kept for five
   * minutes, so that a push is one call.
   */
  async function createTarget(input: {
    connectionId: string;
    projectKey: string;
    issueType: string;
  }): Promise<CreateTarget> {
    const { connectionId, projectKey, issueType } = input;
    const key = `${connectionId} ${projectKey} ${issueType}`;
    const kept = targets.get(key);
    if (kept && kept.until > Date.now()) return kept.target;
    const jira = await clientFor(connectionId);
    const [project, types] = await Promise.all([jira.project(projectKey), jira.issueTypes(projectKey)]);
    const type = types.find((each) => each.name === issueType || each.id === issueType);
    if (!type) {
      const names = types.filter((each) => !each.subtask).map((each) => each.name);
      throw new JiraError({
        kind: 'rejected',
        operation: 'createIssue',
        message: `The project ${projectKey} has no issue type "${issueType}". Choose one of: ${names.join(', ')}.`,
      });
    }
    const target = { projectId: project.id, issueTypeId: type.id, fields: await jira.issueFields(projectKey, type.id) };
    targets.set(key, { until: Date.now() + 300_000, target });
    return target;
  }

  return { clientFor, clientOf, createTarget };
}
