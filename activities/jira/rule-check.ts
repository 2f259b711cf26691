// What a sync rule asks of Jira, held against what the project allows. Asked when the rule is saved, so that a push is
// not the first to find out.

import { defaultPriorities, type IssueTemplate, type JsonValue, type Severity } from '../../workflows/rules/vocabulary';
import { callFailure, type Failure, isKind, projectFailure } from './check-failures';
import type { JiraClient } from './client';
import { allowedValue, isSettable, missingRequiredFields } from './create-meta';
import type { JiraIssueField } from './schemas';

/** What of a sync rule Jira has a say in. */
export type RuleTarget = {
  projectKey: string;
  issueType: string;
  labels: readonly string[];
  component: string | null;
  assignee: string | null;
  priorities: Partial<Record<Severity, string>>;
  severities?: readonly Severity[];
  template?: IssueTemplate | undefined;
};
export type RuleProblem = { field: string; message: string };
/** A field that Jira wants with every issue and that nothing gives a value. */
export type RequiredField = {
  id: string;
  name: string;
  type: string | null;
  allowedValues: { id: string; name: string }[];
};
export type RuleCheck = { problems: RuleProblem[]; missing: RequiredField[]; warnings: string[] };
type Named = { id: string; name: string };
/** What a form offers. A list is empty where Jira has none, or its field is not on the create screen. */
export type RuleChoices = {
  projects: { key: string; name: string }[];
  issueTypes: Named[];
  priorities: Named[];
  components: Named[];
  required: RequiredField[];
  /** Why there is nothing to choose from: the project or the issue type is not there. */
  problems: RuleProblem[];
};

/** Recheck writes these itself. */
const OWN_FIELDS = ['project', 'issuetype', 'summary', 'description', 'labels', 'priority', 'components', 'assignee'];

/** Fields that the rule has a place of its own for. */
const RULE_FIELDS: { [fieldId: string]: string } = {
  components: 'component',
  assignee: 'assignee',
  priority: 'priorities',
};

/**
 * Holds a rule against its project. What is wrong is answered, with cause and cure; throws `JiraError` where Jira could
 * not be asked.
 */
export async function checkRule(client: JiraClient, rule: RuleTarget): Promise<RuleCheck> {
  const screen = await createScreen(client, rule);
  if ('problem' in screen) return { problems: [screen.problem], missing: [], warnings: [] };
  const { fields } = screen;
  const assignee = await assigneeProblem(client, rule, fields);
  const given = [...filled(rule, fields), ...Object.keys(rule.template?.fields ?? {})];
  const lacking = missingRequiredFields(fields, given);
  const problems = [
    ...lacking.flatMap((field) => ruleFieldMissing(rule, field)),
    ...priorityProblems(rule, fields),
    ...componentProblem(rule, fields),
    ...assignee.problems,
    ...templateProblems(rule, fields),
  ];
  const missing = lacking.filter(({ fieldId }) => !Object.hasOwn(RULE_FIELDS, fieldId)).map(requiredField);
  return { problems, missing, warnings: [...screenWarnings(rule, fields), ...assignee.warnings] };
}

/** What a form for the rule offers: projects, issue types, and what the create screen has. Throws `JiraError`. */
export async function ruleChoices(client: JiraClient, rule: ChoicesAsked): Promise<RuleChoices> {
  const { projectKey, issueType } = rule;
  const projects = (await client.projectSearch()).values.map(({ key, name }) => ({ key, name }));
  const nothing = { projects, issueTypes: [], priorities: [], components: [], required: [], problems: [] };
  if (projectKey === null) return nothing;
  const screen = await createScreen(client, { projectKey, issueType });
  if ('problem' in screen) return { ...nothing, issueTypes: screen.issueTypes, problems: [screen.problem] };
  const { fields, issueTypes } = screen;
  const values = (id: string) => valuesOf(fields.find((field) => field.fieldId === id));
  const required = missingRequiredFields(fields, Object.keys(RULE_FIELDS)).map(requiredField);
  return { ...nothing, issueTypes, priorities: values('priority'), components: values('components'), required };
}

