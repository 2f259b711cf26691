import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { type Browser, createBrowser, createSlackPeople, type Shown, signedIn } from './support';

jest.setTimeout(240_000);

describe('connecting with OAuth', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack?.stop());
  beforeEach(async () => {
    await stack.faults.clear();
    await must(stack.sandbox('PUT', '/oauth/sites', { count: 1 }));
  });

  const connections = async () =>
    (await must(stack.api('GET', '/api/v1/connections'))).items as {
      id: string;
      kind: string;
      siteUrl: string;
      projectKey: string;
    }[];
  const newest = async (before: { id: string }[]) =>
    (await connections()).find((each) => !before.some(({ id }) => id === each.id));

  async function consent(browser: Browser, decision: 'Accept' | 'Cancel' = 'Accept'): Promise<Shown> {
    await ask(browser);
    return browser.press(decision);
  }

  async function ask(browser: Browser): Promise<Shown> {
    await browser.open('/connect');
    return browser.press('Connect with Atlassian');
  }

  async function connected(): Promise<string> {
    const before = await connections();
    const browser = await signedIn(stack);
    await consent(browser);
    await browser.press('Save connection', { projectKey: 'ACC' });
    return (await newest(before))?.id ?? '';
  }

  it('C2 C9 goes over the consent to a connection whose webhook is registered by itself', async () => {
    const before = await connections();
    const browser = await signedIn(stack);
    await browser.open('/connect');
    const asked = await browser.press('Connect with Atlassian');
    const authorize = new URL(asked.url);
    expect(Object.fromEntries(authorize.searchParams)).toMatchObject({
      audience: 'api.atlassian.com',
      response_type: 'code',
      prompt: 'consent',
      redirect_uri: `${stack.local.baseUrl}/connect/atlassian/callback`,
      scope: 'read:jira-work write:jira-work read:jira-user manage:jira-webhook offline_access',
    });
    const picker = await browser.press('Accept');
    expect(picker.text).toContain('Choose the project');
    const saved = await browser.press('Save connection', { projectKey: 'ACC' });
    expect(saved.text).toContain('registered in Jira by itself');
    expect(saved.html).toContain('<h1>Connected</h1>');
    const made = await newest(before);
    expect(made).toMatchObject({ kind: 'oauth', status: 'connected', projectKey: 'ACC' });
    // The seeded connection is to the same site and project.
    expect(made).toMatchObject({ email: null, accountName: 'Recheck' });
    const own = await browser.open(`/connect/connections/${made?.id}`);
    expect(own.html).toContain(`<h1>${made?.siteUrl}, ACC (OAuth of Recheck)</h1>`);
    expect((await createSlackPeople(stack).types('admin', 'connect')).text).toContain('ACC, OAuth of Recheck');

    const { rows } = await stack.db.query(
      "select encode(credentials, 'escape') as sealed from connection where id = $1",
      [made?.id],
    );
    expect(rows[0].sealed).not.toMatch(/at\.|rt\.|accessToken/);
    const tested = await must(stack.api('POST', `/api/v1/connections/${made?.id}/test`));
    expect(tested.checks.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok])).toEqual(
      expect.arrayContaining([
        ['credentials', true],
        ['scopes', true],
        ['project', true],
      ]),
    );

    const source = {
      key: 'by-oauth',
      name: 'OAuth',
      kind: 'suite',
      connection: made?.id,
      projectKey: 'ACC',
      rule: { enabled: true },
    };
    await must(stack.api('POST', '/api/v1/sources', source));
    const health = async () =>
      ((await connections()) as unknown as { id: string; health: { webhookExpiresAt: string | null } }[]).find(
        ({ id }) => id === made?.id,
      )?.health;
    await until(async () => (await health())?.webhookExpiresAt, { what: 'the registered webhook', seconds: 60 });
    const page = await browser.open(`/connect/connections/${made?.id}`);
    expect(page.text).toMatch(/Webhook expires 2\d{3}-/);

    const steps = createSteps(stack);
    await steps.report('by-oauth', { failed: ['granted'] });
    const [finding = ''] = await steps.findings('by-oauth');
    await must(stack.api('POST', '/api/v1/pushes', { source: 'by-oauth', findings: [finding] }));
    await steps.becomes(finding, 'awaiting_fix', 60);
  });

  it('C2 lets the site be chosen where the grant covers several, and keeps the grant sealed meanwhile', async () => {
    await must(stack.sandbox('PUT', '/oauth/sites', { count: 2 }));
    const before = await connections();
    const browser = await signedIn(stack);
    const choice = await consent(browser);
    expect(choice.text).toContain('Your grant covers 2 sites');
    expect(choice.html).not.toMatch(/\b(at|rt)\.[\w-]{20,}/);
    const { rows } = await stack.db.query('select payload from one_time_link');
    expect(JSON.stringify(rows)).not.toMatch(/accessToken|refreshToken|\b(at|rt)\.[\w-]{20,}/);
    const second = /value="([^"]+)"[^>]*> acme-operations/.exec(choice.html)?.[1] ?? '';
    const picker = await browser.press('Go on', { site: second });
    expect(picker.text).toContain('OPS: Operations');
    expect(picker.text).not.toContain('ACC: Accessibility');
    expect((await browser.press('Save connection', { projectKey: 'OPS' })).text).toContain('is connected');
    const made = await newest(before);
    expect(made?.siteUrl).toContain('ops.localhost');
    expect(choice.text).toContain(made?.siteUrl);
  });

  it('C2 says so where the grant covers no site', async () => {
    await must(stack.sandbox('PUT', '/oauth/sites', { count: 0 }));
    const answer = await consent(await signedIn(stack));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('The grant covers no Jira site');
  });

  it('C2 takes a declined consent with cause and cure, and shows nothing of what the address says', async () => {
    const browser = await signedIn(stack);
    const declined = await consent(browser, 'Cancel');
    expect(declined.text).toContain('the consent was declined');
    expect(declined.text).toContain('accept');
    await browser.open('/connect');
    const asked = await browser.press('Connect with Atlassian');
    const state = new URL(asked.url).searchParams.get('state') ?? '';
    const planted = '<b>planted words</b>';
    const other = await browser.open(
      `/connect/atlassian/callback?${new URLSearchParams({ error: 'server_error', error_description: planted, state })}`,
    );
    expect(other.text).toContain('Atlassian answered server_error instead of a grant');
    expect(other.html).not.toContain('planted words');
  });

  it('C2 binds the state to the session that asked, and takes it once', async () => {
    const before = await connections();
    const [victim, attacker] = [await signedIn(stack), await signedIn(stack, 'owner')];
    await attacker.open('/connect');
    const asked = await attacker.press('Connect with Atlassian');
    const parameters = new URL(asked.url).searchParams;
    const code = await codeOf(parameters);
    const callback = `/connect/atlassian/callback?${new URLSearchParams({ code, state: parameters.get('state') ?? '' })}`;

    const lured = await victim.open(callback);
    expect(lured).toMatchObject({ status: 400 });
    expect(lured.text).toContain('was not asked for in your session');
    const late = await attacker.open(callback);
    expect(late.status).toBe(400);
    expect(late.text).toContain('was taken before');
    const other = await signedIn(stack);
    const own = new URL((await ask(other)).url).searchParams.get('state') ?? '';
    const elsewhere = await victim.open(
      `/connect/atlassian/callback?${new URLSearchParams({ code: 'x', state: own })}`,
    );
    expect(elsewhere.text).toContain('was not asked for in your session');
    expect((await victim.open('/connect/atlassian/callback?code=x&state=made-up')).status).toBe(400);
    expect((await createBrowser(stack.local.baseUrl).open(callback)).status).toBe(401);
    expect(await connections()).toEqual(before);
  });

  it('C2 says what Atlassian refused when the code is not taken', async () => {
    const browser = await signedIn(stack);
    await browser.open('/connect');
    const asked = await browser.press('Connect with Atlassian');
    const state = new URL(asked.url).searchParams.get('state') ?? '';
    const answer = await browser.open(`/connect/atlassian/callback?${new URLSearchParams({ code: 'wrong', state })}`);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('invalid_grant');
    expect(answer.text).toContain('start again from the connect page');
  });

  it('C2 C10 reconnects a dead grant by consent, as the same connection', async () => {
    const id = await connected();
    const { grants } = await must(stack.sandbox('GET', '/oauth'));
    await must(stack.sandbox('POST', `/oauth/grants/${grants.at(-1).id}/revoke`));
    await must(stack.sandbox('POST', '/oauth/expire', {}));
    expect((await must(stack.api('POST', `/api/v1/connections/${id}/test`))).ok).toBe(false);
    const status = async () =>
      ((await connections()) as unknown as { id: string; status: string }[]).find((each) => each.id === id)?.status;
    expect(await status()).toBe('reconnect_required');
    const dead = await (await signedIn(stack)).open(`/connect/connections/${id}`);
    expect(dead.text).toContain('does not work any more');
    expect(dead.text).not.toContain('renewed by itself');
    // The button of another name would make a second connection, and leave the sources on this one.
    expect(dead.text).toContain("press Reconnect on the connection's page");
    expect(dead.text).not.toMatch(/connect with Atlassian again/i);
    expect(primaryOf(dead)).toEqual(['Reconnect']);
    expect(dead.text).toMatch(/\? Not yet known : Project accessible It cannot be known until .*reconnected/);
    expect(dead.text).toMatch(/\? Not yet known : Webhook from Jira It cannot be known .* No webhook has come yet\./);
    expect(
      (await stack.api('POST', `/api/v1/connections/${id}/reconnect`, { email: 'a@b.c', apiToken: 't' })).body.code,
    ).toBe('oauth_connection');

    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${id}/reconnect`);
    await browser.press('Reconnect with Atlassian');
    const done = await browser.press('Accept');
    expect(done.url).toBe(`${stack.local.baseUrl}/connect/connections/${id}?done=reconnected`);
    expect(done.text).toContain('new credentials');
    expect(primaryOf(done)).toEqual(['Test connection']);
    expect(done.text).toContain('(OAuth of Recheck)');
    expect(done.text).toContain('✓ Passed : Project accessible');
    expect(await status()).toBe('connected');
    expect((await must(stack.api('POST', `/api/v1/connections/${id}/test`))).ok).toBe(true);
  });

  it('C2 refuses to reconnect a site that the new grant does not cover', async () => {
    const id = await connected();
    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${id}/reconnect`);
    await browser.press('Reconnect with Atlassian');
    await must(stack.sandbox('PUT', '/oauth/sites', { count: 0 }));
    const refused = await browser.press('Accept');
    expect(refused.text).toContain('The grant does not cover');
    expect(refused.url).toBe(`${stack.local.baseUrl}/connect/connections/${id}/reconnect`);
  });

  it('C2 comes back to Reconnect of the same connection when the consent is declined or fails', async () => {
    const id = await connected();
    const browser = await signedIn(stack);
    const at = `${stack.local.baseUrl}/connect/connections/${id}/reconnect`;
    const asked = await browser.open(at);
    expect(asked.text).toContain('(OAuth of Recheck)');
    await browser.press('Reconnect with Atlassian');
    const declined = await browser.press('Cancel');
    expect(declined).toMatchObject({ url: at, status: 400 });
    expect(declined.text).toContain('Press "Reconnect with Atlassian" again');
    expect(declined.html).toContain('<title>Error: Reconnect');
    const state = new URL((await browser.press('Reconnect with Atlassian')).url).searchParams.get('state') ?? '';
    const failed = await browser.open(`/connect/atlassian/callback?${new URLSearchParams({ code: 'wrong', state })}`);
    expect(failed).toMatchObject({ url: at, status: 400 });
    expect(failed.text).toContain('invalid_grant');
    expect((await browser.open(at)).html).not.toContain('role="alert"');
  });

  it('C8 deletes the dynamic webhook in Jira, erases the tokens and refuses pushes at once', async () => {
    const id = await connected();
    const source = {
      key: 'leaving',
      name: 'Leaving',
      kind: 'suite',
      connection: id,
      projectKey: 'WEB',
      rule: { enabled: true },
    };
    await must(stack.api('POST', '/api/v1/sources', source));
    const webhooks = async () => {
      const { items } = await must(stack.sandbox('GET', '/webhooks'));
      return (items as { url: string }[]).filter(({ url }) => url.includes(id));
    };
    await until(async () => (await webhooks()).length > 0, { what: 'the registered webhook', seconds: 60 });
    await until(
      async () =>
        (await stack.db.query('select 1 from connection where id = $1 and cardinality(dynamic_webhook_ids) > 0', [id]))
          .rowCount,
      { what: 'the stored webhook id', seconds: 60 },
    );
    const asked = await (await signedIn(stack)).open(`/connect/connections/${id}/disconnect`);
    expect(asked.text).toContain('Its webhook in Jira is deleted.');
    const told = await createSlackPeople(stack).types('admin', 'disconnect');
    const people = createSlackPeople(stack);
    const sure = await people.presses('admin', told, 'connect.ask_disconnect', id);
    expect(sure.text).toContain('credentials are erased');
    expect(sure.text).toContain('its webhook in Jira is deleted');
    expect(await connections()).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
    expect((await people.presses('admin', sure, 'connect.disconnect', id)).text).toContain('is disconnected');

    await until(async () => (await webhooks()).length === 0, { what: 'the deleted webhook', seconds: 30 });
    const { rows } = await stack.db.query(
      'select status, credentials, webhook_secret, dynamic_webhook_ids, deleted_at from connection where id = $1',
      [id],
    );
    expect(rows).toEqual([
      {
        status: 'disconnected',
        credentials: null,
        webhook_secret: null,
        dynamic_webhook_ids: [],
        deleted_at: expect.any(Date),
      },
    ]);
    const steps = createSteps(stack);
    await steps.report('leaving', { failed: ['late'] });
    const [finding = ''] = await steps.findings('leaving');
    const preview = await must(
      stack.api('POST', '/api/v1/pushes', { source: 'leaving', findings: [finding], dryRun: true }),
    );
    expect(preview).toMatchObject({ create: [], refuse: [{ finding }] });
  });

  /** The buttons that stand out. */
  function primaryOf({ html }: Shown): string[] {
    const found = html.matchAll(/<(?:button|a)\b[^>]*class="[^"]*\bprimary\b[^"]*"[^>]*>([^<]*)</g);
    return [...found].map(([, label = '']) => label);
  }

  async function codeOf(parameters: URLSearchParams): Promise<string> {
    const body = new URLSearchParams(parameters);
    body.set('decision', 'accept');
    const { jiraUrl = '' } = stack.local;
    const answer = await fetch(`${jiraUrl}/authorize`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: jiraUrl },
      body,
    });
    return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
  }
});
