// Development only: writes a migration with what changed in prisma/schema.prisma.
// DATABASE_URL is any PostgreSQL server: the engine asks its version and touches nothing.
//   node dist/local/new-migration.js <name>              since the last commit
//   node dist/local/new-migration.js <name> <commit>     since that commit; "empty" for a whole new database
// The full name of a migration that exists (never one that has landed) is written anew; what stands there below
// the line "By hand" is kept. Read the SQL before it is committed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot, withSchemaEngine } from '../prisma/schema-engine';

const BY_HAND = '-- By hand: what a Prisma schema cannot say\n';
type Schema = { files: { path: string; content: string }[] };

function schemaAt(commit: string): Schema | undefined {
  if (commit === 'empty') return undefined;
  const shown = spawnSync('git', ['show', `${commit}:prisma/schema.prisma`], { cwd: projectRoot(), encoding: 'utf8' });
  if (shown.status !== 0) throw new Error(`git has no prisma/schema.prisma at ${commit}. Say "empty" for none.`);
  return { files: [{ path: 'schema.prisma', content: shown.stdout }] };
}

async function changesSince(before: Schema | undefined, databaseUrl: string): Promise<string | null> {
  const content = readFileSync(join(projectRoot(), 'prisma', 'schema.prisma'), 'utf8');
  return withSchemaEngine(databaseUrl, async (engine) => {
    const result = await engine.diff({
      from: before ? { tag: 'schemaDatamodel', ...before } : { tag: 'empty' },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return result.exitCode === 2 ? result.stdout : null;
  });
}

/** Ids are made by the database too, so that raw inserts need not make one. */
function idDefaults(sql: string): string {
  const tables = [...sql.matchAll(/CREATE TABLE "(\w+)" \(\s+"id" UUID NOT NULL,/g)].map((match) => match[1]);
  if (tables.length === 0) return '';
  const lines = tables.map((table) => `ALTER TABLE "${table}" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();`);
  return `\n-- Ids of raw inserts\n${lines.join('\n')}\n`;
}

function folderName(name: string): string {
  if (/^\d{14}_/.test(name)) return name;
  return `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`;
}

async function main(): Promise<void> {
  const [name, commit = 'HEAD'] = process.argv.slice(2);
  const databaseUrl = process.env.DATABASE_URL;
  if (!name || !databaseUrl)
    throw new Error('Say: DATABASE_URL=... node dist/local/new-migration.js <name> [<commit>]');
  const sql = await changesSince(schemaAt(commit), databaseUrl);
  if (sql === null) return console.log(`The schema says what it said at ${commit}: nothing to write.`);
  const file = join(projectRoot(), 'prisma', 'migrations', folderName(name), 'migration.sql');
  const byHand = existsSync(file) ? readFileSync(file, 'utf8').split(BY_HAND)[1] : undefined;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${sql}${idDefaults(sql)}${byHand === undefined ? '' : `\n${BY_HAND}${byHand}`}`);
  console.log(`Written: ${file}`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
