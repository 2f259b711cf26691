import { createHmac } from 'node:crypto';
import { until } from '../support/until';
import { issueBody, paragraph, type SandboxUnderTest, startReceiver, startUnderTest } from './jira-support';

const api = '/rest/api/3';
const admin = '/rest/webhooks/1.0/webhook';
const secret = "It's a Secret to Everybody";
const all = ['jira:issue_created', 'jira:issue_updated', 'jira:issue_deleted', 'comment_created'];
let jira: SandboxUnderTest;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  jira = await startUnderTest({ webhookRetryMs: 20 });
});

afterEach(async () => {
  for (const webhook of (await jira.person('GET', admin)).body)
    await jira.person('DELETE', new URL(webhook.self).pathname);
  await jira.anonymous('DELETE', '/sandbox/faults');
  for (const receiver of open.splice(0)) await receiver.stop();
});

afterAll(() => jira.stop());

async function listen({
  statuses = [],
  events = all,
  jql = '',
  more = {},
}: {
  statuses?: number[];
  events?: string[];
  jql?: string;
  more?: Record<string, unknown>;
} = {}) {
  const receiver = await startReceiver(statuses);
  open.push(receiver);
  const { status, body } = await jira.person('POST', admin, {
    name: 'Recheck',
    url: `${receiver.url}/hook?integration_id=7`,
    events,
    filters: { 'issue-related-events-section': jql },
    secret,
    ...more,
  });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { ...receiver, webhook: body };
}

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  return (await jira.bot('POST', `${api}/issue`, issueBody(fields))).body.key;
}

function done(key: string, resolution?: string) {
  return jira.person('POST', `${api}/issue/${key}/transitions`, {
    transition: { id: '41' },
    ...(resolution ? { fields: { resolution: { name: resolution } } } : {}),
  });
}

it('signs the raw bytes and tells what changed, in the shape of REST version 2', async () => {
  const key = await create({ description: paragraph('words') });
  const receiver = await listen({ events: ['jira:issue_updated'] });
  await done(key, 'Duplicate');
  const delivery = await until(() => receiver.received[0], { what: 'a delivery' });
  const digest = createHmac('sha256', secret).update(delivery.raw).digest('hex');
  expect(delivery.headers['x-hub-signature']).toBe(`sha256=${digest}`);
  expect(delivery.headers['x-atlassian-webhook-identifier']).toMatch(/^[0-9a-f-]{36}$/);
  expect(delivery.headers['x-atlassian-webhook-retry']).toBeUndefined();
  const { searchParams } = new URL(delivery.url, 'http://x');
  const person = jira.sandbox.accounts.person.accountId;
  expect(Object.fromEntries(searchParams)).toEqual({ integration_id: '7', triggeredByUser: person });
  const body = JSON.parse(delivery.raw);
  expect(body).toMatchObject({
    timestamp: expect.any(Number),
    webhookEvent: 'jira:issue_updated',
    issue_event_type_name: 'issue_generic',
    user: { accountId: person, displayName: 'Dana Developer' },
    issue: {
      key,
      fields: { description: 'words', status: { statusCategory: { key: 'done' } }, resolution: { name: 'Duplicate' } },
    },
    changelog: {
      items: [
        { field: 'resolution', from: null, fromString: null, to: '10002', toString: 'Duplicate' },
        { field: 'status', fieldId: 'status', from: '10000', fromString: 'To Do', to: '10002', toString: 'Done' },
      ],
    },
  });
  expect(body.user.emailAddress).toBeUndefined();
});

it('tells of every kind of event', async () => {
  const receiver = await listen();
  const key = await create();
  await jira.person('POST', `${api}/issue/${key}/comment`, { body: paragraph('I am on it') });
  await jira.person('DELETE', `${api}/issue/${key}`);
  await until(() => receiver.received.length === 4, { what: 'four deliveries' });
  const events = receiver.received
    .map(({ raw }) => JSON.parse(raw))
    .map((body) => [body.webhookEvent, body.comment?.body]);
  expect(events.sort()).toEqual([
    ['comment_created', 'I am on it'],
    ['jira:issue_created', undefined],
    ['jira:issue_deleted', undefined],
    ['jira:issue_updated', 'I am on it'],
  ]);
});

