// Entry: applies the migrations to DATABASE_URL and ends. In production it runs before api and worker start.
import { explainedByDatabase } from './database-trouble';
import { applyMigrations } from './migrate';

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL?.trim();
  if (!url) throw new Error('DATABASE_URL is not set: say which database to migrate.');
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error('DATABASE_URL must be a postgres:// URL, with what is special in its password percent-encoded.');
  }
  const { applied } = await applyMigrations(url).catch((error: unknown) => {
    throw explainedByDatabase(error);
  });
  console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The database is up to date.');
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
