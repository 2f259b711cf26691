import { projectFile } from '../../workflows/rules/page-address';
import type { ParsedFinding, ParsedReport, TestExecution, TestOutcome } from '../../workflows/rules/report-verdict';
import { testSeverity } from '../../workflows/rules/severity';
import { cleanText, lengths } from './text';
import { earliest, timestamp } from './timestamp';

export type JunitSuite = { name: string; file: string | null; hostname: string | null };
export type JunitFailure = { kind: 'failure' | 'error'; type: string; message: string; stack: string };
/** One `<testcase>`; `full` is the name that identifies the test. */
export type JunitCase = {
  full: string;
  className: string;
  file: string | null;
  line: string | null;
  seconds: string | null;
  suite: JunitSuite | null;
  severity: string | null;
  skipped: boolean;
  flaky: boolean;
  failure: JunitFailure | null;
};

/** Gathers the cases of a file as they stream by. */
export type JunitTests = {
  startedAt(timestamp: string | undefined): void;
  add(test: JunitCase): void;
  report(hints: { startedAt?: Date | undefined }): ParsedReport;
};

/** With the suite it stood in: where files are not named, two suites are two places. */
type Attempted = TestExecution & { suite: JunitSuite | null };
type Failed = { test: JunitCase; file: string | null; project: string | null };

const MAX_PLACES = 1_000;
const sourceFile = /\.(?:[cm]?[jt]sx?|py|rb|php|feature)$/;

/**
 * Memory follows the names of the tests and the text of what failed. Cases of one name, file (or suite, where no file
 * is named) and project are attempts of one test: the last one decides, and one that passed after it had failed is
 * flaky, which is a pass.
 */
export function createJunitTests(): JunitTests {
  const executions = new Map<string, Attempted[]>();
  const failures = new Map<Attempted, Failed>();
  const moments: { date: Date; zoned: boolean }[] = [];
  const files = new Map<string, string>();

  function fileOf(test: JunitCase): string | null {
    const named = [test.suite?.name, test.className].find((name) => name !== undefined && sourceFile.test(name));
    const path = test.file ?? test.suite?.file ?? named ?? null;
    if (path === null || path === '') return null;
    const known = files.get(path) ?? cleanText(projectFile(path), lengths.line);
    files.set(path, known);
    return known;
  }

  return {
    startedAt(text) {
      const moment = timestamp(text);
      if (moment) moments.push(moment);
    },
    add(test) {
      const file = fileOf(test);
      const project = projectOf(test);
      const known = executions.get(test.full) ?? [];
      if (known.length === 0) executions.set(test.full, known);
      // One name in a thousand places names nothing: they count as one, and one failure among them stays.
      const crowded = known.length >= MAX_PLACES ? known.at(-1) : undefined;
      const earlier = crowded ?? known.find((each) => sameTest(each, { file, project, suite: test.suite }));
      const execution = earlier ?? { file, project, suite: test.suite, outcome: 'skipped' as TestOutcome };
      if (!earlier) known.push(execution);
      if (crowded?.outcome === 'failed') return;
      execution.outcome = outcome(earlier?.outcome, test);
      if (execution.outcome === 'failed') failures.set(execution, { test, file, project });
      else failures.delete(execution);
    },
    report(hints) {
      // A time without its zone may be hours off; the caller's word is better.
      const vague = moments.some(({ zoned }) => !zoned);
      const written = earliest(moments.map(({ date }) => date));
      return {
        format: 'junit',
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

function outcome(earlier: TestOutcome | undefined, test: JunitCase): TestOutcome {
  if (test.failure) return 'failed';
  if (test.skipped) return earlier ?? 'skipped';
  return test.flaky || earlier === 'failed' || earlier === 'flaky' ? 'flaky' : 'passed';
}

/** Playwright writes the project (the browser) as the host name of a suite that is named for its file. */
function projectOf({ suite, className }: JunitCase): string | null {
  if (!suite?.hostname || suite.name !== className || !sourceFile.test(className)) return null;
  return cleanText(suite.hostname, 100) || null;
}

function findingsOf(failures: readonly Failed[]): ParsedFinding[] {
  const findings = new Map<string, ParsedFinding>();
  for (const failed of failures) {
    const finding = findings.get(failed.test.full) ?? newFinding(failed);
    findings.set(failed.test.full, finding);
    finding.occurrences.push({ page: failed.file, element: failed.project, details: executionDetails(failed) });
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

function executionDetails({ test, file, project }: Failed): { [key: string]: unknown } {
  return {
    ...(file ? { file } : {}),
    ...(test.line ? { line: cleanText(test.line, 20) } : {}),
    ...(project ? { project } : {}),
    ...(test.seconds ? { seconds: cleanText(test.seconds, 20) } : {}),
    ...failureDetails(test),
  };
}

function failureDetails({ failure }: JunitCase): { [key: string]: unknown } {
  if (!failure) return {};
  return { failureKind: failure.kind, failureType: failure.type, message: failure.message, stack: failure.stack };
}
