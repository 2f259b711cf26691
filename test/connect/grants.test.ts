import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JiraError } from '../../activities/jira/errors';
import { createJiraAccess } from '../../activities/jira-access';
import { must } from '../support/stack-clients';
import { type GrantWorld, oauthOf, redirectUri, startGrantWorld } from './grants-world';

const MINUTE = 60_000;
const issue = {
  fields: { project: { key: 'ACC' }, issuetype: { name: 'Bug' }, summary: 'One of its kind', labels: ['only-one'] },
};

let world: GrantWorld;
beforeAll(async () => {
  world = await startGrantWorld();
});
afterAll(() => world.stop());
afterEach(() => world.faults.clear());

async function failureOf(call: Promise<unknown>): Promise<JiraError> {
  const error = await call.then(
    () => new Error('The call did not fail.'),
    (reason: unknown) => reason,
  );
  if (error instanceof JiraError) return error;
  throw error;
}

const myself = async (id: string) => (await world.access.clientFor(id)).myself();

describe('C2 connecting with OAuth', () => {
  it('asks for the scopes, exchanges the code once, and answers both sites of the grant', async () => {
    const oauth = oauthOf(world.access);
    const asked = new URL(oauth.authorizeUrl({ state: 's', redirectUri }));
    expect(asked.searchParams.get('scope')).toBe(
      'read:jira-work write:jira-work read:jira-user manage:jira-webhook offline_access',
    );
    const code = await world.consent();
    const grant = await oauth.exchange({ code, redirectUri });
    expect(grant.expiresAt).toBeGreaterThan(Date.now() + 50 * MINUTE);
    expect(await oauth.sites(grant.accessToken)).toHaveLength(2);
    expect(await failureOf(oauth.exchange({ code, redirectUri }))).toMatchObject({
      kind: 'auth',
      reason: 'invalid_grant',
    });
  });

  it('names a wrong client secret as the possible cause of access_denied', async () => {
    const { db, settings, atlassian } = world;
    const wrong = createJiraAccess({ db, settings, atlassian: { ...atlassian, clientSecret: 'wrong' } });
    const error = await failureOf(oauthOf(wrong).exchange({ code: 'x', redirectUri }));
    expect(error).toMatchObject({ kind: 'auth', message: expect.stringContaining('ATLASSIAN_CLIENT_SECRET') });
    expect(error.message).not.toContain('wrong"');
  });

  it('has no OAuth where no app is configured', () => {
    const { db, settings, atlassian } = world;
    expect(createJiraAccess({ db, settings, atlassian: { ...atlassian, clientId: '' } }).oauth).toBeNull();
  });
});

describe('C2 an access token', () => {
  it('that has expired is renewed on the 401, and the same write is sent again, once', async () => {
    const { id, grantId, grant } = await world.connect();
    const client = await world.access.clientFor(id);
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    await client.createIssue(issue);
    expect(await must(world.sandbox('GET', '/issues?marker=only-one'))).toMatchObject({ count: 1 });
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1, reuses: 0 });
    const stored = await world.db.connections.withCredentials(id);
    expect(stored?.credentials).not.toMatchObject({ accessToken: grant.accessToken });
    expect(await world.row(id)).toMatchObject({ status: 'connected' });
  });

  it('that is about to expire is renewed before it is used', async () => {
    const { id, grantId } = await world.connect();
    const later = createJiraAccess({ ...world, now: () => Date.now() + 59.5 * MINUTE });
    await (await later.clientFor(id)).myself();
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1 });
  });

  it('that is about to expire is used to its end where Atlassian does not renew it just now', async () => {
    const { id } = await world.connect();
    await world.faults.add({ kind: 'status', match: { path: '^/oauth/token' }, status: 503 });
    const later = createJiraAccess({ ...world, now: () => Date.now() + 59.5 * MINUTE });
    expect(await (await later.clientFor(id)).myself()).toHaveProperty('accountId');
  });

  it('is renewed once for all the calls of a process', async () => {
    const { id, grantId } = await world.connect();
    const clients = await Promise.all([1, 2, 3, 4].map(() => world.access.clientFor(id)));
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    await Promise.all(clients.flatMap((client) => [client.myself(), client.project('ACC')]));
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1, reuses: 0 });
  });

  it('is stored before it is used: whoever reads the row while the request goes out again reads the new one', async () => {
    const { id, grantId } = await world.connect();
    const client = await world.access.clientFor(id);
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    // The second request finds its renewed token dead as well, so the first use fails and the row is all that is left.
    await world.faults.add({ kind: 'status', match: { path: '/myself' }, count: 2, status: 401 });
    await failureOf(client.myself());
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1 });
    await myself(id);
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1, reuses: 0 });
  });
});

