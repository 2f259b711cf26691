// What a person entered in the form of a sync rule, read back into a change of the rule. Which inputs there are is
// decided in rule-form.ts; an input that is not there leaves its part of the rule as it is.

import { createHash } from 'node:crypto';
import type { types, ViewOutput } from '@slack/bolt';
import { z } from 'zod';
import type { RuleChange, RuleView } from '../../api/operations/types';
import { groupings, type IssueTemplate, type JsonValue, severities } from '../../workflows/rules/vocabulary';

/** The value of an option that stands for "nothing of these". */
export const NOTHING = '-';
/** The action of every input that is only read with the submission. */
export const entered = 'rule.entered';
/** What the HTTP API takes too. */
export const MOST_FINDINGS = 100_000;
const MOST_LABELS = 50;
const LONGEST_LABEL = 255;
// The input of a required field: `field-<kind>-<id>`.
const FIELD = /^field-(one|many|number|user|text|list)-(.+)$/;
/** The boxes of what the template sends and the form has no input for. */
export const FURTHER = 'furtherFields';
export type FieldKind = 'one' | 'many' | 'number' | 'user' | 'text' | 'list';

type Entered = {
  value?: string | null | undefined;
  selected_option?: { value?: string | undefined } | null | undefined;
  selected_options?: { value?: string | undefined }[] | null | undefined;
};
export type RuleValues = Map<string, Entered>;

/** The id of the block that holds an input; changes with every fill, because boxes keep what was done to them. */
export function ruleBlock(name: string, turn: number): string {
  return `rule:${turn}:${name}`;
}

/** What stands in the inputs of a view. */
export function ruleValues(view: Pick<ViewOutput, 'state'>): RuleValues {
  const values: RuleValues = new Map();
  for (const [block, actions] of Object.entries(view.state.values)) {
    const name = /^rule:\d+:(.+)$/s.exec(block)?.[1];
    const [value] = Object.values(actions);
    if (name && value) values.set(name, value);
  }
  return values;
}

/** What stands in the inputs before anybody touches them. */
export function initialValues(blocks: types.KnownBlock[]): RuleValues {
  const values: RuleValues = new Map();
  for (const block of blocks) {
    const name = block.type === 'input' ? /^rule:\d+:(.+)$/s.exec(block.block_id ?? '')?.[1] : undefined;
    if (block.type !== 'input' || !name) continue;
    const element = block.element as { initial_value?: string } & {
      initial_option?: { value?: string };
      initial_options?: { value?: string }[];
    };
    values.set(name, {
      value: element.initial_value,
      selected_option: element.initial_option,
      selected_options: element.initial_options,
    });
  }
  return values;
}

/** The whole rule that these values say, changed or not. `kept`: what of the template stays where the form does not show it. */
export function ruleChangeOf(values: RuleValues, kept?: IssueTemplate): RuleChange {
  const given = <T>(name: string, read: (value: Entered) => T): T | undefined => {
    const value = values.get(name);
    return value ? read(value) : undefined;
  };
  const orNull = (name: string) => given(name, (value) => textOf(value) || null);
  const isOn = (name: string) => given(name, (value) => textOf(value) === 'on');
  const enabled = isOn('enabled');
  const autoPush = isOn('autoPush');
  const labels = given('labels', (value) => (textOf(value) ?? '').split(/[\s,]+/).filter(Boolean));
  const ticked = given('severities', (value) => new Set((value.selected_options ?? []).map((option) => option.value)));
  const choices = {
    onJiraDone: oneOf(['verify', 'resolve'], values.get('onJiraDone')),
    onVerifyFail: oneOf(['comment', 'reopen'], values.get('onVerifyFail')),
    grouping: oneOf(groupings, values.get('grouping')),
    verifier: oneOf(['person', 'report'], values.get('verifier')),
  };
  return {
    ...defined({ connection: orNull('connection'), projectKey: orNull('project')?.toUpperCase() ?? orNull('project') }),
    ...defined({ component: orNull('component'), assignee: orNull('assignee') }),
    ...defined({ enabled, autoPush, labels, ...choices, approval: approvalOf(values) }),
    ...defined({ issueType: orNull('issueType') ?? undefined, template: templateOf(values, kept) }),
    ...defined({ severities: ticked && severities.filter((each) => ticked.has(each)) }),
    ...defined({ priorities: prioritiesOf(values), otherConnections: given('otherConnections', chosenOf) }),
  };
}

