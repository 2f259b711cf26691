import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { parseFixture, parseText, readFixture } from './support';

function outcomes({ coverage }: ParsedReport): Record<string, string> {
  if (coverage.kind !== 'tests') throw new Error('no tests');
  return Object.fromEntries(
    [...coverage.tests].map(([name, executions]) => [
      name,
      executions.map(({ outcome, project }) => (project ? `${project} ${outcome}` : outcome)).join(', '),
    ]),
  );
}

describe('JUnit reports of runners', () => {
  it.each([
    [
      'jest',
      {
        'Cart total › is zero for an empty cart': 'passed',
        'Cart total › adds price times quantity': 'passed',
        'Cart discount › gives nothing below 100 €': 'passed',
        'Cart discount › gives ten per cent at exactly 100 €': 'failed',
        'Cart › remembers the cart between visits': 'skipped',
        'Checkout › ships free from 50 € on': 'passed',
        'Checkout › asks for the country when the address has none': 'failed',
        'Checkout › rounds the tax to the cent': 'failed',
      },
    ],
    [
      'jest-junit',
      {
        'Cart adds an item': 'passed',
        'Cart totals rounds to the cent': 'failed',
        'Cart remembers visits': 'skipped',
        'keeps order': 'passed',
      },
    ],
    [
      'pytest',
      {
        'test_math.TestTotals › test_ok': 'passed',
        'test_math.TestTotals › test_param[1]': 'passed',
        'test_math.TestTotals › test_param[2]': 'failed',
        'test_math › test_setup': 'failed',
        'test_math › test_teardown': 'failed',
        'test_math › test_skip': 'skipped',
        'test_math › test_x': 'skipped',
      },
    ],
    [
      'node',
      {
        'math › adds': 'passed',
        'math › fails <&>': 'failed',
        'math › inner › later': 'skipped',
        'math › inner › todo one': 'skipped',
        'top level': 'failed',
      },
    ],
    [
      'surefire',
      {
        'com.example.shop.CartTest › addsItem': 'passed',
        'com.example.shop.CartTest › roundsToTheCent': 'failed',
        'com.example.shop.CartTest › loadsRates': 'flaky',
        'com.example.shop.CartTest › asksForTheCountry': 'failed',
        'com.example.shop.CartTest › remembersVisits': 'skipped',
      },
    ],
    [
      'playwright',
      {
        'cart.spec.ts › Cart › adds an item': 'chromium passed, firefox failed',
        'cart.spec.ts › Cart › remembers visits': 'chromium skipped, firefox passed',
      },
    ],
    [
      'cypress',
      { 'Cart adds an item': 'passed', 'Cart rounds to the cent': 'failed', 'Cart remembers visits': 'skipped' },
    ],
    [
      'retries',
      {
        'Retries › passes at the second attempt': 'flaky',
        'Retries › fails at every attempt': 'failed',
        'Retries › fails after it had passed': 'failed',
      },
    ],
  ])('%s', async (runner, expected) => {
    const report = await parseFixture(`junit/${runner}.xml`);
    expect(report.format).toBe('junit');
    expect(outcomes(report)).toEqual(expected);
    const failed = Object.entries(expected).filter(([, outcome]) => outcome.includes('failed'));
    expect(report.findings.map((finding) => finding.rule).sort()).toEqual(failed.map(([name]) => name).sort());
  });

  it('keep message, type and stack of the last failure', async () => {
    const { findings } = await parseFixture('junit/surefire.xml');
    expect(findings[0]).toMatchObject({
      title: 'com.example.shop.CartTest › roundsToTheCent',
      severity: 'serious',
      details: {
        kind: 'test',
        className: 'com.example.shop.CartTest',
        failureKind: 'failure',
        failureType: 'org.opentest4j.AssertionFailedError',
        message: 'expected: <1.91> but was: <1.90>',
        stack: expect.stringContaining('CartTest.java:41'),
      },
      occurrences: [{ page: null, element: null, details: { seconds: '0.011' } }],
    });
    expect(findings[1]?.details).toMatchObject({ failureKind: 'error', failureType: 'java.lang.NullPointerException' });
    const { findings: retried } = await parseFixture('junit/retries.xml');
    expect(retried[0]?.details.message).toBe('second attempt');
  });

  it('take the first line for a message where there is none', async () => {
    const { findings } = await parseFixture('junit/jest-junit.xml');
    expect(findings[0]?.details.message).toBe('Error: expect(received).toBe(expected) // Object.is equality');
  });

  it('Cypress names the file of all on the suite that stands first', async () => {
    const { findings, coverage } = await parseFixture('junit/cypress.xml');
    expect(findings[0]?.occurrences).toMatchObject([{ page: 'cypress/e2e/cart.cy.js' }]);
    const files = coverage.kind === 'tests' ? [...coverage.tests.values()].flat().map(({ file }) => file) : [];
    expect(new Set(files)).toEqual(new Set(['cypress/e2e/cart.cy.js']));
  });

  it('know the file and the project of an execution', async () => {
    const { findings } = await parseFixture('junit/playwright.xml');
    expect(findings[0]?.occurrences).toMatchObject([
      { page: 'cart.spec.ts', element: 'firefox', details: { project: 'firefox', file: 'cart.spec.ts' } },
    ]);
  });

  it('know when the run began; a time without zone yields to the caller', async () => {
    const startedAt = new Date('2026-01-02T03:04:05Z');
    expect((await parseFixture('junit/playwright.xml', { startedAt })).startedAt?.toISOString()).toBe(
      '2026-11-20T08:15:02.114Z',
    );
    expect((await parseFixture('junit/cypress.xml')).startedAt?.toISOString()).toBe('2026-11-20T08:20:11.000Z');
    expect((await parseFixture('junit/cypress.xml', { startedAt })).startedAt).toEqual(startedAt);
    expect((await parseFixture('junit/node.xml', { startedAt })).startedAt).toEqual(startedAt);
    expect((await parseFixture('junit/node.xml')).startedAt).toBeNull();
  });

  it.each(['pytest', 'surefire', 'playwright', 'jest'])(
    '%s is read the same however the bytes arrive',
    async (runner) => {
      const whole = await parseFixture(`junit/${runner}.xml`);
      expect(await parseText(readFixture(`junit/${runner}.xml`), { size: 3 })).toEqual(whole);
    },
  );
});

