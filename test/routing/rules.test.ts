import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { createRouting } from './support';

const page = 'https://shop.example/cart';
let stack: Stack;
let on: ReturnType<typeof createRouting>;

beforeAll(async () => {
  stack = await startStack();
  on = createRouting(stack);
}, 120_000);
afterAll(() => stack?.stop());
afterEach(async () => {
  await on.settings('ACC', { hiddenFields: [], requiredFields: [] });
  await on.settings('WEB', { hiddenFields: [], requiredFields: [] });
});

describe('R1 a sync rule says where findings go and how', () => {
  it.each([
    ['an unknown project', { projectKey: 'NOPE' }, 'projectKey', /NOPE does not exist.*Check the project key/s],
    ['a key in the wrong case', { projectKey: 'web' }, 'projectKey', /there is WEB.*case-sensitive/s],
    ['an unknown issue type', { issueType: 'Epic fail' }, 'issueType', /no issue type "Epic fail".*Bug/s],
    ['an unknown component', { component: 'Checkout' }, 'component', /no component "Checkout"/],
    ['an unknown priority', { priorities: { minor: 'Nope' } }, 'priorities.minor', /no priority "Nope".*Highest/s],
    ['an unknown assignee', { assignee: 'nobody' }, 'assignee', /no active account "nobody".*account id/s],
  ])('refuses %s with cause and cure, and saves nothing', async (_what, change, field, words) => {
    const source = await on.source();
    const before = await must(stack.api('GET', `/api/v1/sources/${source}/rule`));
    const answer = await on.rule(source, { severities: ['minor'], ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: 'rule_does_not_fit_jira', errors: [{ field }] } });
    expect(answer.body.detail).toMatch(words);
    expect(await must(stack.api('GET', `/api/v1/sources/${source}/rule`))).toEqual(before);
  });

  it('makes issues as the rule says: project, type, labels, priority by name or id, assignee', async () => {
    const source = await on.source();
    const me = await must(stack.jira('GET', '/rest/api/3/myself'));
    const priorities = { serious: '1', minor: 'lowest' };
    const rule = { projectKey: 'WEB', issueType: 'Task', labels: ['a11y'], priorities, assignee: me.accountId };
    expect((await on.rule(source, rule)).status).toBe(200);
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const [key = ''] = await on.pushed(source);
    const { fields } = await on.issue(key);
    expect(key).toMatch(/^WEB-/);
    expect(fields).toMatchObject({
      issuetype: { name: 'Task' },
      priority: { name: 'Highest' },
      assignee: { accountId: me.accountId },
    });
    expect(fields.labels).toContain('a11y');
  });

  it('warns where the create screen has no labels', async () => {
    await on.settings('WEB', { hiddenFields: ['labels'] });
    const source = await on.source();
    const saved = await must(on.rule(source, { projectKey: 'WEB' }));
    expect(saved.warnings.join()).toMatch(/has no labels.*Put labels on the screen/s);
  });

  it('says that Jira could not be asked, and saves nothing', async () => {
    const source = await on.source();
    await stack.faults.add({ kind: 'status', match: { path: '/project/' }, status: 503 });
    const answer = await on.rule(source, { projectKey: 'WEB' });
    await stack.faults.clear();
    expect(answer).toMatchObject({ status: 503, body: { code: 'jira_unavailable' } });
    expect((await must(stack.api('GET', `/api/v1/sources/${source}/rule`))).projectKey).toBe('ACC');
  });

  it('offers in a form what Jira has now', async () => {
    await on.settings('WEB', { requiredFields: ['customfield_10050'] });
    const source = await on.source({ projectKey: 'ACC' });
    const form = await must(stack.api('GET', `/api/v1/sources/${source}/rule/form?projectKey=WEB`));
    expect(form).toMatchObject({ problem: null, rule: { projectKey: 'ACC' }, source: { key: source } });
    expect(form.projects.map(({ key }: { key: string }) => key)).toEqual(expect.arrayContaining(['ACC', 'WEB']));
    expect(form.issueTypes.map(({ name }: { name: string }) => name)).toContain('Bug');
    expect(form.priorities.map(({ name }: { name: string }) => name)).toContain('Highest');
    expect(form.required).toMatchObject([{ id: 'customfield_10050', name: 'Owning team', value: null }]);
    const nowhere = await must(stack.api('GET', `/api/v1/sources/${source}/rule/form?projectKey=NOPE`));
    expect(nowhere.problem).toMatch(/NOPE does not exist/);
  });

  it('is changed by admins only', async () => {
    const source = await on.source();
    const member = stack.local.members.find(({ role }) => role === 'member');
    const answer = await stack.apiAs(member?.apiKey ?? null)('PUT', `/api/v1/sources/${source}/rule`, {
      labels: ['x'],
    });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});

describe('R2 a source without a project key', () => {
  it('cannot push, and says so in its row', async () => {
    const source = await on.source({ projectKey: null });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const { items } = await must(stack.api('GET', '/api/v1/sources?limit=200'));
    const row = items.find(({ key }: { key: string }) => key === source);
    expect(row.warnings).toEqual([expect.stringMatching(/no Jira project key, so nothing can be pushed/)]);
    const preview = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all', dryRun: true }));
    expect(preview).toMatchObject({ create: [], refuse: [{ reason: expect.stringMatching(/no Jira project key/) }] });
  });

  it('cannot be saved as enabled, and a rule that is sent back as it was read changes nothing', async () => {
    const source = await on.source();
    const answer = await on.rule(source, { projectKey: null });
    expect(answer).toMatchObject({ status: 400, body: { code: 'project_key_missing' } });
    const rule = await must(stack.api('GET', `/api/v1/sources/${source}/rule`));
    const calls = async () => (await must(stack.sandbox('GET', '/requests'))).items.length;
    const before = await calls();
    expect(await must(on.rule(source, rule))).toEqual(rule);
    expect(await calls()).toBe(before);
  });
});

describe('R3 fields that Jira requires', () => {
  it('are found when the rule is saved, asked for once, and sent with every issue', async () => {
    await on.settings('WEB', { requiredFields: ['customfield_10050'] });
    const source = await on.source();
    const refused = await on.rule(source, { projectKey: 'WEB' });
    expect(refused).toMatchObject({
      status: 400,
      body: {
        code: 'required_fields_missing',
        missing: [{ id: 'customfield_10050', name: 'Owning team', allowedValues: [] }],
      },
    });
    expect(refused.body.detail).toMatch(/Owning team \(customfield_10050\).*template\.fields/s);
    const template = { fields: { customfield_10050: 'Design system' } };
    expect(await must(on.rule(source, { projectKey: 'WEB', template }))).toMatchObject({ template });
    expect((await on.rule(source, { labels: ['later'] })).status).toBe(200);
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'], label: ['input'] } }]);
    const keys = await on.pushed(source);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect((await on.issue(key)).fields.customfield_10050).toBe('Design system');
  });

  it('refuses values for fields that the screen does not have, and for those that Recheck writes', async () => {
    const source = await on.source();
    const fields = { customfield_1: 'x', summary: 'mine' };
    const { status, body } = await on.rule(source, { template: { fields } });
    expect(status).toBe(400);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual([
      'template.fields.customfield_1',
      'template.fields.summary',
    ]);
  });
});

describe('R4 a changed rule', () => {
  it('applies from the next push, and leaves the issues that are there alone', async () => {
    const source = await on.source();
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const [first = ''] = await on.pushed(source);
    await must(on.rule(source, { projectKey: 'WEB', issueType: 'Task', labels: ['new'] }));
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'], label: ['input'] } }]);
    const findings = await on.findings(source);
    const other = findings.find(({ rule }) => rule === 'label');
    const [second = ''] = await on.pushed(source, [other?.id ?? '']);
    expect(second).toMatch(/^WEB-/);
    await must(on.rule(source, { severities: ['critical'] }));
    const old = await on.issue(first);
    expect(old).toMatchObject({ key: first, fields: { issuetype: { name: 'Bug' } } });
    expect(old.fields.labels).not.toContain('new');
    const linked = (await on.findings(source)).find(({ rule }) => rule === 'image-alt');
    expect(linked).toMatchObject({ status: 'awaiting_fix', jira: { key: first } });
    expect(await on.pushed(source, [linked?.id ?? ''])).toEqual([first]);
  });
});

describe('P7 the issue as the template of its source says', () => {
  const summary = '[{source}] {rule}: {pageCount} page';
  const description = 'Seen on {pages} as {{rule}}.\n\n{details}\n\nAsk the design team.';

  it('has the summary and description with their placeholders filled in', async () => {
    const source = await on.source({ template: { summary, description, fields: {} } });
    await on.scan(source, [{ url: page, broken: { 'image-alt': ['img'] } }]);
    const preview = await must(stack.api('POST', `/api/v1/sources/${source}/rule/preview`, {}));
    expect(preview.summary).toBe(`[${source}] image-alt: 1 page`);
    expect(preview.description).toMatch(
      /^Seen on https:\/\/shop\.example\/cart as \{rule\}\..*How to fix.*Ask the design/s,
    );
    const [key = ''] = await on.pushed(source);
    const { fields } = await on.issue(key);
    expect(fields.summary).toBe(preview.summary);
    expect(JSON.stringify(fields.description)).toMatch(
      /Seen on .*as \{rule\}.*How to fix.*Ask the design team.*Tracked by/s,
    );
  });

  it('can be looked at before it is saved, with another template', async () => {
    const source = await on.source();
    const preview = await must(
      stack.api('POST', `/api/v1/sources/${source}/rule/preview`, { template: { summary: '{severity}!', fields: {} } }),
    );
    expect(preview).toMatchObject({ finding: null, summary: 'critical!' });
  });

  it('refuses a placeholder that it does not know, with the list of those that it does', async () => {
    const source = await on.source();
    const answer = await on.rule(source, { template: { summary: '{titel}', fields: {} } });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_template', errors: [{ field: 'template.summary' }] },
    });
    expect(answer.body.detail).toMatch(/no placeholder \{titel\}.*\{title\}, \{rule\}, \{severity\}/s);
  });
});
