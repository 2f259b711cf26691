import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationDirectory, MigrationList } from '@prisma/schema-engine-wasm';
import { Client } from 'pg';
import { projectRoot, withSchemaEngine } from './schema-engine';

/** Any number will do, as long as every process of this project takes the same one. */
const MIGRATION_LOCK = 7_212_604;

/**
 * Brings the database up to the newest migration of `prisma/migrations` and records each in `_prisma_migrations`,
 * as `prisma migrate deploy` does, but in process: the engine is Prisma's own, built to WebAssembly, so that nothing
 * is downloaded. Safe when several processes call it at once. Throws what the engine says, the migration named.
 */
export async function applyMigrations(databaseUrl: string): Promise<{ applied: string[] }> {
  const lock = new Client({ connectionString: databaseUrl });
  await lock.connect();
  try {
    // A lock of the session, on a connection of its own: it goes with the process that held it.
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await withSchemaEngine(databaseUrl, async (engine) => {
      const filters = { externalTables: [], externalEnums: [] };
      const result = await engine.applyMigrations({ migrationsList: migrationList(), filters });
      return { applied: result.appliedMigrationNames };
    });
  } finally {
    await lock.end();
  }
}

function migrationList(): MigrationList {
  const baseDir = join(projectRoot(), 'prisma', 'migrations');
  const lockfile = join(baseDir, 'migration_lock.toml');
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: readdirSync(baseDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => migrationDirectory(baseDir, entry.name))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function migrationDirectory(baseDir: string, name: string): MigrationDirectory {
  const content = readFileSync(join(baseDir, name, 'migration.sql'), 'utf8');
  return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: content } } };
}
