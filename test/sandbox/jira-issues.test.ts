import { client, issueBody, paragraph, type SandboxUnderTest, startUnderTest } from './jira-support';

const api = '/rest/api/3';
let jira: SandboxUnderTest;

beforeAll(async () => {
  jira = await startUnderTest();
});

afterAll(() => jira.stop());

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await jira.bot('POST', `${api}/issue`, issueBody(fields));
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.key;
}

async function transition(key: string, name: string, more: Record<string, unknown> = {}) {
  const { body } = await jira.person('GET', `${api}/issue/${key}/transitions`);
  const found = body.transitions.find(({ to }: { to: { name: string } }) => to.name === name);
  return jira.person('POST', `${api}/issue/${key}/transitions`, { transition: { id: found.id }, ...more });
}

async function fieldsOf(key: string) {
  return (await jira.bot('GET', `${api}/issue/${key}`)).body.fields;
}

describe('creating an issue', () => {
  const refusals: [what: string, fields: Record<string, unknown>, field: string, says: string][] = [
    ['no summary', { summary: undefined }, 'summary', 'must specify a summary'],
    ['a summary over 255 characters', { summary: 'x'.repeat(256) }, 'summary', '255'],
    ['a summary of two lines', { summary: 'a\nb' }, 'summary', 'newline'],
    ['a label with a space', { labels: ['two words'] }, 'labels', 'contains spaces'],
    ['text instead of a document', { description: 'plain' }, 'description', 'Atlassian Document'],
    ['a text over 32,767 characters', { description: paragraph('x'.repeat(32_768)) }, 'description', '32,767'],
    ['a field of no screen', { customfield_99999: 1 }, 'customfield_99999', 'cannot be set'],
    ['an unknown priority', { priority: { id: '77' } }, 'priority', 'invalid'],
    ['an unknown assignee', { assignee: { id: 'nobody' } }, 'assignee', 'valid user'],
    ['an unknown project', { project: { key: 'acc' } }, 'project', 'valid project'],
    ['an issue type of another project', { issuetype: { id: '10014' } }, 'issuetype', 'valid issue type'],
  ];
  it.each(refusals)('refuses %s by the field', async (_what, fields, field, says) => {
    const { status, body } = await jira.bot('POST', `${api}/issue`, issueBody(fields));
    expect({ status, body }).toEqual({
      status: 400,
      body: { errorMessages: [], errors: { [field]: expect.stringContaining(says) } },
    });
  });

  it('refuses a document with a mistake inside, and says where in a header', async () => {
    const description = {
      version: 1,
      type: 'doc',
      content: [{ type: 'paragraph', content: [{ type: 'text', text: '' }] }],
    };
    const { status, body, headers } = await jira.bot('POST', `${api}/issue`, issueBody({ description }));
    expect({ status, body }).toEqual({ status: 400, body: { errorMessages: ['INVALID_INPUT'], errors: {} } });
    expect(headers.get('x-sandbox-detail')).toContain('content[0].content[0]');
  });

  it('follows what a project hides and requires, in createmeta too', async () => {
    const settings = { hiddenFields: ['labels'], requiredFields: ['customfield_10050'] };
    await jira.anonymous('PUT', '/sandbox/projects/WEB', settings);
    const given = issueBody({ project: { key: 'WEB' }, labels: ['a'] });
    const { body } = await jira.bot('POST', `${api}/issue`, given);
    expect(Object.keys(body.errors).sort()).toEqual(['customfield_10050', 'labels']);
    const meta = await jira.bot('GET', `${api}/issue/createmeta/WEB/issuetypes/10004`);
    const fields = meta.body.fields.map(({ fieldId }: { fieldId: string }) => fieldId);
    expect(fields).not.toContain('labels');
    expect(meta.body.fields).toContainEqual(
      expect.objectContaining({ fieldId: 'customfield_10050', required: true, hasDefaultValue: false }),
    );
    await jira.anonymous('PUT', '/sandbox/projects/WEB', { hiddenFields: [], requiredFields: [] });
  });

  it('numbers 30 issues made at once without a gap', async () => {
    const before = Number((await create()).split('-')[1]);
    const keys = await Promise.all(Array.from({ length: 30 }, () => create()));
    const numbers = keys.map((key) => Number(key.split('-')[1])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => before + 1 + index));
  });
});

