// Pushes: what was asked for, and how each item ended. Outcomes are written by the lifecycles.

import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { PushCandidate } from '../workflows/rules/push-gate';
import type { PushOutcome, PushStatus } from '../workflows/rules/vocabulary';
import { inTransaction } from './transaction';

export type PushItemRow = {
  findingId: string;
  number: number;
  outcome: PushOutcome;
  jiraKey: string | null;
  reason: string | null;
};
export type PushRow = { id: string; status: PushStatus; kind: string; items: PushItemRow[] };
export type CandidateRow = PushCandidate & { findingId: string; number: number };

export type StrandedPush = { organisationId: string; batchId: string; memberId: string | null; findingIds: string[] };

/** The connection that item `i` of source `s` waits for: where its push was begun, else where the source sends it now. */
export const waitsForConnection = `coalesce((
  select l.connection_id from issue_link l where l.finding_id = i.finding_id and l.active and l.state = 'creating'), s.connection_id)`;

export type PushStore = ReturnType<typeof createPushStore>;

/** Store of pushes. */
export function createPushStore({ pool }: { pool: Pool }) {
  return {
    /** What the push gate needs to know of findings: of those named, or of every one that is not settled or linked. */
    async candidates(organisationId: string, sourceId: string, numbers: number[] | 'all'): Promise<CandidateRow[]> {
      const { rows } = await pool.query<CandidateRow>(
        `select f.id as "findingId", f.number, f.severity, f.status, l.jira_key as "jiraKey", s.rule,
           l.missing_since is not null as missing,
           case when c.id is null then null
             else json_build_object('status', c.status, 'reason', c.status_reason) end as connection
         from finding f join source s on s.id = f.source_id left join connection c on c.id = s.connection_id
         left join issue_link l on l.finding_id = f.id and l.active and l.state = 'linked'
         where f.organisation_id = $1 and f.source_id = $2
           and (($3::int[] is null and f.status not in ('verified', 'resolved', 'blocked')) or f.number = any($3::int[]))
         order by f.number`,
        [organisationId, sourceId, numbers === 'all' ? null : numbers],
      );
      return rows;
    },

    /** Stores a push with its items as decided; with an id that is taken it answers that it was there already. */
    async create(
      organisationId: string,
      input: {
        id?: string | undefined;
        sourceId: string;
        kind: 'single' | 'bulk' | 'picked';
        memberId: string;
        note: string | null;
        items: { findingId: string; outcome: PushOutcome; jiraKey?: string; reason?: string }[];
      },
    ): Promise<{ id: string; existed: boolean }> {
      const id = input.id ?? randomUUID();
      return await inTransaction(pool, async (client) => {
        const made = await client.query(
          `insert into push_batch (id, organisation_id, source_id, kind, requested_by_id, note)
           values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
          [id, organisationId, input.sourceId, input.kind, input.memberId, input.note],
        );
        if (made.rowCount === 0) return { id, existed: true };
        await client.query(
          `insert into push_item (organisation_id, batch_id, finding_id, outcome, jira_key, reason)
           select $1, $2, i.finding, i.outcome, i.key, i.reason
           from jsonb_to_recordset($3::jsonb) as i(finding uuid, outcome text, key text, reason text)`,
          [
            organisationId,
            id,
            JSON.stringify(
              input.items.map((item) => ({
                finding: item.findingId,
                outcome: item.outcome,
                key: item.jiraKey ?? null,
                reason: item.reason ?? null,
              })),
            ),
          ],
        );
        return { id, existed: false };
      });
    },

    /** The push with its items, or null. It is completed when no item is pending or held. */
    async find(organisationId: string, id: string): Promise<PushRow | null> {
      const { rows } = await pool.query<PushRow>(
        `select b.id, b.kind,
           case when b.status = 'running' and not exists (select 1 from push_item p where p.batch_id = b.id and p.outcome in ('pending', 'held'))
             then 'completed' else b.status end as status,
           coalesce(json_agg(json_build_object('findingId', i.finding_id, 'number', f.number, 'outcome', i.outcome,
             'jiraKey', i.jira_key, 'reason', i.reason) order by f.number) filter (where i.finding_id is not null), '[]') as items
         from push_batch b left join push_item i on i.batch_id = b.id left join finding f on f.id = i.finding_id
         where b.organisation_id = $1 and b.id = $2 group by b.id`,
        [organisationId, id],
      );
      return rows[0] ?? null;
    },

    /** Takes up the failed items of a push again; answers the findings. */
    async retryFailed(organisationId: string, id: string): Promise<string[]> {
      const { rows } = await pool.query<{ finding_id: string }>(
        `with taken as (
           update push_item set outcome = 'pending', reason = null, tries = tries + 1, updated_at = now()
           where organisation_id = $1 and batch_id = $2 and outcome = 'failed' returning finding_id, batch_id),
         batch as (update push_batch set status = 'running', completed_at = null where id in (select batch_id from taken))
         select finding_id from taken`,
        [organisationId, id],
      );
      return rows.map((row) => row.finding_id);
    },

    /**
     * Cancels the items that no lifecycle has taken up, and those that are held; answers how many. What Jira is making
     * already is made. A finding whose push was held says so no more.
     */
    async cancelPending(organisationId: string, { id, memberId }: { id: string; memberId: string }): Promise<number> {
      const { rows } = await pool.query<{ stopped: number }>(
        `with stopped as (
           update push_item i set outcome = 'cancelled', updated_at = now() from finding f
           where i.organisation_id = $1 and i.batch_id = $2 and i.outcome in ('pending', 'held') and f.id = i.finding_id
             and f.status <> 'pushing' returning i.batch_id, i.finding_id),
         batch as (update push_batch set status = 'cancelled', completed_at = now() where id in (select batch_id from stopped)),
         freed as (
           update finding f set status_reason = null, updated_at = now() from stopped s
           where f.id = s.finding_id and f.status = 'open' and not f.in_loop and f.status_reason is not null
             and not exists (select 1 from push_item p where p.finding_id = f.id and p.batch_id <> $2 and p.outcome = 'held')
           returning f.id),
         events as (
           insert into audit_event (organisation_id, finding_id, actor, event)
           select $1, id, coalesce((select name from member where organisation_id = $1 and id = $3), 'recheck'), 'push_cancelled'
           from freed),
         cards as (
           update card set dirty = true, dirty_since = now() where finding_id in (select id from freed) returning id),
         told as (select pg_notify('recheck_cards', '') from cards limit 1)
         select (select count(*) from stopped)::int as stopped from (select count(*) from told) t`,
        [organisationId, id, memberId],
      );
      return rows[0]?.stopped ?? 0;
    },

    /**
     * Lets the pushes go on that wait for a connection; answers how many. They are due at once: the sweep hands them to
     * their lifecycles, which decide by the rule as it is then. Called when a connection works again, and when it was
     * disconnected (they are refused then).
     */
    async releaseHeld(connectionId: string): Promise<number> {
      const { rowCount } = await pool.query(
        `update push_item i set outcome = 'pending', reason = null, tries = tries + 1, updated_at = now() - interval '1 day'
         from push_batch b join source s on s.id = b.source_id
         where i.outcome = 'held' and b.id = i.batch_id and b.status = 'running' and ${waitsForConnection} = $1`,
        [connectionId],
      );
      return rowCount ?? 0;
    },

    /**
     * Takes items that wait for a lifecycle and that nobody has touched for `olderThanMs`: whoever was to hand them
     * over died. The same for held ones whose connection does not hold anything: they were held while it was being
     * released. Taking one touches it, so that several processes share the work.
     */
    async takeStranded(olderThanMs: number): Promise<StrandedPush[]> {
      const { rows } = await pool.query<StrandedPush>(
        `with stranded as (
           select i.batch_id, i.finding_id from push_item i join push_batch b on b.id = i.batch_id
             join source s on s.id = b.source_id join finding f on f.id = i.finding_id
           where i.outcome in ('pending', 'held') and b.status = 'running' and f.status <> 'pushing'
             and i.updated_at < now() - $1 * interval '1 millisecond'
             and (i.outcome = 'pending' or not exists (
               select 1 from connection c where c.id = ${waitsForConnection} and c.status = 'reconnect_required'))
           order by i.updated_at limit 200 for update of i skip locked),
         taken as (
           update push_item i set updated_at = now(), outcome = 'pending', reason = null,
             tries = tries + case when outcome = 'held' then 1 else 0 end
           from stranded s
           where i.batch_id = s.batch_id and i.finding_id = s.finding_id returning i.batch_id, i.finding_id)
         select b.organisation_id as "organisationId", b.id as "batchId", b.requested_by_id as "memberId",
           array_agg(t.finding_id) as "findingIds"
         from taken t join push_batch b on b.id = t.batch_id group by b.id`,
        [olderThanMs],
      );
      return rows;
    },

    /** The id of the question that an item puts to its lifecycle, new with each retry; null when it waits no more. */
    async askId(batchId: string, findingId: string): Promise<string | null> {
      const { rows } = await pool.query<{ tries: number }>(
        `select tries from push_item where batch_id = $1 and finding_id = $2 and outcome = 'pending'`,
        [batchId, findingId],
      );
      return rows[0] ? `${batchId}:${rows[0].tries}` : null;
    },
  };
}
