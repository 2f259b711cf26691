import { createJiraAccess } from '../../activities/jira-access';
import type { Db } from '../../prisma/client';
import type { OddServer } from './odd-server';
import { startOddServer } from './odd-server';

let server: OddServer;
beforeAll(async () => {
  server = await startOddServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.received.length = 0;
});

/** A site and the gateway in front of it, by what each says to the account. */
function answers({ site, gateway, tenant = 200 }: { site: number; gateway: number; tenant?: number }) {
  server.answer((request, response) => {
    if (request.path === '/_edge/tenant_info') response.writeHead(tenant).end('{"cloudId":"b1e2"}');
    else if (request.path.startsWith('/ex/jira/b1e2/')) response.writeHead(gateway).end('{"accountId":"bot"}');
    else response.writeHead(site).end('{"accountId":"bot"}');
  });
}

function find() {
  const atlassian = { clientId: '', clientSecret: '', authUrl: server.origin, apiUrl: server.origin };
  const settings = { allowedHttpOrigins: [server.origin], timeoutMs: 2_000 };
  // No connection is stored here, so no database is asked.
  const access = createJiraAccess({ db: {} as Db, settings, atlassian });
  return access.gatewayOf({ siteUrl: server.origin, email: 'bot@acme.example', apiToken: 'a-token' });
}

describe('an API token', () => {
  it('with scopes is refused by the site and found to work through the gateway', async () => {
    answers({ site: 401, gateway: 200 });
    expect(await find()).toBe('b1e2');
    expect(server.received.map(({ path }) => path)).toEqual([
      '/rest/api/3/myself',
      '/_edge/tenant_info',
      '/ex/jira/b1e2/rest/api/3/myself',
    ]);
    expect(server.received[1]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['works at the site', { site: 200, gateway: 200 }, 1],
    ['has an account without access', { site: 403, gateway: 200 }, 1],
    ['cannot be tried, as the site is down', { site: 503, gateway: 200 }, 1],
    ['belongs to a site that does not say its cloud id', { site: 401, gateway: 200, tenant: 404 }, 2],
    ['is dead', { site: 401, gateway: 401 }, 3],
  ])('that %s stays with the site', async (_what, given, requests) => {
    answers(given);
    expect(await find()).toBeUndefined();
    expect(server.received).toHaveLength(requests);
  });
});
