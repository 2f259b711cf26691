// What an issue is told of the places of its finding as they come and go.

import type { Pool } from 'pg';

export type GroupedRef = { organisationId: string; findingId: string };
export type GroupedMaterial = {
  connectionId: string;
  jiraIssueId: string;
  number: number;
  /** The first of those where it is seen now. */
  places: { page: string | null; selector: string | null }[];
  count: number;
  format: string;
  startedAt: Date;
};

export type GroupedIssueStore = ReturnType<typeof createGroupedIssueStore>;

/** Store for the news on grouped issues. */
export function createGroupedIssueStore({ pool }: { pool: Pool }) {
  return {
    /** What the news is written from; null where the finding has no issue (any more) to tell it to. */
    async material({ organisationId, findingId, reportId }: GroupedRef & { reportId: string }) {
      const { rows } = await pool.query<GroupedMaterial>(
        `select l.connection_id as "connectionId", l.jira_issue_id as "jiraIssueId", f.number, r.format, r.started_at as "startedAt",
           (select count(*)::int from occurrence where finding_id = f.id and status <> 'absent') as count,
           coalesce((select json_agg(json_build_object('page', o.page, 'selector', o.details->>'selector'))
             from (select page, details from occurrence where finding_id = f.id and status <> 'absent' order by page, id limit 50) o), '[]') as places
         from finding f join issue_link l on l.finding_id = f.id and l.active and l.state = 'linked' and l.missing_since is null
         join report r on r.organisation_id = f.organisation_id and r.id = $3
         where f.organisation_id = $1 and f.id = $2 and f.in_loop`,
        [organisationId, findingId, reportId],
      );
      return rows[0] ?? null;
    },

    /** Takes it upon itself to tell an issue of a report, once: false where that was done, or was begun. */
    async claim({ organisationId, findingId, reportId, detail }: GroupedRef & { reportId: string; detail: string }) {
      const { rowCount } = await pool.query(
        `insert into audit_event (organisation_id, finding_id, actor, event, detail, dedupe_key)
         values ($1, $2, 'recheck', 'places_changed', $3, $4) on conflict (dedupe_key) do nothing`,
        [organisationId, findingId, detail, claimKey({ findingId, reportId })],
      );
      return rowCount === 1;
    },

    /** Gives a claim back, because nothing was said. */
    async release(told: { findingId: string; reportId: string }): Promise<void> {
      await pool.query('delete from audit_event where dedupe_key = $1', [claimKey(told)]);
    },
  };
}

function claimKey({ findingId, reportId }: { findingId: string; reportId: string }): string {
  return `places:${reportId}:${findingId}`;
}
