import { mustSeeProject, visibleIssues } from '../access';
import { type Answer, type Call, JiraProblem, mustHaveAccount, ok, pageBean, pageOf, queryList } from '../answer';
import {
  categoryBean,
  issueTypeBean,
  priorityDetailBean,
  projectDetailBean,
  projectListBean,
  resolutionBean,
  statusBean,
  userBean,
} from '../beans';
import { categories, doneResolutionId, priorities, resolutions, statuses } from '../catalog';
import type { Jira } from '../jira';
import { getProject, may, type Project, visibleProjects } from '../site';

/** GET /myself: never anonymous. Jira refuses in plain text here. */
export function getMyself(jira: Jira, call: Call): Answer {
  if (!call.account) {
    const raw = 'Client must be authenticated to access this resource.';
    return { status: 401, raw, headers: { 'content-type': 'text/plain', 'www-authenticate': 'OAuth realm="sandbox"' } };
  }
  return ok({ ...userBean(jira.site, call.account), locale: 'en_US', expand: 'groups,applicationRoles' });
}

/** GET /serverInfo: open to everybody. */
export function getServerInfo({ site }: Jira): Answer {
  return ok({
    baseUrl: site.url,
    displayUrl: site.url,
    version: '1001.0.0-SNAPSHOT',
    versionNumbers: [1001, 0, 0],
    deploymentType: 'Cloud',
    buildNumber: 100_300,
    buildDate: '2026-06-10T00:00:00.000+0000',
    serverTime: new Date().toISOString().replace('Z', '+0000'),
    scmInfo: '32b43b28d3f0c3ee7f2535b395e90b205ac3bc6f',
    serverTitle: 'Jira',
    serverTimeZone: 'Etc/UTC',
  });
}

/** GET /project/search, with `query`, `keys`, `id` and `action=create`. */
export function searchProjects(jira: Jira, call: Call): Answer {
  const query = (call.query.get('query') ?? '').toLowerCase();
  const keys = queryList(call, 'keys');
  const ids = queryList(call, 'id');
  const creating = queryList(call, 'action').includes('create');
  const found = visibleProjects(jira.site, call.account).filter((project) => {
    if (!`${project.key} ${project.name}`.toLowerCase().includes(query)) return false;
    if (keys.length > 0 && !keys.includes(project.key)) return false;
    if (ids.length > 0 && !ids.includes(project.id)) return false;
    return !creating || (call.account && may({ account: call.account, project, permission: 'CREATE_ISSUES' }));
  });
  const beans = found.map((project) => projectListBean(jira.site, project));
  return ok(pageBean(beans, { ...pageOf(call, { most: 100 }), self: selfOf(jira, call) }));
}

/** GET /project/{projectIdOrKey}: keys are case-sensitive here. */
export function getProjectDetails(jira: Jira, call: Call): Answer {
  return ok(projectDetailBean(jira.site, mustSeeProject(jira, call, call.params.projectIdOrKey ?? '')));
}

/** GET /project/{projectIdOrKey}/statuses. */
export function getProjectStatuses(jira: Jira, call: Call): Answer {
  const { kind } = mustSeeProject(jira, call, call.params.projectIdOrKey ?? '');
  const beans = kind.statuses.map((status) => statusBean(jira.site, status));
  return ok(
    kind.issueTypes.map((type) => {
      const { self, id, name, subtask } = issueTypeBean(jira.site, type);
      return { self, id, name, subtask, statuses: beans };
    }),
  );
}

const permissions = [
  'BROWSE_PROJECTS',
  'CREATE_ISSUES',
  'EDIT_ISSUES',
  'DELETE_ISSUES',
  'TRANSITION_ISSUES',
  'ASSIGN_ISSUES',
  'LINK_ISSUES',
  'ADD_COMMENTS',
  'CREATE_ATTACHMENTS',
  'ADMINISTER',
  'ADMINISTER_PROJECTS',
];

/** GET /mypermissions: `permissions` is required, an unknown key is 400, an invisible project 404. */
export async function getMyPermissions(jira: Jira, call: Call): Promise<Answer> {
  const wanted = queryList(call, 'permissions');
  if (wanted.length === 0) {
    throw new JiraProblem(400, { messages: ["The 'permissions' query parameter is required."] });
  }
  const unknown = wanted.find((key) => !permissions.includes(key));
  if (unknown !== undefined) throw new JiraProblem(400, { messages: [`Unrecognized permission: ${unknown}`] });
  const project = await projectOfQuery(jira, call);
  const entries = wanted.map((key) => {
    const isGlobal = key === 'ADMINISTER';
    const held = call.account !== null && (!project || may({ account: call.account, project, permission: key }));
    const havePermission = isGlobal ? held && call.account?.role !== 'bot' : held;
    const name = key.charAt(0) + key.slice(1).toLowerCase().replaceAll('_', ' ');
    const type = isGlobal ? 'GLOBAL' : 'PROJECT';
    return [key, { id: String(permissions.indexOf(key) + 10), key, name, type, description: name, havePermission }];
  });
  return ok({ permissions: Object.fromEntries(entries) });
}

