import { verify } from 'jsonwebtoken';
import { until } from '../support/until';
import { connect, dayMs, gateway, resources } from './jira-oauth-support';
import {
  type Client,
  issueBody,
  paragraph,
  type SandboxUnderTest,
  startReceiver,
  startUnderTest,
} from './jira-support';

const api = '/rest/api/3';
const issueEvents = ['jira:issue_updated', 'jira:issue_deleted'];
let jira: SandboxUnderTest;
let app: Client;
let otherSite: Client;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  jira = await startUnderTest({ webhookRetryMs: 20 });
  const token = (await connect(jira)).access_token;
  const [first, second] = (await resources(jira, token)).body;
  app = gateway(jira, { cloudId: first.id, token });
  otherSite = gateway(jira, { cloudId: second.id, token });
});

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await app('DELETE', `${api}/webhook`, { webhookIds: (await list()).map(({ id }) => id) });
  await jira.anonymous('POST', '/sandbox/reset');
  await receiver.stop();
});

afterAll(() => jira.stop());

type Listed = { id: number; expirationDate: string };

async function list(): Promise<Listed[]> {
  return (await app('GET', `${api}/webhook`)).body.values;
}

async function register(...webhooks: Record<string, unknown>[]) {
  const url = `${receiver.url}/hooks/7`;
  const { status, body } = await app('POST', `${api}/webhook`, { url, webhooks });
  expect(status).toBe(200);
  return body.webhookRegistrationResult as { createdWebhookId?: number; errors?: string[] }[];
}

function hook(more: Record<string, unknown> = {}) {
  return { events: issueEvents, jqlFilter: 'project in (ACC, WEB)', ...more };
}

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  return (await jira.bot('POST', `${api}/issue`, issueBody(fields))).body.key;
}

function done(key: string) {
  return jira.person('POST', `${api}/issue/${key}/transitions`, { transition: { id: '41' } });
}

function told(): { matchedWebhookIds: number[]; webhookEvent: string; issue: { key: string } }[] {
  return receiver.received.map(({ raw }) => JSON.parse(raw));
}

it('delivers with a token signed by the client secret, and names the webhooks that matched', async () => {
  const [one, two] = await register(hook(), hook({ events: ['jira:issue_updated'], jqlFilter: 'project = ACC' }));
  const key = await create();
  await done(key);
  const delivery = await until(() => receiver.received[0], { what: 'a delivery' });
  const [scheme, token = ''] = String(delivery.headers.authorization).split(' ');
  expect(scheme).toBe('Bearer');
  const { clientId, clientSecret } = jira.sandbox.oauth;
  const claims = verify(token, clientSecret, { algorithms: ['HS256'] });
  expect(claims).toEqual({ iss: clientId, iat: expect.any(Number), exp: expect.any(Number) });
  expect(() => verify(token, 'another secret', { algorithms: ['HS256'] })).toThrow();
  expect(delivery.headers['x-hub-signature']).toBeUndefined();
  expect(delivery.headers['x-atlassian-webhook-identifier']).toMatch(/^[0-9a-f-]{36}$/);
  expect(delivery.url).toContain('/hooks/7?triggeredByUser=');
  expect(told()).toMatchObject([{ issue: { key }, matchedWebhookIds: [one?.createdWebhookId, two?.createdWebhookId] }]);
});

it('keeps to fields, projects and events', async () => {
  await register(hook({ jqlFilter: 'project = ACC', fieldIdsFilter: ['status', 'resolution'] }));
  const elsewhere = await create({ project: { key: 'WEB' } });
  await done(elsewhere);
  const key = await create();
  await jira.person('PUT', `${api}/issue/${key}`, { fields: { summary: 'Another', labels: ['new'] } });
  await jira.person('POST', `${api}/issue/${key}/comment`, { body: paragraph('Words') });
  await done(key);
  await jira.person('DELETE', `${api}/issue/${key}`);
  await until(() => receiver.received.length === 2, { what: 'two deliveries' });
  const heard = told().map(({ webhookEvent, issue }) => [webhookEvent, issue.key]);
  expect(heard.sort()).toEqual([
    ['jira:issue_deleted', key],
    ['jira:issue_updated', key],
  ]);
});

it('tells nothing of a project that its account can no longer see', async () => {
  await register(hook());
  const hidden = await create({ project: { key: 'WEB' } });
  await jira.anonymous('PUT', '/sandbox/projects/WEB', { invisible: true });
  expect((await done(hidden)).status).toBe(204);
  const key = await create();
  await done(key);
  await until(() => receiver.received.length > 0, { what: 'a delivery' });
  expect(told().map(({ issue }) => issue.key)).toEqual([key]);
});

