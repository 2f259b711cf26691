// Who may end a push that somebody else asked for.

import { type ApiWorld, sourceWith, startApi } from './api-world';

let world: ApiWorld;
beforeAll(async () => {
  world = await startApi();
  const { db, organisationId, api } = world;
  await sourceWith(db, organisationId, { key: 'shop', numbers: [1, 2] });
  await sourceWith(db, organisationId, { key: 'blog', numbers: [3, 4] });
  expect((await api('PUT', '/api/v1/sources/shop/rule', { approval: 'all' })).status).toBe(200);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const decisions = () => world.told.filter((name) => name === 'decidePush').length;

describe('P9 P5 cancelling a push', () => {
  it('P9 one that waits for an approval is cancelled by who asked for it, an admin or an owner, by nobody else', async () => {
    const [asker, other, admin] = [await world.join('member'), await world.join('member'), await world.join('admin')];
    const { body: push } = await asker.api('POST', '/api/v1/pushes', { source: 'shop', findings: 'all' });
    expect(push.status).toBe('awaiting_approval');
    const cancel = `/api/v1/pushes/${push.id}/cancel`;
    expect(await other.api('POST', cancel, {})).toMatchObject({
      status: 403,
      body: { code: 'not_your_push', detail: expect.stringContaining('ask one of them') },
    });
    expect(decisions()).toBe(0);
    // The engine of this test has no answer, but it is asked.
    for (const allowed of [asker, admin, world]) await allowed.api('POST', cancel, {});
    expect(decisions()).toBe(3);
  });

  it('P5 one that runs can be cancelled, and resumed, by every member', async () => {
    const { body: push } = await world.api('POST', '/api/v1/pushes', { source: 'blog', findings: 'all' });
    const { api } = await world.join('member');
    expect(await api('POST', `/api/v1/pushes/${push.id}/cancel`, {})).toMatchObject({
      status: 200,
      body: { status: 'cancelled', items: [{ outcome: 'cancelled' }, { outcome: 'cancelled' }] },
    });
  });
});
