// Reports: taken in whole or not at all. Ingest alone writes the status of a finding that is not in the loop; of one
// that is, it only says when it was seen. Reading the file is in api/ingest, what it proves in workflows/rules.

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Coverage, Evidence, ParsedFinding, ReportScope, ReportVerdict } from '../workflows/rules/report-verdict';
import { reportEvidence } from '../workflows/rules/report-verdict';
import type { AuditEvent, Grouping } from '../workflows/rules/vocabulary';
import { type Picture, type PicturesTold, storePictures } from './evidence';
import type { Group, KnownRow } from './report-grouping';
import { absentPlaces, groupFindings, isNews, isReplaced, verdictOf } from './report-grouping';
import { afterClaim, followsOf, type LoopVerdict, loopVerdictsOf, type ReportFollows } from './report-outcomes';
import * as sql from './report-statements';
import { inTransaction } from './transaction';

export type ReportCounts = { new: number; seen: number; regressed: number; absent: number };
export type ReportInput = {
  sourceId: string;
  idempotencyKey: string;
  /** SHA-256 of the body: the same key with another body is a conflict. */
  bodyHash: string;
  format: string;
  /** When the run began; null stands for now, and a clock ahead of ours is held to now. */
  startedAt: Date | null;
  scope: ReportScope;
  uploadedById: string | null;
  sessionId?: string | null;
  grouping: Grouping;
  findings: readonly ParsedFinding[];
  coverage: Coverage;
  /** What was uploaded with it. */
  pictures?: readonly Picture[];
};
export type Stored = {
  kind: 'stored';
  reportId: string;
  counts: ReportCounts;
  newFindingIds: string[];
  regressedFindingIds: string[];
  loopVerdicts: LoopVerdict[];
  /** What is to follow it; kept with the report, so that the same one sent again makes up for what did not. */
  follows: ReportFollows;
  /** Findings that a picture of this upload shows. */
  picturedFindingIds: string[];
  /** Null where the upload had no pictures. */
  pictures: PicturesTold | null;
};
export type Repeated = Pick<Stored, 'reportId' | 'counts' | 'pictures' | 'follows'> & {
  kind: 'repeated';
  format: string;
};
export type IngestResult = Stored | Repeated | { kind: 'conflict' };

/** As the row has them, with what was answered of pictures: the same upload again is answered the same. */
type StoredCounts = ReportCounts & { pictures?: PicturesTold; follows?: ReportFollows };
type ReportKey = { sourceId: string; idempotencyKey: string; bodyHash: string };
type Job = ReportInput & { organisationId: string; reportId: string; startedAt: Date; evidence: Evidence };
type Sorted = { fresh: { group: Group; id: string }[]; again: { group: Group; row: KnownRow }[]; late: number };

export type ReportStore = ReturnType<typeof createReportStore>;

/** Store of reports. */
export function createReportStore({ pool }: { pool: Pool }) {
  return {
    /** Takes in a parsed report in one transaction. Two reports of one source follow one another. */
    async ingest(organisationId: string, input: ReportInput): Promise<IngestResult> {
      return await inTransaction(pool, async (client) => {
        if (!(await sql.lockSource(client, organisationId, input.sourceId))) {
          throw new Error(`Source ${input.sourceId} is not in organisation ${organisationId}.`);
        }
        const earlier = await earlierUpload(client, organisationId, input);
        if (earlier) return earlier;
        return await store(client, jobOf(organisationId, input));
      });
    },

    /** The issues of a report's findings were told of its places: that follows once. */
    async placesTold(organisationId: string, reportId: string): Promise<void> {
      await pool.query(
        `update report set counts = jsonb_set(counts, '{follows,placesChanged}', '[]') where organisation_id = $1 and id = $2`,
        [organisationId, reportId],
      );
    },

    /** The answer to an upload that came before, without reading the file: repeated, conflict, or null for a new one. */
    async earlier(organisationId: string, key: ReportKey): Promise<Repeated | { kind: 'conflict' } | null> {
      return await earlierUpload(pool, organisationId, key);
    },

    /**
     * What a report says of findings, by finding id, without storing anything: the same answer before and after its
     * ingest. A run that began before a finding's claim says nothing about it.
     */
    async verdicts(
      organisationId: string,
      findingIds: string[],
      report: Pick<ReportInput, 'findings' | 'coverage' | 'scope' | 'startedAt'>,
    ): Promise<Map<string, ReportVerdict>> {
      const startedAt = heldToNow(report.startedAt);
      const evidence = reportEvidence(report);
      return await inTransaction(pool, async (client) => {
        const rows = await sql.findKnown(client, organisationId, findingIds);
        return new Map(
          rows.map((row) => [row.id, afterClaim(row, startedAt) ? verdictOf(row, evidence) : 'inconclusive']),
        );
      });
    },
  };
}

