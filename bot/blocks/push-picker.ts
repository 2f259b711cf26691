import type { types, ViewOutput } from '@slack/bolt';
import { z } from 'zod';
import type { PushChoice, PushChoices } from '../../api/operations/types';
import { actions, button, context, section } from './elements';
import { heldLine } from './pushes';
import { beginning, count, foreign, plain } from './text';
import { severityWords } from './words';

export const pickerView = { callback: 'push.pick', note: 'note', noteInput: 'text' } as const;
/** `tick` is the action of every group of checkboxes; values of the others are page numbers, or nothing. */
export const pickerActions = {
  tick: 'pick.tick',
  previous: 'pick.previous',
  next: 'pick.next',
  all: 'pick.all',
  none: 'pick.none',
} as const;

/** Slack's limit of checkboxes in one group. */
const GROUP = 10;
const PAGE = 100;
/** What one window offers over all its pages: the ids of those ticked travel in its 3000 characters of metadata. */
const OFFERED = 400;
const REASONS = 8;
/** Slack's limit of a checkbox's text, and what is taken of a title for it and for what follows below it. */
const MOST = 75;
const WHOLE = 300;

const origin = z.object({
  source: z.string(),
  channel: z.string().nullable(),
  page: z.number(),
  /** Counts fills of the window: boxes keep what a person did to them as long as their block id stays. */
  turn: z.number(),
  ticked: z.string(),
});

/** What a picker window knows of itself. */
export type Picking = { source: string; channel: string | null; page: number; turn: number; ticked: Set<string> };

/** The findings that a picker offers: the most severe ones where there are too many for it. */
export function offered(choices: PushChoices): PushChoice[] {
  return choices.ready.slice(0, OFFERED);
}

/** The window to choose from everything that is ready, with what cannot be chosen and why. */
export function pickerModal(choices: PushChoices, picking: Picking): types.ModalView {
  const rows = offered(choices);
  const pages = Math.max(Math.ceil(rows.length / PAGE), 1);
  const page = Math.min(Math.max(picking.page, 0), pages - 1);
  const ticked = new Set(rows.map(({ finding }) => finding).filter((id) => picking.ticked.has(id)));
  const shown = rows.slice(page * PAGE, (page + 1) * PAGE);
  return {
    type: 'modal',
    callback_id: pickerView.callback,
    private_metadata: metadata({ ...picking, page, ticked }),
    title: { type: 'plain_text', text: 'Choose findings' },
    ...(rows.length > 0 ? { submit: submitLabel(ticked.size) } : {}),
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      ...summary(choices),
      ...(rows.length > 0 ? [navigation(page, pages)] : []),
      ...groupsOf(shown, { first: page * PAGE, page, turn: picking.turn, ticked }),
      ...(rows.length > 0 ? [noteInput] : []),
      ...refusedWords(choices),
    ],
  };
}

/** The same window after a tick: only the label of its button and its memory change. */
export function recounted(view: ViewOutput): types.ModalView {
  const picking = pickingOf(view);
  return {
    type: 'modal',
    callback_id: pickerView.callback,
    private_metadata: metadata(picking),
    title: { type: 'plain_text', text: 'Choose findings' },
    submit: submitLabel(picking.ticked.size),
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: view.blocks as types.KnownBlock[],
  };
}

/** What is ticked in a picker as it stands, on all of its pages. Throws where the view is no picker. */
export function pickingOf(view: ViewOutput): Picking {
  const { ticked, ...known } = origin.parse(JSON.parse(view.private_metadata));
  const picked = unpacked(ticked);
  for (const block of view.blocks as types.KnownBlock[]) {
    if (block.type !== 'input' || block.element.type !== 'checkboxes' || !block.block_id) continue;
    const boxes = view.state.values[block.block_id]?.[pickerActions.tick]?.selected_options;
    if (!boxes) continue;
    for (const option of block.element.options) picked.delete(option.value ?? '');
    for (const { value } of boxes) if (value) picked.add(value);
  }
  return { ...known, ticked: picked };
}

/** What stands against submitting the view, by block; null where nothing does. */
export function pickerProblems(view: ViewOutput): Record<string, string> | null {
  if (pickingOf(view).ticked.size > 0) return null;
  const group = (view.blocks as types.KnownBlock[]).find(({ type }) => type === 'input')?.block_id;
  return group ? { [group]: 'Tick at least one finding, or press Cancel.' } : null;
}

/** The review note of a submitted picker. */
export function pickerNote(view: ViewOutput): string | undefined {
  return view.state.values[pickerView.note]?.[pickerView.noteInput]?.value?.trim() || undefined;
}

function summary(choices: PushChoices): types.KnownBlock[] {
  const { ready, held, linked, refused, source, projectKey } = choices;
  const target = projectKey ? ` to ${foreign(projectKey, 80)}` : '';
  const no = refused.reduce((sum, each) => sum + each.count, 0);
  const counts = [
    `*${foreign(source.name, 100)}*: ${ready.length} ready to push${target}`,
    `${linked} already linked`,
    ...(no > 0 ? [`${no} refused, with the reasons below`] : []),
  ];
  const more = ready.length - OFFERED;
  return [
    section(`${counts.join(', ')}.`),
    ...(held === null || ready.length === 0 ? [] : [section(heldLine(held))]),
    ...(more > 0
      ? [
          context(
            `This window offers the ${OFFERED} most severe. ${more} more are ready: choose again afterwards, or use “Push all”.`,
          ),
        ]
      : []),
  ];
}

