import { type Call, JiraProblem, mustHaveAccount } from './answer';
import { findIssues, type IssueRow } from './issue-rows';
import type { Jira } from './jira';
import { type Account, getProject, may, type Project, visibleProjects } from './site';

const issueGone = 'Issue does not exist or you do not have permission to see it.';

/** The project of a path parameter, by id or (case-sensitive) key; 404 where it is missing or not visible. */
export function mustSeeProject(jira: Jira, call: Call, idOrKey: string): Project {
  const found = visibleProjects(jira.site, call.account).find(({ id, key }) => id === idOrKey || key === idOrKey);
  if (found) return found;
  throw new JiraProblem(404, { messages: [`No project could be found with key '${idOrKey}'.`] });
}

/** The issue of a path parameter, by id, key or former key; 404 where it is missing or not visible. */
export async function mustSeeIssue(jira: Jira, call: Call): Promise<IssueRow> {
  const [issue] = await visibleIssues(jira, { account: call.account, idsOrKeys: [call.params.issueIdOrKey ?? ''] });
  if (issue) return issue;
  throw new JiraProblem(404, { messages: [issueGone] });
}

/** Those of the issues that an account can see. */
export async function visibleIssues(
  jira: Jira,
  { account, idsOrKeys }: { account: Account | null; idsOrKeys: readonly string[] },
): Promise<IssueRow[]> {
  const projects = visibleProjects(jira.site, account);
  if (projects.length === 0) return [];
  const issues = await findIssues(jira.site.pool, idsOrKeys);
  return issues.filter((issue) => projects.some(({ id }) => id === issue.project_id));
}

/** The caller and the issue, where the caller may do this to it: 401, 404 or 403 otherwise. */
export async function mustBeAllowed(
  jira: Jira,
  call: Call,
  permission: string,
): Promise<{ account: Account; issue: IssueRow; project: Project }> {
  const account = mustHaveAccount(call);
  const issue = await mustSeeIssue(jira, call);
  const project = getProject(jira.site, issue.project_id);
  if (may({ account, project, permission })) return { account, issue, project };
  throw new JiraProblem(403, { messages: [`You do not have the permission ${permission} in project ${project.key}.`] });
}
