// Reports as CI jobs send them: through HTTP into a whole Recheck.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { hostileFiles } from './hostile-files';
import { formType, hostileForms, inForm } from './hostile-forms';
import { fixture, readFixture } from './support';

const page = 'https://shop.example/orders?page=1';
// biome-ignore lint/suspicious/noExplicitAny: fixtures are changed here as whatever they are
type Loose = any;
type Counts = { new: number; seen: number; regressed: number; absent: number };

let stack: Stack;
let sources = 0;
beforeAll(async () => {
  stack = await startStack({ worker: false });
}, 120_000);
afterAll(async () => await stack?.stop());

async function source(grouping = 'rule'): Promise<string> {
  sources += 1;
  const key = `intake-${sources}`;
  await must(stack.api('POST', '/api/v1/sources', { key, name: key, kind: 'site', rule: { grouping } }));
  return key;
}

type Options = { key?: string; query?: Record<string, string>; headers?: Record<string, string> };
const send = (to: string, body: Buffer | string, { key = randomUUID(), query = {}, headers = {} }: Options = {}) =>
  stack.api('POST', `/api/v1/sources/${to}/reports?${new URLSearchParams(query)}`, Buffer.from(body as string), {
    'idempotency-key': key,
    ...headers,
  });

async function findings(
  of: string,
): Promise<{ rule: string; severity: string; status: string; fingerprint: string }[]> {
  return (await must(stack.api('GET', `/api/v1/findings?source=${of}&limit=200`))).items;
}

const changed = (name: string, change: (report: Loose) => void): string => {
  const report = JSON.parse(readFixture(name)) as Loose;
  change(report);
  return JSON.stringify(report);
};

describe('I1 reports of every format', () => {
  it.each([
    ['axe/v1.json', 'axe-core', 5],
    ['axe/v2.json', 'axe-core', 5],
    ['axe/raw.json', 'axe-core', 5],
    ['axe/raw-env.json', 'axe-core', 5],
    ['axe/no-passes.json', 'axe-core', 5],
    ['axe/cli.json', 'axe-core', 5],
    ['pa11y/axe.json', 'pa11y', 4],
    ['pa11y/htmlcs.json', 'pa11y', 5],
    ['pa11y/ci.json', 'pa11y-ci', 9],
    ['lighthouse/report.json', 'lighthouse', 5],
    ['sarif/eslint.sarif', 'sarif', 4],
    ['sarif/semgrep.sarif', 'sarif', 2],
    ['sarif/axe.sarif', 'sarif', 5],
    ['ctrf/jest.json', 'ctrf', 1],
    ['ctrf/mocha.json', 'ctrf', 2],
    ['ctrf/playwright.json', 'ctrf', 4],
    ['playwright/report.json', 'playwright', 5],
    ['junit/jest.xml', 'junit', 3],
    ['junit/jest-junit-retries.xml', 'junit', 1],
    ['junit/pytest-reruns.xml', 'junit', 2],
    ['junit/playwright-projects.xml', 'junit', 5],
    ['junit/surefire-reruns.xml', 'junit', 2],
    ['junit/mocha-junit-reporter.xml', 'junit', 2],
    ['junit/mocha-xunit.xml', 'junit', 2],
    ['junit/cypress.xml', 'junit', 1],
  ])('I1 %s is taken as %s, once for one upload key', async (name, format, count) => {
    const to = await source();
    const key = randomUUID();
    const first = await send(to, readFixture(name), { key });
    expect(first).toMatchObject({ status: 201, body: { format, findings: { new: count } } });
    expect(await send(to, readFixture(name), { key })).toEqual({ status: 200, body: first.body });
    expect((await send(to, '{}', { key })).status).toBe(409);
    expect(await findings(to)).toHaveLength(count);
  });

  it('I1 the page, where the file names none, is said with the upload', async () => {
    const to = await source('page');
    await must(send(to, readFixture('axe/v2.json')));
    const again = await must(send(to, readFixture('pa11y/axe.json'), { query: { page } }));
    expect(again.findings).toMatchObject({ new: 0, seen: 4 });
    const wrong = await send(to, readFixture('pa11y/axe.json'), { query: { page: 'orders' } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: expect.stringContaining('page') }] } });
  });
});

