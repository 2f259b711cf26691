// What the readers make of real files: each fixture was written by the tool itself, on the page of the axe fixtures or
// on tests made for it, and only trimmed. How is in test/fixtures/reports/README.md.

import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { reportEvidence, reportVerdict } from '../../workflows/rules/report-verdict';
import { fingerprints, parseFixture, parseText, readFixture, refusalOf } from './support';

const page = 'https://shop.example/orders?page=1';
const names = (report: ParsedReport) => report.findings.map(({ rule }) => rule).sort();
const severities = (report: ParsedReport) =>
  Object.fromEntries(report.findings.map((each) => [each.rule, each.severity]));
// biome-ignore lint/suspicious/noExplicitAny: fixtures are changed here as whatever they are
type Loose = any;
const changed = (name: string, change: (report: Loose) => unknown): string => {
  const report = JSON.parse(readFixture(name)) as Loose;
  return JSON.stringify(change(report) ?? report);
};

function outcomes({ coverage }: ParsedReport): Record<string, string> {
  if (coverage.kind !== 'tests') throw new Error('no tests');
  return Object.fromEntries(
    [...coverage.tests].map(([name, all]) => [
      name,
      all.map(({ outcome, project }) => (project ? `${project} ${outcome}` : outcome)).join(', '),
    ]),
  );
}

function coverageOf(report: ParsedReport, address: string) {
  if (report.coverage.kind !== 'pages') throw new Error('no pages');
  return report.coverage.pages.get(address);
}

/** What a later report says of each finding of an earlier one, at the places where it was. */
function verdicts(before: ParsedReport, after: ParsedReport): Record<string, string> {
  const evidence = reportEvidence({ ...after, scope: 'full' });
  const places = (finding: ParsedReport['findings'][number]) =>
    finding.occurrences.map(({ page: at, element, details }) => ({
      page: at,
      element,
      runner: (details.runner as string | undefined) ?? null,
    }));
  return Object.fromEntries(
    before.findings.map((finding) => [
      finding.rule,
      reportVerdict({ rule: finding.rule, grouping: 'rule', occurrences: places(finding) }, evidence),
    ]),
  );
}

const fixtures: [fixture: string, format: string, findings: number][] = [
  ['axe/v2.json', 'axe-core', 5],
  ['pa11y/htmlcs.json', 'pa11y', 5],
  ['pa11y/axe.json', 'pa11y', 4],
  ['pa11y/library.json', 'pa11y', 5],
  ['pa11y/ci.json', 'pa11y-ci', 9],
  ['lighthouse/report.json', 'lighthouse', 5],
  ['sarif/eslint.sarif', 'sarif', 4],
  ['sarif/semgrep.sarif', 'sarif', 2],
  ['sarif/axe.sarif', 'sarif', 5],
  ['ctrf/jest.json', 'ctrf', 1],
  ['ctrf/mocha.json', 'ctrf', 2],
  ['ctrf/playwright.json', 'ctrf', 4],
  ['playwright/report.json', 'playwright', 5],
  ['junit/playwright-projects.xml', 'junit', 5],
];

describe('I1 the format is told by the content', () => {
  it.each(fixtures)('%s is %s', async (fixture, format, findings) => {
    const report = await parseFixture(fixture);
    expect([report.format, report.findings.length]).toEqual([format, findings]);
  });

  it.each(fixtures)(
    '%s is read the same with its properties in another order, and in small pieces',
    async (fixture) => {
      if (fixture.endsWith('.xml')) return;
      const turned = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(turned);
        if (typeof value !== 'object' || value === null) return value;
        return Object.fromEntries(
          Object.entries(value)
            .map(([key, inner]) => [key, turned(inner)] as const)
            .reverse(),
        );
      };
      const whole = await parseFixture(fixture);
      const other = await parseText(JSON.stringify(turned(JSON.parse(readFixture(fixture)))), { size: 997 });
      expect(fingerprints(other)).toEqual(fingerprints(whole));
      expect(other.startedAt).toEqual(whole.startedAt);
    },
  );

  it.each([
    ['jest.json', "Jest's or Vitest's own JSON"],
    ['mocha.json', "mocha's own JSON"],
  ])('%s is refused, with what to use instead', async (name, words) => {
    const error = await refusalOf(readFixture(`other/${name}`));
    expect(error.code).toBe('unknown_format');
    expect(error.message).toContain(words);
  });

  it('names what was seen of anything else', async () => {
    expect((await refusalOf('{"name":"shop","private":true}')).message).toContain('an object with "name", "private"');
    expect((await refusalOf('[{"id":1}]')).message).toContain('a list of objects with "id"');
    expect((await refusalOf('Tests: 3 failed')).message).toContain('begins with "Tests: 3 failed"');
    expect((await refusalOf('<assemblies/>')).message).toContain('XML with <assemblies>');
  });
});

