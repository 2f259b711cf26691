// A whole Recheck for one test file: databases and a Temporal namespace of its own, the sandbox in this process, and
// the server and the worker as real child processes of what the build made.
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { Pool } from 'pg';
import { atlassianEntries, jiraEntries, jiraEnvironment, type LocalFile, slackEntries } from '../../local/local-file';
import { freePort } from '../../local/ports';
import { type JiraSandbox, startJiraSandbox } from '../../local/sandbox/jira/server';
import { type SlackSandbox, startSlackSandbox } from '../../local/sandbox/slack/server';
import type { SandboxReady } from '../../local/seed';
import { applyMigrations } from '../../prisma/migrate';
import { createDatabase } from './database';
import { type Caller, createCaller, createFaults, type Faults } from './stack-clients';
import { launch, type Running, seed, untilUp } from './stack-processes';
import { until } from './until';

/** Short waits: a real Temporal server fires no timer in under about a second, and 0 skips it. */
const timings = {
  SETTLE_MS: '0',
  JIRA_TIMEOUT_MS: '4000',
  CREATE_TIMEOUT_MS: '6000',
  SEARCH_WINDOW_MS: '4000',
  SEARCH_PAUSE_MS: '300',
  PUSH_INTERVAL_MS: '0',
  SWEEP_MS: '1000',
};

export type StackOptions = {
  /** Configuration of server and workers, over the short timings of tests. */
  env?: Record<string, string>;
  /** Milliseconds between the deliveries of a webhook that fail; 300 where nothing is said. */
  webhookRetryMs?: number;
  /** False leaves the first worker to the test. */
  worker?: boolean;
  /** host:port through which server and workers reach their database, such as a proxy that can be cut. */
  databaseVia?: string;
};

export type Stack = {
  /** The shape of `.recheck/local.json`. */
  local: LocalFile;
  /** The HTTP API with the owner's key; a string or buffer is sent as it is, anything else as JSON. */
  api: Caller;
  /** The same with another key, or with none. */
  apiAs(key: string | null): Caller;
  /** Jira's REST API as a person, whose acts fire webhooks. */
  jira: Caller;
  /** The sandbox's own controls, below `/sandbox`. */
  sandbox: Caller;
  faults: Faults;
  /** The controls of the sandbox's Slack, below `/sandbox`; `/act/command` and its like act as a user. */
  slack: Caller;
  /** The product's database, for looking into it and for holding locks. */
  db: Pool;
  /** For looking into workflows. */
  temporal: Client;
  /** Starts one more worker process and waits until it polls. */
  startWorker(env?: Record<string, string>): Promise<Running>;
  /** Signals the worker that was started last; SIGKILL and SIGTERM wait for its end. */
  killWorker(signal: NodeJS.Signals): Promise<void>;
  /** Starts the server again where it was killed, at the same address, and waits until it answers. */
  startServer(): Promise<Running>;
  killServer(signal: NodeJS.Signals): Promise<void>;
  /** Everything that the server and the workers have logged. */
  logs(): string;
  /** What the server and the workers seal with. */
  encryptionKeys: string;
  /** Makes Jira unreachable, and back again at the same address with all its issues. */
  stopJira(): Promise<void>;
  startJira(): Promise<unknown>;
  stop(): Promise<void>;
};

type Cleanup = (() => Promise<unknown>)[];

