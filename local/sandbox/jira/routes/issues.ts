import { mustBeAllowed, mustSeeIssue, visibleIssues } from '../access';
import {
  type Answer,
  bodyList,
  type Call,
  isObject,
  JiraProblem,
  mustHaveAccount,
  objectBody,
  ok,
  problemAnswer,
  queryList,
} from '../answer';
import { type IssueType, pick } from '../catalog';
import { createIssue, deleteIssue, editIssue, type IssueProperty } from '../changes';
import { readFields, screenFields } from '../fields';
import { issueBeans, issueSelf } from '../issue-beans';
import { findIssues, type IssueRow } from '../issue-rows';
import type { Jira } from '../jira';
import { type Account, may, type Project, visibleProjects } from '../site';
import { commentInUpdate } from './comments';

const mostInBulkCreate = 50;
const mostInBulkFetch = 100;
const mostPropertyKey = 255;
const mostPropertyValue = 32_768;

/** POST /issue. */
export async function postIssue(jira: Jira, call: Call): Promise<Answer> {
  const account = mustHaveAccount(call);
  const issue = await createFrom(jira, { account, body: objectBody(call) });
  return { status: 201, body: created(jira, issue) };
}

/** POST /issue/bulk: up to 50; 201 where any was made, 400 where none was. */
export async function postBulk(jira: Jira, call: Call): Promise<Answer> {
  const account = mustHaveAccount(call);
  const { issueUpdates } = objectBody(call);
  if (!Array.isArray(issueUpdates) || issueUpdates.length === 0 || issueUpdates.length > mostInBulkCreate) {
    throw new JiraProblem(400, { messages: [`issueUpdates must hold between 1 and ${mostInBulkCreate} issues.`] });
  }
  const issues: unknown[] = [];
  const errors: unknown[] = [];
  for (const [index, body] of issueUpdates.entries()) {
    try {
      issues.push(created(jira, await createFrom(jira, { account, body: isObject(body) ? body : {} })));
    } catch (error) {
      if (!(error instanceof JiraProblem)) throw error;
      errors.push({ status: error.status, elementErrors: problemAnswer(error).body, failedElementNumber: index });
    }
  }
  return { status: issues.length > 0 ? 201 : 400, body: { issues, errors } };
}

function created(jira: Jira, { id, key }: IssueRow) {
  return { id, key, self: issueSelf(jira.site, id) };
}

async function createFrom(
  jira: Jira,
  { account, body }: { account: Account; body: Record<string, unknown> },
): Promise<IssueRow> {
  const fields = isObject(body.fields) ? body.fields : {};
  if ('transition' in body) {
    throw new JiraProblem(400, { messages: ['The sandbox takes no transition with a new issue; do it afterwards.'] });
  }
  const { project, type } = mustHaveProjectAndType(jira, { account, fields });
  const required = ['summary', ...project.settings.requiredFields, ...(type.subtask ? ['parent'] : [])];
  const settable = screenFields(project, { editing: false, subtask: type.subtask });
  const values = readFields({ site: jira.site, project, body, settable, required });
  const parentId = values.parent === undefined ? null : await parentIn(jira, { project, parent: values.parent });
  const properties = readProperties(body.properties);
  return createIssue(jira, { actor: account, project, typeId: type.id, values, parentId, properties });
}

function mustHaveProjectAndType(
  jira: Jira,
  { account, fields }: { account: Account; fields: Record<string, unknown> },
): { project: Project; type: IssueType } {
  const wanted = isObject(fields.project) ? fields.project : {};
  const project = visibleProjects(jira.site, account).find(
    ({ id, key }) => id === String(wanted.id) || key === wanted.key,
  );
  if (!project) throw new JiraProblem(400, { fields: { project: 'Specify a valid project ID or key' } });
  if (!may({ account, project, permission: 'CREATE_ISSUES' })) {
    // Jira says this under the field, with 400.
    throw new JiraProblem(400, { fields: { project: 'You cannot create issues in this project.' } });
  }
  if (fields.issuetype === undefined) throw new JiraProblem(400, { fields: { issuetype: 'Specify an issue type' } });
  const type = pick(project.kind.issueTypes, fields.issuetype);
  if (!type) throw new JiraProblem(400, { fields: { issuetype: 'Specify a valid issue type' } });
  return { project, type };
}

