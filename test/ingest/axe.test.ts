import { fingerprints, parseFixture, parseText, readFixture } from './support';

const page = 'https://shop.example/orders?page=1';
const shapes = ['v1', 'v2', 'raw', 'raw-env', 'no-passes', 'cli'];

describe('axe-core reports', () => {
  it.each(shapes)('the %s shape gives the same findings as v2', async (shape) => {
    const v2 = await parseFixture('axe/v2.json');
    const report = await parseFixture(`axe/${shape}.json`, { page });
    expect(report.format).toBe('axe-core');
    expect(fingerprints(report)).toEqual(fingerprints(v2));
    const told = (findings: typeof v2.findings) =>
      findings.map(({ details: { engine, ...details }, ...finding }) => ({ ...finding, details }));
    expect(told(report.findings)).toEqual(told(v2.findings));
  });

  it('a rebuilt page in another session gives the same fingerprints', async () => {
    const before = await parseFixture('axe/v2.json');
    const after = await parseFixture('axe/v2-rebuilt.json');
    expect(fingerprints(after)).toEqual(fingerprints(before));
  });

  it('the order of rules, elements and properties does not matter', async () => {
    const before = await parseFixture('axe/v2.json');
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed).reverse();
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).map(
        ([key, inner]) => [key, key === 'target' || key === 'selector' ? inner : reversed(inner)] as const,
      );
      return Object.fromEntries(entries.reverse());
    };
    for (const shape of shapes) {
      const turned = JSON.stringify(reversed(JSON.parse(readFixture(`axe/${shape}.json`))));
      expect(fingerprints(await parseText(turned, { page }))).toEqual(fingerprints(before));
    }
  });

  it('says what is wrong, how bad it is, and how to mend it', async () => {
    const report = await parseFixture('axe/v2.json');
    const label = report.findings.find((finding) => finding.rule === 'label');
    expect(label).toMatchObject({
      title: 'Form elements must have labels',
      severity: 'critical',
      details: {
        kind: 'accessibility',
        helpUrl: expect.stringContaining('https://dequeuniversity.com/rules/axe/'),
        tags: expect.arrayContaining(['wcag2a', 'wcag412']),
        wcag: expect.arrayContaining(['WCAG 2.0 A', 'WCAG 4.1.2']),
        howToFix: expect.stringContaining('Fix any of the following:'),
        engine: 'axe-core 4.14.1',
      },
    });
    const shadow = label?.occurrences.find(({ details }) => String(details.selector).startsWith('#host >> '));
    expect(shadow).toMatchObject({
      page,
      details: {
        snippet: '<input type="checkbox" name="newsletter">',
        failureSummary: expect.stringContaining('label'),
      },
    });
    const frame = report.findings
      .flatMap(({ occurrences }) => occurrences)
      .find(({ element }) => element?.includes('>>>'));
    expect(frame?.element).toBe('iframe >>> img | img[src="/img/ad.png"]');
  });

  it('knows when the run began, from the file before the caller', async () => {
    const startedAt = new Date('2026-01-02T03:04:05Z');
    const v2 = await parseFixture('axe/v2.json', { startedAt });
    const written = JSON.parse(readFixture('axe/v2.json')) as { timestamp: string };
    expect(v2.startedAt?.toISOString()).toBe(written.timestamp);
    expect((await parseFixture('axe/raw.json', { startedAt })).startedAt).toEqual(startedAt);
    expect((await parseFixture('axe/raw.json')).startedAt).toBeNull();
  });

  it('is read the same however the bytes arrive', async () => {
    const whole = await parseFixture('axe/raw.json', { page });
    expect(await parseText(readFixture('axe/raw.json'), { page, size: 7 })).toEqual(whole);
  });
});

