// Re-run sessions, their cases and verdicts.

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { VerdictsInput } from '../workflows/contract';
import type { Actor, ClaimVerdict } from '../workflows/rules/lifecycle';
import {
  defaultRule,
  type GivenVerdict,
  type SessionStatus,
  type SyncRule,
  type Verdict,
} from '../workflows/rules/vocabulary';
import { inTransaction } from './transaction';

export type SessionRow = {
  id: string;
  sourceKey: string;
  sourceId: string;
  suite: string | null;
  status: SessionStatus;
  verifier: SyncRule['verifier'];
  cases: { findingId: string; number: number; claim: number; verdict: Verdict | null }[];
};
export type SessionRef = { organisationId: string; sessionId: string };
/** A finding that a report looked for and did not find, and the claim that it proves. */
export type ProvenClaim = { findingId: string; claim: number };
export type GivenToLifecycle = ClaimVerdict & { findingId: string };
export type PanelRow = {
  number: number;
  title: string;
  jiraKey: string | null;
  claimedBy: string | null;
  claimedAt: Date | null;
  sessionId: string | null;
  sessionStatus: SessionStatus | null;
  /** Of the last re-run since it was claimed; a pass has taken it off this list. */
  lastVerdict: Exclude<GivenVerdict, 'pass'> | null;
};

export type SessionStore = ReturnType<typeof createSessionStore>;

