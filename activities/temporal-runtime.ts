// The Temporal SDK's own log and figures, in the forms that Recheck's have.

import { createServer } from 'node:net';
import { Runtime, type Logger as SdkLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

const methods = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** What the native part hands over at our levels; under `fatal` and `silent` our log drops the errors. */
const coreLevels: { [level: string]: Level } = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', warn: 'WARN' };

/** Of a worker whose task queue has no workflows, or no Nexus services, on purpose. */
const needless = /^No (workflows|Nexus services) registered/;

/** The SDK's logger on top of ours: the same lines, levels and redaction. */
export function createSdkLogger(log: Logger): SdkLogger {
  const write = (level: Level, message: string, meta?: object) => {
    if (needless.test(message)) return;
    log[methods[level]]({ ...meta }, message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

/**
 * Installs the SDK's runtime, once per process: what its native part logs comes through `log` too. Signals are left to
 * the caller. With `metrics`, the answer reads the SDK's figures as Prometheus's text.
 */
export async function installRuntime({
  log,
  metrics,
}: {
  log: Logger;
  metrics: boolean;
}): Promise<() => Promise<string>> {
  const install = (telemetry: object) =>
    Runtime.install({
      logger: createSdkLogger(log),
      shutdownSignals: [],
      telemetryOptions: {
        logging: { filter: { core: coreLevels[log.level] ?? 'ERROR', other: 'ERROR' }, forward: {} },
        ...telemetry,
      },
    });
  if (!metrics) {
    install({});
    return async () => '';
  }
  // The SDK serves its figures itself and does not say at which port: it is given one of this machine's alone.
  for (let tries = 1; ; tries += 1) {
    const bindAddress = `127.0.0.1:${await freePort()}`;
    try {
      install({
        metrics: {
          prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
        },
      });
      return async () => await (await fetch(`http://${bindAddress}/metrics`)).text();
    } catch (error) {
      // Somebody else was faster.
      if (tries === 5 || !String(error).includes('in use')) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
