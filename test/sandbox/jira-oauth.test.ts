import { startJiraSandbox } from '../../local/sandbox/jira/server';
import { answerConsent } from '../support/stack-consent';
import {
  allScopes,
  authorizeUrl,
  connect,
  dayMs,
  gateway,
  latestGrant,
  redirectUri,
  refresh,
  resources,
  token,
} from './jira-oauth-support';
import { client, issueBody, type SandboxUnderTest, startUnderTest } from './jira-support';

const api = '/rest/api/3';
let jira: SandboxUnderTest;
let cloudIds: string[];

beforeAll(async () => {
  jira = await startUnderTest();
  const { access_token } = await connect(jira);
  cloudIds = (await resources(jira, access_token)).body.map(({ id }: { id: string }) => id);
});

afterEach(() => jira.anonymous('POST', '/sandbox/reset'));

afterAll(() => jira.stop());

function first(accessToken: string) {
  return gateway(jira, { cloudId: cloudIds[0] ?? '', token: accessToken });
}

describe('consent', () => {
  it('shows who consents to what, and where', async () => {
    const page = await fetch(authorizeUrl(jira));
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(html).toContain('recheck-bot@example.test');
    expect(html).toContain('Create and edit issues');
    expect(html).toContain(jira.sandbox.url);
  });

  it('sends the browser back with a code, or with the refusal, and always with the state', async () => {
    const accepted = await answerConsent(authorizeUrl(jira));
    expect(accepted.toString().startsWith(redirectUri)).toBe(true);
    expect(accepted.searchParams.get('state')).toBe('a state');
    expect(accepted.searchParams.get('code')).toMatch(/^.{20,}$/);
    const cancelled = await answerConsent(authorizeUrl(jira), 'cancel');
    expect(cancelled.searchParams.get('error')).toBe('access_denied');
    expect(cancelled.searchParams.get('code')).toBeNull();
    expect(cancelled.searchParams.get('state')).toBe('a state');
  });

  it.each([
    { client_id: 'another app' },
    { scope: 'read:everything' },
    { redirect_uri: 'javascript:alert(1)' },
    { audience: 'example.test' },
    { response_type: 'token' },
  ])('refuses %j on a page of its own', async (wrong) => {
    expect((await fetch(authorizeUrl(jira, wrong))).status).toBe(400);
    await expect(answerConsent(authorizeUrl(jira, wrong))).rejects.toThrow('400');
  });
});

