import { z } from 'zod';
import { pushOutcomes, pushStatuses } from '../../workflows/rules/vocabulary';
import type { PushPreview, PushRequest, PushView } from '../operations/types';
import { findingId, named, note, sourceKey } from './shared';

export const pushRequest = named(
  'PushRequest',
  z.strictObject({
    source: sourceKey,
    findings: z.union([z.literal('all'), z.array(findingId).min(1).max(1_000)]),
    note: note.optional(),
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
export const noteRequest = named('NoteRequest', z.strictObject({ note: note.optional() }));
