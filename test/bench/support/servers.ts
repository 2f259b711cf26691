import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { registerSearchAttributes } from '../../../activities/search-attributes';
import { openTemporaryHome, removeHome } from '../../../local/demo/temporary-home';
import { choosePorts } from '../../../local/ports';
import { createProcesses } from '../../../local/processes';
import type { Progress } from '../../../local/progress';
import { loadSecrets } from '../../../local/secrets';
import { startServers } from '../../../local/servers';
import { until } from '../../support/until';

export interface BenchServers {
  postgresUrl: string;
  temporalAddress: string;
  /** Of Temporal where it was started here. */
  temporalPid: number | undefined;
  /** What uses the servers, ended before they are. */
  users: Set<{ stop(): Promise<void> }>;
  stop(): Promise<void>;
  kill(): void;
}

/** PostgreSQL and Temporal with their data on disk, as in production: those that are given, else started here. */
export async function openServers(given: {
  progress: Progress;
  databaseUrl: string | undefined;
  temporalAddress: string | undefined;
}): Promise<BenchServers> {
  const { progress, databaseUrl, temporalAddress } = given;
  const users: BenchServers['users'] = new Set();
  if (databaseUrl && temporalAddress) {
    const stop = () => endAll(users);
    return { postgresUrl: databaseUrl, temporalAddress, temporalPid: undefined, users, stop, kill: () => undefined };
  }
  const home = await openTemporaryHome('bench');
  const processes = createProcesses(home, (child, how) => {
    progress.say(`${child.name} died during the benchmark (${how}). Its log ends with:\n${child.logTail()}`);
  });
  const stop = async () => {
    await endAll(users);
    await processes.stopAll();
    removeHome(home);
  };
  try {
    const ports = await choosePorts(home, { anyFree: true });
    const { postgresPassword } = loadSecrets(home);
    const configured = { databaseUrl, temporalAddress };
    const servers = await startServers({ home, processes, progress, ports, postgresPassword, configured });
    const running = home.read<{ children: { name: string; pid: number }[] }>('processes.json')?.children ?? [];
    return {
      postgresUrl: servers.postgresUrl,
      temporalAddress: servers.temporal.address,
      temporalPid: running.find(({ name }) => name === 'temporal')?.pid,
      users,
      stop,
      kill: processes.killAll,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function endAll(users: BenchServers['users']): Promise<void> {
  await Promise.all([...users].map((user) => user.stop()));
}

export interface Namespace {
  name: string;
  address: string;
  client: Client;
  drop(): Promise<void>;
}

/** A namespace of its own: task queues have fixed names, so this is what keeps workers of others away. */
export async function openNamespace(address: string): Promise<Namespace> {
  const name = `bench-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  const { workflowService, operatorService } = connection;
  await workflowService.registerNamespace({ namespace: name, workflowExecutionRetentionPeriod: msToTs('1 day') });
  const client = new Client({ connection, namespace: name });
  await until(() => registerSearchAttributes(client, name).then(() => true), { what: 'the Temporal namespace' });
  return {
    name,
    address,
    client,
    async drop() {
      await operatorService.deleteNamespace({ namespace: name });
      await connection.close();
    },
  };
}
