import { randomUUID } from 'node:crypto';
import type { Db } from '../../prisma/client';
import { createAcme, openStores, type Stores } from '../support/stores';

const REASON = 'The credentials are dead. Connect again.';

describe('the store of connections', () => {
  let stores: Stores;
  let db: Db;
  let organisationId: string;
  let memberId: string;
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
    ({ organisationId, memberId } = await createAcme(db));
  });
  afterAll(async () => {
    await stores?.close();
  });

  const common = () => ({
    id: randomUUID(),
    siteUrl: 'https://acme.atlassian.net',
    accountId: 'bot',
    projectKey: 'ACC',
    autoSync: false,
    memberId,
  });
  const byToken = () =>
    db.connections.create(organisationId, {
      ...common(),
      email: 'bot@acme.example',
      apiToken: 'an-api-token',
      webhookSecret: 'a-webhook-secret',
    });
  const byGrant = () =>
    db.connections.createOauth(organisationId, {
      ...common(),
      cloudId: 'b1e2',
      grant: { accessToken: 'an-access-token', refreshToken: 'a-refresh-token', expiresAt: Date.UTC(2030, 0, 1) },
      scopes: ['read:jira-work'],
    });
  const row = async (id: string) => (await db.connections.find(organisationId, id)) ?? {};
  const raw = async (id: string) => (await db.pool.query('select * from connection where id = $1', [id])).rows[0];
  const notices = async (id: string) =>
    (
      await db.pool.query<{ kind: string; open: boolean }>(
        `select kind, resolved_at is null as open from notice where connection_id = $1 order by created_at, kind`,
        [id],
      )
    ).rows;

  it('opens the credentials of either kind again, and keeps them out of every other answer and of the database', async () => {
    const token = await byToken();
    const grant = await byGrant();
    expect((await db.connections.withCredentials(token.id))?.credentials).toEqual({
      kind: 'api_token',
      apiToken: 'an-api-token',
    });
    expect((await db.connections.withCredentials(grant.id))?.credentials).toEqual({
      kind: 'oauth',
      accessToken: 'an-access-token',
      refreshToken: 'a-refresh-token',
      expiresAt: Date.UTC(2030, 0, 1),
    });
    const seen = JSON.stringify([
      ...[token, grant, await row(token.id), await row(grant.id)],
      await db.connections.list(organisationId, { limit: 50 }),
    ]);
    expect(seen).not.toMatch(/an-api-token|-token|a-webhook-secret/);
    const stored = [await raw(token.id), await raw(grant.id)].flatMap((each) => [
      each.credentials,
      each.webhook_secret,
    ]);
    for (const value of stored) expect(String(value)).not.toMatch(/-token|a-webhook-secret/);
  });

  it('answers what deliveries are checked by: a secret, or none for OAuth', async () => {
    const token = await byToken();
    const grant = await byGrant();
    await db.connections.setWebhooks({ id: grant.id, webhookIds: ['10001', 7], expiresAt: null, error: null });
    expect(await db.connections.webhookAuth(token.id)).toMatchObject({ kind: 'api_token', secret: 'a-webhook-secret' });
    expect(await db.connections.webhookAuth(grant.id)).toEqual({
      organisationId,
      kind: 'oauth',
      secret: null,
      siteUrl: 'https://acme.atlassian.net',
      cloudId: 'b1e2',
      webhookIds: ['10001', '7'],
    });
    expect(await db.connections.webhookAuth(randomUUID())).toBeNull();
  });

  it('C8 erases everything secret of a disconnected connection, and answers it to nobody', async () => {
    const grant = await byGrant();
    const token = await byToken();
    await db.connections.setWebhooks({ id: grant.id, webhookIds: ['1'], expiresAt: new Date(), error: 'none' });
    for (const { id } of [grant, token]) {
      expect(await db.connections.disconnect(organisationId, id)).toEqual(id === grant.id ? ['1'] : []);
      expect(await db.connections.disconnect(organisationId, id)).toBeNull();
      expect(await raw(id)).toMatchObject({
        status: 'disconnected',
        credentials: null,
        webhook_secret: null,
        dynamic_webhook_ids: [],
        scopes: [],
        token_expires_at: null,
      });
      expect(await db.connections.find(organisationId, id)).toBeNull();
      expect(await db.connections.withCredentials(id)).toBeNull();
      expect(await db.connections.webhookAuth(id)).toBeNull();
      expect(await db.connections.markBroken({ id, reason: REASON })).toBe(false);
      expect(await db.connections.markHealthy(id)).toBe(false);
      expect(await db.connections.setWebhooks({ id, webhookIds: ['2'], expiresAt: null, error: null })).toBe(false);
    }
    expect(await notices(grant.id)).toEqual([{ kind: 'webhook_failed', open: false }]);
  });

  it('does not disconnect a connection of another organisation', async () => {
    const { id } = await byToken();
    const other = await db.members.createOrganisation('Other');
    expect(await db.connections.disconnect(other, id)).toBeNull();
    expect(await db.connections.find(other, id)).toBeNull();
    expect(await row(id)).toMatchObject({ status: 'connected' });
  });

  it('C10 marks a connection broken once and healthy once, with one notice each, whoever is first', async () => {
    const { id } = await byToken();
    const marked = await Promise.all([1, 2, 3, 4, 5, 6].map(() => db.connections.markBroken({ id, reason: REASON })));
    expect(marked.filter(Boolean)).toHaveLength(1);
    expect(await row(id)).toMatchObject({
      status: 'reconnect_required',
      statusReason: REASON,
      brokenAt: expect.any(Date),
    });
    expect(await notices(id)).toEqual([{ kind: 'reconnect_required', open: true }]);

    const healed = await Promise.all([1, 2, 3, 4, 5, 6].map(() => db.connections.markHealthy(id)));
    expect(healed.filter(Boolean)).toHaveLength(1);
    expect(await row(id)).toMatchObject({ status: 'connected', statusReason: null, brokenAt: null });
    expect(await notices(id)).toEqual([
      { kind: 'reconnect_required', open: false },
      { kind: 'restored', open: false },
    ]);
  });

  it('does not blame new credentials for the failure of old ones', async () => {
    const { id, refreshedAt } = await byGrant();
    await db.pool.query(`update connection set refreshed_at = now() + interval '1 second' where id = $1`, [id]);
    expect(await db.connections.markBroken({ id, reason: REASON, credentialsSince: refreshedAt })).toBe(false);
    expect(await row(id)).toMatchObject({ status: 'connected' });
  });

  it('gives a connection new credentials of its own kind alone', async () => {
    const { id } = await byToken();
    await db.connections.markBroken({ id, reason: REASON });
    const grant = { accessToken: 'a', refreshToken: 'r', expiresAt: 1 };
    const other = { accountId: 'x', cloudId: 'c', grant, scopes: [] };
    expect(await db.connections.reconnect(id, { kind: 'oauth', ...other })).toBeNull();
    const fresh = { kind: 'api_token', email: 'new@acme.example', accountId: 'bot2', apiToken: 'new' } as const;
    expect(await db.connections.reconnect(id, fresh)).toMatchObject({
      restored: true,
      connection: { status: 'connected', accountEmail: 'new@acme.example', accountId: 'bot2' },
    });
    expect((await db.connections.withCredentials(id))?.credentials).toMatchObject({ apiToken: 'new' });
    expect((await db.connections.webhookAuth(id))?.secret).toBe('a-webhook-secret');
  });

  it('keeps lost projects by key, with one notice until the last is found', async () => {
    const { id } = await byToken();
    const lost = (projectKey: string) =>
      db.connections.lostProject({ id, projectKey, detail: `${projectKey} is lost.` });
    expect(await Promise.all([lost('ACC'), lost('ACC')])).toEqual(expect.arrayContaining([true, false]));
    expect(await lost('WEB')).toBe(true);
    expect(await row(id)).toMatchObject({ lostProjects: ['ACC', 'WEB'] });
    expect(await db.connections.foundProject({ id, projectKey: 'ACC' })).toBe(true);
    expect(await db.connections.foundProject({ id, projectKey: 'ACC' })).toBe(false);
    expect(await notices(id)).toEqual([{ kind: 'project_lost', open: true }]);
    await db.connections.foundProject({ id, projectKey: 'WEB' });
    expect(await notices(id)).toEqual([{ kind: 'project_lost', open: false }]);
  });

  it('keeps why a webhook is not registered, with one notice until it is', async () => {
    const { id } = await byGrant();
    const set = (error: string | null) => db.connections.setWebhooks({ id, webhookIds: [], expiresAt: null, error });
    await set('Jira says no.');
    await set('Jira says no.');
    expect(await row(id)).toMatchObject({ webhookError: 'Jira says no.' });
    expect(await notices(id)).toEqual([{ kind: 'webhook_failed', open: true }]);
    await set(null);
    expect(await notices(id)).toEqual([{ kind: 'webhook_failed', open: false }]);
  });

  it('moves the mark of polls forwards only', async () => {
    const { id } = await byToken();
    const [early, late] = [new Date('2030-01-01T00:00:00Z'), new Date('2030-01-02T00:00:00Z')];
    await db.connections.notePoll({ id, polledUntil: late });
    await db.connections.notePoll({ id, polledUntil: early, error: 'a limit' });
    expect(await row(id)).toMatchObject({ polledUntil: late, pollError: 'a limit', lastPollAt: expect.any(Date) });
  });

  it('changes only what is given, and keeps a mapping per project', async () => {
    const { id } = await byToken();
    expect(await db.connections.update(organisationId, id, { autoSync: true })).toMatchObject({
      autoSync: true,
      projectKey: 'ACC',
    });
    await db.connections.setMapping(organisationId, id, { projectKey: 'ACC', mapping: { blockedStatuses: [] } });
    await db.connections.setMapping(organisationId, id, { projectKey: 'WEB', mapping: { blockedResolutions: [] } });
    expect(await row(id)).toMatchObject({ mapping: { ACC: { blockedStatuses: [] }, WEB: { blockedResolutions: [] } } });
  });

  it('lists page by page', async () => {
    const own = await db.members.createOrganisation('Paged');
    for (let count = 0; count < 3; count += 1) {
      await db.connections.create(own, { ...common(), email: 'e', apiToken: 't', webhookSecret: 's' });
    }
    const first = await db.connections.list(own, { limit: 2 });
    const rest = await db.connections.list(own, { limit: 2, after: first[1]?.id });
    expect(new Set([...first, ...rest].map(({ id }) => id)).size).toBe(3);
    expect(rest).toHaveLength(1);
  });

  it('renews a grant under its row lock: whoever waited takes what the first has stored', async () => {
    const { id } = await byGrant();
    let spent = 0;
    const renew = async () => {
      spent += 1;
      return { accessToken: `new-${spent}`, refreshToken: `r-${spent}`, expiresAt: Date.now(), scopes: ['x'] };
    };
    const input = { id, spent: 'an-access-token', lockTimeoutMs: 20_000, renew };
    const renewed = await Promise.all([1, 2, 3, 4].map(() => db.connections.renewGrant(input)));
    expect(renewed.map((grant) => grant?.accessToken)).toEqual(Array(4).fill('new-1'));
    expect(await row(id)).toMatchObject({ scopes: ['x'] });
  });

  it('leaves a grant as it was where the renewal fails, and lets deliveries in meanwhile', async () => {
    const { id } = await byGrant();
    const renew = async () => {
      // A delivery refers to the connection's row; it must not wait for Atlassian.
      await db.pool.query(
        `insert into delivery (organisation_id, connection_id, identifier, event, state) values ($1, $2, 'd', 'e', 'ignored')`,
        [organisationId, id],
      );
      throw new Error('Atlassian is away.');
    };
    const input = { id, spent: 'an-access-token', lockTimeoutMs: 20_000, renew };
    await expect(db.connections.renewGrant(input)).rejects.toThrow('Atlassian is away.');
    expect((await db.connections.withCredentials(id))?.credentials).toMatchObject({ refreshToken: 'a-refresh-token' });
  });

  it('gives up on a lock that does not come', async () => {
    const { id } = await byGrant();
    const input = { id, spent: 'an-access-token', lockTimeoutMs: 50, renew: () => Promise.reject(new Error('no')) };
    const holder = await db.pool.connect();
    await holder.query('begin');
    await holder.query('select 1 from connection where id = $1 for update', [id]);
    await expect(db.connections.renewGrant(input)).rejects.toMatchObject({ code: '55P03' });
    await holder.query('rollback');
    holder.release();
  });
});
