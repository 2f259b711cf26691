import type { Home } from './home';
import { onFreePorts, type Ports } from './ports';
import { startPostgres } from './postgres';
import type { Processes } from './processes';
import type { Progress } from './progress';
import { findTemporal, startTemporal, type TemporalServer } from './temporal';

export interface Servers {
  /** The superuser's URL of the PostgreSQL server. */
  postgresUrl: string;
  temporal: TemporalServer;
}

/** PostgreSQL and Temporal: those that are configured, else started here, both at the same time. May change `ports`. */
export async function startServers(given: {
  home: Home;
  processes: Processes;
  progress: Progress;
  ports: Ports;
  postgresPassword: string;
  configured?: { databaseUrl?: string | undefined; temporalAddress?: string | undefined };
  /** Data that a crash of the machine may lose and a restart need not find: for tests. */
  throwaway?: boolean;
}): Promise<Servers> {
  const { home, processes, progress, ports, configured = {}, throwaway = false } = given;
  const postgres = () =>
    onFreePorts(given, { processes: ['postgres'], ports: ['postgres'] }, () =>
      startPostgres({ home, processes, port: ports.postgres, password: given.postgresPassword, durable: !throwaway }),
    );
  const temporal = async () => {
    const binary = await findTemporal(progress);
    return onFreePorts(given, { processes: ['temporal'], ports: ['temporal', 'temporalUi'] }, () => {
      const files = throwaway ? {} : { dbFile: home.path('temporal/temporal.db'), uiPort: ports.temporalUi };
      return startTemporal({ binary, processes, port: ports.temporal, ...files });
    });
  };
  const [postgresUrl, temporalServer] = await Promise.all([
    configured.databaseUrl ?? progress.step('Starting PostgreSQL', postgres),
    configured.temporalAddress
      ? { address: configured.temporalAddress, ui: undefined }
      : progress.step('Starting Temporal', temporal),
  ]);
  return { postgresUrl, temporal: temporalServer };
}
