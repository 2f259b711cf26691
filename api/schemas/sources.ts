import { z } from 'zod';
import { groupings, type SyncRule, severities } from '../../workflows/rules/vocabulary';
import type { NewSource, Page, ReportView, RuleChange, RuleView, SourceView } from '../operations/types';
import { count, line, named, page, sourceKey, uuid } from './shared';

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
export const syncRule = named('SyncRule', z.object(ruleFields)) satisfies z.ZodType<SyncRule>;
// JSON has no undefined, so what zod calls optional is absent or a value.
const connection = uuid.nullable().describe('id of the Jira connection');
export const ruleView = named('SourceRule', z.object({ ...ruleFields, connection })) satisfies z.ZodType<RuleView>;
const changeable = z.strictObject(ruleFields).partial();
export const newRule = named('NewSyncRule', changeable) as z.ZodType<Partial<SyncRule>>;
export const ruleChange = named(
  'SyncRuleChange',
  changeable.extend({ connection: connection.optional() }),
) as z.ZodType<RuleChange>;

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
  }),
) satisfies z.ZodType<SourceView>;
export const sourcePage = page('SourcePage', sourceView) satisfies z.ZodType<Page<SourceView>>;

export const reportView = named(
  'Report',
  z.object({
    report: z.string(),
    format: z.string(),
    findings: z.object({ new: count, seen: count, regressed: count, absent: count }),
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
