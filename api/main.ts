// ENTRY: the server. HTTP API, Jira webhooks and Slack on one port; the relay and the Slack outbox run beside it.

import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { parseConfig } from '../activities/config';
import { createEngine } from '../activities/engine';
import { checkConnection } from '../activities/jira/connection-check';
import { createJiraAccess } from '../activities/jira-access';
import { createBot } from '../bot/app';
import { createOutbox } from '../bot/outbox';
import { createCardStore } from '../prisma/cards';
import { createDb } from '../prisma/client';
import { createDeliveryStore } from '../prisma/deliveries';
import { createInstallationStore } from '../prisma/installations';
import { createSecretBox, parseEncryptionKeys } from '../prisma/secret-box';
import { createApp } from './app';
import { createLogger } from './log';
import { createOperations } from './operations/index';
import { createRelay } from './relay';

async function run(): Promise<void> {
  const config = parseConfig();
  const log = createLogger({ level: config.logLevel, name: 'api' });
  const box = createSecretBox(parseEncryptionKeys(config.encryptionKeys));
  const db = createDb({ url: config.databaseUrl, box });
  const deliveries = createDeliveryStore({ pool: db.pool });
  const cards = createCardStore({ pool: db.pool });
  const installations = createInstallationStore({ pool: db.pool, box });
  // Lazy: the server starts, and takes webhooks, while Temporal is away.
  const connection = Connection.lazy({ address: config.temporal.address });
  const engine = createEngine({
    client: new Client({ connection, namespace: config.temporal.namespace }),
    timings: config.timings,
  });
  const jira = createJiraAccess({ db, settings: config.jira });
  const relay = createRelay({ deliveries, signalJiraChanged: engine.jiraChanged, log, sweepMs: config.sweepMs });
  const operations = createOperations({
    db,
    engine,
    baseUrl: config.baseUrl,
    wakeRelay: relay.wake,
    jiraClient: jira.clientFor,
    checkConnection: (account, target) =>
      checkConnection(jira.clientOf(account), {
        siteUrl: account.siteUrl,
        allowedHttpOrigins: config.jira.allowedHttpOrigins,
        ...target,
      }),
  });
  const { slack } = config;
  const bot = slack.signingSecret
    ? createBot({
        operations,
        installations,
        cards,
        signingSecret: slack.signingSecret,
        slackApiUrl: slack.apiUrl,
        command: slack.command,
        baseUrl: config.baseUrl,
        log,
      })
    : null;
  const outbox = createOutbox({
    cards,
    installations,
    slackApiUrl: slack.apiUrl,
    log,
    sweepMs: config.sweepMs,
  });

  async function ready() {
    const [postgres, temporal] = await Promise.all([
      db.pool.query('select 1').then(
        () => true,
        () => false,
      ),
      engine.isUp(),
    ]);
    const word = (up: boolean) => (up ? 'ok' : 'does not answer');
    return { ok: postgres && temporal, checks: { postgresql: word(postgres), temporal: word(temporal) } };
  }

  const app = createApp({
    operations,
    deliveries,
    connections: db.connections,
    ...(bot ? { mountSlack: bot.mount } : {}),
    ready,
    log,
    wakeRelay: relay.wake,
    baseUrl: config.baseUrl,
  });
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  relay.start();
  await outbox.start();
  log.info({ port: config.port }, 'server is listening');

  const stop = async (signal: string) => {
    log.info({ signal }, 'stopping: requests under way are finished first');
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    await relay.stop();
    await outbox.stop();
    await connection.close();
    await db.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      });
    });
  }
}

if (require.main === module) {
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
