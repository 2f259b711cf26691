// Members and their keys: who may hand out what, what happens at the same moment, and pages of lists.

import { type ApiWorld, atOnce, sourceWith, startApi } from './api-world';

let world: ApiWorld;
beforeAll(async () => {
  world = await startApi();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

describe('C7 members at the same moment', () => {
  it('C7 two owners who remove each other leave one', async () => {
    const own = world.ownerId;
    const other = await world.join('owner');
    const answers = await atOnce(world, 'api_key', () => [
      world.api('DELETE', `/api/v1/members/${other.id}`),
      other.api('DELETE', `/api/v1/members/${own}`),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('last_owner');
    const left = await world.db.prisma.member.findMany({ where: { role: 'owner', removedAt: null } });
    expect(left).toHaveLength(1);
    // For the tests after this one there is the owner again.
    await world.db.prisma.member.update({ where: { id: own }, data: { removedAt: null } });
    await world.db.prisma.apiKey.updateMany({ where: { memberId: own }, data: { revokedAt: null } });
    await world.db.members.remove(world.organisationId, other.id);
  });

  it.each(['T1', null])('C7 one of several with the same Slack user is added (workspace %s)', async (teamId) => {
    if (teamId) await installWorkspace(teamId);
    const person = { name: 'Sam', role: 'member', slackUserId: `U${teamId}` };
    const answers = await atOnce(world, 'member', () =>
      Array.from({ length: 4 }, () => world.api('POST', '/api/v1/members', person)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    const refused = answers.filter(({ status }) => status === 409).map(({ body }) => body.code);
    expect(new Set(refused)).toEqual(new Set(['member_exists']));
    await world.db.pool.query('delete from slack_installation');
  });
});

async function installWorkspace(teamId: string): Promise<void> {
  const { organisationId } = world;
  const installation = { organisationId, teamId, botId: 'B1', botUserId: 'U0', scopes: [] };
  await world.db.prisma.slackInstallation.create({ data: installation });
}

describe('I4 P9 what a key can hand out', () => {
  const make = (api: ApiWorld['api'], member: string, scopes?: string[]) =>
    api('POST', '/api/v1/api-keys', { member, name: 'new', ...(scopes ? { scopes } : {}) });

  it('I4 a scoped key makes keys with scopes of its own alone', async () => {
    const scoped = await world.join('admin', ['manage_members', 'read']);
    for (const scopes of [undefined, [], ['*'], ['push'], ['read', 'push']]) {
      const { status, body } = await make(scoped.api, scoped.id, scopes);
      expect([status, body.code]).toEqual([403, 'scope_missing']);
      expect(body.detail).toContain('Name scopes that it has itself (manage_members, read)');
    }
    for (const scopes of [['read'], ['manage_members', 'read']]) {
      const { status, body } = await make(scoped.api, scoped.id, scopes);
      expect([status, body.scopes]).toEqual([201, scopes]);
    }
    const all = await world.join('admin', ['*']);
    expect((await make(all.api, all.id)).status).toBe(201);
  });

  it('C7 a scoped key adds nobody who may do more than it', async () => {
    const scoped = await world.join('owner', ['manage_members', 'approve']);
    const add = (api: typeof scoped.api, role: string) =>
      api('POST', '/api/v1/members', { name: `A new ${role}`, role });
    for (const role of ['admin', 'owner']) {
      const { status, body } = await add(scoped.api, role);
      expect([status, body.code]).toEqual([403, 'scope_missing']);
      expect(body.detail).toContain(`lacks the scope configure, connect, which every ${role} has`);
    }
    expect((await add(scoped.api, 'member')).status).toBe(201);
    const whole = await world.join('owner', ['manage_members', 'approve', 'configure', 'connect']);
    expect((await add(whole.api, 'owner')).status).toBe(201);
  });

  it('P9 nobody makes a key in the name of a peer, or of somebody above', async () => {
    const [owner, admin, peer, member] = [
      await world.join('owner'),
      await world.join('admin'),
      await world.join('admin'),
      await world.join('member'),
    ];
    const refused = [
      [world.api, owner],
      [admin.api, peer],
      [admin.api, owner],
    ] as const;
    for (const [api, target] of refused) {
      const { status, body } = await make(api, target.id);
      expect([status, body.code]).toEqual([403, 'key_for_other']);
      expect(body.detail).toMatch(/would let you act as .*make one for yourself/);
    }
    const allowed = [
      [world.api, admin],
      [world.api, member],
      [admin.api, member],
      [admin.api, admin],
      [owner.api, owner],
    ] as const;
    for (const [api, target] of allowed) {
      const { status, body } = await make(api, target.id);
      expect([status, body.member]).toEqual([201, target.id]);
    }
    await world.db.members.remove(world.organisationId, owner.id);
  });
});

describe('I4 pages of lists', () => {
  /** Walks through a list, and does something with each page before it asks for the next. */
  async function walk(list: string, each: (ids: string[]) => Promise<unknown>): Promise<string[]> {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await world.api('GET', `/api/v1/${list}?limit=2${query}`);
      const ids = (body.items as { id: string }[]).map(({ id }) => id);
      seen.push(...ids);
      await each(ids);
      cursor = body.nextCursor;
    }
    return seen;
  }

  it('I4 a list of keys or members stays whole while each page of it is taken away', async () => {
    const { db, organisationId, ownerId } = world;
    const members = await Promise.all(Array.from({ length: 7 }, () => world.join('member')));
    const keys = (await db.members.listKeys(organisationId, { limit: 200 })).map(({ id }) => id);
    const own = new Set((await db.prisma.apiKey.findMany({ where: { memberId: ownerId } })).map(({ id }) => id));
    const revoke = (ids: string[]) =>
      Promise.all(ids.filter((id) => !own.has(id)).map((id) => world.api('DELETE', `/api/v1/api-keys/${id}`)));
    expect((await walk('api-keys', revoke)).sort()).toEqual(keys.sort());
    const remove = (ids: string[]) =>
      Promise.all(ids.filter((id) => id !== ownerId).map((id) => world.api('DELETE', `/api/v1/members/${id}`)));
    expect(await walk('members', remove)).toEqual(expect.arrayContaining(members.map(({ id }) => id)));
  });

  const cursor = (text: string) => Buffer.from(text).toString('base64url');
  const foreign = [cursor('k:not-an-id'), cursor('k:\0'), cursor('12'), 'garbage'];
  const numbers = [cursor('k:99999999999'), cursor('k:-1'), cursor('k:1e3'), cursor('k:'), cursor('k:0x10')];
  it.each([
    ['members', [...foreign, cursor('k:12')]],
    ['api-keys', [...foreign, cursor('k:12')]],
    ['connections', [...foreign, cursor('k:12')]],
    ['findings', [...foreign, ...numbers]],
    ['verification', [...foreign, ...numbers]],
    ['sources', foreign.slice(1)],
  ])('I4 a cursor that no list of %s gave is refused', async (list, cursors) => {
    for (const each of cursors) {
      const { status, body } = await world.api('GET', `/api/v1/${list}?cursor=${each}`);
      expect([each, status, body.code]).toEqual([each, 400, 'invalid_cursor']);
    }
  });

  it('I4 the cursors that a list of connections gives lead through it', async () => {
    const made: string[] = [];
    for (const key of ['a', 'b', 'c']) {
      made.push((await sourceWith(world.db, world.organisationId, { key, numbers: [] })).connectionId);
    }
    expect(await walk('connections', async () => undefined)).toEqual(made.sort());
  });
});
