// What may stand in a request, whoever sends it and by which way: looked at before anything else reads it.
// Contents of reports are no part of this: they are cleaned while they are read (api/ingest/text.ts).

import { Refusal } from './refusal';

/** Far beyond what Jira nests (a list in a table in a panel), far below what overflows a stack. */
const mostLevels = 64;

/**
 * Refuses texts that cannot be stored, and values that are nested too deep. `path` names where the value stands; where
 * it has none the text itself is named, which is then one that was typed (a note, a key) and never a secret.
 */
export function refuseUnfitInput(value: unknown, path: readonly (string | number)[] = []): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw unfitText(path.length > 0 ? fieldName(path) : null, value);
    return;
  }
  // Streams, dates and the like hold no texts of the request.
  if (!Array.isArray(value) && !isPlainObject(value)) return;
  if (path.length >= mostLevels) throw tooDeep(fieldName(path.slice(0, 3)));
  if (Array.isArray(value)) {
    value.forEach((each, index) => {
      refuseUnfitInput(each, [...path, index]);
    });
    return;
  }
  for (const [name, each] of Object.entries(value)) {
    if (!isStorable(name)) throw unfitText(fieldName([...path, cleaned(name)]), name);
    refuseUnfitInput(each, [...path, name]);
  }
}

/** PostgreSQL takes no NUL, and neither its jsonb nor an address takes half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && !loneSurrogate.test(text);
}

const loneSurrogate = /\p{Surrogate}/u;

const cleaned = (text: string) => text.replaceAll('\0', '\uFFFD').replace(/\p{Surrogate}/gu, '\uFFFD');

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function unfitText(field: string | null, text: string): Refusal {
  const what = 'holds a character that cannot be stored: a NUL, or half of an emoji. Take it out and send it again.';
  if (field === null) return new Refusal('invalid', 'invalid_text', `"${shortened(cleaned(text))}" ${what}`);
  const message = `This text ${what}`;
  return new Refusal('invalid', 'invalid_text', `${field}: ${message}`, { details: { errors: [{ field, message }] } });
}

const shortened = (text: string) => (text.length > 60 ? `${[...text].slice(0, 59).join('')}…` : text);

function tooDeep(field: string): Refusal {
  const message = `This is nested deeper than ${mostLevels} levels. Send something flatter.`;
  return new Refusal('invalid', 'too_deep', `${field}: ${message}`, { details: { errors: [{ field, message }] } });
}

/** `findings[2].note`, as one would write it in JavaScript. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name ? `${name}.${String(part)}` : String(part);
  }, '');
}
