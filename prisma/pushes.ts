// Pushes: what was asked for, and how each item ended. Outcomes are written by the lifecycles.

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { awaitsApprovalReason, type PushCandidate } from '../workflows/rules/push-gate';
import type { PushOutcome, PushStatus } from '../workflows/rules/vocabulary';
import { isGoneUnpushedSql } from './lifecycle';
import { createPushApprovalStore } from './push-approvals';
import { markPushCardsSql, openPushCards } from './push-cards';
import { createPushChoiceStore } from './push-choices';
import { chosenSql } from './push-target';
import { inTransaction } from './transaction';

export type PushItemRow = {
  findingId: string;
  number: number;
  outcome: PushOutcome;
  jiraKey: string | null;
  reason: string | null;
};
export type PushRow = {
  id: string;
  status: PushStatus;
  kind: string;
  requestedById: string | null;
  sourceId: string;
  note: string | null;
  /** Chosen in place of the source's connection. */
  connectionId: string | null;
  /** What was decided, where it needed an approval. */
  decision: string | null;
  items: PushItemRow[];
};
export type NewPush = {
  id?: string | undefined;
  sourceId: string;
  kind: 'single' | 'bulk' | 'picked' | 'auto';
  /** Null where Recheck itself asks. */
  memberId: string | null;
  note: string | null;
  /** Chosen in place of the source's connection. */
  connectionId?: string | null;
  /** Nothing of it goes before an admin has approved it. */
  needsApproval?: boolean;
  items: { findingId: string; outcome: PushOutcome; jiraKey?: string; reason?: string }[];
};
export type CandidateRow = PushCandidate & { findingId: string; number: number };

export type StrandedPush = { organisationId: string; batchId: string; memberId: string | null; findingIds: string[] };

/**
 * The connection that item `i` of push `b` of source `s` waits for: where it was sent to, else the one that was chosen for
 * it, else where the source sends it now.
 */
export const waitsForConnection = `coalesce((
  select l.connection_id from issue_link l where l.finding_id = i.finding_id and l.active and l.state = 'creating'
    and l.sent_at is not null), b.connection_id, s.connection_id)`;

export type PushStore = ReturnType<typeof createPushStore>;

