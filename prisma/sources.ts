import type { Pool } from 'pg';
import { defaultRule, type SyncRule } from '../workflows/rules/vocabulary';
import type { PrismaClient } from './generated/client';
import { keepsGrouping } from './report-statements';

export type SourceRow = {
  id: string;
  key: string;
  name: string;
  kind: 'site' | 'suite';
  connectionId: string | null;
  /** The connection that it names, where that one was disconnected. */
  endedConnectionId: string | null;
  /** The same where Jira no longer takes the credentials of that connection. */
  brokenConnectionId: string | null;
  rule: SyncRule;
  /** From when on findings are pushed by themselves; null while that is off. */
  autoPushSince: Date | null;
};

const withConnection = { connection: { select: { id: true, deletedAt: true, status: true } } } as const;

export type SourceStore = ReturnType<typeof createSourceStore>;

/** Store of sources and their sync rules. */
export function createSourceStore({ prisma, pool }: { prisma: PrismaClient; pool: Pool }) {
  return {
    async list(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<SourceRow[]> {
      const rows = await prisma.source.findMany({
        where: { organisationId, archivedAt: null, ...(page.after ? { key: { gt: page.after } } : {}) },
        include: withConnection,
        orderBy: { key: 'asc' },
        take: page.limit,
      });
      return rows.map(toSource);
    },

    async find(organisationId: string, key: string): Promise<SourceRow | null> {
      const where = { organisationId_key: { organisationId, key } };
      const row = await prisma.source.findUnique({ where, include: withConnection });
      return row && !row.archivedAt ? toSource(row) : null;
    },

    /** Answers null when the key is taken. */
    async create(
      organisationId: string,
      input: { key: string; name: string; kind: 'site' | 'suite'; connectionId: string | null; rule: SyncRule },
    ): Promise<SourceRow | null> {
      const { key, name, kind, connectionId, rule } = input;
      // createMany with skipDuplicates lets the unique index decide between two that create at once.
      const { count } = await prisma.source.createMany({
        data: [
          { organisationId, key, name, kind, connectionId, rule, autoPushSince: rule.autoPush ? new Date() : null },
        ],
        skipDuplicates: true,
      });
      return count === 1 ? await this.find(organisationId, key) : null;
    },

    /**
     * Saves the whole rule, unless it was changed since the source was read: null then, for whoever saves to read again.
     * Switching auto-push on stamps the moment from which it counts, by the clock that also stamps what is found.
     */
    async saveRule(
      source: SourceRow,
      change: { rule: SyncRule; connectionId: string | null },
    ): Promise<Pick<SourceRow, 'autoPushSince'> | null> {
      const { rule, connectionId } = change;
      const { rows } = await pool.query<Pick<SourceRow, 'autoPushSince'>>(
        `update source set rule = $2, connection_id = $3,
           auto_push_since = case when not $4::boolean then null else coalesce(auto_push_since, now()) end
         where id = $1 and $5::jsonb || rule = $6::jsonb and connection_id is not distinct from $7
         returning auto_push_since as "autoPushSince"`,
        [
          source.id,
          JSON.stringify(rule),
          connectionId,
          rule.autoPush,
          JSON.stringify(defaultRule),
          JSON.stringify(source.rule),
          source.connectionId,
        ],
      );
      return rows[0] ?? null;
    },

    /** How many findings of a source keep the grouping that they have, because an issue or a decision hangs on them. */
    async keptFindings(source: Pick<SourceRow, 'id'>): Promise<number> {
      const { rows } = await pool.query<{ count: number }>(
        `select count(*)::int as count from finding f where f.source_id = $1 and ${keepsGrouping}`,
        [source.id],
      );
      return rows[0]?.count ?? 0;
    },
  };
}

function toSource(row: {
  id: string;
  key: string;
  name: string;
  kind: string;
  connectionId: string | null;
  connection: { id: string; deletedAt: Date | null; status: string } | null;
  rule: unknown;
  autoPushSince: Date | null;
}): SourceRow {
  const { id, key, name, connectionId, autoPushSince } = row;
  const kind = row.kind === 'suite' ? 'suite' : 'site';
  return {
    id,
    key,
    name,
    kind,
    connectionId,
    endedConnectionId: row.connection?.deletedAt ? row.connection.id : null,
    brokenConnectionId: row.connection?.status === 'reconnect_required' ? row.connection.id : null,
    autoPushSince,
    rule: { ...defaultRule, ...(row.rule as Partial<SyncRule>) },
  };
}