/** Each part of a rule as a short text that tells whether it is the same as another time. */
export function digestsOf(rule: RuleChange): RuleDigests {
  const parts = Object.entries(rule).filter(([name, value]) => !saidByRecheck.includes(name) && value !== undefined);
  return Object.fromEntries(parts.map(([name, value]) => [name, digest(value)]));
}

/** The same of what a form says. The boxes that leave fields out belong to the template. */
export function formDigests(values: RuleValues): RuleDigests {
  const further = values.get(FURTHER);
  const parts = digestsOf(ruleChangeOf(values));
  return further ? { ...parts, template: digest([parts.template, chosenOf(further).sort()]) } : parts;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 8);
}

const saidByRecheck = ['warnings', 'autoPushSince'];

/** The parts of the rule that a person changed in the form: what differs from what it said when it was shown. */
export function changedParts(values: RuleValues, { form }: Pick<RuleOrigin, 'form'>): string[] {
  const now = formDigests(values);
  return Object.keys(now).filter((name) => now[name] !== form[name]);
}

/**
 * What a person changed in the form, over the rule as it is kept now. What they left alone stays as anybody else has
 * made it meanwhile.
 */
export function changeOf(values: RuleValues, origin: Pick<RuleOrigin, 'form'>, rule: RuleView): RuleChange {
  const parts = changedParts(values, origin);
  const changed = only(ruleChangeOf(values), parts);
  const kept = templateKept(rule, changed);
  const isMoved = kept !== rule.template;
  const { template } = ruleChangeOf(values, kept);
  return { ...changed, ...(template !== undefined && (isMoved || parts.includes('template')) ? { template } : {}) };
}

/** The parts of a change that somebody else has made different meanwhile, too. */
export function changedByOthers(
  change: RuleChange,
  origin: Pick<RuleOrigin, 'form' | 'rule'>,
  rule: RuleView,
): string[] {
  const [asked, now] = [digestsOf(change), digestsOf(rule)];
  return Object.keys(asked).filter((name) => {
    const before = origin.rule[name];
    return before !== undefined && now[name] !== before && now[name] !== asked[name];
  });
}

/** These parts of something that is made of them. */
export function only<T extends RuleChange | Record<string, unknown>>(whole: T, parts: string[]): T {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => parts.includes(name))) as T;
}

/** The rule as the form says it, over the rule as it is kept. */
export function ruleWith(rule: RuleView, change: RuleChange): RuleView {
  const { template, warnings: _warnings, autoPushSince: _since, ...rest } = change;
  const next = template === undefined ? rule.template : (template ?? undefined);
  const { template: _kept, ...kept } = rule;
  return { ...kept, ...defined(rest), ...(next ? { template: next } : {}) } as RuleView;
}

/**
 * What of a rule's template goes on with a change that the form makes. Fields belong to a create screen: those that the
 * form does not show are not taken along to another project or issue type, where Jira would refuse them.
 */
export function templateKept(
  rule: RuleView,
  { connection, projectKey, issueType }: RuleChange,
): IssueTemplate | undefined {
  const { template } = rule;
  const isElsewhere =
    (connection !== undefined && connection !== rule.connection) ||
    (projectKey !== undefined && projectKey !== rule.projectKey) ||
    (issueType !== undefined && issueType !== rule.issueType);
  return template && isElsewhere ? { ...template, fields: {} } : template;
}

const origin = z.object({
  source: z.string(),
  channel: z.string().nullable(),
  turn: z.number(),
  /** What each part of the form said when it was shown, and what the rule was then: what is changed since is told by it. */
  form: z.record(z.string(), z.string()).default({}),
  rule: z.record(z.string(), z.string()).default({}),
});

type RuleDigests = Record<string, string>;

/** What a form knows of itself; travels in the view's private metadata. */
export type RuleOrigin = z.infer<typeof origin>;

/** Reads the private metadata of a view back; throws where it is not ours. */
export function ruleOrigin(view: Pick<ViewOutput, 'private_metadata'>): RuleOrigin {
  return origin.parse(JSON.parse(view.private_metadata));
}

