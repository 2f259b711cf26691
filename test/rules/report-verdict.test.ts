import type { Coverage, ParsedFinding, TestOutcome } from '../../workflows/rules/report-verdict';
import { reportEvidence, reportVerdict, undecidedPlace } from '../../workflows/rules/report-verdict';
import type { Grouping } from '../../workflows/rules/vocabulary';

type Place = { page: string | null; element: string | null; runner?: string | null };
const cart: Place = { page: '/cart', element: '#mail' };
const home: Place = { page: '/', element: '#mail' };

function found(rule: string, ...places: Place[]): ParsedFinding {
  const occurrences = places.map((place) => ({ ...place, details: {} }));
  return { rule, title: rule, severity: 'serious', details: {}, occurrences };
}

function pages(
  rules: Record<string, Record<string, 'ran' | 'inconclusive'>>,
  unlisted: 'ran' | 'inconclusive' = 'inconclusive',
): Coverage {
  const entries = Object.entries(rules).map(
    ([page, ran]) => [page, { rules: new Map(Object.entries(ran)), unlisted }] as const,
  );
  return { kind: 'pages', pages: new Map(entries) };
}

function tests(...executions: [file: string | null, outcome: TestOutcome, project?: string][]): Coverage {
  const list = executions.map(([file, outcome, project]) => ({ file, outcome, project: project ?? null }));
  return { kind: 'tests', tests: new Map([['adds', list]]) };
}

function verdict(
  coverage: Coverage,
  options: {
    rule?: string;
    grouping?: Grouping;
    at?: Place[];
    findings?: ParsedFinding[];
    scope?: 'full' | 'partial';
  } = {},
) {
  const { rule = 'label', grouping = 'rule', at = [cart], findings = [], scope = 'full' } = options;
  return reportVerdict({ rule, grouping, occurrences: at }, reportEvidence({ coverage, findings, scope }));
}

describe('reportVerdict of a scan', () => {
  const ran = { label: 'ran' } as const;
  const unlistedFor = (...runners: string[]): Coverage => ({
    kind: 'pages',
    pages: new Map([['/cart', { rules: new Map(), unlisted: 'ran', runners: new Set(runners) }]]),
  });

  it('where passes are left out, speaks only for what the same runner had seen', () => {
    const by = (runner: string | null) => [{ ...cart, runner }];
    const coverage = unlistedFor('pa11y htmlcs WCAG2AA error');
    expect(verdict(coverage, { at: by('pa11y htmlcs WCAG2AA error') })).toBe('pass');
    expect(verdict(coverage, { at: by('pa11y htmlcs WCAG2A error') })).toBe('inconclusive');
    expect(verdict(coverage, { at: by('pa11y axe error') })).toBe('inconclusive');
    expect(verdict(coverage, { at: by(null) })).toBe('inconclusive');
    expect(verdict(unlistedFor('axe-core'), { at: by(null) })).toBe('pass');
    expect(verdict(unlistedFor(), { at: by('pa11y axe error') })).toBe('inconclusive');
  });

  it('proves nothing about a place that is suppressed, and all about its neighbours', () => {
    const coverage = unlistedFor('axe-core');
    if (coverage.kind !== 'pages') throw new Error('no pages');
    const page = coverage.pages.get('/cart');
    coverage.pages.set('/cart', {
      unlisted: 'ran',
      rules: page?.rules ?? new Map(),
      undecided: new Set([undecidedPlace('label', '#mail')]),
    });
    expect(verdict(coverage)).toBe('inconclusive');
    expect(verdict(coverage, { at: [{ page: '/cart', element: '#name' }] })).toBe('pass');
    expect(verdict(coverage, { rule: 'list' })).toBe('pass');
  });

  it('passes where the rule ran on every page and found nothing', () => {
    expect(verdict(pages({ '/cart': ran }))).toBe('pass');
    expect(verdict(pages({ '/cart': ran, '/': ran }), { at: [cart, home] })).toBe('pass');
  });

  it.each([
    ['the page was not visited', pages({ '/': ran })],
    ['the rule did not run', pages({ '/cart': { list: 'ran' } })],
    ['the rule could not decide', pages({ '/cart': { label: 'inconclusive' } })],
    ['no page was visited', pages({})],
  ])('is inconclusive when %s', (_why, coverage) => {
    expect(verdict(coverage)).toBe('inconclusive');
  });

  it('is inconclusive while one of several pages was not looked at', () => {
    expect(verdict(pages({ '/cart': ran }), { at: [cart, home] })).toBe('inconclusive');
  });

  it('fails at the grain of the finding', () => {
    const coverage = pages({ '/cart': ran, '/': ran });
    const elsewhere = [found('label', home)];
    const nearby = [found('label', { page: '/cart', element: '#name' })];
    expect(verdict(coverage, { grouping: 'rule', findings: elsewhere })).toBe('fail');
    expect(verdict(coverage, { grouping: 'page', findings: elsewhere })).toBe('pass');
    expect(verdict(coverage, { grouping: 'page', findings: nearby })).toBe('fail');
    expect(verdict(coverage, { grouping: 'element', findings: nearby })).toBe('pass');
    expect(verdict(coverage, { grouping: 'element', findings: [found('label', cart)] })).toBe('fail');
    expect(verdict(coverage, { findings: [found('list', cart)] })).toBe('pass');
  });

  it('takes unlisted rules for run only where the tool leaves passes out', () => {
    expect(verdict(pages({ '/cart': {} }, 'ran'))).toBe('pass');
    expect(verdict(pages({ '/cart': { label: 'inconclusive' } }, 'ran'))).toBe('inconclusive');
  });

  it('proves nothing about a finding whose places are unknown', () => {
    expect(verdict(pages({ '/cart': ran }), { at: [] })).toBe('inconclusive');
  });
});

describe('reportVerdict of a test run', () => {
  const at = [{ page: 'cart.test.js', element: null }];
  const options = { rule: 'adds', at };

  it.each([
    ['passed', tests(['cart.test.js', 'passed']), 'pass'],
    ['passed in a retry', tests(['cart.test.js', 'flaky']), 'pass'],
    ['skipped', tests(['cart.test.js', 'skipped']), 'inconclusive'],
    ['not run', tests(), 'inconclusive'],
    [
      'passed in one of its files and failed in the other',
      tests(['cart.test.js', 'passed'], ['a.test.js', 'failed']),
      'pass',
    ],
    ['named without a file', tests([null, 'passed']), 'pass'],
  ] as const)('%s', (_what, coverage, expected) => {
    expect(verdict(coverage, options)).toBe(expected);
  });

  it('fails where the test is among the failures', () => {
    expect(
      verdict(tests(['a.test.js', 'failed']), {
        ...options,
        findings: [found('adds', { page: 'a.test.js', element: null })],
      }),
    ).toBe('fail');
  });

  it('follows a test to another file only in a full run', () => {
    const moved = tests(['shop/cart.test.js', 'passed']);
    expect(verdict(moved, { ...options, scope: 'full' })).toBe('pass');
    expect(verdict(moved, { ...options, scope: 'partial' })).toBe('inconclusive');
  });

  it('asks for the project in which the test had failed', () => {
    const firefox = { rule: 'adds', at: [{ page: 'cart.test.js', element: 'firefox' }] };
    expect(verdict(tests(['cart.test.js', 'passed', 'chromium']), firefox)).toBe('inconclusive');
    expect(verdict(tests(['cart.test.js', 'passed', 'chromium'], ['cart.test.js', 'passed', 'firefox']), firefox)).toBe(
      'pass',
    );
  });
});
