// ENTRY: the server. HTTP API, Jira webhooks and Slack on one port; the relay and the Slack outbox run beside it.

import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { type Config, parseConfig } from '../activities/config';
import { createEngine, type Engine } from '../activities/engine';
import { checkConnection } from '../activities/jira/connection-check';
import { createJiraAccess, type JiraAccess } from '../activities/jira-access';
import { registerSearchAttributes } from '../activities/search-attributes';
import { createTemporalCheck } from '../activities/temporal-trouble';
import { createBot } from '../bot/app';
import { createNoticeSweep } from '../bot/notices';
import { createOutbox } from '../bot/outbox';
import { createCardStore } from '../prisma/cards';
import { createDb, type Db } from '../prisma/client';
import { createDatabaseCheck } from '../prisma/database-trouble';
import { createDeliveryStore } from '../prisma/deliveries';
import { createInstallationStore } from '../prisma/installations';
import { createNoticeStore } from '../prisma/notices';
import { createPushCardStore } from '../prisma/push-cards';
import { createSecretBox, parseEncryptionKeys, type SecretBox } from '../prisma/secret-box';
import { createApp } from './app';
import { createConnectPages } from './connect/pages';
import { createEvidenceSweep } from './evidence-sweep';
import { createReadiness, logUnready, type Readiness } from './health';
import { listen } from './listen';
import { createLogger } from './log';
import { createConnecting } from './operations/connecting';
import type { OperationDeps } from './operations/deps';
import { createOperations } from './operations/index';
import { createPushSweep } from './push-sweep';
import { createRelay } from './relay';
import { createSealer } from './sealer';

// V8 lets garbage grow to several times of what lives before it collects: a large report would cost half a gigabyte.
setFlagsFromString('--heap-growing-percent=30');

async function run(): Promise<void> {
  const config = parseConfig();
  const log = createLogger({ level: config.logLevel, name: 'api' });
  const box = createSecretBox(parseEncryptionKeys(config.encryptionKeys));
  const db = createDb({ url: config.databaseUrl, box });
  // Lazy: the server starts, and takes webhooks, while Temporal is away.
  const connection = Connection.lazy(config.temporal.connection);
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const { timings, sync, approval } = config;
  const engine = createEngine({ client, timings, sync, approval });
  const ready = createReadiness({
    postgresql: { ask: createDatabaseCheck(db.pool), variable: 'DATABASE_URL' },
    temporal: { ask: createTemporalCheck(client, config.temporal.namespace), variable: 'TEMPORAL_ADDRESS' },
  });
  const { app, relay, outbox, pushSweep, evidenceSweep } = compose({ config, log, db, box, engine, ready });
  const server = createServer(app);
  await listen(server, { host: config.host, port: config.port, variable: 'PORT' });
  void logUnready(ready, log);
  const registered = registerWhenUp({ client, namespace: config.temporal.namespace, log });
  relay.start();
  pushSweep.start();
  evidenceSweep.start();
  await outbox.start();
  log.info({ port: config.port }, 'server is listening');

  stopOnSignal(log, async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    registered.giveUp();
    await relay.stop();
    await pushSweep.stop();
    await evidenceSweep.stop();
    await outbox.stop();
    await connection.close();
    await db.close();
  });
}

type Parts = {
  config: Config;
  log: Logger;
  db: Db;
  box: SecretBox;
  engine: Engine;
  ready: () => Promise<Readiness>;
};

/** The parts of the server, joined. */
function compose({ config, log, db, box, engine, ready }: Parts) {
  const deliveries = createDeliveryStore({ pool: db.pool });
  const installations = createInstallationStore({ pool: db.pool, box });
  const cards = createCardStore({ pool: db.pool });
  const jira = createJiraAccess({ db, settings: config.jira, atlassian: config.atlassian });
  const relay = createRelay({
    deliveries,
    signalJiraChanged: engine.jiraChanged,
    syncConnection: (connection) => engine.syncConnection({ ...connection, reason: 'hint' }),
    log,
    sweepMs: config.sweepMs,
  });
  const deps = operationDeps({ config, log, db, engine, jira });
  const operations = createOperations(deps);
  const { baseUrl } = config;
  const { signingSecret, apiUrl: slackApiUrl, command } = config.slack;
  const bot = signingSecret
    ? createBot({
        operations,
        installations,
        cards,
        signingSecret,
        sealer: createSealer(box),
        slackApiUrl,
        command,
        baseUrl,
        log,
      })
    : null;
  const app = createApp({
    operations,
    deliveries,
    connections: db.connections,
    clientSecret: config.atlassian.clientSecret,
    ...(bot ? { mountSlack: bot.mount } : {}),
    connectPages: createConnectPages({
      operations,
      connecting: createConnecting(deps),
      db,
      baseUrl,
      command,
      authUrl: jira.oauth ? config.atlassian.authUrl : null,
      log,
    }),
    ready,
    log,
    wakeRelay: relay.wake,
    baseUrl,
    command,
    requestsPerMinute: config.requestsPerMinute,
  });
  const noticeStore = createNoticeStore({ pool: db.pool });
  const notices = createNoticeSweep({ notices: noticeStore, installations, slackApiUrl, command, log });
  const pushCards = createPushCardStore({ pool: db.pool });
  const { sweepMs } = config;
  const outbox = createOutbox({ cards, pushCards, notices, installations, slackApiUrl, command, log, sweepMs });
  const pushSweep = createPushSweep({ pushes: db.pushes, engine, log, sweepMs: config.sweepMs });
  const evidenceSweep = createEvidenceSweep({ evidence: db.evidence, engine, log, sweepMs });
  return { app, relay, outbox, pushSweep, evidenceSweep };
}

/** What the operations and the connect page work with. */
function operationDeps(parts: Omit<Parts, 'box' | 'ready'> & { jira: JiraAccess }): OperationDeps {
  const { config, log, db, engine, jira } = parts;
  const { allowedHttpOrigins } = config.jira;
  return {
    db,
    engine,
    jira,
    jiraClient: jira.clientFor,
    checkClient: (client, target) => checkConnection(client, { allowedHttpOrigins, ...target }),
    baseUrl: config.baseUrl,
    connectLinkMs: config.connectLinkMs,
    pollMs: config.sync.pollMs,
    log,
  };
}

/** Registers the search attributes as soon as Temporal answers: without them no workflow can be started. */
function registerWhenUp(input: { client: Client; namespace: string; log: Logger }): { giveUp: () => void } {
  const { client, namespace, log } = input;
  const stopping = new AbortController();
  const attempt = async () => {
    while (!stopping.signal.aborted) {
      try {
        const trouble = await registerSearchAttributes(client, namespace);
        if (trouble) log.error(trouble);
        return;
      } catch (error) {
        log.warn({ err: error }, 'Temporal does not take the search attributes yet; trying again');
        await delay(5000, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      }
    }
  };
  void attempt();
  return { giveUp: () => stopping.abort() };
}

function stopOnSignal(log: Logger, stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping: requests under way are finished first');
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'stopping failed');
          process.exit(1);
        },
      );
    });
  }
}

if (require.main === module) {
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
