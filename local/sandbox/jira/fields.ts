import { documentText } from './adf/text';
import { type AdfNode, documentMistake, isDocument } from './adf/validate';
import { isObject, JiraProblem } from './answer';
import { customField, pick, priorities, resolutions, selectField } from './catalog';
import { componentsOf, findAccount, type Project, type Site } from './site';

/** What an edit or a creation says about an issue's fields; what is absent stays as it is. */
export interface FieldValues {
  summary?: string;
  description?: AdfNode | null;
  environment?: AdfNode | null;
  labels?: string[];
  priorityId?: string;
  assignee?: string | null;
  reporter?: string;
  dueDate?: string | null;
  resolutionId?: string | null;
  parent?: string;
  custom?: Record<string, unknown>;
}

/** A field that cannot take its value; the message is the one under `errors.<fieldId>`. */
class FieldMistake extends Error {
  readonly detail: string | undefined;

  constructor(message: string, detail?: string) {
    super(message);
    this.detail = detail;
  }
}

type Reader = (value: unknown, site: Site, project: Project) => FieldValues;

const mostText = 32_767;
const mostLabel = 255;
const unset = ['project', 'issuetype'];

const readers: Record<string, Reader> = {
  summary: (value) => ({ summary: readSummary(value) }),
  description: (value) => ({ description: readDocument(value) }),
  environment: (value) => ({ environment: readDocument(value) }),
  labels: (value) => ({ labels: readLabels(value) }),
  priority: (value) => ({
    priorityId: readOne(value, { list: priorities, message: 'The priority selected is invalid.' }),
  }),
  resolution: (value) => ({
    resolutionId:
      value === null ? null : readOne(value, { list: resolutions, message: 'The resolution selected is invalid.' }),
  }),
  assignee: (value, site) => ({ assignee: value === null ? null : readPerson(value, { site, field: 'assignee' }) }),
  reporter: (value, site) => ({ reporter: readPerson(value, { site, field: 'reporter' }) }),
  duedate: (value) => ({ dueDate: readDate(value) }),
  parent: (value) => ({ parent: readParent(value) }),
  components: (value, _site, project) => readComponents(value, project),
  [customField.id]: (value) => ({ custom: { [customField.id]: readLine(value) } }),
  [selectField.id]: (value) => ({ custom: { [selectField.id]: readOption(value) } }),
};

/** The fields that can be set in a project, by what its screens show. */
export function screenFields(project: Project, { editing, subtask }: { editing: boolean; subtask: boolean }): string[] {
  const { hiddenFields, requiredFields } = project.settings;
  const custom: string[] = [customField.id, selectField.id];
  return Object.keys(readers).filter((name) => {
    if (hiddenFields.includes(name)) return false;
    if (name === 'resolution') return editing && project.style === 'classic';
    if (name === 'parent') return subtask && !editing;
    return !custom.includes(name) || requiredFields.includes(name);
  });
}

/**
 * Reads `fields` and `update` of a request; `current` gives the labels that `add` and `remove` start from.
 * Throws a 400 `JiraProblem` that names every field with a mistake.
 */
export function readFields({
  site,
  project,
  body,
  settable,
  required,
  currentLabels = [],
}: {
  site: Site;
  project: Project;
  body: Record<string, unknown>;
  settable: readonly string[];
  required: readonly string[];
  currentLabels?: readonly string[];
}): FieldValues {
  const errors: Record<string, string> = {};
  const details: string[] = [];
  let values: FieldValues = {};
  const given = givenFields({ body, currentLabels, errors });
  for (const [name, value] of Object.entries(given)) {
    try {
      const read = readField({ name, value, settable, site, project });
      values = { ...values, ...read, custom: { ...values.custom, ...read.custom } };
    } catch (error) {
      if (!(error instanceof FieldMistake)) throw error;
      errors[name] = error.message;
      if (error.detail) details.push(`${name}: ${error.detail}`);
    }
  }
  for (const name of required) {
    if (isMissing(given[name])) errors[name] ??= missingText(name);
  }
  if (Object.keys(errors).length === 0) return values;
  throw new JiraProblem(400, { fields: errors, ...(details.length > 0 ? { detail: details.join('; ') } : {}) });
}

function readField(parts: {
  name: string;
  value: unknown;
  settable: readonly string[];
  site: Site;
  project: Project;
}): FieldValues {
  const { name, value, settable, site, project } = parts;
  if (unset.includes(name)) return {};
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (!reader || !settable.includes(name)) {
    throw new FieldMistake(`Field '${name}' cannot be set. It is not on the appropriate screen, or unknown.`);
  }
  return reader(value, site, project);
}

function givenFields({
  body,
  currentLabels,
  errors,
}: {
  body: Record<string, unknown>;
  currentLabels: readonly string[];
  errors: Record<string, string>;
}): Record<string, unknown> {
  const given = { ...(isObject(body.fields) ? body.fields : {}) };
  for (const [name, operations] of Object.entries(isObject(body.update) ? body.update : {})) {
    // A comment in `update` is no field; whoever writes the change adds it.
    if (name === 'comment') continue;
    if (Object.hasOwn(given, name)) {
      errors[name] = `Field '${name}' cannot be set. It is specified in both 'fields' and 'update'.`;
      continue;
    }
    given[name] = (Array.isArray(operations) ? operations : []).reduce<unknown>(
      applyOperation,
      name === 'labels' ? [...currentLabels] : undefined,
    );
  }
  return given;
}

