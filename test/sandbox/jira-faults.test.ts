import { jiraSandboxAccounts, startJiraSandbox } from '../../local/sandbox/jira/server';
import { createDatabase } from '../support/database';
import { until } from '../support/until';
import { client, issueBody, type SandboxUnderTest, startReceiver, startUnderTest } from './jira-support';

const api = '/rest/api/3';
let jira: SandboxUnderTest;

beforeAll(async () => {
  jira = await startUnderTest();
});

afterEach(() => jira.anonymous('DELETE', '/sandbox/faults'));

afterAll(() => jira.stop());

async function fault(spec: Record<string, unknown>): Promise<string> {
  const { status, body } = await jira.anonymous('POST', '/sandbox/faults', spec);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.id;
}

function counted(marker: string) {
  return jira.anonymous('GET', `/sandbox/issues?marker=${marker}`).then(({ body }) => body.count);
}

const creation = { method: 'POST', path: '/issue$' };

it('drops the connection after the issue was made', async () => {
  await fault({ kind: 'drop', match: { ...creation, marker: 'aq-drop' }, count: 1 });
  await expect(jira.bot('POST', `${api}/issue`, issueBody({ labels: ['aq-drop'] }))).rejects.toThrow('fetch failed');
  expect(await counted('aq-drop')).toBe(1);
  expect((await jira.bot('POST', `${api}/issue`, issueBody({ labels: ['aq-drop'] }))).status).toBe(201);
  expect(await counted('aq-drop')).toBe(2);
});

it('holds the answer after the issue was made, until it is released', async () => {
  const id = await fault({ kind: 'hold', match: creation, count: 1 });
  let answered = false;
  const call = jira.bot('POST', `${api}/issue`, issueBody({ labels: ['aq-hold'] })).finally(() => {
    answered = true;
  });
  const waiting = async () => (await jira.anonymous('GET', '/sandbox/faults')).body.items[0].waiting === 1;
  await until(waiting, { what: 'the held answer' });
  expect([await counted('aq-hold'), answered]).toEqual([1, false]);
  await jira.anonymous('POST', `/sandbox/faults/${id}/release`);
  expect((await call).status).toBe(201);
});

it('answers what it is told, as often as told, without doing the work', async () => {
  await fault({
    kind: 'status',
    match: creation,
    count: 1,
    status: 429,
    headers: { 'Retry-After': '7', 'RateLimit-Reason': 'jira-burst-based' },
  });
  await fault({ kind: 'status', match: { method: 'GET', path: '/myself' }, status: 503, body: '<h1>Down</h1>' });
  const limited = await jira.bot('POST', `${api}/issue`, issueBody({ labels: ['aq-limit'] }));
  expect(limited.status).toBe(429);
  expect([limited.headers.get('retry-after'), limited.headers.get('ratelimit-reason')]).toEqual([
    '7',
    'jira-burst-based',
  ]);
  expect(await counted('aq-limit')).toBe(0);
  expect((await jira.bot('POST', `${api}/issue`, issueBody({ labels: ['aq-limit'] }))).status).toBe(201);
  const down = await jira.bot('GET', `${api}/myself`);
  expect([down.status, down.headers.get('content-type'), down.body]).toEqual([
    503,
    expect.stringContaining('html'),
    '<h1>Down</h1>',
  ]);
});

it('kills a token without a word', async () => {
  await fault({ kind: 'revoked', account: 'bot' });
  const answer = await jira.bot('GET', `${api}/project/search`);
  expect([answer.status, answer.body.total]).toEqual([200, 0]);
  expect(answer.headers.get('x-seraph-loginreason')).toBe('AUTHENTICATED_FAILED');
  expect((await jira.bot('GET', `${api}/myself`)).status).toBe(401);
  expect((await jira.person('GET', `${api}/myself`)).status).toBe(200);
});

it('refuses a fault that it does not know, naming it', async () => {
  const { status, body } = await jira.anonymous('POST', '/sandbox/faults', { kind: 'earthquake' });
  expect({ status, body }).toEqual({ status: 400, body: { error: expect.stringContaining('kind') } });
});

it('keeps a log of requests without credentials', async () => {
  const since = new Date().toISOString();
  await jira.bot('POST', `${api}/issue`, issueBody({ summary: 'Logged' }));
  const { body } = await jira.anonymous('GET', `/sandbox/requests?since=${since}`);
  expect(body.items).toEqual([
    expect.objectContaining({
      method: 'POST',
      path: `${api}/issue`,
      status: 201,
      body: expect.objectContaining({ fields: expect.objectContaining({ summary: 'Logged' }) }),
    }),
  ]);
  expect(JSON.stringify(body)).not.toContain('authorization');
});

it('refuses a change that another page asks for', async () => {
  const answer = await jira.anonymous('POST', '/sandbox/reset', {}, { 'sec-fetch-site': 'cross-site' });
  expect(answer.status).toBe(403);
});

describe('after a restart', () => {
  it('remembers issues, tokens, faults, numbers, and deliveries that were under way', async () => {
    const database = await createDatabase();
    const receiver = await startReceiver([503]);
    const first = await startJiraSandbox({ databaseUrl: database.url, port: 0, webhookRetryMs: 600_000 });
    const bot = client(first.url, first.accounts.bot);
    const person = client(first.url, first.accounts.person);
    const webhook = { name: 'R', url: `${receiver.url}/`, events: ['jira:issue_created'], secret: 's' };
    await person('POST', '/rest/webhooks/1.0/webhook', webhook);
    await client(first.url)('POST', '/sandbox/faults', { kind: 'webhookDelay', ms: 0 });
    const { key } = (await bot('POST', `${api}/issue`, issueBody())).body;
    await until(() => receiver.received.length === 1, { what: 'the first try' });
    await first.stop();
    expect(await jiraSandboxAccounts(database.url)).toEqual(first.accounts);

    const second = await startJiraSandbox({ databaseUrl: database.url, port: first.port });
    expect([second.url, second.accounts]).toEqual([first.url, first.accounts]);
    expect((await bot('GET', `${api}/issue/${key}`)).status).toBe(200);
    expect((await client(second.url)('GET', '/sandbox/faults')).body.items).toMatchObject([
      { kind: 'webhookDelay', hits: 1 },
    ]);
    expect((await bot('POST', `${api}/issue`, issueBody())).body.key).toBe('ACC-2');
    await until(() => receiver.received.length === 2, { what: 'the delivery of the second issue' });
    const queue = (await client(second.url)('GET', '/sandbox/deliveries?state=waiting')).body.items;
    expect(queue).toMatchObject([{ attempts: 1, lastStatus: 503 }]);
    await second.stop();
    await receiver.stop();
    await database.drop();
  });

  it('says so where the port is taken, and leaves nothing open', async () => {
    const database = await createDatabase();
    const taken = startJiraSandbox({ databaseUrl: database.url, port: jira.sandbox.port });
    await expect(taken).rejects.toThrow('EADDRINUSE');
    await database.drop();
  });
});