/** A run an hour ago and one now, as the format tells the time. */
type Run = { body: string; query?: Record<string, string> };
const earlier = () => ({ startedAt: new Date(Date.now() - 3_600_000).toISOString() });

describe('I1 absence proves only what was looked at', () => {
  async function absentAfter(before: Run, after: Run): Promise<string[]> {
    const to = await source();
    await must(send(to, before.body, { query: { ...earlier(), ...before.query } }));
    const { absent } = (await must(send(to, after.body, { query: after.query ?? {} }))).findings as Counts;
    const gone = (await findings(to)).filter(({ status }) => status === 'resolved').map(({ rule }) => rule);
    expect(gone).toHaveLength(absent);
    return gone.sort();
  }

  it('axe-core: rules that ran on that page', async () => {
    const report = (change: (result: Loose) => void, minutes: number) =>
      changed('axe/v2.json', (result) => {
        result.timestamp = new Date(Date.now() - minutes * 60_000).toISOString();
        change(result);
      });
    const before = { body: report(() => undefined, 60) };
    const fixed = (result: Loose) => {
      const [first, second] = result.violations.splice(0, 2);
      result.passes.push(first);
      result.incomplete.push(second);
    };
    expect(await absentAfter(before, { body: report(fixed, 1) })).toEqual(['button-name']);
    const elsewhere = (result: Loose) => {
      fixed(result);
      result.url = 'https://shop.example/cart';
    };
    expect(await absentAfter(before, { body: report(elsewhere, 1) })).toEqual([]);
    const nameless = readFixture('axe/raw.json').replaceAll('"violations":[{', '"violations":[],"others":[{');
    expect(await absentAfter(before, { body: nameless })).toEqual([]);
  });

  it('pa11y-ci: the same page, runner and standard', async () => {
    const before = { body: readFixture('pa11y/ci.json') };
    const only = (rule: string) =>
      changed('pa11y/ci.json', (report) => {
        report.results[page] = report.results[page].filter(({ code }: { code: string }) => code === rule);
      });
    expect(await absentAfter(before, { body: only('label') })).toEqual(['button-name', 'image-alt', 'link-name']);
    const clean = changed('pa11y/ci.json', (report) => {
      report.results[page] = [];
    });
    expect(await absentAfter(before, { body: clean })).toEqual([]);
    const said = { runner: 'axe,htmlcs', standard: 'WCAG2AA' };
    expect(await absentAfter(before, { body: clean, query: said })).toHaveLength(9);
    expect(await absentAfter(before, { body: clean, query: { ...said, standard: 'WCAG2A' } })).toHaveLength(4);
  });

  it('Lighthouse: audits that passed on the page that was shown', async () => {
    const report = (change: (report: Loose) => void, minutes: number) =>
      changed('lighthouse/report.json', (each) => {
        each.fetchTime = new Date(Date.now() - minutes * 60_000).toISOString();
        change(each);
      });
    const before = { body: report(() => undefined, 60) };
    const passed = (each: Loose) => {
      each.audits['image-alt'].score = 1;
      Object.assign(each.audits.label, { score: null, scoreDisplayMode: 'error' });
    };
    expect(await absentAfter(before, { body: report(passed, 1) })).toEqual(['image-alt']);
    const moved = (each: Loose) => {
      passed(each);
      each.finalDisplayedUrl = 'https://shop.example/login';
    };
    expect(await absentAfter(before, { body: report(moved, 1) })).toEqual([]);
  });

  it('SARIF: files that the log names, what is suppressed aside', async () => {
    const before = { body: readFixture('sarif/eslint.sarif') };
    const later = (change: (run: Loose) => void) => ({
      body: changed('sarif/eslint.sarif', (log) => {
        change(log.runs[0]);
      }),
    });
    const fixed = (run: Loose) => {
      run.results = run.results.filter(({ ruleId }: { ruleId: string }) => ruleId !== 'eqeqeq');
    };
    expect(await absentAfter(before, later(fixed))).toEqual(['eqeqeq']);
    const suppressed = (run: Loose) => {
      for (const result of run.results) result.suppressions = [{ kind: 'inSource' }];
    };
    expect(await absentAfter(before, later(suppressed))).toEqual([]);
    const unnamed = (run: Loose) => Object.assign(run, { results: [], artifacts: [] });
    expect(await absentAfter(before, later(unnamed))).toEqual([]);
  });

  it.each([
    ['passed', {}, 1],
    ['passed', { flaky: true, retries: 2 }, 1],
    ['skipped', {}, 0],
    ['pending', {}, 0],
    ['other', {}, 0],
  ])('CTRF: a test that %s (%j) proves %i finding gone', async (status, more, gone) => {
    const report = (change: (test: Loose) => void, minutes: number) =>
      changed('ctrf/jest.json', ({ results }) => {
        results.summary.start = Date.now() - minutes * 60_000;
        change(results.tests.find((test: Loose) => test.status === 'failed'));
      });
    const after = report((test) => Object.assign(test, { retries: 0, ...more, status }), 1);
    expect(await absentAfter({ body: report(() => undefined, 60) }, { body: after })).toHaveLength(gone);
  });

  it.each([
    ['expected', 1],
    ['flaky', 1],
    ['skipped', 0],
  ])('Playwright: a test whose status is %s in every project proves %i finding gone', async (status, gone) => {
    const report = (change: (spec: Loose) => void, minutes: number) =>
      changed('playwright/report.json', (each) => {
        each.stats.startTime = new Date(Date.now() - minutes * 60_000).toISOString();
        change(each.suites[0].suites[0].specs[1]);
      });
    const after = report((spec) => {
      for (const test of spec.tests) test.status = status;
    }, 1);
    const rules = await absentAfter({ body: report(() => undefined, 60) }, { body: after });
    expect(rules).toEqual(gone ? ['cart.spec.ts › Cart › rounds to the cent'] : []);
  });
});

