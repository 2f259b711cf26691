// SARIF 2.1.0 (OASIS), as linters, code scanners and accessibility tools write it.

import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { ReportError } from './report-error';
import { type SarifResult, type SarifRule, type SarifRun, sarifReport } from './sarif-report';
import { cleanText, lengths } from './text';
import { timestamp } from './timestamp';

const kinds = ['fail', 'pass', 'open', 'review', 'informational', 'notApplicable'];
const levels = ['none', 'note', 'warning', 'error'];
const baselines = ['new', 'unchanged', 'updated', 'absent'];
const paths = [
  '$.version',
  '$.runs',
  '$.runs.*.tool.driver.name',
  '$.runs.*.tool.driver.rules.*',
  '$.runs.*.tool.extensions.*.rules.*',
  '$.runs.*.artifacts.*',
  '$.runs.*.invocations.*',
  '$.runs.*.results',
  '$.runs.*.results.*',
];

/** Reads a SARIF log, or refuses with `ReportError`. */
export async function readSarif(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined },
): Promise<ParsedReport> {
  const runs = new Map<number, SarifRun>();
  const head = { version: '', listed: false };
  await readJsonValues(chunks, {
    paths,
    onValue: ({ path, value, parent }) => {
      if (path[0] === 'version') head.version = typeof value === 'string' ? cleanText(value, 20) : '';
      else if (path.length === 1) head.listed = Array.isArray(value);
      else takeRunPart(runAt(runs, Number(path[1])), path.slice(2), value);
      // What was taken is not kept a second time.
      if (typeof path.at(-1) === 'number' && Array.isArray(parent)) parent.length = 0;
    },
  });
  if (head.version !== '2.1.0') {
    throw invalid(`is of version "${head.version}", and 2.1.0 is read. Convert it, for instance with sarif-multitool`);
  }
  if (!head.listed) throw invalid('has no list of runs');
  if (![...runs.values()].some((run) => run.driver !== '')) throw invalid('names no tool (runs[].tool.driver.name)');
  return sarifReport([...runs.values()], hints);
}

function runAt(runs: Map<number, SarifRun>, index: number): SarifRun {
  const run: SarifRun = runs.get(index) ?? {
    driver: '',
    rules: [],
    extensions: new Map(),
    artifacts: [],
    folders: [],
    results: [],
    startedAt: null,
    failed: false,
    listed: false,
  };
  runs.set(index, run);
  return run;
}

function takeRunPart(run: SarifRun, path: (string | number)[], value: unknown): void {
  const [part, second] = path;
  if (part === 'results') {
    if (path.length === 1) takeList(run, value);
    else run.results.push(smallResult(value));
  } else if (part === 'artifacts') run.artifacts.push(uriOf(asObject(asObject(value)?.location)));
  else if (part === 'invocations') takeInvocation(run, asObject(value));
  else if (second === 'driver' && path[2] === 'name')
    run.driver = typeof value === 'string' ? cleanText(value, 100) : '';
  else if (second === 'driver') run.rules.push(smallRule(value));
  else if (second === 'extensions') {
    const extension = Number(path[2]);
    run.extensions.set(extension, [...(run.extensions.get(extension) ?? []), smallRule(value)]);
  }
}

/** No list of results (or null) says that the scan did not take place (3.14.23). */
function takeList(run: SarifRun, value: unknown): void {
  if (value !== null && !Array.isArray(value)) throw invalid('has results that are no list');
  run.listed = value !== null;
}

function takeInvocation(run: SarifRun, invocation: Json | null): void {
  if (!invocation) throw invalid('has an invocation that is no object');
  if (invocation.executionSuccessful === false) run.failed = true;
  const started = timestamp(stringOf(invocation, 'startTimeUtc'))?.date ?? null;
  if (started && (!run.startedAt || started < run.startedAt)) run.startedAt = started;
  const folder = uriOf(asObject(invocation.workingDirectory));
  if (folder) run.folders.push(folder);
}

