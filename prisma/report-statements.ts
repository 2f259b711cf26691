// The SQL of ingest: sets, never row by row. Each takes the client of the transaction in prisma/reports.ts.

import type { PoolClient } from 'pg';
import type { AuditEvent } from '../workflows/rules/vocabulary';
import { groupBy, type KnownPlace, type KnownRow } from './report-grouping';

/** Large enough to spare round trips, small enough that a chunk of long stacks stays some megabytes. */
const CHUNK = 1_000;

export type FindingRow = {
  id: string;
  number: number;
  key: string;
  rule: string;
  title: string;
  severity: string;
  details: unknown;
};
export type OccurrenceRow = { id: string; finding_id: string; key: string; page: string | null; details: unknown };

/** Takes the source for this transaction: two reports of one source follow one another. Answers whether it is there. */
export async function lockSource(client: PoolClient, organisationId: string, sourceId: string): Promise<boolean> {
  const sql = 'select 1 from source where organisation_id = $1 and id = $2 for no key update';
  return (await client.query(sql, [organisationId, sourceId])).rowCount === 1;
}

const knownColumns = `
  f.id, f.key, f.rule, coalesce(f.details->>'grouping', 'rule') as grouping, f.status, f.in_loop as "inLoop", f.claim,
  f.claimed_at as "claimedAt", f.status_since as "statusSince", f.absent_since as "absentSince",
  exists (select 1 from issue_link l where l.finding_id = f.id and l.active) as linked`;

/** Whether finding `f` keeps its grouping: an issue, or a decision, hangs on it. */
export const keepsGrouping = `(f.in_loop or f.status = 'blocked' or f.status not in ('verified', 'resolved')
  and exists (select 1 from issue_link l where l.finding_id = f.id and l.active))`;

/** Findings with an issue, in the loop, or blocked, that were grouped in another way than the source is now. */
export async function findKept(
  client: PoolClient,
  source: { organisationId: string; sourceId: string; grouping: string },
): Promise<KnownRow[]> {
  const { rows } = await client.query<KnownRow>(
    `select ${knownColumns} from finding f
     where f.organisation_id = $1 and f.source_id = $2 and ${keepsGrouping}
       and coalesce(f.details->>'grouping', 'rule') <> $3`,
    [source.organisationId, source.sourceId, source.grouping],
  );
  return await withPlaces(client, rows);
}

/**
 * Locks and reads the findings of a source that the report may touch: those it saw, and all that are not closed. In the
 * order of their ids, as everybody who locks several; the lock leaves references from new rows alone.
 */
export async function lockKnown(
  client: PoolClient,
  source: { organisationId: string; sourceId: string; keys: string[] },
): Promise<KnownRow[]> {
  const { rows } = await client.query<KnownRow>(
    `select ${knownColumns} from finding f
     where f.organisation_id = $1 and f.source_id = $2
       and (f.key = any($3::text[]) or f.in_loop or f.status not in ('verified', 'resolved'))
     order by f.id for no key update`,
    [source.organisationId, source.sourceId, source.keys],
  );
  return await withPlaces(client, rows);
}

/** The findings with these ids, as they are, for verdicts. */
export async function findKnown(client: PoolClient, organisationId: string, ids: string[]): Promise<KnownRow[]> {
  const sql = `select ${knownColumns} from finding f where f.organisation_id = $1 and f.id = any($2::uuid[])`;
  return await withPlaces(client, (await client.query<KnownRow>(sql, [organisationId, ids])).rows);
}

async function withPlaces(client: PoolClient, rows: KnownRow[]): Promise<KnownRow[]> {
  if (rows.length === 0) return [];
  const places = await client.query<KnownPlace & { findingId: string }>(
    `select id, finding_id as "findingId", key, page, details->>'element' as element, details->>'runner' as runner, status, last_seen_at as "lastSeenAt"
     from occurrence where finding_id = any($1::uuid[])`,
    [rows.map((row) => row.id)],
  );
  const byFinding = groupBy(places.rows, (place) => place.findingId);
  return rows.map((row) => ({ ...row, places: byFinding.get(row.id) ?? [] }));
}

/** Takes `count` short numbers of the organisation and answers the first. */
export async function takeNumbers(client: PoolClient, organisationId: string, count: number): Promise<number> {
  const { rows } = await client.query<{ last: number }>(
    'update organisation set finding_number = finding_number + $2 where id = $1 returning finding_number as last',
    [organisationId, count],
  );
  return (rows[0]?.last ?? count) - count + 1;
}

export async function insertFindings(
  client: PoolClient,
  at: { organisationId: string; sourceId: string; startedAt: Date },
  findings: FindingRow[],
): Promise<void> {
  for (const rows of chunks(findings)) {
    await client.query(
      `insert into finding (id, organisation_id, source_id, number, key, rule, title, severity, details, first_seen_at, last_seen_at)
       select x.id, $1, $2, x.number, x.key, x.rule, x.title, x.severity, x.details, $3, $3
       from json_to_recordset($4::json)
         as x(id uuid, number int, key text, rule text, title text, severity text, details jsonb)`,
      [at.organisationId, at.sourceId, at.startedAt, JSON.stringify(rows)],
    );
  }
}