it('refuses webhooks one by one, inside a 200', async () => {
  const results = await register(
    hook({ jqlFilter: 'project = NONE' }),
    hook({ jqlFilter: 'project =' }),
    hook({ jqlFilter: 'labels = urgent' }),
    hook({ jqlFilter: 'assignee is EMPTY' }),
    hook({ jqlFilter: '' }),
    hook({ events: ['jira:issue_updated', 'user_created'] }),
    hook(),
  );
  expect(results.map((result) => Object.keys(result))).toEqual([
    ...Array.from({ length: 6 }, () => ['errors']),
    ['createdWebhookId'],
  ]);
  expect(results[0]?.errors?.[0]).toContain('NONE');
  expect(results[2]?.errors).toEqual(['The clause labels is unsupported']);
  expect(results[5]?.errors?.[0]).toContain('user_created');
  const { status } = await app('POST', `${api}/webhook`, { url: 'not a url', webhooks: [hook()] });
  expect(status).toBe(400);
});

it('takes at most five for an app and a user on one site', async () => {
  const results = await register(...Array.from({ length: 6 }, () => hook()));
  expect(results.filter(({ createdWebhookId }) => createdWebhookId)).toHaveLength(5);
  expect(results[5]?.errors?.[0]).toContain('maximum');
  const url = `${receiver.url}/ops`;
  const webhooks = [hook({ jqlFilter: 'project = OPS' })];
  const { body } = await otherSite('POST', `${api}/webhook`, { url, webhooks });
  const [made] = body.webhookRegistrationResult;
  expect(made.createdWebhookId).toEqual(expect.any(Number));
  await otherSite('DELETE', `${api}/webhook`, { webhookIds: [made.createdWebhookId] });
  expect((await list()).map(({ id }) => id)).toEqual(results.flatMap(({ createdWebhookId }) => createdWebhookId ?? []));
});

it('rejects a registration on demand', async () => {
  await jira.anonymous('POST', '/sandbox/faults', { kind: 'registration', count: 1, errors: ['Not today'] });
  expect(await register(hook())).toEqual([{ errors: ['Not today'] }]);
  expect(await register(hook())).toEqual([{ createdWebhookId: expect.any(Number) }]);
});

it('lists, refreshes for thirty days, and removes', async () => {
  const [made] = await register(hook({ fieldIdsFilter: ['status'] }));
  const id = made?.createdWebhookId ?? 0;
  expect(await list()).toMatchObject([
    { id, url: `${receiver.url}/hooks/7`, events: issueEvents, fieldIdsFilter: ['status'] },
  ]);
  await jira.anonymous('POST', `/sandbox/webhooks/${id}/expire`, { inMs: 5 * dayMs });
  const [soon] = await list();
  expect(Date.parse(soon?.expirationDate ?? '')).toBeLessThan(Date.now() + 6 * dayMs);
  const { status, body } = await app('PUT', `${api}/webhook/refresh`, { webhookIds: [id, 424242] });
  expect(status).toBe(200);
  expect(Date.parse(body.expirationDate)).toBeGreaterThan(Date.now() + 29 * dayMs);
  expect((await list())[0]?.expirationDate.slice(0, 16)).toBe(body.expirationDate.slice(0, 16));
  expect((await app('DELETE', `${api}/webhook`, { webhookIds: [id, 424242] })).status).toBe(202);
  expect(await list()).toEqual([]);
});

it('forgets an expired webhook, and one that vanished', async () => {
  const [expired, vanished, kept] = await register(hook(), hook(), hook());
  await jira.anonymous('POST', `/sandbox/webhooks/${expired?.createdWebhookId}/expire`);
  await jira.anonymous('DELETE', `/sandbox/webhooks/${vanished?.createdWebhookId}`);
  expect((await list()).map(({ id }) => id)).toEqual([kept?.createdWebhookId]);
  await app('PUT', `${api}/webhook/refresh`, { webhookIds: [expired?.createdWebhookId] });
  expect(await list()).toHaveLength(1);
  const key = await create();
  await done(key);
  await until(() => receiver.received.length > 0, { what: 'a delivery' });
  expect(told()[0]?.matchedWebhookIds).toEqual([kept?.createdWebhookId]);
  const { items } = (await jira.anonymous('GET', '/sandbox/webhooks')).body;
  expect(items.map(({ expired }: { expired: boolean }) => expired)).toContain(true);
});

it('is for apps alone', async () => {
  for (const call of [jira.person, jira.bot]) {
    const { status, body } = await call('GET', `${api}/webhook`);
    expect(status).toBe(403);
    expect(body.errorMessages[0]).toContain("caller isn't an app");
  }
  expect((await jira.bot('POST', `${api}/webhook`, { url: receiver.url, webhooks: [hook()] })).status).toBe(403);
  expect((await app('GET', `${api}/webhook/failed`)).status).toBe(403);
});

it('tries again after 503, with the same identifier and a living token', async () => {
  await receiver.stop();
  receiver = await startReceiver([503]);
  await register(hook());
  await done(await create());
  await until(() => receiver.received.length === 2, { what: 'the second try' });
  const headers = receiver.received.map((delivery) => delivery.headers);
  expect(headers[1]?.['x-atlassian-webhook-identifier']).toBe(headers[0]?.['x-atlassian-webhook-identifier']);
  expect(headers[1]?.['x-atlassian-webhook-retry']).toBe('1');
  const [, token = ''] = String(headers[1]?.authorization).split(' ');
  verify(token, jira.sandbox.oauth.clientSecret, { algorithms: ['HS256'] });
});
