// axe-core's results in all their shapes: one result object (reporters v1, v2, no-passes), an array of them
// (@axe-core/cli), and the raw reporters (an array of rules, or { raw, env }). Read as they stream by.

import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { type AxeNode, axeNode } from './axe-nodes';
import { axeReport } from './axe-report';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { ReportError } from './report-error';

export type AxeList = 'violations' | 'passes' | 'incomplete' | 'inapplicable';
/** A rule with at least one violation. */
export type AxeViolation = { id: string; rule: Json; nodes: AxeNode[] };
/** One page as the file describes it, gathered before anything is judged: properties may come in any order. */
export type AxePage = {
  url: string | null;
  timestamp: string | null;
  engine: string | null;
  /** Whether passes are listed at all; the no-passes reporter leaves them out. */
  listsPasses: boolean;
  /** Whether there is a list of violations; without one nothing was looked at. */
  listsViolations: boolean;
  /** Set where the run looked at chosen rules only. */
  runOnly: Json | null;
  rulesOption: Json | null;
  failed: boolean;
  violations: AxeViolation[];
  ran: Set<string>;
  incomplete: Set<string>;
  /** Anything that only axe writes. */
  recognised: boolean;
};

const lists: readonly AxeList[] = ['violations', 'passes', 'incomplete', 'inapplicable'];
const paths = [
  '$.*',
  '$.raw.*',
  ...lists.flatMap((list) => [
    `$.${list}.*`,
    `$.${list}.*.nodes.*`,
    `$.*.${list}.*`,
    `$.*.${list}.*.nodes.*`,
    `$.raw.*.${list}.*`,
  ]),
];

/**
 * Reads axe-core results, or refuses with `ReportError`. `page` names the page where the file does not (the raw
 * reporter writes no URL).
 */
export async function readAxe(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined; page?: string | undefined },
): Promise<ParsedReport> {
  const pages = new Map<string | number, AxePage>();
  await readJsonValues(chunks, { paths, onValue: (found) => take(pages, found) });
  const read = [...pages.values()].filter((page) => page.recognised);
  if (read.length === 0) throw unknown();
  if (read.some((page) => !page.listsViolations && !page.failed)) throw withoutViolations();
  return axeReport(read, hints);
}

type Found = { path: (string | number)[]; value: unknown; parent: unknown };

function take(pages: Map<string | number, AxePage>, found: Found): void {
  const { path, value, parent } = found;
  const last = path.at(-1);
  const owner = path.at(-2);
  if (owner === 'nodes') keepNode(path.at(-4), value, parent);
  else if (isList(owner)) takeListed(pages, owner, found);
  else if (owner === 'raw') {
    takeRawRule(pageAt(pages, ''), value);
    empty(parent);
  } else if (typeof last === 'number') takeElement(pages, last, { value, parent });
  else if (typeof last === 'string') takeNamed(pages, last, value);
}

function takeListed(pages: Map<string | number, AxePage>, list: AxeList, { path, value, parent }: Found): void {
  if (path[0] === 'raw' || (path.length === 3 && isRawNode(value))) {
    keepNode(list, value, parent);
  } else {
    takeRule(pageAt(pages, path.length === 3 ? path[0] : ''), list, value);
    empty(parent);
  }
}

/** A property of the outermost object: one of a page, or a whole page under a name of its own. */
function takeNamed(pages: Map<string | number, AxePage>, name: string, value: unknown): void {
  const inner = asObject(value);
  if (inner && Array.isArray(inner.violations)) takeProperties(pageAt(pages, name), inner);
  else takeProperty(pageAt(pages, ''), name, value);
}

function takeProperties(page: AxePage, properties: Json): void {
  for (const key of Object.keys(properties)) takeProperty(page, key, properties[key]);
}

/** An element of the outermost array: a page of the CLI, or a rule of the raw reporter. */
function takeElement(
  pages: Map<string | number, AxePage>,
  index: number,
  { value, parent }: { value: unknown; parent: unknown },
): void {
  const element = asObject(value);
  if (!element) throw unknown();
  if (stringOf(element, 'id') !== null) takeRawRule(pageAt(pages, ''), element);
  else takeProperties(pageAt(pages, index), element);
  if (Array.isArray(parent)) parent[parent.length - 1] = null;
}

