import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { withoutBlank, withoutForeign } from '../../local/environment';
import { tryGiven } from '../../local/given';
import { TEAM } from '../../local/sandbox/slack/directory';
import { applyMigrations } from '../../prisma/migrate';
import { createDatabase, serverUrl } from '../support/database';

const NOWHERE = '127.0.0.1:1';
/** The server of the tests as somebody else, or another database of it. */
function serverWith(change: Partial<URL>): string {
  return Object.assign(new URL(serverUrl()), change).toString();
}

describe('what the environment names in place of what npm start brings', () => {
  it.each([
    { env: { DATABASE_URL: 'foo' }, says: /DATABASE_URL/ },
    { env: { DATABASE_URL: `postgres://${NOWHERE}/x` }, says: /DATABASE_URL.*npm start brings its own/ },
    { env: { DATABASE_URL: () => serverWith({ pathname: '/nowhere' }) }, says: /DATABASE_URL.*create it/ },
    { env: { DATABASE_URL: () => serverWith({ password: 'secret' }) }, says: /DATABASE_URL.*correct/ },
    { env: { SANDBOX_DATABASE_URL: `mysql://${NOWHERE}/x` }, says: /^SANDBOX_DATABASE_URL is no postgres/ },
    { env: { SANDBOX_DATABASE_URL: `postgres://${NOWHERE}/x` }, says: /SANDBOX_DATABASE_URL/ },
    { env: { TEMPORAL_ADDRESS: NOWHERE }, says: /TEMPORAL_ADDRESS \(.+\)\. Start it/ },
    { env: { ENCRYPTION_KEYS: 'k1' }, says: /^ENCRYPTION_KEYS: / },
    { env: { SETTLE_MS: 'soon' }, says: /SETTLE_MS/ },
    { env: slack(`http://${NOWHERE}/api/`), says: /Slack does not answer at SLACK_API_URL \(.+\): correct it/ },
  ])('is tried first, and what is wrong is named: $says', async ({ env, says }) => {
    const given = Object.entries(env).map(([name, value]) => [name, typeof value === 'string' ? value : value()]);
    const failure = tryGiven(Object.fromEntries(given));
    await expect(failure).rejects.toThrow(says);
    await expect(failure).rejects.not.toThrow(/secret|xoxb/);
  });

  it('says that a namespace is missing', async () => {
    const env = { TEMPORAL_ADDRESS: process.env.TEST_TEMPORAL_ADDRESS ?? '', TEMPORAL_NAMESPACE: 'nowhere' };
    await expect(tryGiven(env)).rejects.toThrow(/TEMPORAL_NAMESPACE names: create it/);
    await expect(tryGiven({ ...env, TEMPORAL_NAMESPACE: 'default' })).resolves.toEqual({ slack: undefined });
  });

  it('is asked of a real Slack, which may refuse the token', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      const names = { team_id: 'T1', team: 'Real', bot_id: 'B1', user_id: 'U1' };
      const isFirst = seen.length === 1;
      response.end(JSON.stringify(isFirst ? { ok: false, error: 'invalid_auth' } : { ok: true, ...names }));
    });
    const url = await listen(server);
    try {
      // As people write it, without the slash at the end.
      const env = { ...slack(`${url}/api`), SLACK_CHANNEL: 'C1' };
      await expect(tryGiven(env)).rejects.toThrow(/refuses SLACK_BOT_TOKEN \(invalid_auth\): correct it/);
      const workspace = { teamId: 'T1', teamName: 'Real', enterpriseId: null, botId: 'B1', botUserId: 'U1' };
      await expect(tryGiven(env)).resolves.toEqual({
        slack: { ...workspace, botToken: 'xoxb-real', channelId: 'C1' },
      });
      expect(seen).toEqual(['/api/auth.test Bearer xoxb-real', '/api/auth.test Bearer xoxb-real']);
    } finally {
      server.close();
    }
  });

  it('does not count where it is blank, as in an .env file, and is left out of runs with a home of their own', () => {
    expect(withoutBlank({ DATABASE_URL: '', ENCRYPTION_KEYS: '  ', SETTLE_MS: ' 5 ', NOT: undefined })).toEqual({
      SETTLE_MS: '5',
    });
    const real = {
      DATABASE_URL: 'x',
      SLACK_BOT_TOKEN: 'x',
      ATLASSIAN_CLIENT_ID: 'x',
      TEMPORAL_API_KEY: 'x',
      PORT: '1',
    };
    expect(withoutForeign({ ...real, PATH: '/bin' })).toEqual({ PATH: '/bin' });
  });
});

describe('the database of DATABASE_URL', () => {
  let url: string;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    ({ url, drop } = await createDatabase());
  });
  afterAll(() => drop());

  async function run(sql: string, values: unknown[] = []): Promise<void> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(sql, values).finally(() => client.end());
  }
  const member = `insert into member (id, organisation_id, name, role, slack_team_id, created_at)
    select gen_random_uuid(), id, $1, 'owner', $2, $3::timestamptz from organisation where name = $4`;

  it('is refused where it holds organisations that npm start did not make, whoever came to them since', async () => {
    await expect(tryGiven({ DATABASE_URL: url })).resolves.toEqual({ slack: undefined });
    await applyMigrations(url);
    await expect(tryGiven({ DATABASE_URL: url })).resolves.toEqual({ slack: undefined });
    await run(`insert into organisation (id, name) values (gen_random_uuid(), 'RealCorp')`);
    await run(member, ['Real', null, '2026-01-01', 'RealCorp']);
    // An earlier start has put the sandbox's people there.
    await run(member, ['Olivia Owner', TEAM.id, '2026-01-02', 'RealCorp']);
    await expect(tryGiven({ DATABASE_URL: url })).rejects.toThrow(/"RealCorp".*did not make.*DATABASE_URL/);
    await run(`insert into organisation (id, name) values (gen_random_uuid(), 'Acme')`);
    await run(member, ['Olivia Owner', TEAM.id, '2026-01-03', 'Acme']);
    await expect(tryGiven({ DATABASE_URL: url })).resolves.toEqual({ slack: undefined });
  });
});

function slack(SLACK_API_URL: string) {
  return { SLACK_BOT_TOKEN: 'xoxb-real', SLACK_SIGNING_SECRET: 'signing', SLACK_API_URL };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