describe('I1 pa11y', () => {
  it('names axe rules as axe does, and its own by their codes', async () => {
    const axe = await parseFixture('axe/v2.json');
    const pa11y = await parseFixture('pa11y/both.json', { page });
    const own = names(pa11y).filter((rule) => rule.startsWith('WCAG2AA.'));
    expect(own).toHaveLength(5);
    expect(names(axe)).toEqual(expect.arrayContaining(names(pa11y).filter((rule) => !own.includes(rule))));
    const told = (report: ParsedReport) => report.findings.find(({ rule }) => rule === 'link-name');
    expect(told(pa11y)).toMatchObject({
      title: told(axe)?.title,
      severity: told(axe)?.severity,
      occurrences: [{ page, details: { snippet: expect.stringContaining('<a class=') } }],
    });
    expect(pa11y.findings.find(({ rule }) => rule.endsWith('1_1_1.H37'))).toMatchObject({
      severity: 'serious',
      details: { tags: ['wcag2aa', 'wcag111'], wcag: ['WCAG 1.1.1'], engine: 'pa11y (htmlcs)' },
    });
  });

  it('gives the same fingerprints for a rebuilt page', async () => {
    const before = await parseFixture('pa11y/axe.json', { page });
    const after = await parseFixture('pa11y/axe-rebuilt.json', { page });
    expect(fingerprints(after)).toEqual(fingerprints(before));
  });

  it('takes what needs a review for undecided', async () => {
    const body = changed('pa11y/axe.json', (issues) => {
      for (const issue of issues) issue.runnerExtras.needsFurtherReview = issue.code === 'label';
    });
    const report = await parseText(body, { page });
    expect(names(report)).not.toContain('label');
    expect(coverageOf(report, page)?.rules.get('label')).toBe('inconclusive');
  });

  it('proves absence only for the page, the runner, the standard and the level that the file shows', async () => {
    const before = await parseFixture('pa11y/ci.json');
    const only = (keep: (issue: Loose) => boolean) =>
      changed('pa11y/ci.json', (report) => {
        report.results[page] = report.results[page].filter(keep);
      });
    const htmlcs = await parseText(only(({ code }) => code.endsWith('H37')));
    expect(verdicts(before, htmlcs)).toMatchObject({
      'image-alt': 'inconclusive',
      'WCAG2AA.Principle1.Guideline1_1.1_1_1.H37': 'fail',
      'WCAG2AA.Principle1.Guideline1_3.1_3_1.F68': 'pass',
    });
    const axe = await parseText(only(({ code }) => code === 'label'));
    expect(verdicts(before, axe)).toMatchObject({
      label: 'fail',
      'image-alt': 'pass',
      'WCAG2AA.Principle1.Guideline1_3.1_3_1.F68': 'inconclusive',
    });
    const lower = await parseText(only(({ code }) => code.endsWith('H37')).replaceAll('WCAG2AA.', 'WCAG2A.'));
    expect(verdicts(before, lower)['WCAG2AA.Principle1.Guideline1_3.1_3_1.F68']).toBe('inconclusive');
    const elsewhere = await parseText(
      changed('pa11y/ci.json', (report) => {
        report.results = { 'https://shop.example/cart': report.results[page] };
      }),
    );
    expect(new Set(Object.values(verdicts(elsewhere, before)))).toEqual(new Set(['fail']));
    expect(coverageOf(elsewhere, page)).toBeUndefined();
  });

  it('proves nothing about a page that it could not test, nor where nobody says which page it was', async () => {
    const report = await parseFixture('pa11y/ci.json');
    expect(coverageOf(report, 'https://closed.invalid')).toMatchObject({ unlisted: 'inconclusive' });
    expect(coverageOf(report, 'https://shop.example/clean')?.unlisted).toBe('ran');
    const nameless = await parseFixture('pa11y/axe.json');
    expect(nameless.coverage).toEqual({ kind: 'pages', pages: new Map() });
  });

  it('takes a page without problems where the caller says which, and how pa11y was run', async () => {
    const before = await parseFixture('pa11y/both.json', { page });
    const clean = readFixture('pa11y/clean.json');
    expect((await refusalOf(clean)).message).toContain('an empty list');
    const both = await parseText(clean, { page, runner: 'htmlcs, axe', standard: 'WCAG2AA' });
    expect(new Set(Object.values(verdicts(before, both)))).toEqual(new Set(['pass']));
    const axe = await parseText(clean, { page, runner: 'axe' });
    expect(verdicts(before, axe)).toMatchObject({
      label: 'pass',
      'WCAG2AA.Principle1.Guideline1_1.1_1_1.H37': 'inconclusive',
    });
  });
});

