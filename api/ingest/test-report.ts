import { projectFile } from '../../workflows/rules/page-address';
import type {
  ParsedFinding,
  ParsedReport,
  ReportFormat,
  TestExecution,
  TestOutcome,
} from '../../workflows/rules/report-verdict';
import { testSeverity } from '../../workflows/rules/severity';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { cleanText, lengths } from './text';
import { earliest, type Timestamp } from './timestamp';

/** What a test lies in: an object per suite of the file, so that two suites of one name are two. */
export type TestSuite = { name: string };
export type TestFailure = { kind: 'failure' | 'error'; type: string; message: string; stack: string };
/** A file that a test left behind, as the report names it. */
export type TestAttachment = { name: string; contentType: string; path: string };
/** One execution of a test; `full` is the name that identifies the test. */
export type TestCase = {
  full: string;
  className: string;
  /** The path as the tool wrote it, or null. */
  file: string | null;
  /** The browser or project that it ran in. */
  project: string | null;
  line: string | null;
  seconds: string | null;
  suite: TestSuite | null;
  severity: string | null;
  skipped: boolean;
  flaky: boolean;
  failure: TestFailure | null;
  attachments?: TestAttachment[];
};

/** Gathers the tests of a file as they stream by. */
export type TestReport = {
  startedAt(moment: Timestamp | null): void;
  add(test: TestCase): void;
  report(hints: { startedAt?: Date | undefined }): ParsedReport;
};

/** With the suite it stood in: where files are not named, two suites are two places. */
type Attempted = TestExecution & { suite: TestSuite | null };
type Failed = { test: TestCase; file: string | null };

const MAX_PLACES = 1_000;
/** Of one test, over all its attempts. */
export const MAX_ATTACHMENTS = 20;

/**
 * Memory follows the names of the tests and the text of what failed. Cases of one name, file (or suite, where no file
 * is named) and project are attempts of one test: the last one decides, and one that passed after it had failed is
 * flaky, which is a pass.
 */
export function createTestReport(format: ReportFormat): TestReport {
  const executions = new Map<string, Attempted[]>();
  const failures = new Map<Attempted, Failed>();
  const moments: Timestamp[] = [];
  const files = new Map<string, string>();

  function fileOf({ file: path }: TestCase): string | null {
    if (path === null || path === '') return null;
    const known = files.get(path) ?? cleanText(projectFile(path), lengths.line);
    files.set(path, known);
    return known;
  }

  return {
    startedAt(moment) {
      if (moment) moments.push(moment);
    },
    add(test) {
      const file = fileOf(test);
      const { project } = test;
      const known = executions.get(test.full) ?? [];
      if (known.length === 0) executions.set(test.full, known);
      // One name in a thousand places names nothing: they count as one, and one failure among them stays.
      const crowded = known.length >= MAX_PLACES ? known.at(-1) : undefined;
      const earlier = crowded ?? known.find((each) => sameTest(each, { file, project, suite: test.suite }));
      const execution = earlier ?? { file, project, suite: test.suite, outcome: 'skipped' as TestOutcome };
      if (!earlier) known.push(execution);
      if (crowded?.outcome === 'failed') return;
      execution.outcome = outcome(earlier?.outcome, test);
      if (execution.outcome === 'failed') failures.set(execution, { test, file });
      else failures.delete(execution);
    },
    report(hints) {
      // A time without its zone may be hours off; the caller's word is better.
      const vague = moments.some(({ zoned }) => !zoned);
      const written = earliest(moments.map(({ date }) => date));
      return {
        format,
        startedAt: (vague ? (hints.startedAt ?? written) : (written ?? hints.startedAt)) ?? null,
        findings: findingsOf([...failures.values()]),
        coverage: { kind: 'tests', tests: executions },
      };
    },
  };
}

function sameTest(a: Attempted, b: Omit<Attempted, 'outcome'>): boolean {
  return a.file === b.file && a.project === b.project && (a.file !== null || a.suite === b.suite);
}

function outcome(earlier: TestOutcome | undefined, test: TestCase): TestOutcome {
  if (test.failure) return 'failed';
  if (test.skipped) return earlier ?? 'skipped';
  return test.flaky || earlier === 'failed' || earlier === 'flaky' ? 'flaky' : 'passed';
}

function findingsOf(failures: readonly Failed[]): ParsedFinding[] {
  const findings = new Map<string, ParsedFinding>();
  for (const failed of failures) {
    const finding = findings.get(failed.test.full) ?? newFinding(failed);
    findings.set(failed.test.full, finding);
    finding.occurrences.push({ page: failed.file, element: failed.test.project, details: executionDetails(failed) });
  }
  return [...findings.values()];
}

function newFinding({ test, file }: Failed): ParsedFinding {
  const details = {
    kind: 'test',
    suite: cleanText(test.suite?.name, lengths.line),
    className: cleanText(test.className, lengths.line),
    ...(file ? { file } : {}),
    ...failureDetails(test),
  };
  const title = cleanText(test.full, lengths.title);
  return { rule: test.full, title, severity: testSeverity(test.severity), details, occurrences: [] };
}

function executionDetails({ test, file }: Failed): { [key: string]: unknown } {
  return {
    ...(file ? { file } : {}),
    ...(test.line ? { line: cleanText(test.line, 20) } : {}),
    ...(test.project ? { project: test.project } : {}),
    ...(test.seconds ? { seconds: cleanText(test.seconds, 20) } : {}),
    ...(test.attachments?.length ? { attachments: test.attachments } : {}),
    ...failureDetails(test),
  };
}

function failureDetails({ failure }: TestCase): { [key: string]: unknown } {
  if (!failure) return {};
  return { failureKind: failure.kind, failureType: failure.type, message: failure.message, stack: failure.stack };
}

/** The files that a test left behind, as CTRF and Playwright name them: those with a path. */
export function attachmentsOf(owner: Json | null): TestAttachment[] {
  return listOf(owner, 'attachments')
    .slice(0, MAX_ATTACHMENTS)
    .flatMap((value) => {
      const attachment = asObject(value);
      const path = cleanText(stringOf(attachment, 'path'), lengths.line);
      if (path === '') return [];
      const contentType = cleanText(stringOf(attachment, 'contentType'), 100);
      return [{ name: cleanText(stringOf(attachment, 'name'), 200), contentType, path }];
    });
}