function navigation(page: number, pages: number): types.ActionsBlock {
  const { previous, next, all, none } = pickerActions;
  return {
    ...actions([
      ...(page > 0 ? [button({ action: previous, label: `Page ${page} of ${pages}`, value: String(page - 1) })] : []),
      ...(page < pages - 1
        ? [button({ action: next, label: `Page ${page + 2} of ${pages}`, value: String(page + 1) })]
        : []),
      button({ action: all, label: 'Tick all', value: 'all' }),
      button({ action: none, label: 'Untick all', value: 'none' }),
    ]),
  };
}

type Shown = { first: number; page: number; turn: number; ticked: Set<string> };

function groupsOf(rows: PushChoice[], { first, page, turn, ticked }: Shown): types.InputBlock[] {
  const groups: types.InputBlock[] = [];
  for (let start = 0; start < rows.length; start += GROUP) {
    const group = rows.slice(start, start + GROUP);
    const options = group.map(optionOf);
    const initial = options.filter(({ value }) => value !== undefined && ticked.has(value));
    const last = first + start + group.length;
    groups.push({
      type: 'input',
      block_id: `pick:${turn}:${page}:${start}`,
      optional: true,
      dispatch_action: true,
      label: { type: 'plain_text', text: `Findings ${first + start + 1} to ${last}` },
      element: {
        type: 'checkboxes',
        action_id: pickerActions.tick,
        options,
        ...(initial.length > 0 ? { initial_options: initial } : {}),
      },
    });
  }
  return groups;
}

function optionOf({ finding, title, rule, severity, pages, wcag }: PushChoice): types.PlainTextOption {
  const { symbol, word } = severityWords[severity];
  const line = plain(`${symbol} ${word} · ${finding} · ${title || rule}`, WHOLE);
  const kept = line.length > MOST ? wordsWithin(line, MOST - 1) : line;
  // The name of a test is its title too.
  const isTest = wcag.length === 0 && rule === title;
  const facts = [
    ...(pages > 0 ? [count(pages, isTest ? 'file' : 'page')] : []),
    ...(wcag.length > 0 ? [wcag.join(', ')] : []),
    ...(wcag.length === 0 && !isTest ? [rule] : []),
    ...(kept === line ? [] : [`…${line.slice(kept.length).trimStart()}`]),
  ];
  return {
    text: { type: 'plain_text', text: kept === line ? line : `${kept}…`, emoji: false },
    ...(facts.length > 0
      ? { description: { type: 'plain_text', text: plain(facts.join(' · '), MOST), emoji: false } }
      : {}),
    value: finding,
  };
}

/** At most `max` characters of a line, up to the end of a word where one ends in its second half. */
function wordsWithin(line: string, max: number): string {
  const part = beginning(line, max);
  const end = line[part.length] === ' ' ? part.length : part.lastIndexOf(' ');
  return (end > max / 2 ? part.slice(0, end) : part).trimEnd();
}

const noteInput: types.InputBlock = {
  type: 'input',
  block_id: pickerView.note,
  optional: true,
  label: { type: 'plain_text', text: 'Review note' },
  hint: { type: 'plain_text', text: 'Written into every issue that this push makes.' },
  element: { type: 'plain_text_input', action_id: pickerView.noteInput, multiline: true, max_length: 2000 },
};

function refusedWords({ refused }: PushChoices): types.KnownBlock[] {
  if (refused.length === 0) return [];
  const lines = refused.slice(0, REASONS).map(({ reason, count: number, findings }) => {
    const more = number > findings.length ? ` and ${number - findings.length} more` : '';
    return `• ${foreign(findings.join(', '), 60)}${more}: ${foreign(reason, 250)}`;
  });
  return [section(`*Cannot be chosen*\n${lines.join('\n')}`)];
}

function submitLabel(ticked: number): types.PlainTextElement {
  return { type: 'plain_text', text: `Push ${ticked} selected` };
}

function metadata({ source, channel, page, turn, ticked }: Picking): string {
  return JSON.stringify({ source, channel, page, turn, ticked: packed(ticked) } satisfies z.infer<typeof origin>);
}

/** Numbers in order as differences of base 36: 400 of them fit into Slack's metadata, however large they are. */
function packed(ids: Set<string>): string {
  const numbers = [...ids].map((id) => Number(id.slice(2))).sort((a, b) => a - b);
  return numbers.map((number, at) => (number - (numbers[at - 1] ?? 0)).toString(36)).join(',');
}

function unpacked(text: string): Set<string> {
  const ids = new Set<string>();
  let number = 0;
  for (const part of text.split(',').filter(Boolean)) {
    number += Number.parseInt(part, 36);
    ids.add(`F-${number}`);
  }
  return ids;
}
