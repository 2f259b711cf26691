// OAuth grants: the pair of tokens that Atlassian rotates at each use. A refresh token may be spent once; whoever
// spends it twice loses the grant, so every renewal is made under the lock of the connection's row.

import type { Pool } from 'pg';
import { credentialsContext } from './sealed-columns';
import type { SecretBox } from './secret-box';
import { inTransaction } from './transaction';

/** What is sealed for an OAuth connection; `expiresAt` in milliseconds since 1970. */
export type Grant = { accessToken: string; refreshToken: string; expiresAt: number };
export type RenewedGrant = Grant & { refreshedAt: Date | null };

type Locked = { credentials: Buffer | null; refreshed_at: Date | null };

/** The part of the connection store that renews OAuth grants. */
export function createGrantStore({ pool, box }: { pool: Pool; box: SecretBox }) {
  return {
    /**
     * Renews a grant under its connection's row lock, over all processes. After the lock is there the row is read
     * again: where the access token is not the `spent` one any more, another process has renewed it and that result
     * is answered. Otherwise `renew` gets the refresh token and must end in bounded time; what it answers is committed
     * before it is answered here. What it throws leaves everything as it was.
     *
     * Null where the connection is gone or is no OAuth connection. Throws the database's error 55P03 when the lock
     * does not come within `lockTimeoutMs`.
     */
    async renewGrant(input: {
      id: string;
      spent: string | null;
      lockTimeoutMs: number;
      renew: (refreshToken: string) => Promise<Grant & { scopes: string[] }>;
    }): Promise<RenewedGrant | null> {
      const { id, spent, lockTimeoutMs, renew } = input;
      return await inTransaction(pool, async (client) => {
        await client.query(`select set_config('lock_timeout', $1, true)`, [`${Math.ceil(lockTimeoutMs)}ms`]);
        // "no key": inserts that refer to the connection, such as deliveries, do not wait for Atlassian's answer.
        const { rows } = await client.query<Locked>(
          `select credentials, refreshed_at from connection
           where id = $1 and kind = 'oauth' and deleted_at is null for no key update`,
          [id],
        );
        const [row] = rows;
        if (!row?.credentials) return null;
        const current = JSON.parse(box.open(row.credentials, credentialsContext(id))) as Grant;
        if (spent !== null && current.accessToken !== spent) return { ...current, refreshedAt: row.refreshed_at };
        const { scopes, ...grant } = await renew(current.refreshToken);
        const stored = await client.query<{ refreshed_at: Date }>(
          `update connection set credentials = $2, token_expires_at = $3, scopes = $4, refreshed_at = now()
           where id = $1 returning refreshed_at`,
          [id, box.seal(JSON.stringify(grant), credentialsContext(id)), new Date(grant.expiresAt), scopes],
        );
        return { ...grant, refreshedAt: stored.rows[0]?.refreshed_at ?? null };
      });
    },
  };
}
