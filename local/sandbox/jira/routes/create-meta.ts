import { mustSeeProject } from '../access';
import { type Answer, type Call, JiraProblem, ok, pageOf } from '../answer';
import { componentBean, issueTypeBean, optionBean, priorityBean, projectListBean } from '../beans';
import { customField, type IssueType, priorities, selectField } from '../catalog';
import { screenFields } from '../fields';
import type { Jira } from '../jira';
import { componentsOf, may, type Project } from '../site';

/** GET /issue/createmeta/{projectIdOrKey}/issuetypes. */
export function getCreateTypes(jira: Jira, call: Call): Answer {
  const { kind } = mustCreateIn(jira, call);
  const { startAt, maxResults } = pageOf(call, { most: 200 });
  const all = kind.issueTypes.map((type) => issueTypeBean(jira.site, type));
  return ok({ startAt, maxResults, total: all.length, issueTypes: all.slice(startAt, startAt + maxResults) });
}

/** GET /issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}. */
export function getCreateFields(jira: Jira, call: Call): Answer {
  const project = mustCreateIn(jira, call);
  const type = project.kind.issueTypes.find(({ id }) => id === call.params.issueTypeId);
  if (!type) throw new JiraProblem(404, { messages: ['The issue type does not exist in this project.'] });
  const { startAt, maxResults } = pageOf(call, { most: 200 });
  const all = createFields(jira, { project, type });
  return ok({ startAt, maxResults, total: all.length, fields: all.slice(startAt, startAt + maxResults) });
}

function mustCreateIn(jira: Jira, call: Call): Project {
  const project = mustSeeProject(jira, call, call.params.projectIdOrKey ?? '');
  if (call.account && may({ account: call.account, project, permission: 'CREATE_ISSUES' })) return project;
  throw new JiraProblem(403, { messages: ['You do not have permission to create issues in this project.'] });
}

interface FieldShape {
  name: string;
  schema: Record<string, unknown>;
  operations?: string[];
  allowedValues?: unknown[];
  defaultValue?: unknown;
}

function createFields(jira: Jira, { project, type }: { project: Project; type: IssueType }) {
  const shapes = fieldShapes(jira, { project, type });
  const always = ['summary', 'issuetype', 'project', ...(type.subtask ? ['parent'] : [])];
  const names = ['project', 'issuetype', ...screenFields(project, { editing: false, subtask: type.subtask })];
  return names.map((fieldId) => {
    const shape = shapes[fieldId] ?? { name: fieldId, schema: { type: 'string', system: fieldId } };
    return {
      required: always.includes(fieldId) || project.settings.requiredFields.includes(fieldId),
      hasDefaultValue: shape.defaultValue !== undefined,
      operations: ['set'],
      ...shape,
      key: fieldId,
      fieldId,
    };
  });
}

function fieldShapes({ site }: Jira, { project, type }: { project: Project; type: IssueType }) {
  const listed = priorities.map((priority) => priorityBean(site, priority));
  const text = (name: string, system: string): FieldShape => ({ name, schema: { type: 'string', system } });
  const shapes: Record<string, FieldShape> = {
    summary: text('Summary', 'summary'),
    description: text('Description', 'description'),
    environment: text('Environment', 'environment'),
    duedate: { name: 'Due date', schema: { type: 'date', system: 'duedate' } },
    issuetype: {
      name: 'Issue Type',
      schema: { type: 'issuetype', system: 'issuetype' },
      operations: [],
      allowedValues: [issueTypeBean(site, type)],
    },
    project: {
      name: 'Project',
      schema: { type: 'project', system: 'project' },
      allowedValues: [projectListBean(site, project)],
    },
    labels: {
      name: 'Labels',
      schema: { type: 'array', items: 'string', system: 'labels' },
      operations: ['add', 'set', 'remove'],
    },
    priority: {
      name: 'Priority',
      schema: { type: 'priority', system: 'priority' },
      allowedValues: listed,
      defaultValue: listed.find(({ name }) => name === 'Medium'),
    },
    assignee: { name: 'Assignee', schema: { type: 'user', system: 'assignee' } },
    reporter: { name: 'Reporter', schema: { type: 'user', system: 'reporter' } },
    parent: { name: 'Parent', schema: { type: 'issuelink', system: 'parent' } },
    components: {
      name: 'Components',
      schema: { type: 'array', items: 'component', system: 'components' },
      operations: ['add', 'set', 'remove'],
      allowedValues: componentsOf(project).map((component) => componentBean(site, component)),
    },
    [selectField.id]: {
      name: selectField.name,
      schema: {
        type: 'option',
        custom: 'com.atlassian.jira.plugin.system.customfieldtypes:select',
        customId: selectField.customId,
      },
      allowedValues: selectField.options.map((option) => optionBean(site, option)),
    },
    [customField.id]: {
      name: customField.name,
      schema: {
        type: 'string',
        custom: 'com.atlassian.jira.plugin.system.customfieldtypes:textfield',
        customId: customField.customId,
      },
    },
  };
  return shapes;
}