export type ChoicesAsked = Pick<RuleTarget, 'issueType'> & { projectKey: string | null };
type Screen = { fields: JiraIssueField[]; issueTypes: Named[] };

async function createScreen(
  client: JiraClient,
  { projectKey, issueType }: Pick<RuleTarget, 'projectKey' | 'issueType'>,
): Promise<Screen | { problem: RuleProblem; issueTypes: Named[] }> {
  try {
    await client.project(projectKey);
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
    // "Not found" is also what dead credentials are told now and then.
    await client.myself();
    const upper = projectKey.toUpperCase();
    const found = upper === projectKey ? undefined : await client.project(upper).catch(() => undefined);
    return { problem: problem('projectKey', projectFailure(error, projectKey, found)), issueTypes: [] };
  }
  try {
    const types = (await client.issueTypes(projectKey)).filter(({ subtask }) => !subtask);
    const issueTypes = types.map(({ id, name }) => ({ id, name }));
    const type = types.find(({ id, name }) => id === issueType || name === issueType);
    if (type) return { fields: await client.issueFields(projectKey, type.id), issueTypes };
    const names = types.map(({ name }) => name).join(', ');
    const cause = `The project ${projectKey} has no issue type "${issueType}".`;
    const cure = names ? `Choose one of: ${names}.` : 'Let the account create issues there.';
    return { problem: problem('issueType', { cause, cure }), issueTypes };
  } catch (error) {
    if (!isKind(error, 'forbidden', 'not-found')) throw error;
    return { problem: problem('projectKey', callFailure(error)), issueTypes: [] };
  }
}

function priorityProblems(rule: RuleTarget, fields: JiraIssueField[]): RuleProblem[] {
  if (!isSettable(fields, 'priority')) return [];
  return Object.entries(rule.priorities).flatMap(([severity, wanted]) =>
    allowedValue(fields, 'priority', wanted)
      ? []
      : [problem(`priorities.${severity}`, unknownValue(rule, fields, { id: 'priority', what: 'priority', wanted }))],
  );
}

function componentProblem(rule: RuleTarget, fields: JiraIssueField[]): RuleProblem[] {
  const wanted = rule.component;
  if (wanted === null || allowedValue(fields, 'components', wanted)) return [];
  return [problem('component', unknownValue(rule, fields, { id: 'components', what: 'component', wanted }))];
}

function unknownValue(
  { projectKey, issueType }: RuleTarget,
  fields: JiraIssueField[],
  { id, what, wanted }: { id: string; what: string; wanted: string },
): Failure {
  const names = valuesOf(fields.find((field) => field.fieldId === id)).map(({ name }) => name);
  return {
    cause: `${issueType} in ${projectKey} has no ${what} "${wanted}".`,
    cure: names.length > 0 ? `Choose one of: ${names.join(', ')}.` : `It has none at all: leave the ${what} out.`,
  };
}

async function assigneeProblem(
  client: JiraClient,
  { assignee, projectKey, issueType }: RuleTarget,
  fields: JiraIssueField[],
): Promise<Pick<RuleCheck, 'problems' | 'warnings'>> {
  if (assignee === null) return { problems: [], warnings: [] };
  if (!isSettable(fields, 'assignee')) {
    const warning = `The create screen of ${issueType} in ${projectKey} has no assignee, so issues are made without one.`;
    return { problems: [], warnings: [warning] };
  }
  try {
    const [account] = await client.usersById(assignee);
    if (account?.active) return { problems: [], warnings: [] };
    const cause = `Jira has no active account "${assignee}".`;
    const cure = "Give the account id of a person, which the address of the person's profile in Jira ends with.";
    return { problems: [problem('assignee', { cause, cure })], warnings: [] };
  } catch (error) {
    if (!isKind(error, 'forbidden', 'scope')) throw error;
    return { problems: [], warnings: ['The account may not look people up, so the assignee could not be checked.'] };
  }
}

