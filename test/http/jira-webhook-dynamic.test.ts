import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { createDeliveryStore } from '../../prisma/deliveries';
import { appOf, ask, database, dynamicAuth, jiraUpdate, listen, type Seeded, seed, signatureOf } from './support';

const clientSecret = 'the client secret of the app';
const cloudId = '7c1f3a52-0d6e-4a51-9c5e-2b8f4d1e6a90';
const seconds = () => Math.floor(Date.now() / 1000);
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
type Sign = (content: string) => string;
const hs256 =
  (secret: string): Sign =>
  (content) =>
    createHmac('sha256', secret).update(content).digest('base64url');

/** A token made by hand, because a library would refuse to make most of these. */
function token({ alg = 'HS256', claims = {}, sign = hs256(clientSecret) }: Partial<Token> = {}): string {
  const now = seconds();
  const content = `${part({ alg, typ: 'JWT' })}.${part({ iat: now, exp: now + 180, ...claims })}`;
  return `${content}.${sign(content)}`;
}
type Token = { alg: string; claims: object; sign: Sign };

describe('S2 the dynamic webhook of an OAuth connection', () => {
  let db: Awaited<ReturnType<typeof database>>;
  let server: Awaited<ReturnType<typeof listen>>;
  let tracked: Seeded;
  let webhookIds: string[];

  beforeAll(async () => {
    db = await database();
    tracked = await seed(db.pool);
    server = await listen(
      appOf(
        {},
        {
          deliveries: createDeliveryStore({ pool: db.pool }),
          connections: {
            webhookAuth: async (id) =>
              id === tracked.connectionId ? dynamicAuth(tracked.organisationId, webhookIds) : null,
          },
          clientSecret,
        },
      ),
    );
  });
  afterAll(async () => {
    await server?.close();
    await db?.close();
  });
  beforeEach(async () => {
    webhookIds = ['1000', '1001'];
    await db.pool.query('delete from delivery');
  });

  const stored = async () => (await db.pool.query('select 1 from delivery')).rowCount;
  const path = (query = '') => `/api/integrations/jira/webhook/${tracked.connectionId}${query}`;
  const update = (more: object = {}) => ({ ...jiraUpdate(), matchedWebhookIds: [1001], ...more });
  const send = (authorization: string | null, body: unknown = update(), at = path()) =>
    ask(server.url, `POST ${at}`, JSON.stringify(body), { authorization: authorization ?? '' });

  it('S2 takes a delivery with a token of the client secret, and the query parameter that Jira adds', async () => {
    const at = path('?triggeredByUser=5b10a2844c20165700ede21g');
    expect((await send(`Bearer ${token()}`, update(), at)).status).toBe(200);
    expect(await stored()).toBe(1);
  });

  it('S2 takes a token that ended, or begins, within the leeway of a minute', async () => {
    const now = seconds();
    expect((await send(`Bearer ${token({ claims: { iat: now - 300, exp: now - 40 } })}`)).status).toBe(200);
    expect((await send(`Bearer ${token({ claims: { iat: now + 40 } })}`)).status).toBe(200);
  });

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rs256: Sign = (content) => createSign('sha256').update(content).sign(privateKey, 'base64url');
  it.each<[string, () => string | null]>([
    ['no token', () => null],
    ['an empty token', () => 'Bearer '],
    ['the word alone', () => token()],
    ['another scheme', () => `Basic ${token()}`],
    ['a token without signature (alg none)', () => `Bearer ${token({ alg: 'none', sign: () => '' })}`],
    ['alg none with a signature', () => `Bearer ${token({ alg: 'none' })}`],
    ['RS256', () => `Bearer ${token({ alg: 'RS256', sign: rs256 })}`],
    ['HS256 that says RS256', () => `Bearer ${token({ alg: 'RS256' })}`],
    [
      'HS512',
      () =>
        `Bearer ${token({
          alg: 'HS512',
          sign: (content) => createHmac('sha512', clientSecret).update(content).digest('base64url'),
        })}`,
    ],
    ['another secret', () => `Bearer ${token({ sign: hs256('guess') })}`],
    ['an empty secret', () => `Bearer ${token({ sign: hs256('') })}`],
    ['a token that has expired', () => `Bearer ${token({ claims: { exp: seconds() - 120 } })}`],
    ['a token of the future', () => `Bearer ${token({ claims: { iat: seconds() + 120 } })}`],
    ['a token without end', () => `Bearer ${token({ claims: { exp: undefined } })}`],
    ['a token without beginning', () => `Bearer ${token({ claims: { iat: undefined } })}`],
  ])('S2 answers 401 and stores nothing for %s', async (_what, header) => {
    const answer = await send(header());
    expect(answer).toMatchObject({ status: 401, body: { code: 'bad_token' } });
    expect(await stored()).toBe(0);
  });

  it('S2 answers 401 for a changed body of claims', async () => {
    const [head, , signature] = token().split('.');
    const forged = part({ iat: seconds(), exp: seconds() + 999_999 });
    expect((await send(`Bearer ${head}.${forged}.${signature}`)).status).toBe(401);
  });

  it('S2 checks the token before it reads the body', async () => {
    const { hostname, port } = new URL(server.url);
    const waiting = request({ hostname, port, path: path(), method: 'POST', headers: { 'content-length': '1000000' } });
    waiting.on('error', () => undefined);
    // Only the headers go out: an answer can come of nothing else.
    waiting.flushHeaders();
    const [answer] = await once(waiting, 'response');
    expect(answer.statusCode).toBe(401);
    waiting.destroy();
  });

  it.each<[string, object]>([
    ['another webhook of the app', { matchedWebhookIds: [7] }],
    ['no webhook', { matchedWebhookIds: [] }],
    ['nothing that says for which webhook', { matchedWebhookIds: undefined }],
    ['something that is no list', { matchedWebhookIds: '1001' }],
    [
      'an issue of another site',
      { issue: { id: '10001', self: 'https://other.atlassian.net/rest/api/2/issue/10001' } },
    ],
    [
      'an issue of another site on the gateway',
      { issue: { id: '10001', self: 'https://api.atlassian.com/ex/jira/other/rest/api/2/issue/10001' } },
    ],
    ['an issue at no address', { issue: { id: '10001', self: 'https://' } }],
  ])('S2 answers 401 for a delivery of %s', async (_what, more) => {
    const answer = await send(`Bearer ${token()}`, update(more));
    expect(answer).toMatchObject({ status: 401, body: { code: 'foreign_webhook' } });
    expect(await stored()).toBe(0);
  });

  it.each([
    ['the site', 'https://shop.atlassian.net/rest/api/2/issue/10001'],
    ['the gateway', `https://api.atlassian.com/ex/jira/${cloudId}/rest/api/2/issue/10001`],
  ])("S2 takes an issue at the site's address on %s", async (_where, self) => {
    const issue = { id: '10001', key: 'ACC-1', self };
    expect((await send(`Bearer ${token()}`, update({ issue }))).status).toBe(200);
    expect(await stored()).toBe(1);
  });

  it('S2 takes a delivery of a webhook that was registered a moment ago', async () => {
    expect((await send(`Bearer ${token()}`)).status).toBe(200);
    webhookIds = ['2000'];
    expect((await send(`Bearer ${token()}`, update({ matchedWebhookIds: ['2000'] }))).status).toBe(200);
  });

  it('S2 takes no HMAC in place of the token', async () => {
    const body = JSON.stringify(update());
    const headers = { authorization: '', 'x-hub-signature': signatureOf(body, clientSecret) };
    expect((await ask(server.url, `POST ${path()}`, body, headers)).status).toBe(401);
  });

  it('S2 answers 503 where the server has no client secret to check with', async () => {
    const connections = { webhookAuth: async () => dynamicAuth(tracked.organisationId, webhookIds) };
    const without = await listen(appOf({}, { connections, clientSecret: '' }));
    try {
      const answer = await ask(without.url, `POST ${path()}`, JSON.stringify(update()), {
        authorization: `Bearer ${token({ sign: hs256('') })}`,
      });
      expect(answer.status).toBe(503);
    } finally {
      await without.close();
    }
  });
});
