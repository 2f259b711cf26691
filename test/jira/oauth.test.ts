import type { JiraError } from '../../activities/jira/errors';
import { createOauth } from '../../activities/jira/oauth';
import type { OddServer } from './odd-server';
import { failureOf, startOddServer } from './odd-server';

const PAIR = { access_token: 'at', refresh_token: 'rt2', expires_in: 3600, scope: 'read:jira-work offline_access' };
const SECRET = 'a-client-secret';

let server: OddServer;
beforeAll(async () => {
  server = await startOddServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.received.length = 0;
});

function oauth(changes: { authUrl?: string; apiUrl?: string; timeoutMs?: number } = {}) {
  const { timeoutMs = 2_000, ...urls } = changes;
  return createOauth({
    app: { clientId: 'an-app', clientSecret: SECRET, authUrl: server.origin, apiUrl: server.origin, ...urls },
    timeoutMs,
    allowedHttpOrigins: [server.origin],
    now: () => 1_000,
  });
}

const sent = () => JSON.parse(server.received[0]?.body ?? '{}') as Record<string, string>;

describe('the authorization server of Atlassian', () => {
  it('is asked for consent with every parameter that it wants', () => {
    const url = new URL(
      oauth({ authUrl: 'https://auth.atlassian.com' }).authorizeUrl({
        state: 's/1',
        redirectUri: 'https://x.example/cb',
      }),
    );
    expect(`${url.origin}${url.pathname}`).toBe('https://auth.atlassian.com/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      audience: 'api.atlassian.com',
      client_id: 'an-app',
      scope: 'read:jira-work write:jira-work read:jira-user manage:jira-webhook offline_access',
      redirect_uri: 'https://x.example/cb',
      state: 's/1',
      response_type: 'code',
      prompt: 'consent',
    });
  });

  it('turns a code into a grant', async () => {
    server.answerJson(200, PAIR);
    expect(await oauth().exchange({ code: 'c', redirectUri: 'https://x.example/cb' })).toEqual({
      accessToken: 'at',
      refreshToken: 'rt2',
      expiresAt: 3_601_000,
      scopes: ['read:jira-work', 'offline_access'],
    });
    expect(server.received[0]).toMatchObject({ method: 'POST', path: '/oauth/token' });
    expect(sent()).toEqual({
      grant_type: 'authorization_code',
      client_id: 'an-app',
      client_secret: SECRET,
      code: 'c',
      redirect_uri: 'https://x.example/cb',
    });
  });

  it('refuses a grant that could not be renewed', async () => {
    server.answerJson(200, { ...PAIR, refresh_token: undefined });
    const error = await failureOf(oauth().exchange({ code: 'c', redirectUri: 'https://x.example/cb' }));
    expect(error).toMatchObject({ kind: 'scope', message: expect.stringContaining('offline_access') });
  });

  it('turns a refresh token into the next pair, and keeps the old one where there is no new one', async () => {
    server.answerJson(200, PAIR);
    expect(await oauth().refresh('rt1')).toMatchObject({ accessToken: 'at', refreshToken: 'rt2' });
    expect(sent()).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'rt1' });
    server.answerJson(200, { ...PAIR, refresh_token: undefined });
    expect(await oauth().refresh('rt1')).toMatchObject({ refreshToken: 'rt1' });
  });

  it('lists each Jira site once, and nothing else', async () => {
    const site = { id: 'c1', name: 'acme', url: 'https://acme.atlassian.net/', scopes: ['read:jira-work'] };
    server.answerJson(200, [
      site,
      { ...site, scopes: ['write:jira-work'] },
      { ...site, id: 'c2', scopes: ['read:page'] },
    ]);
    const sites = await oauth().sites('at');
    expect(sites.map(({ cloudId, url }) => [cloudId, url])).toEqual([['c1', 'https://acme.atlassian.net']]);
    expect(server.received[0]).toMatchObject({
      path: '/oauth/token/accessible-resources',
      headers: { authorization: 'Bearer at' },
    });
  });
});

describe('a failure of the authorization server', () => {
  const said = { error_description: 'it was rt1' };
  it.each<[string, number, unknown, Record<string, string>, Partial<JiraError>]>([
    ['a dead refresh token', 403, { error: 'invalid_grant', ...said }, {}, { kind: 'auth', reason: 'invalid_grant' }],
    ['a client without the grant', 403, { error: 'unauthorized_client' }, {}, { kind: 'auth' }],
    ['a wrong client id', 401, { error: 'invalid_client' }, {}, { kind: 'auth' }],
    ['no known word', 400, { error: 'temporarily' }, {}, { kind: 'unavailable' }],
    [
      'an outage',
      503,
      { error: 'invalid_grant' },
      { 'retry-after': '7' },
      { kind: 'unavailable', retryAfterMs: 7_000 },
    ],
    ['a limit', 429, {}, { 'retry-after': '30' }, { kind: 'rate-limited' }],
    ['a web page', 200, '<html>', {}, { kind: 'unavailable' }],
    ['an answer without a token', 200, { token_type: 'Bearer' }, {}, { kind: 'unavailable' }],
    ['a redirect', 302, {}, { location: 'https://elsewhere.example/' }, { kind: 'unavailable' }],
  ])('%s', async (_what, status, body, headers, expected) => {
    server.answerJson(status, body, headers);
    const error = await failureOf(oauth().refresh('rt1'));
    expect(error).toMatchObject(expected);
    expect(error.message).not.toMatch(/rt1|a-client-secret/);
  });

  it('names the client secret as a possible cause of access_denied', async () => {
    server.answerJson(401, { error: 'access_denied', error_description: 'Unauthorized' });
    expect(await failureOf(oauth().refresh('rt1'))).toMatchObject({
      kind: 'auth',
      message: expect.stringMatching(/declined.*ATLASSIAN_CLIENT_SECRET/),
    });
  });

  it('is unavailable where the answer does not come, and where nobody listens', async () => {
    server.answer(() => undefined);
    expect(await failureOf(oauth({ timeoutMs: 50 }).refresh('rt1'))).toMatchObject({
      kind: 'unavailable',
      reason: 'timeout',
    });
    server.answer((_request, response) => response.destroy());
    expect(await failureOf(oauth().refresh('rt1'))).toMatchObject({ kind: 'unavailable', status: undefined });
  });

  it('is refused before anything is sent where the address is private or not https', async () => {
    for (const authUrl of ['http://127.0.0.1:1', 'https://10.0.0.1', 'http://auth.atlassian.com']) {
      expect(await failureOf(oauth({ authUrl }).refresh('rt1'))).toMatchObject({ reason: 'private-address' });
    }
    expect(await failureOf(oauth({ apiUrl: 'https://10.0.0.1' }).sites('at'))).toMatchObject({ kind: 'unavailable' });
    expect(server.received).toHaveLength(0);
  });
});
