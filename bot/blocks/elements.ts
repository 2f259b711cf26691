import type { types } from '@slack/bolt';
import { plain } from './text';

/** A paragraph of our own mrkdwn; foreign parts in it went through `foreign`. `verbatim`: nothing is linked by itself. */
export function section(text: string, accessory?: types.Button): types.SectionBlock {
  const block: types.SectionBlock = { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
  return accessory ? { ...block, accessory } : block;
}

/** A paragraph of anybody's text, where nothing is parsed; at most 3000 characters. */
export function plainSection(text: string): types.SectionBlock {
  return { type: 'section', text: { type: 'plain_text', text: text || '-', emoji: false } };
}

/** A headline of plain text, cut at Slack's 150 characters. */
export function header(text: string): types.HeaderBlock {
  return { type: 'header', text: { type: 'plain_text', text: plain(text, 150), emoji: false } };
}

/** A small grey line of our own mrkdwn. */
export function context(text: string): types.ContextBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** A row of buttons and menus. Each needs an action id of its own within the row. */
export function actions(elements: types.ActionsBlockElement[]): types.ActionsBlock {
  return { type: 'actions', elements };
}

export type ButtonSpec = {
  action: string;
  label: string;
  /** What it acts on, where several buttons have the same label: a screen reader says it after the label. */
  about?: string;
  /** Asked before it is done. */
  confirm?: { title: string; text: string; yes: string; no: string };
  value?: string;
  url?: string;
  style?: 'primary' | 'danger';
};

/**
 * A button; label and accessibility label are cut at Slack's 75 characters, values have at most 2000. Its accessible name
 * begins with what can be read on it: whoever speaks to the computer says what they see.
 */
export function button({ action, label, about, value, url, style, confirm }: ButtonSpec): types.Button {
  return {
    type: 'button',
    action_id: action,
    text: { type: 'plain_text', text: plain(label, 75), emoji: false },
    ...(value === undefined ? {} : { value }),
    ...(url === undefined ? {} : { url }),
    ...(style === undefined ? {} : { style }),
    ...(about === undefined ? {} : { accessibility_label: plain(accessibleName(label, about), 75) }),
    ...(confirm === undefined ? {} : { confirm: question(confirm) }),
  };
}

function accessibleName(label: string, about: string): string {
  return /\p{P}$/u.test(label) ? `${label} ${about}` : `${label}: ${about}`;
}

function question({ title, text, yes, no }: NonNullable<ButtonSpec['confirm']>): types.ConfirmationDialog {
  const words = (said: string, max: number) => ({ type: 'plain_text' as const, text: plain(said, max), emoji: false });
  return { title: words(title, 100), text: words(text, 300), confirm: words(yes, 30), deny: words(no, 30) };
}

/** The menu behind the three dots; values have at most 75 characters. */
export function overflow(action: string, options: { label: string; value: string }[]): types.Overflow {
  return {
    type: 'overflow',
    action_id: action,
    options: options.map(({ label, value }) => ({
      text: { type: 'plain_text', text: plain(label, 75), emoji: false },
      value,
    })),
  };
}
