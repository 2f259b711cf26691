// Reading findings: lists, one with its history, and what an issue or a comment is written from.

import type { Pool } from 'pg';
import type { FindingStatus, SessionStatus, Severity, SyncRule } from '../workflows/rules/vocabulary';

export type FindingRow = {
  id: string;
  number: number;
  title: string;
  rule: string;
  severity: Severity;
  status: FindingStatus;
  key: string;
  sourceKey: string;
  sourceId: string;
  occurrences: number;
  jiraKey: string | null;
  siteUrl: string | null;
  inLoop: boolean;
  updatedAt: Date;
};
export type FindingExtra = {
  reason: string | null;
  claim: number;
  claimedBy: string | null;
  claimedAt: Date | null;
  sessionId: string | null;
  sessionStatus: SessionStatus | null;
  /** Since when its issue is gone from Jira and somebody is asked what to do. */
  missingSince: Date | null;
  /** The connection of its issue was ended. */
  notFollowed: boolean;
  sourceName: string;
  sourceKind: 'site' | 'suite';
  verifier: SyncRule['verifier'] | null;
};
export type OccurrenceRow = {
  page: string | null;
  status: string;
  details: { [key: string]: unknown };
  firstSeenAt: Date;
  lastSeenAt: Date;
};
export type HistoryRow = { at: Date; actor: string; event: string; detail: string };

/** Everything an issue's text is made from. */
export type IssueMaterial = {
  linkId: string;
  state: string;
  marker: string;
  connectionId: string;
  projectKey: string;
  jiraIssueId: string | null;
  jiraKey: string | null;
  note: string | null;
  rule: SyncRule;
  source: { key: string; name: string; kind: string };
  finding: {
    id: string;
    number: number;
    title: string;
    rule: string;
    severity: Severity;
    details: { [key: string]: unknown };
  };
  /** The first of those where it is seen. */
  occurrences: { page: string | null; details: { [key: string]: unknown } }[];
  /** How many there are of them. */
  occurrenceCount: number;
  /** Whether the finding has pictures. */
  isPictured: boolean;
};

const listSql = `
select f.id, f.number, f.title, f.rule, f.severity, f.status, f.key, s.key as "sourceKey", f.source_id as "sourceId",
       (select count(*)::int from occurrence o where o.finding_id = f.id) as occurrences,
       l.jira_key as "jiraKey", c.site_url as "siteUrl", f.in_loop as "inLoop", f.updated_at as "updatedAt"`;
const fromSql = `
from finding f join source s on s.id = f.source_id
left join issue_link l on l.finding_id = f.id and l.active and l.state = 'linked'
left join connection c on c.id = l.connection_id`;

export type FindingStore = ReturnType<typeof createFindingStore>;