async function parentIn(jira: Jira, { project, parent }: { project: Project; parent: string }): Promise<string> {
  const [found] = await findIssues(jira.site.pool, [parent]);
  if (found && found.project_id === project.id && found.parent_id === null) return found.id;
  throw new JiraProblem(400, {
    fields: { parent: 'Given parent work item does not belong to appropriate hierarchy.' },
  });
}

function readProperties(given: unknown): IssueProperty[] {
  if (given === undefined) return [];
  const list = Array.isArray(given) ? given : [];
  return list.map((entry) => {
    const key = isObject(entry) ? entry.key : undefined;
    if (typeof key !== 'string') throw new JiraProblem(400, { messages: ['Each property needs a key.'] });
    return checkProperty({ key, value: (entry as { value?: unknown }).value ?? null });
  });
}

/** Throws a 400 for a property key over 255 characters or a value over 32,768 characters of JSON. */
export function checkProperty(property: IssueProperty): IssueProperty {
  if (property.key.length > mostPropertyKey) {
    throw new JiraProblem(400, { messages: [`The property key is longer than ${mostPropertyKey} characters.`] });
  }
  if (JSON.stringify(property.value).length > mostPropertyValue) {
    throw new JiraProblem(400, { messages: [`The property value is longer than ${mostPropertyValue} characters.`] });
  }
  return property;
}

/** GET /issue/{issueIdOrKey}. */
export async function getIssue(jira: Jira, call: Call): Promise<Answer> {
  const issue = await mustSeeIssue(jira, call);
  const [bean] = await issueBeans(jira.site, [issue], {
    fields: queryList(call, 'fields').length > 0 ? queryList(call, 'fields') : ['*all'],
    expand: queryList(call, 'expand'),
    properties: queryList(call, 'properties'),
  });
  return ok(bean);
}

/** PUT /issue/{issueIdOrKey}: 204, or 200 with the issue for `returnIssue=true`. */
export async function putIssue(jira: Jira, call: Call): Promise<Answer> {
  const { account, issue, project } = await mustBeAllowed(jira, call, 'EDIT_ISSUES');
  const body = objectBody(call);
  const values = readFields({
    site: jira.site,
    project,
    body,
    settable: screenFields(project, { editing: true, subtask: issue.parent_id !== null }),
    required: isObject(body.fields) && 'summary' in body.fields ? ['summary'] : [],
    currentLabels: issue.labels,
  });
  await editIssue(jira, { actor: account, issueId: issue.id, values, comment: commentInUpdate(body) });
  if (call.query.get('returnIssue') !== 'true') return { status: 204 };
  return getIssue(jira, call);
}

/** DELETE /issue/{issueIdOrKey}. */
export async function removeIssue(jira: Jira, call: Call): Promise<Answer> {
  const { account, issue } = await mustBeAllowed(jira, call, 'DELETE_ISSUES');
  const withSubtasks = call.query.get('deleteSubtasks') === 'true';
  await deleteIssue(jira, { actor: account, issueId: issue.id, withSubtasks });
  return { status: 204 };
}

/** POST /issue/bulkfetch: up to 100; what is missing or not visible is in neither list. */
export async function bulkFetch(jira: Jira, call: Call): Promise<Answer> {
  const body = objectBody(call);
  const wanted = bodyList(body.issueIdsOrKeys);
  const properties = bodyList(body.properties);
  if (wanted.length === 0 || wanted.length > mostInBulkFetch) {
    throw new JiraProblem(400, { messages: [`issueIdsOrKeys must hold between 1 and ${mostInBulkFetch} entries.`] });
  }
  if (properties.length > 5) throw new JiraProblem(400, { messages: ['At most 5 properties can be asked for.'] });
  const issues = await visibleIssues(jira, { account: call.account, idsOrKeys: wanted });
  const fields = bodyList(body.fields);
  const beans = await issueBeans(jira.site, issues, {
    fields: fields.length > 0 ? fields : ['*navigable'],
    expand: bodyList(body.expand),
    properties,
  });
  return ok({ issues: beans, issueErrors: [] });
}
