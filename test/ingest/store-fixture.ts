import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { createReportStore, type ReportInput, type Stored } from '../../prisma/reports';
import type { Coverage, ParsedFinding } from '../../workflows/rules/report-verdict';
import type { Severity } from '../../workflows/rules/vocabulary';
import { createDatabase } from '../support/database';

export type Row = {
  id: string;
  number: number;
  key: string;
  rule: string;
  status: string;
  severity: string;
  last_seen_at: Date;
  absent_since: Date | null;
  details: { [key: string]: unknown };
};

/** A database with an organisation and a source of its own, and what a test does to it. */
export type ReportWorld = Awaited<ReturnType<typeof createReportWorld>>;

export async function createReportWorld() {
  const database = await createDatabase();
  await applyMigrations(database.url);
  const pool = new Pool({ connectionString: database.url, max: 6 });
  const reports = createReportStore({ pool });

  async function makeOrganisation(): Promise<{ organisationId: string; sourceId: string; memberId: string }> {
    const [organisationId, sourceId, memberId] = [randomUUID(), randomUUID(), randomUUID()];
    await pool.query('insert into organisation (id, name) values ($1, $2)', [organisationId, 'Shop']);
    await pool.query(`insert into member (id, organisation_id, name, role) values ($1, $2, 'Mina', 'member')`, [
      memberId,
      organisationId,
    ]);
    await makeSource(organisationId, sourceId);
    return { organisationId, sourceId, memberId };
  }

  async function makeSource(organisationId: string, sourceId: string = randomUUID()): Promise<string> {
    const sql = `insert into source (id, organisation_id, key, name, kind, rule) values ($1, $2, $3, 'Shop', 'site', '{}')`;
    await pool.query(sql, [sourceId, organisationId, `key-${sourceId}`]);
    return sourceId;
  }

  return {
    pool,
    reports,
    makeOrganisation,
    makeSource,
    async stored(organisationId: string, input: ReportInput): Promise<Stored> {
      const result = await reports.ingest(organisationId, input);
      if (result.kind !== 'stored') throw new Error(`The report is ${result.kind}.`);
      return result;
    },
    async findings(sourceId: string): Promise<Row[]> {
      return (await pool.query<Row>('select * from finding where source_id = $1 order by number', [sourceId])).rows;
    },
    async occurrences(sourceId: string): Promise<{ rule: string; page: string | null; status: string }[]> {
      const sql = `select f.rule, o.page, o.status from occurrence o join finding f on f.id = o.finding_id where f.source_id = $1 order by f.rule, o.page`;
      return (await pool.query(sql, [sourceId])).rows;
    },
    async events(findingId: string): Promise<string[]> {
      const sql = 'select event from audit_event where finding_id = $1 order by id';
      return (await pool.query<{ event: string }>(sql, [findingId])).rows.map(({ event }) => event);
    },
    /** What the lifecycle would have written. */
    async setStatus(findingId: string, status: string, { inLoop = false, since = new Date() } = {}): Promise<void> {
      await pool.query('update finding set status = $2, in_loop = $3, status_since = $4 where id = $1', [
        findingId,
        status,
        inLoop,
        since,
      ]);
    },
    async link(organisationId: string, findingId: string): Promise<void> {
      const connectionId = randomUUID();
      await pool.query(
        `insert into connection (id, organisation_id, site_url, project_key, dynamic_webhook_ids) values ($1, $2, 'https://shop.atlassian.net', 'SHOP', '{}')`,
        [connectionId, organisationId],
      );
      await pool.query(
        `insert into issue_link (id, organisation_id, finding_id, connection_id, generation, state, marker, project_key, jira_issue_id, jira_key)
         values ($1, $2, $3, $4, 1, 'linked', 'recheck-1', 'SHOP', '10001', 'SHOP-1')`,
        [randomUUID(), organisationId, findingId, connectionId],
      );
    },
    async close(): Promise<void> {
      await pool.end();
      await database.drop();
    },
  };
}

/** A moment of a day long past, by the minute: reports of tests follow one another by it. */
export function minute(at: number): Date {
  return new Date(Date.UTC(2026, 0, 15, 8, at));
}

type Place = { page: string; element?: string };

/** A finding of a scan at places given as `page` or `page#element`. */
export function finding(rule: string, places: string[], severity: Severity = 'serious'): ParsedFinding {
  const occurrences = places.map((place) => ({ ...placeOf(place), details: { selector: place } }));
  return { rule, title: `${rule} is broken`, severity, details: { help: rule }, occurrences };
}

function placeOf(place: string): Required<Place> {
  const [page = '', element = ''] = place.split('#', 2);
  return { page, element };
}

/** Coverage of a scan: each page with every rule run, those prefixed with "?" inconclusive. */
export function scanned(pages: Record<string, string[]>): Coverage {
  const covered = Object.entries(pages).map(([page, rules]) => {
    const ran = rules.map((rule) =>
      rule.startsWith('?') ? ([rule.slice(1), 'inconclusive'] as const) : ([rule, 'ran'] as const),
    );
    return [page, { rules: new Map(ran), unlisted: 'inconclusive' as const }] as const;
  });
  return { kind: 'pages', pages: new Map(covered) };
}
