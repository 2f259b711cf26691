import { z } from 'zod';
import { findingStatuses, missingDecisions, sessionStatuses, severities } from '../../workflows/rules/vocabulary';
import type { FindingDetail, FindingView, Page } from '../operations/types';
import { count, jiraKey, named, page, paging, sourceKey, time } from './shared';

const issue = z.object({ key: z.string(), url: z.string() }).nullable();
const findingFields = {
  id: z.string().describe('short number, such as F-12'),
  title: z.string(),
  rule: z.string().describe("the axe rule, or the test's full name"),
  severity: z.enum(severities),
  status: z.enum(findingStatuses),
  fingerprint: z.string(),
  source: z.string(),
  jira: issue,
  updatedAt: time,
};
export const findingView = named(
  'Finding',
  z.object({ ...findingFields, occurrences: count }),
) satisfies z.ZodType<FindingView>;
export const findingPage = page('FindingPage', findingView) satisfies z.ZodType<Page<FindingView>>;
export const openSession = z.object({ id: z.string(), status: z.enum(sessionStatuses) }).nullable();
export const findingDetail = named(
  'FindingDetail',
  z.object({
    ...findingFields,
    reason: z.string().nullable(),
    missingSince: time.nullable().describe('its issue is gone from Jira since then, and waits for a decision'),
    notFollowed: z
      .string()
      .nullable()
      .describe('why nothing that happens to its issue in Jira counts any more, with the cure; null where it does'),
    sourceName: z.string(),
    sourceKind: z.enum(['site', 'suite']),
    verifier: z.enum(['person', 'report']).describe('`report`: nobody can pass its re-run by hand'),
    claim: z.object({ number: count, by: z.string().nullable(), at: time }).nullable(),
    session: openSession,
    occurrences: z.array(
      z.object({
        page: z.string().nullable(),
        status: z.string(),
        details: z.record(z.string(), z.unknown()),
        firstSeenAt: time,
        lastSeenAt: time,
      }),
    ),
    evidence: z.array(
      z.object({
        name: z.string(),
        contentType: z.string(),
        size: count.describe('bytes'),
        url: z.string().describe('where the picture is, with an API key'),
      }),
    ),
    history: z
      .array(z.object({ at: time, actor: z.string(), event: z.string(), detail: z.string() }))
      .describe('oldest first; of more than 1000 events the last 1000'),
  }),
) satisfies z.ZodType<FindingDetail>;
export const findingQuery = z.strictObject({
  ...paging,
  source: sourceKey.optional(),
  status: z.enum(findingStatuses).optional(),
});
export const linkRequest = named('LinkRequest', z.strictObject({ jiraKey }));
export const missingRequest = named('MissingRequest', z.strictObject({ decision: z.enum(missingDecisions) }));
