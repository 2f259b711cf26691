import { must } from '../support/stack-clients';
import { type GrantWorld, startGrantWorld } from './grants-world';

let world: GrantWorld;
beforeAll(async () => {
  world = await startGrantWorld();
});
afterAll(() => world.stop());
afterEach(() => world.faults.clear());

/** The points of the test of a stored connection that failed. */
async function failures(id: string) {
  const tested = await world.access.testConnection(id);
  return tested?.report.checks
    .filter(({ ok }) => !ok)
    .map(({ name, cause = '', cure = '' }) => ({ name, cause, cure }));
}

async function settings(projectKey: string, change: object) {
  await must(world.sandbox('PUT', `/projects/${projectKey}`, change));
}

describe('C4 the test of a connection against Jira', () => {
  it('passes for both kinds', async () => {
    const { id } = await world.connect();
    expect(await failures(id)).toEqual([]);
    expect(await failures(await world.connectByToken())).toEqual([]);
  });

  it('names 401 for a dead API token', async () => {
    expect(await failures(await world.connectByToken('wrong'))).toEqual([
      { name: 'credentials', cause: expect.stringContaining('(401)'), cure: expect.stringContaining('not revoked') },
    ]);
  });

  it('names the scope that a grant has lost', async () => {
    const { id, grantId } = await world.connect();
    await must(world.sandbox('DELETE', `/oauth/grants/${grantId}/scopes/read:jira-user`));
    expect(await failures(id)).toEqual([
      {
        name: 'credentials',
        cause: expect.stringContaining('read:jira-user'),
        cure: expect.stringContaining('Grant every scope'),
      },
    ]);
    expect(await world.row(id)).toMatchObject({ status: 'reconnect_required' });
  });

  it('says that a project key is case-sensitive, and which one is meant', async () => {
    const { id } = await world.connect({ projectKey: 'acc' });
    expect(await failures(id)).toEqual([
      { name: 'project', cause: expect.stringContaining('there is ACC'), cure: expect.stringContaining('Write ACC') },
    ]);
  });

  it('says that a webhook which Jira does not list is registered anew by a synchronisation', async () => {
    const { id } = await world.connect();
    const client = await world.access.clientFor(id);
    const [registered] = await client.registerWebhooks({
      url: 'https://recheck.example/api/integrations/jira/webhook/1',
      webhooks: [{ events: ['jira:issue_updated'], jqlFilter: 'project in (ACC)', fieldIdsFilter: ['status'] }],
    });
    const webhookId = registered && 'id' in registered ? registered.id : '';
    await world.db.connections.setWebhooks({ id, webhookIds: [webhookId], expiresAt: null, error: null });
    expect(await failures(id)).toEqual([]);
    const expiry = await client.refreshWebhooks([webhookId]);
    expect(expiry?.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    await client.deleteWebhooks([webhookId]);
    expect(await failures(id)).toEqual([
      { name: 'webhooks', cause: expect.stringContaining('does not list'), cure: expect.stringContaining('anew') },
    ]);
  });

  it('names permissions and required fields that are missing', async () => {
    const { id } = await world.connect();
    await settings('ACC', { denied: ['CREATE_ATTACHMENTS'] });
    expect(await failures(id)).toMatchObject([
      { name: 'permissions', cause: expect.stringContaining('Create attachments') },
    ]);
    await settings('ACC', { denied: [], requiredFields: ['components'] });
    expect(await failures(id)).toMatchObject([{ name: 'fields', cause: expect.stringContaining('no default') }]);
    await settings('ACC', { requiredFields: [] });
    expect(await failures(id)).toEqual([]);
  });
});
