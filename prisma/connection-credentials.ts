// The credentials and secrets of connections: the only place where they go in and come out. Everything else of a
// connection is in connections.ts.

import type { Pool } from 'pg';
import { createConnectionMarks } from './connection-marks';
import { type ConnectionKind, type ConnectionRow, connectionColumns } from './connection-row';
import type { Grant } from './grants';
import { credentialsContext, webhookSecretContext } from './sealed-columns';
import type { SecretBox } from './secret-box';

export type Credentials = { kind: 'api_token'; apiToken: string } | ({ kind: 'oauth' } & Grant);
export type ConnectionWithCredentials = ConnectionRow & {
  credentials: Credentials;
  /** For how long Jira wants no calls, in milliseconds; 0 or absent where it does not say so. */
  blockedMs?: number;
};

type Common = { siteUrl: string; accountId: string; projectKey: string; autoSync: boolean; memberId: string };
type OauthAccount = { cloudId: string; grant: Grant; scopes: string[]; accountName?: string | undefined };
export type NewApiTokenConnection = Common & {
  id: string;
  email: string;
  apiToken: string;
  webhookSecret: string;
  /** Given for a scoped API token, which works through the gateway only. */
  cloudId?: string | undefined;
};
export type NewOauthConnection = Common & OauthAccount & { id: string };
export type Reconnection =
  | { kind: 'api_token'; email: string; accountId: string; apiToken: string; cloudId?: string | undefined }
  | ({ kind: 'oauth'; accountId: string } & OauthAccount);

/** What an inbound delivery is checked by: the secret of an admin webhook, or the ids of dynamic ones. */
export type WebhookAuth = {
  organisationId: string;
  kind: ConnectionKind;
  /** Null for OAuth, whose deliveries carry a token signed with the app's client secret. */
  secret: string | null;
  siteUrl: string;
  cloudId: string | null;
  /** The dynamic webhooks that are registered; unique per site only. */
  webhookIds: string[];
};

