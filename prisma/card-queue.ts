import type { Pool } from 'pg';

/** What the outbox knows of a message that it may write until its lease ends. */
export type ClaimedMessage = {
  id: string;
  organisationId: string;
  installationId: string;
  channelId: string;
  /** The message's timestamp in Slack; null until it is posted. */
  ts: string | null;
  renderedHash: string | null;
  /** Attempts since the last success, this one included. */
  attempts: number;
};

type Table = { pool: Pool; table: 'card' | 'push_card'; subject: string };

/**
 * The turns of the messages in one table: who may write which one now. `subject` is the column that names what the
 * message shows, answered as `subject`. A claim takes `dirty` away and counts an attempt; success sets the attempts
 * back to 0 and leaves `dirty` alone, so that a change that comes meanwhile is seen. A process that dies leaves
 * attempts > 0, and the message is due again when its lease (`not_before`) is over.
 */
export function createCardQueue({ pool, table, subject }: Table) {
  const due = '(card.dirty or card.attempts > 0)';
  const claimSql = `
    update ${table} set dirty = false, attempts = attempts + 1, not_before = now() + $2 * interval '1 millisecond'
    where id in (
      select card.id from ${table} card join slack_installation i on i.id = card.installation_id
      where ${due} and (card.not_before is null or card.not_before <= now())
        and i.status = 'installed' and i.bot_token is not null
      order by card.ts is null, card.dirty_since
      limit $1 for update of card skip locked)
    returning id, organisation_id as "organisationId", ${subject} as subject, installation_id as "installationId",
      channel_id as "channelId", ts, rendered_hash as "renderedHash", attempts`;

  return {
    /** Takes up to `limit` due messages for `leaseMs`, updates before posts. No other process gets them meanwhile. */
    async claim({
      limit,
      leaseMs,
    }: {
      limit: number;
      leaseMs: number;
    }): Promise<(ClaimedMessage & { subject: string })[]> {
      return (await pool.query<ClaimedMessage & { subject: string }>(claimSql, [limit, leaseMs])).rows;
    },

    /** Milliseconds until the next waiting message is due; null where none waits. */
    async nextDueMs(): Promise<number | null> {
      const { rows } = await pool.query<{ ms: number | null }>(
        `select (extract(epoch from min(card.not_before) - now()) * 1000)::float8 as ms
         from ${table} card join slack_installation i on i.id = card.installation_id
         where ${due} and card.not_before > now() and i.status = 'installed' and i.bot_token is not null`,
      );
      return rows[0]?.ms ?? null;
    },

    /** Keeps what is in Slack now, at once, so that a crash after it repeats as little as possible. */
    async showed({ id, ts, shown }: { id: string; ts: string; shown: string }): Promise<void> {
      await pool.query(`update ${table} set ts = $2, rendered_hash = $3 where id = $1`, [id, ts, shown]);
    },

    /** All of the news is told. It is left alone for `quietMs`; changes of that time go out together after it. */
    async done({ id, quietMs }: { id: string; quietMs: number }): Promise<void> {
      await pool.query(
        `update ${table} set attempts = 0, last_error = null,
           not_before = case when $2 > 0 then now() + $2 * interval '1 millisecond' end
         where id = $1`,
        [id, quietMs],
      );
    },

    /** Gives the message back unfinished, due again after `delayMs`; with `error`, the attempt counts as failed. */
    async postpone({ id, delayMs, error }: { id: string; delayMs: number; error?: string }): Promise<void> {
      await pool.query(
        `update ${table} set dirty = true, not_before = now() + $2 * interval '1 millisecond',
           attempts = case when $3::text is null then greatest(attempts - 1, 0) else attempts end,
           last_error = coalesce($3, last_error)
         where id = $1`,
        [id, delayMs, error ?? null],
      );
    },

    /** Leaves the message alone until something changes again; `error` says why. */
    async giveUp({ id, error }: { id: string; error: string }): Promise<void> {
      await pool.query(`update ${table} set attempts = 0, not_before = null, last_error = $2 where id = $1`, [
        id,
        error,
      ]);
    },

    /** The message is gone from Slack: it is posted anew. */
    async forgetMessage(id: string): Promise<void> {
      await pool.query(
        `update ${table} set ts = null, rendered_hash = null, dirty = true, attempts = 0, not_before = null where id = $1`,
        [id],
      );
    },

    /** Slack refuses one method for a workspace: its messages that wait for that method wait `delayMs` longer. */
    async hold(held: { installationId: string; method: 'post' | 'update'; delayMs: number }): Promise<void> {
      await pool.query(
        `update ${table} set not_before = greatest(not_before, now() + $3 * interval '1 millisecond')
         where installation_id = $1 and (ts is null) = $2`,
        [held.installationId, held.method === 'post', held.delayMs],
      );
    },
  };
}
