import { createHash } from 'node:crypto';

/** Longest text kept of each kind, in UTF-16 units. What a person reads in an issue is shorter still. */
export const lengths = { name: 500, title: 250, line: 1_000, snippet: 2_000, message: 4_000, stack: 8_000 } as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character
const terminalColour = /\u001b\[[0-9;]*[A-Za-z]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL stores no NUL, and nobody reads the others
const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;
const loneSurrogate = /[\uD800-\uDFFF]/gu;

/**
 * Text as it may be stored: without terminal colours, control characters and halves of surrogate pairs, and at most
 * `max` long, an ellipsis included. The answer shares no memory with a longer text it was cut from.
 */
export function cleanText(value: unknown, max: number): string {
  if (typeof value !== 'string' || value === '') return '';
  const cut = value.length > max * 2 ? value.slice(0, max * 2) : value;
  const plain = cut.replace(terminalColour, '').replace(controlCharacter, '').replace(loneSurrogate, '\uFFFD').trim();
  if (plain.length <= max) return detached(plain);
  return detached(`${plain.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`);
}

/** A name that identifies: one that is too long keeps its beginning and a hash of the whole. */
export function cleanName(value: string): string {
  const plain = cleanText(value, Math.max(value.length, 1));
  if (plain.length <= lengths.name) return plain;
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 12);
  return `${cleanText(plain, lengths.name - 13)}#${hash}`;
}

/** V8 cuts strings by reference; a name would keep its whole chunk of the file alive. */
function detached(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf8').toString('utf8');
}
