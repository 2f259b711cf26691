// What issues say: templates, Jira's limits, and data that would rather be something else than text.

import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { createRouting } from './support';

let stack: Stack;
let on: ReturnType<typeof createRouting>;
let steps: ReturnType<typeof createSteps>;

beforeAll(async () => {
  stack = await startStack();
  on = createRouting(stack);
  steps = createSteps(stack, { stories: 'templates' });
}, 300_000);
afterAll(() => stack?.stop());

type Failure = { name: string; message?: string; stack?: string };
const escaped = (text: string) => text.replace(/[&<>"\n]/g, (character) => `&#${character.charCodeAt(0)};`);
/** A JUnit file with one failed test per entry. */
const failures = (tests: readonly Failure[]) =>
  `<testsuites><testsuite name="s">${tests
    .map(
      ({ name, message = 'broken', stack: trace = 'at 1' }) =>
        `<testcase name="${escaped(name)}"><failure message="${escaped(message)}">${escaped(trace)}</failure></testcase>`,
    )
    .join('')}</testsuite></testsuites>`;
async function pushedOne(test: Failure, rule: object = {}) {
  const source = await on.source(rule, 'suite');
  await must(stack.api('POST', `/api/v1/sources/${source}/reports`, failures([test])));
  const preview = await must(stack.api('POST', `/api/v1/sources/${source}/rule/preview`, {}));
  const [key = ''] = await on.pushed(source);
  const { fields } = await on.issue(key);
  return { source, preview, fields, text: JSON.stringify(fields.description) };
}

describe("P7 Jira's limits", () => {
  it('P7 cuts a long title to one line of 255 characters, and the preview says so', async () => {
    const name = `the cart\n${'🛒 very long '.repeat(60)}`;
    const template = { summary: '{title} {title}', fields: {} };
    const { preview, fields } = await pushedOne({ name }, { template });
    expect(fields.summary.length).toBeLessThanOrEqual(255);
    expect(fields.summary).toMatch(/^s › the cart 🛒 very long .*…$/u);
    expect(fields.summary).not.toMatch(/[\n\r]|[\uD800-\uDBFF]…/);
    expect(preview.summary).toBe(fields.summary);
    expect(preview.warnings).toEqual([expect.stringMatching(/summary is longer than 255 characters.*cut/)]);
  });

  it('P7 takes a template of several lines for a summary of one', async () => {
    const { fields, preview } = await pushedOne(
      { name: 'adds' },
      { template: { summary: 'a\n {rule}\r\n b', fields: {} } },
    );
    expect(fields.summary).toBe('a s › adds b');
    expect(preview.warnings).toEqual([]);
  });

  it('P7 shortens the long parts of a description until Jira takes it', async () => {
    const long = 'x "quoted" <b> \\ '.repeat(10_000);
    const description = `First words.\n\n{message}\n\n{details}\n\n${'A paragraph.\n\n'.repeat(1_000)}`;
    const { fields, preview, text } = await pushedOne(
      { name: 'adds', message: long, stack: long },
      { template: { description, fields: {} } },
    );
    expect(JSON.stringify(fields.description).length).toBeLessThanOrEqual(32_767);
    expect(text).toMatch(/First words.*Tracked by Recheck as/);
    expect(preview.warnings).toEqual([expect.stringMatching(/description is longer than 32,767 characters/)]);
  });

  it.each([
    ['an unknown placeholder', '{titel}', undefined, /no placeholder \{titel\}/],
    ['the details twice', undefined, '{details}\n\n{details}', /once at most/],
    ['a long summary', 'x'.repeat(1_001), undefined, /1000/],
    ['a long description', undefined, 'x'.repeat(20_001), /20000/],
  ])('P7 refuses a template that cannot be kept: %s', async (_what, summary, description, words) => {
    const source = await on.source();
    const template = { ...(summary ? { summary } : {}), ...(description ? { description } : {}), fields: {} };
    for (const answer of [
      await on.rule(source, { template }),
      await stack.api('POST', `/api/v1/sources/${source}/rule/preview`, { template }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.detail).toMatch(words);
    }
  });

  it('P7 refuses fields that are larger than Jira takes', async () => {
    const source = await on.source();
    const answer = await on.rule(source, { template: { fields: { customfield_1: 'x'.repeat(40_000) } } });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/larger than 32767 characters/) },
    });
  });
});