function takeProperty(page: AxePage, key: string, value: unknown): void {
  if (key === 'env') takeProperties(page, asObject(value) ?? {});
  else if (key === 'url' && typeof value === 'string') page.url = value;
  else if (key === 'timestamp' && typeof value === 'string') page.timestamp = value;
  else if (key === 'testEngine') takeEngine(page, asObject(value));
  else if (key === 'toolOptions') takeOptions(page, asObject(value));
  else if (key === 'error' && value) page.failed = true;
  else if (key === 'violations') takeViolations(page, value);
  else if (key === 'passes' && Array.isArray(value)) page.listsPasses = true;
}

function takeViolations(page: AxePage, value: unknown): void {
  if (!Array.isArray(value)) throw withoutViolations();
  page.listsViolations = true;
  page.recognised ||= page.url !== null || page.listsPasses;
}

function takeEngine(page: AxePage, engine: Json | null): void {
  if (stringOf(engine, 'name') !== 'axe-core') return;
  page.recognised = true;
  page.engine = `axe-core ${stringOf(engine, 'version') ?? ''}`.trim();
}

function takeOptions(page: AxePage, options: Json | null): void {
  page.runOnly = asObject(options?.runOnly) ?? (Array.isArray(options?.runOnly) ? { values: options.runOnly } : null);
  page.rulesOption = asObject(options?.rules);
}

function takeRule(page: AxePage, list: AxeList, value: unknown): void {
  const rule = asObject(value);
  const id = stringOf(rule, 'id');
  if (!rule || !id) {
    const message = `The file has an entry of "${list}" without a rule id. Send what axe-core wrote, unchanged.`;
    throw new ReportError('invalid_report', message);
  }
  // Other tools have lists of these names too; only axe's entries carry tags or help.
  page.recognised ||= Array.isArray(rule.tags) && stringOf(rule, 'helpUrl') !== null;
  if (list === 'incomplete') page.incomplete.add(id);
  else page.ran.add(id);
  if (list === 'violations') page.violations.push({ id, rule, nodes: keptNodes(rule, 'nodes') });
}

function takeRawRule(page: AxePage, value: unknown): void {
  const rule = asObject(value);
  const id = stringOf(rule, 'id');
  if (!rule || !id || !lists.some((list) => Array.isArray(rule[list]))) throw unknown();
  page.recognised = true;
  page.listsPasses = true;
  if (listOf(rule, 'incomplete').length > 0 || stringOf(rule, 'result') === 'cantTell') page.incomplete.add(id);
  else page.ran.add(id);
  page.listsViolations = true;
  const nodes = keptNodes(rule, 'violations');
  if (nodes.length > 0) page.violations.push({ id, rule, nodes });
}

/** Elements were made small as they passed; what is left of others is only that they were there. */
function keepNode(list: string | number | undefined, value: unknown, parent: unknown): void {
  if (!Array.isArray(parent)) return;
  if (list === 'violations') parent[parent.length - 1] = axeNode(value);
  else parent.length = 1;
}

function keptNodes(rule: Json, key: string): AxeNode[] {
  return listOf(rule, key) as AxeNode[];
}

function isRawNode(value: unknown): boolean {
  const object = asObject(value);
  return object !== null && Object.hasOwn(object, 'node') && !Object.hasOwn(object, 'id');
}

function isList(key: string | number | undefined): key is AxeList {
  return lists.some((list) => list === key);
}

function empty(parent: unknown): void {
  if (Array.isArray(parent)) parent.length = 0;
}

function pageAt(pages: Map<string | number, AxePage>, index: string | number | undefined): AxePage {
  const key = index ?? '';
  const page = pages.get(key) ?? newPage();
  pages.set(key, page);
  return page;
}

function newPage(): AxePage {
  const described = { url: null, timestamp: null, engine: null, runOnly: null, rulesOption: null };
  const gathered = { violations: [], ran: new Set<string>(), incomplete: new Set<string>() };
  return { ...described, ...gathered, listsPasses: false, listsViolations: false, failed: false, recognised: false };
}

function withoutViolations(): ReportError {
  const message = 'The axe-core results have no list of violations. Send what axe-core wrote, unchanged.';
  return new ReportError('invalid_report', message);
}

function unknown(): ReportError {
  const message =
    'The file is JSON, but no report that is known. Send axe-core results (an object, or the array of the CLI).';
  return new ReportError('unknown_format', message);
}
