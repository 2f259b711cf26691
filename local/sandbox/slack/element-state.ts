// What a user's choice looks like on the wire, by element type: one table serves both the `actions[0]` of block_actions
// and `view.state.values`.
import type { Block } from './messages';

export interface Element {
  type: string;
  action_id: string;
  options?: Option[];
  option_groups?: { options: Option[] }[];
  [field: string]: unknown;
}

interface Option {
  text: { type: string; text: string };
  value: string;
}

/** A choice as the page or a script sends it: a text, an id or an option's value; a list of them; or nothing. */
export type Raw = string | number | null | Option | (string | Option)[];

interface Shape {
  /** The field of the payload that holds the choice. */
  field: string;
  /** The element's field that holds what it shows at first. */
  initial: string;
  read: (raw: Raw, element: Element) => unknown;
}

const text = (raw: Raw) => (raw === null || raw === '' ? null : String(raw));
const number = (raw: Raw) => (raw === null || raw === '' ? null : Number(raw));
const option = (raw: Raw, element: Element) => (raw === null || raw === '' ? null : findOption(raw as string, element));
const options = (raw: Raw, element: Element) => listOf(raw).map((each) => findOption(each, element));
const texts = (raw: Raw) => listOf(raw).map(String);

const shapes: Record<string, Shape> = {
  plain_text_input: { field: 'value', initial: 'initial_value', read: text },
  email_text_input: { field: 'value', initial: 'initial_value', read: text },
  url_text_input: { field: 'value', initial: 'initial_value', read: text },
  number_input: { field: 'value', initial: 'initial_value', read: text },
  static_select: { field: 'selected_option', initial: 'initial_option', read: option },
  external_select: { field: 'selected_option', initial: 'initial_option', read: option },
  radio_buttons: { field: 'selected_option', initial: 'initial_option', read: option },
  overflow: { field: 'selected_option', initial: '', read: option },
  users_select: { field: 'selected_user', initial: 'initial_user', read: text },
  conversations_select: { field: 'selected_conversation', initial: 'initial_conversation', read: text },
  channels_select: { field: 'selected_channel', initial: 'initial_channel', read: text },
  multi_static_select: { field: 'selected_options', initial: 'initial_options', read: options },
  multi_external_select: { field: 'selected_options', initial: 'initial_options', read: options },
  checkboxes: { field: 'selected_options', initial: 'initial_options', read: options },
  multi_users_select: { field: 'selected_users', initial: 'initial_users', read: texts },
  multi_conversations_select: { field: 'selected_conversations', initial: 'initial_conversations', read: texts },
  multi_channels_select: { field: 'selected_channels', initial: 'initial_channels', read: texts },
  datepicker: { field: 'selected_date', initial: 'initial_date', read: text },
  timepicker: { field: 'selected_time', initial: 'initial_time', read: text },
  datetimepicker: { field: 'selected_date_time', initial: 'initial_date_time', read: number },
};

/**
 * An element's choice as interaction payloads carry it, e.g. `{ type, selected_option }`; a button has its value.
 * Throws when the raw choice names an option that the element does not have.
 */
export function elementState(element: Element, raw: Raw): Record<string, unknown> {
  const shape = shapes[element.type];
  if (!shape) return { type: element.type };
  return { type: element.type, [shape.field]: shape.read(raw, element) };
}

/** The interactive elements of a block, in order. */
export function elementsOf(block: Block): Element[] {
  const found = [...(block.type === 'actions' ? (block.elements as Element[]) : []), block.accessory, block.element];
  return (found as (Element | undefined)[]).filter((each): each is Element => each?.action_id !== undefined);
}

/** `state.values` of a view or message: what was entered, else what the elements show at first. Buttons have none. */
export function viewState(blocks: Block[], entered: Record<string, Record<string, unknown>>) {
  const values: Record<string, Record<string, unknown>> = {};
  for (const block of blocks) {
    for (const element of elementsOf(block)) {
      const shape = shapes[element.type];
      if (!shape || element.type === 'overflow') continue;
      const blockId = String(block.block_id);
      const state = entered[blockId]?.[element.action_id] ?? {
        type: element.type,
        [shape.field]: element[shape.initial] ?? shape.read(null, element),
      };
      values[blockId] = { ...values[blockId], [element.action_id]: state };
    }
  }
  return values;
}

/**
 * Turns what a page or script entered into typed state, merged over `before`. Keys of `entered` are an action id, a
 * block id, or `block_id/action_id` where neither is unique.
 */
export function enteredState(
  blocks: Block[],
  entered: Record<string, Raw>,
  before: Record<string, Record<string, unknown>> = {},
): Record<string, Record<string, unknown>> {
  const values = structuredClone(before);
  for (const block of blocks) {
    const blockId = String(block.block_id);
    for (const element of elementsOf(block)) {
      const names = [`${blockId}/${element.action_id}`, element.action_id, blockId];
      const raw = entered[names.find((name) => Object.hasOwn(entered, name)) ?? ''];
      if (raw === undefined || !shapes[element.type]) continue;
      values[blockId] = { ...values[blockId], [element.action_id]: elementState(element, raw) };
    }
  }
  return values;
}

/** The input blocks that Slack's own client would refuse to submit, as block id -> what it says. */
export function inputErrors(blocks: Block[], entered: Record<string, Record<string, unknown>>): Record<string, string> {
  const values = viewState(blocks, entered);
  const errors: Record<string, string> = {};
  for (const block of blocks) {
    if (block.type !== 'input') continue;
    const [element] = elementsOf(block);
    const shape = element && shapes[element.type];
    if (!shape) continue;
    const value = values[String(block.block_id)]?.[element.action_id]?.[shape.field as never] as unknown;
    const problem = inputProblem(element, value, block.optional === true);
    if (problem) errors[String(block.block_id)] = problem;
  }
  return errors;
}

function inputProblem(element: Element, value: unknown, optional: boolean): string | null {
  const empty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  if (empty) return optional ? null : 'Please complete this required field.';
  const least = Number(element.min_length ?? 0);
  const most = Number(element.max_length ?? 3000);
  if (typeof value === 'string' && value.length < least) return `Please write at least ${least} characters.`;
  if (typeof value === 'string' && value.length > most) return `Please write at most ${most} characters.`;
  if (element.type === 'number_input' && Number.isNaN(Number(value))) return 'Please enter a number.';
  return null;
}

function listOf(raw: Raw): (string | Option)[] {
  if (raw === null || raw === '') return [];
  return Array.isArray(raw) ? raw : [raw as string];
}

function findOption(raw: string | Option, element: Element): Option {
  const external = element.type.endsWith('external_select');
  if (external) return typeof raw === 'string' ? { text: { type: 'plain_text', text: raw }, value: raw } : raw;
  const value = typeof raw === 'string' ? raw : raw.value;
  const all = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  const found = all.find((each) => each.value === value) ?? all.find((each) => each.text.text === value);
  if (!found) throw new RangeError(`${element.action_id} has no option "${value}"`);
  return found;
}
