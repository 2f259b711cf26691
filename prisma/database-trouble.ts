// What is wrong with the database of DATABASE_URL and what mends it, in words for operators: no host, user or password.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { isDatabaseAway } from '../workflows/rules/database-away';
import { projectRoot } from './schema-engine';

const UNDEFINED_TABLE = '42P01';
const notMigrated = 'The database of DATABASE_URL is not migrated: run node dist/prisma/migrate-main.js.';
const refused = 'PostgreSQL refuses the user or the password in DATABASE_URL: correct them.';

/** By the codes of PostgreSQL. */
const words = new Map([
  ['28P01', refused],
  ['28000', refused],
  ['3D000', 'There is no such database as DATABASE_URL names: create it, or correct the name.'],
  ['42501', 'The user in DATABASE_URL may not do this in the database: grant it, or name another user.'],
  ['53300', 'PostgreSQL takes no more connections: raise its max_connections.'],
]);

/** What is wrong and what mends it, where an error is about the database itself; null where it is about a statement. */
export function databaseTrouble(error: unknown): string | null {
  const code = codeOf(error);
  const known = words.get(code);
  if (known) return known;
  if (!isDatabaseAway(error)) return null;
  return `PostgreSQL does not answer${code && ` (${code})`}: start it, or correct the host and port in DATABASE_URL.`;
}

/** The error with the words of `databaseTrouble` where there are any. */
export function explainedByDatabase(error: unknown): unknown {
  const trouble = databaseTrouble(error);
  return trouble ? new Error(trouble, { cause: error }) : error;
}

/** Asks whether the database answers and has the newest migration of this release; once it had, only the former. */
export function createDatabaseCheck(pool: Pick<Pool, 'query'>): () => Promise<string> {
  let isMigrated = false;
  return async () => {
    try {
      if (isMigrated) await pool.query('select 1');
      else isMigrated = await hasNewestMigration(pool);
      return isMigrated ? 'ok' : notMigrated;
    } catch (error) {
      if (codeOf(error) === UNDEFINED_TABLE) return notMigrated;
      return databaseTrouble(error) ?? 'PostgreSQL does not answer as it should: its log says why.';
    }
  };
}

/** Throws in words for operators where the database does not answer, or lacks the newest migration of this release. */
export async function requireDatabase(pool: Pick<Pool, 'query'>): Promise<void> {
  const state = await createDatabaseCheck(pool)();
  if (state !== 'ok') throw new Error(state);
}

// By shape: what Node itself throws is no `Error` of the tests.
const codeOf = (error: unknown) =>
  typeof error === 'object' && error && 'code' in error && typeof error.code === 'string' ? error.code : '';

async function hasNewestMigration(pool: Pick<Pool, 'query'>): Promise<boolean> {
  const folder = readdirSync(join(projectRoot(), 'prisma', 'migrations'), { withFileTypes: true });
  const names = folder.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const { rowCount } = await pool.query(
    'select from _prisma_migrations where migration_name = $1 and finished_at is not null and rolled_back_at is null',
    [names.sort().at(-1)],
  );
  return rowCount === 1;
}