function templateProblems({ template, projectKey, issueType }: RuleTarget, fields: JiraIssueField[]): RuleProblem[] {
  return Object.entries(template?.fields ?? {}).flatMap(([id, value]) => {
    const field = `template.fields.${id}`;
    if (OWN_FIELDS.includes(id)) {
      const cure = 'Leave it out of the fields: the rule and the template have their own place for it.';
      return [problem(field, { cause: `Recheck writes ${id} itself.`, cure })];
    }
    const known = fields.find((each) => each.fieldId === id);
    if (!known) {
      const cure = `Leave it out, or put it on the screen. There are: ${fillable(fields)}.`;
      return [
        problem(field, { cause: `The create screen of ${issueType} in ${projectKey} has no field ${id}.`, cure }),
      ];
    }
    const empty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
    if (empty) return [problem(field, { cause: `${known.name} is empty.`, cure: 'Give it a value, or leave it out.' })];
    const names = valuesOf(known).map((each) => `${each.name} (id ${each.id})`);
    const unknown = names.length === 0 ? [] : [value].flat().filter((each) => !isAllowed(known, each));
    if (unknown.length === 0) return [];
    const cause = `${known.name} has no value ${JSON.stringify(unknown[0]).slice(0, 100)}.`;
    const cure = `Give one of these by its id, as {"id": "..."}: ${names.slice(0, 20).join(', ')}.`;
    return [problem(field, { cause, cure })];
  });
}

/** Whether a field that lists what it takes takes a value: an object with the id or the name of one. */
function isAllowed({ allowedValues = [] }: JiraIssueField, value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return allowedValues.some((each) =>
    (['id', 'name', 'value', 'key'] as const).some((key) => each[key] !== undefined && each[key] === value[key]),
  );
}

/** What stands against a rule that leaves a field of its own empty which Jira requires. */
function ruleFieldMissing({ projectKey, issueType }: RuleTarget, field: JiraIssueField): RuleProblem[] {
  const own = RULE_FIELDS[field.fieldId];
  if (own === undefined) return [];
  const names = valuesOf(field).map(({ name }) => name);
  const cause = `Jira requires ${field.name} (${field.fieldId}) for ${issueType} in ${projectKey}.`;
  const cure = `Set "${own}" in the rule${names.length > 0 ? ` to one of: ${names.join(', ')}` : ''}.`;
  return [problem(own, { cause, cure })];
}

function fillable(fields: JiraIssueField[]): string {
  const ids = fields.map(({ fieldId }) => fieldId).filter((id) => !OWN_FIELDS.includes(id));
  return ids.join(', ') || 'none';
}

/** Fields that the rule itself fills. The priority counts where every severity that may flow has one. */
function filled({ component, assignee, priorities, severities = [] }: RuleTarget, fields: JiraIssueField[]): string[] {
  const hasPriority = severities.every((severity) =>
    allowedValue(fields, 'priority', priorities[severity] ?? defaultPriorities[severity]),
  );
  return [
    ...(component ? ['components'] : []),
    ...(assignee ? ['assignee'] : []),
    ...(hasPriority ? ['priority'] : []),
  ];
}

function screenWarnings(rule: RuleTarget, fields: JiraIssueField[]): string[] {
  const where = `The create screen of ${rule.issueType} in ${rule.projectKey}`;
  const lacks = (id: string) => !isSettable(fields, id);
  return [
    ...(lacks('labels')
      ? [
          `${where} has no labels: issues get none, and the mark by which Recheck finds an issue again stands at the end of its description. Put labels on the screen.`,
        ]
      : []),
    ...(lacks('labels') && lacks('description')
      ? [`${where} has no description either, so no issue can be made. Put one of them on the screen.`]
      : []),
    ...(lacks('priority') && Object.keys(rule.priorities).length > 0
      ? [`${where} has no priority, so issues are made without one.`]
      : []),
  ];
}

function requiredField(field: JiraIssueField): RequiredField {
  return { id: field.fieldId, name: field.name, type: field.schema?.type ?? null, allowedValues: valuesOf(field) };
}

function valuesOf(field: JiraIssueField | undefined): Named[] {
  return (field?.allowedValues ?? []).flatMap(({ id, name, value }) =>
    id === undefined ? [] : [{ id, name: name ?? value ?? id }],
  );
}

function problem(field: string, { cause, cure }: Failure): RuleProblem {
  return { field, message: `${cause} ${cure}` };
}