async function earlierUpload(
  client: Pool | PoolClient,
  organisationId: string,
  { sourceId, idempotencyKey, bodyHash }: ReportKey,
): Promise<Repeated | { kind: 'conflict' } | null> {
  const { rows } = await client.query<{ id: string; body_hash: string; format: string; counts: StoredCounts }>(
    `select id, body_hash, format, counts from report
     where organisation_id = $1 and source_id = $2 and idempotency_key = $3`,
    [organisationId, sourceId, idempotencyKey],
  );
  const report = rows[0];
  if (!report) return null;
  if (report.body_hash !== bodyHash) return { kind: 'conflict' };
  const { pictures = null, follows = { proven: [], placesChanged: [] }, ...counts } = report.counts;
  return { kind: 'repeated', reportId: report.id, format: report.format, counts, pictures, follows };
}

function jobOf(organisationId: string, input: ReportInput): Job {
  // A test is one finding wherever its file lies: pages and elements are a matter of sites.
  const grouping = input.coverage.kind === 'tests' ? 'rule' : input.grouping;
  const startedAt = heldToNow(input.startedAt);
  return { ...input, organisationId, reportId: randomUUID(), grouping, startedAt, evidence: reportEvidence(input) };
}

function heldToNow(startedAt: Date | null): Date {
  const now = new Date();
  return startedAt === null || startedAt > now ? now : startedAt;
}

async function store(client: PoolClient, job: Job): Promise<Stored> {
  const kept = await sql.findKept(client, job);
  const groups = groupFindings(job.findings, { grouping: job.grouping, kept });
  const known = await sql.lockKnown(client, { ...job, keys: [...groups.keys()] });
  const sorted = sortGroups(groups, { known, startedAt: job.startedAt });
  await storeNew(client, job, sorted.fresh);
  const reopened = await storeSeen(client, job, sorted.again);
  await sql.upsertOccurrences(client, job, [
    ...sorted.fresh.flatMap(({ group, id }) => occurrenceRows(group, id)),
    ...sorted.again.flatMap(({ group, row }) => occurrenceRows(group, row.id)),
  ]);
  const absent = await storeAbsent(client, job, { groups, known });
  const counts = {
    new: sorted.fresh.length,
    seen: sorted.again.length - reopened.length + sorted.late,
    regressed: reopened.length,
    absent: absent.length,
  };
  const rows = [...sorted.fresh.map(({ group, id }) => ({ key: group.key, id })), ...known];
  const { findingIds: picturedFindingIds, told: pictures } = await storePictures(client, { ...job, groups, rows });
  const newFindingIds = sorted.fresh.map(({ id }) => id);
  const loopVerdicts = loopVerdictsOf(known, job);
  const ids = { newFindingIds, regressedFindingIds: reopened, picturedFindingIds };
  const follows = followsOf(known, { groups, job, loopVerdicts });
  await insertReport(client, job, { ...counts, ...(pictures ? { pictures } : {}), follows });
  return { kind: 'stored', reportId: job.reportId, counts, ...ids, pictures, loopVerdicts, follows };
}

/** New ones, known ones for which the report is news, and known ones that it comes too late for. */
function sortGroups(groups: Map<string, Group>, { known, startedAt }: { known: KnownRow[]; startedAt: Date }): Sorted {
  const byKey = new Map(known.map((row) => [row.key, row]));
  const sorted: Sorted = { fresh: [], again: [], late: 0 };
  for (const group of groups.values()) {
    const row = byKey.get(group.key);
    if (!row) sorted.fresh.push({ group, id: randomUUID() });
    else if (isNews(row, startedAt)) sorted.again.push({ group, row });
    else sorted.late += 1;
  }
  return sorted;
}

async function storeNew(client: PoolClient, job: Job, fresh: Sorted['fresh']): Promise<void> {
  if (fresh.length === 0) return;
  const first = await sql.takeNumbers(client, job.organisationId, fresh.length);
  const rows = fresh.map(({ group, id }, index) => ({
    ...findingRow(group, id),
    key: group.key,
    rule: group.rule,
    number: first + index,
  }));
  await sql.insertFindings(client, job, rows);
  await record(
    client,
    job,
    'found',
    fresh.map(({ id }) => id),
  );
}

