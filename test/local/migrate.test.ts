import { Client } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { createDatabase } from '../support/database';

describe('applyMigrations', () => {
  it('migrates an empty database once, however many ask at the same moment', async () => {
    const database = await createDatabase();
    try {
      const results = await Promise.all([1, 2, 3].map(() => applyMigrations(database.url)));
      const applied = results.flatMap((result) => result.applied);
      expect(applied.length).toBeGreaterThan(0);
      expect(new Set(applied).size).toBe(applied.length);
      expect(await recorded(database.url)).toEqual(applied);
      expect(await applyMigrations(database.url)).toEqual({ applied: [] });
    } finally {
      await database.drop();
    }
  });
});

async function recorded(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const sql = 'select migration_name from _prisma_migrations where finished_at is not null order by migration_name';
    return (await client.query(sql)).rows.map((row) => row.migration_name);
  } finally {
    await client.end();
  }
}
