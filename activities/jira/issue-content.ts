import type { AdfDocument, AdfNode } from './adf';
import { cleanText, documentLength, paragraph, TEXT_LIMIT, text, truncate } from './adf';
import type { CreateFields } from './create-meta';
import { allowedValue, isSettable } from './create-meta';
import type { IssueFinding, IssueOccurrence } from './issue-description';
import { describeFinding } from './issue-description';

export type { IssueFinding, IssueOccurrence } from './issue-description';

/** What the sync rule of a source says about its issues; all of it optional. */
export interface IssueRule {
  readonly labels?: ReadonlyArray<string> | undefined;
  /** Name or id. */
  readonly component?: string | null | undefined;
  /** Account id. */
  readonly assignee?: string | null | undefined;
  /** Severity -> name or id of a priority. */
  readonly priorities?: Readonly<Record<string, string>> | undefined;
  /** Field id -> value, for fields that the project requires. */
  readonly template?: Readonly<Record<string, unknown>> | undefined;
}

export interface IssueContentInput {
  readonly projectId: string;
  readonly issueTypeId: string;
  readonly finding: IssueFinding;
  readonly occurrences: ReadonlyArray<IssueOccurrence>;
  readonly source: { readonly name: string };
  readonly rule: IssueRule;
  readonly note?: string | null | undefined;
  /** Where the finding is seen in Recheck. */
  readonly findingUrl?: string | undefined;
  /** The token by which the issue is found again when the answer to its creation is lost. */
  readonly marker: string;
  /** The create screen's fields; absent means unknown. */
  readonly createFields?: CreateFields;
}

export interface IssueContent {
  readonly fields: Record<string, unknown>;
  readonly properties: Array<{ key: string; value: unknown }>;
  /** Where the marker went; `none` means that this issue could not be found again and must not be created. */
  readonly markerIn: 'labels' | 'description' | 'none';
  /** What the rule asks for and the create screen does not allow. */
  readonly dropped: string[];
}

/** The issue property that holds the marker; written with the issue, proof that a found issue is ours. */
export const MARKER_PROPERTY = 'recheck.marker';

/**
 * Fields that may be left out when Jira refuses them: we add them for comfort. `labels` is not among them, because the
 * marker is a label.
 */
export const OPTIONAL_FIELDS: ReadonlyArray<string> = ['priority', 'components', 'assignee'];

const SUMMARY_LIMIT = 255;
const LABEL_LIMIT = 255;

const DEFAULT_PRIORITIES: Readonly<Record<string, string>> = {
  critical: 'Highest',
  serious: 'High',
  moderate: 'Medium',
  minor: 'Low',
};

/**
 * Everything that a new issue carries: the body of the create call without a transport. Pure; the same input gives the
 * same content. Texts are cut to Jira's limits (summary 255 characters on one line, description 32,767).
 *
 * Where the create screen has no `labels`, the description ends with the marker as a word of its own.
 */
export function issueFields(input: IssueContentInput): IssueContent {
  const { createFields, rule, finding, marker } = input;
  const dropped: string[] = [];
  const labelled = isSettable(createFields, 'labels');
  const described = isSettable(createFields, 'description');
  const fields: Record<string, unknown> = {
    ...settableOnly(rule.template ?? {}, createFields, dropped),
    project: { id: input.projectId },
    issuetype: { id: input.issueTypeId },
    summary: summaryOf(finding),
    ...optionalFields(rule, finding.severity, createFields, dropped),
  };
  if (described) fields.description = descriptionOf(input, labelled ? undefined : marker);
  if (labelled) fields.labels = labelsOf(rule.labels ?? [], marker);
  else if ((rule.labels ?? []).length > 0) dropped.push('labels');
  return {
    fields,
    properties: [{ key: MARKER_PROPERTY, value: { marker } }],
    markerIn: labelled ? 'labels' : described ? 'description' : 'none',
    dropped,
  };
}

/** The summary: the finding's title on one line. */
function summaryOf({ title, rule }: IssueFinding): string {
  const line = cleanText(title || rule)
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return truncate(line || 'Finding without a title', SUMMARY_LIMIT);
}

/** Labels without white space, each once, the marker always among them. */
function labelsOf(labels: ReadonlyArray<string>, marker: string): string[] {
  const clean = labels.map((label) => cleanText(label).trim().replaceAll(/\s+/gu, '-').slice(0, LABEL_LIMIT));
  return [...new Set([marker, ...clean.filter(Boolean)])];
}

function optionalFields(
  rule: IssueRule,
  severity: string,
  createFields: CreateFields,
  dropped: string[],
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const asked = rule.priorities?.[severity];
  const priority = allowedValue(createFields, 'priority', asked ?? DEFAULT_PRIORITIES[severity] ?? '');
  if (priority) fields.priority = priority;
  else if (asked) dropped.push('priority');
  if (rule.component) {
    const component = allowedValue(createFields, 'components', rule.component);
    if (component) fields.components = [component];
    else dropped.push('components');
  }
  if (rule.assignee) {
    if (isSettable(createFields, 'assignee')) fields.assignee = { id: rule.assignee };
    else dropped.push('assignee');
  }
  return fields;
}

function settableOnly(
  template: Readonly<Record<string, unknown>>,
  createFields: CreateFields,
  dropped: string[],
): Record<string, unknown> {
  const entries = Object.entries(template).filter(([fieldId]) => {
    const settable = isSettable(createFields, fieldId);
    if (!settable) dropped.push(fieldId);
    return settable;
  });
  return Object.fromEntries(entries);
}

// Tried from roomy to tight: long texts shrink together until the document fits.
const SCALES = [1, 0.5, 0.25, 0.1, 0.04, 0.01];

function descriptionOf(input: IssueContentInput, markerToken: string | undefined): AdfDocument {
  const tail: AdfNode[] = markerToken === undefined ? [] : [paragraph(text(markerToken))];
  let description = describeFinding(input, { scale: 1, tail });
  for (const scale of SCALES) {
    description = describeFinding(input, { scale, tail });
    if (documentLength(description) <= TEXT_LIMIT) break;
  }
  return description;
}
