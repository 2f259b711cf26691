import { openConnectPage } from '../drills/connect-page';
import { createSteps, type Steps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

type Webhook = {
  id: number;
  url: string;
  jqlFilter: string;
  events: string[];
  fieldIdsFilter: string[];
  expirationDate: string;
  expired: boolean;
};

const DAY_MS = 86_400_000;
let stack: Stack;
let go: Steps;
let connectionId: string;
let project: string;

beforeAll(async () => {
  stack = await startStack({ env: { MAINTENANCE_INTERVAL_MS: '1000' } });
  project = stack.local.jiraProject;
  connectionId = await (await openConnectPage(stack)).connectOauth(project);
  go = createSteps({ ...stack, local: { ...stack.local, connectionId } });
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack?.faults.clear();
});

async function webhooks(): Promise<Webhook[]> {
  const { items } = await must<{ items: Webhook[] }>(stack.sandbox('GET', '/webhooks'));
  return items.filter(({ expired }) => !expired);
}
/** Waits until Jira has exactly one webhook, and one that fits. */
const theWebhook = (what: string, fits: (webhook: Webhook) => boolean = () => true) =>
  until(
    async () => {
      const [webhook, ...more] = await webhooks();
      return more.length === 0 && webhook && fits(webhook) ? webhook : null;
    },
    { seconds: 60, what },
  );
async function connection() {
  const { rows } = await stack.db.query('select * from connection where id = $1', [connectionId]);
  return rows[0];
}
/** Waits until the connection knows the webhook that Jira has. */
const known = ({ id }: Webhook) =>
  until(async () => String((await connection()).dynamic_webhook_ids) === String(id), {
    seconds: 60,
    what: 'its id kept',
  });
const inDays = (expires: Date) => (expires.getTime() - Date.now()) / DAY_MS;

describe('S2 the dynamic webhook of an OAuth connection', () => {
  it('S2 there is none while nothing is routed, and one for exactly the routed projects then', async () => {
    expect(await webhooks()).toEqual([]);
    await go.source();
    const webhook = await theWebhook('the registration');
    expect(webhook).toMatchObject({
      url: `${stack.local.baseUrl}/api/integrations/jira/webhook/${connectionId}`,
      jqlFilter: `project in ("${project}")`,
      events: ['jira:issue_updated', 'jira:issue_deleted'],
      fieldIdsFilter: ['status', 'resolution', 'project'],
    });
    await known(webhook);
    const { webhook_expires_at: expires, webhook_error: error } = await connection();
    expect(inDays(expires)).toBeGreaterThan(29);
    expect(error).toBeNull();
  });

  it('S2 what it tells of moves the finding on; what Recheck writes does not come back', async () => {
    const { id, key } = await go.pushed();
    const told = async () => {
      const { rows } = await stack.db.query<{ event: string }>(
        `select event from delivery where connection_id = $1 and event like 'jira:%'`,
        [connectionId],
      );
      return rows.length;
    };
    await go.quiet(id);
    expect(await told()).toBe(0);
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun', 60);
    expect(await told()).toBeGreaterThan(0);
  });

  it('S2 the old one goes when the routing changes, and the new one covers what is still tracked', async () => {
    const before = await theWebhook('the webhook');
    const other = await otherProject();
    const source = await go.source();
    await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { projectKey: other }));
    const both = [project, other].sort().map((key) => `"${key}"`);
    const after = await theWebhook('the registration anew', ({ id }) => id !== before.id);
    expect(after.jqlFilter).toBe(`project in (${both.join(', ')})`);
    await known(after);
  });

  it('S2 one that ends soon is put off, and stays the same', async () => {
    const before = await theWebhook('the webhook');
    await must(stack.sandbox('POST', `/webhooks/${before.id}/expire`, { inMs: 6 * DAY_MS }));
    const after = await theWebhook('the renewal', (webhook) => inDays(new Date(webhook.expirationDate)) > 20);
    expect(after.id).toBe(before.id);
    await until(async () => inDays((await connection()).webhook_expires_at) > 20, { what: 'its end kept' });
  });

  it('S2 one that has ended, or vanished, is registered anew', async () => {
    const first = await theWebhook('the webhook');
    await must(stack.sandbox('POST', `/webhooks/${first.id}/expire`, { inMs: 0 }));
    const second = await theWebhook('the registration after the end', ({ id }) => id !== first.id);
    await must(stack.sandbox('DELETE', `/webhooks/${second.id}`));
    const third = await theWebhook('the registration after it vanished', ({ id }) => id !== second.id);
    await known(third);
  });

  it('S2 a rejection inside a 200 is named, told of once, and mended by itself', async () => {
    const errors = ['The clause project is unsupported'];
    await stack.faults.add({ kind: 'registration', errors });
    const lost = await theWebhook('the webhook');
    await must(stack.sandbox('DELETE', `/webhooks/${lost.id}`));
    const refused = await until(async () => (await connection()).webhook_error, {
      seconds: 60,
      what: 'the error kept',
    });
    expect(refused).toContain('The clause project is unsupported');
    const notices = async () => {
      const { rows } = await stack.db.query(
        `select kind, resolved_at is not null as resolved from notice where connection_id = $1 order by created_at`,
        [connectionId],
      );
      return rows;
    };
    expect(await notices()).toEqual([{ kind: 'webhook_failed', resolved: false }]);
    expect((await connection()).status).toBe('connected');

    await stack.faults.clear();
    await known(await theWebhook('the registration'));
    expect((await connection()).webhook_error).toBeNull();
    expect(await notices()).toEqual([{ kind: 'webhook_failed', resolved: true }]);
  });

  it('S2 C8 it goes with the connection', async () => {
    await must(stack.api('DELETE', `/api/v1/connections/${connectionId}`));
    await until(async () => (await webhooks()).length === 0, { seconds: 60, what: 'the end of the webhook' });
  });
});

async function otherProject(): Promise<string> {
  const { values } = await must<{ values: { key: string }[] }>(stack.jira('GET', '/rest/api/3/project/search'));
  const other = values.find(({ key }) => key !== project);
  if (!other) throw new Error('There is no other project.');
  return other.key;
}
