// Short-lived single-use links and sessions. The token is seen once, by whoever made it; only its hash is kept. What
// waits behind a link (a grant of Atlassian, say) is sealed.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { linkPayloadContext } from './sealed-columns';
import type { SecretBox } from './secret-box';
import { inTransaction } from './transaction';

/** `connect` opens the connect page, `connect_session` is the browser's cookie, `atlassian_state` is OAuth's state. */
export type LinkKind = 'connect' | 'connect_session' | 'atlassian_state';
export type OneTimeLink = { id: string; organisationId: string; memberId: string; payload: unknown };
export type UsedLink = { outcome: 'ok'; link: OneTimeLink } | { outcome: 'unknown' | 'used' | 'expired' };

type Row = { id: string; organisation_id: string; member_id: string; payload: { sealed?: string } };
type Given = { kind: LinkKind; token: string };

export type OneTimeLinkStore = ReturnType<typeof createOneTimeLinkStore>;

/** Store of one-time links and of the sessions that they open. Durations in milliseconds. */
export function createOneTimeLinkStore({ pool, box }: { pool: Pool; box: SecretBox }) {
  const seal = (id: string, payload: unknown) =>
    JSON.stringify({ sealed: box.seal(JSON.stringify(payload ?? null), linkPayloadContext(id)).toString('base64') });

  const toLink = (row: Row): OneTimeLink => ({
    id: row.id,
    organisationId: row.organisation_id,
    memberId: row.member_id,
    payload: row.payload.sealed
      ? (JSON.parse(box.open(Buffer.from(row.payload.sealed, 'base64'), linkPayloadContext(row.id))) as unknown)
      : null,
  });

  return {
    /** Makes a link of 256 random bits for one member; the answer is the only time that its token is seen. */
    async create(
      organisationId: string,
      input: { memberId: string; kind: LinkKind; ttlMs: number; payload?: unknown },
    ): Promise<{ id: string; token: string }> {
      const { memberId, kind, ttlMs, payload } = input;
      const id = randomUUID();
      const token = randomBytes(32).toString('base64url');
      await pool.query(
        `insert into one_time_link (id, organisation_id, member_id, kind, hash, payload, expires_at)
         values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')`,
        [id, organisationId, memberId, kind, hashOf(token), seal(id, payload), ttlMs],
      );
      return { id, token };
    },

    /** Uses a link up and answers what waited behind it; of any number that try at once, one succeeds. */
    async use({ kind, token }: Given): Promise<UsedLink> {
      const { rows } = await pool.query<Row>(
        `with open as (
           select id, payload from one_time_link
           where hash = $1 and kind = $2 and used_at is null and expires_at > now() for update)
         update one_time_link l set used_at = now(), payload = '{}' from open where l.id = open.id
         returning l.id, l.organisation_id, l.member_id, open.payload`,
        [hashOf(token), kind],
      );
      if (rows[0]) return { outcome: 'ok', link: toLink(rows[0]) };
      const known = await pool.query<{ used: boolean }>(
        'select used_at is not null as used from one_time_link where hash = $1 and kind = $2',
        [hashOf(token), kind],
      );
      if (!known.rows[0]) return { outcome: 'unknown' };
      return { outcome: known.rows[0].used ? 'used' : 'expired' };
    },

    /** The link, not used up: a session is looked at many times. Null where it is unknown, ended or expired. */
    async find({ kind, token }: Given): Promise<OneTimeLink | null> {
      const { rows } = await pool.query<Row>(
        `select id, organisation_id, member_id, payload from one_time_link
         where hash = $1 and kind = $2 and used_at is null and expires_at > now()`,
        [hashOf(token), kind],
      );
      return rows[0] ? toLink(rows[0]) : null;
    },

    /** Replaces what waits behind a link by what `change` makes of it, one change after the other. */
    async changePayload(id: string, change: (payload: unknown) => unknown): Promise<void> {
      await inTransaction(pool, async (client) => {
        const { rows } = await client.query<Row>(
          `select id, organisation_id, member_id, payload from one_time_link
           where id = $1 and used_at is null and expires_at > now() for update`,
          [id],
        );
        if (!rows[0]) return;
        const changed = change(toLink(rows[0]).payload);
        await client.query('update one_time_link set payload = $2 where id = $1', [id, seal(id, changed)]);
      });
    },

    /** Has a session go on for `ttlMs` from now, but not beyond `endsAt`. One that is over stays over; never shortens. */
    async prolong(id: string, { ttlMs, endsAt }: { ttlMs: number; endsAt: Date }): Promise<void> {
      // Not more than one write a minute for somebody who clicks along.
      await pool.query(
        `update one_time_link set expires_at = least($3::timestamptz, now() + $2 * interval '1 millisecond')
         where id = $1 and used_at is null and expires_at > now()
           and expires_at < least($3::timestamptz, now() + $2 * interval '1 millisecond' - interval '1 minute')`,
        [id, ttlMs, endsAt],
      );
    },

    /** Ends a session before its time. */
    async end(id: string): Promise<void> {
      await pool.query(`update one_time_link set used_at = now(), payload = '{}' where id = $1`, [id]);
    },

    /** Erases what waits behind expired links, and forgets links that have been over for a day. */
    async deleteExpired(): Promise<void> {
      await pool.query(`update one_time_link set payload = '{}' where expires_at < now() and payload <> '{}'`);
      await pool.query(`delete from one_time_link where expires_at < now() - interval '1 day'`);
    },
  };
}

// A token has 256 random bits, so a fast hash is enough: there is nothing to guess.
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