describe('tokens', () => {
  it('exchanges a code once, for its own redirect URI and with the client secret', async () => {
    const code = (await answerConsent(authorizeUrl(jira))).searchParams.get('code') ?? '';
    const given = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
    const secretless = await token(jira, { ...given, client_secret: 'a guess' });
    expect(secretless).toMatchObject({ status: 401, body: { error: 'access_denied' } });
    expect(await token(jira, given)).toMatchObject({
      status: 200,
      body: { expires_in: 3600, token_type: 'Bearer', scope: allScopes, refresh_token: expect.any(String) },
    });
    expect(await token(jira, given)).toMatchObject({ status: 403, body: { error: 'invalid_grant' } });
    const other = (await answerConsent(authorizeUrl(jira))).searchParams.get('code') ?? '';
    const elsewhere = { ...given, code: other, redirect_uri: 'http://127.0.0.1:9/elsewhere' };
    expect((await token(jira, elsewhere)).status).toBe(403);
  });

  it('takes forms as well as JSON', async () => {
    const { refresh_token } = await connect(jira);
    const { clientId, clientSecret } = jira.sandbox.oauth;
    const body = { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token };
    const url = `${jira.sandbox.url}/oauth/token`;
    expect((await fetch(url, { method: 'POST', body: new URLSearchParams(body) })).status).toBe(200);
  });

  it('gives a refresh token only for offline_access', async () => {
    expect(await connect(jira, 'read:jira-user')).not.toHaveProperty('refresh_token');
  });

  it('rotates, lets a lost answer be asked for again for ten minutes, then kills the family', async () => {
    const before = await connect(jira);
    const once = await refresh(jira, before.refresh_token);
    expect(once.body.refresh_token).not.toBe(before.refresh_token);
    await jira.anonymous('POST', '/sandbox/oauth/age', { ms: 590_000 });
    const again = await refresh(jira, before.refresh_token);
    expect(again.status).toBe(200);
    expect(await latestGrant(jira)).toMatchObject({ refreshes: 2, reuses: 1, refusals: 0, endedBy: null });
    await jira.anonymous('POST', '/sandbox/oauth/age', { ms: 10_001 });
    const replayed = await refresh(jira, before.refresh_token);
    const description = 'Unknown or invalid refresh token.';
    expect(replayed).toMatchObject({ status: 403, body: { error: 'invalid_grant', error_description: description } });
    expect((await refresh(jira, once.body.refresh_token)).status).toBe(403);
    expect((await refresh(jira, again.body.refresh_token)).status).toBe(403);
    expect(await latestGrant(jira)).toMatchObject({ endedBy: 'reuse', refusals: 3 });
  });

  it('keeps the grant alive when many refresh at once with the same token', async () => {
    const { refresh_token } = await connect(jira);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(jira, refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await latestGrant(jira)).toMatchObject({ refreshes: 10, reuses: 9 });
  });

  it('ends a grant that nobody refreshed for ninety days; each refresh begins them anew', async () => {
    const { refresh_token } = await connect(jira);
    await jira.anonymous('POST', '/sandbox/oauth/age', { ms: 89 * dayMs });
    const { body } = await refresh(jira, refresh_token);
    await jira.anonymous('POST', '/sandbox/oauth/age', { ms: 89 * dayMs });
    const renewed = await refresh(jira, body.refresh_token);
    expect(renewed.status).toBe(200);
    await jira.anonymous('POST', '/sandbox/oauth/age', { ms: 90 * dayMs });
    expect((await refresh(jira, renewed.body.refresh_token)).status).toBe(403);
    expect(await latestGrant(jira)).toMatchObject({ endedBy: 'idle' });
  });

  it('commits and then loses the answer, or fails, as every other call can', async () => {
    const { refresh_token } = await connect(jira);
    await jira.anonymous('POST', '/sandbox/faults', { kind: 'drop', count: 1, match: { path: '^/oauth/token$' } });
    await expect(refresh(jira, refresh_token)).rejects.toThrow();
    expect(await latestGrant(jira)).toMatchObject({ refreshes: 1 });
    await jira.anonymous('POST', '/sandbox/faults', {
      kind: 'status',
      count: 1,
      status: 503,
      match: { path: '^/oauth/token$' },
    });
    expect((await refresh(jira, refresh_token)).status).toBe(503);
    expect((await refresh(jira, refresh_token)).status).toBe(200);
    const log = JSON.stringify((await jira.anonymous('GET', '/sandbox/requests')).body);
    expect(log).toContain('refresh_token');
    expect(log).not.toContain(refresh_token);
    expect(log).not.toContain(jira.sandbox.oauth.clientSecret);
  });
});