/** The part of the connection store that works with secrets; rows that it answers never carry them. */
export function createConnectionCredentials({ pool, box }: { pool: Pool; box: SecretBox }) {
  const marks = createConnectionMarks({ pool });
  const seal = (id: string, value: object) => box.seal(JSON.stringify(value), credentialsContext(id));

  async function webhookAuth(id: string): Promise<WebhookAuth | null> {
    const { rows } = await pool.query<WebhookAuth & { sealedSecret: Buffer | null }>({
      name: 'connection-webhook-auth',
      text: `select organisation_id as "organisationId", kind, site_url as "siteUrl",
          cloud_id as "cloudId", coalesce(dynamic_webhook_ids, '{}') as "webhookIds", webhook_secret as "sealedSecret"
        from connection where id = $1 and deleted_at is null`,
      values: [id],
    });
    const [row] = rows;
    if (!row) return null;
    const { sealedSecret, ...rest } = row;
    const open = rest.kind === 'api_token' && sealedSecret;
    return { ...rest, secret: open ? box.open(sealedSecret, webhookSecretContext(id)) : null };
  }

  return {
    async create(organisationId: string, input: NewApiTokenConnection): Promise<ConnectionRow> {
      const { id, siteUrl, email, accountId, projectKey, autoSync, memberId } = input;
      const { rows } = await pool.query<ConnectionRow>(
        `insert into connection (id, organisation_id, kind, site_url, account_email, account_id, project_key, auto_sync,
           created_by_id, credentials, webhook_secret, cloud_id, refreshed_at)
         values ($1, $2, 'api_token', $3, $4, $5, $6, $7, $8, $9, $10, $11, now()) returning ${connectionColumns}`,
        [
          ...[id, organisationId, siteUrl, email, accountId, projectKey, autoSync, memberId],
          seal(id, { apiToken: input.apiToken }),
          box.seal(input.webhookSecret, webhookSecretContext(id)),
          input.cloudId ?? null,
        ],
      );
      return theOne(rows);
    },

    /** Stores an OAuth grant for one chosen site; its dynamic webhooks are registered by the first synchronisation. */
    async createOauth(organisationId: string, input: NewOauthConnection): Promise<ConnectionRow> {
      const { id, siteUrl, cloudId, accountId, projectKey, autoSync, memberId, grant, scopes } = input;
      const { rows } = await pool.query<ConnectionRow>(
        `insert into connection (id, organisation_id, kind, site_url, cloud_id, account_id, project_key, auto_sync,
           created_by_id, credentials, token_expires_at, scopes, account_email, refreshed_at)
         values ($1, $2, 'oauth', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now()) returning ${connectionColumns}`,
        [
          ...[id, organisationId, siteUrl, cloudId, accountId, projectKey, autoSync, memberId],
          ...[seal(id, pairOf(grant)), new Date(grant.expiresAt), scopes, input.accountName ?? null],
        ],
      );
      return theOne(rows);
    },

    /**
     * Gives a connection new credentials of its own kind. They were proved before, so the connection is healthy again:
     * `restored` is true where that flipped it. Null where there is no such connection, or it is of the other kind.
     */
    async reconnect(id: string, input: Reconnection): Promise<{ connection: ConnectionRow; restored: boolean } | null> {
      const grant = input.kind === 'oauth' ? pairOf(input.grant) : null;
      const { rows } = await pool.query<ConnectionRow>(
        `update connection set credentials = $3, account_id = $4, account_email = $5, cloud_id = $6,
           token_expires_at = $7, scopes = $8, refreshed_at = now()
         where id = $1 and kind = $2 and deleted_at is null returning ${connectionColumns}`,
        [
          ...[id, input.kind, seal(id, input.kind === 'oauth' ? pairOf(input.grant) : { apiToken: input.apiToken })],
          ...[
            input.accountId,
            (input.kind === 'oauth' ? input.accountName : input.email) ?? null,
            input.cloudId ?? null,
          ],
          ...[grant ? new Date(grant.expiresAt) : null, input.kind === 'oauth' ? input.scopes : []],
        ],
      );
      const [row] = rows;
      if (!row) return null;
      const restored = await marks.markHealthy(id);
      return { connection: { ...row, status: 'connected', statusReason: null, brokenAt: null }, restored };
    },

    /** The connection with its opened credentials, for calling Jira. Null when it is gone or they are erased. */
    async withCredentials(id: string): Promise<ConnectionWithCredentials | null> {
      const { rows } = await pool.query<ConnectionRow & { sealedCredentials: Buffer | null; blockedMs: number }>({
        name: 'connection-with-credentials',
        text: `select ${connectionColumns}, credentials as "sealedCredentials",
            coalesce(greatest(0, extract(epoch from blocked_until - clock_timestamp()) * 1000), 0)::int as "blockedMs"
          from connection
          where id = $1 and deleted_at is null`,
        values: [id],
      });
      const [row] = rows;
      if (!row?.sealedCredentials) return null;
      const { sealedCredentials, ...rest } = row;
      const stored = JSON.parse(box.open(sealedCredentials, credentialsContext(id)));
      return { ...rest, credentials: { kind: rest.kind, ...stored } as Credentials };
    },

    /** What inbound deliveries of a live connection are checked by; null where there is no such connection. */
    webhookAuth,

    /** The webhook secret of a live connection; null where there is none. */
    async webhookSecret(id: string): Promise<{ organisationId: string; secret: string } | null> {
      const auth = await webhookAuth(id);
      return auth?.secret ? { organisationId: auth.organisationId, secret: auth.secret } : null;
    },

    /**
     * Soft-deletes: the row and its links stay as history, the credentials and secrets are erased, open notices are
     * resolved. Answers the ids of its dynamic webhooks, for Jira to forget; null where there is no such connection.
     */
    async disconnect(organisationId: string, id: string): Promise<string[] | null> {
      const { rows } = await pool.query<{ ids: string[] }>(
        `with before as (
           select id, coalesce(dynamic_webhook_ids, '{}')::text[] as ids from connection
           where organisation_id = $1 and id = $2 and deleted_at is null for update),
         gone as (
           update connection c set status = 'disconnected', status_reason = null, deleted_at = now(), credentials = null,
             webhook_secret = null, dynamic_webhook_ids = '{}', webhook_expires_at = null, token_expires_at = null,
             scopes = '{}', broken_at = null, webhook_error = null, poll_error = null
           from before where c.id = before.id returning c.id, before.ids),
         resolved as (
           update notice n set resolved_at = now() from gone where n.connection_id = gone.id and n.resolved_at is null)
         select ids from gone`,
        [organisationId, id],
      );
      return rows[0]?.ids ?? null;
    },
  };
}

/** Exactly what is sealed: nothing more of what Atlassian answered ends up in the row. */
function pairOf({ accessToken, refreshToken, expiresAt }: Grant): Grant {
  return { accessToken, refreshToken, expiresAt };
}

function theOne(rows: ConnectionRow[]): ConnectionRow {
  const [row] = rows;
  if (!row) throw new Error('The database did not answer the stored connection.');
  return row;
}
