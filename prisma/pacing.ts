// The pacing of calls to Jira, which all processes share through the connection's row.

import type { Pool } from 'pg';
import type { PushLane } from '../workflows/rules/vocabulary';

/** How far ahead a slot may be granted, in milliseconds: the less bulk pushes hold, the sooner a person's is next. */
const horizonMs: Record<PushLane, number> = { interactive: 1000, bulk: 300 };

export type Slot = { kind: 'granted'; waitMs: number } | { kind: 'later'; waitMs: number };

/** The part of the connection store that spaces calls out. */
export function createPacing({ pool }: { pool: Pool }) {
  return {
    /**
     * Grants the connection's next slot, over all processes: calls start `intervalMs` apart. A slot within the lane's
     * horizon is granted (start after `waitMs`); one that is further away is not, and may be asked for again then.
     * Bulk pushes hold so few slots ahead that a person's push comes right after those.
     */
    async takeSlot(id: string, intervalMs: number, lane: PushLane = 'interactive'): Promise<Slot> {
      const { rows } = await pool.query<{ granted: boolean; wait_ms: string }>({
        name: 'connection-slot',
        text: `with due as (
           select id, greatest(clock_timestamp(), coalesce(next_slot_at, clock_timestamp()), coalesce(blocked_until, clock_timestamp())) as at
           from connection where id = $1 for update),
         taken as (
           update connection c set next_slot_at = d.at + $2 * interval '1 millisecond' from due d
           where c.id = d.id and d.at <= clock_timestamp() + $3 * interval '1 millisecond' returning 1)
         select exists (select 1 from taken) as granted,
                greatest(0, extract(epoch from d.at - clock_timestamp()) * 1000)::int as wait_ms from due d`,
        values: [id, intervalMs, horizonMs[lane]],
      });
      const row = rows[0];
      if (!row) throw new Error(`Connection ${id} is not there.`);
      return { kind: row.granted ? 'granted' : 'later', waitMs: Number(row.wait_ms) };
    },

    /** No call of this connection starts before `ms` from now: Jira answered 429. */
    async block(id: string, ms: number): Promise<void> {
      await pool.query(
        `update connection set blocked_until = greatest(coalesce(blocked_until, now()), now() + $2 * interval '1 millisecond') where id = $1`,
        [id, Math.ceil(ms)],
      );
    },

    /** Whether a 429 that came in meanwhile still blocks the connection; milliseconds, 0 when it does not. */
    async blockedMs(id: string): Promise<number> {
      const { rows } = await pool.query<{ ms: string }>(
        `select greatest(0, extract(epoch from blocked_until - clock_timestamp()) * 1000)::int as ms from connection where id = $1`,
        [id],
      );
      return Number(rows[0]?.ms ?? 0);
    },
  };
}