/** What stands against saving, by block: nothing changed, or no project key for an active source. */
export function ruleProblems(view: ViewOutput): Record<string, string> | null {
  const { turn, form } = ruleOrigin(view);
  const values = ruleValues(view);
  const { enabled, projectKey, labels = [] } = ruleChangeOf(values);
  const problems: Record<string, string> = {};
  if (enabled && !projectKey) {
    problems[ruleBlock('project', turn)] = 'An active source needs a Jira project key. Give one, or switch it off.';
  }
  if (values.get('approval')?.selected_option?.value === 'bulk' && !bulkOver(values)) {
    problems[ruleBlock('bulkOver', turn)] =
      `Say over how many findings a push needs an approval: 1 to ${MOST_FINDINGS}.`;
  }
  if (labels.length > MOST_LABELS || labels.some(({ length }) => length > LONGEST_LABEL)) {
    problems[ruleBlock('labels', turn)] =
      `Give at most ${MOST_LABELS} labels, each of at most ${LONGEST_LABEL} characters.`;
  }
  if (Object.keys(problems).length === 0 && changedParts(values, { form }).length === 0) {
    problems[ruleBlock('enabled', turn)] = 'Nothing has changed, so there is nothing to save.';
  }
  return Object.keys(problems).length > 0 ? problems : null;
}

function approvalOf(values: RuleValues): RuleChange['approval'] {
  const chosen = values.get('approval')?.selected_option?.value;
  if (chosen === 'bulk') return { bulkOver: bulkOver(values) ?? 1 };
  return chosen === 'none' || chosen === 'all' ? chosen : undefined;
}

function bulkOver(values: RuleValues): number | null {
  const number = Number(values.get('bulkOver')?.value ?? '');
  return Number.isInteger(number) && number >= 1 && number <= MOST_FINDINGS ? number : null;
}

function prioritiesOf(values: RuleValues): RuleChange['priorities'] {
  if (!severities.some((severity) => values.has(`priority-${severity}`))) return undefined;
  const named = severities.map((severity) => [severity, textOf(values.get(`priority-${severity}`) ?? {})] as const);
  return Object.fromEntries(named.filter(([, name]) => name));
}

function templateOf(values: RuleValues, kept: IssueTemplate | undefined): RuleChange['template'] {
  if (!values.has('summary') && !values.has('description')) return undefined;
  const written = (name: 'summary' | 'description') => {
    const value = values.get(name);
    return value ? textOf(value) : kept?.[name];
  };
  const summary = written('summary');
  const description = written('description');
  const further = values.get(FURTHER);
  const going = further ? only(kept?.fields ?? {}, chosenOf(further)) : kept?.fields;
  const fields: { [id: string]: JsonValue } = { ...going, ...fieldsOf(values) };
  if (!summary && !description && Object.keys(fields).length === 0) return null;
  return { ...(summary ? { summary } : {}), ...(description ? { description } : {}), fields };
}

/** The fields that a form of such values has an input for. */
export function askedFields(values: RuleValues): string[] {
  return [...values.keys()].flatMap((name) => FIELD.exec(name)?.[2] ?? []);
}

function fieldsOf(values: RuleValues): { [id: string]: JsonValue } {
  const fields: { [id: string]: JsonValue } = {};
  for (const [name, value] of values) {
    const [, kind, id] = FIELD.exec(name) ?? [];
    const given = id && fieldValue(kind as FieldKind, value);
    if (id && given && !(Array.isArray(given) && given.length === 0)) fields[id] = given;
  }
  return fields;
}

function fieldValue(kind: FieldKind, value: Entered): JsonValue {
  const text = textOf(value);
  if (!text && kind !== 'many') return null;
  switch (kind) {
    case 'one':
      return { id: text ?? '' };
    case 'many':
      return (value.selected_options ?? []).map((option) => ({ id: option.value ?? '' }));
    case 'number':
      return Number(text);
    case 'user':
      return { accountId: text ?? '' };
    case 'list':
      return (text ?? '').split(/[\s,]+/).filter(Boolean);
    case 'text':
      return text;
  }
}

/** What a value says: a chosen option or a text; null for nothing. */
function textOf({ value, selected_option }: Entered): string | null {
  const text = (selected_option?.value ?? value ?? '').trim();
  return text === '' || text === NOTHING ? null : text;
}

function chosenOf({ selected_options: options }: Entered): string[] {
  return (options ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
}

function oneOf<T extends string>(known: readonly T[], value: Entered | undefined): T | undefined {
  return known.find((each) => each === value?.selected_option?.value);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(change: T): Defined<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Defined<T>;
}
