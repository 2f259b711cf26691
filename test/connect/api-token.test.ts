import { createHmac, randomUUID } from 'node:crypto';
import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { type Browser, createBrowser, createSlackPeople, fieldValue, signedIn } from './support';

jest.setTimeout(240_000);

describe('connecting by API token', () => {
  let stack: Stack;
  let account: { siteUrl: string; email: string; apiToken: string };
  beforeAll(async () => {
    stack = await startStack();
    const { jiraUrl = '', jiraBotEmail = '', jiraBotApiToken = '' } = stack.local;
    account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken };
  });
  afterAll(() => stack?.stop());
  afterEach(() => stack.faults.clear());

  const connections = async () =>
    (await must(stack.api('GET', '/api/v1/connections'))).items as { id: string; projectKey: string }[];
  const connect = (browser: Browser, over: Record<string, string> = {}) =>
    browser.press('Connect with API token', { ...account, ...over });

  it('C1 C9 goes from the form over the project picker to a connection, whose webhook works as told', async () => {
    const browser = await signedIn(stack);
    const picker = await connect(browser);
    expect(picker.text).toContain('Choose the project');
    expect(picker.text).toContain('ACC: Accessibility');
    expect(picker.text).toContain('WEB: Web shop');
    const saved = await browser.press('Save connection', { projectKey: 'WEB', autoSync: 'on' });
    expect(saved.text).toContain('is connected, with the project WEB');
    const webhookUrl = fieldValue(browser, 'webhookUrl') ?? '';
    const secret = fieldValue(browser, 'webhookSecret') ?? '';
    const [made] = (await connections()).filter((each) => each.projectKey === 'WEB');
    expect(webhookUrl).toBe(`${stack.local.baseUrl}/api/integrations/jira/webhook?integration_id=${made?.id}`);
    expect(made).toMatchObject({
      kind: 'api_token',
      status: 'connected',
      autoSync: true,
      health: { tokenState: 'valid' },
    });

    const body = JSON.stringify({
      timestamp: Date.now(),
      webhookEvent: 'jira:issue_updated',
      issue: { id: '1', key: 'WEB-1' },
    });
    const send = (signature: string) =>
      stack.apiAs(null)('POST', webhookUrl.slice(stack.local.baseUrl.length), body, { 'x-hub-signature': signature });
    expect((await send(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)).status).toBe(200);
    expect((await send(`sha256=${createHmac('sha256', `${secret}x`).update(body).digest('hex')}`)).status).toBe(401);
  });

  it('S1 C9 hears from Jira once URL and secret are pasted on its WebHooks page, as the page says', async () => {
    const browser = await signedIn(stack);
    const shown = await connect(browser, { projectKey: 'WEB' });
    for (const word of ['Settings', 'System', 'WebHooks', 'Issue: updated', 'Issue: deleted'])
      expect(shown.text).toContain(word);
    const jira = createBrowser(account.siteUrl);
    await jira.open('/plugins/servlet/webhooks');
    const url = fieldValue(browser, 'webhookUrl') ?? '';
    const secret = fieldValue(browser, 'webhookSecret') ?? '';
    const made = await jira.press('Create', { name: 'By hand', url, secret, 'jira:issue_updated': 'on' });
    expect(made.text).toContain('By hand : Enabled, signed');
    expect(made.html).not.toContain(secret);
    const fields = { project: { key: 'WEB' }, issuetype: { name: 'Bug' }, summary: 'Made by hand' };
    const { key } = await must(stack.jira('POST', '/rest/api/3/issue', { fields }));
    await must(stack.jira('PUT', `/rest/api/3/issue/${key}`, { fields: { summary: 'Changed by hand' } }));
    const id = new URL(url).searchParams.get('integration_id');
    const heard = async () =>
      (await must(stack.api('GET', '/api/v1/connections?limit=200'))).items.find(
        (each: { id: string }) => each.id === id,
      )?.health.lastWebhookAt;
    await until(heard, { what: 'the signed delivery', seconds: 30 });
  });

  it('C3 C9 shows the secret once, and the token never', async () => {
    const browser = await signedIn(stack);
    const shown = await connect(browser, { projectKey: 'WEB' });
    const secret = fieldValue(browser, 'webhookSecret') ?? '';
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(shown.html).not.toContain(account.apiToken);
    const again = await browser.open(shown.url);
    expect(again.status).toBe(200);
    expect(again.html).not.toContain(secret);
    expect(again.text).toContain('was shown once and cannot be shown again');
    const [{ id } = { id: '' }] = (await connections()).slice(-1);
    for (const path of ['/connect', `/connect/connections/${id}`, `/connect/connections/${id}/reconnect`]) {
      expect((await browser.open(path)).html).not.toMatch(new RegExp(`${secret}|${account.apiToken}`));
    }
    const listed = JSON.stringify(await stack.api('GET', '/api/v1/connections'));
    expect(listed).not.toMatch(new RegExp(`${secret}|${account.apiToken}`));
  });

  it('C1 C4 keeps what was typed, but never the token, and says cause and cure', async () => {
    const browser = await signedIn(stack);
    const wrong = await connect(browser, { apiToken: 'planted-wrong-token', projectKey: 'ACC' });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('✓ Passed : Site URL reachable');
    expect(wrong.text).toContain('✗ Failed : Credentials valid');
    expect(wrong.text).toMatch(/does not accept the e-mail and API token \(401\).*What to do:/);
    expect(wrong.html).not.toContain('planted-wrong-token');
    expect(fieldValue(browser, 'siteUrl')).toBe(account.siteUrl);
    expect(fieldValue(browser, 'email')).toBe(account.email);
    expect(fieldValue(browser, 'projectKey')).toBe('ACC');
    expect(fieldValue(browser, 'apiToken')).toBeUndefined();
  });

  it.each([
    ['http://jira.example', 'does not start with https://', 'Write it with https://'],
    ['https://jira.example/', 'trailing slash', 'Write it without'],
    ['https://jira.example/jira', 'has a path', 'Write only https://jira.example'],
    ['https://10.0.0.1', 'private network', 'Use the address of your Jira Cloud site'],
  ])('C4 says what is wrong with the site URL %s', async (siteUrl, cause, cure) => {
    const browser = await signedIn(stack);
    const { text } = await connect(browser, { siteUrl });
    expect(text).toContain('✗ Failed : Site URL reachable');
    expect(text).toContain(cause);
    expect(text).toContain(cure);
  });

  it('C4 does not save a connection whose project fails, and lets the project be chosen again', async () => {
    const before = (await connections()).length;
    const browser = await signedIn(stack);
    const failed = await connect(browser, { projectKey: 'acc' });
    expect(failed.text).toContain('The test of acc did not pass');
    expect(failed.text).toMatch(/Failed : Project accessible.*404.*What to do:.*case-sensitive/);
    await must(stack.sandbox('PUT', '/projects/ACC', { denied: ['CREATE_ISSUES', 'ADD_COMMENTS'] }));
    const denied = await browser.press('Save connection', { projectKey: 'ACC' });
    expect(denied.text).toMatch(/Failed : Permissions present.*Create issues, Add comments.*What to do:/);
    await must(stack.sandbox('PUT', '/projects/ACC', { denied: [], requiredFields: ['duedate'] }));
    const fields = await browser.press('Save connection', { projectKey: 'ACC' });
    expect(fields.text).toMatch(/Failed : An issue can be made.*Give them a default/);
    await must(stack.sandbox('PUT', '/projects/ACC', { requiredFields: [] }));
    expect(await connections()).toHaveLength(before);
    expect((await browser.press('Save connection', { projectKey: 'ACC' })).text).toContain('is connected');
    expect(await connections()).toHaveLength(before + 1);
  });

  it('C4 tests an existing connection as a checklist, on the page and over HTTP', async () => {
    const { connectionId } = stack.local;
    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${connectionId}`);
    const good = await browser.press('Test connection');
    expect(good.text).toContain('The connection was tested');
    // The page's address ends otherwise now; the id is what a source is routed with.
    expect(good.text).toContain(`Connection id ${connectionId}`);
    for (const words of ['Site URL reachable', 'Credentials valid', 'Project accessible', 'Permissions present'])
      expect(good.text).toContain(`✓ Passed : ${words}`);
    await must(stack.sandbox('PUT', '/projects/ACC', { invisible: true }));
    const bad = await browser.press('Test connection');
    expect(bad.text).toMatch(/Failed : Project accessible.*What to do:/);
    const overHttp = await must(stack.api('POST', `/api/v1/connections/${connectionId}/test`));
    expect(overHttp.checks.find((check: { name: string }) => check.name === 'project')).toMatchObject({
      ok: false,
      cause: expect.stringContaining('404'),
      cure: expect.stringContaining('case-sensitive'),
    });
    await must(stack.sandbox('PUT', '/projects/ACC', { invisible: false }));
    expect((await must(stack.api('POST', `/api/v1/connections/${connectionId}/test`))).ok).toBe(true);
  });

  it('C5 has several connections at once, each source with its own, and re-routes a source over HTTP', async () => {
    const made = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'WEB' }));
    const of = (connection: string) => ({ kind: 'suite', connection, projectKey: 'WEB', rule: { enabled: true } });
    await must(stack.api('POST', '/api/v1/sources', { key: 'c5', name: 'C5', ...of(made.id) }));
    expect((await must(stack.api('GET', '/api/v1/sources/c5/rule'))).connection).toBe(made.id);
    const steps = createSteps(stack);
    await steps.report('c5', { failed: ['five'] });
    const [finding = ''] = await steps.findings('c5');
    await must(stack.api('POST', '/api/v1/pushes', { source: 'c5', findings: [finding] }));
    await steps.becomes(finding, 'awaiting_fix');
    const { rows } = await stack.db.query(
      'select l.connection_id from issue_link l join finding f on f.id = l.finding_id where f.number = $1',
      [Number(finding.slice(2))],
    );
    expect(rows).toEqual([{ connection_id: made.id }]);

    const { connectionId } = stack.local;
    const moved = await must(
      stack.api('PUT', '/api/v1/sources/c5/rule', { connection: connectionId, projectKey: 'ACC' }),
    );
    expect(moved).toMatchObject({ connection: connectionId, projectKey: 'ACC', enabled: true });
    const unknown = await stack.api('PUT', '/api/v1/sources/c5/rule', { connection: randomUUID() });
    expect(unknown.status).toBe(404);
  });

  it('C6 leaves every source opted out of a new connection', async () => {
    const sources = () => stack.api('GET', '/api/v1/sources');
    await must(stack.api('POST', '/api/v1/sources', { key: 'c6', name: 'C6', kind: 'site' }));
    const before = (await sources()).body;
    const browser = await signedIn(stack);
    const saved = await connect(browser, { projectKey: 'ACC' });
    expect(saved.text).toContain('is connected');
    expect((await sources()).body).toEqual(before);
    const c6 = before.items.find((source: { key: string }) => source.key === 'c6');
    expect(c6).toMatchObject({ connection: null, rule: { enabled: false } });
  });

  it('C10 holds a broken connection, tells its health in words, and reconnects it on the page', async () => {
    const made = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC' }));
    const fault = await stack.faults.add({ kind: 'revoked', account: 'bot' });
    const tested = await must(stack.api('POST', `/api/v1/connections/${made.id}/test`));
    expect(tested).toMatchObject({ ok: false });
    const view = async () =>
      (await must(stack.api('GET', '/api/v1/connections'))).items.find((each: { id: string }) => each.id === made.id);
    const broken = await view();
    expect(broken).toMatchObject({ status: 'reconnect_required', health: { tokenState: 'dead', ok: false } });
    const credentials = broken.health.checks.find((check: { name: string }) => check.name === 'credentials');
    expect(credentials.cure).toContain('press Reconnect');

    const told = await createSlackPeople(stack).types('admin', 'connect');
    expect(told.text).toContain('needs to be reconnected');
    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${made.id}/reconnect`);
    const refused = await browser.press('Reconnect', { apiToken: 'planted-wrong-token' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('left as it is');
    expect(refused.html).not.toContain('planted-wrong-token');
    await stack.faults.remove(fault.id);
    const done = await browser.press('Reconnect', { apiToken: account.apiToken });
    expect(done.text).toContain('has new credentials');
    expect(await view()).toMatchObject({ status: 'connected', health: { tokenState: 'valid' } });
  });

  it('C10 lets a test of working credentials bring a broken connection back', async () => {
    const { connectionId } = stack.local;
    await stack.db.query(
      `update connection set status = 'reconnect_required', status_reason = 'Broken by hand.', broken_at = now() where id = $1`,
      [connectionId],
    );
    expect((await must(stack.api('POST', `/api/v1/connections/${connectionId}/test`))).ok).toBe(true);
    const { items } = await must(stack.api('GET', '/api/v1/connections'));
    expect(items.find((each: { id: string }) => each.id === connectionId)).toMatchObject({ status: 'connected' });
  });

  it('S6 C10 switches auto sync on and off, on the page and over HTTP', async () => {
    const { connectionId } = stack.local;
    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${connectionId}`);
    expect((await browser.press('Switch auto sync on')).text).toContain('Auto sync is on');
    const scheduled = async () => {
      for await (const { scheduleId } of stack.temporal.schedule.list())
        if (scheduleId.includes(connectionId)) return true;
      return false;
    };
    await until(scheduled, { what: 'the schedule of the poll', seconds: 60 });
    const off = await must(stack.api('PUT', `/api/v1/connections/${connectionId}`, { autoSync: false }));
    expect(off).toMatchObject({ autoSync: false });
    await until(async () => !(await scheduled()), { what: 'the end of the schedule', seconds: 60 });
  });

  it('C4 changes the default project only to one that works', async () => {
    const made = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC' }));
    const wrong = await stack.api('PUT', `/api/v1/connections/${made.id}`, { projectKey: 'NOPE' });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'connection_project' } });
    expect((await must(stack.api('PUT', `/api/v1/connections/${made.id}`, { projectKey: 'WEB' }))).projectKey).toBe(
      'WEB',
    );
  });

  it('S5 edits the mapping lists of a project, proposed by their usual names', async () => {
    const at = `/api/v1/connections/${stack.local.connectionId}/mapping`;
    const names = (list: { name: string }[]) => list.map(({ name }) => name).sort();
    const proposed = await must(stack.api('GET', `${at}/TEAM`));
    expect(proposed.saved).toBe(false);
    expect(names(proposed.blockedResolutions)).toEqual(['Cannot Reproduce', 'Duplicate', "Won't Do", "Won't Fix"]);
    expect(names(proposed.blockedStatuses)).toEqual(["Won't Do"]);
    expect(names(proposed.available.statuses)).toEqual(['Done', "Won't Do"]);

    const browser = await signedIn(stack);
    await browser.open(`/connect/connections/${stack.local.connectionId}/mapping/TEAM`);
    const duplicate = proposed.available.resolutions.find((each: { name: string }) => each.name === 'Duplicate').id;
    const saved = await browser.press('Save', { resolution: [duplicate], status: [] });
    expect(saved.text).toContain('Saved.');
    const stored = await must(stack.api('GET', `${at}/TEAM`));
    expect(stored).toMatchObject({
      saved: true,
      blockedStatuses: [],
      blockedResolutions: [{ id: duplicate, name: 'Duplicate' }],
    });
    const unknown = await stack.api('PUT', `${at}/TEAM`, { blockedResolutions: ['99'], blockedStatuses: [] });
    expect(unknown).toMatchObject({ status: 400, body: { code: 'unknown_resolution' } });
    expect((await stack.api('GET', `${at}/NOPE`)).status).toBe(404);
  });
});
