// What auto-push may push: looking forward only, from the moment on which it was switched on.

import type { Pool } from 'pg';
import type { PushStatus } from '../workflows/rules/vocabulary';

/** Reports say in whole seconds, and by other clocks, when their run began. When they came in is known exactly. */
const toleranceMs = 5_000;

export type AutoPushStore = ReturnType<typeof createAutoPushStore>;

/** Store of what is to be pushed without anybody asking. */
export function createAutoPushStore({ pool }: { pool: Pool }) {
  return {
    /**
     * The numbers of a source's open findings that were found since auto-push is on, by runs that began since; and of
     * those that were in Jira before, were closed, and have been found again since. None while it is off. What was
     * resolved without ever being in Jira is backlog as it was before. What was pushed or linked since then is left to
     * people: they cancelled it, rejected it or took its issue away.
     */
    async eligible(organisationId: string, sourceId: string): Promise<number[]> {
      const { rows } = await pool.query<{ number: number }>(
        `select f.number from finding f join source s on s.id = f.source_id
         cross join lateral (
           select max(e.at) as at from audit_event e where e.finding_id = f.id and e.at >= s.auto_push_since
             and (e.event = 'found' and f.first_seen_at >= s.auto_push_since - $3 * interval '1 millisecond'
               or e.event = 'regressed' and exists (select 1 from issue_link l where l.finding_id = f.id))) began
         where f.organisation_id = $1 and f.source_id = $2 and f.status = 'open' and f.absent_since is null
           and f.last_seen_at >= s.auto_push_since - $3 * interval '1 millisecond' and began.at is not null
           and not exists (select 1 from push_item i join push_batch b on b.id = i.batch_id
             where i.finding_id = f.id and i.outcome <> 'refused' and b.created_at >= began.at)
           and not exists (select 1 from issue_link l where l.finding_id = f.id and l.created_at >= began.at)
         order by f.number`,
        [organisationId, sourceId, toleranceMs],
      );
      return rows.map(({ number }) => number);
    },

    /** The pushes of a source that Recheck began by itself and that have not ended. */
    async underWay(organisationId: string, sourceId: string): Promise<{ id: string; status: PushStatus }[]> {
      const { rows } = await pool.query<{ id: string; status: PushStatus }>(
        `select id, status from push_batch
         where organisation_id = $1 and source_id = $2 and kind = 'auto' and status in ('awaiting_approval', 'running')`,
        [organisationId, sourceId],
      );
      return rows;
    },
  };
}
