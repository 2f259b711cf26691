// The part of the form of a sync rule that asks for Jira's own fields.

import type { types } from '@slack/bolt';
import type { RuleForm, RuleView } from '../../api/operations/types';
import type { JsonValue } from '../../workflows/rules/vocabulary';
import { section } from './elements';
import { keptBlocks, numberInput, selectInput, textInput, tickInput } from './rule-inputs';
import { askedFields, type FieldKind, FURTHER, initialValues } from './rule-values';
import { foreign } from './text';

const MAX_FIELDS = 20;
/** What a menu of Slack's holds, less the one that the rule names and Jira no longer offers. */
export const MAX_CHOICES = 99;
const tooMany = "Jira offers more than Slack's menus hold.";
const onceHint = 'Asked once; sent with every issue of this source.';

/** Jira's own fields: those that it requires are asked for once, and what is sent beside them can be left out. */
export function jiraFields(form: RuleForm, rule: RuleView, turn: number): types.KnownBlock[] {
  const asked = required(form, rule, turn);
  return [...asked, ...further(form, rule, { turn, asked: askedFields(initialValues(asked)) })];
}

function required({ required: fields }: RuleForm, rule: RuleView, turn: number): types.KnownBlock[] {
  const more = fields.slice(MAX_FIELDS).map(({ name }) => name);
  const asked = fields.slice(0, MAX_FIELDS).flatMap((field) => requiredField(field, rule, turn));
  const rest = `Jira requires more than fits here: ${more.join(', ')}. Give them with \`PUT /api/v1/sources/SOURCE/rule\`.`;
  return [...asked, ...(more.length > 0 ? [section(foreign(rest, 1500))] : [])];
}

/**
 * What the template sends beside that: fields given by the HTTP API, and those that Jira required once. Jira refuses
 * every issue with one that has left its create screen, so each can be left out.
 */
function further(
  form: RuleForm,
  rule: RuleView,
  { turn, asked }: { turn: number; asked: string[] },
): types.InputBlock[] {
  const sent = rule.template?.fields ?? {};
  // Fields of another create screen are not taken along.
  const isMoved = (['connection', 'projectKey', 'issueType'] as const).some((part) => rule[part] !== form.rule[part]);
  const all = isMoved ? sent : { ...form.rule.template?.fields, ...sent };
  const others = Object.entries(all).filter(([id]) => !asked.includes(id) && id.length <= 75);
  if (others.length === 0 || others.length > MAX_CHOICES) return [];
  const name = (id: string) => form.required.find((field) => field.id === id)?.name ?? id;
  const choices = others.map(([id, value]) => ({ id, name: `${name(id)}: ${JSON.stringify(value)}` }));
  const hint = "Untick what is no longer on Jira's create screen: pushes fail with it.";
  return [
    tickInput({ name: FURTHER, turn, label: 'Other fields sent with every issue', hint }, choices, Object.keys(sent)),
  ];
}

function requiredField(field: RuleForm['required'][number], rule: RuleView, turn: number): types.KnownBlock[] {
  const { id, name, type, allowedValues, value } = field;
  const kind = kindOf(type, allowedValues.length > 0);
  const given = rule.template?.fields[id] ?? value;
  const isLong = allowedValues.length > MAX_CHOICES;
  const hint = kind === 'one' && isLong ? `${tooMany} Write the id of the one.` : onceHint;
  const spec = { name: `field-${kind}-${id}`, turn, label: `${name} (required by Jira)`, hint };
  switch (kind) {
    case 'many':
      if (isLong) return keptBlocks(spec.label, tooMany, choicesOf(given));
      return [tickInput(spec, allowedValues, idsOf(given))];
    case 'one':
      return [selectInput(spec, allowedValues, idsOf(given)[0] ?? null)];
    case 'number':
      return [numberInput(spec, typeof given === 'number' ? String(given) : '')];
    default: {
      const written = writtenOf(given);
      if (written === null) return keptBlocks(spec.label, 'It is more than a text.', JSON.stringify(given));
      return textInput({ ...spec, isRequired: rule.enabled }, written);
    }
  }
}

function kindOf(type: string | null, hasValues: boolean): FieldKind {
  if (hasValues) return type === 'array' ? 'many' : 'one';
  if (type === 'number' || type === 'user') return type;
  return type === 'array' ? 'list' : 'text';
}

function idsOf(value: JsonValue): string[] {
  const all = Array.isArray(value) ? value : [value];
  return all.flatMap((each) =>
    each && typeof each === 'object' && !Array.isArray(each) && each.id ? [String(each.id)] : [],
  );
}

/** A value as a text that is read back as the same value; null where no text says it. */
function writtenOf(value: JsonValue): string | null {
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string') ? value.join(' ') : null;
  if (value && typeof value === 'object') return typeof value.accountId === 'string' ? value.accountId : null;
  return value === null ? '' : String(value);
}

function choicesOf(value: JsonValue): string {
  return idsOf(value).join(', ') || 'Nothing is chosen.';
}
