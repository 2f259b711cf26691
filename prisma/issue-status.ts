// What issues say in Jira, kept for the cards of their findings. Nothing is decided by it.

import type { Pool } from 'pg';
import type { IssueStatus } from '../workflows/rules/issue-status';

/** Store of what issues say. */
export function createIssueStatusStore({ pool }: { pool: Pool }) {
  return {
    /**
     * Keeps what issues say, and has the cards drawn anew of those that say something else than before. Nobody is woken
     * for that: the outbox looks by itself soon, and what the lifecycle makes of the change is drawn together with it.
     */
    async noteIssueStatus(said: ({ linkId: string } & IssueStatus)[]): Promise<void> {
      if (said.length === 0) return;
      await pool.query({
        name: 'issue-status',
        text: `with links as (
            update issue_link l set jira_status = s.status, jira_resolution = s.resolution
            from unnest($1::uuid[], $2::text[], $3::text[]) as s(id, status, resolution)
            where l.id = s.id and (l.jira_status, l.jira_resolution) is distinct from (s.status, s.resolution)
            returning l.finding_id)
          update card set dirty = true, dirty_since = now() from links where card.finding_id = links.finding_id`,
        values: [
          said.map(({ linkId }) => linkId),
          said.map(({ status }) => status),
          said.map(({ resolution }) => resolution),
        ],
      });
    },
  };
}