describe('P7 data is text and nothing else', () => {
  it('P7 placeholders, markup and documents in the data of a finding stay as they are', async () => {
    const node = '{"type":"mention","attrs":{"id":"all"}}';
    const name = `{note} {{title}} {details} [link|https://evil.example] ${node}`;
    const template = { summary: '{title}', description: '{message}\n\n{details}\n\nEnd.', fields: {} };
    const message = `{link}\n{details}\n<script>alert(1)</script> h1. {color:red} ${node}`;
    const { fields, text } = await pushedOne({ name, message }, { template });
    expect(fields.summary).toBe(`s › ${name}`);
    const nodes: { type: string; text?: string }[] = [];
    const walk = (each: { type: string; text?: string; content?: [] }) => {
      nodes.push(each);
      for (const child of each.content ?? []) walk(child);
    };
    walk(fields.description);
    expect(nodes.map(({ type }) => type)).not.toContain('mention');
    const said = nodes.flatMap((each) => each.text ?? []);
    expect(said.filter((each) => each === '{link}').length).toBeGreaterThan(0);
    expect(said.join('\n')).toContain(`<script>alert(1)</script> h1. {color:red} ${node}`);
    // The standard details stand there once, where the template and not the data asks for them.
    expect(text.match(/"Severity: "/g)).toHaveLength(1);
  });

  it('P7 an address that is no web address is no link', async () => {
    const source = await on.source();
    await on.scan(source, [{ url: 'https://shop.example/cart', broken: { 'image-alt': ['a[href="javascript:x"]'] } }]);
    const [key = ''] = await on.pushed(source);
    const text = JSON.stringify((await on.issue(key)).fields.description);
    expect(text).not.toMatch(/"href":"(?!https?:)/);
    const [{ id = '' } = {}] = await on.findings(source);
    expect(text).toContain(`findings/${id}`);
    expect(await steps.count(id, 'pushed')).toBe(1);
  });
});

describe('I4 what Slack offers before a push', () => {
  it('I4 what can be picked and why the rest cannot, and what waits for an approval, are calls too', async () => {
    const source = await on.source({ approval: 'all', severities: ['serious'] });
    await on.scan(source, [{ url: 'https://shop.example/cart', broken: { 'image-alt': ['img'], label: ['input'] } }]);
    const choices = await must(stack.api('GET', `/api/v1/sources/${source}/choices`));
    expect(choices).toMatchObject({ source: { key: source }, projectKey: 'ACC', held: null, linked: 0, refused: [] });
    expect(choices.ready.map(({ rule }: { rule: string }) => rule)).toEqual(['image-alt', 'label']);
    expect(choices.ready[0]).toMatchObject({ severity: 'serious', pages: 1, wcag: expect.any(Array) });
    const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
    const waiting = await must(stack.api('GET', '/api/v1/pushes?status=awaiting_approval'));
    expect(waiting.items).toMatchObject([{ id: push.id, source: { key: source }, outcomes: { pending: 2 } }]);
    expect((await stack.api('GET', '/api/v1/pushes')).status).toBe(400);
    expect((await must(stack.api('GET', `/api/v1/sources/${source}/choices`))).refused).toMatchObject([
      { count: 2, reason: expect.stringMatching(/waits for approval/) },
    ]);
    await must(stack.api('POST', `/api/v1/pushes/${push.id}/cancel`, {}));
    expect((await must(stack.api('GET', '/api/v1/pushes?status=awaiting_approval'))).items).toEqual([]);
    expect((await stack.api('GET', '/api/v1/sources/nowhere/choices')).status).toBe(404);
  });
});

describe('I4 the preview of an issue', () => {
  it('I4 is of the finding that is named, of no other source, and is for everybody who may read', async () => {
    const source = await on.source({ priorities: { serious: 'Lowest' }, labels: ['a11y'] });
    const other = await on.source();
    await on.scan(source, [{ url: 'https://shop.example/cart', broken: { 'image-alt': ['img'], label: ['input'] } }]);
    const label = (await on.findings(source)).find(({ rule }) => rule === 'label');
    const ask = (of: string, body: object, key = stack.local.apiKey) =>
      stack.apiAs(key)('POST', `/api/v1/sources/${of}/rule/preview`, body);
    const member = stack.local.members.find(({ role }) => role === 'member')?.apiKey ?? '';
    expect(await must(ask(source, { finding: label?.id }, member))).toMatchObject({
      ...{ finding: label?.id, summary: 'About label', priority: 'Lowest', labels: ['a11y'], warnings: [] },
    });
    expect((await ask(other, { finding: label?.id })).status).toBe(404);
    expect((await ask(source, { finding: 'F-999999' })).status).toBe(404);
    expect((await ask('nowhere', {})).status).toBe(404);
    expect((await stack.apiAs(null)('POST', `/api/v1/sources/${source}/rule/preview`, {})).status).toBe(401);
    expect((await ask(source, { typo: 1 })).status).toBe(400);
  });
});
