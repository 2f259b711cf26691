import { Pool } from 'pg';
import { openTemporaryHome, removeHome } from '../../../local/demo/temporary-home';
import { withoutForeign } from '../../../local/environment';
import type { LocalFile } from '../../../local/local-file';
import { createProgress } from '../../../local/progress';
import type { Secrets } from '../../../local/secrets';
import { startStack } from '../../../local/stack';
import { createDatabase } from '../../support/database';
import { cpuSeconds, cpuSecondsOfTree, parentOf } from './cpu';
import { type BenchServers, type Namespace, openNamespace } from './servers';

export interface Product {
  local: LocalFile;
  /** The product's own database, and the sandbox's. */
  db: Pool;
  sandboxDb: Pool;
  namespace: Namespace;
  secrets: Secrets;
  /** Ids of its processes, by name. */
  pids: Record<string, number>;
  /** Seconds of CPU used so far, by process. */
  cpu(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/**
 * All of Recheck as `npm start` runs it, server, worker and sandbox in processes of their own, on databases and a
 * Temporal namespace of its own. `env` is configuration over that of `npm start`.
 */
export async function startProduct(servers: BenchServers, env: Record<string, string>): Promise<Product> {
  const [database, sandboxDatabase, namespace] = await Promise.all([
    createDatabase(),
    createDatabase(),
    openNamespace(servers.temporalAddress),
  ]);
  const home = await openTemporaryHome('bench', '-product');
  const stack = await startStack({
    home: home.dir,
    anyPorts: true,
    env: {
      ...withoutForeign(process.env),
      DATABASE_URL: database.url,
      SANDBOX_DATABASE_URL: sandboxDatabase.url,
      TEMPORAL_ADDRESS: servers.temporalAddress,
      TEMPORAL_NAMESPACE: namespace.name,
      ...env,
    },
    progress: createProgress({ quiet: true }),
    onDeath: (message) => process.stderr.write(`${message}\n`),
  });
  servers.users.add(stack);
  const [db, sandboxDb] = [openPool(database.url), openPool(sandboxDatabase.url)];
  const stop = async () => {
    await Promise.all([db.end(), sandboxDb.end()]);
    servers.users.delete(stack);
    await stack.stop();
    removeHome(home);
    await Promise.all([database.drop(), sandboxDatabase.drop(), namespace.drop()]);
  };
  try {
    const local = await stack.ready;
    const children = home.read<{ children: { name: string; pid: number }[] }>('processes.json')?.children ?? [];
    const pids = Object.fromEntries(children.map(({ name, pid }) => [name, pid]));
    const postgres = await postgresPid(db);
    return {
      local,
      db,
      sandboxDb,
      namespace,
      secrets: home.read<Secrets>('secrets.json') as Secrets,
      pids,
      cpu: async () => ({
        ...cpuSeconds({ ...pids, temporal: servers.temporalPid, bench: process.pid }),
        ...(postgres ? { postgres: cpuSecondsOfTree(postgres) } : {}),
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openPool(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 4 });
  pool.on('error', () => undefined);
  return pool;
}

/** The server of this machine that our connection's own process belongs to. */
async function postgresPid(db: Pool): Promise<number | undefined> {
  const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
  return parentOf(rows[0]?.pid ?? 0);
}
