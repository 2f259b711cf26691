import type { JiraIssueField } from './schemas';

// What the create screen of (project, issue type) allows. `undefined` for the fields means that it is not known; then
// everything is taken to be allowed and Jira's answer decides.

export type CreateFields = ReadonlyArray<JiraIssueField> | undefined;

/** Fields that every issue of ours carries. */
const ALWAYS_SENT: ReadonlySet<string> = new Set(['project', 'issuetype', 'summary', 'description', 'labels']);

/** Whether a field may be sent with a new issue. */
export function isSettable(fields: CreateFields, fieldId: string): boolean {
  return fields === undefined || fields.some((field) => field.fieldId === fieldId);
}

/**
 * The required fields that have no default and that nothing gives a value: while there is one, no issue can be made.
 * `given` are the ids of fields that the source's template fills.
 */
export function missingRequiredFields(
  fields: ReadonlyArray<JiraIssueField>,
  given: ReadonlyArray<string> = [],
): JiraIssueField[] {
  return fields.filter(
    ({ fieldId, required, hasDefaultValue }) =>
      required && !hasDefaultValue && !ALWAYS_SENT.has(fieldId) && !given.includes(fieldId),
  );
}

/** Finds an allowed value of a field by its id or, whatever the case, its name. Undefined where there is none. */
export function allowedValue(fields: CreateFields, fieldId: string, wanted: string): { id: string } | undefined {
  const values = fields?.find((field) => field.fieldId === fieldId)?.allowedValues ?? [];
  const same = (text: string | undefined) => text?.toLowerCase() === wanted.toLowerCase();
  const found = values.find((value) => value.id === wanted || same(value.name) || same(value.value));
  return found?.id === undefined ? undefined : { id: found.id };
}
