// Runs everything that handles secrets, succeeding and failing, and then looks for them wherever somebody could read.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../prisma/schema-engine';
import { sealedColumns } from '../../prisma/sealed-columns';
import { createSecretBox, parseEncryptionKeys } from '../../prisma/secret-box';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { type ConnectPage, openConnectPage } from './connect-page';
import { dumpDatabase, dumpHistories, dumpSlack, leaksOf, type Places, shapesOf } from './leaks';
import { createDrill } from './support';

const marked = (what: string) => `${what}-${randomBytes(24).toString('base64url')}`;
/** Secrets that somebody types or sends and that are refused, each in another place. */
const refused = {
  'token refused by the API': marked('ATATT3x-api'),
  'token refused by the page': marked('ATATT3x-page'),
  'token of a refused reconnection': marked('ATATT3x-again'),
  'API key that nobody has': marked('rk_unknown'),
  'bearer of a delivery': marked('header.payload'),
  'signature of a delivery': `sha256=${randomBytes(32).toString('hex')}`,
  'code of a callback': marked('code'),
};

let stack: Stack;
let page: ConnectPage;
const planted = new Map<string, string>(Object.entries(refused));

beforeAll(async () => {
  const quick = { JIRA_TIMEOUT_MS: '1500', CREATE_TIMEOUT_MS: '3500', SEARCH_WINDOW_MS: '1000' };
  stack = await startStack({ env: { ...quick, LOG_LEVEL: 'trace', MAINTENANCE_INTERVAL_MS: '3600000' } });
  const { local, encryptionKeys } = stack;
  planted.set('Jira API token', local.jiraBotApiToken);
  planted.set('client secret', local.atlassianClientSecret ?? '');
  planted.set('Slack bot token', local.slackBotToken ?? '');
  planted.set('Slack signing secret', local.slackSigningSecret ?? '');
  for (const { role, apiKey } of local.members) if (apiKey) planted.set(`API key of the ${role}`, apiKey);
  plantKey('encryption key', encryptionKeys);
  await collect();
}, 300_000);
afterAll(() => stack?.stop());

function plantKey(name: string, keys: string): void {
  const [key = ''] = keys.split(',');
  const encoded = key.slice(key.indexOf(':') + 1);
  planted.set(name, encoded);
  planted.set(`${name}, its bytes`, Buffer.from(encoded, 'base64').toString('latin1'));
}

/** Plants what is sealed in the database now: only there the tokens of OAuth and the webhook secrets can be read. */
async function collect(): Promise<void> {
  const box = createSecretBox(parseEncryptionKeys(stack.encryptionKeys));
  for (const { name, context, page: ofPage } of sealedColumns) {
    const { rows } = await stack.db.query<{ id: string; sealed: Buffer }>(ofPage, [null, 1000]);
    for (const { id, sealed } of rows) {
      const opened = box.open(sealed, context(id));
      for (const secret of secretsIn(opened)) planted.set(`${name} ${secret.slice(0, 6)} ${planted.size}`, secret);
    }
  }
}

const secretNames = new Set(['apiToken', 'accessToken', 'refreshToken', 'secrets']);

/** A sealed value is the secret itself, or JSON with secrets somewhere below. */
function secretsIn(opened: string): string[] {
  if (!opened.startsWith('{')) return [opened];
  const found: string[] = [];
  const look = (value: unknown, isSecret: boolean): void => {
    if (typeof value === 'string' && isSecret) found.push(value);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) look(each, isSecret || secretNames.has(key));
  };
  look(JSON.parse(opened), false);
  return found;
}

async function playApiToken(): Promise<void> {
  const { api, local, faults } = stack;
  const drill = createDrill(stack, local.connectionId);
  const { go } = drill;
  const flagged = await go.flagged();
  const session = await go.session(flagged.source, [flagged.id]);
  await must(api('POST', `/api/v1/sessions/${session}/start`));
  await go.verdict(session, flagged.id, 'pass');
  await go.becomes(flagged.id, 'verified');

  const since = new Date();
  const lost = await faults.add({ kind: 'drop', count: 1, match: { method: 'POST', path: '/issue$' } });
  await drill.arrived(await drill.pushOne());
  await faults.remove(lost.id);
  const ready = await go.source();
  await faults.add({ kind: 'revoked', account: 'bot' });
  const held = await drill.pushOne(ready);
  await drill.itemBecomes(held.push, 'held');
  await drill.told(since, ['reconnect_required']);
  const at = `/api/v1/connections/${local.connectionId}`;
  const { jiraBotEmail: email, jiraBotApiToken, jiraUrl: siteUrl, jiraProject: projectKey } = local;
  const wrong = (name: keyof typeof refused) => ({ email, apiToken: refused[name] });
  expect((await api('POST', `${at}/reconnect`, wrong('token of a refused reconnection'))).status).toBe(400);
  await must(api('POST', `${at}/test`));
  await faults.clear();
  await must(api('POST', `${at}/reconnect`, { email, apiToken: jiraBotApiToken }));
  await drill.arrived(held);
  const request = { siteUrl, projectKey, ...wrong('token refused by the API') };
  expect((await api('POST', '/api/v1/connections', request)).status).toBe(400);
  const made = await must(api('POST', '/api/v1/connections', { ...request, apiToken: jiraBotApiToken }));
  planted.set('webhook secret that was shown once', made.webhookSecret);
  await collect();
  await must(api('DELETE', `/api/v1/connections/${made.id}`));
}