describe('a transition', () => {
  it('to Done sets the given resolution, and Done where none is given', async () => {
    const [plain, wontDo] = [await create(), await create()];
    expect((await transition(plain, 'Done')).status).toBe(204);
    expect((await transition(wontDo, 'Done', { fields: { resolution: { name: "Won't Do" } } })).status).toBe(204);
    expect(await fieldsOf(plain)).toMatchObject({
      resolution: { name: 'Done' },
      status: { statusCategory: { key: 'done' } },
    });
    expect(await fieldsOf(wontDo)).toMatchObject({ resolution: { name: "Won't Do" } });
  });

  it('to Done can leave the resolution for later, and a later edit sets it', async () => {
    const key = await create();
    await transition(key, 'Done', { fields: { resolution: null } });
    expect((await fieldsOf(key)).resolution).toBeNull();
    await jira.person('PUT', `${api}/issue/${key}`, { fields: { resolution: { name: 'Duplicate' } } });
    expect((await fieldsOf(key)).resolution.name).toBe('Duplicate');
  });

  it('away from Done clears the resolution', async () => {
    const key = await create();
    await transition(key, 'Done');
    await transition(key, 'To Do');
    expect(await fieldsOf(key)).toMatchObject({ resolution: null, resolutiondate: null });
  });

  it('takes no resolution in a team-managed project, and sets Done there by itself', async () => {
    const key = await create({ project: { key: 'TEAM' }, issuetype: { name: 'Bug' } });
    const refused = await transition(key, 'Done', { fields: { resolution: { name: 'Duplicate' } } });
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: { resolution: expect.stringContaining('cannot be set') } },
    });
    await transition(key, "Won't Do");
    expect(await fieldsOf(key)).toMatchObject({ status: { name: "Won't Do" }, resolution: { name: 'Done' } });
  });

  it('to where the issue stands is refused', async () => {
    const key = await create();
    const { status } = await jira.person('POST', `${api}/issue/${key}/transitions`, { transition: { id: '11' } });
    expect(status).toBe(400);
  });
});

describe('credentials', () => {
  it('that are wrong answer 401 where an account is needed, and an empty 200 with a header elsewhere', async () => {
    const key = await create({ labels: ['there'] });
    const wrong = client(jira.sandbox.url, { email: jira.sandbox.accounts.bot.email, apiToken: 'wrong' });
    expect((await wrong('GET', `${api}/myself`)).status).toBe(401);
    expect((await wrong('POST', `${api}/issue`, issueBody())).status).toBe(401);
    const search = await wrong('POST', `${api}/search/jql`, { jql: 'labels = there' });
    const projects = await wrong('GET', `${api}/project/search`);
    const fetched = await wrong('POST', `${api}/issue/bulkfetch`, { issueIdsOrKeys: [key] });
    expect([search.body.issues, projects.body.values, fetched.body.issues]).toEqual([[], [], []]);
    for (const answer of [search, projects, fetched]) {
      expect(answer.headers.get('x-seraph-loginreason')).toBe('AUTHENTICATED_FAILED');
    }
  });

  it('that are right are named in a header', async () => {
    const { headers } = await jira.bot('GET', `${api}/serverInfo`);
    expect(headers.get('x-aaccountid')).toBe(jira.sandbox.accounts.bot.accountId);
  });

  it('see 404 for a project that is hidden from them', async () => {
    await jira.anonymous('PUT', '/sandbox/projects/WEB', { invisible: true });
    expect((await jira.bot('GET', `${api}/project/WEB`)).status).toBe(404);
    expect((await jira.person('GET', `${api}/project/WEB`)).status).toBe(200);
    await jira.anonymous('PUT', '/sandbox/projects/WEB', { invisible: false });
  });
});

it('keeps the id of a moved issue and finds it by its old key', async () => {
  const key = await create();
  const { id } = (await jira.bot('GET', `${api}/issue/${key}`)).body;
  const moved = await jira.anonymous('POST', `/sandbox/board/issues/${key}/move`, { project: 'WEB' });
  expect(moved.body.key).toMatch(/^WEB-/);
  expect((await jira.bot('GET', `${api}/issue/${key}`)).body).toMatchObject({ id, key: moved.body.key });
});

it('answers 410 on the removed search, and problem+json where there is nothing', async () => {
  expect((await jira.bot('GET', `${api}/search?jql=project=ACC`)).status).toBe(410);
  const unknown = await jira.bot('GET', `${api}/nothing`);
  expect(unknown.status).toBe(404);
  expect(unknown.headers.get('content-type')).toContain('application/problem+json');
});

it('deletes an issue with its subtasks only when told so', async () => {
  const parent = await create();
  await create({ issuetype: { id: '10003' }, parent: { key: parent } });
  expect((await jira.person('DELETE', `${api}/issue/${parent}`)).status).toBe(400);
  expect((await jira.person('DELETE', `${api}/issue/${parent}?deleteSubtasks=true`)).status).toBe(204);
  expect((await jira.bot('GET', `${api}/issue/${parent}`)).status).toBe(404);
});