describe('I2 the same findings in every shape', () => {
  it.each(['rule', 'page', 'element'])('I2 axe-core, grouped by %s', async (grouping) => {
    const prints = async (name: string) => {
      const to = await source(grouping);
      await must(send(to, readFixture(`axe/${name}.json`), { query: { page } }));
      return (await findings(to)).map(({ fingerprint }) => fingerprint).sort();
    };
    const v2 = await prints('v2');
    expect(v2.length).toBeGreaterThanOrEqual(5);
    for (const shape of ['v1', 'raw', 'raw-env', 'no-passes', 'cli', 'v2-rebuilt']) {
      expect([shape, await prints(shape)]).toEqual([shape, v2]);
    }
  });

  it("I2 pa11y's axe runner and Lighthouse see axe's findings again", async () => {
    const to = await source('page');
    await must(send(to, readFixture('axe/v2.json')));
    for (const [name, seen, fresh] of [
      ['pa11y/ci.json', 4, 5],
      ['lighthouse/report.json', 4, 1],
    ] as const) {
      const { findings: counts } = await must(send(to, readFixture(name)));
      expect([name, counts.seen, counts.new]).toEqual([name, seen, fresh]);
    }
  });

  it.each(['sarif/eslint.sarif', 'sarif/semgrep.sarif', 'junit/pytest.xml', 'junit/playwright-projects.xml'])(
    'I2 %s: lines that moved, and another order, change no fingerprint',
    async (name) => {
      const to = await source('element');
      const first = await must(send(to, readFixture(name)));
      const moved = name.endsWith('.xml')
        ? readFixture(name).replace(/(\bline="|:)(\d+)(?=[":])/g, (_, before, line) => `${before}${Number(line) + 40}`)
        : changed(name, (log) => {
            for (const { locations } of log.runs[0].results.reverse()) {
              locations[0].physicalLocation.region.startLine += 40;
            }
          });
      expect(moved).not.toBe(readFixture(name));
      const { findings: counts } = await must(send(to, moved));
      expect(counts).toMatchObject({ new: 0, seen: first.findings.new });
    },
  );

  it('I2 a retry that passed is no failure', async () => {
    for (const [name, flaky] of [
      ['junit/surefire-reruns.xml', 'shop.CartTest › loadsRates'],
      ['ctrf/mocha.json', 'Cart loads rates'],
      ['ctrf/playwright.json', 'cart.spec.ts › Cart › discount › loads rates'],
      ['playwright/report.json', 'cart.spec.ts › Cart › discount › loads rates'],
    ] as const) {
      const to = await source();
      expect(readFixture(name)).toContain(flaky.split(' › ').at(-1));
      await must(send(to, readFixture(name)));
      const rules = (await findings(to)).map(({ rule }) => rule);
      expect(rules.length).toBeGreaterThan(0);
      expect(rules).not.toContain(flaky);
    }
  });
});

