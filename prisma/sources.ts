import { defaultRule, type SyncRule } from '../workflows/rules/vocabulary';
import type { PrismaClient } from './generated/client';

export type SourceRow = {
  id: string;
  key: string;
  name: string;
  kind: 'site' | 'suite';
  connectionId: string | null;
  rule: SyncRule;
};

export type SourceStore = ReturnType<typeof createSourceStore>;

/** Store of sources and their sync rules. */
export function createSourceStore({ prisma }: { prisma: PrismaClient }) {
  return {
    async list(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<SourceRow[]> {
      const rows = await prisma.source.findMany({
        where: { organisationId, archivedAt: null, ...(page.after ? { key: { gt: page.after } } : {}) },
        orderBy: { key: 'asc' },
        take: page.limit,
      });
      return rows.map(toSource);
    },

    async find(organisationId: string, key: string): Promise<SourceRow | null> {
      const row = await prisma.source.findUnique({ where: { organisationId_key: { organisationId, key } } });
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

    /** Saves the whole rule; switching auto-push on stamps the moment from which it is eligible. */
    async saveRule(source: SourceRow, change: { rule: SyncRule; connectionId: string | null }): Promise<void> {
      const { rule, connectionId } = change;
      const stamp = rule.autoPush === source.rule.autoPush ? {} : { autoPushSince: rule.autoPush ? new Date() : null };
      await prisma.source.update({ where: { id: source.id }, data: { rule, connectionId, ...stamp } });
    },
  };
}

function toSource(row: {
  id: string;
  key: string;
  name: string;
  kind: string;
  connectionId: string | null;
  rule: unknown;
}): SourceRow {
  const { id, key, name, connectionId } = row;
  const kind = row.kind === 'suite' ? 'suite' : 'site';
  return { id, key, name, kind, connectionId, rule: { ...defaultRule, ...(row.rule as Partial<SyncRule>) } };
}
