import { z } from 'zod';

// Slack's published Block Kit limits, one place for all of them. A figure with two readings in Slack's own pages
// (option value: 75 or 150) takes the smaller, so that what passes here passes there.
export const LIMITS = {
  messageBlocks: 50,
  viewBlocks: 100,
  viewBytes: 250_000,
  id: 255,
  text: 3000,
  field: 2000,
  fields: 10,
  header: 150,
  buttonText: 75,
  buttonValue: 2000,
  url: 3000,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  actions: 25,
  context: 10,
  optionText: 75,
  optionValue: 75,
  optionDescription: 75,
  selectOptions: 100,
  overflowOptions: 5,
  boxOptions: 10,
  placeholder: 150,
  altText: 2000,
  label: 2000,
  inputLength: 3000,
  viewTitle: 24,
  privateMetadata: 3000,
  markdown: 12_000,
  tableRows: 100,
  tableCells: 20,
  tableText: 10_000,
  alertText: 200,
  postedText: 40_000,
  updatedText: 4000,
} as const;

export const id = z.string().min(1).max(LIMITS.id);

export function plainText(max: number) {
  return z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  });
}

function mrkdwn(max: number) {
  return z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(max),
    verbatim: z.boolean().optional(),
  });
}

export function anyText(max: number) {
  return z.discriminatedUnion('type', [plainText(max), mrkdwn(max)]);
}

const colour = z.enum(['primary', 'danger']);

const confirm = z.strictObject({
  title: plainText(LIMITS.confirmTitle),
  text: anyText(LIMITS.confirmText),
  confirm: plainText(LIMITS.confirmButton),
  deny: plainText(LIMITS.confirmButton),
  style: colour.optional(),
});

const plainOption = z.strictObject({
  text: plainText(LIMITS.optionText),
  value: z.string().min(1).max(LIMITS.optionValue),
  description: plainText(LIMITS.optionDescription).optional(),
});

const boxOption = plainOption.extend({
  text: anyText(LIMITS.optionText),
  description: anyText(LIMITS.optionDescription).optional(),
});

const overflowOption = plainOption.extend({ url: z.string().max(LIMITS.url).optional() });

const optionGroup = z.strictObject({
  label: plainText(LIMITS.optionText),
  options: z.array(plainOption).min(1).max(LIMITS.selectOptions),
});

const slackFile = z.union([z.strictObject({ id: z.string().regex(/^F/) }), z.strictObject({ url: z.string() })]);

export const imageShape = {
  type: z.literal('image'),
  alt_text: z.string().min(1).max(LIMITS.altText),
  image_url: z.string().url().max(LIMITS.url).optional(),
  slack_file: slackFile.optional(),
};

type Loose = Record<string, unknown>;

/** True when the image names exactly one place that it comes from. */
export function hasOneImageSource(image: Loose): boolean {
  return (image.image_url === undefined) !== (image.slack_file === undefined);
}

export const oneImageSource = 'must name exactly one of image_url and slack_file';

export const imageElement = z.strictObject(imageShape).refine(hasOneImageSource, oneImageSource);

const action = { action_id: id.optional() };
const asked = { confirm: confirm.optional() };
const focus = { focus_on_load: z.boolean().optional() };
const hinted = { placeholder: plainText(LIMITS.placeholder).optional() };
const many = { max_selected_items: z.number().int().min(1).optional() };
const select = { ...action, ...asked, ...focus, ...hinted };
const written = {
  ...action,
  ...focus,
  ...hinted,
  dispatch_action_config: z
    .strictObject({ trigger_actions_on: z.array(z.enum(['on_enter_pressed', 'on_character_entered'])).max(2) })
    .optional(),
};

const button = z.strictObject({
  type: z.literal('button'),
  ...action,
  ...asked,
  text: plainText(LIMITS.buttonText),
  value: z.string().max(LIMITS.buttonValue).optional(),
  url: z.string().min(1).max(LIMITS.url).optional(),
  style: colour.optional(),
  accessibility_label: z.string().max(LIMITS.buttonText).optional(),
});

const boxes = { ...action, ...asked, ...focus, options: z.array(boxOption).min(1).max(LIMITS.boxOptions) };
const checkboxes = z
  .strictObject({ type: z.literal('checkboxes'), ...boxes, initial_options: z.array(boxOption).min(1).optional() })
  .refine(initialAmongOptions, 'initial_options must be among options');
const radios = z
  .strictObject({ type: z.literal('radio_buttons'), ...boxes, initial_option: boxOption.optional() })
  .refine(initialAmongOptions, 'initial_option must be among options');

