// Drills for what only an OAuth connection meets: its tokens, its scopes, its site behind the gateway, its webhooks.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { type ConnectPage, openConnectPage } from './connect-page';
import { createDrill, type Drill } from './support';

type Grant = { id: string; refreshes: number; reuses: number; endedBy: string | null };
type Webhook = { id: number; expired: boolean };

let stack: Stack;
let drill: Drill;
let page: ConnectPage;
let connectionId: string;

beforeAll(async () => {
  // The maintenance runs when a drill asks for it.
  stack = await startStack({ env: { MAINTENANCE_INTERVAL_MS: '3600000' } });
  page = await openConnectPage(stack);
  connectionId = await page.connectOauth(stack.local.jiraProject);
  drill = createDrill(stack, connectionId);
  await drill.go.source();
  await until(async () => (await webhooks()).length === 1, { seconds: 60, what: 'the first dynamic webhook' });
}, 300_000);
afterAll(() => stack?.stop());
afterEach(() => stack.faults.clear());

const oauth = (method: string, path: string, body?: object) => must(stack.sandbox(method, `/oauth${path}`, body));
const webhooks = async () => (await must<{ items: Webhook[] }>(stack.sandbox('GET', '/webhooks'))).items;
/** The newest grant: each consent makes one. */
async function grant(): Promise<Grant> {
  const { grants } = await oauth('GET', '');
  return grants.at(-1);
}
const expire = () => oauth('POST', '/expire');
async function credentials(): Promise<Buffer> {
  const { rows } = await stack.db.query<{ credentials: Buffer }>('select credentials from connection where id = $1', [
    connectionId,
  ]);
  return rows[0]?.credentials ?? Buffer.alloc(0);
}
/** What another process that knows nothing of the rotation would write. */
const putBack = (sealed: Buffer) =>
  stack.db.query('update connection set credentials = $2 where id = $1', [connectionId, sealed]);
const reconnect = () => page.reconnectOauth(connectionId);

/** The connection is broken for `reason`; what is pushed is held, admins know once; after `mend` everything arrives. */
async function breaksAndMends({ act, reason, mend }: { act: () => unknown; reason: RegExp; mend: () => unknown }) {
  const since = new Date();
  const { go } = drill;
  const linked = await go.pushed();
  const ready = await go.source();
  await act();
  const held = await drill.pushOne(ready);
  await drill.itemBecomes(held.push, 'held');
  const broken = await drill.becomes('reconnect_required');
  expect(broken.health).toMatchObject({ tokenState: 'dead', heldPushes: 1, reason: expect.stringMatching(reason) });
  expect(drill.check(broken, 'credentials')).toMatchObject({ ok: false, cure: expect.any(String) });
  await go.move(linked.key, 'Done');
  await go.quiet(linked.id);
  await drill.told(since, ['reconnect_required']);

  await mend();
  await drill.becomes('connected');
  await drill.arrived(held);
  await go.becomes(linked.id, 'needs_rerun', 60);
  expect(await go.count(linked.id, 'claimed')).toBe(1);
  await drill.told(since, ['reconnect_required', 'restored']);
}

describe('drill: tokens', () => {
  it('C2 an expired access token is renewed on the way, and nobody notices', async () => {
    const since = new Date();
    const { refreshes } = await grant();
    const linked = await drill.go.pushed();
    await expire();
    const pushed = await drill.pushOne();
    await drill.arrived(pushed);
    expect((await grant()).refreshes).toBe(refreshes + 1);
    await expire();
    await drill.go.move(linked.key, 'Done');
    await drill.go.becomes(linked.id, 'needs_rerun', 60);
    expect(await drill.state()).toMatchObject({ status: 'connected', health: { tokenState: 'valid', reason: null } });
    expect(await drill.notices(since)).toEqual([]);
  }, 300_000);

  it('C2 a refresh token that was rotated and comes back within ten minutes still works', async () => {
    const since = new Date();
    const old = await credentials();
    await expire();
    await drill.arrived(await drill.pushOne());
    const { reuses } = await grant();
    await putBack(old);
    await expire();
    await drill.arrived(await drill.pushOne());
    expect((await grant()).reuses).toBe(reuses + 1);
    expect((await drill.state()).status).toBe('connected');
    expect(await drill.notices(since)).toEqual([]);
  }, 300_000);

  it('C2 one that is replayed later kills the grant: pushes are held until somebody consents again', async () => {
    const old = await credentials();
    await expire();
    await drill.arrived(await drill.pushOne());
    await breaksAndMends({
      reason: /grant is over/,
      async act() {
        await oauth('POST', '/age', { ms: 11 * 60_000 });
        await putBack(old);
        await expire();
      },
      mend: reconnect,
    });
    const { grants } = await oauth('GET', '');
    expect(grants.some(({ endedBy }: Grant) => endedBy === 'reuse')).toBe(true);
  }, 300_000);

  it('C2 a grant that was withdrawn', async () => {
    const { id } = await grant();
    await breaksAndMends({
      reason: /grant is over/,
      async act() {
        await oauth('POST', `/grants/${id}/revoke`);
        await expire();
      },
      mend: reconnect,
    });
  }, 300_000);

  it('C2 a scope that is missing is named', async () => {
    const { id } = await grant();
    await breaksAndMends({
      reason: /write:jira-work/,
      act: () => oauth('DELETE', `/grants/${id}/scopes/write:jira-work`),
      mend: reconnect,
    });
  }, 300_000);
});

