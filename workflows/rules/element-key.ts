// One element, one key: what bundlers, frameworks and siblings add to a CSS selector is taken off, so that a new build
// or a new row in a list does not look like another element. Tables first; add a row with a test.

import { isNoiseParameter } from './page-address';

type Rewrite = { pattern: RegExp; to: string; hashed?: boolean };

/**
 * Class names made by build tools. `hashed` rows apply only where the first group looks like a hash, since plain words
 * stand in the same place (`card__title` is BEM, `card__a8Fh2` is CSS modules).
 */
const generatedClasses: readonly Rewrite[] = [
  { pattern: /\.css-[a-z0-9]{5,10}(?![\w])/gi, to: '.css-*' },
  { pattern: /\.jsx-\d{4,}/g, to: '.jsx-*' },
  { pattern: /\.svelte-[a-z0-9]{5,8}/g, to: '.svelte-*' },
  { pattern: /\.jss\d+/g, to: '.jss*' },
  { pattern: /\.((?:makeStyles|Mui[A-Z]\w*|With\w+)-\w+)-\d+/g, to: '.$1-*' },
  { pattern: /\.sc-(?=[a-z]*[A-Z])[A-Za-z]{5,8}(?:-\d+)?(?![\w-])/g, to: '.sc-*' },
  { pattern: /\.c-([A-Za-z]{5,8})(?:-[A-Za-z]{5,8}-\w+)?(?![\w-])/g, to: '.c-*', hashed: true },
  { pattern: /(?<=\.[\w-]*__)([A-Za-z0-9+-]{5,8})(?![\w-])/g, to: '*', hashed: true },
  { pattern: /(?<=\.[A-Za-z][\w-]*--)([A-Za-z0-9_]{5,8})(?![\w-])/g, to: '*', hashed: true },
  { pattern: /(?<=\._[A-Za-z][A-Za-z0-9-]*_)([a-z0-9]{5})_\d+(?![\w-])/g, to: '*' },
  { pattern: /\._([A-Za-z0-9-]{5,8})(?![\w-])/g, to: '._*', hashed: true },
  { pattern: /\[(_ngcontent|_nghost)-[\w-]+(?:="")?\]/g, to: '[$1-*]' },
  { pattern: /\.ng-tns-c\d+-\d+/g, to: '.ng-tns-*' },
  { pattern: /\[data-v-[0-9a-f]{6,8}(?:="")?\]/g, to: '[data-v-*]' },
];

/** Identifiers that frameworks number as they render. */
const generatedIds: readonly Rewrite[] = [
  { pattern: /\\?:r[0-9a-z]+\\?:/g, to: ':r*:' },
  { pattern: /«r[0-9a-z]+»/g, to: '«r*»' },
  { pattern: /_r_[0-9a-z]+_/g, to: '_r_*_' },
  { pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, to: '*' },
  { pattern: /\\3\d ?[0-9a-f]{7}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, to: '*' },
  {
    pattern:
      /\b(headlessui-[a-z-]*[a-z]|mui|mui-id|mat-[a-z-]*[a-z]|cdk-[a-z-]*[a-z]|ui-id|react-aria|downshift|rc_select|rc-tabs|radix|reach|tippy|popover|floating-ui|ext-gen|__BVID__|input-vaadin-[a-z-]*[a-z])-?\d+\b/g,
    to: '$1-*',
  },
  { pattern: /\bext-gen\d+\b/g, to: 'ext-gen*' },
  { pattern: /(?<![A-Za-z])ember\d+\b/g, to: 'ember*' },
  { pattern: /\b__BVID__\d+(?:__\w+_)?/g, to: '__BVID__*' },
  { pattern: /\byui_\d[\w]*\b/g, to: 'yui_*' },
];

/** Where an element stands among its siblings is the first thing that changes. */
const positions: readonly RegExp[] = [
  /:(?:nth-child|nth-of-type|nth-last-child|nth-last-of-type)\([^)]*\)/g,
  /:(?:first|last|only)-(?:child|of-type)/g,
];

/** The attributes that tell two elements with one selector apart, in the order in which they stand in the key. */
const identifyingAttributes = [
  'id',
  'name',
  'type',
  'role',
  'for',
  'href',
  'src',
  'action',
  'aria-label',
  'data-testid',
  'data-test',
  'data-cy',
] as const;

const MAX_KEY = 1_000;

/** A target as axe writes it: one selector per frame; an array in place of a selector leads into shadow roots. */
export type Target = readonly (string | readonly string[])[];

/** The selector of a target as one readable line, frames joined by ` >>> `, shadow roots by ` >> `. */
export function targetSelector(target: Target): string {
  return target.map((part) => (typeof part === 'string' ? part : part.join(' >> '))).join(' >>> ');
}

