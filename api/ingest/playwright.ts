// The JSON reporter of Playwright Test: suites within suites, one per file at the top.

import { playwrightFullName } from '../../workflows/rules/dedupe-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { ReportError } from './report-error';
import {
  attachmentsOf,
  createTestReport,
  MAX_ATTACHMENTS,
  type TestAttachment,
  type TestCase,
  type TestReport,
} from './test-report';
import { cleanName, cleanText, lengths } from './text';
import { timestamp } from './timestamp';

/** What is kept of a spec: its tests, one per project. */
type Spec = { title: string; file: string | null; line: string | null; tests: SpecTest[] };
type SpecTest = Pick<TestCase, 'project' | 'seconds' | 'skipped' | 'flaky' | 'failure'> & {
  attachments: TestAttachment[];
};

/** The verdict over all attempts (Playwright, packages/playwright/types/testReporter.d.ts, `TestCase.outcome`). */
const statuses = ['expected', 'unexpected', 'flaky', 'skipped'];
const MAX_NESTING = 20;
const specPaths = Array.from({ length: MAX_NESTING }, (_, depth) => `$.suites.*${'.suites.*'.repeat(depth)}.specs.*`);

/** Reads a report of Playwright's JSON reporter, or refuses with `ReportError`. */
export async function readPlaywright(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined },
): Promise<ParsedReport> {
  const report = createTestReport('playwright');
  let listed = false;
  await readJsonValues(chunks, {
    paths: ['$.stats', '$.suites', '$.suites.*', ...specPaths],
    onValue: ({ path, value, parent }) => {
      if (path[0] === 'stats') report.startedAt(timestamp(stringOf(asObject(value), 'startTime')));
      else if (path.length === 1) listed = Array.isArray(value);
      else if (path.length === 2) {
        addSuite(report, value, { titles: [], file: null, depth: 0 });
        if (Array.isArray(parent)) parent.length = 0;
      } else if (Array.isArray(parent)) parent[parent.length - 1] = smallSpec(value);
    },
  });
  if (!listed) throw invalid('has no list of suites');
  return report.report(hints);
}

type Around = { titles: readonly string[]; file: string | null; depth: number };

/** The outermost suite is the file; those within are `describe` groups. */
function addSuite(report: TestReport, value: unknown, around: Around): void {
  const suite = asObject(value);
  const title = stringOf(suite, 'title');
  if (!suite || title === null) throw invalid('has a suite without a title');
  if (around.depth >= MAX_NESTING) throw invalid(`has groups nested deeper than ${MAX_NESTING}`);
  const file = around.file ?? stringOf(suite, 'file') ?? title;
  const titles = around.depth === 0 ? [] : [...around.titles, title];
  const parent = { name: cleanText([file, ...titles].join(' › '), lengths.line) };
  for (const spec of listOf(suite, 'specs') as Spec[]) {
    const full = cleanName(playwrightFullName({ file, titles: [...titles, spec.title] })) || 'unnamed test';
    for (const test of spec.tests) {
      report.add({
        ...test,
        full,
        className: '',
        file: spec.file ?? file,
        line: spec.line,
        suite: parent,
        severity: null,
      });
    }
  }
  for (const inner of listOf(suite, 'suites')) addSuite(report, inner, { titles, file, depth: around.depth + 1 });
}

function smallSpec(value: unknown): Spec {
  const spec = asObject(value);
  const title = stringOf(spec, 'title');
  if (!spec || title === null || !Array.isArray(spec.tests)) throw invalid('has a test without a title or results');
  const line = typeof spec.line === 'number' ? String(spec.line) : null;
  return {
    title: cleanText(title, lengths.snippet),
    file: stringOf(spec, 'file'),
    line,
    tests: spec.tests.map(smallTest),
  };
}

function smallTest(value: unknown): SpecTest {
  const test = asObject(value);
  const status = stringOf(test, 'status');
  if (!test || status === null || !statuses.includes(status) || !Array.isArray(test.results)) {
    throw invalid('has a test without results or with an unknown status');
  }
  const results = test.results.map(asObject);
  // The last attempt tells how it failed in the end.
  const last = results.at(-1) ?? null;
  const ran = results.some((result) => stringOf(result, 'status') !== 'skipped');
  const milliseconds = last && typeof last.duration === 'number' ? last.duration : null;
  return {
    project: cleanText(stringOf(test, 'projectName'), 100) || null,
    seconds: milliseconds === null ? null : String(milliseconds / 1_000),
    skipped: status === 'skipped' || (status === 'expected' && !ran),
    flaky: status === 'flaky',
    failure: status === 'unexpected' ? failureOf(test, last) : null,
    // The last attempt first: of many, those are kept.
    attachments: status === 'unexpected' ? [...results].reverse().flatMap(attachmentsOf).slice(0, MAX_ATTACHMENTS) : [],
  };
}

function failureOf(test: Json, last: Json | null): TestCase['failure'] {
  const error = last && Object.hasOwn(last, 'error') ? asObject(last.error) : asObject(listOf(last, 'errors')[0]);
  const status = stringOf(last, 'status') ?? 'failed';
  const passed = `Expected to ${stringOf(test, 'expectedStatus') === 'failed' ? 'fail' : 'end otherwise'}, but ${status}.`;
  const message = stringOf(error, 'message') ?? stringOf(error, 'value') ?? passed;
  return {
    kind: status === 'failed' || status === 'passed' ? 'failure' : 'error',
    type: status === 'failed' ? '' : cleanText(status, 40),
    message: cleanText(message, lengths.message),
    stack: cleanText(stringOf(error, 'stack'), lengths.stack),
  };
}

function invalid(what: string): ReportError {
  return new ReportError(
    'invalid_report',
    `The Playwright report ${what}. Send what its JSON reporter wrote, unchanged.`,
  );
}
