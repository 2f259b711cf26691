import type { ConnectionRow } from '../../prisma/connections';
import { createConnecting } from './connecting';
import { connectionHealth } from './connection-health';
import type { Check, ConnectionOperations, ConnectionView } from './connection-types';
import type { OperationDeps } from './deps';
import { connectionCure, demand, idPageOf, orNotFound, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import { chosenLists, readLists } from './status-lists';
import type { Caller } from './types';

/** Connections to Jira. Secrets go in here and never come out again. */
export function createConnectionOperations(deps: OperationDeps): ConnectionOperations {
  const { db, engine, jira, checkClient, baseUrl } = deps;
  const connecting = createConnecting(deps);

  async function byId(caller: Caller, id: string): Promise<ConnectionRow> {
    const found = await db.connections.find(caller.organisationId, uuid(id, 'The connection'));
    return orNotFound(found, `The connection ${id}`, connectionCure);
  }

  async function views(organisationId: string, rows: ConnectionRow[]): Promise<ConnectionView[]> {
    const facts = await db.healthFacts.facts(
      organisationId,
      rows.map((row) => row.id),
    );
    return rows.flatMap((row) => {
      const known = facts.get(row.id);
      return known ? [viewOf(row, connectionHealth({ row, facts: known, now: new Date(), pollMs: deps.pollMs }))] : [];
    });
  }

  async function view(row: ConnectionRow): Promise<ConnectionView> {
    const [one] = await views(row.organisationId, [row]);
    return orNotFound(one, `The connection ${row.id}`, connectionCure);
  }

  const viewOf = (row: ConnectionRow, health: ConnectionView['health']): ConnectionView => ({
    id: row.id,
    kind: row.kind,
    status: row.status,
    siteUrl: row.siteUrl,
    email: row.kind === 'api_token' ? row.accountEmail : null,
    accountName: row.kind === 'oauth' ? row.accountEmail : null,
    accountId: row.accountId,
    projectKey: row.projectKey,
    autoSync: row.autoSync,
    webhookUrl: `${baseUrl}/api/integrations/jira/webhook?integration_id=${row.id}`,
    health,
  });

  async function lists(row: ConnectionRow, projectKey: string) {
    const found = await readLists(await jira.clientFor(row.id), { projectKey, stored: row.mapping }).catch(
      (error: unknown) => {
        throw ofJira(error, projectKey);
      },
    );
    return found;
  }

  return {
    async connectLink(caller) {
      demand(caller, 'connect');
      await db.oneTimeLinks.deleteExpired();
      const { memberId } = caller;
      const ttlMs = deps.connectLinkMs;
      const { token } = await db.oneTimeLinks.create(caller.organisationId, { memberId, kind: 'connect', ttlMs });
      const ended = (await db.adoption.candidates(caller.organisationId, null)).map((old) => ({
        ...old,
        disconnectedAt: old.disconnectedAt.toISOString(),
      }));
      return { url: `${baseUrl}/connect/${token}`, expiresInMs: ttlMs, ended };
    },

    async mayConnect(caller) {
      demand(caller, 'connect');
    },

    async listConnections(caller, page) {
      demand(caller, 'read');
      const { limit, after } = idPageOf(page);
      const rows = await db.connections.list(caller.organisationId, { after, limit: limit + 1 });
      const shown = toPage(
        rows,
        limit,
        (row) => row.id,
        (row) => row,
      );
      return { items: await views(caller.organisationId, shown.items), nextCursor: shown.nextCursor };
    },

    async getConnection(caller, id) {
      demand(caller, 'read');
      return await view(await byId(caller, id));
    },

    async createConnection(caller, request) {
      demand(caller, 'connect');
      const { siteUrl, email, apiToken, projectKey, autoSync = false, adoptFrom } = request;
      const saved = await connecting.save(
        caller,
        { kind: 'api_token', siteUrl, email, apiToken },
        { projectKey, autoSync, adoptFrom: adoptFrom ? [adoptFrom] : [] },
      );
      if (!saved.ok) throw refusalOf(saved.checks);
      const { connection, webhookSecret, adopted } = saved;
      const toRoute = await connecting.toRoute(caller, connection.id);
      return { ...(await view(connection)), webhookSecret: webhookSecret ?? '', adopted, toRoute };
    },

    async updateConnection(caller, id, change) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      if (change.projectKey && change.projectKey !== row.projectKey) {
        const { siteUrl, kind, scopes } = row;
        const grant = kind === 'oauth' ? { scopes } : undefined;
        const target = { siteUrl, grant, projectKey: change.projectKey };
        const tested = await checkClient(await jira.clientFor(row.id), target);
        if (!tested.ok) throw refusalOf(tested.checks);
      }
      const changed = await db.connections.update(caller.organisationId, row.id, change);
      const connection = orNotFound(changed, `The connection ${id}`, 'It was disconnected meanwhile.');
      if (change.autoSync !== undefined) await connecting.schedule(connection, change.autoSync);
      await connecting.synchronise(connection, 'routing');
      return await view(connection);
    },

    async reconnect(caller, id, { email, apiToken }) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      if (row.kind === 'oauth') {
        throw new Refusal(
          'conflict',
          'oauth_connection',
          'This connection goes by OAuth, which takes a person\'s consent. Type "/recheck connect" in Slack and press Reconnect.',
        );
      }
      const renewed = await connecting.renewById(caller, row.id, {
        kind: 'api_token',
        siteUrl: row.siteUrl,
        email,
        apiToken,
      });
      if (!renewed.ok) throw refusalOf(renewed.checks);
      return await view(await byId(caller, id));
    },

    async testConnection(caller, id) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      const tested = await jira.testConnection(row.id);
      const { report, restored } = orNotFound(tested, `The connection ${id}`, 'It was disconnected meanwhile.');
      if (restored) await connecting.synchronise(row, 'restored');
      return { ok: report.ok, checks: [...report.checks] };
    },

    async syncConnection(caller, id) {
      demand(caller, 'configure');
      const { organisationId, id: connectionId } = await byId(caller, id);
      await engine.syncConnection({ organisationId, connectionId, reason: 'asked' });
    },

    async deleteConnection(caller, id) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      const deregister = await connecting.deregistration(row);
      await deregister((await db.connections.disconnect(caller.organisationId, row.id)) ?? []);
      // What waited for it to work again is refused now.
      await db.pushes.releaseHeld(row.id);
      await db.sync.redrawCards(row.id);
      await connecting.schedule(row, false);
    },

    async getMapping(caller, id, projectKey) {
      demand(caller, 'connect');
      return await lists(await byId(caller, id), projectKey);
    },

    async putMapping(caller, id, projectKey, change) {
      demand(caller, 'connect');
      const row = await byId(caller, id);
      const known = await lists(row, projectKey);
      const mapping = chosenLists(known, change);
      await db.connections.setMapping(caller.organisationId, row.id, { projectKey, mapping });
      return { ...known, ...mapping, saved: true };
    },
  };
}

function refusalOf(checks: readonly Check[]): Refusal {
  const check = checks.find((each) => !each.ok);
  const cause = check?.cause ?? 'Jira did not say whose credentials these are.';
  return new Refusal('invalid', `connection_${check?.name ?? 'credentials'}`, `${cause} ${check?.cure ?? ''}`.trim());
}

/** What Jira answered when its lists were read, as a refusal; told by shape, other errors go on. */
function ofJira(error: unknown, projectKey: string): unknown {
  if (!(error instanceof Error) || error.name !== 'JiraError' || !('kind' in error)) return error;
  if (error.kind === 'not-found') {
    return new Refusal(
      'not_found',
      'not_found',
      `The project ${projectKey} is not there, or the account of the connection does not see it. Keys are case-sensitive.`,
      { cause: error },
    );
  }
  return new Refusal('unavailable', 'jira_unavailable', `Jira could not be asked. ${error.message}`, { cause: error });
}