it('sends only what its filter lets through', async () => {
  const receiver = await listen({ jql: 'project = WEB and labels = wanted' });
  await create({ labels: ['wanted'] });
  await create({ project: { key: 'WEB' } });
  const key = await create({ project: { key: 'WEB' }, labels: ['wanted'] });
  await until(() => receiver.received.length > 0, { what: 'a delivery' });
  expect(receiver.received.map(({ raw }) => JSON.parse(raw).issue.key)).toEqual([key]);
});

it('tries again with the same identifier after 503, and counts', async () => {
  const receiver = await listen({ statuses: [503, 429, 204] });
  await create();
  await until(() => receiver.received.length === 3, { what: 'the third try' });
  const headers = receiver.received.map((delivery) => delivery.headers);
  expect(new Set(headers.map((each) => each['x-atlassian-webhook-identifier'])).size).toBe(1);
  expect(headers.map((each) => each['x-atlassian-webhook-retry'])).toEqual([undefined, '1', '2']);
  const states = async () => (await jira.anonymous('GET', '/sandbox/deliveries')).body.items[0];
  await until(async () => (await states()).state === 'delivered', { what: 'the end of it' });
});

it('gives up after five retries, and at once after another 4xx', async () => {
  const stubborn = await listen({ statuses: Array.from({ length: 20 }, () => 500) });
  await create();
  const latest = async () => (await jira.anonymous('GET', '/sandbox/deliveries')).body.items[0];
  await until(async () => (await latest()).state === 'lost', { what: 'giving up' });
  expect(stubborn.received).toHaveLength(6);
  await jira.person('DELETE', new URL(stubborn.webhook.self).pathname);
  const refusing = await listen({ statuses: [400] });
  await create();
  await until(async () => (await latest()).state === 'lost', { what: 'the loss' });
  expect(refusing.received).toHaveLength(1);
});

it('waits for a receiver that is not there yet', async () => {
  const receiver = await listen();
  const { url } = receiver.webhook;
  const away = await startReceiver();
  await away.stop();
  await jira.person('PUT', new URL(receiver.webhook.self).pathname, { url: `${away.url}/` });
  await create();
  const latest = async () => (await jira.anonymous('GET', '/sandbox/deliveries')).body.items[0];
  const failed = await until(async () => (await latest()).lastError && latest(), { what: 'a failed try' });
  expect(failed).toMatchObject({ lastStatus: null });
  expect(url).toContain('integration_id=7');
});

it('duplicates and reorders on demand', async () => {
  const receiver = await listen({ events: ['jira:issue_created'] });
  await jira.anonymous('POST', '/sandbox/faults', { kind: 'duplicate', times: 4, count: 1 });
  await create();
  await until(() => receiver.received.length === 5, { what: 'five deliveries' });
  expect(new Set(receiver.received.map((each) => each.headers['x-atlassian-webhook-identifier'])).size).toBe(1);
  receiver.received.length = 0;
  await jira.anonymous('POST', '/sandbox/faults', { kind: 'reorder', size: 3, gapMs: 300, count: 3 });
  const keys = [await create(), await create(), await create()];
  await until(() => receiver.received.length === 3, { what: 'three deliveries' });
  expect(receiver.received.map(({ raw }) => JSON.parse(raw).issue.key)).toEqual(keys.reverse());
});

it('keeps a secret to itself, and needs an administrator', async () => {
  const { webhook } = await listen();
  expect(webhook).toMatchObject({ isSigned: true, enabled: true, excludeBody: false });
  expect(JSON.stringify(webhook)).not.toContain(secret);
  expect((await jira.bot('GET', admin)).status).toBe(403);
  const broken = { ...webhook, filters: { 'issue-related-events-section': 'project =' } };
  expect((await jira.person('POST', admin, broken)).status).toBe(400);
});

it('sends an empty body, signed, where the body is excluded', async () => {
  const receiver = await listen({ more: { excludeBody: true } });
  await create();
  const delivery = await until(() => receiver.received[0], { what: 'a delivery' });
  expect(delivery.raw).toBe('');
  expect(delivery.headers['x-hub-signature']).toBe(`sha256=${createHmac('sha256', secret).update('').digest('hex')}`);
});