async function playOauth(): Promise<string> {
  const { local, db } = stack;
  const id = await page.connectOauth(local.jiraProject);
  await collect();
  const drill = createDrill(stack, id);
  const oauth = (method: string, path: string) => must(stack.sandbox(method, `/oauth${path}`));
  await drill.arrived(await drill.pushOne());
  await oauth('POST', '/expire');
  await drill.arrived(await drill.pushOne());
  await collect();
  const since = new Date();
  const { grants } = await oauth('GET', '');
  const ready = await drill.go.source();
  await oauth('POST', `/grants/${grants.at(-1).id}/revoke`);
  await oauth('POST', '/expire');
  const held = await drill.pushOne(ready);
  await drill.itemBecomes(held.push, 'held');
  await drill.told(since, ['reconnect_required']);
  await page.reconnectOauth(id);
  await drill.arrived(held);
  await drill.go.flagged();
  await collect();
  const { rowCount } = await db.query('select 1 from connection where credentials is not null');
  expect(rowCount).toBeGreaterThan(1);
  return id;
}

/** Whoever is turned away, with what they brought. */
async function playStrangers(oauthId: string): Promise<void> {
  const { local, apiAs } = stack;
  const webhook = (id: string, headers: Record<string, string>) =>
    apiAs(null)('POST', `/api/integrations/jira/webhook/${id}`, { timestamp: Date.now() }, headers);
  const bearer = { authorization: `Bearer ${refused['bearer of a delivery']}` };
  expect((await webhook(oauthId, bearer)).status).toBe(401);
  const signed = { 'x-hub-signature': refused['signature of a delivery'] };
  expect((await webhook(local.connectionId, signed)).status).toBe(401);
  expect((await apiAs(refused['API key that nobody has'])('GET', '/api/v1/findings')).status).toBe(401);
  const code = encodeURIComponent(refused['code of a callback']);
  expect((await page.get(`/connect/atlassian/callback?code=${code}&state=${code}`)).status).toBe(400);
  const typed = { siteUrl: local.jiraUrl, email: local.jiraBotEmail, apiToken: refused['token refused by the page'] };
  await page.send('/connect/token', typed).catch(() => undefined);
}

/** Seals everything again with a new key, while the server and the worker know the old one alone. */
async function rotate(): Promise<void> {
  const added = `k2:${randomBytes(32).toString('base64')}`;
  plantKey('second encryption key', added);
  const { PATH = '', HOME = '' } = process.env;
  const { local, encryptionKeys } = stack;
  const env = {
    PATH,
    HOME,
    BASE_URL: local.baseUrl,
    DATABASE_URL: local.databaseUrl,
    ENCRYPTION_KEYS: `${added},${encryptionKeys}`,
  };
  const script = join(projectRoot(), 'dist', 'api', 'admin-main.js');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, 'rotate-keys'], { env });
  expect(stdout).toMatch(/connection\.credentials: [1-9]/);
  printed['what the rotation printed'] = stdout + stderr;
  // What cannot be opened any more is complained about.
  await stack.api('POST', `/api/v1/connections/${local.connectionId}/test`);
}
const printed: Places = {};

describe('C3 secrets', () => {
  it('C3 are found by the search of this test in every shape', () => {
    const secret = 'a/secret+with "every" kind?of=character';
    const around = (text: string) => Buffer.from(text).toString('base64');
    for (const before of ['', 'a', 'ab', 'abc']) {
      expect(leaksOf(secret, { here: around(`${before}${secret} and more`) })).toEqual(['here']);
      expect(leaksOf(secret, { here: Buffer.from(before + secret).toString('base64url') })).toEqual(['here']);
    }
    expect(leaksOf(secret, { here: `x=${encodeURIComponent(secret)}` })).toEqual(['here']);
    expect(leaksOf(secret, { here: JSON.stringify(JSON.stringify({ secret })) })).toEqual(['here']);
    expect(leaksOf(secret, { here: Buffer.from(secret).toString('hex') })).toEqual(['here']);
    expect(leaksOf(secret, { here: around('another one, and a long one at that') })).toEqual([]);
    expect(shapesOf('x'.repeat(20)).every((shape) => shape.length >= 20)).toBe(true);
  });

  it('C3 show nowhere: not in the database, the logs, the workflow histories, or Slack', async () => {
    page = await openConnectPage(stack);
    planted.set('session of the connect page', page.cookie);
    await playApiToken();
    const oauthId = await playOauth();
    await playStrangers(oauthId);
    await collect();
    await rotate();

    const [database, histories, slack] = await Promise.all([
      dumpDatabase(stack.db),
      dumpHistories(stack),
      dumpSlack(stack),
    ]);
    const places = { ...database, ...histories, ...slack, ...printed, 'the logs': stack.logs() };

    // The search reaches everything: what is no secret is found.
    const title = leaksOf('adds to the cart', places).map((place) => place.split(' ')[0]);
    expect(new Set(title)).toEqual(new Set(['table', 'workflow', 'Slack']));
    expect(leaksOf('server is listening', places)).toEqual(['the logs']);
    expect(leaksOf('has to be connected again', slack).length).toBeGreaterThan(0);

    expect(planted.size).toBeGreaterThan(20);
    const leaks = [...planted].flatMap(([name, secret]) => {
      expect(secret.length).toBeGreaterThan(15);
      return leaksOf(secret, places).map((place) => `${name}: ${place}`);
    });
    expect(leaks).toEqual([]);
  }, 300_000);
});
