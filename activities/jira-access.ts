import type { Db } from '../prisma/client';
import type { ConnectionWithCredentials } from '../prisma/connection-credentials';
import { basicAuthorization, bearerAuthorization } from './jira/auth';
import { createJiraClient, type JiraClient } from './jira/client';
import { type ConnectionReport, checkConnection } from './jira/connection-check';
import { JiraError } from './jira/errors';
import { issuePreview } from './jira/issue-preview';
import { createOauth, type OauthApp } from './jira/oauth';
import type { JiraConnectionAccess } from './jira/request';
import {
  type ChoicesAsked,
  checkRule,
  type RuleCheck,
  type RuleChoices,
  type RuleTarget,
  ruleChoices,
} from './jira/rule-check';
import { missingScopes } from './jira/scopes';
import { readCloudId } from './jira/tenant-info';
import { createTargetReader } from './jira-create-target';
import { createGrantRenewal, type GrantRenewal } from './jira-grants';
import { createTokenSiteFinder, type TokenAccount } from './jira-token-site';

export type JiraSettings = { allowedHttpOrigins: string[]; timeoutMs: number };
/** `restored` where the test found a broken connection working; the caller has it synchronised then. */
export type StoredTest = { report: ConnectionReport; restored: boolean };

export type JiraAccess = ReturnType<typeof createJiraAccess>;

type AccessDeps = {
  db: Pick<Db, 'connections'>;
  settings: JiraSettings;
  /** The OAuth app; without a client id and secret there is no OAuth here. */
  atlassian?: OauthApp | undefined;
  now?: (() => number) | undefined;
};

/** An access token is renewed when it has less than this left. */
const EARLY_MS = 60_000;

/** Opens connections to Jira: the one place where a connection's credentials meet the client. */
export function createJiraAccess(deps: AccessDeps) {
  const access = createAccess(deps);
  const createTarget = createTargetReader({ clientFor: access.clientFor, now: deps.now ?? Date.now });
  const cloudIdOf = (siteUrl: string) => readCloudId(siteUrl, deps.settings);
  const gatewayOf = createTokenSiteFinder({ clientOf: access.clientOf, cloudIdOf });
  return { ...access, createTarget, gatewayOf, ...ruleCalls(access.clientFor) };
}

function createAccess({ db, settings, atlassian, now = Date.now }: AccessDeps) {
  const { allowedHttpOrigins, timeoutMs } = settings;
  const gatewayUrl = atlassian?.apiUrl;
  const server =
    atlassian?.clientId && atlassian.clientSecret
      ? createOauth({ app: atlassian, timeoutMs: Math.min(timeoutMs, 8_000), allowedHttpOrigins, now })
      : null;
  const grants = createGrantRenewal({ connections: db.connections, refresh: server?.refresh });

  function open(connection: JiraConnectionAccess): JiraClient {
    return createJiraClient({ connection, timeoutMs, allowedHttpOrigins, now });
  }

  /**
   * A client for a stored connection of either kind. An OAuth access token that ends within a minute is renewed first,
   * and once more on a 401. Every `auth` or `scope` failure of a call marks the connection broken.
   * Throws `JiraError`: `auth` for a connection that is gone, `unavailable` where its credentials cannot be read,
   * `rate-limited` (reason `blocked`) while Jira wants no calls: a 429 of one call holds all of the connection.
   */
  async function clientFor(connectionId: string): Promise<JiraClient> {
    const connection = await read(connectionId);
    if (connection.blockedMs) throw blocked(connection.blockedMs);
    return open(storedAccess(connection));
  }

  async function read(connectionId: string): Promise<ConnectionWithCredentials> {
    const connection = await db.connections.withCredentials(connectionId).catch((error: unknown) => {
      throw unreadable(error);
    });
    if (connection) return connection;
    throw gone();
  }

  function storedAccess(connection: ConnectionWithCredentials): JiraConnectionAccess {
    const { id, siteUrl, accountEmail, credentials, refreshedAt } = connection;
    const gateway = { ...(connection.cloudId ? { cloudId: connection.cloudId } : {}), gatewayUrl };
    const denied = (since: () => Date | null) => async (error: JiraError) => {
      await db.connections.markBroken({ id, reason: error.message, credentialsSince: since() });
    };
    const onLimited = (ms: number) => db.connections.block(id, ms);
    if (credentials.kind === 'oauth') {
      const grant = grantSession({ id, grants, now, current: { ...credentials, refreshedAt } });
      return { siteUrl, ...gateway, ...grant, onDenied: denied(grant.since), onLimited };
    }
    const authorization = basicAuthorization({ email: accountEmail ?? '', apiToken: credentials.apiToken });
    return { siteUrl, ...gateway, authorization: () => authorization, onDenied: denied(() => refreshedAt), onLimited };
  }

  /** A client for an API token that is not stored yet. `cloudId` for a scoped token, which needs the gateway. */
  function clientOf(account: TokenAccount): JiraClient {
    const authorization = basicAuthorization(account);
    const { siteUrl, cloudId } = account;
    return open({ siteUrl, cloudId, gatewayUrl, authorization: () => authorization });
  }

  /** OAuth with Atlassian before there is a connection; null where no app is configured. */
  const oauth = server && {
    authorizeUrl: server.authorizeUrl,
    exchange: server.exchange,
    sites: server.sites,
    /** A client for a grant that is not stored yet: it is not renewed. */
    clientOfGrant(grant: { cloudId: string; accessToken: string; siteUrl: string }): JiraClient {
      const authorization = bearerAuthorization(grant.accessToken);
      const { siteUrl, cloudId } = grant;
      return open({ siteUrl, cloudId, gatewayUrl, authorization: () => authorization });
    },
  };

  /**
   * Tests a stored connection of either kind step by step. Working credentials mark it healthy, dead ones
   * broken. Null where the connection is gone; throws `JiraError` where its credentials cannot be read.
   */
  async function testConnection(connectionId: string, target: { issueType?: string } = {}): Promise<StoredTest | null> {
    const connection = await db.connections.withCredentials(connectionId).catch((error: unknown) => {
      throw unreadable(error);
    });
    if (!connection) return null;
    const { siteUrl, projectKey, kind, scopes, dynamicWebhookIds, webhookError } = connection;
    const report = await checkConnection(open(storedAccess(connection)), {
      ...{ siteUrl, projectKey, allowedHttpOrigins, ...target },
      ...(kind === 'oauth' ? { grant: { scopes }, webhooks: { ids: dynamicWebhookIds, error: webhookError } } : {}),
    });
    const works = report.account !== undefined && (kind !== 'oauth' || missingScopes(scopes).length === 0);
    return { report, restored: works && (await db.connections.markHealthy(connectionId)) };
  }

  /**
   * Asks Jira who we are, so that a connection which works again is marked healthy, and one that does not broken.
   * `restored` where it flipped back: the caller has it synchronised then. Throws what `/myself` throws.
   */
  async function probe(connectionId: string): Promise<{ restored: boolean }> {
    const connection = await read(connectionId);
    await open(storedAccess(connection)).myself();
    const lacking = connection.kind === 'oauth' && missingScopes(connection.scopes).length > 0;
    return { restored: !lacking && (await db.connections.markHealthy(connectionId)) };
  }

  /**
   * Renews an OAuth grant that nothing has used for `idleMs` (60 days), so that it does not die of disuse after 90.
   * Answers whether it did. A dead grant marks the connection broken and is thrown as `auth`.
   */
  async function refreshIfIdle(connectionId: string, idleMs = 60 * 86_400_000): Promise<boolean> {
    const { credentials, refreshedAt } = await read(connectionId);
    if (credentials.kind !== 'oauth' || (refreshedAt && now() - refreshedAt.getTime() < idleMs)) return false;
    try {
      await grants.renew(connectionId, credentials.accessToken);
      return true;
    } catch (error) {
      if (error instanceof JiraError && error.kind === 'auth') {
        await db.connections.markBroken({ id: connectionId, reason: error.message, credentialsSince: refreshedAt });
      }
      throw error;
    }
  }

  return { clientFor, clientOf, oauth, testConnection, probe, refreshIfIdle };
}

