// Connecting to Jira, one step after the other, with credentials that are not stored yet: what the connect page and
// the HTTP API have in common. Credentials come in, go into the sealed columns, and are in no answer.

import { randomBytes, randomUUID } from 'node:crypto';
import type { JiraClient } from '../../activities/jira/client';
import type { ConnectionRow } from '../../prisma/connections';
import type { Grant } from '../../prisma/grants';
import type { AdoptableView, Check, ConnectionTest, ToRoute } from './connection-types';
import type { OperationDeps } from './deps';
import { connectionCure, demand, orNotFound, uuid } from './guard';
import { Refusal } from './refusal';
import type { Caller } from './types';

export type TokenCredentials = {
  kind: 'api_token';
  siteUrl: string;
  email: string;
  apiToken: string;
  /** Of a scoped token, which works through Atlassian's gateway alone; found out here. */
  cloudId?: string | undefined;
};
export type GrantCredentials = { kind: 'oauth'; siteUrl: string; cloudId: string; grant: Grant; scopes: string[] };
/** Credentials for one site, of either kind. */
export type JiraCredentials = TokenCredentials | GrantCredentials;

export type SaveRequest = {
  projectKey: string;
  autoSync: boolean;
  /** Old connections to the same site, whose links move to the new one. */
  adoptFrom: string[];
};
export type Saved =
  | { ok: false; checks: Check[] }
  | { ok: true; checks: Check[]; connection: ConnectionRow; webhookSecret: string | null; adopted: number };
export type ProjectChoice = { key: string; name: string };

export type Connecting = ReturnType<typeof createConnecting>;

const PROJECTS = 100;