function applyOperation(value: unknown, operation: unknown): unknown {
  if (!isObject(operation)) return value;
  if ('set' in operation) return operation.set;
  const list = Array.isArray(value) ? value : [];
  if ('add' in operation) return [...list.filter((entry) => entry !== operation.add), operation.add];
  if ('remove' in operation) return list.filter((entry) => entry !== operation.remove);
  return value;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function missingText(name: string): string {
  if (name === 'summary') return 'You must specify a summary of the issue.';
  const custom = [customField, selectField].find(({ id }) => id === name);
  const title = custom?.name ?? name.charAt(0).toUpperCase() + name.slice(1);
  return `${title} is required.`;
}

function readSummary(value: unknown): string {
  if (typeof value !== 'string') throw new FieldMistake('Operation value must be a string');
  if (value.trim() === '') throw new FieldMistake(missingText('summary'));
  if (/[\r\n]/.test(value)) throw new FieldMistake('The summary is invalid because it contains newline characters.');
  if (value.length > 255) throw new FieldMistake("Summary can't exceed 255 characters.");
  return value.trim();
}

function readDocument(value: unknown): AdfNode | null {
  if (value === null) return null;
  if (!isDocument(value)) {
    throw new FieldMistake('Operation value must be an Atlassian Document (see the Atlassian Document Format)');
  }
  checkDocument(value);
  return value;
}

/** Throws a 400 `JiraProblem` for a comment's body that is no valid document. */
export function readCommentBody(value: unknown): AdfNode {
  try {
    const body = readDocument(value);
    if (body && documentText(body) !== '') return body;
  } catch (error) {
    if (!(error instanceof FieldMistake || error instanceof JiraProblem)) throw error;
    throw new JiraProblem(400, {
      messages: [],
      fields: { comment: error instanceof FieldMistake ? 'Comment body is not valid!' : 'INVALID_INPUT' },
      ...(error.detail ? { detail: error.detail } : {}),
    });
  }
  throw new JiraProblem(400, { fields: { comment: 'Comment body can not be empty!' } });
}

function checkDocument(doc: AdfNode): void {
  const detail = documentMistake(doc);
  if (detail) throw new JiraProblem(400, { messages: ['INVALID_INPUT'], detail });
  if (documentText(doc).length > mostText) {
    throw new FieldMistake('The entered text is too long. It exceeds the allowed limit of 32,767 characters.');
  }
}

function readLabels(value: unknown): string[] {
  if (!Array.isArray(value)) throw new FieldMistake('Operation value must be an array of strings');
  const labels = value.map((label) => {
    if (typeof label !== 'string') throw new FieldMistake('string expected at index 0');
    if (/\s/.test(label)) throw new FieldMistake(`The label '${label}' contains spaces which is invalid.`);
    if (label.length > mostLabel) throw new FieldMistake(`The label '${label.slice(0, 20)}...' is too long.`);
    if (label === '') throw new FieldMistake('The label must not be empty.');
    return label;
  });
  return [...new Set(labels)];
}

function readOne(
  value: unknown,
  { list, message }: { list: readonly { id: string; name: string }[]; message: string },
): string {
  const found = pick(list, value);
  if (!found) throw new FieldMistake(message);
  return found.id;
}

function readPerson(value: unknown, { site, field }: { site: Site; field: string }): string {
  const id = isObject(value) ? (value.id ?? value.accountId) : undefined;
  const account = typeof id === 'string' ? findAccount(site, id) : undefined;
  if (!account) throw new FieldMistake(`The ${field} specified is not a valid user.`);
  return account.accountId;
}

function readDate(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(Date.parse(value))) {
    throw new FieldMistake("Error parsing date string: the format must be 'yyyy-MM-dd'.");
  }
  return value;
}

function readParent(value: unknown): string {
  const parent = isObject(value) ? (value.id ?? value.key) : undefined;
  if (parent === undefined) throw new FieldMistake('Issue does not exist or you do not have permission to see it.');
  return String(parent);
}

// Kept beside the custom fields: the sandbox searches for neither.
function readComponents(value: unknown, project: Project): FieldValues {
  const known = componentsOf(project);
  const components = (Array.isArray(value) ? value : [value]).map((given) => {
    const found = pick(known, given);
    if (!found) throw new FieldMistake('The component name is not valid.');
    return found;
  });
  return components.length === 0 ? {} : { custom: { components } };
}

function readOption(value: unknown): object | null {
  if (value === null) return null;
  const wanted = isObject(value) ? value : {};
  const found = selectField.options.find(({ id, value: text }) => id === wanted.id || text === wanted.value);
  if (!found) throw new FieldMistake('Specify a valid value for Product area');
  return found;
}

function readLine(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value !== 'string') throw new FieldMistake('Operation value must be a string');
  if (value.length > 255)
    throw new FieldMistake('The entered text is too long. It exceeds the limit of 255 characters.');
  return value;
}
