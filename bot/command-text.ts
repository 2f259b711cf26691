import { distance } from 'fastest-levenshtein';
import { type FindingStatus, findingStatuses } from '../workflows/rules/vocabulary';

/** Something that a person names a finding by. */
export type Reference =
  | { kind: 'finding'; id: string }
  | { kind: 'issue'; key: string }
  | { kind: 'message'; channelId: string; ts: string };

/** What a command's text asks for. */
export type ParsedCommand =
  | { verb: 'menu' | 'help' | 'approve' | 'connect' | 'disconnect' }
  | { verb: 'push' | 'rerun'; findings: Reference[] }
  /** A word such as `shop-2`, which could be an issue's key and a source's. */
  | { verb: 'push_either'; source: string; findings: Reference[] }
  | { verb: 'push_all'; source: string }
  | { verb: 'rules' | 'sessions'; source?: string }
  | { verb: 'status' | 'why'; finding: Reference }
  | { verb: 'list'; status?: FindingStatus; source?: string }
  | { verb: 'elsewhere'; name: string }
  | { verb: 'unknown'; word: string; nearest: string | null }
  | { verb: 'invalid'; message: string };

const MAX_LENGTH = 1000;
const MAX_FINDINGS = 20;
const SOURCE_KEY = /^[A-Za-z0-9._-]{1,100}$/;
const verbs = [
  'help',
  'push',
  'rerun',
  'status',
  'list',
  'why',
  'sessions',
  'approve',
  'rules',
  'connect',
  'disconnect',
];

/**
 * Reads the text after the root command. Forgiving about what phones and clients do to text: curly quotes, long
 * dashes, no-break spaces, letter case, commas, Slack's own escapes. Never throws.
 * `elsewhere`: names of commands that exist, but not in Slack.
 */
export function parseCommand(text: string, elsewhere: string[] = []): ParsedCommand {
  const words = tokens(normalise(text));
  const [first, ...rest] = words;
  if (first === undefined) return { verb: 'menu' };
  const verb = first.toLowerCase().replace(/^re-run$/, 'rerun');
  if (elsewhere.includes(verb)) return { verb: 'elsewhere', name: verb };
  switch (verb) {
    case 'approve':
      // What is ignored could be taken for what was approved.
      return rest.length === 0
        ? { verb }
        : invalid('Say `/recheck approve` alone: it lists what waits, with the buttons.');
    case 'help':
    case 'connect':
    case 'disconnect':
      return { verb };
    case 'push':
      return parsePush(rest);
    case 'rerun':
      return parseFindings('rerun', rest);
    case 'status':
    case 'why':
      return parseOne(verb, rest);
    case 'list':
      return parseList(rest);
    case 'rules':
    case 'sessions':
      return parseSource(verb, rest);
    default:
      return { verb: 'unknown', word: first, nearest: nearestTo(verb, [...verbs, ...elsewhere]) };
  }
}

function parsePush(words: string[]): ParsedCommand {
  const isAll = words[0]?.toLowerCase() === 'all';
  const { named, bare } = options(isAll ? words.slice(1) : words);
  if (!isAll && !named.has('source')) {
    const [only = ''] = words;
    const parsed = parseFindings('push', words);
    if (words.length !== 1 || !SOURCE_KEY.test(only)) return parsed;
    const [reference] = parsed.verb === 'push' ? parsed.findings : [];
    if (!reference) return { verb: 'push_all', source: only };
    return reference.kind === 'issue' ? { verb: 'push_either', source: only, findings: [reference] } : parsed;
  }
  const source = named.get('source') ?? (bare.length === 1 ? bare[0] : undefined);
  if (!source) return invalid('Which source? Say `/recheck push all source:KEY`.');
  return { verb: 'push_all', source };
}

function parseSource(verb: 'rules' | 'sessions', words: string[]): ParsedCommand {
  const { named, bare } = options(words);
  const source = named.get('source') ?? bare[0];
  if (bare.length > 1) return invalid(`Name one source: \`/recheck ${verb} SOURCE\`, or none for all of them.`);
  return { verb, ...(source ? { source } : {}) };
}

function parseFindings(verb: 'push' | 'rerun', words: string[]): ParsedCommand {
  if (words.length === 0)
    return invalid(`Which finding? Say \`/recheck ${verb} F-12\`, or several: \`/recheck ${verb} F-12 F-13\`.`);
  if (words.length > MAX_FINDINGS) return invalid(`At most ${MAX_FINDINGS} findings at a time.`);
  const findings = words.map(parseReference);
  const at = findings.indexOf(null);
  if (at >= 0) return invalid(notAFinding(words[at] ?? ''));
  return { verb, findings: unique(findings.filter((each) => each !== null)) };
}

