import type { types } from '@slack/bolt';
import { context, section } from './elements';
import { entered, MOST_FINDINGS, NOTHING, ruleBlock } from './rule-values';
import { foreign, plain } from './text';

type Choice = { id: string; name: string };
export type InputSpec = {
  name: string;
  turn: number;
  label: string;
  hint?: string;
  /** Asks the bot at once when it changes, with this action. */
  action?: string;
  dispatch?: boolean;
  /** The most characters of a text. */
  max?: number;
  /** What a choice of nothing is called; `None` where nothing is said. */
  none?: string;
};

const MAX_OPTIONS = 99;
const MAX_WRITTEN = 3000;
const MAX_BOXES = 10;
const EXCERPT = 600;

function input(spec: InputSpec, element: types.InputBlock['element'], optional = true): types.InputBlock {
  return {
    type: 'input',
    block_id: ruleBlock(spec.name, spec.turn),
    optional,
    ...(spec.dispatch ? { dispatch_action: true } : {}),
    label: { type: 'plain_text', text: plain(spec.label, 200) },
    ...(spec.hint ? { hint: { type: 'plain_text', text: plain(spec.hint, 500) } } : {}),
    element,
  };
}

function optionOf({ id, name }: Choice): types.PlainTextOption {
  return { text: { type: 'plain_text', text: plain(name, 75), emoji: false }, value: id };
}

/** One of a few, always with one chosen. */
export function radioInput(spec: InputSpec, choices: Choice[], chosen: string): types.InputBlock {
  const options = choices.map(optionOf);
  const initial = options.find(({ value }) => value === chosen) ?? options[0];
  return input(
    spec,
    {
      type: 'radio_buttons',
      action_id: spec.action ?? entered,
      options,
      ...(initial ? { initial_option: initial } : {}),
    },
    false,
  );
}

/** Some of a few as boxes, of up to a hundred as a menu. */
export function tickInput(spec: InputSpec, choices: Choice[], ticked: readonly string[]): types.InputBlock {
  const options = choices.map(optionOf);
  const initial = options.filter(({ value }) => value !== undefined && ticked.includes(value));
  return input(spec, {
    type: options.length > MAX_BOXES ? 'multi_static_select' : 'checkboxes',
    action_id: spec.action ?? entered,
    options,
    ...(initial.length > 0 ? { initial_options: initial } : {}),
  });
}

/** One of many; typed in where there is nothing to choose from, or more than Slack's menus hold. */
export function selectInput(spec: InputSpec, choices: Choice[], chosen: string | null): types.InputBlock {
  const usable = choices.filter(({ id }) => id.length > 0 && id.length <= 75);
  if (usable.length === 0 || usable.length > MAX_OPTIONS) return writtenInput(spec, chosen ?? '');
  const isKnown = chosen === null || usable.some(({ id }) => id === chosen);
  // What the rule says now stays choosable, also when Jira no longer offers it.
  if (!isKnown && chosen.length > 75) return writtenInput(spec, chosen);
  const options = [...usable, ...(isKnown ? [] : [{ id: chosen, name: chosen }])].map(optionOf);
  const initial = options.find(({ value }) => value === chosen);
  return input(spec, {
    type: 'static_select',
    action_id: spec.action ?? entered,
    options,
    ...(initial ? { initial_option: initial } : {}),
  });
}

/** The same, with a choice of none. */
export function choiceInput(spec: InputSpec, choices: Choice[], chosen: string | null): types.InputBlock {
  const usable = choices.filter(({ id }) => id.length > 0);
  if (usable.length === 0 || usable.length > MAX_OPTIONS - 1) return writtenInput(spec, chosen ?? '');
  return selectInput(spec, [{ id: NOTHING, name: spec.none ?? 'None' }, ...usable], chosen ?? NOTHING);
}

/** A text; one that Slack's inputs do not hold is shown and stays as it is. */
export function textInput(
  spec: InputSpec & { multiline?: boolean; isRequired?: boolean },
  value: string,
): types.KnownBlock[] {
  const { max = MAX_WRITTEN } = spec;
  if (value.length <= max) return [writtenInput(spec, value)];
  return keptBlocks(spec.label, `It is longer than the ${max} characters that this input holds.`, value);
}

/** What a form cannot take in, with why, and how it can be changed. Saving leaves it as it is. */
export function keptBlocks(label: string, why: string, text: string): types.KnownBlock[] {
  const cure = 'Saving leaves it as it is. Change it with `PUT /api/v1/sources/SOURCE/rule`.';
  return [section(`*${foreign(label, 200)}*\n${foreign(text, EXCERPT)}`), context(`${foreign(why, 300)} ${cure}`)];
}

/** A name, or another text that is short. */
export function writtenInput(
  spec: InputSpec & { multiline?: boolean; isRequired?: boolean },
  value: string,
): types.InputBlock {
  const { max = MAX_WRITTEN } = spec;
  const initial = value.slice(0, max);
  return input(
    spec,
    {
      type: 'plain_text_input',
      action_id: spec.action ?? entered,
      max_length: max,
      ...(spec.multiline ? { multiline: true } : {}),
      ...(spec.dispatch ? { dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] } } : {}),
      ...(initial ? { initial_value: initial } : {}),
    },
    spec.isRequired !== true,
  );
}

/** A whole number of at least 1. */
export function numberInput(spec: InputSpec, value: string): types.InputBlock {
  return input(spec, {
    type: 'number_input',
    action_id: spec.action ?? entered,
    is_decimal_allowed: spec.name.startsWith('field-'),
    ...(spec.name.startsWith('field-') ? {} : { min_value: '1', max_value: String(MOST_FINDINGS) }),
    ...(value ? { initial_value: value } : {}),
  });
}