async function storeSeen(client: PoolClient, job: Job, again: Sorted['again']): Promise<string[]> {
  await sql.updateSeen(
    client,
    job,
    again.map(({ group, row }) => findingRow(group, row.id)),
  );
  const closed = again.filter(({ row }) => !row.inLoop && (row.status === 'verified' || row.status === 'resolved'));
  const reopened = await sql.reopen(
    client,
    job.organisationId,
    closed.map(({ row }) => row.id),
  );
  // An open finding that is still there is no event; somebody waits for the others.
  const waited = again.filter(({ row }) => row.inLoop || row.status === 'blocked' || row.absentSince !== null);
  const gone = new Set(reopened);
  const seenAgain = waited.map(({ row }) => row.id).filter((id) => !gone.has(id));
  await record(client, job, 'regressed', reopened);
  // Said once: a report an hour would fill the history with it.
  await sql.recordEvents(client, { ...eventOf(job), event: 'seen again', onChange: true }, seenAgain);
  const back = again.filter(({ row }) => row.absentSince !== null).map(({ row }) => row.id);
  await sql.dirtyCards(client, job.organisationId, [...new Set([...reopened, ...back])]);
  return reopened;
}

async function storeAbsent(
  client: PoolClient,
  job: Job,
  { groups, known }: { groups: Map<string, Group>; known: KnownRow[] },
): Promise<string[]> {
  const relevant = known.filter((row) => isNews(row, job.startedAt));
  const places = relevant.flatMap((row) => absentPlaces(row, job).map((place) => place.id));
  const unseen = relevant.filter((row) => !groups.has(row.key));
  const gone = unseen.filter((row) => row.absentSince === null && isGone(row, job)).map((row) => row.id);
  const replaced = unseen.filter((row) => isReplaced(row, job)).map((row) => row.id);
  // Something kept them open when they went: an approval that was waited for, or a push that was held.
  const late = unseen.filter((row) => row.absentSince !== null && row.status === 'open' && isGone(row, job));
  await sql.markPlacesAbsent(client, job.organisationId, places);
  const { resolved } = await sql.markAbsent(client, job, [
    ...new Set([...gone, ...replaced, ...late.map((row) => row.id)]),
  ]);
  const settled = new Set(resolved);
  const other = new Set(replaced);
  await record(
    client,
    job,
    'absent',
    gone.filter((id) => !settled.has(id)),
  );
  await record(
    client,
    job,
    'resolved',
    resolved.filter((id) => !other.has(id)),
  );
  const detail = `the grouping of the source is now "${job.grouping}"`;
  await sql.recordEvents(
    client,
    { ...eventOf(job), event: 'resolved', detail },
    resolved.filter((id) => other.has(id)),
  );
  await sql.dirtyCards(client, job.organisationId, [...gone, ...replaced]);
  return gone;
}

/** Proven absent at every place, by a run that began after each was last seen. */
function isGone(row: KnownRow, job: Job): boolean {
  const live = row.places.filter((place) => place.status !== 'absent');
  return live.every((place) => place.lastSeenAt < job.startedAt) && verdictOf(row, job.evidence) === 'pass';
}

async function insertReport(client: PoolClient, job: Job, counts: StoredCounts): Promise<void> {
  await client.query(
    `insert into report (id, organisation_id, source_id, session_id, idempotency_key, body_hash, format, started_at, scope, counts, uploaded_by_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      job.reportId,
      job.organisationId,
      job.sourceId,
      job.sessionId ?? null,
      job.idempotencyKey,
      job.bodyHash,
      job.format,
      job.startedAt,
      job.scope,
      JSON.stringify(counts),
      job.uploadedById,
    ],
  );
}

async function record(client: PoolClient, job: Job, event: AuditEvent, ids: string[]): Promise<void> {
  await sql.recordEvents(client, { ...eventOf(job), event }, ids);
}

function eventOf(job: Job) {
  const detail = `${job.format} report, run began ${job.startedAt.toISOString()}`;
  return { organisationId: job.organisationId, memberId: job.uploadedById, detail };
}

function findingRow({ title, severity, details }: Group, id: string) {
  return { id, title, severity, details };
}

function occurrenceRows(group: Group, findingId: string): sql.OccurrenceRow[] {
  return [...group.occurrences].map(([key, { page, element, details }]) => ({
    id: randomUUID(),
    finding_id: findingId,
    key,
    page,
    details: element === null ? details : { ...details, element },
  }));
}
