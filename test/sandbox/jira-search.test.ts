import { parseJql } from '../../local/sandbox/jira/jql/parse';
import { JqlError } from '../../local/sandbox/jira/jql/tokens';
import { issueBody, paragraph, type SandboxUnderTest, startUnderTest } from './jira-support';

const api = '/rest/api/3';
let jira: SandboxUnderTest;
const keys: Record<string, string> = {};

beforeAll(async () => {
  jira = await startUnderTest();
  const make = async (name: string, fields: Record<string, unknown>) => {
    keys[name] = (await jira.bot('POST', `${api}/issue`, issueBody(fields))).body.key;
  };
  await make('first', { labels: ['red', 'aq-1'], description: paragraph('token aq-77fe-12 here') });
  await make('second', { labels: ['blue'], priority: { name: 'High' } });
  await make('third', { project: { key: 'WEB' }, issuetype: { id: '10001' }, summary: 'Quote "this" (now)' });
  await jira.person('POST', `${api}/issue/${keys.second}/transitions`, { transition: { id: '41' } });
});

afterAll(() => jira.stop());

function search(jql: string, more: Record<string, unknown> = {}) {
  return jira.bot('POST', `${api}/search/jql`, { jql, fields: ['summary'], ...more });
}

async function found(jql: string): Promise<string[]> {
  const { status, body } = await search(jql);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.issues.map(({ key }: { key: string }) => Object.keys(keys).find((name) => keys[name] === key));
}

describe('JQL finds', () => {
  const queries: [jql: string, names: string[]][] = [
    ['labels = "aq-1"', ['first']],
    ['labels in (red, blue) order by key asc', ['first', 'second']],
    ['project = ACC and not labels = red', ['second']],
    ['project in (ACC, "Web shop") ORDER BY created ASC', ['first', 'second', 'third']],
    ['status = Done', ['second']],
    ['statusCategory != Done and project = acc', ['first']],
    ['resolution = Unresolved AND labels is not EMPTY', ['first']],
    ['resolution is empty and labels is empty', ['third']],
    ['(labels = red or labels = blue) && priority = High', ['second']],
    ['updated >= -90m and created > "2020-01-01 10:00" and project = WEB', ['third']],
    ['updated < -90m', []],
    ['text ~ "aq-77fe-12"', ['first']],
    ['description ~ "aq-77fe-13"', []],
    ['summary ~ "\\"this\\""', ['third']],
    ['issuetype = Task and reporter = currentUser()', ['third']],
    ['labels != red and project = ACC', ['second']],
  ];
  it.each(queries)('%s', async (jql, names) => {
    expect(await found(jql)).toEqual(names);
  });

  it('an issue by key, by id and among others', async () => {
    expect(await found(`key = ${keys.first}`)).toEqual(['first']);
    expect(await found(`key in (${keys.first}, ${keys.third}, ACC-9999) order by key asc`)).toEqual(['first', 'third']);
  });
});

describe('JQL is refused with 400', () => {
  it.each([
    ['', 'Unbounded'],
    ['order by created', 'Unbounded'],
    ['project = ', 'Expecting a value'],
    ['project ACC', 'Expecting either'],
    ['(project = ACC', "Expecting ')'"],
    ['project = ACC labels = x', "'OR' or 'AND'"],
    ['project = "ACC', 'has not been completed'],
    ['colour = red', "Field 'colour' does not exist"],
    ['constructor = red', "Field 'constructor' does not exist"],
    ['project = NOPE', "The value 'NOPE' does not exist"],
    ['updated >= yesterday', 'Date value'],
    ['created > "2026-02-31"', 'not valid'],
    ['labels > red', 'not supported'],
  ])('%s', async (jql, says) => {
    const { status, body } = await search(jql);
    expect({ status, text: body.errorMessages?.[0] }).toEqual({ status: 400, text: expect.stringContaining(says) });
  });
});

it('reads precedence as and before or, and takes quoted keywords as values', () => {
  const { where } = parseJql('a = 1 or b = 2 and not c in ("or", EMPTY)');
  expect(where).toEqual({
    kind: 'or',
    parts: [
      { kind: 'clause', field: 'a', operator: '=', operands: [{ kind: 'value', value: '1' }] },
      {
        kind: 'and',
        parts: [
          { kind: 'clause', field: 'b', operator: '=', operands: [{ kind: 'value', value: '2' }] },
          {
            kind: 'not',
            part: {
              kind: 'clause',
              field: 'c',
              operator: 'in',
              operands: [{ kind: 'value', value: 'or' }, { kind: 'empty' }],
            },
          },
        ],
      },
    ],
  });
  expect(() => parseJql('a was b')).toThrow(JqlError);
});

it('answers ids only by default, in pages, and takes a token only with its own query', async () => {
  const jql = 'project in (ACC, WEB) order by key asc';
  const first = await search(jql, { fields: undefined, maxResults: 2 });
  expect(first.body).toEqual({
    issues: [{ id: expect.any(String) }, { id: expect.any(String) }],
    isLast: false,
    nextPageToken: expect.any(String),
  });
  const { nextPageToken } = first.body;
  const second = await search(jql, { maxResults: 2, nextPageToken });
  expect(second.body).toMatchObject({ isLast: true, issues: [{ key: keys.third }] });
  expect((await search('project = ACC', { nextPageToken })).status).toBe(400);
});

it('has an index that lags and flickers when told to, which reconcileIssues looks past', async () => {
  const { body } = await jira.anonymous('POST', '/sandbox/faults', { kind: 'index', indexLagMs: 600_000 });
  const { id, key } = (await jira.bot('POST', `${api}/issue`, issueBody({ labels: ['late'] }))).body;
  expect((await search('labels = late')).body.issues).toEqual([]);
  expect((await search('labels = late', { reconcileIssues: [Number(id)] })).body.issues).toMatchObject([{ key }]);
  await jira.anonymous('DELETE', `/sandbox/faults/${body.id}`);
  await jira.anonymous('POST', '/sandbox/faults', { kind: 'index', flicker: 2 });
  const counts = [];
  for (let turn = 0; turn < 4; turn += 1) counts.push((await search('labels = late')).body.issues.length);
  expect(counts).toEqual([1, 0, 1, 0]);
  await jira.anonymous('DELETE', '/sandbox/faults');
});