function parseOne(verb: 'status' | 'why', words: string[]): ParsedCommand {
  if (words.length !== 1)
    return invalid(`Name one finding: \`/recheck ${verb} F-12\`, or by its Jira key: \`/recheck ${verb} ACC-42\`.`);
  const finding = parseReference(words[0] ?? '');
  return finding ? { verb, finding } : invalid(notAFinding(words[0] ?? ''));
}

function parseList(words: string[]): ParsedCommand {
  const { named, bare } = options(words);
  const source = named.get('source');
  const wanted = [...bare, ...(named.has('status') ? [named.get('status') ?? ''] : [])].join('_');
  if (!wanted) return { verb: 'list', ...(source ? { source } : {}) };
  const status = findingStatuses.find((each) => plainStatus(each) === plainStatus(wanted));
  if (!status) {
    const names = findingStatuses.map((each) => each.replaceAll('_', ' ')).join(', ');
    const cure = `There are: ${names}. For a source say \`/recheck list source:${SOURCE_KEY.test(wanted) ? wanted : 'KEY'}\`.`;
    return invalid(`There is no status “${echo(wanted)}”. ${cure}`);
  }
  return { verb: 'list', status, ...(source ? { source } : {}) };
}

/** `F-12`, `f12`, `12`, `ACC-42`, a link to a Jira issue or to a Slack message; null for anything else. */
function parseReference(word: string): Reference | null {
  const link = word.match(/^<?(https?:\/\/[^|>]+)(\|[^>]*)?>?$/i)?.[1];
  if (link) return parseLink(link);
  const number = word.match(/^#?(?:f-?)?(\d{1,9})$/i)?.[1];
  if (number) return { kind: 'finding', id: `F-${Number(number)}` };
  return /^[a-z][a-z0-9_]+-\d{1,12}$/i.test(word) ? { kind: 'issue', key: word.toUpperCase() } : null;
}

function parseLink(link: string): Reference | null {
  const message = link.match(/\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})(?:[/?#]|$)/);
  if (message) {
    const [, channelId = '', seconds, micros] = message;
    const thread = link.match(/[?&]thread_ts=(\d+\.\d{6})/)?.[1];
    // A reply is about the finding whose card the thread hangs on.
    return { kind: 'message', channelId, ts: thread ?? `${seconds}.${micros}` };
  }
  const key = link.match(/(?:\/browse\/|\/issues\/|[?&]selectedIssue=)([a-z][a-z0-9_]+-\d{1,12})(?:[/?#&]|$)/i)?.[1];
  return key ? { kind: 'issue', key: key.toUpperCase() } : null;
}

function normalise(text: string): string {
  return text
    .slice(0, MAX_LENGTH)
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\u2018\u2019\u201a]/g, "'")
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\s\u200b-\u200d\u2060\ufeff]+/g, ' ')
    .trim();
}

/** Words, `key:value` pairs and quoted values; `<...>` escapes of Slack stay whole. Commas part words too. */
function tokens(text: string): string[] {
  const found = text.match(/<[^<>]*>|[a-z]+:"[^"]*"|"[^"]*"|[^\s,]+/gi) ?? [];
  return found
    .map((word) => (word.startsWith('<') ? withoutEntities(word) : withoutEntities(word.replaceAll('"', ''))))
    .filter(Boolean);
}

function options(words: string[]): { named: Map<string, string>; bare: string[] } {
  const named = new Map<string, string>();
  const bare: string[] = [];
  for (const word of words) {
    const pair = word.match(/^(source|status):(.+)$/is);
    // Slack turns a key that looks like a domain into a link; the label is what was typed.
    if (pair?.[1] && pair[2]) named.set(pair[1].toLowerCase(), pair[2].replace(/^<[^|>]*\|([^>]*)>$/, '$1'));
    else bare.push(word);
  }
  return { named, bare };
}

function withoutEntities(word: string): string {
  return word.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function plainStatus(status: string): string {
  return status.toLowerCase().replace(/[^a-z]/g, '');
}

function unique(references: Reference[]): Reference[] {
  return [...new Map(references.map((each) => [JSON.stringify(each), each])).values()];
}

function nearestTo(word: string, known: string[]): string | null {
  const [best] = known.map((name) => ({ name, far: distance(word, name) })).sort((a, b) => a.far - b.far);
  return best && best.far <= 3 && best.far < Math.max(word.length, 2) ? best.name : null;
}

function notAFinding(word: string): string {
  return `“${echo(word)}” names no finding. Say it as F-12, by its Jira key (ACC-42), or give a link to the issue or card.`;
}

/** What a person typed, as far as they need it to know it again. */
function echo(word: string): string {
  const characters = [...word];
  return characters.length > 60 ? `${characters.slice(0, 60).join('')}…` : word;
}

function invalid(message: string): ParsedCommand {
  return { verb: 'invalid', message };
}
