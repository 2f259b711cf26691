import type { JiraClient } from './jira/client';
import { JiraError } from './jira/errors';
import type { JiraIssueField } from './jira/schemas';

export type CreateTarget = { projectId: string; issueTypeId: string; fields: JiraIssueField[] };

type TargetDeps = { clientFor: (connectionId: string) => Promise<JiraClient>; now: () => number };

const KEPT_MS = 300_000;

/** Answers the reader of create targets, with what it has read lately. */
export function createTargetReader({ clientFor, now }: TargetDeps) {
  const targets = new Map<string, { until: number; target: CreateTarget }>();

  /**
   * Where issues go: ids (names are translated and renamed) and what the create screen allows. Kept for five
   * minutes, so that a push is one call; ten seconds where it lacks a field in `needs`, which may have been added. A
   * rule that asks for something else (`asks`) is read for anew: it was saved because Jira has that now.
   */
  return async (input: {
    connectionId: string;
    projectKey: string;
    issueType: string;
    needs?: readonly string[];
    asks?: unknown;
  }): Promise<CreateTarget> => {
    const { connectionId, projectKey, issueType, needs = [], asks = null } = input;
    const key = JSON.stringify([connectionId, projectKey, issueType, needs, asks]);
    const kept = targets.get(key);
    const lacks = needs.some((id) => !kept?.target.fields.some(({ fieldId }) => fieldId === id));
    if (kept && now() < kept.until - (lacks ? KEPT_MS - 10_000 : 0)) return kept.target;
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
    for (const [old, { until }] of targets) if (until <= now()) targets.delete(old);
    targets.set(key, { until: now() + KEPT_MS, target });
    return target;
  };
}
