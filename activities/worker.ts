// ENTRY: the Temporal worker. Reads the configuration, builds the dependencies, runs until it is told to stop.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { collectDefaultMetrics, register } from 'prom-client';
import { createDb } from '../prisma/client';
import { createSecretBox, parseEncryptionKeys } from '../prisma/secret-box';
import { jiraTaskQueue, taskQueue } from '../workflows/contract';
import { type Config, parseConfig } from './config';
import { createEngine } from './engine';
import { createActivities, createJiraActivities } from './index';
import { createJiraAccess } from './jira-access';
import { registerSearchAttributes } from './search-attributes';

async function run(): Promise<void> {
  const config = parseConfig();
  Runtime.install({ logger: new DefaultLogger(config.logLevel === 'debug' ? 'DEBUG' : 'WARN'), shutdownSignals: [] });
  const { namespace } = config.temporal;
  const db = createDb({ url: config.databaseUrl, box: createSecretBox(parseEncryptionKeys(config.encryptionKeys)) });
  const native = await NativeConnection.connect(config.temporal.connection);
  const connection = await Connection.connect(config.temporal.connection);
  const client = new Client({ connection, namespace });
  await registerSearchAttributes(client, namespace);
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
      workflowBundle: await workflowBundle(),
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
  await engine.ensureMaintenance();
  const metrics = serveMetrics(config);
  process.stdout.write(`${JSON.stringify({ ready: true, worker: taskQueue })}\n`);
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    metrics?.close();
    await connection.close();
    await native.close();
    await db.close();
  }
}

/** The workflow code as one bundle, made at every start from what stands beside this file. */
async function workflowBundle() {
  const workflowsPath = join(__dirname, '..', 'workflows');
  return await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

function serveMetrics({ metricsPort, host }: Config) {
  if (metricsPort === undefined) return null;
  collectDefaultMetrics();
  return createServer((_request, response) => {
    void register.metrics().then((text) => response.setHeader('content-type', register.contentType).end(text));
  }).listen(metricsPort, host);
}

if (require.main === module) {
  run().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    },
  );
}
