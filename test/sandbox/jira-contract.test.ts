import Ajv, { type ValidateFunction } from 'ajv';
import description from '../contract/jira-openapi.json';
import { type Answered, issueBody, paragraph, type SandboxUnderTest, startUnderTest } from './jira-support';

// Every answer of the sandbox is held against Atlassian's own description of it.

interface Operation {
  responses?: Record<string, { content?: Record<string, { schema?: object }> }>;
}

const paths = description.paths as unknown as Record<string, Record<string, Operation>>;
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(loose(description) as object, 'jira');

// Real answers carry more fields than described and null where the description says nothing of it.
function loose(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(loose);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([name, entry]) => !(name === 'additionalProperties' && entry === false),
  );
  return Object.fromEntries(entries.map(([name, entry]) => [name, loose(entry)]));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(entries.map(([name, entry]) => [name, withoutNulls(entry)]));
}

function validator(method: string, path: string, status: number): ValidateFunction | undefined {
  const operation = paths[path]?.[method.toLowerCase()];
  if (!operation) throw new Error(`The description has no ${method} ${path}.`);
  const response = operation.responses?.[status];
  if (!response) throw new Error(`The description has no ${status} for ${method} ${path}.`);
  const [type] = Object.entries(response.content ?? {}).find(([, { schema }]) => schema) ?? [];
  if (!type) return undefined;
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  return ajv.compile({ $ref: `jira#/${pointer}` });
}

let jira: SandboxUnderTest;
let key: string;
let id: string;

