// What a poll of Jira works on: the issues that a connection tracks, with the state of their findings, and the
// deliveries by which what a poll found is handed on. Written in bulk: a poll may concern thousands of issues.

import type { Pool } from 'pg';
import type { IssueStatus } from '../workflows/rules/issue-status';
import type { LifecycleState } from '../workflows/rules/lifecycle';
import type { SyncRule } from '../workflows/rules/vocabulary';
import { inTransaction } from './transaction';

/** An issue that an active link of the connection knows, and how its finding stands. */
export type TrackedIssue = {
  jiraIssueId: string;
  jiraKey: string;
  /** Of the key that is known: an issue that moved keeps its id. */
  projectKey: string;
  onJiraDone: SyncRule['onJiraDone'];
  state: LifecycleState;
  linkId: string;
  /** What it said when it was last read. */
  said: IssueStatus;
};
/** An issue whose finding has to read it; `version` tells this change from the next. */
export type IssueToRead = { jiraIssueId: string; version: string };
export type SyncBeginning = {
  status: string;
  siteUrl: string;
  kind: string;
  autoSync: boolean;
  polledUntil: Date | null;
  now: Date;
};

type Row = {
  jira_issue_id: string;
  jira_key: string;
  project_key: string;
  link_id: string;
  status: LifecycleState['status'];
  claim: number;
  status_reason: string | null;
  on_jira_done: SyncRule['onJiraDone'] | null;
  missing: boolean;
  jira_status: string | null;
  jira_resolution: string | null;
};

export type SyncStore = ReturnType<typeof createSyncStore>;

/** Store of what polls work on. */
export function createSyncStore({ pool }: { pool: Pool }) {
  async function tracked(where: string, values: unknown[]): Promise<TrackedIssue[]> {
    const { rows } = await pool.query<Row>(`${trackedSql} ${where}`, values);
    return rows.map(toTracked);
  }

  return {
    /**
     * Does `work` while nobody else, in any process, does work under this name. Throws the database's error 55P03 when
     * the turn does not come within 20 seconds.
     */
    async oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
      return await inTransaction(pool, async (client) => {
        await client.query(`select set_config('lock_timeout', '20s', true)`);
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
        return await work();
      });
    },

    /** Where a sync starts from, with the database's time; null where the connection is gone. */
    async beginning(connectionId: string): Promise<SyncBeginning | null> {
      const { rows } = await pool.query<SyncBeginning>(
        `select status, site_url as "siteUrl", kind, auto_sync as "autoSync", polled_until as "polledUntil", now()
         from connection where id = $1 and deleted_at is null`,
        [connectionId],
      );
      return rows[0] ?? null;
    },

    /**
     * The projects of a connection that matter now: those that its enabled sources are routed to, its own
     * where sources may be pushed to it, and those in which
     * issues are tracked. What the account cannot see any more is left out.
     */
    async projects(connectionId: string): Promise<{ routed: string[]; tracked: string[] }> {
      const { rows } = await pool.query<{ routed: string[]; tracked: string[] }>(projectsSql, [connectionId]);
      return rows[0] ?? { routed: [], tracked: [] };
    },

    /** Those of the issues that the connection tracks. */
    trackedAmong: (connectionId: string, jiraIssueIds: string[]) =>
      tracked('and l.jira_issue_id = any($2)', [connectionId, jiraIssueIds]),

    /**
     * Up to `limit` tracked issues that nobody has looked at since `before`, those that were not looked at for longest
     * first. Issues of lost projects are left in peace.
     */
    unchecked: (connectionId: string, { before, limit }: { before: Date; limit: number }) =>
      tracked(
        `and (l.checked_at is null or l.checked_at < $2)
         and not ${projectOfKey} = any((select lost_projects from connection where id = $1)::text[])
         order by l.checked_at nulls first, l.id limit $3`,
        [connectionId, before, limit],
      ),

    /** Stamps that these issues were looked at. */
    async checked(connectionId: string, jiraIssueIds: string[]): Promise<void> {
      await pool.query(
        'update issue_link set checked_at = now() where connection_id = $1 and jira_issue_id = any($2) and active',
        [connectionId, jiraIssueIds],
      );
    },

    /**
     * Has every finding go on for which something at this connection was held back: a comment, a reopening, a reading.
     * One delivery each, which the relay works off. One too many is harmless: its finding reads its issue, no more.
     */
    async wakeHeld(ref: { organisationId: string; connectionId: string }): Promise<void> {
      await pool.query(wakeHeldSql, [ref.organisationId, ref.connectionId]);
    },

    /** Has the cards of what waits for Jira drawn anew: whether anything comes from there has changed. */
    async redrawCards(connectionId: string): Promise<void> {
      await pool.query(
        `with cards as (
           update card set dirty = true, dirty_since = now() from issue_link l, finding f
           where l.connection_id = $1 and l.active and l.state = 'linked' and f.id = l.finding_id and f.in_loop
             and card.finding_id = f.id returning card.id)
         select pg_notify('recheck_cards', '') from cards limit 1`,
        [connectionId],
      );
    },

    /**
     * Has the findings of these issues read them: one delivery each, which the relay works off. One that was worked
     * off is taken up again, because the reading did not change the finding; one that still waits is enough.
     */
    async handOn(ref: { organisationId: string; connectionId: string }, issues: IssueToRead[]): Promise<void> {
      if (issues.length === 0) return;
      await pool.query(
        `insert into delivery (id, organisation_id, connection_id, identifier, event, jira_issue_id, state)
         select gen_random_uuid(), $1, $2, 'poll:' || i.id || ':' || i.version, 'poll', i.id, 'pending'
         from unnest($3::text[], $4::text[]) as i(id, version)
         ${takenUpAgain}`,
        [
          ref.organisationId,
          ref.connectionId,
          issues.map(({ jiraIssueId }) => jiraIssueId),
          issues.map(({ version }) => version),
        ],
      );
    },
  };
}