/** Store of re-run sessions. */
export function createSessionStore({ pool }: { pool: Pool }) {
  return {
    /**
     * Makes a planned session of flagged findings; each case carries the claim that it is about.
     * Answers the first finding that is not flagged, or is held by another open session, and then makes nothing.
     */
    async create(
      organisationId: string,
      input: { sourceId: string; findings: { id: string; number: number }[]; suite: string | null; memberId: string },
    ): Promise<
      | { kind: 'created'; sessionId: string }
      | { kind: 'not_flagged'; number: number; status: string }
      | { kind: 'held'; number: number; sessionId: string }
    > {
      return await inTransaction(pool, async (client) => {
        const ids = input.findings.map((finding) => finding.id);
        const rows = await lockFindings(client, organisationId, ids);
        for (const row of rows) {
          if (row.held) return { kind: 'held', number: row.number, sessionId: row.held };
          if (row.status !== 'needs_rerun') return { kind: 'not_flagged', number: row.number, status: row.status };
        }
        return { kind: 'created', sessionId: await insertSession(client, organisationId, { ...input, ids }) };
      });
    },

    /**
     * The open cases of claims that a report proves: those that sessions hold, and those of a new session for the rest.
     * Without claims that are over, that passed a moment ago (their lifecycles are being told), or that somebody has
     * decided otherwise since the report came.
     */
    async casesOf(
      organisationId: string,
      input: { sourceId: string; suite: string; memberId: string; reportId: string; claims: ProvenClaim[] },
    ): Promise<{ sessionId: string; findingId: string }[]> {
      return await inTransaction(pool, async (client) => {
        const asked = new Map(input.claims.map(({ findingId, claim }) => [findingId, claim]));
        const rows = await lockFindings(client, organisationId, [...asked.keys()]);
        const decided = await decidedClaims(client, input);
        const due = rows.filter(
          ({ id, status, claim }) => status === 'needs_rerun' && asked.get(id) === claim && !decided.has(id),
        );
        const ids = due.filter(({ held }) => held === null).map(({ id }) => id);
        const made = ids.length > 0 ? await insertSession(client, organisationId, { ...input, ids }) : '';
        return due.map(({ id, held }) => ({ findingId: id, sessionId: held ?? made }));
      });
    },

    /** The session with its cases, or null. */
    async find({ organisationId, sessionId }: SessionRef): Promise<SessionRow | null> {
      const { rows } = await pool.query<SessionRow>(
        `select s.id, src.key as "sourceKey", s.source_id as "sourceId", s.suite,
           case when s.status = 'in_progress' and not exists (select 1 from session_case o where o.session_id = s.id and o.verdict is null)
             then 'completed' else s.status end as status,
           coalesce(src.rule ->> 'verifier', '${defaultRule.verifier}') as verifier,
           coalesce(json_agg(json_build_object('findingId', f.id, 'number', f.number, 'claim', c.claim, 'verdict', c.verdict)
             order by f.number) filter (where c.id is not null), '[]') as cases
         from session s join source src on src.id = s.source_id
         left join session_case c on c.session_id = s.id left join finding f on f.id = c.finding_id
         where s.organisation_id = $1 and s.id = $2 group by s.id, src.id`,
        [organisationId, sessionId],
      );
      return rows[0] ?? null;
    },

    /** Planned becomes in progress; anything else stays. */
    async start({ organisationId, sessionId }: SessionRef): Promise<{ ended: boolean }> {
      await pool.query(
        `update session set status = 'in_progress', started_at = now() where organisation_id = $1 and id = $2 and status = 'planned'`,
        [organisationId, sessionId],
      );
      await pool.query(touchCards, [sessionId]);
      return await hasEnded(pool, sessionId);
    },

    /** Ends an open session without verdicts: its cases are free for another one. */
    async cancel({ organisationId, sessionId }: SessionRef): Promise<{ ended: boolean }> {
      await pool.query(
        `with ended as (
           update session set status = 'cancelled', completed_at = now()
           where organisation_id = $1 and id = $2 and status in ('planned', 'in_progress') returning id)
         update session_case c set open = false from ended e where c.session_id = e.id`,
        [organisationId, sessionId],
      );
      // Afterwards: a card that is drawn while this waits for a lock would show the session as it was.
      await pool.query(touchCards, [sessionId]);
      return await hasEnded(pool, sessionId);
    },

    /** Ends a session that has nothing (any more) to verify: Jira took the claims of its cases back. */
    async settle({ organisationId, sessionId }: SessionRef): Promise<{ ended: boolean }> {
      const { rows } = await pool.query<{ ended: boolean }>(
        `with ended as (
           update session s set status = case s.status when 'planned' then 'cancelled' else 'completed' end, completed_at = now()
           where s.organisation_id = $1 and s.id = $2 and s.status in ('planned', 'in_progress')
             and not exists (select 1 from session_case c where c.session_id = s.id and c.verdict is null)
           returning s.id)
         select status in ('completed', 'cancelled') or exists (select 1 from ended) as ended from session
         where organisation_id = $1 and id = $2`,
        [organisationId, sessionId],
      );
      return { ended: rows[0]?.ended ?? true };
    },

    /**
     * Stores verdicts of open cases (a case that has one keeps it) and answers what the lifecycles have to be told. A
     * person's count all together or not at all. A verdict on a planned session starts it; the session is completed
     * when every case has one.
     */
    async storeVerdicts(input: SessionRef & VerdictsInput): Promise<{ given: GivenToLifecycle[]; ended: boolean }> {
      return await inTransaction(pool, async (client) => {
        const { organisationId, sessionId } = input;
        // A lifecycle may be taking one of them back.
        await client.query(
          `select 1 from session_case where organisation_id = $1 and session_id = $2 order by id for update`,
          [organisationId, sessionId],
        );
        const given = await client.query<{
          finding_id: string;
          claim: number;
          verdict: GivenToLifecycle['verdict'];
          rule: SyncRule;
        }>(
          `with asked as (
             select distinct on (id) * from jsonb_to_recordset($3::jsonb) as v(id uuid, verdict text, note text)),
           mine as (
             select c.id, c.finding_id, c.claim, c.open, c.verdict as held, a.verdict, a.note from asked a
             join session_case c on c.session_id = $2 and c.organisation_id = $1 and c.finding_id = a.id),
           decided as (
             update session_case c set verdict = m.verdict, open = false from mine m
             where c.id = m.id and m.open and ($4::uuid is null
               or not exists (select 1 from mine o where not o.open and o.held is distinct from o.verdict))
             returning c.id, m.note, m.verdict),
           kept as (
             insert into verdict (id, organisation_id, case_id, verdict, note, member_id, report_id)
             select gen_random_uuid(), $1, id, verdict, note, $4::uuid, $5::uuid from decided)
           -- Also those that have it from the same hand already: a step of a workflow may run twice, and its first answer be lost.
           select m.finding_id, m.claim, m.verdict, s.rule from mine m
           join finding f on f.id = m.finding_id join source s on s.id = f.source_id
           where m.id in (select id from decided) or m.held = m.verdict and exists (
             select 1 from verdict v where v.case_id = m.id
               and v.member_id is not distinct from $4::uuid and v.report_id is not distinct from $5::uuid)`,
          [
            organisationId,
            sessionId,
            JSON.stringify(
              input.verdicts.map(({ findingId, verdict, note }) => ({ id: findingId, verdict, note: note ?? null })),
            ),
            input.memberId,
            input.reportId,
          ],
        );
        if (given.rows.length === 0) return { given: [], ...(await hasEnded(client, sessionId)) };
        await client.query(
          `update session s set started_at = coalesce(s.started_at, now()),
             status = case when o.undecided = 0 then 'completed' else 'in_progress' end,
             completed_at = case when o.undecided = 0 then now() end
           from (select count(*) as undecided from session_case where session_id = $1 and verdict is null) o
           where s.id = $1 and s.status in ('planned', 'in_progress')`,
          [sessionId],
        );
        await client.query(touchCards, [sessionId]);
        const actor: Actor = input.memberId ? { kind: 'member', id: input.memberId } : { kind: 'recheck' };
        return {
          ...(await hasEnded(client, sessionId)),
          given: given.rows.map(({ finding_id, claim, verdict, rule }) => ({
            findingId: finding_id,
            claim,
            verdict,
            actor,
            sessionId,
            onVerifyFail: rule.onVerifyFail,
          })),
        };
      });
    },

    /** What a verdict comment says besides the verdict: who or what decided, and their note. */
    async findVerdict(input: { organisationId: string; sessionId: string; findingId: string }) {
      const { rows } = await pool.query<{ by: string | null; note: string | null; report: string | null; at: Date }>(
        `select m.name as by, v.note, v.report_id as report, v.created_at as at
         from verdict v join session_case c on c.id = v.case_id left join member m on m.id = v.member_id
         where c.organisation_id = $1 and c.session_id = $2 and c.finding_id = $3 order by v.created_at desc limit 1`,
        [input.organisationId, input.sessionId, input.findingId],
      );
      return rows[0] ?? null;
    },

    /** The Fix Verification panel: every flagged finding, oldest claim first, after the finding with number `after`. */
    async panel(
      organisationId: string,
      filter: { sourceId?: string | undefined; after: number; limit: number },
    ): Promise<PanelRow[]> {
      const { rows } = await pool.query<PanelRow>(
        `select f.number, f.title, l.jira_key as "jiraKey", f.claimed_by as "claimedBy", f.claimed_at as "claimedAt",
           s.id as "sessionId", s.status as "sessionStatus", (
             select substring(e.event from '^verdict_(.+)$') from audit_event e
             where e.finding_id = f.id and e.event in ('claimed', 'verdict_fail', 'verdict_skip', 'verdict_unstable')
             order by e.id desc limit 1) as "lastVerdict"
         from finding f left join issue_link l on l.finding_id = f.id and l.active
         left join session_case c on c.finding_id = f.id and c.open left join session s on s.id = c.session_id
         where f.organisation_id = $1 and f.status = 'needs_rerun' and ($2::uuid is null or f.source_id = $2) and f.number > $3
         order by f.number limit $4`,
        [organisationId, filter.sourceId ?? null, filter.after, filter.limit],
      );
      return rows;
    },

    /** Open sessions, newest first. */
    async open(organisationId: string, limit: number): Promise<{ id: string }[]> {
      const { rows } = await pool.query<{ id: string }>(
        `select id from session where organisation_id = $1 and status in ('planned', 'in_progress') order by created_at desc limit $2`,
        [organisationId, limit],
      );
      return rows;
    },
  };
}

