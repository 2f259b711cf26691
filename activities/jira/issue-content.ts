import { fillTemplate, type PlaceholderValues } from '../../workflows/rules/issue-template';
import { defaultPriorities, type IssueTemplate, type Severity } from '../../workflows/rules/vocabulary';
import type { AdfDocument, AdfNode } from './adf';
import { cleanText, documentLength, paragraph, TEXT_LIMIT, text, truncate } from './adf';
import type { CreateFields } from './create-meta';
import { allowedValue, isSettable } from './create-meta';
import type { IssueFinding, IssueOccurrence } from './issue-description';
import { describeFinding, placeholderValues } from './issue-description';

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
  /** The source's own words for summary and description, and values of fields that the project requires. */
  readonly template?: Partial<IssueTemplate> | undefined;
}

export interface IssueContentInput {
  readonly projectId: string;
  readonly issueTypeId: string;
  readonly finding: IssueFinding;
  readonly occurrences: ReadonlyArray<IssueOccurrence>;
  readonly occurrenceCount?: number | undefined;
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
  /** What would have been longer than Jira takes. */
  readonly cut: ('summary' | 'description')[];
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

/**
 * Everything that a new issue carries: the body of the create call without a transport. Pure; the same input gives the
 * same content. Texts are cut to Jira's limits (summary 255 characters on one line, description 32,767).
 *
 * Where the create screen has no `labels`, the description ends with the marker as a word of its own.
 */
export function issueFields(input: IssueContentInput): IssueContent {
  const { createFields, rule, finding, marker } = input;
  const dropped: string[] = [];
  const cut: IssueContent['cut'] = [];
  const labelled = isSettable(createFields, 'labels');
  const described = isSettable(createFields, 'description');
  const summary = summaryOf(finding, rule.template?.summary, () => placeholderValues(input));
  if (summary.length > SUMMARY_LIMIT) cut.push('summary');
  const fields: Record<string, unknown> = {
    ...settableOnly(rule.template?.fields ?? {}, createFields, dropped),
    project: { id: input.projectId },
    issuetype: { id: input.issueTypeId },
    summary: truncate(summary, SUMMARY_LIMIT),
    ...optionalFields(rule, finding.severity, createFields, dropped),
  };
  if (described) {
    const description = descriptionOf(input, labelled ? undefined : marker);
    fields.description = description.document;
    if (description.scale < 1) cut.push('description');
  }
  if (labelled) fields.labels = labelsOf(rule.labels ?? [], marker);
  else if ((rule.labels ?? []).length > 0) dropped.push('labels');
  return {
    fields,
    properties: [{ key: MARKER_PROPERTY, value: { marker } }],
    markerIn: labelled ? 'labels' : described ? 'description' : 'none',
    dropped,
    cut,
  };
}

/** The summary on one line: the source's template, else the finding's title. */
function summaryOf(
  { title, rule }: IssueFinding,
  template: string | undefined,
  values: () => PlaceholderValues,
): string {
  const filled = template === undefined ? '' : fillTemplate(template, values()).trim();
  const line = cleanText(filled || title || rule)
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return line || 'Finding without a title';
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
  const priority = allowedValue(createFields, 'priority', asked ?? defaultPriority(severity));
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

function defaultPriority(severity: string): string {
  return Object.hasOwn(defaultPriorities, severity) ? defaultPriorities[severity as Severity] : '';
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

function descriptionOf(
  input: IssueContentInput,
  markerToken: string | undefined,
): { document: AdfDocument; scale: number } {
  const tail: AdfNode[] = markerToken === undefined ? [] : [paragraph(text(markerToken))];
  const template = input.rule.template?.description;
  for (const scale of SCALES) {
    const document = describeFinding(input, { scale, tail, template });
    if (documentLength(document) <= TEXT_LIMIT) return { document, scale };
  }
  return { document: describeFinding(input, { scale: 0, tail, template }), scale: 0 };
}