describe('JUnit reports in general', () => {
  it('are taken with a byte order mark, and with nothing but passed tests', async () => {
    const report = await parseText('\ufeff\n <testsuite name="a"><testcase classname="Cart" name="adds"/></testsuite>');
    expect(report.findings).toEqual([]);
    expect(outcomes(report)).toEqual({ 'Cart › adds': 'passed' });
  });

  it('do not name a test by the line or machine it ran on', async () => {
    const run = (line: number, path: string, at: string) =>
      parseText(
        `<testsuite hostname="${at}"><testcase classname="Cart" name="adds" file="${path}" line="${line}"><failure message="at ${line}"/></testcase></testsuite>`,
      );
    const one = await run(4, '/home/runner/work/shop/shop/a.test.js', 'runner-1');
    const two = await run(9, 'a.test.js', 'laptop');
    const identity = ({ findings }: ParsedReport) =>
      findings.map(({ rule, occurrences }) => [rule, occurrences.map(({ page, element }) => [page, element])]);
    expect(identity(two)).toEqual(identity(one));
  });

  it('do not take one name in two suites without files for attempts of one test', async () => {
    const report = await parseText(
      '<testsuites><testsuite name="a"><testcase name="adds" classname="Cart"><failure/></testcase></testsuite><testsuite name="b"><testcase name="adds" classname="Cart"/></testsuite></testsuites>',
    );
    expect(report.findings).toHaveLength(1);
  });

  it('follow the severity that the suite gives a test', async () => {
    const report = await parseText(
      '<testsuite><testcase name="a"><properties><property name="severity" value="blocker"/></properties><failure/></testcase></testsuite>',
    );
    expect(report.findings[0]?.severity).toBe('critical');
  });

  it('cut what is long, and drop what no database takes', async () => {
    const report = await parseText(
      `<testsuite><testcase name="${'n'.repeat(3_000)}"><failure message="${'m'.repeat(50_000)}">${'s😀'.repeat(50_000)}&#27;[31m</failure></testcase></testsuite>`.replace(
        '&#27;',
        '',
      ),
    );
    const finding = report.findings[0];
    expect(finding?.rule.length).toBeLessThanOrEqual(500);
    expect(finding?.title.length).toBeLessThanOrEqual(250);
    expect(String(finding?.details.message).length).toBeLessThanOrEqual(4_000);
    expect(String(finding?.details.stack).length).toBeLessThanOrEqual(8_000);
    expect(JSON.stringify(finding)).not.toMatch(/\\ud[89a-f]|\\u0000/i);
  });

  it('tell long names apart that begin alike', async () => {
    const name = 'n'.repeat(3_000);
    const report = await parseText(`<testsuite><testcase name="${name}a"/><testcase name="${name}b"/></testsuite>`);
    expect(Object.keys(outcomes(report))).toHaveLength(2);
  });

  it('stay quick where one name stands in thousands of suites', async () => {
    const body = '<testsuite name="s"><testcase name="a"/></testsuite>'.repeat(60_000);
    const report = await parseText(
      `<testsuites><testsuite><testcase name="a"><failure/></testcase></testsuite>${body}</testsuites>`,
    );
    expect(report.findings).toHaveLength(1);
  }, 20_000);
});
