// CTRF (Common Test Report Format) JSON, as the reporters of Jest, mocha, Playwright, Cypress, pytest and others write it.

import { ctrfTest } from '../../workflows/rules/dedupe-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { ReportError } from './report-error';
import { attachmentsOf, createTestReport, MAX_ATTACHMENTS, type TestCase } from './test-report';
import { cleanName, cleanText, lengths } from './text';
import { epochTime } from './timestamp';

const statuses = ['passed', 'failed', 'skipped', 'pending', 'other'];

/** Reads a CTRF report, or refuses with `ReportError`. */
export async function readCtrf(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined },
): Promise<ParsedReport> {
  const report = createTestReport('ctrf');
  const suites = new Map<string, { name: string }>();
  // The tool may stand behind the tests, and the names depend on it.
  const tests: { test: Json; small: TestCase }[] = [];
  let tool = '';
  let listed = false;
  await readJsonValues(chunks, {
    paths: ['$.results.tool', '$.results.summary', '$.results.tests', '$.results.tests.*'],
    onValue: ({ path, value, parent }) => {
      if (path.length === 3) {
        tests.push(smallTest(value, suites));
        if (Array.isArray(parent)) parent.length = 0;
      } else if (path[1] === 'tests') listed = Array.isArray(value);
      else if (path[1] === 'tool') tool = stringOf(asObject(value), 'name') ?? '';
      else report.startedAt(epochTime(asObject(value)?.start));
    },
  });
  if (!listed) throw invalid('has no list of tests under results.tests');
  for (const { test, small } of tests) report.add(named(small, { test, tool }));
  return report.report(hints);
}

/** What is kept of a test until its name can be told. */
function smallTest(value: unknown, suites: Map<string, { name: string }>): { test: Json; small: TestCase } {
  const test = asObject(value);
  const name = stringOf(test, 'name');
  const status = stringOf(test, 'status');
  if (!test || name === null || status === null) throw invalid('has a test without a name or a status');
  if (!statuses.includes(status)) throw invalid(`has a test with the unknown status "${cleanText(status, 40)}"`);
  const suite = suiteOf(test);
  const key = suite.join(' > ');
  const known = suites.get(key) ?? { name: cleanText(key, lengths.line) };
  suites.set(key, known);
  const retried = typeof test.retries === 'number' && test.retries > 0;
  const small: TestCase = {
    full: '',
    className: '',
    file: stringOf(test, 'filePath'),
    project: cleanText(stringOf(test, 'browser'), 100) || null,
    line: typeof test.line === 'number' ? String(test.line) : null,
    seconds: typeof test.duration === 'number' ? String(test.duration / 1_000) : null,
    suite: known,
    severity: stringOf(asObject(test.labels), 'severity') ?? stringOf(asObject(test.extra), 'severity'),
    skipped: status !== 'passed' && status !== 'failed',
    flaky: status === 'passed' && (test.flaky === true || retried),
    failure: status === 'failed' ? failureOf(test) : null,
    attachments: status === 'failed' ? attemptsOf(test).flatMap(attachmentsOf).slice(0, MAX_ATTACHMENTS) : [],
  };
  return { test: { name: cleanText(name, lengths.snippet), suite }, small };
}

function named(small: TestCase, { test, tool }: { test: Json; tool: string }): TestCase {
  const { full, file, project } = ctrfTest({
    tool,
    name: stringOf(test, 'name') ?? '',
    suite: listOf(test, 'suite') as string[],
  });
  // Playwright's other reporters name the file as the project knows it, below the folder of the tests.
  const path = tool.toLowerCase() === 'playwright' ? (file ?? small.file) : (small.file ?? file);
  return { ...small, full: cleanName(full) || 'unnamed test', file: path, project: project ?? small.project };
}

/** One text in older reports, a list of titles in newer ones. */
function suiteOf(test: Json): string[] {
  const suite = Object.hasOwn(test, 'suite') ? test.suite : null;
  const parts = Array.isArray(suite) ? suite : [suite];
  return parts.filter((part) => typeof part === 'string').map((part) => cleanText(part, lengths.line));
}

/** The test itself, which tells of its last attempt, and those before. */
function attemptsOf(test: Json): (Json | null)[] {
  return [test, ...listOf(test, 'retryAttempts').map(asObject).reverse()];
}

function failureOf(test: Json): TestCase['failure'] {
  const trace = cleanText(stringOf(test, 'trace'), lengths.stack);
  const message = cleanText(stringOf(test, 'message'), lengths.message);
  return {
    kind: 'failure',
    type: '',
    message: message || cleanText(trace.split('\n', 1)[0], lengths.message),
    stack: trace,
  };
}

function invalid(what: string): ReportError {
  return new ReportError('invalid_report', `The CTRF report ${what}. Send what the reporter wrote, unchanged.`);
}