describe('gateway', () => {
  it('lists two sites that are separate by cloud id', async () => {
    const { access_token } = await connect(jira);
    const listed = await resources(jira, access_token);
    expect(listed.body).toMatchObject([
      { id: cloudIds[0], url: jira.sandbox.url, scopes: expect.arrayContaining(['read:jira-work']) },
      { id: cloudIds[1], name: 'acme-operations' },
    ]);
    expect(listed.body[0].scopes).not.toContain('offline_access');
    const other = gateway(jira, { cloudId: cloudIds[1] ?? '', token: access_token });
    const keys = async (call: typeof other) =>
      (await call('GET', `${api}/project/search`)).body.values.map(({ key }: { key: string }) => key);
    expect(await keys(first(access_token))).toEqual(['ACC', 'WEB', 'TEAM']);
    expect(await keys(other)).toEqual(['OPS']);
    const made = await first(access_token)('POST', `${api}/issue`, issueBody());
    expect(made.status).toBe(201);
    expect((await first(access_token)('GET', `${api}/issue/${made.body.id}`)).status).toBe(200);
    expect((await other('GET', `${api}/issue/${made.body.id}`)).status).toBe(404);
    expect((await other('POST', `${api}/issue`, issueBody())).status).toBe(400);
    expect((await other('POST', `${api}/issue`, issueBody({ project: { key: 'OPS' } }))).body.key).toMatch(/^OPS-/);
    expect((await jira.bot('GET', '/_edge/tenant_info')).body).toEqual({ cloudId: cloudIds[0] });
  });

  it('acts as the account that consented, and only at the gateway', async () => {
    const { access_token } = await connect(jira);
    const me = await first(access_token)('GET', `${api}/myself`);
    expect(me.body.accountId).toBe(jira.sandbox.accounts.bot.accountId);
    expect(me.headers.get('x-aaccountid')).toBe(jira.sandbox.accounts.bot.accountId);
    const headers = { authorization: `Bearer ${access_token}` };
    expect((await jira.anonymous('GET', `${api}/myself`, undefined, headers)).status).toBe(401);
  });

  it('answers 401 for a token that expired or was revoked, and 404 for a site that it does not know', async () => {
    const unauthorized = { status: 401, body: { code: 401, message: 'Unauthorized' } };
    expect(await first('no token')('GET', `${api}/myself`)).toMatchObject(unauthorized);
    const { access_token, refresh_token } = await connect(jira);
    const elsewhere = gateway(jira, { cloudId: 'ffffffff-0000-4000-8000-000000000000', token: access_token });
    expect((await elsewhere('GET', `${api}/myself`)).status).toBe(404);
    expect((await gateway(jira, { cloudId: 'none', token: 'no token' })('GET', `${api}/myself`)).status).toBe(401);
    await jira.anonymous('POST', '/sandbox/oauth/expire');
    expect(await first(access_token)('GET', `${api}/myself`)).toMatchObject(unauthorized);
    const renewed = (await refresh(jira, refresh_token)).body;
    expect((await first(renewed.access_token)('GET', `${api}/myself`)).status).toBe(200);
    const { id } = await latestGrant(jira);
    expect((await jira.anonymous('POST', `/sandbox/oauth/grants/${id}/revoke`)).status).toBe(204);
    expect(await first(renewed.access_token)('GET', `${api}/myself`)).toMatchObject(unauthorized);
    expect((await refresh(jira, renewed.refresh_token)).status).toBe(403);
  });

  it('names a missing scope in a 401 of its own', async () => {
    const missing = { status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } };
    const { access_token, refresh_token } = await connect(jira, 'read:jira-work read:jira-user offline_access');
    expect(await first(access_token)('POST', `${api}/issue`, issueBody())).toMatchObject(missing);
    expect(await first(access_token)('GET', `${api}/webhook`)).toMatchObject(missing);
    expect((await first(access_token)('GET', '/rest/webhooks/1.0/webhook')).status).toBe(401);
    const { id } = await latestGrant(jira);
    await jira.anonymous('DELETE', `/sandbox/oauth/grants/${id}/scopes/read:jira-user`);
    expect(await first(access_token)('GET', `${api}/myself`)).toMatchObject(missing);
    const renewed = (await refresh(jira, refresh_token)).body;
    expect(renewed.scope).toBe('read:jira-work offline_access');
    expect(await first(renewed.access_token)('GET', `${api}/myself`)).toMatchObject(missing);
  });

  it('takes an API token as well, as scoped ones need it', async () => {
    const bot = client(`${jira.sandbox.url}/ex/jira/${cloudIds[0]}`, jira.sandbox.accounts.bot);
    expect((await bot('GET', `${api}/myself`)).status).toBe(200);
    const wrong = client(`${jira.sandbox.url}/ex/jira/${cloudIds[0]}`, { email: 'x@example.test', apiToken: 'x' });
    expect((await wrong('GET', `${api}/serverInfo`)).status).toBe(401);
  });

  it('can admit to one site or to none', async () => {
    const { access_token } = await connect(jira);
    await jira.anonymous('PUT', '/sandbox/oauth/sites', { count: 1 });
    expect((await resources(jira, access_token)).body).toHaveLength(1);
    const other = gateway(jira, { cloudId: cloudIds[1] ?? '', token: access_token });
    expect((await other('GET', `${api}/myself`)).status).toBe(404);
    await jira.anonymous('PUT', '/sandbox/oauth/sites', { count: 0 });
    expect((await resources(jira, access_token)).body).toEqual([]);
  });

  it('serves the second site at an address of its own', async () => {
    const url = new URL((await resources(jira, (await connect(jira)).access_token)).body[1].url);
    expect(jira.sandbox.siteUrls).toEqual([jira.sandbox.url, url.origin]);
    expect(url.hostname).toBe('ops.localhost');
  });
});