/** The steps of connecting. Every one demands the right to connect. */
export function createConnecting({ db, engine, jira, checkClient, log }: OperationDeps) {
  function clientOf(credentials: JiraCredentials): JiraClient {
    if (credentials.kind === 'api_token') return jira.clientOf(credentials);
    const { cloudId, siteUrl, grant } = credentials;
    return oauth().clientOfGrant({ cloudId, siteUrl, accessToken: grant.accessToken });
  }

  function oauth() {
    if (jira.oauth) return jira.oauth;
    throw new Refusal(
      'invalid',
      'oauth_not_configured',
      'No OAuth app of Atlassian is configured here. Connect with an API token, or have ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET set.',
    );
  }

  async function located(credentials: JiraCredentials): Promise<JiraCredentials> {
    if (credentials.kind === 'oauth' || credentials.cloudId) return credentials;
    return { ...credentials, cloudId: await jira.gatewayOf(credentials) };
  }

  async function test(credentials: JiraCredentials, projectKey?: string) {
    const grant = credentials.kind === 'oauth' ? { scopes: credentials.scopes } : undefined;
    return await checkClient(clientOf(credentials), { siteUrl: credentials.siteUrl, projectKey, grant });
  }

  /** Best effort: what is missed is made up for by the next poll and by the maintenance. */
  async function synchronise(connection: ConnectionRow, reason: 'connected' | 'restored' | 'routing'): Promise<void> {
    const { organisationId, id: connectionId } = connection;
    try {
      await engine.syncConnection({ organisationId, connectionId, reason });
    } catch (error) {
      log.warn({ err: error, connectionId, reason }, 'a connection is synchronised later: the engine does not answer');
    }
  }

  /** Best effort: the maintenance brings the schedules in line with the connections. */
  async function schedule(connection: ConnectionRow, autoSync: boolean): Promise<void> {
    const { organisationId, id: connectionId } = connection;
    try {
      await engine.setAutoSync({ organisationId, connectionId, autoSync });
    } catch (error) {
      log.warn({ err: error, connectionId }, 'the schedule of a poll is changed later: the engine does not answer');
    }
  }

  /**
   * Has Jira forget the dynamic webhooks of a connection. In two steps, because the credentials are needed and are
   * erased by the disconnect, which alone knows the webhooks that the connection had in the end. Best effort: a
   * webhook that stays is refused with 404 from then on and expires after 30 days.
   */
  async function deregistration({ id: connectionId, kind }: ConnectionRow): Promise<(ids: string[]) => Promise<void>> {
    const unable = (error: unknown) => {
      log.warn({ err: error, connectionId }, 'the webhooks of a connection could not be deleted in Jira');
      return null;
    };
    const client = kind === 'oauth' ? await jira.clientFor(connectionId).catch(unable) : null;
    return async (ids) => {
      if (client && ids.length > 0) await client.deleteWebhooks(ids).catch(unable);
    };
  }

  async function store(caller: Caller, credentials: JiraCredentials, request: SaveRequest & Account) {
    const { projectKey, autoSync, accountId, accountName } = request;
    const { siteUrl } = credentials;
    const common = { id: randomUUID(), siteUrl, accountId, projectKey, autoSync, memberId: caller.memberId };
    if (credentials.kind === 'oauth') {
      const { cloudId, grant, scopes } = credentials;
      const connection = await db.connections.createOauth(caller.organisationId, {
        ...{ ...common, cloudId, grant, scopes, accountName },
      });
      return { connection, webhookSecret: null };
    }
    const webhookSecret = randomBytes(32).toString('base64url');
    const { email, apiToken, cloudId } = credentials;
    const input = { ...common, email, apiToken, cloudId, webhookSecret };
    return { connection: await db.connections.create(caller.organisationId, input), webhookSecret };
  }

  async function candidates(caller: Caller, site: { siteUrl: string; cloudId: string | null }) {
    return await db.adoption.candidates(caller.organisationId, site);
  }

  async function knownOld(caller: Caller, credentials: JiraCredentials, adoptFrom: string[]): Promise<string[]> {
    if (adoptFrom.length === 0) return [];
    const known = await candidates(caller, siteOf(credentials));
    return adoptFrom.map((each) => {
      const id = uuid(each, 'The old connection');
      return orNotFound(
        known.find((old) => old.id === id),
        `A disconnected connection ${id} to this site with links`,
        'Only the links of a connection to the same site can be adopted. Leave adoptFrom out to start without them.',
      ).id;
    });
  }

  return {
    deregistration,
    schedule,
    synchronise,

    /** OAuth with Atlassian; refuses where no app is configured. */
    consent(caller: Caller) {
      demand(caller, 'connect');
      return oauth();
    },

    /** Whether the site is reachable and the credentials are good, before a project is chosen. */
    async prove(caller: Caller, credentials: JiraCredentials): Promise<ConnectionTest> {
      demand(caller, 'connect');
      const { ok, checks } = await test(await located(credentials));
      return { ok, checks };
    },

    /** The projects in which the account may create issues, the first 100 of those that match `query`. */
    async projects(
      caller: Caller,
      credentials: JiraCredentials,
      query: string,
    ): Promise<{ items: ProjectChoice[]; isComplete: boolean }> {
      demand(caller, 'connect');
      const page = await clientOf(await located(credentials)).projectSearch({
        maxResults: PROJECTS,
        ...(query ? { query } : {}),
      });
      const items = page.values.map(({ key, name }) => ({ key, name }));
      return { items, isComplete: page.isLast ?? (page.total ?? items.length) <= items.length };
    },

    /** Disconnected connections to the same site whose links may be adopted. */
    async adoptable(caller: Caller, credentials: JiraCredentials): Promise<AdoptableView[]> {
      demand(caller, 'connect');
      const found = await candidates(caller, siteOf(credentials));
      return found.map(({ id, projectKey, disconnectedAt, links, sources }) => ({
        id,
        projectKey,
        disconnectedAt: disconnectedAt.toISOString(),
        links,
        sources,
      }));
    },

    /** Tries everything, and only where all of it holds stores the connection and starts its first synchronisation. */
    async save(caller: Caller, given: JiraCredentials, request: SaveRequest): Promise<Saved> {
      demand(caller, 'connect');
      const credentials = await located(given);
      const old = await knownOld(caller, credentials, request.adoptFrom);
      const tested = await test(credentials, request.projectKey);
      if (!tested.ok || !tested.account) return { ok: false, checks: [...tested.checks] };
      const account = accountOf(tested.account);
      const { connection, webhookSecret } = await store(caller, credentials, { ...request, ...account });
      let adopted = 0;
      for (const from of old) adopted += await db.adoption.adopt(caller.organisationId, { from, to: connection.id });
      if (request.autoSync) await schedule(connection, true);
      await synchronise(connection, 'connected');
      return { ok: true, checks: [...tested.checks], connection, webhookSecret, adopted };
    },

    /** The sources left behind by disconnected connections to the site of this one; null where there are none. */
    async toRoute(caller: Caller, id: string): Promise<ToRoute | null> {
      const { siteUrl, cloudId } = await this.siteOf(caller, id);
      const sources = await db.adoption.leftBehind(caller.organisationId, { siteUrl, cloudId });
      return sources.length === 0 ? null : { sources, how: routingHow(id) };
    },

    /** Which site a connection is for; `cloudId` stays the same where the site is renamed. */
    async siteOf(caller: Caller, id: string): Promise<{ siteUrl: string; cloudId: string | null }> {
      demand(caller, 'connect');
      const found = await db.connections.find(caller.organisationId, uuid(id, 'The connection'));
      const { siteUrl, cloudId } = orNotFound(found, `The connection ${id}`, 'Go to the connect page and choose one.');
      return { siteUrl, cloudId };
    },

    /** Gives a connection new credentials of its kind, after proving them; what was held goes on by itself. */
    async renewById(caller: Caller, id: string, given: JiraCredentials): Promise<ConnectionTest> {
      demand(caller, 'connect');
      const found = await db.connections.find(caller.organisationId, uuid(id, 'The connection'));
      const connection = orNotFound(found, `The connection ${id}`, connectionCure);
      if (connection.siteUrl !== given.siteUrl || connection.kind !== given.kind) {
        throw new Refusal(
          'conflict',
          'other_site',
          'A connection stays with its site and its kind of credentials. Make a new connection instead.',
        );
      }
      const credentials = await located(given);
      const tested = await test(credentials);
      if (!tested.ok || !tested.account) return { ok: false, checks: [...tested.checks] };
      const account = accountOf(tested.account);
      const stored = await db.connections.reconnect(connection.id, { ...credentials, ...account });
      if (!stored) {
        throw new Refusal(
          'conflict',
          'connection_gone',
          'The connection was disconnected meanwhile, or is of the other kind. Connect the site anew.',
        );
      }
      await synchronise(connection, 'restored');
      return { ok: true, checks: [...tested.checks] };
    },
  };
}

type Account = { accountId: string; accountName: string | undefined };

function accountOf({ accountId, displayName }: { accountId: string; displayName?: string | undefined }): Account {
  return { accountId, accountName: displayName || undefined };
}

function routingHow(id: string): string {
  return `Links alone do not move a source. For each of them: PUT /api/v1/sources/{key}/rule with {"connection":"${id}"}, and "projectKey" too where the project is another one.`;
}

function siteOf(credentials: JiraCredentials): { siteUrl: string; cloudId: string | null } {
  return { siteUrl: credentials.siteUrl, cloudId: credentials.kind === 'oauth' ? credentials.cloudId : null };
}
