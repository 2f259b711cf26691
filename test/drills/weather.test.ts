// Drills for what passes by itself: rate limits, outages, timeouts and pages of HTML. Nobody has to do anything, so
// the connection stays connected and no admin is told.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { createDrill, type Drill } from './support';

let stack: Stack;
let drill: Drill;

const create = { method: 'POST', path: '/issue$' };
const read = (key: string) => ({ method: 'GET', path: `/issue/(${key}|\\d+)\\?` });
const html = '<!doctype html><title>Maintenance</title><h1>We will be back</h1>';

beforeAll(async () => {
  stack = await startStack({
    env: { JIRA_TIMEOUT_MS: '2000', CREATE_TIMEOUT_MS: '4500', SEARCH_WINDOW_MS: '2000', SEARCH_PAUSE_MS: '200' },
  });
  drill = createDrill(stack, stack.local.connectionId);
}, 300_000);
afterAll(() => stack?.stop());
afterEach(() => stack.faults.clear());

/** Pushes a finding, and has its issue marked Done, each through a fault; answers the requests that the push took. */
type Fault = { kind: string; [field: string]: unknown };
async function passesThrough(faults: { create: Fault; read: Fault }) {
  const since = new Date();
  const { go } = drill;
  const first = await drill.lastRequest();
  const hurdle = await stack.faults.add({ ...faults.create, match: create });
  const pushed = await drill.pushOne();
  const key = await drill.arrived(pushed);
  expect((await stack.faults.get(hurdle.id))?.hits).toBeGreaterThan(0);
  const requests = await drill.requests(first);

  await stack.faults.clear();
  const second = await stack.faults.add({ ...faults.read, match: read(key) });
  await go.move(key, 'Done');
  await go.becomes(pushed.id, 'needs_rerun', 90);
  expect((await stack.faults.get(second.id))?.hits).toBeGreaterThan(0);
  expect(await go.count(pushed.id, 'claimed')).toBe(1);

  expect(await drill.state()).toMatchObject({ status: 'connected', health: { tokenState: 'valid', heldPushes: 0 } });
  expect(await drill.notices(since)).toEqual([]);
  return requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/issue'));
}

describe('drill: 429', () => {
  const limited = (reason: string | null, retryAfter?: string) => ({
    kind: 'status',
    status: 429,
    count: 1,
    headers: {
      ...(reason ? { 'RateLimit-Reason': reason } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }),
    },
  });
  const waitedMs = (creates: { at: string; status: number }[]) => {
    const refused = creates.findIndex(({ status }) => status === 429);
    return Date.parse(creates[refused + 1]?.at ?? '') - Date.parse(creates[refused]?.at ?? '');
  };

  it.each([
    'jira-quota-global-based',
    'jira-quota-tenant-based',
    'jira-burst-based',
    'jira-per-issue-on-write',
    'jira-cost-based',
    null,
  ])(
    'C10 the reason %s: with Retry-After nothing is sent before, without it comes back by itself, and nothing is lost',
    async (reason) => {
      const creates = await passesThrough({ create: limited(reason, '2'), read: limited(reason) });
      expect(creates.map(({ status }) => status)).toEqual([429, 201]);
      expect(waitedMs(creates)).toBeGreaterThanOrEqual(2000);
    },
    300_000,
  );

  it('C10 without Retry-After on a push: it waits a few seconds and is made once', async () => {
    const creates = await passesThrough({ create: limited(null), read: limited(null, '1') });
    expect(creates.map(({ status }) => status)).toEqual([429, 201]);
    expect(waitedMs(creates)).toBeGreaterThanOrEqual(3000);
  }, 300_000);
});

describe('drill: Jira does not answer as it should', () => {
  it('C10 a 503 passes', async () => {
    const down = { kind: 'status', status: 503, count: 2, headers: { 'Retry-After': '1' }, body: html };
    await passesThrough({ create: down, read: down });
  }, 300_000);

  it('C10 a timeout passes, whether or not the work was done', async () => {
    await passesThrough({
      create: { kind: 'hold', ms: 6000, count: 1 },
      read: { kind: 'delay', ms: 4000, count: 1 },
    });
    await passesThrough({
      create: { kind: 'delay', ms: 4000, count: 1 },
      read: { kind: 'drop', count: 1 },
    });
  }, 300_000);

  it('C10 HTML instead of JSON passes', async () => {
    const page = { kind: 'status', status: 200, count: 1, body: html };
    const creates = await passesThrough({ create: page, read: page });
    expect(creates.filter(({ status }) => status === 201)).toHaveLength(1);
  }, 300_000);

  it('C10 a site that cannot be reached at all passes', async () => {
    const since = new Date();
    const ready = await drill.go.source();
    await stack.stopJira();
    const pushed = await drill.pushOne(ready);
    const { status } = await drill.state();
    expect(status).toBe('connected');
    await stack.startJira();
    await drill.arrived(pushed);
    expect(await drill.notices(since)).toEqual([]);
    await must(stack.api('GET', '/api/v1/connections'));
  }, 300_000);
});