async function projectOfQuery(jira: Jira, call: Call): Promise<Project | undefined> {
  const named = call.query.get('projectKey') ?? call.query.get('projectId');
  if (named) return mustSeeProject(jira, call, named);
  const issueName = call.query.get('issueKey') ?? call.query.get('issueId');
  if (!issueName) return undefined;
  const [issue] = await visibleIssues(jira, { account: call.account, idsOrKeys: [issueName] });
  if (!issue)
    throw new JiraProblem(404, { messages: ['Issue does not exist or you do not have permission to see it.'] });
  return mustSeeProject(jira, call, getProject(jira.site, issue.project_id).key);
}

/** GET /label: every label in use, in order. */
export async function getLabels(jira: Jira, call: Call): Promise<Answer> {
  const { rows } = await jira.site.pool.query<{ label: string }>(
    'select distinct unnest(labels) as label from jira.issues where project_id = any($1::bigint[]) order by label',
    [visibleProjects(jira.site, call.account).map(({ id }) => id)],
  );
  const labels = rows.map(({ label }) => label);
  return ok(pageBean(labels, { ...pageOf(call, { most: 1_000 }), self: selfOf(jira, call) }));
}

/** GET /priority/search. */
export function searchPriorities(jira: Jira, call: Call): Answer {
  mustHaveAccount(call);
  const name = (call.query.get('priorityName') ?? '').toLowerCase();
  const found = priorities.filter((priority) => priority.name.toLowerCase().includes(name));
  const beans = found.map((priority) => priorityDetailBean(jira.site, priority));
  return ok(pageBean(beans, { ...pageOf(call, { most: 50 }), self: selfOf(jira, call) }));
}

/** GET /resolution/search. */
export function searchResolutions(jira: Jira, call: Call): Answer {
  mustHaveAccount(call);
  const ids = queryList(call, 'id');
  const found = resolutions.filter(({ id }) => ids.length === 0 || ids.includes(id));
  const beans = found.map((resolution) => ({
    ...resolutionBean(jira.site, resolution),
    default: resolution.id === doneResolutionId,
  }));
  return ok(pageBean(beans, { ...pageOf(call, { most: 50 }), self: selfOf(jira, call) }));
}

/** GET /status: the statuses of projects that the caller can see. */
export function getStatuses(jira: Jira, call: Call): Answer {
  const seen = visibleProjects(jira.site, call.account).flatMap(({ kind }) => kind.statuses);
  return ok(
    statuses()
      .filter((status) => seen.includes(status))
      .map((status) => statusBean(jira.site, status)),
  );
}

/** GET /status/{idOrName}. */
export function getOneStatus(jira: Jira, call: Call): Answer {
  const wanted = call.params.idOrName ?? '';
  const found = statuses().find(({ id, name }) => id === wanted || name === wanted);
  if (found) return ok(statusBean(jira.site, found));
  throw new JiraProblem(404, { messages: [`The status with id or name '${wanted}' does not exist`] });
}

/** GET /statuscategory. */
export function getStatusCategories({ site }: Jira): Answer {
  return ok(categories.map((category) => categoryBean(site, category)));
}

/** GET /statuscategory/{idOrKey}. */
export function getStatusCategory({ site }: Jira, call: Call): Answer {
  const wanted = call.params.idOrKey ?? '';
  const found = categories.find(({ id, key }) => String(id) === wanted || key === wanted);
  if (found) return ok(categoryBean(site, found));
  throw new JiraProblem(404, { messages: [`The status category '${wanted}' does not exist`] });
}

/** GET /user/search by `query` over names and e-mail addresses, or by `accountId`. */
export function searchUsers(jira: Jira, call: Call): Answer {
  mustHaveAccount(call);
  const query = call.query.get('query')?.toLowerCase();
  const accountId = call.query.get('accountId');
  if (query === undefined && accountId === null) {
    throw new JiraProblem(400, { messages: ['The query or accountId parameter is required.'] });
  }
  const { startAt, maxResults } = pageOf(call, { most: 1_000 });
  const found = jira.site.accounts.filter((account) =>
    accountId === null
      ? `${account.displayName} ${account.email}`.toLowerCase().includes(query ?? '')
      : account.accountId === accountId,
  );
  return ok(found.slice(startAt, startAt + maxResults).map((account) => userBean(jira.site, account)));
}

function selfOf(jira: Jira, call: Call): string {
  return new URL(call.req.originalUrl, jira.site.url).toString();
}