describe('C2 a refresh token', () => {
  it('whose answer was lost is tried again at once', async () => {
    const { id, grantId } = await world.connect();
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    await world.faults.add({ kind: 'drop', match: { path: '^/oauth/token' }, count: 1 });
    await myself(id);
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 2, reuses: 1, endedAt: null });
  });

  it('is kept while Atlassian is down, and works afterwards', async () => {
    const { id, grantId } = await world.connect();
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    const fault = await world.faults.add({ kind: 'status', match: { path: '^/oauth/token' }, status: 503 });
    expect(await failureOf(myself(id))).toMatchObject({ kind: 'unavailable', status: 503 });
    expect(await world.row(id)).toMatchObject({ status: 'connected' });
    await world.faults.remove(fault.id);
    expect(await myself(id)).toHaveProperty('accountId');
  });

  it('that was replayed after its leeway ends the grant: reconnect_required with one notice, until somebody reconnects', async () => {
    const { id, grantId, grant } = await world.connect();
    await must(world.sandbox('POST', '/oauth/expire', { grantId }));
    await myself(id);
    await must(world.sandbox('POST', '/oauth/age', { ms: 11 * MINUTE, grantId }));
    const { clientId, clientSecret } = world.atlassian;
    const replay = { grant_type: 'refresh_token', refresh_token: grant.refreshToken };
    await fetch(new URL('/oauth/token', world.jira.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...replay, client_id: clientId, client_secret: clientSecret }),
    });
    const failures = await Promise.all([1, 2, 3, 4, 5].map(() => failureOf(myself(id))));
    expect(failures.map(({ kind }) => kind)).toEqual(Array(5).fill('auth'));
    expect(await world.row(id)).toMatchObject({
      status: 'reconnect_required',
      statusReason: expect.stringContaining("press Reconnect on the connection's page (/recheck connect)"),
      brokenAt: expect.any(Date),
    });
    expect(await world.notices(id)).toEqual([
      { kind: 'reconnect_required', detail: expect.stringContaining('invalid_grant'), open: true },
    ]);

    const oauth = oauthOf(world.access);
    const { scopes, ...fresh } = await oauth.exchange({ code: await world.consent(), redirectUri });
    const { cloudId } = await world.row(id);
    const input = { kind: 'oauth', accountId: 'bot', cloudId: cloudId ?? '', grant: fresh, scopes } as const;
    expect(await world.db.connections.reconnect(id, input)).toMatchObject({ restored: true });
    expect(await myself(id)).toHaveProperty('accountId');
    expect((await world.notices(id)).map(({ kind, open }) => ({ kind, open }))).toEqual([
      { kind: 'reconnect_required', open: false },
      { kind: 'restored', open: false },
    ]);
  });

  it('is renewed by maintenance long before its 90 days of disuse, and only then', async () => {
    const { id, grantId } = await world.connect();
    expect(await world.access.refreshIfIdle(id)).toBe(false);
    await world.db.pool.query(`update connection set refreshed_at = now() - interval '61 days' where id = $1`, [id]);
    expect(await world.access.refreshIfIdle(id)).toBe(true);
    expect(await world.access.refreshIfIdle(id)).toBe(false);
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 1 });
  });

  it('is spent once by two processes that renew 200 times each in parallel, and the grant lives', async () => {
    const { id, grantId } = await world.connect();
    const times = 200;
    const input = JSON.stringify({
      databaseUrl: world.databaseUrl,
      key: world.key.toString('base64'),
      app: world.atlassian,
      allowedHttpOrigins: world.settings.allowedHttpOrigins,
      connectionId: id,
      times,
    });
    const child = () => promisify(execFile)(process.execPath, [join(__dirname, 'grants-process.cjs'), input]);
    const ended = await Promise.all([child(), child()]);
    expect(ended.map(({ stdout, stderr }) => ({ stdout, stderr }))).toEqual(
      Array(2).fill({ stdout: '200', stderr: '' }),
    );
    const grant = await world.grant(grantId);
    expect(grant).toMatchObject({ reuses: 0, refusals: 0, endedAt: null });
    expect(grant?.refreshes).toBeGreaterThanOrEqual(times);
    expect(await myself(id)).toHaveProperty('accountId');
    expect(await world.row(id)).toMatchObject({ status: 'connected' });
  }, 300_000);
});