describe('I1 Lighthouse', () => {
  it('names the rules of axe, as grave as axe finds them', async () => {
    const axe = severities(await parseFixture('axe/v2.json'));
    const report = severities(await parseFixture('lighthouse/report.json'));
    for (const rule of ['button-name', 'image-alt', 'label', 'link-name']) expect(report[rule]).toBe(axe[rule]);
    expect(report['target-size']).toBe('serious');
  });

  it('weighs an audit where the impact is not told', async () => {
    const body = changed('lighthouse/report.json', (report) => {
      for (const audit of Object.values(report.audits) as Loose[]) delete audit.details?.debugData;
    });
    expect(severities(await parseText(body))).toMatchObject({ 'image-alt': 'critical', 'link-name': 'serious' });
  });

  it('knows what passed, what did not apply, and what it leaves to people', async () => {
    const rules = coverageOf(await parseFixture('lighthouse/report.json'), page)?.rules;
    expect([rules?.get('html-has-lang'), rules?.get('video-caption'), rules?.get('logical-tab-order')]).toEqual([
      'ran',
      'ran',
      'inconclusive',
    ]);
  });

  it('speaks of the page that was shown, not of the one that led there', async () => {
    const report = await parseFixture('lighthouse/moved.json');
    expect(report.coverage.kind === 'pages' && [...report.coverage.pages.keys()]).toEqual([
      'https://shop.example/clean',
    ]);
  });

  it('proves nothing where the page did not load', async () => {
    const report = await parseFixture('lighthouse/error.json');
    expect(report.findings).toEqual([]);
    expect(coverageOf(report, page)).toMatchObject({ unlisted: 'inconclusive', rules: new Map() });
  });

  it('is refused without its accessibility audits', async () => {
    const body = changed('lighthouse/report.json', (report) => {
      delete report.categories.accessibility;
    });
    expect((await refusalOf(body)).message).toContain('--only-categories=accessibility');
  });
});