describe('coverage of axe-core reports', () => {
  type Shape = { [key: string]: unknown };
  const rule = (id: string, nodes = 1) => ({
    id,
    impact: 'minor',
    tags: ['wcag2a'],
    help: id,
    helpUrl: 'https://example.com',
    nodes: Array.from({ length: nodes }, (_, index) => ({
      any: [],
      all: [],
      none: [],
      impact: 'minor',
      html: `<p id="${index}">`,
      target: [`#p${index}`],
    })),
  });
  const result = (changes: Shape): Shape => ({
    testEngine: { name: 'axe-core', version: '4.14.1' },
    timestamp: '2026-11-20T08:00:00.000Z',
    url: 'https://shop.example/',
    violations: [],
    passes: [],
    incomplete: [],
    inapplicable: [],
    ...changes,
  });
  async function coverageOf(...pages: Shape[]) {
    const { coverage } = await parseText(JSON.stringify(pages.length === 1 ? pages[0] : pages));
    if (coverage.kind !== 'pages') throw new Error('no pages');
    return coverage.pages;
  }

  it('names the rules that ran and those that could not decide', async () => {
    const pages = await coverageOf(
      result({
        violations: [rule('list')],
        passes: [rule('label'), rule('region')],
        incomplete: [rule('region')],
        inapplicable: [rule('video-caption', 0)],
      }),
    );
    expect([...(pages.get('https://shop.example')?.rules ?? [])].sort()).toEqual([
      ['label', 'ran'],
      ['list', 'ran'],
      ['region', 'inconclusive'],
      ['video-caption', 'ran'],
    ]);
    expect(pages.get('https://shop.example')?.unlisted).toBe('inconclusive');
  });

  it('takes every rule for run where the reporter leaves passes out, but not in a limited run', async () => {
    const { passes, incomplete, inapplicable, ...noPasses } = result({ violations: [rule('list')] });
    expect((await coverageOf(noPasses)).get('https://shop.example')?.unlisted).toBe('ran');
    const limited = { ...noPasses, toolOptions: { runOnly: { type: 'rule', values: ['list'] } } };
    expect((await coverageOf(limited)).get('https://shop.example')?.unlisted).toBe('inconclusive');
    const off = { ...noPasses, toolOptions: { rules: { region: { enabled: false } } } };
    expect((await coverageOf(off)).get('https://shop.example')?.rules.get('region')).toBe('inconclusive');
  });

  it('proves nothing about a page that ended in an error', async () => {
    const pages = await coverageOf(result({ error: 'net::ERR_ABORTED', passes: [rule('label')] }));
    expect(pages.get('https://shop.example')).toMatchObject({ unlisted: 'inconclusive' });
    expect(pages.get('https://shop.example')?.rules.get('label')).toBe('inconclusive');
  });

  it('takes the least of two visits of one page, and keeps pages apart', async () => {
    const pages = await coverageOf(
      result({ passes: [rule('label')] }),
      result({ url: 'https://shop.example/?utm_source=x', incomplete: [rule('label')] }),
      result({ url: 'https://shop.example/cart', passes: [rule('label')] }),
    );
    expect([...pages.keys()]).toEqual(['https://shop.example', 'https://shop.example/cart']);
    expect(pages.get('https://shop.example')?.rules.get('label')).toBe('inconclusive');
    expect(pages.get('https://shop.example/cart')?.rules.get('label')).toBe('ran');
  });

  it('proves nothing where nobody says which page it was', async () => {
    const { coverage } = await parseFixture('axe/raw.json');
    expect(coverage).toEqual({ kind: 'pages', pages: new Map() });
  });

  it('refuses results without a list of violations: they would prove everything absent', async () => {
    const { violations, ...rest } = result({});
    for (const body of [rest, { ...rest, violations: null }]) {
      await expect(parseText(JSON.stringify(body))).rejects.toMatchObject({ code: 'invalid_report' });
    }
  });

  it('counts elements that share a place, and makes one finding of a rule on two pages', async () => {
    const violation = {
      ...rule('list'),
      nodes: [1, 2, 3].map((at) => ({ ...rule('list').nodes[0], target: [`li:nth-child(${at})`], html: '<li>' })),
    };
    const { findings } = await parseText(
      JSON.stringify([
        result({ violations: [violation] }),
        result({ url: 'https://shop.example/cart', violations: [violation] }),
      ]),
    );
    expect(findings).toHaveLength(1);
    expect(findings[0]?.occurrences.map(({ page: at, details }) => [at, details.count])).toEqual([
      ['https://shop.example', 3],
      ['https://shop.example/cart', 3],
    ]);
  });

  it('takes the gravest impact of the elements', async () => {
    const graver = {
      ...rule('list'),
      impact: null,
      nodes: [
        { ...rule('list').nodes[0], impact: 'minor' },
        { ...rule('list').nodes[0], impact: 'critical', target: ['#x'] },
      ],
    };
    const { findings } = await parseText(JSON.stringify(result({ violations: [graver] })));
    expect(findings[0]?.severity).toBe('critical');
  });
});