function smallRule(value: unknown): SarifRule {
  const rule = asObject(value);
  const id = stringOf(rule, 'id');
  if (!rule || id === null) throw invalid('has a rule without an id');
  const properties = asObject(rule.properties);
  const score = properties?.['security-severity'];
  return {
    id: cleanText(id, lengths.line),
    name: cleanText(stringOf(rule, 'name'), lengths.title),
    short: textOf(rule.shortDescription),
    full: textOf(rule.fullDescription),
    help: textOf(rule.help),
    helpUrl: cleanText(stringOf(rule, 'helpUri'), lengths.line),
    level: wordOf(stringOf(asObject(rule.defaultConfiguration), 'level'), levels, 'level'),
    score: typeof score === 'string' || typeof score === 'number' ? score : null,
    tags: listOf(properties, 'tags').flatMap((tag) => (typeof tag === 'string' ? [cleanText(tag, 80)] : [])),
  };
}

function smallResult(value: unknown): SarifResult {
  const result = asObject(value);
  const message = result ? asObject(result.message) : null;
  const text = stringOf(message, 'text') ?? stringOf(message, 'markdown');
  // A message may be kept with the rule, under its id.
  if (!result || !message || (text === null && stringOf(message, 'id') === null)) {
    throw invalid('has a result without a message');
  }
  const rule = asObject(result.rule);
  const extension = asObject(rule?.toolComponent)?.index;
  const index = result.ruleIndex ?? rule?.index;
  return {
    ruleId: cleanText(stringOf(result, 'ruleId') ?? stringOf(rule, 'id'), lengths.line),
    ruleIndex: typeof index === 'number' ? index : -1,
    extension: typeof extension === 'number' ? extension : -1,
    kind: wordOf(stringOf(result, 'kind'), kinds, 'kind') ?? 'fail',
    level: wordOf(stringOf(result, 'level'), levels, 'level'),
    baseline: wordOf(stringOf(result, 'baselineState'), baselines, 'baselineState'),
    suppressed: isSuppressed(result),
    message: cleanText(text, lengths.message),
    fingerprints: [...pairsOf(result, 'fingerprints'), ...pairsOf(result, 'partialFingerprints')],
    places: listOf(result, 'locations').map(placeOf),
  };
}

/** Suppressed are results with suppressions of which none is under review or rejected (3.35.3; absent: accepted). */
function isSuppressed(result: Json): boolean {
  const states = listOf(result, 'suppressions').map((each) => stringOf(asObject(each), 'status') ?? 'accepted');
  return states.length > 0 && states.every((state) => state === 'accepted');
}

function placeOf(value: unknown): SarifResult['places'][number] {
  const location = asObject(value);
  const physical = asObject(location?.physicalLocation);
  const region = asObject(physical?.region);
  const artifact = asObject(physical?.artifactLocation);
  const [logical] = listOf(location, 'logicalLocations').map(asObject);
  const snippet = asObject(region?.snippet) ?? asObject(asObject(physical?.contextRegion)?.snippet);
  return {
    uri: uriOf(artifact),
    artifact: typeof artifact?.index === 'number' ? artifact.index : -1,
    line: typeof region?.startLine === 'number' ? region.startLine : null,
    snippet: cleanText(stringOf(snippet, 'text'), lengths.snippet),
    enclosing: cleanText(
      stringOf(logical ?? null, 'fullyQualifiedName') ?? stringOf(logical ?? null, 'name'),
      lengths.line,
    ),
  };
}

function uriOf(location: Json | null): string {
  const uri = cleanText(stringOf(location, 'uri'), lengths.snippet);
  try {
    return /^https?:/i.test(uri) ? uri : cleanText(decodeURIComponent(uri), lengths.snippet);
  } catch {
    return uri;
  }
}

function pairsOf(result: Json, key: string): [string, string][] {
  const pairs = Object.hasOwn(result, key) ? asObject(result[key]) : null;
  return Object.entries(pairs ?? {}).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[cleanText(name, 100), cleanText(value, 300)]] : [],
  );
}

function textOf(value: unknown): string {
  const text = asObject(value);
  return cleanText(stringOf(text, 'text') ?? stringOf(text, 'markdown'), lengths.snippet);
}

function wordOf(word: string | null, known: readonly string[], what: string): string | null {
  if (word === null || known.includes(word)) return word;
  throw invalid(`has an unknown ${what} "${cleanText(word, 40)}"`);
}

function invalid(what: string): ReportError {
  return new ReportError('invalid_report', `The SARIF log ${what}. Send what the tool wrote, unchanged.`);
}
