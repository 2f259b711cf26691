// A key of a push that was used before.

import { type ApiWorld, atOnce, sourceWith, startApi } from './api-world';

let world: ApiWorld;
let other: string;
beforeAll(async () => {
  world = await startApi();
  const { db, organisationId } = world;
  const { connectionId } = await sourceWith(db, organisationId, { key: 'shop', numbers: [1, 2, 3] });
  await sourceWith(db, organisationId, { key: 'blog', numbers: [4] });
  await sourceWith(db, organisationId, { key: 'empty', numbers: [] });
  other = connectionId;
}, 60_000);
afterAll(async () => {
  await world?.close();
});

type Body = { source?: string; findings?: string[] | 'all'; note?: string; connection?: string };
const push = (key: string, body: Body, api = world.api) =>
  api('POST', '/api/v1/pushes', { source: 'shop', ...body }, { 'idempotency-key': key });

describe('P6 an Idempotency-Key that was used', () => {
  it.each<[string, Body, Body]>([
    ['one finding', { findings: ['F-1'], note: 'why' }, { findings: ['f-1', 'F-1'], note: 'why' }],
    ['several', { findings: ['F-1', 'F-2'] }, { findings: ['F-2', 'F-1'] }],
    ['all', { findings: 'all' }, { findings: 'all' }],
    ['all of nothing', { source: 'empty', findings: 'all' }, { source: 'empty', findings: 'all' }],
  ])('P6 with the same request for %s is the same push', async (what, first, again) => {
    const made = await push(`same ${what}`, first);
    expect(made.status).toBe(202);
    expect(await push(`same ${what}`, again)).toEqual(made);
  });

  it.each<[string, Body, Body]>([
    ['another finding', { findings: ['F-1'] }, { findings: ['F-2'] }],
    ['one more finding', { findings: ['F-1', 'F-2'] }, { findings: ['F-1', 'F-2', 'F-3'] }],
    ['one finding less', { findings: ['F-1', 'F-2', 'F-3'] }, { findings: ['F-1', 'F-2'] }],
    ['all in place of those that there are', { findings: ['F-1', 'F-2', 'F-3'] }, { findings: 'all' }],
    ['those that there are in place of all', { findings: 'all' }, { findings: ['F-1', 'F-2', 'F-3'] }],
    ['another source', { findings: ['F-1'] }, { source: 'blog', findings: ['F-4'] }],
    ['all of another source', { findings: 'all' }, { source: 'empty', findings: 'all' }],
    ['another note', { findings: ['F-1'], note: 'why' }, { findings: ['F-1'], note: 'because' }],
    ['no note', { findings: ['F-1'], note: 'why' }, { findings: ['F-1'] }],
    ['a connection', { findings: ['F-1'] }, { findings: ['F-1'], connection: 'OTHER' }],
  ])('P6 with %s is refused, and nothing is pushed', async (what, first, second) => {
    expect((await push(what, first)).status).toBe(202);
    const before = await everything();
    const asked = second.connection ? { ...second, connection: other } : second;
    const refused = await push(what, asked);
    expect(refused).toMatchObject({ status: 409, body: { code: 'idempotency_key_used' } });
    expect(refused.body.detail).toContain('Use a new key for a new push');
    expect(await everything()).toBe(before);
  });

  it('P6 by another member is refused', async () => {
    const colleague = await world.join('member');
    expect((await push('mine', { findings: ['F-1'] })).status).toBe(202);
    const refused = await push('mine', { findings: ['F-1'] }, colleague.api);
    expect(refused).toMatchObject({ status: 409, body: { code: 'idempotency_key_used' } });
  });

  it('P6 by two different requests at the same moment makes one push', async () => {
    for (let round = 0; round < 10; round += 1) {
      const findings = ['F-1', 'F-2', 'F-1', 'F-2', 'F-1', 'F-2', 'F-1', 'F-2'];
      const answers = await atOnce(world, 'push_batch', () =>
        findings.map((finding) => push(`race ${round}`, { findings: [finding] })),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([202, 202, 202, 202, 409, 409, 409, 409]);
      const made = answers.filter(({ status }) => status === 202);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    }
  });
});

async function everything(): Promise<string> {
  const { pushBatch, pushItem } = world.db.prisma;
  const tables = [pushBatch.findMany({ orderBy: { id: 'asc' } }), pushItem.count()] as const;
  return JSON.stringify([await Promise.all(tables), world.told]);
}
