import { z } from 'zod';
import { pushOutcomes, pushStatuses, severities } from '../../workflows/rules/vocabulary';
import type { PushChoices, PushPreview, PushRequest, PushView } from '../operations/types';
import { count, findingId, named, note, page, sourceKey, time, uuid } from './shared';

export const pushRequest = named(
  'PushRequest',
  z.strictObject({
    source: sourceKey,
    findings: z.union([z.literal('all'), z.array(findingId).min(1).max(1_000)]),
    note: note.optional(),
    connection: uuid.optional().describe("another connection than the source's, among those that its rule allows"),
    dryRun: z.boolean().optional(),
  }),
) satisfies z.ZodType<PushRequest>;
export const pushPreview = named(
  'PushPreview',
  z.object({
    create: z.array(z.string()),
    reuse: z.array(z.object({ finding: z.string(), jiraKey: z.string() })),
    refuse: z.array(z.object({ finding: z.string(), reason: z.string() })),
  }),
) satisfies z.ZodType<PushPreview>;
export const pushView = named(
  'Push',
  z.object({
    id: z.string(),
    status: z.enum(pushStatuses),
    items: z.array(
      z.object({
        finding: z.string(),
        outcome: z.enum(pushOutcomes),
        jiraKey: z.exactOptional(z.string()),
        reason: z.exactOptional(z.string()),
      }),
    ),
  }),
) satisfies z.ZodType<PushView>;
const sourceName = z.object({ key: z.string(), name: z.string() });
const findings = z.array(z.string());
export const pushChoices = named(
  'PushChoices',
  z.object({
    source: sourceName,
    projectKey: z.string().nullable(),
    others: z
      .array(z.object({ connection: z.string(), name: z.string(), projectKey: z.string(), status: z.string() }))
      .describe('where else a push may go that names it'),
    ready: z
      .array(
        z.object({
          ...{ finding: z.string(), title: z.string(), rule: z.string(), severity: z.enum(severities) },
          pages: count.describe('on how many pages (or in how many test files) it is'),
          wcag: z.array(z.string()),
        }),
      )
      .describe('what can be pushed, the most severe first'),
    held: z.string().nullable().describe('why what is pushed now waits before it goes to Jira'),
    linked: count,
    refused: z.array(z.object({ reason: z.string(), count, findings: findings.describe('the first of them') })),
  }),
) satisfies z.ZodType<PushChoices>;
/** JSON has no dates: what is a `Date` in the operation is a text here. */
const waitingPush = z.object({
  ...{ id: z.string(), status: z.enum(pushStatuses), kind: z.string(), note: z.string().nullable() },
  ...{ source: sourceName, projectKey: z.string().nullable() },
  requestedBy: z.string().nullable().describe('null is Recheck itself'),
  outcomes: z.partialRecord(z.enum(pushOutcomes), count),
  reasons: z.array(z.object({ outcome: z.enum(pushOutcomes), reason: z.string(), count, findings })),
  approval: z
    .object({
      ...{ decision: z.string().nullable(), decidedBy: z.string().nullable(), note: z.string().nullable() },
      expiresAt: time.nullable(),
    })
    .nullable(),
  createdAt: time,
  completedAt: time.nullable(),
});
export const waitingPushes = page('WaitingPushPage', waitingPush);
export const waitingQuery = z.strictObject({
  status: z.literal('awaiting_approval').describe('only those that wait for an approval can be listed'),
});
export const noteRequest = named('NoteRequest', z.strictObject({ note: note.optional() }));