/** Store of findings, for reading. */
export function createFindingStore({ pool }: { pool: Pool }) {
  return {
    /** A page of findings in the order of their numbers, after the one with number `after`. */
    async list(
      organisationId: string,
      filter: { sourceId?: string | undefined; status?: string | undefined; after: number; limit: number },
    ): Promise<FindingRow[]> {
      const { rows } = await pool.query<FindingRow>(
        `${listSql} ${fromSql} where f.organisation_id = $1 and ($2::uuid is null or f.source_id = $2)
           and ($3::text is null or f.status = $3) and f.number > $4 order by f.number limit $5`,
        [organisationId, filter.sourceId ?? null, filter.status ?? null, filter.after, filter.limit],
      );
      return rows;
    },

    /** Findings by short number, in the order of the numbers; those that are not there are left out. */
    async byNumbers(organisationId: string, numbers: number[]): Promise<(FindingRow & FindingExtra)[]> {
      const { rows } = await pool.query<FindingRow & FindingExtra>(
        `${listSql}, f.status_reason as reason, f.claim, f.claimed_by as "claimedBy", f.claimed_at as "claimedAt",
           ses.id as "sessionId", ses.status as "sessionStatus", l.missing_since as "missingSince",
           l.id is not null and c.deleted_at is not null as "notFollowed",
           s.name as "sourceName", s.kind as "sourceKind", s.rule ->> 'verifier' as verifier ${fromSql}
         left join session_case sc on sc.finding_id = f.id and sc.open left join session ses on ses.id = sc.session_id
         where f.organisation_id = $1 and f.number = any($2::int[]) order by f.number`,
        [organisationId, numbers],
      );
      return rows;
    },

    /**
     * The findings that an issue key belongs to, or, where it belongs to none any more, the last ones that it belonged to.
     * Several where several connections know an issue of that key; at most ten.
     */
    async byJiraKey(organisationId: string, jiraKey: string): Promise<{ number: number; siteUrl: string }[]> {
      const { rows } = await pool.query<{ number: number; siteUrl: string }>(
        `with known as (
           select distinct on (l.connection_id) l.finding_id, l.connection_id, l.active from issue_link l
           where l.organisation_id = $1 and l.jira_key = $2
           order by l.connection_id, l.active desc, coalesce(l.linked_at, l.created_at) desc)
         select f.number, min(c.site_url) as "siteUrl"
         from known k join finding f on f.id = k.finding_id join connection c on c.id = k.connection_id
         where k.active or not exists (select 1 from known where active)
         group by f.number order by f.number limit 10`,
        [organisationId, jiraKey],
      );
      return rows;
    },

    async occurrences(findingId: string, limit = 1000): Promise<OccurrenceRow[]> {
      const { rows } = await pool.query<OccurrenceRow>(
        `select page, status, details, first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"
         from occurrence where finding_id = $1 order by page, id limit $2`,
        [findingId, limit],
      );
      return rows;
    },

    /** What reports say of a finding as a whole. */
    async details(findingId: string): Promise<{ [key: string]: unknown }> {
      const sql = 'select details from finding where id = $1';
      return (await pool.query<{ details: { [key: string]: unknown } }>(sql, [findingId])).rows[0]?.details ?? {};
    },

    /** What happened to a finding, oldest first: all of it, or the last `limit` events of a very long one. */
    async history(findingId: string, limit = 1000): Promise<HistoryRow[]> {
      const { rows } = await pool.query<HistoryRow>(
        `select at, actor, event, detail from audit_event where finding_id = $1 order by id desc limit $2`,
        [findingId, limit],
      );
      return rows.reverse();
    },

    /** What the issue of a link is written from. Throws when the link is not there. */
    async issueMaterial({ linkId }: { linkId: string }): Promise<IssueMaterial> {
      const { rows } = await pool.query<IssueMaterial>({
        name: 'issue-material',
        text: `select l.id as "linkId", l.state, l.marker, l.connection_id as "connectionId", l.project_key as "projectKey",
           l.jira_issue_id as "jiraIssueId", l.jira_key as "jiraKey", l.note, s.rule,
           json_build_object('key', s.key, 'name', s.name, 'kind', s.kind) as source,
           json_build_object('id', f.id, 'number', f.number, 'title', f.title, 'rule', f.rule, 'severity', f.severity, 'details', f.details) as finding,
           coalesce((select json_agg(json_build_object('page', o.page, 'details', o.details))
             from (select page, details from occurrence where finding_id = f.id and status <> 'absent' order by page, id limit 50) o), '[]') as occurrences,
           (select count(*)::int from occurrence where finding_id = f.id and status <> 'absent') as "occurrenceCount",
           exists (select 1 from finding_evidence where finding_id = f.id) as "isPictured"
         from issue_link l join finding f on f.id = l.finding_id join source s on s.id = f.source_id
         where l.id = $1`,
        values: [linkId],
      });
      const material = rows[0];
      if (!material) throw new Error('The issue link is not there.');
      return material;
    },

    /** What starting a lifecycle needs to say of a finding. */
    async forStart(organisationId: string, findingId: string) {
      const { rows } = await pool.query<{ number: number; title: string; severity: string; sourceKey: string }>(
        `select f.number, f.title, f.severity, s.key as "sourceKey" from finding f join source s on s.id = f.source_id
         where f.organisation_id = $1 and f.id = $2`,
        [organisationId, findingId],
      );
      const row = rows[0];
      if (!row) throw new Error(`Finding ${findingId} is not there.`);
      return { organisationId, findingId, ...row };
    },
  };
}