/**
 * The key of an element on its page: the normalised selector, then the tag and identifying attributes of its snippet,
 * normalised the same way. Elements that differ only in position share a key.
 */
export function elementKey(element: { selector: string; html: string }): string {
  const signature = tagSignature(element.html);
  const selector = stableSelector(element.selector);
  return (signature ? `${selector} | ${signature}` : selector).slice(0, MAX_KEY);
}

/**
 * The key of a place in source code: what the tool says stays the same (its fingerprints), else the enclosing name,
 * the line's text, or the message, all without numbers, so that lines that move do not make another place.
 */
export function codeKey(place: {
  fingerprints: readonly (readonly [name: string, value: string])[];
  enclosing: string;
  snippet: string;
  message: string;
}): string {
  // Some tools write a sentence in place of a fingerprint ("requires login").
  const prints = place.fingerprints.filter(([, value]) => /^[^\s]{6,}$/.test(value)).map((pair) => pair.join('='));
  if (prints.length > 0) return prints.sort().join(' ').slice(0, MAX_KEY);
  const text = (place.snippet || place.message).replace(/\s+/g, ' ').trim();
  const steady = place.snippet ? text : text.replace(/\d+/g, '#');
  return [place.enclosing, steady].filter(Boolean).join(' | ').slice(0, MAX_KEY);
}

/** A selector without generated class names, numbered identifiers and positions. Applying it twice changes nothing. */
export function stableSelector(selector: string): string {
  let stable = selector.replace(/\s+/g, ' ').trim();
  stable = stable.replace(
    /(["'])((?:[^"'\\]|\\.)*)\1/g,
    (_whole, quote: string, value: string) => `${quote}${stableValue(value)}${quote}`,
  );
  stable = rewritten(stable, generatedClasses);
  stable = rewritten(stable, generatedIds);
  for (const position of positions) stable = stable.replace(position, '');
  return stable;
}

/** An attribute's value without build hashes, session parameters and numbered identifiers. */
export function stableValue(value: string): string {
  const [path = '', query] = value
    .replace(/#(?!\/).*$/, (fragment) => (value.startsWith('#') ? fragment : ''))
    .split('?', 2);
  const file = path.replace(/([._-])(?=[0-9a-z]*\d)(?=[0-9a-z]*[a-z])[0-9a-z]{8,64}(?=\.[a-z0-9]{2,5}$)/gi, '$1*');
  const kept = (query ?? '').split('&').filter((pair) => pair !== '' && !isNoiseParameter(pair.split('=', 1)[0] ?? ''));
  return rewritten(kept.length ? `${file}?${kept.sort().join('&')}` : file, generatedIds);
}

function tagSignature(html: string): string {
  const tag = /^\s*<([a-z][\w:-]*)/i.exec(html);
  if (!tag?.[1]) return '';
  // A quoted value may hold ">", so the end of the tag is looked for outside quotes.
  const opening = /^\s*<(?:[^>"']|"[^"]*"|'[^']*')*/.exec(html)?.[0] ?? '';
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, bare] of opening.matchAll(
    /\s([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g,
  )) {
    attributes.set(name.toLowerCase(), unescaped(double ?? single ?? bare ?? ''));
  }
  const parts = identifyingAttributes.flatMap((name) => {
    const value = attributes.get(name);
    return value ? [`[${name}="${stableValue(value).slice(0, 120)}"]`] : [];
  });
  return tag[1].toLowerCase() + parts.join('');
}

/** A snippet is HTML: what stands in an attribute is escaped there and nowhere else. */
function unescaped(value: string): string {
  const names: Readonly<Record<string, string>> = {
    '&amp;': '&',
    '&quot;': '"',
    '&lt;': '<',
    '&gt;': '>',
    '&#39;': "'",
  };
  return value.replace(/&(?:amp|quot|lt|gt|#39);/g, (entity) => names[entity] ?? entity);
}

function rewritten(text: string, rewrites: readonly Rewrite[]): string {
  return rewrites.reduce((done, { pattern, to, hashed }) => {
    if (!hashed) return done.replace(pattern, to);
    return done.replace(pattern, (whole, candidate: string) => (looksHashed(candidate) ? to : whole));
  }, text);
}

/** Neither a word (`title`), nor camel case (`isOpen`), nor a word with a number behind it (`level2`). */
function looksHashed(text: string): boolean {
  return (
    !/^[A-Z]?[a-z]+(?:[A-Z][a-z]+)*\d{0,2}$/.test(text) && !/^[A-Z]+$/.test(text) && !/^[a-z]+(?:-[a-z]+)+$/.test(text)
  );
}