describe('drill: the gateway does not know the cloud id', () => {
  afterEach(() => oauth('PUT', '/sites', { count: 2 }));

  it('C10 no issue counts as deleted; when the site is known again everything arrives by itself', async () => {
    await breaksAndMends({
      reason: /404/,
      act: () => oauth('PUT', '/sites', { count: 0 }),
      async mend() {
        await oauth('PUT', '/sites', { count: 2 });
        await drill.maintain();
      },
    });
    const { rows } = await stack.db.query('select 1 from issue_link where missing_since is not null');
    expect(rows).toEqual([]);
  }, 300_000);
});

describe('drill: webhooks', () => {
  it('S2 one that has expired is registered again, and what was missed is caught up', async () => {
    const since = new Date();
    const { go } = drill;
    const linked = await go.pushed();
    const [webhook] = await webhooks();
    await must(stack.sandbox('POST', `/webhooks/${webhook?.id}/expire`, {}));
    // Thirty days without a worker have passed for the product too.
    await stack.db.query(`update connection set webhook_expires_at = now() - interval '1 minute' where id = $1`, [
      connectionId,
    ]);
    expect(drill.check(await drill.state(), 'webhook')).toMatchObject({
      ok: false,
      cause: expect.stringContaining('expired'),
    });
    await go.move(linked.key, 'Done');
    await go.quiet(linked.id);
    expect((await go.finding(linked.id)).status).toBe('awaiting_fix');

    await drill.maintain();
    await until(async () => (await webhooks()).some(({ expired }) => !expired), { seconds: 60, what: 'a new webhook' });
    await go.becomes(linked.id, 'needs_rerun', 60);
    expect(drill.check(await drill.state(), 'webhook')?.cause ?? '').not.toContain('expired');
    expect((await drill.state()).status).toBe('connected');
    expect(await drill.notices(since)).toEqual([]);
    // The new one works.
    const next = await go.flagged();
    expect(await go.count(next.id, 'claimed')).toBe(1);
  }, 300_000);

  it('S2 a registration that is rejected inside a 200 is said once, and tried again', async () => {
    const since = new Date();
    const { go } = drill;
    const linked = await go.pushed();
    for (const { id } of await webhooks()) await must(stack.sandbox('DELETE', `/webhooks/${id}`));
    await stack.faults.add({ kind: 'registration', errors: ['The jqlFilter is not supported.'] });
    await drill.sync();
    const refused = await until(
      async () => {
        const found = await drill.state();
        return found.health.webhookError ? found : null;
      },
      { seconds: 60, what: 'the refusal' },
    );
    expect(refused.status).toBe('connected');
    expect(refused.health.webhookError).toContain('The jqlFilter is not supported.');
    expect(drill.check(refused, 'webhook')).toMatchObject({ ok: false, cure: expect.any(String) });
    await drill.sync();
    await drill.maintain();
    await drill.told(since, ['webhook_failed']);
    await go.move(linked.key, 'Done');

    await stack.faults.clear();
    await drill.sync();
    await until(async () => (await webhooks()).length === 1, { seconds: 60, what: 'the webhook' });
    await go.becomes(linked.id, 'needs_rerun', 60);
    expect((await drill.state()).health.webhookError).toBeNull();
    expect(await drill.notices(since)).toEqual([{ kind: 'webhook_failed', sent: true }]);
    const next = await go.flagged();
    expect(await go.count(next.id, 'claimed')).toBe(1);
  }, 300_000);
});
