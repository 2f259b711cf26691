// The approval of a push, and its end: what the run of a push reads and writes.

import type { Pool } from 'pg';
import type { ApprovalDecision, ApprovalSaid, ApprovalTimings, DecidedPush, PushRef } from '../workflows/contract';
import type { PushStatus } from '../workflows/rules/vocabulary';
import { markPushCardsSql } from './push-cards';
import { chosenSql } from './push-target';

/** A finding as the start of its lifecycle names it, with the kind of the push that it is in. */
export type PushedFinding = {
  organisationId: string;
  findingId: string;
  number: number;
  title: string;
  severity: string;
  sourceKey: string;
  kind: string;
};
/** Milliseconds until the admins are reminded and until the approval expires; null where that is over, or never. */
export type OpenedPush = { status: PushStatus; remindMs: number | null; expireMs: number | null };

const endedAs: Record<ApprovalDecision, PushStatus> = {
  approve: 'running',
  reject: 'rejected',
  cancel: 'cancelled',
  expire: 'expired',
};
const storedAs: Record<ApprovalDecision, string | null> = {
  approve: 'approved',
  reject: 'rejected',
  cancel: null,
  expire: 'expired',
};

export type PushApprovalStore = ReturnType<typeof createPushApprovalStore>;

/** The part of the push store that the runs of pushes work with. */
export function createPushApprovalStore({ pool }: { pool: Pool }) {
  return {
    /** How the push stands as its run begins. The first time the approval's deadlines are set. */
    async open({ organisationId, batchId, approval }: PushRef & { approval?: ApprovalTimings }): Promise<OpenedPush> {
      const { remindMs: remindAfterMs = 0, expireMs: expireAfterMs = 0 } = approval ?? {};
      const { rows } = await pool.query<{ status: PushStatus; remind: number | null; expire: number | null }>(
        `with waiting as (
           update approval a set remind_at = coalesce(a.remind_at, now() + $3 * interval '1 millisecond'),
             expires_at = coalesce(a.expires_at, case when $4::bigint > 0 then now() + $4::bigint * interval '1 millisecond' end)
           from push_batch b where a.organisation_id = $1 and a.batch_id = $2 and b.id = a.batch_id
             and b.status = 'awaiting_approval' returning a.batch_id, a.remind_at, a.expires_at),
         cards as (${markPushCardsSql('select batch_id from waiting')})
         select b.status, (extract(epoch from w.remind_at - now()) * 1000)::bigint::float as remind,
           greatest(1, extract(epoch from w.expires_at - now()) * 1000)::bigint::float as expire
         from push_batch b left join waiting w on w.batch_id = b.id
         where b.organisation_id = $1 and b.id = $2`,
        [organisationId, batchId, remindAfterMs, expireAfterMs],
      );
      const row = rows[0];
      if (!row) throw new Error(`Push ${batchId} is not there.`);
      // One that fell into the time in which no run was there comes at once; it is told once, however often it is due.
      const remindMs = row.remind === null || remindAfterMs === 0 ? null : Math.max(1, row.remind);
      const isInTime = remindMs !== null && (row.expire === null || remindMs < row.expire);
      return { status: row.status, remindMs: isInTime ? remindMs : null, expireMs: row.expire };
    },

    /**
     * Decides about a push that waits for approval: once, whoever comes second gets the status that it has then. Who
     * asked for it cannot approve it. What is not approved is cancelled.
     */
    async decide(
      input: PushRef & { decision: ApprovalDecision; memberId: string | null; note: string | null },
    ): Promise<DecidedPush> {
      const { organisationId, batchId, decision, memberId, note } = input;
      const { rows } = await pool.query<DecidedPush>(
        `with b as (
           select id, status, requested_by_id from push_batch where organisation_id = $1 and id = $2 for no key update),
         decider as (select coalesce((select name from member where organisation_id = $1 and id = $4::uuid), 'recheck') as name),
         decided as (
           update approval a set decision = $5::text, decided_by_id = $4::uuid, note = $6, decided_at = now() from b
           where a.batch_id = b.id and b.status = 'awaiting_approval'
             and not ($3::text = 'running' and b.requested_by_id is not distinct from $4::uuid)
           returning a.batch_id),
         batch as (
           update push_batch set status = $3::text, completed_at = case when $3 = 'running' then null else now() end
           where id in (select batch_id from decided)),
         items as (
           update push_item set updated_at = now(),
             outcome = case when $3 = 'running' then outcome else 'cancelled' end,
             reason = case when $3 = 'running' then reason else $7 || case $3 when 'expired' then '' else ' by ' || (select name from decider) end || '.' end
           where batch_id in (select batch_id from decided) and outcome in ('pending', 'held') returning finding_id),
         events as (
           insert into audit_event (organisation_id, finding_id, actor, event, detail)
           select $1, i.finding_id, d.name, 'push_approved', coalesce($6, '') from items i, decider d where $3 = 'running'),
         cards as (${markPushCardsSql('select batch_id from decided')}),
         reminders as (
           update notice set sent_at = now(), last_error = 'The push was decided before.'
           where id in (select batch_id from decided) and sent_at is null),
         told as (select pg_notify('recheck_cards', '') from cards limit 1)
         select coalesce((select $3::text from decided), b.status) as status, exists (select 1 from decided) as decided
         from b, (select count(*) from told) t`,
        [organisationId, batchId, endedAs[decision], memberId, storedAs[decision], note, endReasons[decision]],
      );
      const row = rows[0];
      if (!row) throw new Error(`Push ${batchId} is not there.`);
      return row;
    },

    /**
     * Has the admins told that a push still waits for one of them: a notice with the push's id, so that they are told
     * once. Nobody is told where it waits no more.
     */
    async remind({ organisationId, batchId }: PushRef): Promise<void> {
      const { rows } = await pool.query<WaitingPush>(waitingPushSql, [organisationId, batchId]);
      const [waiting] = rows;
      if (!waiting) return;
      // It is news and no state that ends later: resolved from the start, as every connection has one open of a kind.
      await pool.query(
        `insert into notice (id, organisation_id, connection_id, kind, detail, resolved_at)
         values ($2, $1, $3, 'approval_waits', $4, now()) on conflict (id) do nothing`,
        [organisationId, batchId, waiting.connectionId, reminderOf(waiting)],
      );
    },

    /** How many owners and admins there are beside a member. */
    async otherApprovers(organisationId: string, memberId: string): Promise<number> {
      const { rows } = await pool.query<{ count: number }>(
        `select count(*)::int as count from member m where m.organisation_id = $1 and m.id <> $2 and ${mayApproveSql}`,
        [organisationId, memberId],
      );
      return rows[0]?.count ?? 0;
    },

    /** Completes a push of which nothing is pending or held; answers how it stands. */
    async finish({ organisationId, batchId }: PushRef): Promise<{ status: PushStatus }> {
      const { rows } = await pool.query<{ status: PushStatus }>(
        `with ended as (
           update push_batch b set status = 'completed', completed_at = now()
           where b.organisation_id = $1 and b.id = $2 and b.status = 'running' and not exists (
             select 1 from push_item i where i.batch_id = b.id and i.outcome in ('pending', 'held'))
           returning b.id),
         cards as (${markPushCardsSql('select id from ended')}),
         told as (select pg_notify('recheck_cards', '') from cards limit 1)
         select case when exists (select 1 from ended) then 'completed' else b.status end as status
         from push_batch b, (select count(*) from told) t where b.organisation_id = $1 and b.id = $2`,
        [organisationId, batchId],
      );
      const row = rows[0];
      if (!row) throw new Error(`Push ${batchId} is not there.`);
      return row;
    },

    /** Items of a running push that wait for their lifecycle, in the order of their numbers, but for some. */
    async pendingItems(
      { organisationId, batchId }: PushRef,
      page: { except: string[]; limit: number },
    ): Promise<PushedFinding[]> {
      const { rows } = await pool.query<PushedFinding>(
        `${pushedFindingSql} and b.status = 'running' and i.outcome = 'pending' and i.finding_id <> all($3::uuid[])
         order by f.number limit $4`,
        [organisationId, batchId, page.except, page.limit],
      );
      return rows;
    },

    /** For how many milliseconds Jira still wants no calls of the connection that a push goes to; 0 when it takes them. */
    async blockedMs({ organisationId, batchId }: PushRef): Promise<number> {
      const { rows } = await pool.query<{ ms: number }>(
        `select greatest(0, extract(epoch from c.blocked_until - clock_timestamp()) * 1000)::int as ms
         from push_batch b join source s on s.id = b.source_id
           join connection c on c.id = coalesce(b.connection_id, s.connection_id)
         where b.organisation_id = $1 and b.id = $2 and c.blocked_until is not null`,
        [organisationId, batchId],
      );
      return rows[0]?.ms ?? 0;
    },

    /**
     * Whom to tell `said` of the approval of a push: items that wait for it, while it is waited for, or those that its
     * end has cancelled. After a number, in the order of the numbers.
     */
    async unapprovedItems(
      { organisationId, batchId }: PushRef,
      page: { said: ApprovalSaid['said']; after: number; limit: number },
    ): Promise<PushedFinding[]> {
      const { rows } = await pool.query<PushedFinding>(
        `${pushedFindingSql} and f.number > $3 and case when $5::text = 'asked'
             then b.status = 'awaiting_approval' and i.outcome = 'pending' else i.outcome = 'cancelled' end
         order by f.number limit $4`,
        [organisationId, batchId, page.after, page.limit, page.said],
      );
      return rows;
    },

    /** Who decided about a push, for the history of its findings. */
    async decider({ organisationId, batchId }: PushRef): Promise<{ memberId: string | null; reason: string | null }> {
      const { rows } = await pool.query<{ memberId: string | null; reason: string | null }>(
        `select a.decided_by_id as "memberId", a.note as reason from approval a
         where a.organisation_id = $1 and a.batch_id = $2`,
        [organisationId, batchId],
      );
      return rows[0] ?? { memberId: null, reason: null };
    },
  };
}