// Project keys have no hyphen; the key on the link follows an issue that moved, its project_key does not.
const projectOfKey = `split_part(coalesce(l.jira_key, l.project_key), '-', 1)`;

const trackedSql = `
  select l.jira_issue_id, l.jira_key, ${projectOfKey} as project_key, l.id as link_id, f.status, f.claim, f.status_reason,
    s.rule ->> 'onJiraDone' as on_jira_done, l.missing_since is not null as missing, l.jira_status, l.jira_resolution
  from issue_link l join finding f on f.id = l.finding_id join source s on s.id = f.source_id
  where l.connection_id = $1 and l.active and l.state = 'linked' and l.jira_issue_id is not null`;

const takenUpAgain = `on conflict (connection_id, identifier) do update
  set state = 'pending', received_at = now(), processed_at = null, attempts = 0, last_error = null
  where delivery.state <> 'pending'`;

const wakeHeldSql = `
  insert into delivery (id, organisation_id, connection_id, identifier, event, jira_issue_id, state)
  select gen_random_uuid(), $1, $2, 'poll:' || l.jira_issue_id || ':held', 'poll', l.jira_issue_id, 'pending'
  from issue_link l
  where l.connection_id = $2 and l.active and l.state = 'linked' and l.jira_issue_id is not null and exists (
    select 1 from audit_event e where e.finding_id = l.finding_id
      and e.event in ('comment_held', 'reopen_held', 'read_failed') and not exists (
        select 1 from audit_event n where n.finding_id = e.finding_id and n.id > e.id and case e.event
          when 'comment_held' then n.event in ('comment_made', 'comment_failed')
          when 'reopen_held' then n.event in ('reopened_by_recheck', 'reopen_refused', 'reopen_failed')
          else n.event = 'read_again' end))
  ${takenUpAgain}`;

const projectsSql = `
  with lost as (select unnest(lost_projects) as key from connection where id = $1),
  routed as (
    select distinct rule ->> 'projectKey' as key from source
    where connection_id = $1 and archived_at is null and (rule ->> 'enabled')::boolean and rule ->> 'projectKey' is not null
    union select c.project_key from connection c join source s on s.organisation_id = c.organisation_id
    where c.id = $1 and s.archived_at is null and (s.rule ->> 'enabled')::boolean and s.rule -> 'otherConnections' ? c.id::text),
  tracked as (
    select distinct ${projectOfKey} as key from issue_link l
    where l.connection_id = $1 and l.active and l.state = 'linked')
  select array(select key from routed where key not in (select key from lost) order by key) as routed,
    array(select key from tracked where key not in (select key from lost) order by key) as tracked`;

function toTracked(row: Row): TrackedIssue {
  return {
    jiraIssueId: row.jira_issue_id,
    jiraKey: row.jira_key,
    projectKey: row.project_key,
    onJiraDone: row.on_jira_done ?? 'verify',
    linkId: row.link_id,
    said: { status: row.jira_status, resolution: row.jira_resolution },
    state: {
      version: 1,
      status: row.status,
      claim: row.claim,
      issue: { linkId: row.link_id, key: row.jira_key },
      reason: row.status_reason,
      missing: row.missing,
    },
  };
}