describe('C2 a connection that does not work', () => {
  it('because a scope is missing asks for a new consent and names the scope; the grant is not refreshed for it', async () => {
    const { id, grantId } = await world.connect();
    await must(world.sandbox('DELETE', `/oauth/grants/${grantId}/scopes/write:jira-work`));
    const client = await world.access.clientFor(id);
    expect(await failureOf(client.createIssue(issue))).toMatchObject({ kind: 'scope' });
    expect(await world.row(id)).toMatchObject({
      status: 'reconnect_required',
      statusReason: expect.stringContaining('write:jira-work'),
    });
    expect(await world.grant(grantId)).toMatchObject({ refreshes: 0 });
  });

  it('because its cloud id is unknown says so, and does not take its issues for deleted', async () => {
    const { id } = await world.connect();
    await world.db.pool.query(`update connection set cloud_id = 'no-such-site' where id = $1`, [id]);
    const client = await world.access.clientFor(id);
    expect(await failureOf(client.project('ACC'))).toMatchObject({ kind: 'not-found' });
    expect(await world.row(id)).toMatchObject({ status: 'connected' });
    expect(await failureOf(client.myself())).toMatchObject({ kind: 'auth', status: 404 });
    expect(await world.row(id)).toMatchObject({ status: 'reconnect_required' });
  });

  it('is not told twice, however many calls fail', async () => {
    const { id, grantId } = await world.connect();
    await must(world.sandbox('POST', `/oauth/grants/${grantId}/revoke`));
    for (let round = 0; round < 3; round += 1) expect(await failureOf(myself(id))).toMatchObject({ kind: 'auth' });
    expect(await world.notices(id)).toHaveLength(1);
  });

  it('because its API token was revoked is marked, and a call that began before the reconnect does not mark it again', async () => {
    const id = await world.connectByToken('a-revoked-token');
    const old = await world.access.clientFor(id);
    expect(await failureOf(old.project('ACC'))).toMatchObject({ kind: 'auth' });
    expect(await world.row(id)).toMatchObject({ status: 'reconnect_required' });
    const { email, accountId, apiToken } = world.jira.accounts.bot;
    await world.db.connections.reconnect(id, { kind: 'api_token', email, accountId, apiToken });
    expect(await failureOf(old.project('ACC'))).toMatchObject({ kind: 'auth' });
    expect(await world.row(id)).toMatchObject({ status: 'connected', statusReason: null });
  });

  it('is healthy again as soon as the connection test gets an answer to who it is', async () => {
    const id = await world.connectByToken();
    const fault = await world.faults.add({ kind: 'revoked', account: 'bot' });
    expect(await failureOf(myself(id))).toMatchObject({ kind: 'auth' });
    expect(await world.access.testConnection(id)).toMatchObject({ report: { ok: false }, restored: false });
    await world.faults.remove(fault.id);
    expect(await world.access.testConnection(id)).toMatchObject({ report: { ok: true }, restored: true });
    expect(await world.access.testConnection(id)).toMatchObject({ report: { ok: true }, restored: false });
    expect(await world.row(id)).toMatchObject({ status: 'connected' });
  });
});
