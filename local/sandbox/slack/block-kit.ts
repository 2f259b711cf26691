// Block Kit as Slack checks it, as one table of blocks. It needs the network for nothing, so tests run it over every
// message and view that the bot can show. The elements and the figures stand in block-kit-elements.ts.
import { z } from 'zod';
import {
  accessory,
  actionsElement,
  anyText,
  hasOneImageSource,
  id,
  imageElement,
  imageShape,
  inputElement,
  LIMITS,
  oneImageSource,
  plainText,
} from './block-kit-elements';
import { richTextElement } from './rich-text';

/** Where blocks are shown: some blocks exist on one surface only. */
export type Surface = 'message' | 'modal' | 'home';

function block<T extends string, S extends z.ZodRawShape>(type: T, shape: S) {
  return z.strictObject({ type: z.literal(type), block_id: id.optional(), ...shape });
}

const contextElement = z.discriminatedUnion('type', [
  imageElement,
  plainText(LIMITS.text),
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(LIMITS.text),
    verbatim: z.boolean().optional(),
  }),
]);
const richText = block('rich_text', { elements: z.array(richTextElement) });
const cell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: z.string() }),
  z.strictObject({ type: z.literal('raw_number'), value: z.number(), text: z.string() }),
  richText,
]);

const everywhere = [
  block('section', {
    text: anyText(LIMITS.text).optional(),
    fields: z.array(anyText(LIMITS.field)).min(1).max(LIMITS.fields).optional(),
    accessory: accessory.optional(),
    expand: z.boolean().optional(),
  }).refine((section) => section.text !== undefined || section.fields !== undefined, 'must have text or fields'),
  block('header', { text: plainText(LIMITS.header) }),
  block('context', { elements: z.array(contextElement).min(1).max(LIMITS.context) }),
  block('actions', { elements: z.array(actionsElement).min(1).max(LIMITS.actions) }),
  block('divider', {}),
  block('image', { ...imageShape, title: plainText(LIMITS.altText).optional() }).refine(
    hasOneImageSource,
    oneImageSource,
  ),
  block('input', {
    label: plainText(LIMITS.label),
    hint: plainText(LIMITS.label).optional(),
    optional: z.boolean().optional(),
    dispatch_action: z.boolean().optional(),
    element: inputElement,
  }),
  richText,
] as const;
const table = block('table', {
  rows: z.array(z.array(cell).max(LIMITS.tableCells)).min(1).max(LIMITS.tableRows),
  column_settings: z
    .array(
      z.strictObject({ align: z.enum(['left', 'center', 'right']).optional(), is_wrapped: z.boolean().optional() }),
    )
    .max(LIMITS.tableCells)
    .optional(),
}).refine(
  (value) => textLength(value.rows) <= LIMITS.tableText,
  `no more than ${LIMITS.tableText} characters in a table`,
);
const markdown = block('markdown', { text: z.string().min(1).max(LIMITS.markdown) });
const alert = block('alert', {
  text: anyText(LIMITS.alertText),
  level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional(),
});

const surfaces = {
  message: blockList(z.discriminatedUnion('type', [...everywhere, table, markdown]), LIMITS.messageBlocks),
  modal: blockList(z.discriminatedUnion('type', [...everywhere, alert]), LIMITS.viewBlocks),
  home: blockList(z.discriminatedUnion('type', [...everywhere]), LIMITS.viewBlocks),
} as const satisfies Record<Surface, z.ZodType>;

const title = plainText(LIMITS.viewTitle);
const viewShape = {
  private_metadata: z.string().max(LIMITS.privateMetadata).optional(),
  callback_id: z.string().max(LIMITS.id).optional(),
  external_id: z.string().max(LIMITS.id).optional(),
};
const view = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('modal'),
      title,
      submit: title.optional(),
      close: title.optional(),
      blocks: surfaces.modal,
      clear_on_close: z.boolean().optional(),
      notify_on_close: z.boolean().optional(),
      submit_disabled: z.boolean().optional(),
      ...viewShape,
    })
    .refine((modal) => modal.submit !== undefined || modal.blocks.every((each) => each.type !== 'input'), {
      message: 'missing required field: submit (needed with input blocks)',
      path: ['submit'],
    }),
  z.strictObject({ type: z.literal('home'), blocks: surfaces.home, ...viewShape }),
]);

