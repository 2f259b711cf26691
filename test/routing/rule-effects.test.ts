// What each member of a sync rule changes, seen in Jira or at the API.

import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createRouting } from './support';

const page = 'https://shop.example/cart';
let stack: Stack;
let on: ReturnType<typeof createRouting>;
let steps: ReturnType<typeof createSteps>;

beforeAll(async () => {
  stack = await startStack();
  on = createRouting(stack);
  steps = createSteps(stack, { stories: 'effects' });
}, 300_000);
afterAll(() => stack?.stop());
afterEach(async () => {
  for (const project of ['ACC', 'WEB']) {
    await on.settings(project, { hiddenFields: [], requiredFields: [], components: [] });
  }
});

const dryRun = (source: string) => must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all', dryRun: true }));
/** The one finding of a source, and its issue. */
async function pushedOne(source: string): Promise<{ id: string; key: string }> {
  await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
  const [key = ''] = await on.pushed(source);
  const [{ id = '' } = {}] = await on.findings(source);
  return { id, key };
}
const comments = async (key: string): Promise<string> => JSON.stringify((await on.issue(key)).fields.comment.comments);

describe('R1 each member of a sync rule has its effect', () => {
  it('R1 enabled: off refuses every push, with the reason', async () => {
    const source = await on.source({ enabled: false });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    expect(await dryRun(source)).toMatchObject({ create: [], refuse: [{ reason: expect.stringMatching(/excluded/) }] });
    await must(on.rule(source, { enabled: true }));
    expect((await dryRun(source)).create).toHaveLength(1);
  });

  it('R1 connection: none refuses every push; one of another organisation or none at all is not found', async () => {
    const source = await on.source();
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const saved = await must(on.rule(source, { connection: null }));
    expect(saved).toMatchObject({ connection: null, warnings: [expect.stringMatching(/no Jira connection/)] });
    expect((await dryRun(source)).refuse[0].reason).toMatch(/no Jira connection/);
    const answer = await on.rule(source, { connection: '00000000-0000-4000-8000-000000000000' });
    expect(answer).toMatchObject({ status: 404 });
    await must(on.rule(source, { connection: stack.local.connectionId }));
    expect((await dryRun(source)).create).toHaveLength(1);
  });

  it('R1 severities: what is not ticked does not flow', async () => {
    const source = await on.source({ severities: ['critical', 'minor'] });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    expect((await dryRun(source)).refuse[0].reason).toMatch(/serious, is not among.*critical, minor/);
    const [{ id = '' } = {}] = await on.findings(source);
    const single = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [id] }));
    expect(single.items).toMatchObject([{ outcome: 'refused' }]);
    await must(on.rule(source, { severities: ['serious'] }));
    expect(await on.pushed(source)).toHaveLength(1);
  });

  it('R1 component, by name or id; one that the project requires is asked for by name', async () => {
    // A push that has just seen the project without components does not keep the next ones from having them.
    await on.settings('WEB', { components: [], requiredFields: [] });
    await pushedOne(await on.source({ projectKey: 'WEB' }));
    await on.settings('WEB', { components: ['Checkout', 'Search'], requiredFields: ['components'] });
    const source = await on.source({ projectKey: 'ACC' });
    const refused = await on.rule(source, { projectKey: 'WEB' });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'component' }] } });
    expect(refused.body.detail).toMatch(/requires Components.*"component".*Checkout, Search/);
    const form = await must(stack.api('GET', `/api/v1/sources/${source}/rule/form?projectKey=WEB`));
    expect(form.components.map(({ name }: { name: string }) => name)).toEqual(['Checkout', 'Search']);
    expect(form.required).toEqual([]);
    await must(on.rule(source, { projectKey: 'WEB', component: 'search' }));
    const { key } = await pushedOne(source);
    expect((await on.issue(key)).fields.components).toMatchObject([{ name: 'Search' }]);
    await must(on.rule(source, { component: form.components[0].id }));
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'], label: ['input'] } }]);
    const other = (await on.findings(source)).find(({ rule }) => rule === 'label');
    const [second = ''] = await on.pushed(source, [other?.id ?? '']);
    expect((await on.issue(second)).fields.components).toMatchObject([{ name: 'Checkout' }]);
  });

  it('R1 approval: all makes every push wait, a single one too', async () => {
    const source = await on.source({ approval: 'all' });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const [{ id = '' } = {}] = await on.findings(source);
    const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [id] }));
    expect(push).toMatchObject({ status: 'awaiting_approval' });
    await must(stack.api('POST', `/api/v1/pushes/${push.id}/cancel`, {}));
  });

  it('R1 onJiraDone: resolve takes Jira at its word', async () => {
    const source = await on.source({ onJiraDone: 'resolve' });
    const { id, key } = await pushedOne(source);
    await steps.move(key, 'Done');
    await steps.becomes(id, 'resolved');
  });

  it('R1 onVerifyFail: comment leaves the issue Done, reopen takes it back', async () => {
    const said = await pushedOne(await on.source({ onVerifyFail: 'comment' }));
    const back = await pushedOne(await on.source({ onVerifyFail: 'reopen' }));
    const status = async (key: string) => (await on.issue(key)).fields.status.statusCategory.key;
    for (const { id, key } of [said, back]) {
      await steps.move(key, 'Done');
      const { source } = await steps.becomes(id, 'needs_rerun');
      await steps.verdict(await steps.session(source, [id]), id, 'fail');
    }
    await steps.becomes(back.id, 'awaiting_fix');
    await until(async () => (await status(back.key)) !== 'done', { seconds: 60, what: 'the issue being reopened' });
    await until(async () => /failed/i.test(await comments(said.key)), { seconds: 60, what: 'the comment' });
    expect((await on.finding(said.id)).status).toBe('needs_rerun');
    expect(await status(said.key)).toBe('done');
  }, 120_000);

  it('R1 verifier: reports alone prove a fix where the rule says so, and a fail by a person counts', async () => {
    const source = await on.source({ verifier: 'report' });
    const { id, key } = await pushedOne(source);
    await steps.move(key, 'Done');
    await steps.becomes(id, 'needs_rerun');
    const session = await steps.session(source, [id]);
    const pass = await stack.api('POST', `/api/v1/sessions/${session}/verdicts`, [{ finding: id, verdict: 'pass' }]);
    expect(pass).toMatchObject({ status: 409, body: { code: 'verified_by_report' } });
    expect((await on.finding(id)).status).toBe('needs_rerun');
    await steps.verdict(session, id, 'fail');
    await on.scan(source, [{ url: page, broken: {}, passed: ['image-alt'] }]);
    await steps.becomes(id, 'verified');
  }, 120_000);

  it('R1 changed by several at once, nothing is lost', async () => {
    const source = await on.source();
    const changes = [{ labels: ['x'] }, { onVerifyFail: 'reopen' }, { onJiraDone: 'resolve' }, { approval: 'all' }];
    const answers = await Promise.all(changes.map((change) => on.rule(source, change)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const rule = await must(stack.api('GET', `/api/v1/sources/${source}/rule`));
    expect(rule).toMatchObject(Object.assign({}, ...changes));
  });
});