it('counts points by account and by kind of caller', async () => {
  const { access_token } = await connect(jira);
  const call = first(access_token);
  await jira.anonymous('POST', '/sandbox/points/reset');
  const ids: string[] = [];
  for (let made = 0; made < 3; made += 1) ids.push((await call('POST', `${api}/issue`, issueBody())).body.id);
  await call('POST', `${api}/issue/bulkfetch`, { issueIdsOrKeys: ids, fields: ['status'] });
  await call('POST', `${api}/search/jql`, { jql: 'project = ACC', fields: ['status'] });
  await call('GET', `${api}/issue/${ids[0]}`);
  await call('GET', `${api}/myself`);
  await call('GET', `${api}/issue/999999`);
  await jira.person('GET', `${api}/project/ACC`);
  const { items, total } = (await jira.anonymous('GET', '/sandbox/points')).body;
  const { bot, person } = jira.sandbox.accounts;
  expect(items).toMatchObject([
    { accountId: bot.accountId, auth: 'oauth', requests: 8, points: 3 + 4 + 4 + 2 + 3 + 1 },
    { accountId: person.accountId, auth: 'basic', requests: 1, points: 2 },
  ]);
  expect(items[0].operations[`POST ${api}/issue/bulkfetch`]).toEqual({ requests: 1, points: 4 });
  expect(total).toBe(19);
});

it('reads the histories of many issues at once', async () => {
  const keys: string[] = [];
  for (let made = 0; made < 2; made += 1) keys.push((await jira.bot('POST', `${api}/issue`, issueBody())).body.key);
  await jira.person('PUT', `${api}/issue/${keys[0]}`, { fields: { summary: 'Another' } });
  await jira.person('POST', `${api}/issue/${keys[0]}/transitions`, { transition: { id: '41' } });
  const { body } = await jira.bot('POST', `${api}/changelog/bulkfetch`, {
    issueIdsOrKeys: keys,
    fieldIds: ['status', 'resolution'],
  });
  expect(body.issueChangeLogs).toHaveLength(2);
  const [history] = body.issueChangeLogs[0].changeHistories;
  expect(history.items.map(({ fieldId }: { fieldId: string }) => fieldId)).toEqual(['resolution', 'status']);
  expect(body.issueChangeLogs[1].changeHistories).toEqual([]);
});

it('moves, deletes and hides by its controls', async () => {
  const { id, key } = (await jira.bot('POST', `${api}/issue`, issueBody())).body;
  const moved = (await jira.anonymous('POST', `/sandbox/issues/${key}/move`, { project: 'WEB' })).body;
  expect(moved).toEqual({ id, key: expect.stringMatching(/^WEB-\d+$/) });
  expect((await jira.bot('GET', `${api}/issue/${key}`)).body).toMatchObject({ id, key: moved.key });
  await jira.anonymous('PUT', '/sandbox/projects/WEB', { invisible: true });
  expect((await jira.bot('GET', `${api}/issue/${id}`)).status).toBe(404);
  expect((await jira.bot('GET', `${api}/project/WEB`)).status).toBe(404);
  expect((await jira.bot('GET', `${api}/myself`)).status).toBe(200);
  await jira.anonymous('PUT', '/sandbox/projects/WEB', { invisible: false });
  expect((await jira.anonymous('DELETE', `/sandbox/issues/${moved.key}`)).status).toBe(204);
  expect((await jira.bot('GET', `${api}/issue/${id}`)).status).toBe(404);
  expect((await jira.anonymous('POST', `/sandbox/issues/${key}/move`, { project: 'WEB' })).status).toBe(404);
});

it('remembers app, grants and tokens over a restart', async () => {
  const { access_token, refresh_token } = await connect(jira);
  const { url } = jira.sandbox;
  await jira.sandbox.stop();
  const again = await startJiraSandbox({ databaseUrl: jira.databaseUrl, port: jira.sandbox.port });
  jira.sandbox.stop = again.stop;
  expect(again).toMatchObject({ url, oauth: jira.sandbox.oauth });
  expect((await first(access_token)('GET', `${api}/myself`)).status).toBe(200);
  expect((await refresh(jira, refresh_token)).status).toBe(200);
});
