import { z } from 'zod';
import { givenVerdicts, sessionStatuses, verdicts } from '../../workflows/rules/vocabulary';
import type { Page, SessionRequest, SessionView, VerdictRequest, VerificationRow } from '../operations/types';
import { openSession } from './findings';
import { count, findingId, line, named, note, page, paging, sourceKey, time } from './shared';
import { picturesView } from './sources';

export const verificationPage = page(
  'VerificationPage',
  named(
    'VerificationRow',
    z.object({
      finding: z.string(),
      title: z.string(),
      jiraKey: z.string().nullable(),
      claimedBy: z.string().nullable(),
      claimedAt: time.nullable(),
      session: openSession,
      lastVerdict: z.enum(givenVerdicts).exclude(['pass']).nullable().describe('of the last re-run since the claim'),
    }),
  ),
) satisfies z.ZodType<Page<VerificationRow>>;
export const verificationQuery = z.strictObject({ ...paging, source: sourceKey.optional() });
export const sessionRequest = named(
  'SessionRequest',
  z.strictObject({ source: sourceKey, findings: z.array(findingId).min(1).max(1_000), suite: line(500).optional() }),
) satisfies z.ZodType<SessionRequest>;
export const sessionView = named(
  'Session',
  z.object({
    id: z.string(),
    source: z.string(),
    suite: z.string().nullable(),
    status: z.enum(sessionStatuses),
    verifier: z.enum(['person', 'report']).describe('`report`: nobody can pass its cases by hand'),
    cases: z.array(z.object({ finding: z.string(), claim: count, verdict: z.enum(verdicts).nullable() })),
    pictures: z.exactOptional(picturesView).describe('in the answer to a report that came with pictures'),
  }),
) satisfies z.ZodType<SessionView>;
export const verdictsRequest = named(
  'VerdictsRequest',
  z
    .array(z.strictObject({ finding: findingId, verdict: z.enum(givenVerdicts), note: note.optional() }))
    .min(1)
    .max(1_000),
) satisfies z.ZodType<VerdictRequest[]>;
