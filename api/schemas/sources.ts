import { z } from 'zod';
import { groupings, type IssueTemplate, type SyncRule, severities } from '../../workflows/rules/vocabulary';
import type {
  IssuePreviewRequest,
  IssuePreviewView,
  NewSource,
  Page,
  PicturesView,
  ReportView,
  RuleChange,
  RuleForm,
  RuleView,
  SourceView,
} from '../operations/types';
import { count, findingId, line, named, page, sourceKey, uuid } from './shared';

const ruleFields = {
  enabled: z.boolean(),
  projectKey: line(255).nullable(),
  issueType: line(255),
  severities: z.array(z.enum(severities)).max(20),
  autoPush: z.boolean(),
  labels: z.array(z.string().max(255).regex(/^\S+$/, 'A Jira label has no spaces and is not empty.')).max(50),
  component: line(255).nullable(),
  assignee: line(255).nullable(),
  priorities: z.partialRecord(z.enum(severities), line(255)),
  onJiraDone: z.enum(['verify', 'resolve']),
  onVerifyFail: z.enum(['comment', 'reopen']),
  grouping: z.enum(groupings),
  approval: z.union([z.enum(['none', 'all']), z.strictObject({ bulkOver: z.int().min(1).max(100_000) })]),
  verifier: z.enum(['person', 'report']),
};
const jsonValue = named('JsonValue', z.json());
/** Jira takes texts of at most 32,767 characters; what is sent with every issue stays far below. */
const mostFieldCharacters = 32_767;
const fieldId = z
  .string()
  .regex(/^[A-Za-z][\w.-]{0,254}$/, 'A Jira field is named by its id, such as customfield_10050.');
const template = named(
  'IssueTemplate',
  z.strictObject({
    summary: z
      .exactOptional(z.string().max(1_000))
      .describe('with placeholders such as {title}; absent: the title of the finding'),
    description: z
      .exactOptional(z.string().max(20_000))
      .describe('with placeholders; {details} on a line of its own is all that is said without a template'),
    fields: z
      .record(fieldId, jsonValue)
      .refine((fields) => JSON.stringify(fields).length <= mostFieldCharacters, {
        error: `The fields are larger than ${mostFieldCharacters} characters. Give shorter values.`,
      })
      .default({})
      .describe('Jira field id to value as the Jira API takes it, sent with every issue'),
  }),
) satisfies z.ZodType<IssueTemplate>;
const otherConnections = z
  .array(uuid)
  .max(100)
  .describe("connections that a push may choose in place of the source's; its issues go to their projects");
