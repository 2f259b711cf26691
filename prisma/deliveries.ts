// The ledger of inbound Jira webhooks: stored before it is answered, and worked off by the relay (api/relay.ts).

import type { Pool } from 'pg';
import { plain } from '../workflows/rules/plain-text';
import { createDeliveryInsert } from './delivery-insert';

/** One change of interest from a delivery's changelog: ids (or keys) and, where Jira sent them, display names. */
export type JiraChange = {
  field: string;
  from: string | null;
  to: string | null;
  fromName: string | null;
  toName: string | null;
};

export type NewDelivery = {
  organisationId: string;
  connectionId: string;
  /** Unique per connection, the same in every retry. */
  identifier: string;
  event: string;
  /** Null where the delivery had no usable body. */
  jiraIssueId: string | null;
  changes: JiraChange[];
  /** Whether the event can matter to a finding at all; if not, it is only kept for deduplication. */
  ofInterest: boolean;
  actorId: string | null;
  actorName: string | null;
  occurredAt: Date | null;
};

export type DeliveryState = 'pending' | 'untracked' | 'ignored' | 'processed';

export type DeliveredFinding = {
  organisationId: string;
  findingId: string;
  number: number;
  title: string;
  severity: string;
  sourceKey: string;
};

export type ClaimedDelivery = {
  id: string;
  organisationId: string;
  connectionId: string;
  jiraIssueId: string | null;
  attempts: number;
  /** The finding behind the issue; null where no active link knows the issue (any more). */
  finding: DeliveredFinding | null;
};

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

type Deps = {
  pool: Pick<Pool, 'query'>;
  /** How long a claim holds; who works for longer renews it meanwhile. */
  leaseMs?: number;
  /** Pause before the second attempt; doubles with each, up to `retryCapMs`. */
  retryMs?: number;
  retryCapMs?: number;
};

/**
 * The deliveries of all organisations. Every function is one statement, so that a process may die anywhere.
 * A claim is a lease: what is neither marked nor renewed can be claimed again when it is over.
 */
