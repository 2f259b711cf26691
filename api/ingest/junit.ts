// JUnit XML as Jest, pytest, Playwright, Surefire, mocha, Cypress, Node and others write it: the elements are the same,
// what stands in the names is not (see testFullName).

import { testFullName } from '../../workflows/rules/dedupe-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { ReportError } from './report-error';
import { createTestReport, type TestCase, type TestReport } from './test-report';
import { cleanName, cleanText, lengths } from './text';
import { timestamp } from './timestamp';
import { readXml, type XmlHandler } from './xml';

type Attributes = Readonly<Record<string, string>>;
type JunitSuite = { name: string; file: string | null; hostname: string | null };
type State = {
  suites: JunitSuite[];
  current: TestCase | null;
  /** Character data of the failure that is open. */
  text: string[] | null;
  textLength: number;
  rooted: boolean;
  /** Cypress names the file on an empty suite that stands before those of its tests. */
  rootFile: string | null;
  /** Playwright alone gives <testsuites> an id, and means the project by `hostname`; others mean the machine. */
  namesProjects: boolean;
  tests: TestReport;
};

/** Reads JUnit XML, or refuses with `ReportError`. `startedAt` stands in where the file has no time, or one without zone. */
export async function readJunit(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined },
): Promise<ParsedReport> {
  const tests = createTestReport('junit');
  const state: State = {
    suites: [],
    current: null,
    text: null,
    textLength: 0,
    rooted: false,
    rootFile: null,
    namesProjects: false,
    tests,
  };
  const handler: XmlHandler = {
    open: (name, attributes) => open(state, name, attributes),
    close: (name) => close(state, name),
    text: (text) => addText(state, text),
    wantsText: () => state.text !== null,
  };
  await readXml(chunks, handler);
  return tests.report(hints);
}

function open(state: State, name: string, attributes: Attributes): void {
  if (!state.rooted) checkRoot(name);
  state.rooted = true;
  switch (name) {
    case 'testsuites':
      state.namesProjects = attributes.id !== undefined;
      state.tests.startedAt(timestamp(attributes.timestamp));
      break;
    case 'testsuite':
      state.tests.startedAt(timestamp(attributes.timestamp));
      if (attributes.name === 'Root Suite') state.rootFile = fileOf(attributes);
      state.suites.push(suite(attributes, state));
      break;
    case 'testcase':
      state.current = newCase(attributes, state);
      break;
    case 'failure':
    case 'error':
      openFailure(state, name, attributes);
      break;
    case 'skipped':
      if (state.current) state.current.skipped = true;
      break;
    // Surefire's re-runs: these tell of attempts, the verdict is whether a failure stands beside them.
    case 'flakyFailure':
    case 'flakyError':
      if (state.current) state.current.flaky = true;
      break;
    case 'property':
      if (state.current && attributes.name?.toLowerCase() === 'severity')
        state.current.severity = attributes.value ?? null;
      break;
    default:
  }
}

function close(state: State, name: string): void {
  if (name === 'testsuite') state.suites.pop();
  if ((name === 'failure' || name === 'error') && state.text) closeFailure(state);
  if (name !== 'testcase' || !state.current) return;
  state.tests.add(state.current);
  state.current = null;
}

function checkRoot(name: string): void {
  if (name === 'testsuites' || name === 'testsuite') return;
  const message = `The file is XML with <${cleanText(name, 40)}>, not a JUnit report (<testsuites> or <testsuite>). Most test runners have a JUnit reporter.`;
  throw new ReportError('unknown_format', message);
}

function fileOf({ file, filepath }: Attributes): string | null {
  return file ?? filepath ?? null;
}

function suite(attributes: Attributes, { rootFile }: State): JunitSuite {
  return {
    name: attributes.name ?? '',
    file: fileOf(attributes) ?? rootFile,
    hostname: attributes.hostname ?? null,
  };
}

function newCase(attributes: Attributes, { suites, namesProjects }: State): TestCase {
  const className = attributes.classname ?? '';
  const parent = suites.at(-1) ?? null;
  const name = attributes.name ?? '';
  const full = cleanName(testFullName({ name, className, suites: suites.map((suite) => suite.name) }));
  const off = /^(disabled|notrun|skipped|suppressed)$/i.test(attributes.status ?? attributes.result ?? '');
  return {
    full: full || 'unnamed test',
    className,
    file: attributes.file || parent?.file || [parent?.name, className].find(isSourceFile) || null,
    project: namesProjects ? projectOf(parent, className) : null,
    line: attributes.line ?? null,
    suite: parent,
    seconds: attributes.time ?? null,
    severity: null,
    skipped: off,
    flaky: false,
    failure: null,
  };
}

const sourceFile = /\.(?:[cm]?[jt]sx?|py|rb|php|feature)$/;

function isSourceFile(name: string | undefined): boolean {
  return name !== undefined && sourceFile.test(name);
}

/** Playwright writes the project (the browser) as the host name of a suite that is named for its file. */
function projectOf(suite: JunitSuite | null, className: string): string | null {
  if (!suite?.hostname || suite.name !== className || !sourceFile.test(className)) return null;
  return cleanText(suite.hostname, 100) || null;
}

/** Of several failures of one case the first is kept: the others follow from it. */
function openFailure(state: State, kind: 'failure' | 'error', attributes: Attributes): void {
  if (!state.current || state.current.failure) return;
  state.current.failure = {
    kind,
    type: cleanText(attributes.type, lengths.line),
    message: cleanText(attributes.message, lengths.message),
    stack: '',
  };
  state.text = [];
  state.textLength = 0;
}

function addText(state: State, text: string): void {
  if (!state.text || state.textLength > lengths.stack * 2) return;
  state.text.push(text.length > lengths.stack * 2 ? text.slice(0, lengths.stack * 2) : text);
  state.textLength += text.length;
}

function closeFailure(state: State): void {
  const failure = state.current?.failure;
  if (failure && state.text) {
    failure.stack = cleanText(state.text.join(''), lengths.stack);
    if (failure.message === '') failure.message = cleanText(failure.stack.split('\n', 1)[0], lengths.message);
  }
  state.text = null;
}
