import { z } from 'zod';

const style = z
  .strictObject({
    bold: z.boolean().optional(),
    italic: z.boolean().optional(),
    strike: z.boolean().optional(),
    code: z.boolean().optional(),
    underline: z.boolean().optional(),
    highlight: z.boolean().optional(),
    client_highlight: z.boolean().optional(),
    unlink: z.boolean().optional(),
  })
  .optional();

function part<T extends string, S extends z.ZodRawShape>(type: T, shape: S) {
  return z.strictObject({ type: z.literal(type), ...shape });
}

const text = part('text', { text: z.string().min(1), style });
const link = part('link', {
  url: z.string().min(1),
  text: z.string().optional(),
  unsafe: z.boolean().optional(),
  style,
});
const inline = z.discriminatedUnion('type', [
  text,
  link,
  part('emoji', { name: z.string().min(1), unicode: z.string().optional(), url: z.string().optional(), style }),
  part('user', { user_id: z.string().min(1), style }),
  part('channel', { channel_id: z.string().min(1), style }),
  part('usergroup', { usergroup_id: z.string().min(1), style }),
  part('team', { team_id: z.string().min(1), style }),
  part('broadcast', { range: z.enum(['here', 'channel', 'everyone']), style }),
  part('color', { value: z.string().regex(/^#[0-9a-fA-F]{6}$/), style }),
  part('date', {
    timestamp: z.number().int(),
    format: z.string().min(1),
    url: z.string().optional(),
    fallback: z.string().optional(),
    style,
  }),
]);
const section = part('rich_text_section', { elements: z.array(inline) });
const border = { border: z.union([z.literal(0), z.literal(1)]).optional() };
const plain = z.array(z.discriminatedUnion('type', [text, link]));

export const richTextElement = z.discriminatedUnion('type', [
  section,
  part('rich_text_list', {
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(section).min(1),
    indent: z.number().int().min(0).max(8).optional(),
    offset: z.number().int().min(0).optional(),
    ...border,
  }),
  part('rich_text_preformatted', { elements: plain, language: z.string().optional(), ...border }),
  part('rich_text_quote', { elements: z.array(inline), ...border }),
]);