type FlaggedRow = { id: string; number: number; status: string; claim: number; held: string | null };

/**
 * Locks findings, in the order of their ids, as everybody who locks several; then reads them, and which session holds
 * each. (Read while locking, that would be from before the wait for the lock.)
 */
async function lockFindings(client: PoolClient, organisationId: string, ids: string[]): Promise<FlaggedRow[]> {
  await client.query(
    'select 1 from finding where organisation_id = $1 and id = any($2::uuid[]) order by id for no key update',
    [organisationId, ids],
  );
  const { rows } = await client.query<FlaggedRow>(
    `select f.id, f.number, f.status, f.claim, c.session_id as held
     from finding f left join session_case c on c.finding_id = f.id and c.open
     where f.organisation_id = $1 and f.id = any($2::uuid[]) order by f.number`,
    [organisationId, ids],
  );
  return rows;
}

async function insertSession(
  client: PoolClient,
  organisationId: string,
  input: { sourceId: string; suite: string | null; memberId: string; ids: string[] },
): Promise<string> {
  const sessionId = randomUUID();
  await client.query(
    `insert into session (id, organisation_id, source_id, suite, created_by_id) values ($1, $2, $3, $4, $5)`,
    [sessionId, organisationId, input.sourceId, input.suite, input.memberId],
  );
  await client.query(
    `insert into session_case (id, organisation_id, session_id, finding_id, claim)
     select gen_random_uuid(), $1, $2, id, claim from finding where id = any($3::uuid[])`,
    [organisationId, sessionId, input.ids],
  );
  await client.query(touchCards, [sessionId]);
  return sessionId;
}

/** Of the claims, the findings whose claim has its verdict. A pass that led to nothing within an hour was lost. */
async function decidedClaims(
  client: PoolClient,
  { claims, reportId }: { claims: ProvenClaim[]; reportId: string },
): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(
    `select c.finding_id as id from jsonb_to_recordset($1::jsonb) as p("findingId" uuid, claim int)
     join session_case c on c.finding_id = p."findingId" and c.claim = p.claim join verdict v on v.case_id = c.id
     where v.verdict = 'pass' and v.created_at > now() - interval '1 hour'
       or v.verdict = 'fail' and v.created_at > (select created_at from report where id = $2)`,
    [JSON.stringify(claims), reportId],
  );
  return new Set(rows.map(({ id }) => id));
}

async function hasEnded(client: Pool | PoolClient, sessionId: string): Promise<{ ended: boolean }> {
  const { rowCount } = await client.query(
    `select 1 from session where id = $1 and status in ('planned', 'in_progress')`,
    [sessionId],
  );
  return { ended: rowCount === 0 };
}

// The cards of a session's cases show its state, so they are drawn again; in one order, as everybody who locks several.
const touchCards = `
with mine as (
  select k.id from session_case c join card k on k.finding_id = c.finding_id
  where c.session_id = $1 order by k.id for no key update of k),
cards as (update card set dirty = true, dirty_since = now() where id in (select id from mine) returning id)
select pg_notify('recheck_cards', '') from cards limit 1`;