const metadata = z.strictObject({
  event_type: z.string().regex(/^\w+$/),
  event_payload: z.record(z.string(), z.unknown()),
});
const message = z.looseObject({
  text: z.string().max(LIMITS.postedText).optional(),
  blocks: surfaces.message.optional(),
  metadata: metadata.optional(),
  thread_ts: z
    .string()
    .regex(/^\d+\.\d{6}$/)
    .optional(),
});

/**
 * Checks blocks for a surface. Answers what is wrong in Slack's words, each with a JSON pointer
 * (`response_metadata.messages` of an `invalid_blocks` answer); nothing wrong is an empty list.
 */
export function validateBlocks(blocks: unknown, surface: Surface = 'message'): string[] {
  return problems(surfaces[surface].safeParse(blocks), '/blocks');
}

/** Checks a modal or Home view with its blocks and its total size of 250 KB. Answers like {@link validateBlocks}. */
export function validateView(value: unknown): string[] {
  const size = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (size > LIMITS.viewBytes) return [`[ERROR] view_too_large: ${size} bytes [json-pointer:/view]`];
  return problems(view.safeParse(value), '/view');
}

/**
 * Checks the arguments of a message: blocks, metadata, thread and text. Stricter than Slack in one thing: it wants the
 * top-level `text` that notifications and screen readers read, of at most 4000 characters so that it can be updated.
 */
export function validateMessage(value: { text?: unknown; blocks?: unknown }): string[] {
  const found = problems(message.safeParse(value), '');
  if (typeof value.text !== 'string' || value.text.trim() === '')
    found.push('[ERROR] missing required field: text (read by notifications and screen readers) [json-pointer:/text]');
  else if (value.text.length > LIMITS.updatedText)
    found.push(`[ERROR] msg_too_long: must be less than ${LIMITS.updatedText + 1} characters [json-pointer:/text]`);
  return found;
}

interface HasIds {
  type: string;
  block_id?: string | undefined;
  elements?: unknown;
}

function blockList<T extends z.ZodType<HasIds>>(each: T, most: number) {
  return z
    .array(each)
    .max(most)
    .superRefine((blocks, context) => {
      for (const path of repeatedIds(blocks)) context.addIssue({ code: 'custom', message: 'already exists', path });
    });
}

/** Block ids must be unique among the blocks, action ids within one actions block. */
function repeatedIds(blocks: HasIds[]): (string | number)[][] {
  const paths = repeated(blocks.map((each) => each.block_id)).map((index) => [index, 'block_id']);
  for (const [index, each] of blocks.entries()) {
    if (each.type !== 'actions') continue;
    const actions = (each.elements as { action_id?: string }[]).map((element) => element.action_id);
    paths.push(...repeated(actions).map((position) => [index, 'elements', position, 'action_id']));
  }
  return paths;
}

function repeated(values: (string | undefined)[]): number[] {
  return [...values.keys()].filter((at) => values[at] !== undefined && values.indexOf(values[at]) < at);
}

function textLength(rows: z.infer<typeof cell>[][]): number {
  const texts = [...JSON.stringify(rows).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)];
  return texts.reduce((sum, [, text]) => sum + (text?.length ?? 0), 0);
}

function problems(result: z.ZodSafeParseResult<unknown>, root: string): string[] {
  if (result.success) return [];
  return result.error.issues.map((issue) => {
    const pointer = [root, ...issue.path.map(String)].join('/');
    return `[ERROR] ${wording(issue)} [json-pointer:${pointer}]`;
  });
}

function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_big') {
    return issue.origin === 'array'
      ? `no more than ${issue.maximum} items allowed`
      : `must be less than ${Number(issue.maximum) + 1} characters`;
  }
  if (issue.code === 'too_small') {
    return issue.origin === 'array'
      ? `must have at least ${issue.minimum} items`
      : `must be more than ${Number(issue.minimum) - 1} characters`;
  }
  if (issue.code === 'unrecognized_keys') return `invalid additional property: ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_union') return 'unsupported type';
  if (issue.code === 'invalid_type' && issue.message.includes('received undefined'))
    return `missing required field: ${String(issue.path.at(-1) ?? 'value')}`;
  return issue.message;
}