beforeAll(async () => {
  jira = await startUnderTest();
  const created = await jira.bot('POST', '/rest/api/3/issue', {
    ...issueBody({ labels: ['marker-1'], description: paragraph('A picture without words'), priority: { id: '2' } }),
    properties: [{ key: 'recheck', value: { finding: 'F-1' } }],
  });
  ({ key, id } = created.body);
  await jira.person('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: '21' } });
});

afterAll(() => jira.stop());

function expectDescribed(method: string, path: string, answer: Answered): void {
  const validate = validator(method, path, answer.status);
  if (!validate) return;
  const valid = validate(withoutNulls(answer.body));
  expect({ valid, errors: validate.errors, body: valid ? undefined : answer.body }).toEqual({
    valid: true,
    errors: null,
  });
}

const api = '/rest/api/3';

describe('answers follow the description of', () => {
  const reads: [path: string, address: () => string][] = [
    ['/myself', () => '/myself'],
    ['/serverInfo', () => '/serverInfo'],
    ['/mypermissions', () => '/mypermissions?projectKey=ACC&permissions=BROWSE_PROJECTS,CREATE_ISSUES'],
    ['/project/search', () => '/project/search?action=create&query=a&maxResults=100'],
    ['/project/{projectIdOrKey}', () => '/project/ACC'],
    ['/project/{projectIdOrKey}/statuses', () => '/project/TEAM/statuses'],
    ['/issue/createmeta/{projectIdOrKey}/issuetypes', () => '/issue/createmeta/ACC/issuetypes'],
    ['/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}', () => '/issue/createmeta/ACC/issuetypes/10004'],
    ['/issue/{issueIdOrKey}', () => `/issue/${key}?expand=changelog&properties=recheck`],
    ['/issue/{issueIdOrKey}/transitions', () => `/issue/${key}/transitions?expand=transitions.fields`],
    ['/issue/{issueIdOrKey}/changelog', () => `/issue/${key}/changelog`],
    ['/issue/{issueIdOrKey}/properties/{propertyKey}', () => `/issue/${key}/properties/recheck`],
    ['/search/jql', () => `/search/jql?jql=${encodeURIComponent('labels = "marker-1"')}&fields=*all`],
    ['/label', () => '/label'],
    ['/priority/search', () => '/priority/search'],
    ['/resolution/search', () => '/resolution/search'],
    ['/status', () => '/status'],
    ['/status/{idOrName}', () => '/status/10002'],
    ['/statuscategory', () => '/statuscategory'],
    ['/statuscategory/{idOrKey}', () => '/statuscategory/done'],
    ['/user/search', () => '/user/search?query=dana'],
    ['/attachment/meta', () => '/attachment/meta'],
  ];
  it.each(reads)('GET %s', async (path, address) => {
    const answer = await jira.bot('GET', api + address());
    expect(answer.status).toBe(200);
    expectDescribed('GET', api + path, answer);
  });

  it('POST /issue', async () => {
    const answer = await jira.bot('POST', `${api}/issue`, issueBody());
    expect(answer.status).toBe(201);
    expectDescribed('POST', `${api}/issue`, answer);
    const refused = await jira.bot('POST', `${api}/issue`, { fields: {} });
    expect(refused.status).toBe(400);
    expectDescribed('POST', `${api}/issue`, refused);
  });

  it('POST /issue/bulk', async () => {
    const answer = await jira.bot('POST', `${api}/issue/bulk`, { issueUpdates: [issueBody(), { fields: {} }] });
    expect(answer).toMatchObject({ status: 201, body: { issues: [{}], errors: [{ failedElementNumber: 1 }] } });
    expectDescribed('POST', `${api}/issue/bulk`, answer);
    const refused = await jira.bot('POST', `${api}/issue/bulk`, { issueUpdates: [{}] });
    expect(refused.status).toBe(400);
    expectDescribed('POST', `${api}/issue/bulk`, refused);
  });

  it('POST /issue/bulkfetch, leaving out what is not there', async () => {
    const answer = await jira.bot('POST', `${api}/issue/bulkfetch`, {
      issueIdsOrKeys: [key, 'ACC-9999', '424242'],
      fields: ['status', 'resolution', 'updated', 'project'],
    });
    expect(answer.body).toMatchObject({
      issues: [{ id, fields: { status: { name: 'In Progress' } } }],
      issueErrors: [],
    });
    expectDescribed('POST', `${api}/issue/bulkfetch`, answer);
  });

  it('POST /search/jql', async () => {
    const body = { jql: `key = ${key}`, fields: ['summary', 'status'], properties: ['recheck'] };
    const answer = await jira.bot('POST', `${api}/search/jql`, body);
    expect(answer.body).toMatchObject({ isLast: true, issues: [{ key, properties: { recheck: { finding: 'F-1' } } }] });
    expectDescribed('POST', `${api}/search/jql`, answer);
  });

  it('POST /issue/{issueIdOrKey}/comment', async () => {
    const answer = await jira.bot('POST', `${api}/issue/${key}/comment`, { body: paragraph('Seen again') });
    expect(answer.status).toBe(201);
    expectDescribed('POST', `${api}/issue/{issueIdOrKey}/comment`, answer);
  });

  it('POST /issue/{issueIdOrKey}/remotelink, an upsert by globalId', async () => {
    const link = { globalId: 'finding=F-1', object: { url: 'https://recheck.example/F-1', title: 'F-1' } };
    const path = `${api}/issue/{issueIdOrKey}/remotelink`;
    const first = await jira.bot('POST', `${api}/issue/${key}/remotelink`, link);
    const second = await jira.bot('POST', `${api}/issue/${key}/remotelink`, link);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body.id).toBe(first.body.id);
    expectDescribed('POST', path, first);
    expectDescribed('POST', path, second);
  });

  it('PUT /issue/{issueIdOrKey}/properties/{propertyKey}: 201, then 200', async () => {
    const put = () => jira.bot('PUT', `${api}/issue/${key}/properties/other`, { a: [1] });
    const [first, second] = [await put(), await put()];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect((await jira.bot('GET', `${api}/issue/${key}/properties/other`)).body).toEqual({
      key: 'other',
      value: { a: [1] },
    });
  });

  it('POST /issue/{issueIdOrKey}/attachments', async () => {
    const form = new FormData();
    form.append('file', new Blob(['pixels'], { type: 'image/png' }), 'shot.png');
    form.append('file', new Blob(['words'], { type: 'text/plain' }), 'notes.txt');
    const path = `${api}/issue/${key}/attachments`;
    expect((await jira.bot('POST', path, form)).status).toBe(403);
    const answer = await jira.bot('POST', path, form, { 'x-atlassian-token': 'no-check' });
    expect(answer.body).toMatchObject([{ filename: 'shot.png', size: 6 }, { filename: 'notes.txt' }]);
    expectDescribed('POST', `${api}/issue/{issueIdOrKey}/attachments`, answer);
    const content = await jira.bot('GET', new URL(answer.body[1].content).pathname);
    expect(content.body).toBe('words');
    const misnamed = new FormData();
    misnamed.append('files', new Blob(['x']), 'x.txt');
    expect((await jira.bot('POST', path, misnamed, { 'x-atlassian-token': 'no-check' })).status).toBe(400);
  });
});