type WaitingPush = {
  connectionId: string;
  source: string;
  projectKey: string | null;
  asker: string | null;
  findings: number;
  expires: string | null;
  hasApprover: boolean;
};

const mayApproveSql = `m.removed_at is null and m.role in ('owner', 'admin')`;

const waitingPushSql = `select coalesce(b.connection_id, s.connection_id) as "connectionId", s.name as source,
    coalesce(${chosenSql('b.connection_id')} ->> 'projectKey', s.rule ->> 'projectKey') as "projectKey",
    asker.name as asker, (select count(*)::int from push_item i where i.batch_id = b.id and i.outcome = 'pending') as findings,
    to_char(a.expires_at at time zone 'utc', 'FMDD Mon YYYY, HH24:MI "UTC"') as expires,
    exists (select 1 from member m where m.organisation_id = b.organisation_id and m.id is distinct from b.requested_by_id
      and ${mayApproveSql}) as "hasApprover"
  from push_batch b join approval a on a.batch_id = b.id join source s on s.id = b.source_id
    left join member asker on asker.id = b.requested_by_id left join connection c on c.id = b.connection_id
  where b.organisation_id = $1 and b.id = $2 and b.status = 'awaiting_approval'
    and coalesce(b.connection_id, s.connection_id) is not null`;

/** Which push waits, for whom, and how long. */
function reminderOf({ source, projectKey, asker, findings, expires, hasApprover }: WaitingPush): string {
  const what = `${findings} ${findings === 1 ? 'finding' : 'findings'} of ${source} to ${projectKey ?? 'Jira'}`;
  const asked = asker === null ? `Auto-push wants to push ${what}.` : `${asker} asked to push ${what}.`;
  const who = `An admin or owner${asker === null ? '' : ` other than ${asker}`} has to approve it`;
  const lone = hasApprover ? '' : ' There is no other admin or owner: make somebody one, or cancel the push.';
  return `${asked} ${who}${expires ? `; it expires on ${expires}` : ''}.${lone}`;
}

const endReasons: Record<ApprovalDecision, string> = {
  approve: '',
  reject: 'The push was rejected',
  cancel: 'The push was cancelled',
  expire: 'Nobody approved the push in time',
};

const pushedFindingSql = `select b.organisation_id as "organisationId", i.finding_id as "findingId", f.number, f.title, f.severity,
    s.key as "sourceKey", b.kind
  from push_item i join push_batch b on b.id = i.batch_id join finding f on f.id = i.finding_id
    join source s on s.id = b.source_id
  where b.organisation_id = $1 and b.id = $2`;
