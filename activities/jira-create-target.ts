import type { JiraClient } from './jira/client';
import { JiraError } from './jira/errors';
import type { JiraIssueField } from './jira/schemas';

export type CreateTarget = { projectId: string; issueTypeId: string; fields: JiraIssueField[] };

type TargetDeps = { clientFor: (connectionId: string) => Promise<JiraClient>; now: () => number };

/** Answers the reader of create targets, with what it has read lately. */
export function createTargetReader({ clientFor, now }: TargetDeps) {
  const targets = new Map<string, { until: number; target: CreateTarget }>();

  /**
   * Where issues go: ids (names are translated and renamed) and what the create screen allows. Kept for five
   * minutes, so that a push is one call.
   */
  return async (input: { connectionId: string; projectKey: string; issueType: string }): Promise<CreateTarget> => {
    const { connectionId, projectKey, issueType } = input;
    const key = `${connectionId} ${projectKey} ${issueType}`;
    const kept = targets.get(key);
    if (kept && kept.until > now()) return kept.target;
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
    targets.set(key, { until: now() + 300_000, target });
    return target;
  };
}
