// pa11y's JSON reporter (a list of issues), the result of its library (with the page), and pa11y-ci's --json.

import { elementKey } from '../../workflows/rules/element-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { pa11ySeverity } from '../../workflows/rules/severity';
import { asObject, type Json, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { createPageReport, type PageReport } from './page-report';
import { ReportError } from './report-error';
import { cleanText, lengths } from './text';

type Hints = {
  startedAt?: Date | undefined;
  page?: string | undefined;
  runner?: string | undefined;
  standard?: string | undefined;
};
type Issue = {
  code: string;
  type: string;
  message: string;
  context: string;
  selector: string;
  runner: string;
  extras: Json | null;
};
/** What the file shows of how pa11y was run: it names neither runner nor standard where nothing was found. */
type Run = { pages: Set<string>; failed: Set<string>; seen: Map<string, Set<string>> };

const types = ['error', 'warning', 'notice'];
const standards = /^(WCAG2A{1,3}|Section508)\./;

/** Reads pa11y's JSON of one page, or refuses with `ReportError`. `page` names the page where the file does not. */
export async function readPa11y(chunks: AsyncIterable<Uint8Array>, hints: Hints): Promise<ParsedReport> {
  const issues: Issue[] = [];
  let named: string | null = null;
  await readJsonValues(chunks, {
    paths: ['$.*', '$.issues.*'],
    onValue: ({ path, value, parent }) => {
      if (path[0] === 'pageUrl') named = typeof value === 'string' ? value : null;
      if (path[0] === 'issues' && path.length === 1 && !Array.isArray(value)) throw wrongIssues('issues');
      if (typeof path.at(-1) !== 'number') return;
      issues.push(issueOf(value));
      if (Array.isArray(parent)) parent.length = 0;
    },
  });
  const page = named ?? hints.page ?? null;
  const report = createPageReport('pa11y');
  const run = newRun();
  for (const issue of issues) addIssue(report, run, { issue, page });
  if (page !== null) run.pages.add(page);
  return finished(report, run, hints);
}

/** Reads what pa11y-ci writes: issues by URL. Pages that it could not test prove nothing. */
export async function readPa11yCi(chunks: AsyncIterable<Uint8Array>, hints: Hints): Promise<ParsedReport> {
  const report = createPageReport('pa11y-ci');
  const run = newRun();
  let whole = false;
  await readJsonValues(chunks, {
    paths: ['$.results', '$.results.*', '$.results.*.*'],
    onValue: ({ path, value, parent }) => {
      const page = String(path[1] ?? '');
      if (path.length === 1) whole = asObject(value) !== null;
      else if (path.length === 2) takePage(run, page, value);
      else {
        const issue = asObject(value);
        // An error in place of the issues: { message }.
        if (issue && !Object.hasOwn(issue, 'code') && stringOf(issue, 'message') !== null) run.failed.add(page);
        else addIssue(report, run, { issue: issueOf(value), page });
        if (Array.isArray(parent)) parent.length = 0;
      }
    },
  });
  if (!whole) throw wrongIssues('results');
  return finished(report, run, hints);
}

function newRun(): Run {
  return { pages: new Set(), failed: new Set(), seen: new Map() };
}

function takePage(run: Run, page: string, value: unknown): void {
  if (!Array.isArray(value)) throw wrongIssues('results');
  run.pages.add(page);
}

function issueOf(value: unknown): Issue {
  const issue = asObject(value);
  const code = stringOf(issue, 'code');
  const type = stringOf(issue, 'type');
  if (!code || !type || !types.includes(type)) {
    const message =
      'The pa11y report has an issue without a code or with an unknown type. Send what pa11y wrote, unchanged.';
    throw new ReportError('invalid_report', message);
  }
  const extras = issue && Object.hasOwn(issue, 'runnerExtras') ? asObject(issue.runnerExtras) : null;
  return {
    code,
    type,
    message: cleanText(stringOf(issue, 'message'), lengths.line),
    context: cleanText(stringOf(issue, 'context'), lengths.snippet),
    selector: cleanText(stringOf(issue, 'selector'), lengths.line),
    // pa11y 5 and older had one runner and did not name it.
    runner: cleanText(stringOf(issue, 'runner'), 80) || 'htmlcs',
    extras,
  };
}

function addIssue(report: PageReport, run: Run, { issue, page }: { issue: Issue; page: string | null }): void {
  const standard = standards.exec(issue.code)?.[1] ?? '';
  const known = run.seen.get(`${issue.runner} ${standard}`) ?? new Set(['error']);
  known.add(issue.type);
  run.seen.set(`${issue.runner} ${standard}`, known);
  // axe's "incomplete": neither broken nor whole.
  if (issue.extras?.needsFurtherReview === true) {
    if (page !== null) report.ran(page, issue.code, 'inconclusive');
    return;
  }
  const help = cleanText(stringOf(issue.extras, 'help'), lengths.title);
  report.add({
    rule: issue.code,
    title: help || issue.message,
    severity: pa11ySeverity({ type: issue.type, impact: stringOf(issue.extras, 'impact') }),
    page,
    element: elementKey({ selector: issue.selector, html: issue.context }),
    runner: label(`${issue.runner} ${standard}`, issue.type),
    details: {
      kind: 'accessibility',
      description: cleanText(stringOf(issue.extras, 'description'), lengths.line) || issue.message,
      help,
      helpUrl: webAddress(stringOf(issue.extras, 'helpUrl')),
      ...wcagOf(issue.code),
      howToFix: issue.message,
      engine: `pa11y (${issue.runner})`,
    },
    place: {
      selector: issue.selector,
      snippet: issue.context,
      impact: cleanText(stringOf(issue.extras, 'impact'), 40) || issue.type,
      failureSummary: issue.message,
    },
  });
}

/** pa11y lists what it found and nothing else: a page proves only what the runners seen in the file look for. */
function finished(report: PageReport, run: Run, hints: Hints): ParsedReport {
  const runners = [...run.seen].flatMap(([runner, seen]) => [...seen].map((type) => label(runner, type)));
  for (const runner of (hints.runner ?? '').split(',').map((each) => each.trim())) {
    if (runner === 'htmlcs' && hints.standard) runners.push(label(`htmlcs ${hints.standard}`, 'error'));
    else if (runner && runner !== 'htmlcs') runners.push(label(runner, 'error'));
  }
  for (const page of run.pages) report.lookedAt(page, runners);
  for (const page of run.failed) report.failed(page);
  return report.report(hints.startedAt ?? null);
}

function label(runner: string, type: string): string {
  return `pa11y ${runner} ${type}`.replace(/\s+/g, ' ');
}

/** `WCAG2AA.Principle1.Guideline1_1.1_1_1.H37` is criterion 1.1.1 of a run at level AA. */
function wcagOf(code: string): { tags: string[]; wcag: string[] } {
  const match = /^WCAG2(A{1,3})\..*?\.([1-4])_(\d)_(\d{1,2})(?:\.|$)/.exec(code);
  if (!match) return { tags: [], wcag: [] };
  const [, level = '', ...criterion] = match;
  return { tags: [`wcag2${level.toLowerCase()}`, `wcag${criterion.join('')}`], wcag: [`WCAG ${criterion.join('.')}`] };
}

function webAddress(url: string | null): string {
  return url && /^https?:\/\//i.test(url) ? cleanText(url, lengths.line) : '';
}

function wrongIssues(list: string): ReportError {
  const message = `The pa11y report has no issues under "${list}" as pa11y writes them. Send what it wrote, unchanged.`;
  return new ReportError('invalid_report', message);
}