const wholeRule = {
  ...ruleFields,
  otherConnections: z.exactOptional(otherConnections),
  template: z.exactOptional(template),
};
export const syncRule = named('SyncRule', z.object(wholeRule)) satisfies z.ZodType<SyncRule>;
// JSON has no undefined, so what zod calls optional is absent or a value.
const connection = uuid.nullable().describe('id of the Jira connection');
const warnings = z.array(z.string()).describe('what will not be as the rule says, with the cure');
export const ruleView = named(
  'SourceRule',
  z.object({
    ...{ ...wholeRule, connection, warnings },
    autoPushSince: z.string().nullable().describe('what was first seen before is left to manual pushes'),
  }),
) satisfies z.ZodType<RuleView>;
const changeable = z.strictObject({ ...ruleFields, otherConnections, template }).partial();
export const newRule = named('NewSyncRule', changeable) as z.ZodType<Partial<SyncRule>>;
export const ruleChange = named(
  'SyncRuleChange',
  changeable.extend({
    connection: connection.optional(),
    template: template.nullable().optional().describe('null takes the template away'),
    warnings: z.unknown().optional().describe('ignored'),
    autoPushSince: z.unknown().optional().describe('ignored'),
  }),
) as z.ZodType<RuleChange>;
const choice = z.object({ id: z.string(), name: z.string() });
const choices = z.array(choice);
export const ruleForm = named(
  'RuleForm',
  z.object({
    source: z.object({ key: z.string(), name: z.string(), kind: z.enum(['site', 'suite']) }),
    rule: ruleView,
    connections: z.array(choice.extend({ status: z.string(), projectKey: z.string() })),
    projects: z.array(z.object({ key: z.string(), name: z.string() })),
    ...{ issueTypes: choices, priorities: choices, components: choices },
    required: z
      .array(choice.extend({ type: z.string().nullable(), allowedValues: choices, value: jsonValue }))
      .describe('fields that Jira requires and that have no default'),
    placeholders: z.array(z.object({ name: z.string(), meaning: z.string() })),
    problem: z.string().nullable().describe('why there is nothing to choose from'),
  }),
) satisfies z.ZodType<RuleForm>;
export const ruleFormQuery = z.strictObject({
  connection: uuid.optional(),
  projectKey: line(255).optional(),
  issueType: line(255).optional(),
});
export const issuePreviewRequest = named(
  'IssuePreviewRequest',
  z.strictObject({
    template: template.optional().describe("absent: the rule's"),
    finding: findingId.optional().describe('absent: the first of the source, or an example'),
  }),
) satisfies z.ZodType<IssuePreviewRequest>;
export const issuePreview = named(
  'IssuePreview',
  z.object({
    finding: z.string().nullable(),
    summary: z.string(),
    description: z.string().describe('as plain text'),
    labels: z.array(z.string()),
    priority: z.string().nullable(),
    component: z.string().nullable(),
    fields: z.record(z.string(), z.unknown()),
    warnings: z.array(z.string()).describe('what is cut, because Jira takes no more'),
  }),
) satisfies z.ZodType<IssuePreviewView>;

export const newSource = named(
  'NewSource',
  z.strictObject({
    key: sourceKey,
    name: line(200),
    kind: z.enum(['site', 'suite']),
    connection: uuid.optional().describe('id of the Jira connection'),
    projectKey: line(255).optional(),
    rule: newRule.optional(),
  }),
) satisfies z.ZodType<NewSource>;
export const sourceView = named(
  'Source',
  z.object({
    key: z.string(),
    name: z.string(),
    kind: z.enum(['site', 'suite']),
    connection: z.string().nullable(),
    rule: syncRule,
    warnings,
  }),
) satisfies z.ZodType<SourceView>;
export const sourcePage = page('SourcePage', sourceView) satisfies z.ZodType<Page<SourceView>>;

export const picturesView = named(
  'Pictures',
  z.object({
    kept: count.describe('pictures that show a finding; each goes to the Jira issues of its findings once'),
    unused: z
      .array(z.object({ name: z.string(), reason: z.string() }))
      .describe('pictures that show no finding, and why'),
  }),
) satisfies z.ZodType<PicturesView>;
export const reportView = named(
  'Report',
  z.object({
    report: z.string(),
    format: z.string(),
    findings: z.object({ new: count, seen: count, regressed: count, absent: count }),
    pictures: z.exactOptional(picturesView),
  }),
) satisfies z.ZodType<ReportView>;
export const reportQuery = z.strictObject({
  startedAt: z.iso
    .datetime({ offset: true, error: 'This must be a time such as 2026-01-31T09:30:00Z (a plus sign is written %2B).' })
    .optional()
    .describe('when the run started, where the file does not say'),
  scope: z.enum(['full', 'partial']).optional().describe('partial: absence from it proves nothing'),
  page: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .describe('the page, where the file names none (axe raw, pa11y)'),
  runner: line(80)
    .optional()
    .describe('the runners of pa11y (htmlcs, axe), which a page without problems does not show'),
  standard: z
    .enum(['WCAG2A', 'WCAG2AA', 'WCAG2AAA', 'Section508'])
    .optional()
    .describe('the standard that pa11y was run with, likewise'),
});

const idempotencyKey = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .optional()
  .describe('A word of the sender for this request: sent again with the same word, it is the same request.');
export const idempotencyHeaders = z.object({ 'idempotency-key': idempotencyKey });
export const reportHeaders = z.object({
  'idempotency-key': idempotencyKey,
  'content-encoding': z.string().optional().describe('gzip, or none'),
});
