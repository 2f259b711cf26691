import type { types } from '@slack/bolt';

/** A message as Slack takes it: `text` carries the whole meaning, for notifications and screen readers. */
export type Message = { text: string; blocks: types.KnownBlock[] };

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Text of anybody else, safe inside mrkdwn: `&`, `<` and `>` become entities, so that no mention, link or command in
 * it comes alive. At most `max` characters after escaping; never cuts an entity or an emoji in two.
 */
export function foreign(text: string, max = 300): string {
  let written = '';
  for (const character of oneLine(text)) {
    const safe = ENTITIES[character] ?? character;
    if (written.length + safe.length > max - 1) return `${written.trimEnd()}…`;
    written += safe;
  }
  return written || '-';
}

/** Text of anybody else for a `plain_text` object, where nothing is parsed. At most `max` UTF-16 units, never empty. */
export function plain(text: string, max = 300): string {
  const line = oneLine(text);
  if (line.length <= max) return line || '-';
  return `${beginning(line, max - 1).trimEnd()}…`;
}

/** At most `max` UTF-16 units of a text; never cuts an emoji in two. */
export function beginning(text: string, max: number): string {
  if (text.length <= max) return text;
  let written = '';
  for (const character of text) {
    if (written.length + character.length > max) break;
    written += character;
  }
  return written;
}

/** A moment in the reader's own time zone and language; the fallback says it in UTC. */
export function moment(at: Date): string {
  const utc = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1000)}^{date_short_pretty} {time}|${utc}>`;
}

/** A link by our own label; the label alone where the address is too long for a field. */
export function link(url: string, label: string): string {
  const text = foreign(label, 100);
  // What could end the link early is encoded.
  const safe = url.replaceAll('&', '&amp;').replace(/[<>|\s]/g, encodeURIComponent);
  return safe.length > 1500 ? text : `<${safe}|${text}>`;
}

/** `1 finding`, `2 findings`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Cuts at the end of a line, so that no link or entity is cut in two. */
export function clipText(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = text.lastIndexOf('\n', max - 2);
  return end > 0 ? `${text.slice(0, end)}\n…` : '…';
}

function oneLine(text: string): string {
  // Control and direction-changing characters can hide or reorder what a reader sees.
  return text
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