describe('I1 SARIF', () => {
  const eslint = 'sarif/eslint.sarif';

  it('leaves out what is suppressed, and proves nothing there', async () => {
    const report = await parseFixture(eslint);
    const undefinedNames = report.findings.find(({ rule }) => rule === 'no-undef');
    expect(undefinedNames?.occurrences.map(({ page: at }) => at)).toEqual(['es/a.js']);
    const shown = await parseText(
      changed(eslint, (log) => {
        for (const result of log.runs[0].results) delete result.suppressions;
      }),
    );
    const only = { ...shown, findings: shown.findings.filter(({ rule }) => rule === 'no-undef') };
    only.findings[0]?.occurrences.shift();
    expect(only.findings[0]?.occurrences.map(({ page: at }) => at)).toEqual(['es/b.js']);
    const fixed = await parseText(
      changed(eslint, (log) => {
        log.runs[0].results = log.runs[0].results.filter((each: Loose) => each.suppressions?.length);
      }),
    );
    expect(verdicts(only, fixed)['no-undef']).toBe('inconclusive');
  });

  it.each([
    ['accepted', 0],
    ['underReview', 1],
    ['rejected', 1],
  ])('a suppression that is %s leaves %i finding', async (status, findings) => {
    const body = changed('sarif/semgrep.sarif', (log) => {
      log.runs[0].results.length = 1;
      log.runs[0].results[0].suppressions = [{ kind: 'external', status }];
    });
    expect((await parseText(body)).findings).toHaveLength(findings);
  });

  it('follows kind, level and baseline', async () => {
    const withResult = (changes: object) =>
      changed('sarif/semgrep.sarif', (log) => {
        log.runs[0].results = [{ ...log.runs[0].results[0], ...changes }];
      });
    for (const kind of ['pass', 'open', 'review', 'informational', 'notApplicable']) {
      expect((await parseText(withResult({ kind, level: 'none' }))).findings).toEqual([]);
    }
    expect((await parseText(withResult({ level: 'none' }))).findings).toEqual([]);
    expect((await parseText(withResult({ level: 'note' }))).findings[0]?.severity).toBe('minor');
    expect((await parseText(withResult({ baselineState: 'unchanged' }))).findings).toHaveLength(1);
    const gone = await parseText(withResult({ baselineState: 'absent' }));
    expect(gone.findings).toEqual([]);
    const before = await parseText(withResult({}));
    expect(verdicts(before, gone)).toEqual({ 'loose-equality': 'pass' });
    expect(verdicts(before, await parseText(withResult({ kind: 'review', level: 'none' })))).toEqual({
      'loose-equality': 'inconclusive',
    });
  });

  it('takes the level of the rule where the result has none, and the security score before it', async () => {
    expect(severities(await parseFixture('sarif/semgrep.sarif'))).toEqual({
      'loose-equality': 'moderate',
      'no-debugger': 'serious',
    });
    const scored = changed('sarif/semgrep.sarif', (log) => {
      log.runs[0].tool.driver.rules[0].properties['security-severity'] = '9.8';
    });
    expect(severities(await parseText(scored))['loose-equality']).toBe('critical');
  });

  it('lines that move and folders of the machine change no fingerprint', async () => {
    for (const fixture of [eslint, 'sarif/semgrep.sarif']) {
      const moved = changed(fixture, (log) => {
        for (const result of log.runs[0].results) {
          const { region } = result.locations[0].physicalLocation;
          region.startLine += 40;
          region.endLine += 40;
        }
        log.runs[0].results.reverse();
      }).replaceAll('file:///home/runner/work/shop/shop/', 'file:///__w/shop/shop/');
      expect(fingerprints(await parseText(moved))).toEqual(fingerprints(await parseFixture(fixture)));
    }
  });

  it('trusts fingerprints that are fingerprints', async () => {
    const print = (value: string, text: string) =>
      changed('sarif/semgrep.sarif', (log) => {
        log.runs[0].results.length = 1;
        log.runs[0].results[0].fingerprints = { 'matchBasedId/v1': value };
        log.runs[0].results[0].locations[0].physicalLocation.region.snippet.text = text;
      });
    const place = async (value: string, text: string) =>
      (await parseText(print(value, text))).findings[0]?.occurrences[0]?.element;
    expect(await place('9f86d081884c7d65_0', 'a == b')).toBe(await place('9f86d081884c7d65_0', 'a  ==  b;'));
    expect(await place('requires login', 'a == b')).not.toBe(await place('requires login', 'c == d'));
  });

  it('proves absence only in files that the log names, by a run that succeeded', async () => {
    const before = await parseFixture(eslint);
    const clean = (change: (run: Loose) => void) =>
      changed(eslint, (log) => {
        log.runs[0].results = [];
        change(log.runs[0]);
      });
    expect(new Set(Object.values(verdicts(before, await parseText(clean(() => undefined)))))).toEqual(
      new Set(['pass']),
    );
    const unnamed = await parseText(clean((run) => run.artifacts.splice(0, 1)));
    expect(verdicts(before, unnamed)).toMatchObject({ eqeqeq: 'inconclusive' });
    const failed = await parseText(
      clean((run) => Object.assign(run, { invocations: [{ executionSuccessful: false }] })),
    );
    expect(verdicts(before, failed)).toMatchObject({ eqeqeq: 'inconclusive' });
    const unlisted = await parseText(clean((run) => delete run.results));
    expect(verdicts(before, unlisted)).toMatchObject({ eqeqeq: 'inconclusive' });
    const other = await parseText(clean((run) => Object.assign(run.tool.driver, { name: 'Another linter' })));
    expect(verdicts(before, other)).toMatchObject({ eqeqeq: 'inconclusive' });
  });

  it('reads pages as pages', async () => {
    const report = await parseFixture('sarif/axe.sarif');
    const rules = coverageOf(report, page)?.rules;
    expect([rules?.get('html-has-lang'), rules?.get('video-caption')]).toEqual(['ran', 'ran']);
    const label = report.findings.find(({ rule }) => rule === 'label');
    expect(label?.details.kind).toBe('accessibility');
    expect(label?.occurrences[0]?.element).toBe('.sc-* | input[name="coupon"][type="text"]');
  });

  it('is refused in another version', async () => {
    const error = await refusalOf(readFixture(eslint).replace('"2.1.0"', '"2.0.0"'));
    expect([error.code, error.message]).toEqual(['invalid_report', expect.stringContaining('"2.0.0"')]);
  });
});

