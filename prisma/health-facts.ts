// What the health of a connection is told from, beside the columns of its own row.

import type { Pool } from 'pg';
import { waitsForConnection } from './pushes';

export type HealthFacts = {
  connectionId: string;
  /** Push items that wait because the connection does not work. */
  heldPushes: number;
  /** Issues that are followed through this connection. */
  trackedIssues: number;
  /** Of these, the ones that have been followed through it for over a day. */
  agedIssues: number;
  /** Deliveries of the last 24 hours: about issues that no finding is linked to, and about the others. */
  untrackedDeliveries: number;
  trackedDeliveries: number;
  /** Changes of the last 24 hours that were not told but found by asking. */
  caughtUp: number;
  /** Linked findings without any page or execution, so that there would be nothing to re-run. */
  linkedWithoutOccurrence: number;
  /** Findings that wait for a re-run, and how many of them an open session holds. */
  flagged: number;
  inSession: number;
  /** Slack cards that have been behind for over a minute. */
  staleCards: number;
  /** Sources that name the connection: all of them, those that are switched on, and of these those without a project. */
  sources: number;
  enabledSources: number;
  sourcesWithoutProject: number;
};

const COUNTS = [
  'heldPushes',
  'trackedIssues',
  'agedIssues',
  'untrackedDeliveries',
  'trackedDeliveries',
  'caughtUp',
  'linkedWithoutOccurrence',
  'flagged',
  'inSession',
  'staleCards',
  'sources',
  'enabledSources',
  'sourcesWithoutProject',
] as const;

export type HealthFactsStore = ReturnType<typeof createHealthFactsStore>;

/** Store of what is counted for the health of connections. */
export function createHealthFactsStore({ pool }: { pool: Pool }) {
  return {
    /** The facts of the given connections, by connection id. */
    async facts(organisationId: string, connectionIds: string[]): Promise<Map<string, HealthFacts>> {
      if (connectionIds.length === 0) return new Map();
      const { rows } = await pool.query<Record<string, string>>(factsSql, [organisationId, connectionIds]);
      return new Map(rows.map((row) => [row.connectionId ?? '', toFacts(row)]));
    },
  };
}

function toFacts(row: Record<string, string>): HealthFacts {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, Number(row[name] ?? 0)]));
  return { connectionId: row.connectionId ?? '', ...(counts as Omit<HealthFacts, 'connectionId'>) };
}

const factsSql = `
  select c.id as "connectionId",
    (select count(*) from push_item i join push_batch b on b.id = i.batch_id join source s on s.id = b.source_id
      where i.outcome = 'held' and b.status = 'running' and ${waitsForConnection} = c.id) as "heldPushes",
    l.tracked as "trackedIssues", l.aged as "agedIssues", l.bare as "linkedWithoutOccurrence", l.flagged, l.held as "inSession",
    l.stale as "staleCards",
    d.untracked as "untrackedDeliveries", d.tracked as "trackedDeliveries",
    d.caught as "caughtUp",
    s.total as sources, s.enabled as "enabledSources", s.keyless as "sourcesWithoutProject"
  from connection c
  cross join lateral (
    select count(*) as tracked,
      count(*) filter (where greatest(k.linked_at, c.created_at) < now() - interval '1 day') as aged,
      count(*) filter (where not exists (select 1 from occurrence o where o.finding_id = f.id)) as bare,
      count(*) filter (where f.status = 'needs_rerun') as flagged,
      count(*) filter (where f.status = 'needs_rerun' and exists (
        select 1 from session_case k join session n on n.id = k.session_id
        where k.finding_id = f.id and k.verdict is null and n.status in ('planned', 'in_progress'))) as held,
      count(*) filter (where exists (
        select 1 from card a where a.finding_id = f.id and a.dirty and a.dirty_since < now() - interval '1 minute')) as stale
    from issue_link k join finding f on f.id = k.finding_id
    where k.connection_id = c.id and k.active and k.state = 'linked') l
  cross join lateral (
    select count(*) filter (where state = 'untracked') as untracked,
      count(*) filter (where state in ('pending', 'processed') and event not in ('sync', 'poll')) as tracked,
      count(*) filter (where state in ('pending', 'processed') and event in ('sync', 'poll')) as caught
    from delivery where connection_id = c.id and received_at > now() - interval '24 hours') d
  cross join lateral (
    select count(*) as total, count(*) filter (where (rule ->> 'enabled')::boolean) as enabled,
      count(*) filter (where (rule ->> 'enabled')::boolean and rule ->> 'projectKey' is null) as keyless
    from source where connection_id = c.id and archived_at is null) s
  where c.organisation_id = $1 and c.id = any($2::uuid[])`;
