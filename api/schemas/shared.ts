// What the schemas of every part share. Requests are strict (an unknown key is refused by its name),
// answers are open (keys are only ever added).

import { z } from 'zod';

/** The schemas that stand in the OpenAPI document under a name. */
export const components = z.registry<{ id: string }>();

/** Gives a schema its name in the document. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

export const line = (max: number) => z.string().trim().min(1).max(max);
export const note = z.string().max(2_000);
export const time = z.string().describe('ISO 8601, UTC');
export const uuid = z.guid('This must be an id as this API answers it (a UUID).');

const SOURCE_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const sourceKey = z
  .string()
  .regex(SOURCE_KEY, 'A source key is made of letters, digits, dot, dash and underscore, at most 100 of them.');
export const findingId = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^F-[1-9]\d{0,8}$/, 'A finding is named by its short number, such as F-12.');
export const jiraKey = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z][A-Z0-9_]*-[1-9]\d*$/, 'A Jira issue is named by its key, such as ACC-42.');

export const paging = {
  limit: z.coerce.number('This must be a whole number.').int().min(1).max(200).optional().describe('items per page'),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before'),
};
export const count = z.int();

export const pageQuery = z.strictObject(paging);
export const problem = named(
  'Problem',
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('cause and cure'),
    code: z.string().describe('a short stable word'),
    errors: z.exactOptional(z.array(z.object({ field: z.string(), message: z.string() }))),
    missing: z
      .exactOptional(
        z.array(
          z.object({
            id: z.string(),
            name: z.string(),
            type: z.string().nullable(),
            allowedValues: z.array(z.object({ id: z.string(), name: z.string() })),
          }),
        ),
      )
      .describe('Jira fields that a sync rule has to give in template.fields first'),
    reference: z.exactOptional(z.string()),
  }),
);

/** One page of a list: `{ items, nextCursor }`. */
export function page<T extends z.ZodType>(id: string, item: T) {
  return named(id, z.object({ items: z.array(item), nextCursor: z.string().nullable() }));
}