/** What sync rules ask of Jira. Both calls throw `JiraError` where Jira could not be asked. */
function ruleCalls(clientFor: (connectionId: string) => Promise<JiraClient>) {
  return {
    /** Whether the project of a rule takes what the rule asks for. */
    ruleCheck: async (connectionId: string, rule: RuleTarget): Promise<RuleCheck> =>
      checkRule(await clientFor(connectionId), rule),
    /** What a form for a rule offers. */
    ruleChoices: async (connectionId: string, rule: ChoicesAsked): Promise<RuleChoices> =>
      ruleChoices(await clientFor(connectionId), rule),
    issuePreview,
  };
}

type Held = { accessToken: string; expiresAt: number; refreshedAt: Date | null };
type SessionInput = { id: string; grants: GrantRenewal; now: () => number; current: Held };

/** The access token that one client works with, replaced as it is renewed. */
function grantSession({ id, grants, now, current }: SessionInput) {
  let held = current;
  /** A token that has not ended yet is used where the next one cannot be had just now. */
  const good = (error: unknown, leftMs: number): Held => {
    if (leftMs > 0 && error instanceof JiraError && error.kind !== 'auth') return held;
    throw error;
  };
  return {
    async authorization(): Promise<string> {
      const leftMs = held.expiresAt - now();
      if (leftMs < EARLY_MS)
        held = await grants.renew(id, held.accessToken).catch((error: unknown) => good(error, leftMs));
      return bearerAuthorization(held.accessToken);
    },
    /** The header to try again with after a 401. */
    async renew(refused: string): Promise<string> {
      if (bearerAuthorization(held.accessToken) === refused) held = await grants.renew(id, held.accessToken);
      return bearerAuthorization(held.accessToken);
    },
    /** Since when the credentials are stored that the last call was made with. */
    since: () => held.refreshedAt,
  };
}

// Told apart by name: the stores' classes are known here as types alone. The cause is dropped, it may speak of secrets.
function unreadable(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SecretBoxError') return error;
  return new JiraError({
    kind: 'unavailable',
    operation: 'connect',
    reason: 'credentials-unreadable',
    message: `The stored credentials could not be opened. ${error.message}`,
  });
}

function gone(): JiraError {
  return new JiraError({
    kind: 'auth',
    operation: 'connect',
    reason: 'disconnected',
    message:
      'The Jira connection was disconnected. An admin makes a new one with "/recheck connect" in Slack and routes the source to it in its sync rule.',
  });
}

function blocked(ms: number): JiraError {
  return new JiraError({
    kind: 'rate-limited',
    operation: 'connect',
    reason: 'blocked',
    retryAfterMs: ms,
    message: 'Jira has limited the rate of this connection. Recheck goes on by itself when the time is over.',
  });
}
