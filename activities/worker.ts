// ENTRY: the Temporal worker. Reads the configuration, builds the dependencies, runs until it is told to stop.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import express from 'express';
import type { Logger } from 'pino';
import { collectDefaultMetrics, register } from 'prom-client';
import { createHealth, createReadiness, type Readiness } from '../api/health';
import { listen } from '../api/listen';
import { createLogger } from '../api/log';
import { createDb } from '../prisma/client';
import { createDatabaseCheck, requireDatabase } from '../prisma/database-trouble';
import { createSecretBox, parseEncryptionKeys } from '../prisma/secret-box';
import { jiraTaskQueue, taskQueue } from '../workflows/contract';
import { parseConfig } from './config';
import { createEngine } from './engine';
import { createActivities, createJiraActivities } from './index';
import { createJiraAccess } from './jira-access';
import { registerSearchAttributes } from './search-attributes';
import { createSdkLogger, installRuntime } from './temporal-runtime';
import { createTemporalCheck, throwExplained } from './temporal-trouble';

async function run(): Promise<void> {
  const config = parseConfig();
  const log = createLogger({ level: config.logLevel, name: 'worker' });
  const { metricsPort, host } = config;
  const sdkFigures = await installRuntime({ log, metrics: metricsPort !== undefined });
  const { namespace } = config.temporal;
  const db = createDb({ url: config.databaseUrl, box: createSecretBox(parseEncryptionKeys(config.encryptionKeys)) });
  await requireDatabase(db.pool);
  const native = await NativeConnection.connect(config.temporal.connection).catch(throwExplained);
  const connection = await Connection.connect(config.temporal.connection).catch(throwExplained);
  const client = new Client({ connection, namespace });
  const trouble = await registerSearchAttributes(client, namespace).catch(throwExplained);
  if (trouble) log.error(trouble);
  const { timings, sync, approval } = config;
  const engine = createEngine({ client, timings, sync, approval });
  const jira = createJiraAccess({ db, settings: config.jira, atlassian: config.atlassian });
  const deps = {
    db,
    jira,
    engine,
    baseUrl: config.baseUrl,
    pushIntervalMs: config.jira.pushIntervalMs,
    sync: { checks: config.sync.checks, indexLagMs: config.timings.searchWindowMs },
  };
  const shutdown = { shutdownGraceTime: '15s', shutdownForceTime: '20s' } as const;
  const workers = await Promise.all([
    Worker.create({
      connection: native,
      namespace,
      taskQueue,
      workflowBundle: await workflowBundle(log),
      activities: createActivities(deps),
      maxConcurrentWorkflowTaskExecutions: 20,
      maxCachedWorkflows: 1000,
      ...shutdown,
    }),
    Worker.create({
      connection: native,
      namespace,
      taskQueue: jiraTaskQueue,
      activities: createJiraActivities(deps),
      maxConcurrentActivityTaskExecutions: 30,
      ...shutdown,
    }),
  ]);
  const stop = () => {
    for (const worker of workers) worker.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await engine.ensureMaintenance().catch(throwExplained);
  const ready = createReadiness({
    postgresql: { ask: createDatabaseCheck(db.pool), variable: 'DATABASE_URL' },
    temporal: { ask: whileRunning(workers, createTemporalCheck(client, namespace)), variable: 'TEMPORAL_ADDRESS' },
  });
  const served = createServer(operatingApp({ ready, sdkFigures }));
  if (metricsPort !== undefined) await listen(served, { host, port: metricsPort, variable: 'METRICS_PORT' });
  process.stdout.write(`${JSON.stringify({ ready: true, worker: taskQueue })}\n`);
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } catch (error) {
    log.fatal({ err: error }, 'the worker has failed');
    throw error;
  } finally {
    served.close();
    served.closeAllConnections();
    await connection.close();
    await native.close();
    await db.close();
  }
}

/** The workflow code as one bundle, made at every start from what stands beside this file. */
async function workflowBundle(log: Logger) {
  const workflowsPath = join(__dirname, '..', 'workflows');
  const logger = createSdkLogger(log);
  // As information the bundler lists every file.
  return await bundleWorkflowCode({ workflowsPath, logger: { ...logger, info: logger.debug } });
}

/** A worker that starts or drains takes no work, whatever Temporal says. */
function whileRunning(workers: Worker[], ask: () => Promise<string>) {
  return async () => {
    const state = workers.map((worker) => worker.getState()).find((each) => each !== 'RUNNING');
    return state ? `the worker is ${state}` : await ask();
  };
}

/** What a worker can be asked: its health, and its figures with those of the Temporal SDK. */
function operatingApp({ ready, sdkFigures }: { ready: () => Promise<Readiness>; sdkFigures: () => Promise<string> }) {
  collectDefaultMetrics();
  const app = express().disable('x-powered-by').use(createHealth({ ready }));
  app.get('/metrics', async (_req, res) => {
    const [own, sdk] = await Promise.all([register.metrics(), sdkFigures().catch(() => '')]);
    res.type(register.contentType).send(`${own}${sdk}`);
  });
  return app;
}

if (require.main === module) {
  run().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}
