import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** The URL of the PostgreSQL server that the test run started; `npm test` sets it. */
export function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set. Run the tests with "npm test", which starts PostgreSQL.');
  return url;
}

/**
 * Creates a database of its own for one test file, empty or cloned from `template`.
 * `drop` removes it, ending connections that are still open.
 */
export async function createDatabase(template?: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await admin((client) => client.query(`create database ${name}${template ? ` template ${template}` : ''}`));
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return { url: url.toString(), drop: () => admin((client) => client.query(`drop database ${name} with (force)`)) };
}

async function admin(work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