/** Starts everything and seeds it as `npm start` does. What was started ends with `stop`, or with this process. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const cleanup: Cleanup = [];
  try {
    return await start(options, cleanup);
  } catch (error) {
    await endAll(cleanup);
    throw error;
  }
}

async function start(options: StackOptions, cleanup: Cleanup): Promise<Stack> {
  const ground = await prepare(options, cleanup);
  const { baseUrl, databaseUrl, secrets, sandbox, temporal, jira } = ground;
  const env = { ...environment(ground), ...databaseVia(databaseUrl, options.databaseVia), ...options.env };
  const processes: Running[] = [];
  const workers: Running[] = [];
  const servers: Running[] = [];
  const startWorker = async (more: Record<string, string> = {}): Promise<Running> => {
    const worker = launch('activities/worker.js', { ...env, ...more });
    cleanup.push(() => worker.signal('SIGKILL'));
    workers.push(worker);
    processes.push(worker);
    await untilUp(worker, 'the worker', () => worker.log().includes('"ready":true'));
    return worker;
  };
  const startServer = async () => {
    const server = launch('api/main.js', env);
    cleanup.push(() => server.signal('SIGKILL'));
    servers.push(server);
    processes.push(server);
    await untilUp(server, 'the server', async () => (await fetch(`${baseUrl}/readyz`)).ok);
    return server;
  };
  const { encryptionKeys, slackBotToken } = secrets;
  const [seeded] = await Promise.all([
    seed({ databaseUrl, encryptionKeys, baseUrl, sandbox, slackBotToken }),
    startServer(),
    options.worker === false ? null : startWorker(),
  ]);
  const db = new Pool({ connectionString: databaseUrl, max: 4 });
  db.on('error', () => undefined);
  cleanup.push(() => db.end());
  const local: LocalFile = {
    pid: process.pid,
    baseUrl,
    ...seeded,
    ...jiraEntries(sandbox),
    ...atlassianEntries(sandbox),
    ...slackEntries(sandbox, secrets),
    temporalAddress: temporal.address,
    temporalNamespace: temporal.namespace,
    databaseUrl,
  };
  return {
    local,
    ...callersOf(local),
    db,
    temporal: temporal.client,
    startWorker,
    async killWorker(signal) {
      await workers.at(-1)?.signal(signal);
    },
    startServer,
    async killServer(signal) {
      await servers.at(-1)?.signal(signal);
    },
    logs: () => processes.map((each) => each.log()).join('\n'),
    encryptionKeys,
    stopJira: jira.stop,
    startJira: jira.start,
    stop: () => endAll(cleanup),
  };
}

type Ground = Awaited<ReturnType<typeof prepare>>;

/** All that Recheck itself does not start: databases, namespace, port, secrets, and the sandbox. */
async function prepare(options: StackOptions, cleanup: Cleanup) {
  const [product, sandboxDb, temporal, port] = await Promise.all([
    createDatabase(),
    createDatabase(),
    createNamespace(),
    freePort(),
  ]);
  cleanup.push(product.drop, sandboxDb.drop, temporal.drop);
  const baseUrl = `http://127.0.0.1:${port}`;
  const secrets = {
    encryptionKeys: `k1:${randomBytes(32).toString('base64')}`,
    slackSigningSecret: randomBytes(16).toString('hex'),
    slackBotToken: `xoxb-${randomBytes(12).toString('hex')}`,
    postgresPassword: '',
  };
  const jira = restartable((jiraPort) =>
    startJiraSandbox({
      databaseUrl: sandboxDb.url,
      port: jiraPort,
      webhookRetryMs: options.webhookRetryMs ?? 300,
      onError: (error) => process.stderr.write(`The sandbox's Jira failed: ${String(error)}\n`),
    }),
  );
  cleanup.push(jira.stop);
  const started = await jira.start();
  const startSlack = () =>
    startSlackSandbox({
      databaseUrl: sandboxDb.url,
      port: 0,
      requestUrl: `${baseUrl}/slack/events`,
      signingSecret: secrets.slackSigningSecret,
      botToken: secrets.slackBotToken,
    });
  const slack = await startSlack();
  cleanup.push(slack.stop);
  await applyMigrations(product.url);
  return { port, baseUrl, databaseUrl: product.url, secrets, temporal, jira, sandbox: readyOf(started, slack) };
}

/** A sandbox that comes back at the port that it had. */
function restartable(startAt: (port: number) => Promise<JiraSandbox>) {
  let port = 0;
  let running: JiraSandbox | null = null;
  return {
    async start(): Promise<JiraSandbox> {
      running ??= await startAt(port);
      port = running.port;
      return running;
    },
    async stop(): Promise<void> {
      await running?.stop();
      running = null;
    },
  };
}

function environment({ port, baseUrl, databaseUrl, secrets, temporal, sandbox }: Ground): Record<string, string> {
  return {
    ...timings,
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    BASE_URL: baseUrl,
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...jiraEnvironment(sandbox),
    SLACK_API_URL: sandbox.slackApiUrl,
    SLACK_SIGNING_SECRET: secrets.slackSigningSecret,
    SLACK_BOT_TOKEN: secrets.slackBotToken,
  };
}

function databaseVia(databaseUrl: string, via: string | undefined): Record<string, string> {
  if (!via) return {};
  const url = new URL(databaseUrl);
  url.host = via;
  return { DATABASE_URL: url.toString() };
}

function callersOf(local: LocalFile): Pick<Stack, 'api' | 'apiAs' | 'jira' | 'sandbox' | 'faults' | 'slack'> {
  const { baseUrl, apiKey, jiraUrl, jiraEmail, jiraApiToken, slackUrl } = local;
  const person = `Basic ${Buffer.from(`${jiraEmail}:${jiraApiToken}`).toString('base64')}`;
  const sandbox = createCaller(`${jiraUrl}/sandbox`);
  return {
    api: createCaller(baseUrl, `Bearer ${apiKey}`),
    apiAs: (key) => createCaller(baseUrl, key === null ? undefined : `Bearer ${key}`),
    jira: createCaller(jiraUrl, person),
    sandbox,
    faults: createFaults(sandbox),
    slack: createCaller(`${slackUrl}/sandbox`),
  };
}

/** In reverse order, all of them, and then the first error. */
async function endAll(cleanup: Cleanup): Promise<void> {
  const errors: unknown[] = [];
  for (const end of cleanup.splice(0).reverse()) await end().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function readyOf(jira: JiraSandbox, slack: SlackSandbox): SandboxReady {
  return {
    jiraUrl: jira.url,
    jiraSiteUrls: jira.siteUrls,
    oauth: jira.oauth,
    slackUrl: slack.url,
    slackApiUrl: slack.apiUrl,
    accounts: jira.accounts,
    slack: { teamId: slack.teamId, channelId: slack.channelId, users: slack.users },
  };
}

/** Task queues have fixed names, so a namespace is what keeps the workers of two stacks apart. */
export async function createNamespace() {
  const address = process.env.TEST_TEMPORAL_ADDRESS;
  if (!address)
    throw new Error('TEST_TEMPORAL_ADDRESS is not set. Run the tests with "npm test", which starts Temporal.');
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  const { workflowService, operatorService } = connection;
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  await until(() => workflowService.describeNamespace({ namespace }), { what: 'the Temporal namespace' });
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    async drop() {
      await operatorService.deleteNamespace({ namespace });
      await connection.close();
    },
  };
}
