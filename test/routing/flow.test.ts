import { randomUUID } from 'node:crypto';
import { createSteps, junit } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createRouting } from './support';

const page = (name: string) => `https://shop.example/${name}`;
let stack: Stack;
let on: ReturnType<typeof createRouting>;
let steps: ReturnType<typeof createSteps>;

beforeAll(async () => {
  stack = await startStack();
  on = createRouting(stack);
  steps = createSteps(stack, { stories: 'flow' });
}, 120_000);
afterAll(() => stack?.stop());

describe('R1 grouping', () => {
  it.each([
    ['rule', 1],
    ['page', 2],
    ['element', 3],
  ])('by %s makes %i issues of three elements on two pages', async (grouping, count) => {
    const source = await on.source({ grouping });
    await on.scan(source, [
      { url: page('cart'), broken: { label: ['#one', '#two'] } },
      { url: page('help'), broken: { label: ['#three'] } },
    ]);
    expect(await on.pushed(source)).toHaveLength(count);
  });

  it('by rule: the issue lists the places and hears once per report as they come and go; each must pass', async () => {
    const source = await on.source({ grouping: 'rule' });
    await on.scan(source, [
      { url: page('cart'), broken: { label: ['#one'] } },
      { url: page('help'), broken: { label: ['#two'] } },
    ]);
    const [key = ''] = await on.pushed(source);
    const description = JSON.stringify((await on.issue(key)).fields.description);
    for (const part of ['Pages (2)', page('cart'), page('help'), '#one', '#two']) expect(description).toContain(part);
    const [{ id = '' } = {}] = await on.findings(source);
    const comments = async () =>
      (await on.issue(key)).fields.comment.comments.map((each: object) => JSON.stringify(each));

    const next = [
      { url: page('cart'), broken: {}, passed: ['label'] },
      { url: page('help'), broken: { label: ['#two', '#new'] } },
    ];
    await on.scan(source, next);
    await until(async () => (await comments()).length === 1, { seconds: 60, what: 'the news on the issue' });
    expect((await comments())[0]).toMatch(/1 new place, 1 place gone.*seen at 2 places now.*#new/);
    await on.scan(source, next);
    expect(await steps.count(id, 'places_changed')).toBe(1);

    await steps.move(key, 'Done');
    await steps.becomes(id, 'needs_rerun');
    const passed = (name: string) => ({ url: page(name), broken: {}, passed: ['label'] });
    await on.scan(source, [passed('cart')]);
    expect((await on.finding(id)).status).toBe('needs_rerun');
    await on.scan(source, [passed('cart'), passed('help')]);
    await steps.becomes(id, 'verified');
    await until(async () => (await comments()).some((each: string) => /Re-run passed/.test(each)), {
      seconds: 60,
      what: 'the proof on the issue',
    });
    expect((await comments()).filter((each: string) => /place/.test(each))).toHaveLength(1);
  }, 120_000);
});

describe('R1 another grouping for a source that has issues', () => {
  const count = async (label: string) => (await on.labelled(label)).length;
  const cart = (broken: { [rule: string]: string[] }) => ({ url: page('cart'), broken });

  it('R1 from rule to element: what is in Jira keeps its grain, so nothing gets a second issue', async () => {
    const label = `regroup-${randomUUID()}`;
    const source = await on.source({ grouping: 'rule', labels: [label] });
    await on.scan(source, [cart({ label: ['#one', '#two'], 'image-alt': ['#a', '#b'] })]);
    const linked = (await on.findings(source)).find(({ rule }) => rule === 'label')?.id ?? '';
    await on.pushed(source, [linked]);
    const saved = await must(on.rule(source, { grouping: 'element' }));
    expect(saved.warnings).toEqual([
      expect.stringMatching(/^1 finding that is in Jira keeps its grouping until closed/),
    ]);
    const next = [cart({ label: ['#one', '#two', '#three'], 'image-alt': ['#a', '#b'] })];
    await on.scan(source, next);
    const open = (await on.findings(source)).filter(({ status }) => status === 'open');
    expect(open.map(({ rule }) => rule)).toEqual(['image-alt', 'image-alt']);
    expect((await on.finding(linked)).occurrences).toHaveLength(3);
    expect(await on.pushed(source)).toHaveLength(3);
    expect(await count(label)).toBe(3);
    await on.scan(source, next);
    await on.pushed(source);
    expect(await count(label)).toBe(3);
  }, 120_000);

  it('R1 from element to rule: only what is in no issue makes a new one', async () => {
    const label = `regroup-${randomUUID()}`;
    const source = await on.source({ grouping: 'element', labels: [label] });
    await on.scan(source, [cart({ label: ['#one', '#two'] })]);
    await on.pushed(source);
    expect(await count(label)).toBe(2);
    const { warnings } = await must(on.rule(source, { grouping: 'rule' }));
    expect(warnings).toEqual([expect.stringMatching(/^2 findings that are in Jira keep their grouping/)]);
    await on.scan(source, [cart({ label: ['#one', '#two'] })]);
    expect(await on.pushed(source)).toHaveLength(2);
    expect(await count(label)).toBe(2);
    await on.scan(source, [cart({ label: ['#one', '#two', '#three', '#four'] })]);
    await on.pushed(source);
    expect(await count(label)).toBe(3);
  }, 120_000);

  it('R1 an issue whose finding has left the loop half-way keeps the places too', async () => {
    const source = await on.source({ grouping: 'rule' });
    await on.scan(source, [cart({ label: ['#one', '#two'] })]);
    await on.pushed(source);
    const [{ id = '' } = {}] = await on.findings(source);
    await steps.becomes(id, 'awaiting_fix');
    await stack.db.query(`update finding set in_loop = false, status = 'open' where number = $1`, [
      Number(id.slice(2)),
    ]);
    await must(on.rule(source, { grouping: 'element' }));
    await on.scan(source, [cart({ label: ['#one', '#two'] })]);
    expect(await on.findings(source)).toHaveLength(1);
  }, 120_000);

  it('R1 a suite hears that its tests are one finding each', async () => {
    const source = await on.source({}, 'suite');
    const { warnings } = await must(on.rule(source, { grouping: 'page' }));
    expect(warnings).toEqual([expect.stringMatching(/one finding each/)]);
  });
});

describe('V7 a later report of the source', () => {
  it('V7 seen again after it was verified: a regression, and the next push makes an issue of its own', async () => {
    const one = await steps.flagged();
    await steps.report(one.source, { passed: ['adds to the cart'] });
    await steps.becomes(one.id, 'verified');
    await until(
      async () => {
        await steps.report(one.source, { failed: ['adds to the cart'] });
        return (await on.finding(one.id)).status === 'open';
      },
      { seconds: 60, what: 'the regression' },
    );
    expect(await steps.count(one.id, 'regressed')).toBe(1);
    expect((await on.finding(one.id)).jira).toBeNull();
    const [key = ''] = await on.pushed(one.source, [one.id]);
    expect(key).not.toBe(one.key);
    expect(await on.pushed(one.source, [one.id])).toEqual([key]);
    expect((await on.issue(one.key)).fields.status.statusCategory.key).toBe('done');
  }, 120_000);

  it("V7 Won't Fix is respected: seen again it stays blocked, and no push makes a second issue", async () => {
    const one = await steps.pushed();
    await steps.move(one.key, 'Done', "Won't Do");
    await steps.becomes(one.id, 'blocked');
    await steps.report(one.source, { failed: ['adds to the cart'] });
    expect((await on.finding(one.id)).status).toBe('blocked');
    expect(await steps.count(one.id, 'regressed')).toBe(0);
    const push = await must(stack.api('POST', '/api/v1/pushes', { source: one.source, findings: [one.id] }));
    expect(push.items).toMatchObject([{ outcome: 'reused', jiraKey: one.key }]);
  }, 90_000);

  it('V7 by page: each element of the page must have been looked for and be gone', async () => {
    const source = await on.source({ grouping: 'page' });
    await on.scan(source, [
      { url: page('cart'), broken: { label: ['#one', '#two'] } },
      { url: page('help'), broken: { label: ['#three'] } },
    ]);
    await on.pushed(source);
    const cart = (await on.findings(source))[0]?.id ?? '';
    const { jira } = await steps.becomes(cart, 'awaiting_fix');
    const description = JSON.stringify((await on.issue(jira.key)).fields.description);
    for (const part of ['Elements (2)', '#one', '#two']) expect(description).toContain(part);
    await steps.move(jira.key, 'Done');
    await steps.becomes(cart, 'needs_rerun');
    await on.scan(source, [{ url: page('help'), broken: {}, passed: ['label'] }]);
    await on.scan(source, [{ url: page('cart'), broken: { label: ['#two'] } }]);
    expect((await on.finding(cart)).status).toBe('needs_rerun');
    await on.scan(source, [{ url: page('cart'), broken: {}, passed: ['label'] }]);
    await steps.becomes(cart, 'verified');
  }, 120_000);

  it('verifies a claim where it looked and found nothing, and not by a run that began before', async () => {
    const one = await steps.flagged();
    const before = new Date(Date.now() - 3_600_000).toISOString();
    const early = junit({ passed: ['adds to the cart'] });
    await must(stack.api('POST', `/api/v1/sources/${one.source}/reports?startedAt=${before}`, early));
    await steps.report(one.source, { passed: ['something else'] });
    expect((await on.finding(one.id)).status).toBe('needs_rerun');
    await steps.report(one.source, { passed: ['adds to the cart'] });
    await steps.becomes(one.id, 'verified');
  }, 90_000);

  it('decides the case of an open session that holds the claim', async () => {
    const one = await steps.flagged();
    const session = await steps.session(one.source, [one.id]);
    await steps.report(one.source, { passed: ['adds to the cart'] });
    await steps.becomes(one.id, 'verified');
    expect(await must(stack.api('GET', `/api/v1/sessions/${session}`))).toMatchObject({
      status: 'completed',
      cases: [{ finding: one.id, verdict: 'pass' }],
    });
  }, 90_000);
});
