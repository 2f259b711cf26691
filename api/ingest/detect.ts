// Which report a JSON file is, from what it holds and never from its name.

import { TokenType } from '@streamparser/json';
import type { ReportFormat } from '../../workflows/rules/report-verdict';
import type { JsonFrame, JsonToken } from './json-structure';
import { readJsonTokens } from './json-values';
import { ReportError } from './report-error';
import { cleanText } from './text';

type JsonFormat = Exclude<ReportFormat, 'junit'>;
type Kind = 'object' | 'array' | 'string' | 'number' | 'other';
/** The kinds of the values near the root, by their keys joined with "/"; elements of arrays are "[]". */
type Sketch = { kinds: Map<string, Kind>; texts: Map<string, string> };
type Rule = { format: JsonFormat; fits: (sketch: Sketch) => boolean };

const MAX_NAMES = 1_000;

const has = ({ kinds }: Sketch, ...paths: string[]) => paths.every((path) => kinds.has(path));
const is = ({ kinds }: Sketch, path: string, kind: Kind) => kinds.get(path) === kind;

/** A page under a name of its own; names that every object has are none. */
const namedPage = /^(?!__proto__\/|constructor\/|prototype\/).*\/violations$/s;

/** The first rule that fits decides, as soon as it does: the rest of the file is the reader's. */
const rules: readonly Rule[] = [
  { format: 'sarif', fits: (s) => has(s, 'runs') && (has(s, 'version') || has(s, '$schema')) },
  { format: 'lighthouse', fits: (s) => has(s, 'lighthouseVersion') },
  { format: 'ctrf', fits: (s) => s.texts.get('reportFormat') === 'CTRF' || is(s, 'results/tests', 'array') },
  {
    format: 'pa11y-ci',
    fits: (s) => has(s, 'results') && is(s, 'total', 'number') && is(s, 'passes', 'number'),
  },
  { format: 'pa11y', fits: (s) => has(s, 'issues', 'pageUrl') },
  { format: 'pa11y', fits: (s) => has(s, '[]/code', '[]/message') && (has(s, '[]/runner') || has(s, '[]/typeCode')) },
  { format: 'playwright', fits: (s) => has(s, 'suites') && (has(s, 'config/rootDir') || has(s, 'stats/expected')) },
  { format: 'axe-core', fits: (s) => has(s, 'testEngine') || has(s, '[]/testEngine') || has(s, 'raw', 'env') },
  { format: 'axe-core', fits: (s) => is(s, 'violations', 'array') || is(s, '[]/violations', 'array') },
  { format: 'axe-core', fits: (s) => [...s.kinds.keys()].some((path) => namedPage.test(path)) },
];

/** Files that people send by mistake, and what they want instead. */
const mistakes: readonly { fits: (sketch: Sketch) => boolean; advice: string }[] = [
  {
    fits: (s) => has(s, 'numTotalTests'),
    advice: "It is Jest's or Vitest's own JSON: use a JUnit or CTRF reporter.",
  },
  {
    fits: (s) => has(s, 'stats', 'passes', 'failures'),
    advice: "It is mocha's own JSON: use a JUnit or CTRF reporter.",
  },
  { fits: (s) => has(s, 'stats', 'meta'), advice: 'It is mochawesome: use a JUnit or CTRF reporter.' },
  { fits: (s) => has(s, '[]/keyword', '[]/elements'), advice: 'It is Cucumber JSON: use its JUnit formatter.' },
  { fits: (s) => has(s, '[]/filePath', '[]/messages'), advice: "It is ESLint's own JSON: use a SARIF formatter." },
  { fits: (s) => has(s, '[]/jsonPath'), advice: 'It is a list of Lighthouse reports: send the reports themselves.' },
];

/** Says which report a JSON file is, reading no further than needed. Throws `ReportError` for any other file. */
export async function detectJson(
  chunks: AsyncIterable<Uint8Array>,
  hints: { page?: string | undefined; runner?: string | undefined } = {},
): Promise<JsonFormat> {
  const sketch: Sketch = { kinds: new Map(), texts: new Map() };
  let format: JsonFormat | null = null;
  await readJsonTokens(chunks, (token, { frames }) => {
    if (!note(sketch, token, frames)) return true;
    format = rules.find((rule) => rule.fits(sketch))?.format ?? null;
    return format === null;
  });
  // All that pa11y writes of a page without problems; the caller says which page and runner it was.
  if (format === null && hints.page && hints.runner && isEmptyList(sketch)) return 'pa11y';
  if (format === null) throw unknown(sketch);
  return format;
}

/** Adds a value near the root; answers whether it was news. */
function note({ kinds, texts }: Sketch, { token, value }: JsonToken, frames: readonly JsonFrame[]): boolean {
  const kind = kindOf(token);
  if (kind === null) return false;
  const around = kind === 'object' || kind === 'array' ? frames.length - 1 : frames.length;
  if (around > 2 || kinds.size >= MAX_NAMES) return false;
  const last = frames[around - 1];
  // A key looks like a text, but a colon is due behind it.
  if (kind === 'string' && last?.expect === 'colon') return false;
  const path = frames.slice(0, around).map((frame) => (frame.isArray ? '[]' : (frame.key ?? '')));
  const name = path.join('/');
  if (kinds.has(name)) return false;
  kinds.set(name, kind);
  if (around === 1 && kind === 'string') texts.set(name, String(value).slice(0, 100));
  return true;
}

function kindOf(token: TokenType): Kind | null {
  switch (token) {
    case TokenType.LEFT_BRACE:
      return 'object';
    case TokenType.LEFT_BRACKET:
      return 'array';
    case TokenType.STRING:
      return 'string';
    case TokenType.NUMBER:
      return 'number';
    case TokenType.TRUE:
    case TokenType.FALSE:
    case TokenType.NULL:
      return 'other';
    default:
      return null;
  }
}

function unknown(sketch: Sketch): ReportError {
  const advice =
    mistakes.find(({ fits }) => fits(sketch))?.advice ??
    'Known are axe-core, pa11y, Lighthouse, SARIF, CTRF and Playwright; JUnit is XML.';
  return new ReportError(
    'unknown_format',
    `The file is JSON, but no report that is known: it is ${seen(sketch)}. ${advice}`,
  );
}

function isEmptyList({ kinds }: Sketch): boolean {
  return kinds.get('') === 'array' && !kinds.has('[]');
}

function seen(sketch: Sketch): string {
  const { kinds } = sketch;
  const isArray = kinds.get('') === 'array';
  const first = kinds.get('[]');
  if (isEmptyList(sketch)) return 'an empty list, which names no tool and no page';
  if (isArray && first !== 'object') return `a list of ${first === 'array' ? 'lists' : `${first} values`}`;
  const prefix = isArray ? '[]/' : '';
  const names = [...kinds.keys()].filter(
    (path) => path.startsWith(prefix) && path.split('/').length === (isArray ? 2 : 1),
  );
  const keys = names.map((path) => `"${cleanText(path.slice(prefix.length), 24)}"`).filter((key) => key !== '""');
  const some = keys.length > 4 ? `${keys.slice(0, 4).join(', ')} and ${keys.length - 4} more` : keys.join(', ');
  return `${isArray ? 'a list of objects' : 'an object'} with ${some || 'nothing in it'}`;
}
