import { createHash, randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../site';

// What people have granted to the OAuth app: codes, grants and tokens, all in the database and none of them readable
// there, as only their digests are kept.

/** Milliseconds in which a rotated refresh token may be used again, for clients that lost the answer. */
const leewayMs = 600_000;
const codeMs = 300_000;
/** Seconds that an access token lives. */
export const accessSeconds = 3_600;
const idle = '90 days';

export interface Consent {
  accountId: string;
  scopes: string[];
  cloudIds: string[];
  redirectUri: string;
}

export interface TokenPair {
  accessToken: string;
  /** Null where the grant has no `offline_access`. */
  refreshToken: string | null;
  scopes: string[];
}

/** The grant that a living access token belongs to. */
export interface LiveGrant {
  id: string;
  accountId: string;
  scopes: string[];
  cloudIds: string[];
}

export interface Grants {
  /** A one-time code for what was consented to. */
  issueCode(consent: Consent): Promise<string>;
  /** Null for a code that is unknown, used, too old, or was issued for another redirect URI. */
  exchange(given: { code: string; redirectUri: string }): Promise<TokenPair | null>;
  /** Null for a token that is unknown or idle too long, and for a dead grant; late reuse kills the grant. */
  refresh(refreshToken: string): Promise<TokenPair | null>;
  /** The grant of an access token; null where the token is unknown or expired, or its grant is dead. */
  grantOf(accessToken: string): Promise<LiveGrant | null>;
}

/** The grants in a prepared database. */
export function createGrants(pool: Pool): Grants {
  return {
    async issueCode({ accountId, scopes, cloudIds, redirectUri }) {
      const code = randomBytes(24).toString('base64url');
      await pool.query(
        `insert into jira.oauth_codes (hash, account_id, scopes, cloud_ids, redirect_uri, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6::float8 / 1000))`,
        [digest(code), accountId, scopes, cloudIds, redirectUri, codeMs],
      );
      return code;
    },
    exchange: ({ code, redirectUri }) =>
      inTransaction(pool, async (client) => {
        const { rows } = await client.query<GrantRow>(
          `with used as (delete from jira.oauth_codes where hash = $1 returning *)
           insert into jira.oauth_grants (account_id, scopes, cloud_ids)
           select account_id, scopes, cloud_ids from used where expires_at > now() and redirect_uri = $2
           returning id, scopes`,
          [digest(code), redirectUri],
        );
        const [grant] = rows;
        return grant ? issuePair(client, grant) : null;
      }),
    refresh: (refreshToken) => inTransaction(pool, (client) => refresh(client, refreshToken)),
    async grantOf(accessToken) {
      const { rows } = await pool.query<LiveGrant>({
        name: 'grant-of-access-token',
        text: `select g.id, g.account_id as "accountId", g.scopes, g.cloud_ids as "cloudIds"
               from jira.oauth_tokens t join jira.oauth_grants g on g.id = t.grant_id
               where t.hash = $1 and t.kind = 'access' and t.expires_at > now() and g.ended_at is null`,
        values: [digest(accessToken)],
      });
      return rows[0] ?? null;
    },
  };
}

interface GrantRow {
  id: string;
  scopes: string[];
}

interface RefreshRow extends GrantRow {
  hash: string;
  ended: boolean;
  idle: boolean;
  rotated: boolean;
  reused: boolean;
}

async function refresh(client: PoolClient, refreshToken: string): Promise<TokenPair | null> {
  // The grant's row is the lock: of two uses at the same time, the second sees what the first has done.
  const locked = await client.query<{ id: string }>(
    `select g.id from jira.oauth_grants g
     where g.id = (select grant_id from jira.oauth_tokens where hash = $1 and kind = 'refresh') for update`,
    [digest(refreshToken)],
  );
  if (locked.rowCount === 0) return null;
  const { rows } = await client.query<RefreshRow>(
    `select t.hash, g.id, g.scopes, g.ended_at is not null as ended, t.expires_at <= now() as idle,
            t.rotated_at is not null as rotated,
            coalesce(t.rotated_at <= now() - make_interval(secs => $2::float8 / 1000), false) as reused
     from jira.oauth_tokens t join jira.oauth_grants g on g.id = t.grant_id where t.hash = $1`,
    [digest(refreshToken), leewayMs],
  );
  const [token] = rows;
  if (!token) return null;
  if (token.ended || token.idle || token.reused) {
    await client.query(
      `update jira.oauth_grants set refusals = refusals + 1, ended_at = coalesce(ended_at, now()),
         ended_by = coalesce(ended_by, $2) where id = $1`,
      [token.id, token.reused ? 'reuse' : 'idle'],
    );
    return null;
  }
  await client.query('update jira.oauth_tokens set rotated_at = coalesce(rotated_at, now()) where hash = $1', [
    token.hash,
  ]);
  await client.query(
    `update jira.oauth_grants set refreshes = refreshes + 1, reuses = reuses + $2, refreshed_at = now() where id = $1`,
    [token.id, token.rotated ? 1 : 0],
  );
  return issuePair(client, token);
}

async function issuePair(client: PoolClient, grant: GrantRow): Promise<TokenPair> {
  const offline = grant.scopes.includes('offline_access');
  const accessToken = `at.${randomBytes(96).toString('base64url')}`;
  const refreshToken = offline ? `rt.${randomBytes(96).toString('base64url')}` : null;
  await client.query(
    `insert into jira.oauth_tokens (hash, grant_id, kind, expires_at)
     values ($2, $1, 'access', now() + make_interval(secs => $3))`,
    [grant.id, digest(accessToken), accessSeconds],
  );
  if (refreshToken !== null) {
    await client.query(
      `insert into jira.oauth_tokens (hash, grant_id, kind, expires_at)
       values ($2, $1, 'refresh', now() + $3::interval)`,
      [grant.id, digest(refreshToken), idle],
    );
  }
  return { accessToken, refreshToken, scopes: grant.scopes };
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
