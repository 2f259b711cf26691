import { elementKey } from '../../workflows/rules/element-key';
import { pageAddress } from '../../workflows/rules/page-address';
import type { PageCoverage, ParsedFinding, ParsedOccurrence, ParsedReport } from '../../workflows/rules/report-verdict';
import { axeSeverity, graver } from '../../workflows/rules/severity';
import type { AxePage, AxeViolation } from './axe';
import type { AxeNode } from './axe-nodes';
import { type Json, listOf, stringOf } from './json-object';
import { cleanName, cleanText, lengths } from './text';
import { earliest, timestamp } from './timestamp';

/** Findings and coverage of axe-core pages; a rule broken on several pages is one finding. */
export function axeReport(
  pages: readonly AxePage[],
  hints: { startedAt?: Date | undefined; page?: string | undefined },
): ParsedReport {
  const drafts = new Map<string, Draft>();
  const coverage = new Map<string, PageCoverage>();
  for (const page of pages) {
    const url = page.url ?? hints.page ?? '';
    const address = pageAddress(url).slice(0, lengths.line);
    for (const violation of page.violations) addViolation(drafts, violation, { url, address, engine: page.engine });
    // What was looked at somewhere proves nothing about anywhere.
    if (address !== '') addCoverage(coverage, address, page);
  }
  return {
    format: 'axe-core',
    startedAt: earliest(pages.map((page) => timestamp(page.timestamp)?.date ?? null)) ?? hints.startedAt ?? null,
    findings: [...drafts.values()].map(({ finding, places }) => ({ ...finding, occurrences: [...places.values()] })),
    coverage: { kind: 'pages', pages: coverage },
  };
}

type Draft = { finding: Omit<ParsedFinding, 'occurrences'>; places: Map<string, ParsedOccurrence> };

function addViolation(
  drafts: Map<string, Draft>,
  { id, rule, nodes }: AxeViolation,
  { url, address, engine }: { url: string; address: string; engine: string | null },
): void {
  const name = cleanName(id);
  const draft = drafts.get(name) ?? { finding: newFinding(name, rule, { engine, first: nodes[0] }), places: new Map() };
  drafts.set(name, draft);
  const worst = [stringOf(rule, 'impact'), ...nodes.map((node) => node.impact)].filter((impact) => impact !== null);
  draft.finding.severity = worst.map(axeSeverity).reduce(graver, draft.finding.severity);
  for (const node of nodes) {
    const element = elementKey(node);
    const key = `${address}\n${element}`;
    const place = draft.places.get(key);
    // Elements that differ only in position are one place, counted.
    if (place) place.details.count = Number(place.details.count ?? 1) + 1;
    else draft.places.set(key, occurrence(node, { url, address, element }));
  }
}

function newFinding(
  rule: string,
  result: Json,
  { engine, first }: { engine: string | null; first: AxeNode | undefined },
): Omit<ParsedFinding, 'occurrences'> {
  const tags = listOf(result, 'tags')
    .filter((tag) => typeof tag === 'string')
    .map((tag) => cleanText(tag, 80));
  const help = cleanText(stringOf(result, 'help'), lengths.title);
  const details = {
    kind: 'accessibility',
    description: cleanText(stringOf(result, 'description'), lengths.line),
    help,
    helpUrl: webAddress(stringOf(result, 'helpUrl')),
    tags,
    wcag: tags.flatMap(wcagLabel),
    howToFix: first?.howToFix ?? '',
    ...(engine ? { engine: cleanText(engine, 80) } : {}),
  };
  const severity = axeSeverity(stringOf(result, 'impact') ?? first?.impact);
  return { rule, title: help || rule, severity, details };
}

function occurrence(node: AxeNode, at: { url: string; address: string; element: string }): ParsedOccurrence {
  const url = cleanText(at.url, lengths.line);
  const details = {
    ...(url !== at.address && url !== '' ? { url } : {}),
    selector: node.selector,
    snippet: node.html,
    impact: axeSeverity(node.impact),
    failureSummary: node.howToFix,
  };
  return { page: at.address || null, element: at.element, details };
}

/** Who runs axe's rules: a full run without passes speaks for all of them. */
const axeRunners: ReadonlySet<string> = new Set([
  'axe-core',
  'lighthouse',
  'sarif axe-core',
  ...['error', 'warning', 'notice'].map((type) => `pa11y axe ${type}`),
]);

/** A page counts with the least that any of its results proves: two visits, one undecided, is undecided. */
function addCoverage(coverage: Map<string, PageCoverage>, address: string, page: AxePage): void {
  const known = coverage.get(address) ?? { rules: new Map(), unlisted: unlisted(page), runners: axeRunners };
  coverage.set(address, known);
  if (page.failed) {
    known.unlisted = 'inconclusive';
    for (const rule of [...known.rules.keys(), ...page.ran]) known.rules.set(cleanName(rule), 'inconclusive');
    return;
  }
  for (const rule of page.ran) {
    const name = cleanName(rule);
    if (!known.rules.has(name)) known.rules.set(name, 'ran');
  }
  for (const rule of [...page.incomplete, ...switchedOff(page)]) known.rules.set(cleanName(rule), 'inconclusive');
}

/** Where passes are left out, every rule of the standard ran, unless the run was limited to some. */
function unlisted(page: AxePage): 'ran' | 'inconclusive' {
  return page.listsPasses || page.runOnly !== null || page.failed || page.url === null ? 'inconclusive' : 'ran';
}

function switchedOff(page: AxePage): string[] {
  const options = page.rulesOption ?? {};
  return Object.keys(options).filter(
    (rule) => (options[rule] as Json | null)?.enabled === false && !page.ran.has(rule),
  );
}

/** axe's tags as people say them: `wcag111` -> `WCAG 1.1.1`, `wcag21aa` -> `WCAG 2.1 AA`. Others say nothing here. */
function wcagLabel(tag: string): string[] {
  const level = /^wcag(2)([0-9])?(a{1,3})$/.exec(tag);
  if (level) return [`WCAG ${level[1]}.${level[2] ?? '0'} ${level[3]?.toUpperCase()}`];
  const criterion = /^wcag([1-4])([1-9])(\d{1,2})$/.exec(tag);
  if (criterion) return [`WCAG ${criterion[1]}.${criterion[2]}.${criterion[3]}`];
  return tag === 'best-practice' ? ['Best practice'] : [];
}

function webAddress(url: string | null): string {
  return url && /^https?:\/\//i.test(url) ? cleanText(url, lengths.line) : '';
}
