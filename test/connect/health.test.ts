import { createHmac, randomUUID } from 'node:crypto';
import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSlackPeople, signedIn } from './support';

jest.setTimeout(240_000);

type Check = { name: string; ok: boolean; cause?: string; cure?: string; state?: string };

describe('the health of a connection', () => {
  let stack: Stack;
  let steps: ReturnType<typeof createSteps>;
  let account: { siteUrl: string; email: string; apiToken: string };
  beforeAll(async () => {
    stack = await startStack();
    steps = createSteps(stack);
    const { jiraUrl = '', jiraBotEmail = '', jiraBotApiToken = '' } = stack.local;
    account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken };
  });
  afterAll(() => stack?.stop());
  afterEach(() => stack.faults.clear());

  async function connected(): Promise<{ id: string; webhookSecret: string }> {
    return await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC' }));
  }

  const health = async (id: string) =>
    (await must(stack.api('GET', '/api/v1/connections?limit=200'))).items.find((each: { id: string }) => each.id === id)
      .health;
  const check = async (id: string, name: string): Promise<Check> =>
    (await health(id)).checks.find((each: Check) => each.name === name);

  /** A finding of a new source that is linked to an issue through the connection. */
  async function linked(id: string, key: string): Promise<string> {
    const source = { key, name: key, kind: 'suite', connection: id, projectKey: 'ACC', rule: { enabled: true } };
    await must(stack.api('POST', '/api/v1/sources', source));
    await steps.report(key, { failed: [`${key} fails`] });
    const [finding = ''] = await steps.findings(key);
    await must(stack.api('POST', '/api/v1/pushes', { source: key, findings: [finding] }));
    await steps.becomes(finding, 'awaiting_fix');
    return finding;
  }

  async function deliver({ id, webhookSecret }: { id: string; webhookSecret: string }, issueId: string): Promise<void> {
    const items = [{ field: 'status', fieldId: 'status', from: '1', fromString: 'To Do', to: '2', toString: 'Done' }];
    const body = JSON.stringify({
      timestamp: Date.now(),
      webhookEvent: 'jira:issue_updated',
      issue: { id: issueId, key: `ACC-${issueId}` },
      changelog: { id: randomUUID(), items },
    });
    const signature = `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`;
    const path = `/api/integrations/jira/webhook?integration_id=${id}`;
    const headers = { 'x-hub-signature': signature, 'x-atlassian-webhook-identifier': randomUUID() };
    expect((await stack.apiAs(null)('POST', path, body, headers)).status).toBe(200);
  }

  it('C10 is all well for a new connection, with every check there is', async () => {
    const { id } = await connected();
    expect(await health(id)).toMatchObject({
      ok: true,
      heldPushes: 0,
      lastWebhookAt: null,
      tokenState: 'valid',
      lostProjects: [],
    });
    const names = (await health(id)).checks.map((each: Check) => each.name);
    const entries = ['address', 'credentials', 'project', 'webhook', 'tracking', 'verification', 'sessions'];
    expect(names).toEqual([...entries, 'polling', 'pushes']);
  });

  it('C10 says of what nobody has seen yet that it is not known, and of a poll that is off that it is off', async () => {
    const { id } = await connected();
    const states = (await health(id)).checks.flatMap(({ name, state }: Check) => (state ? [[name, state]] : []));
    expect(Object.fromEntries(states)).toEqual({
      webhook: 'unknown',
      tracking: 'unknown',
      verification: 'unknown',
      polling: 'off',
    });
    const { text } = await (await signedIn(stack)).open(`/connect/connections/${id}`);
    expect(text).toContain('? Not yet known : Webhook from Jira');
    expect(text).toContain('– Off : Hourly poll');
  });

  it.each([
    ['address', `site_url = site_url || '/'`, 'no trailing slash'],
    [
      'credentials',
      `status = 'reconnect_required', status_reason = 'Jira does not accept the API token (401).'`,
      'not revoked and has not expired',
    ],
    ['project', `lost_projects = '{ACC}'`, 'case-sensitive'],
    ['polling', `auto_sync = true, poll_error = 'Jira answered 503.'`, 'Test connection'],
    ['polling', `auto_sync = true, last_poll_at = now() - interval '4 hours'`, 'worker'],
    ['webhook', `kind = 'oauth', webhook_error = 'The JQL is not allowed.'`, 'Synchronise now'],
    ['webhook', `kind = 'oauth', webhook_expires_at = now() - interval '1 day'`, 'registered again'],
  ])('C10 %s: says cause and cure where %s', async (name, change, cure) => {
    const { id } = await connected();
    // The sync that a new connection begins with writes some of the same columns.
    await until(async () => (await health(id)).lastPollAt, { what: 'the first poll' });
    await stack.db.query(`update connection set ${change} where id = $1`, [id]);
    const found = await check(id, name);
    expect(found).toMatchObject({
      ok: false,
      cause: expect.stringMatching(/\S{3}/),
      cure: expect.stringContaining(cure),
    });
    expect((await health(id)).ok).toBe(false);
    await stack.db.query('update connection set deleted_at = now() where id = $1', [id]);
  });

  it('C10 webhook, tracking: tells a webhook that never came from one that speaks of other issues alone', async () => {
    const connection = await connected();
    const { id } = connection;
    const finding = await linked(id, 'c10-webhook');
    expect(await check(id, 'webhook')).toMatchObject({ ok: true, state: 'unknown' });
    const aged = `update connection set created_at = now() - interval '2 days' where id = $1`;
    await stack.db.query(aged, [id]);
    expect(await check(id, 'webhook')).toMatchObject({ ok: true, state: 'unknown' });
    await stack.db.query(`update issue_link set linked_at = now() - interval '2 days' where connection_id = $1`, [id]);
    expect(await check(id, 'webhook')).toMatchObject({ ok: false, cure: expect.stringContaining('integration_id') });
    await deliver(connection, '999999');
    await until(async () => (await check(id, 'webhook')).ok, { what: 'the noted webhook' });
    expect(await check(id, 'tracking')).toMatchObject({ cause: expect.stringMatching(/^The only delivery /) });
    expect((await health(id)).lastWebhookAt).toEqual(expect.stringMatching(/^\d{4}-/));
    expect(await check(id, 'tracking')).toMatchObject({
      ok: false,
      cause: expect.stringContaining('no finding is linked to'),
      cure: expect.stringContaining('/link'),
    });
    const { rows } = await stack.db.query(
      'select l.jira_issue_id as issue from issue_link l join finding f on f.id = l.finding_id where f.number = $1',
      [Number(finding.slice(2))],
    );
    await deliver(connection, rows[0].issue);
    await until(async () => (await check(id, 'tracking')).ok, { what: 'a delivery about a tracked issue' });
  });

  it('C10 verification, sessions: finds linked findings without an execution, and cards that are behind', async () => {
    const { id } = await connected();
    const finding = await linked(id, 'c10-verification');
    const ofFinding = 'finding_id = (select id from finding where number = $1)';
    const number = [Number(finding.slice(2))];
    expect((await check(id, 'verification')).ok).toBe(true);
    await stack.db.query(`delete from occurrence where ${ofFinding}`, number);
    expect(await check(id, 'verification')).toMatchObject({
      ok: false,
      cause: expect.stringContaining('1 linked finding has no page'),
      cure: expect.stringContaining('report'),
    });
    expect((await check(id, 'sessions')).ok).toBe(true);
    // Again and again: the outbox may be at work on the card just then.
    const behind = `dirty = true, dirty_since = now() - interval '5 minutes', not_before = now() + interval '1 hour'`;
    const stale = async () => {
      await stack.db.query(`update card set ${behind} where ${ofFinding}`, number);
      const found = await check(id, 'sessions');
      return found.ok ? null : found;
    };
    expect(await until(stale, { what: 'the card that is behind' })).toMatchObject({
      cause: expect.stringMatching(/^1 card in Slack has .*Session pending/),
    });
  });

  it('C10 holds pushes of a broken connection, counts them, and lets them go when it is reconnected', async () => {
    const { id } = await connected();
    const source = {
      key: 'c10-held',
      name: 'Held',
      kind: 'suite',
      connection: id,
      projectKey: 'ACC',
      rule: { enabled: true },
    };
    await must(stack.api('POST', '/api/v1/sources', source));
    await steps.report('c10-held', { failed: ['held one'] });
    const [finding = ''] = await steps.findings('c10-held');
    const fault = await stack.faults.add({ kind: 'revoked', account: 'bot' });
    await must(stack.api('POST', `/api/v1/connections/${id}/test`));
    const push = await must(stack.api('POST', '/api/v1/pushes', { source: 'c10-held', findings: [finding] }));
    const outcome = async () => (await must(stack.api('GET', `/api/v1/pushes/${push.id}`))).items[0].outcome;
    await until(async () => (await outcome()) === 'held', { what: 'the held push', seconds: 60 });
    expect(await health(id)).toMatchObject({ heldPushes: 1 });
    expect(await check(id, 'pushes')).toMatchObject({
      ok: false,
      cause: '1 push is held until the connection works.',
      cure: expect.stringContaining('goes on by itself'),
    });
    const told = await createSlackPeople(stack).types('owner', 'connect');
    expect(told.text).toContain('1 held push');
    expect(told.text).toMatch(/last poll .*, auto sync off, /);
    // Seen well before, but nobody can look now; an administrator's webhook goes on without the credentials.
    expect(await check(id, 'project')).toMatchObject({ ok: true, state: 'unknown' });
    const card = async () => {
      const { rows } = await stack.db.query(
        'select c.ts from card c join finding f on f.id = c.finding_id where f.number = $1',
        [Number(finding.slice(2))],
      );
      const { channels } = await must(stack.slack('GET', `/state?channel=${stack.local.slackChannelId}`));
      const messages = channels.flatMap((each: { messages?: { ts: string; text: string }[] }) => each.messages ?? []);
      return messages.find((each: { ts: string }) => each.ts === rows[0]?.ts);
    };
    const waits = 'Its push waits for the connection to Jira';
    await until(async () => (await card())?.text.includes(waits), { what: 'the card of the held push', seconds: 60 });
    expect(JSON.stringify(await card())).not.toContain('finding.push');
    // As it stands right after new credentials, before the synchronisation has let the pushes go.
    await stack.db.query(`update connection set status = 'connected' where id = $1`, [id]);
    expect(await check(id, 'pushes')).toMatchObject({ ok: true, state: 'unknown' });
    await stack.db.query(`update connection set status = 'reconnect_required' where id = $1`, [id]);

    const refused = await stack.api('POST', `/api/v1/connections/${id}/reconnect`, {
      email: account.email,
      apiToken: 'planted-wrong-token',
    });
    expect(refused).toMatchObject({ status: 400, body: { code: 'connection_credentials' } });
    expect(JSON.stringify(refused)).not.toContain('planted-wrong-token');
    await stack.faults.remove(fault.id);
    const { email, apiToken } = account;
    const again = await must(stack.api('POST', `/api/v1/connections/${id}/reconnect`, { email, apiToken }));
    expect(again).toMatchObject({ id, status: 'connected' });
    await until(async () => (await outcome()) === 'created', { what: 'the released push', seconds: 90 });
    expect(await health(id)).toMatchObject({ heldPushes: 0 });
  });
});