describe('I1 CTRF and Playwright', () => {
  it('Playwright tells the same in JSON, JUnit and CTRF', async () => {
    const json = await parseFixture('playwright/report.json');
    const junit = await parseFixture('junit/playwright-projects.xml');
    const ctrf = await parseFixture('ctrf/playwright.json');
    expect(fingerprints(junit)).toEqual(fingerprints(json));
    // Its CTRF reporter takes a test that should have failed for passed.
    const surprises = json.findings.filter(({ rule }) => rule.endsWith('is expected to fail but passes'));
    expect(surprises).toHaveLength(1);
    const rest = { ...json, findings: json.findings.filter((finding) => !surprises.includes(finding)) };
    expect(fingerprints(ctrf)).toEqual(fingerprints(rest));
  });

  it.each(['playwright/report.json', 'ctrf/playwright.json'])('%s: outcomes by project', async (fixture) => {
    expect(outcomes(await parseFixture(fixture))).toMatchObject({
      'cart.spec.ts › Cart › adds an item': 'chromium passed, mobile passed',
      'cart.spec.ts › Cart › rounds to the cent': 'chromium failed, mobile failed',
      'cart.spec.ts › Cart › discount › loads rates': 'chromium flaky, mobile flaky',
      'cart.spec.ts › Cart › discount › remembers visits': 'chromium skipped, mobile skipped',
      'cart.spec.ts › Cart › discount › is known to fail': 'chromium passed, mobile passed',
      'login.spec.ts › only on mobile fails': 'chromium passed, mobile failed',
      'login.spec.ts › broken hook › neither': 'chromium skipped, mobile skipped',
    });
  });

  it('keep message, stack and the files left behind', async () => {
    for (const fixture of ['playwright/report.json', 'ctrf/playwright.json']) {
      const { findings } = await parseFixture(fixture);
      const finding = findings.find(({ rule }) => rule.endsWith('rounds to the cent'));
      expect(finding?.details).toMatchObject({
        kind: 'test',
        message: expect.stringContaining('1.91'),
        stack: expect.stringContaining('cart.spec.ts:4:125'),
      });
      expect(JSON.stringify(finding)).not.toContain('\\u001b');
      expect(finding?.occurrences[0]?.details.attachments).toContainEqual({
        name: 'screenshot',
        contentType: 'image/png',
        path: expect.stringMatching(/test-failed-1\.png$/),
      });
    }
  });

  it('a Playwright run that could not load its tests proves nothing', async () => {
    const report = await parseFixture('playwright/load-error.json');
    expect(report.findings).toEqual([]);
    expect(outcomes(report)).toEqual({});
  });

  it('Jest and mocha give their tests the same names in CTRF and JUnit', async () => {
    for (const [ctrf, junit] of [
      ['ctrf/jest.json', 'junit/jest-junit-retries.xml'],
      ['ctrf/mocha.json', 'junit/mocha-junit-reporter.xml'],
    ] as const) {
      expect(names(await parseFixture(junit))).toEqual(names(await parseFixture(ctrf)));
    }
    expect(outcomes(await parseFixture('ctrf/jest.json'))).toEqual({
      'Cart adds an item': 'passed',
      'Cart totals rounds to the cent': 'failed',
      'Cart remembers visits': 'skipped',
      'Cart keeps order': 'skipped',
      'Rates loads rates': 'flaky',
    });
  });

  it('a test that fell with its hook in mocha is that test', async () => {
    expect(outcomes(await parseFixture('ctrf/mocha.json'))).toMatchObject({ 'Checkout never runs': 'failed' });
  });

  it('take suites as a list, and times in seconds', async () => {
    const body = changed('ctrf/jest.json', (report) => {
      for (const test of report.results.tests) test.suite = test.suite.split(' > ');
      report.results.summary.start = 1_795_398_307;
    });
    const report = await parseText(body);
    expect(names(report)).toEqual(['Cart totals rounds to the cent']);
    expect(report.startedAt?.toISOString()).toBe('2026-11-23T01:45:07.000Z');
  });
});

describe('I2 retries', () => {
  it.each([
    ['junit/surefire-reruns.xml', 'shop.CartTest › loadsRates', 'flaky'],
    ['junit/surefire-reruns.xml', 'shop.CartTest › roundsToTheCent', 'failed'],
    ['junit/pytest-reruns.xml', 'test_cart › test_flaky', 'passed'],
    ['ctrf/mocha.json', 'Cart loads rates', 'flaky'],
    ['ctrf/jest.json', 'Rates loads rates', 'flaky'],
  ])('%s: %s is %s', async (fixture, name, expected) => {
    const report = await parseFixture(fixture);
    expect(outcomes(report)[name]).toBe(expected);
    expect(names(report).includes(name)).toBe(expected === 'failed');
  });

  it("Vitest's JUnit names the machine where Playwright's names the project", async () => {
    const report = await parseFixture('junit/vitest.xml');
    expect(report.findings[0]?.occurrences).toMatchObject([{ page: 'cart.test.mjs', element: null }]);
  });
});
