// What the maintenance looks for: connections that need care, and rows whose time is over.

import type { Pool } from 'pg';

export type ConnectionToMind = {
  organisationId: string;
  connectionId: string;
  kind: string;
  status: string;
  autoSync: boolean;
  lostProjects: string[];
  /** It works, and what waits for that has not been taken up: held pushes, or the catch-up after a restore. */
  isBehind: boolean;
};
export type SentMarker = { findingId: string; marker: string; projectKey: string };

export type MaintenanceStore = ReturnType<typeof createMaintenanceStore>;

/** Store of what the maintenance works on. */
export function createMaintenanceStore({ pool }: { pool: Pool }) {
  return {
    /** Every live connection of every organisation. */
    async connections(): Promise<ConnectionToMind[]> {
      const { rows } = await pool.query<ConnectionToMind>(
        `select c.organisation_id as "organisationId", c.id as "connectionId", c.kind, c.status,
           c.auto_sync as "autoSync", c.lost_projects as "lostProjects",
           c.status = 'connected' and (
             exists (
               select 1 from push_item i join push_batch b on b.id = i.batch_id join source s on s.id = b.source_id
               where coalesce(b.connection_id, s.connection_id) = c.id and i.outcome = 'held' and i.updated_at < now() - interval '1 minute')
             or exists (
               select 1 from notice n where n.connection_id = c.id and n.kind = 'restored'
                 and n.created_at between coalesce(c.polled_until, c.created_at) and now() - interval '1 minute')
           ) as "isBehind"
         from connection c where c.deleted_at is null order by c.id`,
      );
      return rows;
    },

    /** The markers that a connection sent to Jira in the last `days` days, with the project that they went to. */
    async sentMarkers(connectionId: string, days: number): Promise<SentMarker[]> {
      const { rows } = await pool.query<SentMarker>(
        `select finding_id as "findingId", marker, project_key as "projectKey" from issue_link
         where connection_id = $1 and sent_at > now() - $2 * interval '1 day' order by project_key, id`,
        [connectionId, days],
      );
      return rows;
    },

    /** Writes into a finding's history that several issues carry its marker; once for the same issues. */
    async noteDuplicates(input: { findingId: string; marker: string; keys: string[] }): Promise<void> {
      const keys = input.keys.join(', ');
      await pool.query(
        `insert into audit_event (organisation_id, finding_id, actor, event, detail, dedupe_key)
         select organisation_id, id, 'recheck', 'duplicate_issues', $2, $3 from finding where id = $1
         on conflict (dedupe_key) do nothing`,
        [
          input.findingId,
          `Jira has more than one issue of this finding: ${keys}. Close all but the one that is linked.`,
          `duplicates:${input.marker}:${keys}`,
        ],
      );
    },

    /** Forgets changes of our own whose echo is not waited for any more. */
    async deleteExpired(): Promise<void> {
      await pool.query('delete from expected_change where expires_at < now()');
    },
  };
}
