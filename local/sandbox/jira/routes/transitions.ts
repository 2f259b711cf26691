import { mustBeAllowed, mustSeeIssue, visibleIssues } from '../access';
import {
  type Answer,
  bodyList,
  type Call,
  isObject,
  JiraProblem,
  objectBody,
  ok,
  pageBean,
  pageOf,
  queryList,
} from '../answer';
import { resolutionBean, statusBean } from '../beans';
import { getStatus, isDone, pick, resolutions, type Transition } from '../catalog';
import { transitionIssue } from '../changes';
import { changelogBean } from '../issue-beans';
import { changelogsOf } from '../issue-rows';
import type { Jira } from '../jira';
import { getProject, may, type Project } from '../site';
import { commentInUpdate } from './comments';

/** GET /issue/{issueIdOrKey}/transitions: from any status to any other; none for who may not transition. */
export async function getTransitions(jira: Jira, call: Call): Promise<Answer> {
  const issue = await mustSeeIssue(jira, call);
  const project = getProject(jira.site, issue.project_id);
  const allowed = call.account && may({ account: call.account, project, permission: 'TRANSITION_ISSUES' });
  const withFields = queryList(call, 'expand').includes('transitions.fields');
  const only = call.query.get('transitionId');
  const transitions = project.kind.transitions
    .filter(({ id, to }) => allowed && to !== issue.status_id && (only === null || id === only))
    .map((transition) => transitionBean(jira, { transition, project, withFields }));
  return ok({ expand: 'transitions', transitions });
}

function transitionBean(
  jira: Jira,
  { transition, project, withFields }: { transition: Transition; project: Project; withFields: boolean },
) {
  const hasScreen = asksForResolution(project, transition);
  return {
    id: transition.id,
    name: transition.name,
    to: statusBean(jira.site, getStatus(transition.to)),
    hasScreen,
    isGlobal: true,
    isInitial: false,
    isAvailable: true,
    isConditional: false,
    isLooped: false,
    ...(withFields ? { fields: hasScreen ? { resolution: resolutionField(jira) } : {} } : {}),
  };
}

function resolutionField({ site }: Jira) {
  return {
    required: false,
    schema: { type: 'resolution', system: 'resolution' },
    name: 'Resolution',
    key: 'resolution',
    hasDefaultValue: false,
    operations: ['set'],
    allowedValues: resolutions.map((resolution) => resolutionBean(site, resolution)),
  };
}

// The resolution is on the screen of transitions into Done, and a team-managed project has no such screen.
function asksForResolution(project: Project, transition: Transition): boolean {
  return project.style === 'classic' && isDone(transition.to);
}

/** POST /issue/{issueIdOrKey}/transitions: 204. */
export async function postTransition(jira: Jira, call: Call): Promise<Answer> {
  const { account, issue, project } = await mustBeAllowed(jira, call, 'TRANSITION_ISSUES');
  const body = objectBody(call);
  const wanted = isObject(body.transition) ? String(body.transition.id) : undefined;
  if (wanted === undefined) throw new JiraProblem(400, { messages: ['Missing transition identifier.'] });
  const transition = project.kind.transitions.find(({ id }) => id === wanted);
  if (!transition) {
    throw new JiraProblem(400, { messages: [`Transition id '${wanted}' is not valid for this issue.`] });
  }
  const resolutionId = resolutionFrom(body, asksForResolution(project, transition));
  const comment = commentInUpdate(body);
  await transitionIssue(jira, { actor: account, issueId: issue.id, transition, resolutionId, comment });
  return { status: 204 };
}

function resolutionFrom(body: Record<string, unknown>, onScreen: boolean): string | null | undefined {
  const fields = isObject(body.fields) ? body.fields : {};
  const errors: Record<string, string> = {};
  for (const name of Object.keys(fields)) {
    if (name !== 'resolution' || !onScreen) {
      errors[name] = `Field '${name}' cannot be set. It is not on the appropriate screen, or unknown.`;
    }
  }
  const { resolution } = fields;
  const found = pick(resolutions, resolution);
  if (resolution !== undefined && resolution !== null && !found) {
    errors.resolution ??= `Resolution '${JSON.stringify(resolution)}' is not valid.`;
  }
  if (Object.keys(errors).length > 0) throw new JiraProblem(400, { fields: errors });
  return resolution === null ? null : found?.id;
}

/** GET /issue/{issueIdOrKey}/changelog, oldest first. */
export async function getChangelog(jira: Jira, call: Call): Promise<Answer> {
  const issue = await mustSeeIssue(jira, call);
  const entries = await changelogsOf(jira.site.pool, [issue.id]);
  const beans = entries.map((entry) => changelogBean(jira.site, entry));
  const self = `${jira.site.url}/rest/api/3/issue/${issue.key}/changelog`;
  return ok(pageBean(beans, { ...pageOf(call, { most: 100 }), self }));
}

const mostIssues = 1_000;
const mostFieldIds = 10;

/** POST /changelog/bulkfetch: the histories of up to 1000 issues in one page; what is not visible is left out. */
export async function bulkFetchChangelogs(jira: Jira, call: Call): Promise<Answer> {
  const body = objectBody(call);
  const wanted = bodyList(body.issueIdsOrKeys);
  const fieldIds = bodyList(body.fieldIds);
  if (wanted.length === 0 || wanted.length > mostIssues || fieldIds.length > mostFieldIds) {
    throw new JiraProblem(400, {
      messages: [`Between 1 and ${mostIssues} issues and at most ${mostFieldIds} field ids can be asked for.`],
    });
  }
  const ids = (await visibleIssues(jira, { account: call.account, idsOrKeys: wanted })).map(({ id }) => id);
  const isWanted = ({ fieldId }: { fieldId: string }) => fieldIds.length === 0 || fieldIds.includes(fieldId);
  const entries = (await changelogsOf(jira.site.pool, ids))
    .map((entry) => ({ ...entry, items: entry.items.filter(isWanted) }))
    .filter(({ items }) => items.length > 0);
  const issueChangeLogs = ids.map((issueId) => ({
    issueId,
    changeHistories: entries
      .filter((entry) => entry.issue_id === issueId)
      .map((entry) => ({ ...changelogBean(jira.site, entry), created: entry.created_at.getTime() })),
  }));
  return ok({ issueChangeLogs });
}
