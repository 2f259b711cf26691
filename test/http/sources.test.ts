// Making a source is held to what changing its rule is held to.

import { randomUUID } from 'node:crypto';
import { type ApiWorld, sourceWith, startApi } from './api-world';

let world: ApiWorld;
beforeAll(async () => {
  world = await startApi();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const make = (key: string, more: object) =>
  world.api('POST', '/api/v1/sources', { key, name: key, kind: 'site', ...more });
const exists = async (key: string) => (await world.db.sources.find(world.organisationId, key)) !== null;

describe('R2 a new source', () => {
  it('R2 warns while it has no project key', async () => {
    const warned = await make('a', { rule: { enabled: true } });
    expect(warned).toMatchObject({
      status: 201,
      body: { warnings: expect.arrayContaining([expect.stringMatching(/no Jira project key/)]) },
    });
    const keyed = await make('b', { rule: { enabled: true }, projectKey: 'ACC' });
    expect(keyed.status).toBe(201);
    expect(keyed.body.warnings).not.toEqual(expect.arrayContaining([expect.stringMatching(/project key/)]));
  });

  it('R1 names other connections of its own organisation alone', async () => {
    const { db, organisationId } = world;
    const own = await sourceWith(db, organisationId, { key: 'own', numbers: [] });
    const stranger = await db.members.createOrganisation('Strangers');
    const theirs = await sourceWith(db, stranger, { key: 'theirs', numbers: [] });
    for (const id of [randomUUID(), theirs.connectionId]) {
      const answer = await make('d', { rule: { otherConnections: [own.connectionId, id] } });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect(answer.body.detail).toContain(id);
    }
    expect(await exists('d')).toBe(false);
    expect((await make('d', { rule: { otherConnections: [own.connectionId] } })).status).toBe(201);
  });
});
