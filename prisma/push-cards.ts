// The one message of a push in each channel: opened when the push is made, marked whenever it or an item changes.

import type { Pool, PoolClient } from 'pg';
import type { PushOutcome, PushStatus, Severity } from '../workflows/rules/vocabulary';
import { createCardQueue } from './card-queue';
import { chosenSql } from './push-target';

/** A push's message that this process may write until its lease ends. */
export type ClaimedPushCard = {
  id: string;
  organisationId: string;
  batchId: string;
  installationId: string;
  channelId: string;
  ts: string | null;
  /** What the message shows; null before the first post. */
  hash: string | null;
  attempts: number;
};

/** Items that ended the same way for the same reason. */
export type PushReason = { outcome: PushOutcome; reason: string; count: number; findings: string[] };

/** Everything that the message of a push shows. */
export type PushCardView = {
  id: string;
  status: PushStatus;
  kind: string;
  note: string | null;
  source: { key: string; name: string };
  projectKey: string | null;
  /** Who asked; null is Recheck itself. */
  requestedBy: string | null;
  outcomes: Partial<Record<PushOutcome, number>>;
  /** Refused, failed, held and cancelled items by reason, the most frequent first. */
  reasons: PushReason[];
  /** What waits to be pushed, the most severe first; at most ten. */
  waiting: { finding: string; title: string; severity: Severity }[];
  approval: {
    decision: string | null;
    decidedBy: string | null;
    note: string | null;
    expiresAt: Date | null;
  } | null;
  createdAt: Date;
  completedAt: Date | null;
};

type ViewRow = Omit<PushCardView, 'approval' | 'outcomes' | 'reasons' | 'waiting'> & {
  waiting: PushCardView['waiting'] | null;
  outcomes: PushCardView['outcomes'] | null;
  reasons: PushReason[] | null;
  approval: { decision: string | null; decidedBy: string | null; note: string | null; expiresAt: string | null } | null;
};

/**
 * One message per channel of the organisation for a push of more than one finding, or one that waits for approval.
 * Part of a larger statement: `batch` is an expression for the push's id, `organisation` one for the organisation's.
 */
export function openPushCardsSql({ batch, organisation }: { batch: string; organisation: string }): string {
  return `insert into push_card (id, organisation_id, batch_id, installation_id, channel_id)
    select gen_random_uuid(), ${organisation}, ${batch}, i.id, i.channel_id from slack_installation i
    where i.organisation_id = ${organisation} and i.status = 'installed' and i.channel_id is not null
    on conflict (batch_id, channel_id) do update set dirty = true, dirty_since = now() returning id`;
}

/** The messages of pushes show something old. Part of a larger statement; `batches` yields ids of pushes. */
export function markPushCardsSql(batches: string): string {
  return `update push_card set dirty = true, dirty_since = now() where batch_id in (${batches}) returning id`;
}

/** Opens the messages of a push, or marks them where they are there; the outbox is woken at the commit. */
export async function openPushCards(
  client: Pick<PoolClient, 'query'>,
  push: { organisationId: string; batchId: string },
): Promise<void> {
  await client.query(
    `with cards as (${openPushCardsSql({ batch: '$1::uuid', organisation: '$2::uuid' })})
     select pg_notify('recheck_cards', '') from cards limit 1`,
    [push.batchId, push.organisationId],
  );
}

const viewSql = `
  select b.id, b.kind, b.note, json_build_object('key', s.key, 'name', s.name) as source,
    coalesce(${chosenSql('b.connection_id')} ->> 'projectKey', s.rule ->> 'projectKey') as "projectKey", asker.name as "requestedBy",
    case when b.status = 'running' and not exists (
        select 1 from push_item p where p.batch_id = b.id and p.outcome in ('pending', 'held'))
      then 'completed' else b.status end as status,
    (select json_object_agg(o.outcome, o.count) from (
      select outcome, count(*)::int as count from push_item where batch_id = b.id group by outcome) o) as outcomes,
    (select json_agg(r order by r.count desc, r.reason) from (
      select i.outcome, i.reason, count(*)::int as count,
        (array_agg('F-' || f.number order by f.number))[1:3] as findings
      from push_item i join finding f on f.id = i.finding_id
      where i.batch_id = b.id and i.outcome in ('refused', 'failed', 'held', 'cancelled') and i.reason is not null
      group by i.outcome, i.reason order by count(*) desc limit 10) r) as reasons,
    (select json_agg(w) from (
      select 'F-' || f.number as finding, f.title, f.severity
      from push_item i join finding f on f.id = i.finding_id
      where i.batch_id = b.id and b.status = 'awaiting_approval' and i.outcome = 'pending'
      order by array_position(array['critical', 'serious', 'moderate', 'minor'], f.severity), f.number limit 10) w) as waiting,
    case when a.id is not null then json_build_object('decision', a.decision, 'decidedBy', decider.name,
      'note', a.note, 'expiresAt', a.expires_at) end as approval,
    b.created_at as "createdAt", b.completed_at as "completedAt"
  from push_batch b
  join source s on s.id = b.source_id
  left join connection c on c.id = b.connection_id
  left join member asker on asker.id = b.requested_by_id
  left join approval a on a.batch_id = b.id
  left join member decider on decider.id = a.decided_by_id
  where b.organisation_id = $1`;

/** The messages of pushes: who may write which one now, and what it shows. */
export function createPushCardStore({ pool }: { pool: Pool }) {
  const queue = createCardQueue({ pool, table: 'push_card', subject: 'batch_id' });
  return {
    ...queue,

    /** Takes up to `limit` due messages for `leaseMs`. No other process gets them meanwhile. */
    async claim(ask: { limit: number; leaseMs: number }): Promise<ClaimedPushCard[]> {
      const claimed = await queue.claim(ask);
      return claimed.map(({ subject, renderedHash, ...card }) => ({ ...card, batchId: subject, hash: renderedHash }));
    },

    /** What the message of a push shows now; null where the push is gone. */
    async view(push: { organisationId: string; batchId: string }): Promise<PushCardView | null> {
      const { rows } = await pool.query<ViewRow>(`${viewSql} and b.id = $2`, [push.organisationId, push.batchId]);
      return rows[0] ? shownOf(rows[0]) : null;
    },
  };
}

/** Pushes that wait for an approval, the oldest first; at most `limit`. */
export async function pushesAwaitingApproval(
  pool: Pool,
  { organisationId, limit }: { organisationId: string; limit: number },
): Promise<PushCardView[]> {
  const { rows } = await pool.query<ViewRow>(
    `${viewSql} and b.status = 'awaiting_approval' order by b.created_at, b.id limit $2`,
    [organisationId, limit],
  );
  return rows.map(shownOf);
}

function shownOf({ outcomes, reasons, waiting, approval, ...push }: ViewRow): PushCardView {
  const expiresAt = approval?.expiresAt ? new Date(approval.expiresAt) : null;
  return {
    ...push,
    outcomes: outcomes ?? {},
    reasons: reasons ?? [],
    waiting: waiting ?? [],
    approval: approval && { ...approval, expiresAt },
  };
}
