import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { createBrowser, createSlackPeople, signedIn } from './support';

jest.setTimeout(180_000);

describe('the way to the connect page', () => {
  let stack: Stack;
  let people: ReturnType<typeof createSlackPeople>;
  beforeAll(async () => {
    stack = await startStack({ env: { CONNECT_LINK_MS: '60000' } });
    people = createSlackPeople(stack);
  });
  afterAll(() => stack?.stop());

  it('C9 opens by a link from Slack that works once, and says so the second time', async () => {
    const url = await people.connectUrl('admin');
    expect(new URL(url).pathname).toMatch(/^\/connect\/[\w-]{43}$/);
    const browser = createBrowser(stack.local.baseUrl);
    const opened = await browser.open(url);
    expect(opened).toMatchObject({ status: 200, url: `${stack.local.baseUrl}/connect` });
    expect(opened.text).toContain('With an API token');
    const again = await createBrowser(stack.local.baseUrl).open(url);
    expect(again.status).toBe(410);
    expect(again.text).toContain('opened before');
    expect(again.text).toContain('Type "/recheck connect" in Slack');
  });

  it('C9 is not used up by programs that only look where it leads', async () => {
    const url = await people.connectUrl('owner');
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await createBrowser(stack.local.baseUrl).open(url)).status).toBe(200);
  });

  it('C9 refuses links that are too old or that Recheck did not make', async () => {
    const url = await people.connectUrl('admin');
    await stack.db.query(
      `update one_time_link set expires_at = now() - interval '1 second' where kind = 'connect' and used_at is null`,
    );
    const late = await createBrowser(stack.local.baseUrl).open(url);
    expect(late.status).toBe(410);
    expect(late.text).toContain('not opened in time');
    const foreign = await createBrowser(stack.local.baseUrl).open(`/connect/${'x'.repeat(43)}`);
    expect(foreign.status).toBe(404);
    expect(foreign.text).toContain('did not make this link');
    expect(foreign.text).toContain('/recheck connect');
  });

  it('C9 keeps only hashes of links and sessions, and no part of either in Slack or in the session row', async () => {
    const told = await people.types('admin', 'connect');
    const url = told.elements.find((element) => element.url)?.url ?? '';
    const token = new URL(url).pathname.split('/').at(-1) ?? '';
    expect(told.text).not.toContain(token);
    const browser = createBrowser(stack.local.baseUrl);
    await browser.open(url);
    const cookie = browser.cookies.get('recheck_connect') ?? '';
    expect(cookie).toMatch(/^[\w-]{43}$/);
    const { rows } = await stack.db.query('select * from one_time_link');
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(rows)).not.toContain(cookie);
  });

  it('C9 protects the session: HttpOnly, Lax, only below /connect, no caching, no referrer, no scripts', async () => {
    const response = await fetch(await people.connectUrl('admin'), { redirect: 'manual' });
    expect(response.status).toBe(303);
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    expect(cookie).toMatch(/Path=\/connect/);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('content-security-policy')).not.toContain('script-src');
  });

  it('C9 shows nothing without a session and takes no form of another session', async () => {
    const stranger = createBrowser(stack.local.baseUrl);
    const shut = await stranger.open('/connect');
    expect(shut.status).toBe(401);
    expect(shut.text).toContain('Type "/recheck connect" in Slack');
    expect(shut.text).not.toContain(stack.local.jiraUrl ?? 'http');

    const admin = await signedIn(stack);
    const owner = await signedIn(stack, 'owner');
    const csrf = /name="csrf" value="([^"]+)"/.exec(owner.page()?.html ?? '')?.[1] ?? '';
    const form = { siteUrl: 'https://x.atlassian.net', email: 'a@b.c', apiToken: 'token', projectKey: 'ACC' };
    for (const given of [{}, { csrf: '' }, { csrf }]) {
      const answer = await admin.post('/connect/token', { ...form, ...given });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('nothing was done');
    }
    const { connectionId } = stack.local;
    expect((await admin.post(`/connect/connections/${connectionId}/disconnect`, { csrf })).status).toBe(403);
    expect((await stack.api('GET', '/api/v1/connections')).body.items).toHaveLength(1);
  });

  it('C7 refuses members in Slack with the reason, and makes no link for them', async () => {
    const count = async () => (await stack.db.query('select 1 from one_time_link')).rowCount;
    const before = await count();
    for (const text of ['connect', 'disconnect']) {
      const told = await people.types('member', text);
      expect(told.text).toContain('needs the role admin or owner; you are member');
      expect(told.elements.filter((element) => element.url)).toEqual([]);
    }
    expect(await count()).toBe(before);
  });

  it('C7 ends a session at once when its member is no admin any more', async () => {
    const made = await must(
      stack.api('POST', '/api/v1/members', { name: 'Ada Short', role: 'admin', slackUserId: 'U0ADASHORT' }),
    );
    const { rows } = await stack.db.query('select organisation_id from member where id = $1', [made.id]);
    const browser = await signedIn(stack);
    expect((await browser.open('/connect')).status).toBe(200);
    await stack.db.query('update one_time_link set member_id = $1 where organisation_id = $2', [
      made.id,
      rows[0].organisation_id,
    ]);
    expect((await browser.open('/connect')).text).toContain('Sign out Ada Short');
    await stack.db.query(`update member set role = 'member' where id = $1`, [made.id]);
    expect((await browser.open('/connect')).status).toBe(401);
    await stack.db.query(`update member set role = 'admin' where id = $1`, [made.id]);
    expect((await browser.open('/connect')).status).toBe(200);
    await must(stack.api('DELETE', `/api/v1/members/${made.id}`));
    expect((await browser.open('/connect')).status).toBe(401);
  });

  it('C7 refuses members over HTTP every call that connects, changes or disconnects', async () => {
    const key = stack.local.members.find((member) => member.role === 'member')?.apiKey ?? '';
    const member = stack.apiAs(key);
    const at = `/api/v1/connections/${stack.local.connectionId}`;
    const account = { siteUrl: 'https://x.atlassian.net', email: 'a@b.c', apiToken: 't', projectKey: 'ACC' };
    const calls: [string, string, unknown?][] = [
      ['POST', '/api/v1/connections', account],
      ['PUT', at, { autoSync: true }],
      ['POST', `${at}/reconnect`, { email: 'a@b.c', apiToken: 't' }],
      ['POST', `${at}/test`],
      ['POST', `${at}/sync`],
      ['GET', `${at}/mapping/ACC`],
      ['PUT', `${at}/mapping/ACC`, { blockedResolutions: [], blockedStatuses: [] }],
      ['DELETE', at],
      ['PUT', `/api/v1/sources/${stack.local.sourceKeys.site}/rule`, { projectKey: 'X' }],
    ];
    for (const [method, path, body] of calls) {
      const { status, body: problem } = await member(method, path, body);
      expect([method, path, status, problem.code]).toEqual([method, path, 403, 'forbidden']);
    }
    expect((await member('GET', '/api/v1/connections')).status).toBe(200);
  });

  it('C9 marks a failed form: title, focus and field say it, and its address opens the form again', async () => {
    const browser = await signedIn(stack);
    const { jiraUrl = '' } = stack.local;
    const failed = await browser.press('Connect with API token', { siteUrl: jiraUrl, email: 'nobody', apiToken: 'x' });
    expect(failed.status).toBe(400);
    expect(failed.html).toContain('<title>Error: Connect Jira');
    expect(failed.html).toMatch(/<div class="alert" role="alert" tabindex="-1" autofocus>/);
    expect(failed.html).toMatch(/<input id="email"[^>]* aria-invalid="true" aria-describedby="email-error email-hint"/);
    expect(failed.html).not.toMatch(/<input id="siteUrl"[^>]* aria-invalid/);
    const { baseUrl, connectionId } = stack.local;
    for (const [path, form] of [
      ['/connect/token', '/connect'],
      ['/connect/atlassian', '/connect'],
      [`/connect/connections/${connectionId}/test`, `/connect/connections/${connectionId}`],
      [`/connect/connections/${connectionId}/auto-sync`, `/connect/connections/${connectionId}`],
    ] as const) {
      expect(await browser.open(path)).toMatchObject({ status: 200, url: baseUrl + form });
    }
  });

  it('C9 names kind, account and project inside the link to a connection', async () => {
    const { html } = await (await signedIn(stack)).open('/connect');
    const { jiraUrl, jiraBotEmail, connectionId } = stack.local;
    const name = new RegExp(`<a href="/connect/connections/${connectionId}">([^<]+)</a>`).exec(html)?.[1];
    expect(name).toMatch(/, [A-Z]+ \(API token of /);
    expect(name).toContain(jiraUrl);
    expect(name).toContain(jiraBotEmail);
  });

  it('C9 has a session go on while it is used, with what was typed, and ends it half an hour later', async () => {
    const browser = await signedIn(stack);
    const csrf = /name="csrf" value="([^"]+)"/.exec(browser.page()?.html ?? '')?.[1] ?? '';
    const ends = `kind = 'connect_session' and used_at is null`;
    const leave = (left: string) =>
      stack.db.query(`update one_time_link set expires_at = now() + $1::interval where ${ends}`, [left]);
    const left = async () => {
      const sql = `select max(extract(epoch from expires_at - now()))::int as seconds from one_time_link where ${ends}`;
      return (await stack.db.query<{ seconds: number }>(sql)).rows[0]?.seconds ?? 0;
    };
    await leave('2 minutes');
    expect((await browser.post('/connect/token', { csrf })).status).toBe(400);
    expect(await left()).toBeGreaterThan(25 * 60);
    expect(await left()).toBeLessThanOrEqual(30 * 60);
    await leave('-1 seconds');
    const over = await browser.open('/connect');
    expect(over).toMatchObject({ status: 401, text: expect.stringContaining('30 minutes after its last use') });
    expect((await browser.open('/connect')).status).toBe(401);
  });

  it('C9 ends a session when its owner signs out', async () => {
    const browser = await signedIn(stack);
    const cookie = browser.cookies.get('recheck_connect') ?? '';
    const name = /Sign out ([^<]+)</.exec(browser.page()?.html ?? '')?.[1] ?? '';
    expect((await browser.press(`Sign out ${name}`)).text).toContain('Signed out');
    const response = await fetch(`${stack.local.baseUrl}/connect`, {
      headers: { cookie: `recheck_connect=${cookie}` },
    });
    expect(response.status).toBe(401);
  });
});