export function createDeliveryStore({ pool, leaseMs = 15_000, retryMs = 5_000, retryCapMs = 30_000 }: Deps) {
  const execute = async (text: string, values: unknown[]) => (await pool.query(text, values)).rowCount ?? 0;

  return {
    /** Stores a delivery and answers its state, or `duplicate` where the connection already sent this identifier. */
    insert: createDeliveryInsert(pool),

    /** Says on the connection that a webhook arrived; the caller sees to it that this is not done for each. */
    async noteWebhook(connection: { organisationId: string; connectionId: string }): Promise<void> {
      await execute('update connection set last_webhook_at = now() where organisation_id = $1 and id = $2', [
        connection.organisationId,
        connection.connectionId,
      ]);
    },

    /** Takes up to `limit` pending deliveries that nobody else works on, the oldest first, with their findings. */
    async claimPending(limit: number): Promise<ClaimedDelivery[]> {
      const { rows } = await pool.query<ClaimedRow>(claimSql, [limit, leaseMs]);
      return rows.map(toClaimed);
    },

    /** Keeps claimed deliveries from everybody else for another lease. */
    async renew(ids: string[]): Promise<void> {
      await execute(
        `update delivery set processed_at = now() + $2 * interval '1 millisecond'
         where id = any($1::uuid[]) and state = 'pending'`,
        [ids, leaseMs],
      );
    },

    async markProcessed(ids: string[]): Promise<void> {
      if (ids.length === 0) return;
      await execute(
        `update delivery set state = 'processed', processed_at = now(), last_error = null
         where id = any($1::uuid[]) and state = 'pending'`,
        [ids],
      );
    },

    /** Leaves a claimed delivery to a later attempt, after the pause of this one, and keeps the reason. */
    async markFailed(id: string, error: string): Promise<void> {
      await execute(
        `update delivery set last_error = $2,
           processed_at = now() + least($3 * power(2, least(attempts, 20) - 1), $4) * interval '1 millisecond'
         where id = $1 and state = 'pending'`,
        [id, plain(error, 500), retryMs, retryCapMs],
      );
    },

    /** Gives claimed deliveries back untried, to be claimed again at once. */
    async release(ids: string[]): Promise<void> {
      if (ids.length === 0) return;
      await execute(
        `update delivery set attempts = greatest(attempts - 1, 0), processed_at = null
         where id = any($1::uuid[]) and state = 'pending'`,
        [ids],
      );
    },

    /**
     * Makes pending what arrived before its issue was linked. Looks at links made in the last `linkedWithinMs`:
     * an older link was known when the delivery was stored.
     */
    async promoteUntracked({ linkedWithinMs = 86_400_000 }: { linkedWithinMs?: number } = {}): Promise<number> {
      return execute(
        `update delivery d set state = 'pending'
         from issue_link l
         where l.active and l.jira_issue_id is not null
           and coalesce(l.linked_at, l.created_at) > now() - $1 * interval '1 millisecond'
           and d.organisation_id = l.organisation_id and d.connection_id = l.connection_id
           and d.jira_issue_id = l.jira_issue_id
           and d.state = 'untracked' and d.received_at > now() - interval '1 day'`,
        [linkedWithinMs],
      );
    },

    /**
     * Deletes what is no longer needed, at most `limit` rows: ignored and untracked deliveries after 49 hours
     * (a replay is refused after 24 hours on either side, so until then the identifier must be known),
     * processed ones after 30 days.
     */
    async deleteOld(limit = 10_000): Promise<number> {
      return execute(
        `delete from delivery where id in (
           select id from delivery
           where (state in ('ignored', 'untracked') and received_at < now() - interval '49 hours')
              or (state = 'processed' and received_at < now() - interval '30 days')
           limit $1)`,
        [limit],
      );
    },

    async countByState(): Promise<Record<DeliveryState, number>> {
      const { rows } = await pool.query<{ state: DeliveryState; count: number }>(
        'select state, count(*)::int as count from delivery group by state',
      );
      const counts: Record<DeliveryState, number> = { pending: 0, untracked: 0, ignored: 0, processed: 0 };
      for (const { state, count } of rows) counts[state] = count;
      return counts;
    },
  };
}

// While a delivery is pending, processed_at says when it may be taken up again: its lease is over then, or its pause.
const claimSql = `
  with picked as (
    select id from delivery
    where state = 'pending' and (processed_at is null or processed_at < now())
    order by received_at
    limit $1
    for update skip locked
  ), claimed as (
    update delivery d set attempts = d.attempts + 1, processed_at = now() + $2 * interval '1 millisecond'
    from picked where d.id = picked.id
    returning d.id, d.organisation_id, d.connection_id, d.jira_issue_id, d.attempts, d.received_at
  )
  select c.id, c.organisation_id, c.connection_id, c.jira_issue_id, c.attempts,
    f.id as finding_id, f.number, f.title, f.severity, s.key as source_key
  from claimed c
  left join issue_link l on l.organisation_id = c.organisation_id and l.connection_id = c.connection_id
    and l.jira_issue_id = c.jira_issue_id and l.active
  left join finding f on f.organisation_id = l.organisation_id and f.id = l.finding_id
  left join source s on s.organisation_id = f.organisation_id and s.id = f.source_id
  order by c.received_at`;

type ClaimedRow = {
  id: string;
  organisation_id: string;
  connection_id: string;
  jira_issue_id: string | null;
  attempts: number;
} & (
  | { finding_id: string; number: number; title: string; severity: string; source_key: string }
  | { finding_id: null }
);

function toClaimed(row: ClaimedRow): ClaimedDelivery {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    connectionId: row.connection_id,
    jiraIssueId: row.jira_issue_id,
    attempts: row.attempts,
    finding:
      row.finding_id === null
        ? null
        : {
            organisationId: row.organisation_id,
            findingId: row.finding_id,
            number: row.number,
            title: row.title,
            severity: row.severity,
            sourceKey: row.source_key,
          },
  };
}