/** Findings seen again. What the issue was made from stays as it is while the finding is in the loop. */
export async function updateSeen(
  client: PoolClient,
  at: { organisationId: string; startedAt: Date },
  findings: Omit<FindingRow, 'number' | 'key' | 'rule'>[],
): Promise<void> {
  for (const rows of chunks(findings)) {
    await client.query(
      `update finding f set
         title = case when f.in_loop then f.title else x.title end,
         severity = case when f.in_loop then f.severity else x.severity end,
         details = case when f.in_loop then f.details else x.details end,
         last_seen_at = greatest(f.last_seen_at, $2), absent_since = null, updated_at = now()
       from json_to_recordset($3::json) as x(id uuid, title text, severity text, details jsonb)
       where f.organisation_id = $1 and f.id = x.id`,
      [at.organisationId, at.startedAt, JSON.stringify(rows)],
    );
  }
}

/** Back to `open`, and the old issue becomes history, so that the next push makes one of its own generation. */
export async function reopen(client: PoolClient, organisationId: string, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<{ id: string }>(
    `update finding set status = 'open', status_since = now(), status_reason = null, updated_at = now()
     where organisation_id = $1 and id = any($2::uuid[]) and in_loop = false and status in ('verified', 'resolved')
     returning id`,
    [organisationId, ids],
  );
  const reopened = rows.map((row) => row.id);
  await client.query(
    `update issue_link set active = false, state = case state when 'linked' then 'detached' else state end
     where organisation_id = $1 and finding_id = any($2::uuid[]) and active`,
    [organisationId, reopened],
  );
  return reopened;
}

/** Places seen now. One that waits for a re-run keeps waiting: only a verdict ends that. */
export async function upsertOccurrences(
  client: PoolClient,
  at: { organisationId: string; reportId: string; startedAt: Date },
  occurrences: OccurrenceRow[],
): Promise<void> {
  for (const rows of chunks(occurrences)) {
    await client.query(
      `insert into occurrence (id, organisation_id, finding_id, key, page, details, report_id, first_seen_at, last_seen_at)
       select x.id, $1, x.finding_id, x.key, x.page, x.details, $2, $3, $3
       from json_to_recordset($4::json) as x(id uuid, finding_id uuid, key text, page text, details jsonb)
       on conflict (finding_id, key) do update set
         status = case when occurrence.status = 'pending_rerun' then 'pending_rerun' else 'seen' end,
         details = excluded.details, report_id = excluded.report_id, last_seen_at = excluded.last_seen_at
       where occurrence.last_seen_at <= excluded.last_seen_at`,
      [at.organisationId, at.reportId, at.startedAt, JSON.stringify(rows)],
    );
  }
}

export async function markPlacesAbsent(client: PoolClient, organisationId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const sql = `update occurrence set status = 'absent' where organisation_id = $1 and id = any($2::uuid[]) and status = 'seen'`;
  await client.query(sql, [organisationId, ids]);
}

/** Findings that the report proves gone. Outside the loop an open one without an issue is resolved by that. */
export async function markAbsent(
  client: PoolClient,
  at: { organisationId: string; startedAt: Date },
  ids: string[],
): Promise<{ resolved: string[] }> {
  if (ids.length === 0) return { resolved: [] };
  await client.query(
    'update finding set absent_since = coalesce(absent_since, $3), updated_at = now() where organisation_id = $1 and id = any($2::uuid[])',
    [at.organisationId, ids, at.startedAt],
  );
  const { rows } = await client.query<{ id: string }>(
    `update finding f set status = 'resolved', status_since = now(), updated_at = now()
     where organisation_id = $1 and id = any($2::uuid[]) and in_loop = false and status = 'open'
       and not exists (select 1 from issue_link l where l.finding_id = f.id and l.active)
     returning id`,
    [at.organisationId, ids],
  );
  return { resolved: rows.map((row) => row.id) };
}

/** One line in the history of each finding; with `onChange` not where its last line says the same. */
export async function recordEvents(
  client: PoolClient,
  event: { organisationId: string; memberId: string | null; event: AuditEvent; detail: string; onChange?: boolean },
  ids: string[],
): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    `insert into audit_event (organisation_id, finding_id, actor, event, detail)
     select $1, x.id, coalesce((select name from member where organisation_id = $1 and id = $3), 'recheck'), $4::text, $5
     from unnest($2::uuid[]) as x(id)
     where not $6 or $4::text is distinct from (
       select e.event from audit_event e where e.finding_id = x.id order by e.id desc limit 1)`,
    [event.organisationId, ids, event.memberId, event.event, event.detail, event.onChange ?? false],
  );
}

/** The cards of these findings show something old; the outbox is woken when the transaction commits. */
export async function dirtyCards(client: PoolClient, organisationId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    // In one order, as everybody who locks several.
    `with mine as (
       select id from card where organisation_id = $1 and finding_id = any($2::uuid[]) order by id for no key update),
     cards as (update card set dirty = true, dirty_since = now() where id in (select id from mine) returning id)
     select pg_notify('recheck_cards', '') from cards limit 1`,
    [organisationId, ids],
  );
}

function* chunks<T>(rows: T[]): Generator<T[]> {
  for (let start = 0; start < rows.length; start += CHUNK) yield rows.slice(start, start + CHUNK);
}