const choices = {
  options: z.array(plainOption).min(1).max(LIMITS.selectOptions).optional(),
  option_groups: z.array(optionGroup).min(1).max(LIMITS.selectOptions).optional(),
};
const oneOptionList = 'must have exactly one of options and option_groups';
const staticSelect = z
  .strictObject({ type: z.literal('static_select'), ...select, ...choices, initial_option: plainOption.optional() })
  .refine(hasOneOptionList, oneOptionList)
  .refine(initialAmongOptions, 'initial_option must be among options');
const multiStaticSelect = z
  .strictObject({
    type: z.literal('multi_static_select'),
    ...select,
    ...many,
    ...choices,
    initial_options: z.array(plainOption).min(1).optional(),
  })
  .refine(hasOneOptionList, oneOptionList)
  .refine(initialAmongOptions, 'initial_options must be among options');

const loaded = { min_query_length: z.number().int().min(0).optional() };
const conversation = {
  default_to_current_conversation: z.boolean().optional(),
  filter: z
    .strictObject({
      include: z
        .array(z.enum(['im', 'mpim', 'private', 'public']))
        .min(1)
        .optional(),
      exclude_external_shared_channels: z.boolean().optional(),
      exclude_bot_users: z.boolean().optional(),
    })
    .optional(),
};
const answers = { response_url_enabled: z.boolean().optional() };
const ids = z.array(z.string().min(1)).min(1);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const time = z.string().regex(/^\d{2}:\d{2}$/);

function element<T extends string, S extends z.ZodRawShape>(type: T, shape: S) {
  return z.strictObject({ type: z.literal(type), ...shape });
}

const selects = [
  staticSelect,
  element('external_select', { ...select, ...loaded, initial_option: plainOption.optional() }),
  element('users_select', { ...select, initial_user: z.string().optional() }),
  element('conversations_select', { ...select, ...conversation, ...answers, initial_conversation: id.optional() }),
  element('channels_select', { ...select, ...answers, initial_channel: id.optional() }),
  multiStaticSelect,
  element('multi_external_select', {
    ...select,
    ...many,
    ...loaded,
    initial_options: z.array(plainOption).min(1).optional(),
  }),
  element('multi_users_select', { ...select, ...many, initial_users: ids.optional() }),
  element('multi_conversations_select', { ...select, ...many, ...conversation, initial_conversations: ids.optional() }),
  element('multi_channels_select', { ...select, ...many, initial_channels: ids.optional() }),
] as const;

const pickers = [
  element('datepicker', { ...select, initial_date: date.optional() }),
  element('timepicker', { ...select, initial_time: time.optional(), timezone: z.string().optional() }),
  element('datetimepicker', { ...action, ...asked, ...focus, initial_date_time: z.number().int().optional() }),
] as const;

const overflow = element('overflow', {
  ...action,
  ...asked,
  options: z.array(overflowOption).min(1).max(LIMITS.overflowOptions),
});

const length = z.number().int().min(0).max(LIMITS.inputLength);
const initial = { initial_value: z.string().optional() };
const fields = [
  element('plain_text_input', {
    ...written,
    initial_value: z.string().max(LIMITS.inputLength).optional(),
    multiline: z.boolean().optional(),
    min_length: length.optional(),
    max_length: length.min(1).optional(),
  }),
  element('email_text_input', { ...written, ...initial }),
  element('url_text_input', { ...written, ...initial }),
  element('number_input', {
    ...written,
    ...initial,
    is_decimal_allowed: z.boolean(),
    min_value: z.string().optional(),
    max_value: z.string().optional(),
  }),
] as const;

export const accessory = z.discriminatedUnion('type', [
  button,
  imageElement,
  overflow,
  checkboxes,
  radios,
  ...selects,
  pickers[0],
  pickers[1],
]);
export const actionsElement = z.discriminatedUnion('type', [
  button,
  overflow,
  checkboxes,
  radios,
  ...selects,
  ...pickers,
]);
export const inputElement = z.discriminatedUnion('type', [checkboxes, radios, ...selects, ...pickers, ...fields]);

function hasOneOptionList(element: Loose): boolean {
  return (element.options === undefined) !== (element.option_groups === undefined);
}

interface OptionHolder {
  options?: { value?: unknown }[] | undefined;
  option_groups?: { options: { value?: unknown }[] }[] | undefined;
  initial_option?: { value?: unknown } | undefined;
  initial_options?: { value?: unknown }[] | undefined;
}

function initialAmongOptions(element: OptionHolder): boolean {
  const options = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  const values = new Set(options.map((option) => option.value));
  const initials = [...(element.initial_options ?? []), ...(element.initial_option ? [element.initial_option] : [])];
  return initials.every((option) => values.has(option.value));
}
