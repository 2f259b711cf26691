import { randomBytes, randomUUID } from 'node:crypto';
import type { ConnectionRow } from '../../prisma/connections';
import type { OperationDeps } from './deps';
import { demand, orNotFound, pageOf, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import type { Caller, Check, ConnectionView, Operations } from './types';

type ConnectionOperations = Pick<
  Operations,
  'listConnections' | 'createConnection' | 'testConnection' | 'syncConnection' | 'deleteConnection'
>;

/** Connections to Jira by API token. Secrets go in here and never come out again. */
export function createConnectionOperations({
  db,
  checkConnection,
  baseUrl,
  wakeRelay,
}: OperationDeps): ConnectionOperations {
  async function byId(caller: Caller, id: string): Promise<ConnectionRow> {
    const found = await db.connections.find(caller.organisationId, uuid(id, 'The connection'));
    return orNotFound(found, `The connection ${id}`, 'GET /api/v1/connections lists them.');
  }

  const view = async (row: ConnectionRow): Promise<ConnectionView> => ({
    id: row.id,
    kind: row.kind === 'oauth' ? 'oauth' : 'api_token',
    status: row.status as ConnectionView['status'],
    siteUrl: row.siteUrl,
    email: row.accountEmail,
    projectKey: row.projectKey,
    autoSync: row.autoSync,
    webhookUrl: `${baseUrl}/api/integrations/jira/webhook?integration_id=${row.id}`,
    health: {
      reason: row.statusReason,
      lastWebhookAt: row.lastWebhookAt?.toISOString() ?? null,
      lastPollAt: row.lastPollAt?.toISOString() ?? null,
      webhookExpiresAt: row.webhookExpiresAt?.toISOString() ?? null,
      tokenExpiresAt: row.tokenExpiresAt?.toISOString() ?? null,
      heldPushes: await db.connections.heldPushes(row.organisationId, row.id),
    },
  });

  return {
    async listConnections(caller, page) {
      demand(caller, 'read');
      const { limit, after } = pageOf(page);
      const rows = await db.connections.list(caller.organisationId, { after, limit: limit + 1 });
      const shown = toPage(
        rows,
        limit,
        (row) => row.id,
        (row) => row,
      );
      return { items: await Promise.all(shown.items.map(view)), nextCursor: shown.nextCursor };
    },

    async createConnection(caller, request) {
      demand(caller, 'connect');
      const { siteUrl, email, apiToken, projectKey } = request;
      const tested = await checkConnection({ siteUrl, email, apiToken }, { projectKey });
      const wrong = tested.checks.find((check) => !check.ok);
      if (wrong || !tested.account) throw refusalOf(wrong);
      const webhookSecret = randomBytes(32).toString('base64url');
      const row = await db.connections.create(caller.organisationId, {
        id: randomUUID(),
        siteUrl,
        email,
        apiToken,
        webhookSecret,
        projectKey,
        accountId: tested.account.accountId,
        autoSync: request.autoSync ?? false,
        memberId: caller.memberId,
      });
      return { ...(await view(row)), webhookSecret };
    },

    async testConnection(caller, id) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      const secret = await db.connections.withCredentials(row.id);
      if (!secret) {
        return {
          ok: false,
          checks: [
            { name: 'credentials', ok: false, cause: 'The credentials were erased.', cure: 'Connect Jira again.' },
          ],
        };
      }
      const account = { siteUrl: row.siteUrl, email: row.accountEmail ?? '', apiToken: secret.apiToken };
      const { ok, checks } = await checkConnection(account, { projectKey: row.projectKey });
      const auth = checks.find((check) => check.name === 'credentials');
      if (ok) await db.connections.setStatus(row.id, 'connected', null);
      else if (auth && !auth.ok) await db.connections.setStatus(row.id, 'reconnect_required', auth.cause ?? null);
      return { ok, checks };
    },

    async syncConnection(caller, id) {
      demand(caller, 'configure');
      const row = await byId(caller, id);
      await db.connections.requestReads(caller.organisationId, row.id);
      wakeRelay();
    },

    async deleteConnection(caller, id) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      await db.connections.disconnect(caller.organisationId, row.id);
    },
  };
}

function refusalOf(check: Check | undefined): Refusal {
  const cause = check?.cause ?? 'Jira did not say whose credentials these are.';
  return new Refusal('invalid', `connection_${check?.name ?? 'credentials'}`, `${cause} ${check?.cure ?? ''}`.trim());
}