describe('I3 hostile and broken files', () => {
  const counted = async (): Promise<unknown> => {
    const { rows } = await stack.db.query(
      `select (select count(*) from report) as reports, (select count(*) from finding) as findings,
        (select count(*) from occurrence) as occurrences, (select count(*) from audit_event) as events,
        (select count(*) from evidence) as evidence, (select count(*) from finding_evidence) as shown,
        (select sum(finding_number) from organisation) as numbers`,
    );
    return rows[0];
  };

  type Hostile = { what: string; body: Buffer; gzip?: boolean; contentType?: string };

  /** Sends them all: each ends in a 4xx that `explains`, writes no row, and leaves the server alive. */
  async function expectRefused(files: readonly Hostile[], explains: RegExp): Promise<void> {
    const to = await source();
    await must(send(to, readFileSync(fixture('axe/v2.json'))));
    const before = await counted();
    expect(files.length).toBeGreaterThan(200);
    const wrong: unknown[] = [];
    const queue = files.entries();
    const worker = async (): Promise<void> => {
      for (const [, { what, body, gzip, contentType }] of queue) {
        const headers = {
          ...(gzip ? { 'content-encoding': 'gzip' } : {}),
          ...(contentType ? { 'content-type': contentType } : {}),
        };
        const { status, body: problem } = await send(to, body, { headers });
        const refused = status >= 400 && status < 500 && /^\w+$/.test(problem?.code) && !/^rate_/.test(problem?.code);
        if (!refused || !explains.test(problem?.detail ?? '')) wrong.push([what, status, problem]);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    expect(wrong).toEqual([]);
    expect(await counted()).toEqual(before);
    expect((await fetch(`${stack.local.baseUrl}/readyz`)).ok).toBe(true);
    const after = await must(send(to, readFixture('axe/v2.json')));
    expect(after.findings).toMatchObject({ new: 0, seen: 5 });
  }

  it('I3 each ends in a 4xx with a cause, writes no row, and leaves the server alive', async () => {
    await expectRefused(hostileFiles(), /^The .{15,}[.>)]$/s);
  }, 600_000);

  it('I3 each is refused in a form with a picture too', async () => {
    const plain = hostileFiles().filter(({ body, gzip }) => !gzip && body.length < 1_000_000);
    const forms = plain.map(({ what, body }) => ({ what, body: inForm(body), contentType: formType }));
    await expectRefused(forms, /^["A-Z].{15,}[.>)]$/s);
  }, 600_000);

  it('I3 a form that is hostile itself, whatever report is in it', async () => {
    await expectRefused(hostileForms(), /^["A-Z].{10,}[.)] \S.+[.)]$/s);
  }, 600_000);
});