describe('R3 a required field with a list to choose from', () => {
  it('R3 is refused with its name and values, and so is a value that is none of them', async () => {
    await on.settings('WEB', { requiredFields: ['customfield_10051', 'customfield_10050'] });
    const source = await on.source();
    const refused = await on.rule(source, { projectKey: 'WEB' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'required_fields_missing' } });
    const area = refused.body.missing.find(({ id }: { id: string }) => id === 'customfield_10051');
    expect(area).toEqual({
      id: 'customfield_10051',
      name: 'Product area',
      type: 'option',
      allowedValues: [
        { id: '10100', name: 'Storefront' },
        { id: '10101', name: 'Back office' },
      ],
    });
    expect(refused.body.detail).toMatch(/Product area \(customfield_10051\), one of: Storefront \(id 10100\)/);
    const fields = { customfield_10050: 'Design', customfield_10051: { id: '9' } };
    const wrong = await on.rule(source, { projectKey: 'WEB', template: { fields } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'template.fields.customfield_10051' }] } });
    expect(wrong.body.detail).toMatch(/Product area has no value.*Storefront \(id 10100\)/);
    const right = { ...fields, customfield_10051: { id: '10101' } };
    await must(on.rule(source, { projectKey: 'WEB', template: { fields: right } }));
    const { key } = await pushedOne(source);
    expect((await on.issue(key)).fields).toMatchObject({
      customfield_10050: 'Design',
      customfield_10051: { value: 'Back office' },
    });
  });

  it('R3 a new source that starts enabled is held to the same', async () => {
    await on.settings('WEB', { requiredFields: ['customfield_10050'] });
    const { connectionId: connection } = stack.local;
    const made = { key: 'effects-new', name: 'New', kind: 'site', connection, projectKey: 'WEB' };
    const refused = await stack.api('POST', '/api/v1/sources', { ...made, rule: { enabled: true } });
    expect(refused).toMatchObject({ status: 400, body: { code: 'required_fields_missing' } });
    await stack.faults.add({ kind: 'status', match: { path: '/project/' }, status: 503 });
    const away = await stack.api('POST', '/api/v1/sources', { ...made, rule: { enabled: true } });
    await stack.faults.clear();
    expect(away).toMatchObject({ status: 503, body: { code: 'jira_unavailable' } });
    expect((await stack.api('POST', '/api/v1/sources', made)).status).toBe(201);
  });
});

describe('R4 a rule that changes while a push waits', () => {
  it('R4 decides what is approved: the rule counts as it is when the issue would be made', async () => {
    const source = await on.source({ approval: 'all' });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
    await must(on.rule(source, { severities: ['critical'] }));
    const admin = stack.local.members.find(({ role }) => role === 'admin')?.apiKey ?? '';
    await must(stack.apiAs(admin)('POST', `/api/v1/pushes/${push.id}/approve`, {}));
    const ended = await steps.pushEnds(push.id);
    expect(ended.items).toMatchObject([{ outcome: 'refused', reason: expect.stringMatching(/serious, is not among/) }]);
  }, 90_000);
});