/** Store of pushes. */
export function createPushStore({ pool }: { pool: Pool }) {
  return {
    ...createPushApprovalStore({ pool }),
    ...createPushChoiceStore({ pool }),

    /**
     * What the push gate needs to know of findings: of those named, or of every one that is not settled or linked.
     * `chosen`: the connection to push to in place of the source's.
     */
    async candidates(
      organisationId: string,
      sourceId: string,
      numbers: number[] | 'all',
      chosen: string | null = null,
    ): Promise<CandidateRow[]> {
      const { rows } = await pool.query<CandidateRow>(
        `select f.id as "findingId", f.number, f.severity, f.status, f.status_reason as "statusReason", ${isGoneUnpushedSql} as absent, l.jira_key as "jiraKey", s.rule,
           l.missing_since is not null as missing,
           exists (select 1 from push_item p join push_batch b on b.id = p.batch_id where p.finding_id = f.id
             and p.outcome = 'pending' and b.status = 'awaiting_approval') as "awaitsApproval",
           ${chosenSql('$4::uuid')} as chosen,
           case when c.id is null then null
             else json_build_object('status', c.status, 'reason', c.status_reason) end as connection
         from finding f join source s on s.id = f.source_id
         left join connection c on c.organisation_id = $1 and c.id = coalesce($4::uuid, s.connection_id)
         left join issue_link l on l.finding_id = f.id and l.active and l.state = 'linked'
         where f.organisation_id = $1 and f.source_id = $2
           and (($3::int[] is null and f.status not in ('verified', 'resolved', 'blocked')) or f.number = any($3::int[]))
         order by f.number`,
        [organisationId, sourceId, numbers === 'all' ? null : numbers, chosen],
      );
      return rows;
    },

    /**
     * Stores a push with its items as decided; with an id that is taken it answers that it was there already. One that
     * Recheck begins by itself is stored while auto-push is on alone, `stopped` otherwise: whoever switches it off sees
     * every push that is under way, because both take the source's row.
     */
    async create(organisationId: string, input: NewPush): Promise<{ id: string; existed: boolean; stopped?: true }> {
      const id = input.id ?? randomUUID();
      const waits = input.items.some(({ outcome }) => outcome === 'pending');
      const status = !waits ? 'completed' : input.needsApproval ? 'awaiting_approval' : 'running';
      return await inTransaction(pool, async (client) => {
        if (input.kind === 'auto' && !(await isAutoPushOn(client, { organisationId, sourceId: input.sourceId }))) {
          return { id, existed: false, stopped: true };
        }
        // Without a target: the id stands in two unique indexes, and either may see the other push first.
        const made = await client.query(
          `insert into push_batch (id, organisation_id, source_id, kind, requested_by_id, note, status, completed_at, connection_id)
           values ($1, $2, $3, $4, $5, $6, $7::text, case when $7 = 'completed' then now() end, $8) on conflict do nothing`,
          [
            ...[id, organisationId, input.sourceId, input.kind, input.memberId, input.note, status],
            input.connectionId ?? null,
          ],
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
        if (status === 'awaiting_approval') await askApproval(client, { organisationId, id, sourceId: input.sourceId });
        if (input.items.length > 1 || status === 'awaiting_approval') {
          await openPushCards(client, { organisationId, batchId: id });
        }
        return { id, existed: false };
      });
    },

    /** The push with its items, or null. It is completed when no item is pending or held. */
    async find(organisationId: string, id: string): Promise<PushRow | null> {
      const { rows } = await pool.query<PushRow>(
        `select b.id, b.kind, b.requested_by_id as "requestedById", a.decision, b.source_id as "sourceId", b.note,
           b.connection_id as "connectionId",
           case when b.status = 'running' and not exists (select 1 from push_item p where p.batch_id = b.id and p.outcome in ('pending', 'held'))
             then 'completed' else b.status end as status,
           coalesce(json_agg(json_build_object('findingId', i.finding_id, 'number', f.number, 'outcome', i.outcome,
             'jiraKey', i.jira_key, 'reason', i.reason) order by f.number) filter (where i.finding_id is not null), '[]') as items
         from push_batch b left join push_item i on i.batch_id = b.id left join finding f on f.id = i.finding_id
         left join approval a on a.batch_id = b.id
         where b.organisation_id = $1 and b.id = $2 group by b.id, a.decision`,
        [organisationId, id],
      );
      return rows[0] ?? null;
    },

    /**
     * Takes up the failed items of a push again, and those that were cancelled under way; answers the findings. What was
     * not approved stays cancelled.
     */
    async retryFailed(organisationId: string, id: string): Promise<string[]> {
      const { rows } = await pool.query<{ finding_id: string }>(
        `with taken as (
           update push_item i set outcome = 'pending', reason = null, tries = tries + 1, updated_at = now() from push_batch b
           where i.organisation_id = $1 and i.batch_id = $2 and b.id = i.batch_id
             and (i.outcome = 'failed' or i.outcome = 'cancelled' and b.status = 'cancelled' and not exists (
               select 1 from approval a where a.batch_id = b.id and a.decision is distinct from 'approved'))
           returning i.finding_id, i.batch_id),
         batch as (update push_batch set status = 'running', completed_at = null where id in (select batch_id from taken)),
         push_cards as (${markPushCardsSql('select batch_id from taken')}),
         told as (select pg_notify('recheck_cards', '') from push_cards limit 1)
         select finding_id from taken, (select count(*) from told) t`,
        [organisationId, id],
      );
      return rows.map((row) => row.finding_id);
    },

    /**
     * Cancels the items that no lifecycle has taken up, and those that are held; answers how many. What Jira is making
     * already is made; a lifecycle that is about to take one up waits for this, or this for it, by the finding's row. A finding whose push was held says so no more.
     */
    async cancelPending(organisationId: string, { id, memberId }: { id: string; memberId: string }): Promise<number> {
      const { rows } = await pool.query<{ stopped: number }>(
        `with locked as (
           select f.id, f.status from finding f join push_item i on i.finding_id = f.id
           where i.organisation_id = $1 and i.batch_id = $2 and i.outcome in ('pending', 'held')
           order by f.id for update of f),
         stopped as (
           update push_item i set outcome = 'cancelled', updated_at = now(), reason = 'The push was cancelled by '
             || coalesce((select name from member where organisation_id = $1 and id = $3), 'recheck') || '.'
           from locked f where i.batch_id = $2 and i.outcome in ('pending', 'held') and f.id = i.finding_id
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
         push_cards as (${markPushCardsSql('select batch_id from stopped')}),
         told as (select pg_notify('recheck_cards', '') from (select id from cards union all select id from push_cards) c limit 1)
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
     * Takes the pushes that wait for an approval whose run never began, because whoever was to start it died, and those
     * whose time was over without a run that would have noticed.
     */
    async takeUnasked(olderThanMs: number): Promise<Omit<StrandedPush, 'findingIds'>[]> {
      const { rows } = await pool.query<Omit<StrandedPush, 'findingIds'>>(
        `select b.organisation_id as "organisationId", b.id as "batchId", b.requested_by_id as "memberId"
         from push_batch b join approval a on a.batch_id = b.id
         where b.status = 'awaiting_approval' and b.created_at < now() - $1 * interval '1 millisecond'
           and (a.remind_at is null or a.expires_at < now() - $1 * interval '1 millisecond')
         order by b.created_at limit 50`,
        [olderThanMs],
      );
      return rows;
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

    /** Whether a push runs and has items that no lifecycle has answered; cheap enough to be asked again and again. */
    async isUnderWay(organisationId: string, id: string): Promise<boolean> {
      const { rowCount } = await pool.query(
        `select 1 from push_batch b where b.organisation_id = $1 and b.id = $2 and b.status = 'running'
           and exists (select 1 from push_item i where i.batch_id = b.id and i.outcome = 'pending')`,
        [organisationId, id],
      );
      return rowCount === 1;
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

async function isAutoPushOn(client: PoolClient, source: { organisationId: string; sourceId: string }) {
  const sql = `select 1 from source
    where organisation_id = $1 and id = $2 and auto_push_since is not null for no key update`;
  return (await client.query(sql, [source.organisationId, source.sourceId])).rowCount === 1;
}

/**
 * Opens the approval of a push. What another push has put to the admins meanwhile is not asked twice; the source's row
 * makes two such pushes wait for each other.
 */
async function askApproval(client: PoolClient, push: { organisationId: string; id: string; sourceId: string }) {
  const { organisationId, id, sourceId } = push;
  await client.query('select 1 from source where organisation_id = $1 and id = $2 for no key update', [
    organisationId,
    sourceId,
  ]);
  await client.query('insert into approval (organisation_id, batch_id) values ($1, $2)', [organisationId, id]);
  await client.query(
    `update push_item i set outcome = 'refused', reason = $2 where i.batch_id = $1 and i.outcome = 'pending' and exists (
       select 1 from push_item p join push_batch b on b.id = p.batch_id where p.finding_id = i.finding_id
         and p.batch_id <> $1 and p.outcome = 'pending' and b.status = 'awaiting_approval')`,
    [id, awaitsApprovalReason],
  );
}
