import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createDb, type Db } from '../../prisma/client';
import { createInstallationStore } from '../../prisma/installations';
import { rotateKeys } from '../../prisma/rotate-keys';
import { createSecretBox } from '../../prisma/secret-box';
import { createAcme, openStores, type Stores } from '../support/stores';

const admin = join(__dirname, '..', '..', 'dist', 'api', 'admin-main.js');
const oldKey = { id: 'old', key: randomBytes(32) };
const newKey = { id: 'new', key: randomBytes(32) };
const text = ({ id, key }: typeof oldKey) => `${id}:${key.toString('base64')}`;

describe('C3 the rotation of encryption keys', () => {
  const before = createSecretBox([oldKey]);
  const meanwhile = createSecretBox([newKey, oldKey]);
  const after = createSecretBox([newKey]);
  let stores: Stores;
  let db: Db;
  let organisationId: string;
  let memberId: string;
  beforeEach(async () => {
    stores = await openStores(before);
    db = stores.db;
    ({ organisationId, memberId } = await createAcme(db));
  });
  afterEach(async () => {
    await stores?.close();
  });

  const common = () => ({
    ...{ id: randomUUID(), siteUrl: 'https://acme.atlassian.net', accountId: 'bot', projectKey: 'ACC' },
    ...{ autoSync: false, memberId },
  });
  const byToken = (apiToken = 'an-api-token') =>
    db.connections.create(organisationId, { ...common(), email: 'e', apiToken, webhookSecret: 'a-secret' });
  const grantOf = (number: number) => ({ accessToken: `a${number}`, refreshToken: `r${number}`, expiresAt: number });
  const byGrant = () =>
    db.connections.createOauth(organisationId, { ...common(), cloudId: 'c', grant: grantOf(0), scopes: [] });
  const install = () =>
    createInstallationStore({ pool: db.pool, box: before }).upsert({
      ...{ organisationId, teamId: 'T1', botToken: 'a-bot-token', botId: 'B', botUserId: 'U', scopes: [] },
    });

  /** The command, as an operator runs it beside the running system. */
  async function rotate(keys: string) {
    const child = spawn(process.execPath, [admin, 'rotate-keys'], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: stores.url,
        ENCRYPTION_KEYS: keys,
        BASE_URL: 'http://127.0.0.1:1',
      },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    const [status] = await once(child, 'close');
    return { status, out, err };
  }

  it('seals everything with the new key, so that the old one can go', async () => {
    const token = await byToken();
    const grant = await byGrant();
    const { id: installationId } = await install();
    const link = await db.oneTimeLinks.create(organisationId, {
      ...{ memberId, kind: 'connect_session', ttlMs: 600_000, payload: { waits: true } },
    });
    const { status, out, err } = await rotate(`${text(newKey)},${text(oldKey)}`);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out.trim().split('\n')).toEqual([
      'connection.credentials: 2 sealed again, 0 already with the first key, 0 not readable',
      'connection.webhook_secret: 1 sealed again, 0 already with the first key, 0 not readable',
      'slack_installation.bot_token: 1 sealed again, 0 already with the first key, 0 not readable',
      'one_time_link.payload: 1 sealed again, 0 already with the first key, 0 not readable',
    ]);
    const later = createDb({ url: stores.url, box: after, poolSize: 2 });
    expect(await later.connections.withCredentials(token.id)).toMatchObject({
      credentials: { apiToken: 'an-api-token' },
    });
    expect(await later.connections.withCredentials(grant.id)).toMatchObject({ credentials: grantOf(0) });
    expect(await later.connections.webhookAuth(token.id)).toMatchObject({ secret: 'a-secret' });
    const installed = await createInstallationStore({ pool: db.pool, box: after }).findById(
      organisationId,
      installationId,
    );
    expect(installed).toMatchObject({ botToken: 'a-bot-token' });
    const found = await later.oneTimeLinks.find({ kind: 'connect_session', token: link.token });
    expect(found?.payload).toEqual({ waits: true });
    await later.close();
    await expect(db.connections.withCredentials(token.id)).rejects.toThrow('not configured');
    expect((await rotate(text(newKey))).out).toContain('connection.credentials: 0 sealed again, 2 already');
  });

  it('loses no token that is refreshed meanwhile, and both keys work all the time', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, async () => (await byGrant()).id));
    // Servers that already know the new key, some of which still seal with the old one.
    const servers = [createSecretBox([oldKey, newKey]), meanwhile].map((box) =>
      createDb({ url: stores.url, box, poolSize: 3 }),
    );
    const last = new Map<string, number>(ids.map((id) => [id, 0]));
    let running = true;
    const refreshing = ids.map(async (id, index) => {
      const server = servers[index % 2];
      while (running || (last.get(id) ?? 0) < 5) {
        const next = (last.get(id) ?? 0) + 1;
        const renewed = await server?.connections.renewGrant({
          ...{ id, spent: `a${next - 1}`, lockTimeoutMs: 20_000 },
          renew: async (refreshToken) => {
            expect(refreshToken).toBe(`r${next - 1}`);
            return { ...grantOf(next), scopes: [] };
          },
        });
        expect(renewed?.accessToken).toBe(`a${next}`);
        last.set(id, next);
      }
    });
    const rotated = [];
    for (let round = 0; round < 5; round += 1) {
      rotated.push(...(await rotateKeys({ pool: db.pool, box: meanwhile, batch: 2 })));
    }
    running = false;
    await Promise.all(refreshing);
    expect(rotated.some(({ name, rotated: count }) => name === 'connection.credentials' && count > 0)).toBe(true);
    await rotateKeys({ pool: db.pool, box: meanwhile, batch: 2 });
    for (const server of servers) await server.close();
    const later = createDb({ url: stores.url, box: after, poolSize: 2 });
    for (const id of ids) {
      const expected = grantOf(last.get(id) ?? -1);
      expect(await later.connections.withCredentials(id)).toMatchObject({ credentials: expected });
    }
    await later.close();
  }, 300_000);

  it('replaces a value only where it is still the one that was opened', async () => {
    const { id } = await byGrant();
    const other = createDb({ url: stores.url, box: meanwhile, poolSize: 2 });
    // The refresh comes in between the reading and the writing of the rotation.
    let first = true;
    const pool = new Proxy(db.pool, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'query' || typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (first && String(given[0]).startsWith('update connection set credentials')) {
            first = false;
            const renew = async () => ({ ...grantOf(1), scopes: [] });
            await other.connections.renewGrant({ id, spent: 'a0', lockTimeoutMs: 5_000, renew });
          }
          return await (value as (...args: unknown[]) => unknown).apply(target, given);
        };
      },
    });
    const columns = await rotateKeys({ pool, box: meanwhile });
    expect(columns[0]).toMatchObject({ rotated: 0, current: 1, unreadable: [] });
    expect(await other.connections.withCredentials(id)).toMatchObject({ credentials: grantOf(1) });
    await other.close();
  });

  it('names what it cannot open and exits with 1, after doing the rest', async () => {
    const good = await byToken();
    const [stranger, moved] = [await byToken(), await byToken()];
    const elsewhere = createSecretBox([{ id: 'lost', key: randomBytes(32) }]);
    const foreign = elsewhere.seal('{}', `connection:${stranger.id}:credentials`);
    await db.pool.query('update connection set credentials = $2 where id = $1', [stranger.id, foreign]);
    await db.pool.query(
      'update connection set credentials = (select credentials from connection where id = $2) where id = $1',
      [moved.id, good.id],
    );
    const { status, out, err } = await rotate(`${text(newKey)},${text(oldKey)}`);
    expect(status).toBe(1);
    expect(out).toContain('connection.credentials: 1 sealed again, 0 already with the first key, 2 not readable');
    expect(err).toContain(
      `connection.credentials of ${stranger.id}: A stored secret was sealed with a key that is not`,
    );
    expect(err).toContain(
      `connection.credentials of ${moved.id}: A stored secret could not be opened: it was altered, moved`,
    );
    expect(`${out}${err}`).not.toContain('an-api-token');
  });
});
