import { join } from 'node:path';
import { applyMigrations } from '../prisma/migrate';
import { projectRoot } from '../prisma/schema-engine';
import { type Home, openHome } from './home';
import { atlassianEntries, jiraEntries, jiraEnvironment, type LocalFile, slackEntries } from './local-file';
import { choosePorts, type Ports } from './ports';
import { ensureDatabase } from './postgres';
import { removeCluster } from './postgres-files';
import { createProcesses, endLeftovers, type Processes, type RunningProcess } from './processes';
import type { Progress } from './progress';
import { loadSecrets, type Secrets } from './secrets';
import { type SandboxReady, seedLocal } from './seed';
import { type Servers, startServers } from './servers';
import { readyLine, untilReady } from './until-ready';

export interface StackOptions {
  /** The folder with the data; `.recheck` of the project where nothing is said. */
  home?: string | undefined;
  /** Removes the data first. */
  fresh?: boolean;
  /** Ports that are free now, rather than the usual ones. */
  anyPorts?: boolean;
  /** The environment that the processes get; DATABASE_URL, TEMPORAL_ADDRESS and SLACK_* in it are used instead. */
  env: NodeJS.ProcessEnv;
  progress: Progress;
  /** Told when a process dies by itself, with the end of its log. */
  onDeath: (message: string) => void;
}

export interface Stack {
  home: Home;
  /** Everything runs and `local.json` is written. Fails where a step fails, or when it is stopped before. */
  ready: Promise<LocalFile>;
  /** Ends everything in reverse order and removes `local.json`; may be called while it starts. */
  stop(): Promise<void>;
  /** Ends everything at once and hard. */
  kill(): void;
}

/** One start: what its steps share. */
interface Start {
  options: StackOptions;
  home: Home;
  processes: Processes;
  ports: Ports;
  secrets: Secrets;
  baseUrl: string;
}

/**
 * Starts the whole of Recheck on this machine: PostgreSQL, Temporal, the sandbox, worker and server, with a seeded
 * database. Throws where another one runs from the same home. Whoever calls it stops it, also where `ready` fails.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const home = openHome(options.home);
  await endLeftovers(home);
  home.remove('local.json');
  if (options.fresh) {
    removeCluster(home);
    home.clear();
  }
  const processes = createProcesses(home, (child, how) => options.onDeath(deathMessage(child, how)));
  return {
    home,
    ready: startAll(options, home, processes),
    async stop() {
      home.remove('local.json');
      await processes.stopAll();
    },
    kill: processes.killAll,
  };
}

async function startAll(options: StackOptions, home: Home, processes: Processes): Promise<LocalFile> {
  const ports = await choosePorts(home, { anyFree: options.anyPorts ?? false });
  const baseUrl = `http://127.0.0.1:${ports.api}`;
  const local = await startInOrder({ options, home, processes, ports, secrets: loadSecrets(home), baseUrl });
  processes.assertRunning();
  home.write('local.json', local);
  return local;
}

async function startInOrder(start: Start): Promise<LocalFile> {
  const { options, home, processes, ports, secrets, baseUrl } = start;
  const { env, progress } = options;
  const configured = { databaseUrl: env.DATABASE_URL, temporalAddress: env.TEMPORAL_ADDRESS };
  const { postgresPassword } = secrets;
  const servers = await startServers({ home, processes, progress, ports, postgresPassword, configured });
  const databaseUrl = env.DATABASE_URL ?? (await ensureDatabase(servers.postgresUrl, 'recheck'));
  const sandboxUrl = env.SANDBOX_DATABASE_URL ?? (await ensureDatabase(servers.postgresUrl, 'recheck_sandbox'));
  await progress.step('Applying migrations', () => applyMigrations(databaseUrl));
  const sandbox = await progress.step('Starting the sandbox', () => startSandbox(start, sandboxUrl));
  const encryptionKeys = env.ENCRYPTION_KEYS ?? secrets.encryptionKeys;
  const { slackBotToken } = secrets;
  const seeded = await seedLocal({ databaseUrl, encryptionKeys, baseUrl, sandbox, slackBotToken });
  await progress.step('Starting worker and server', () => startProduct(start, { servers, databaseUrl, sandbox }));
  return {
    pid: process.pid,
    baseUrl,
    ...seeded,
    ...jiraEntries(sandbox),
    ...(hasRealAtlassian(env) ? {} : atlassianEntries(sandbox)),
    ...(hasRealSlack(env) ? {} : slackEntries(sandbox, secrets)),
    temporalAddress: servers.temporal.address,
    temporalNamespace: (env.TEMPORAL_ADDRESS && env.TEMPORAL_NAMESPACE) || 'default',
    ...(servers.temporal.ui ? { temporalUi: servers.temporal.ui } : {}),
    databaseUrl,
  };
}

async function startSandbox(
  { options, processes, ports, secrets, baseUrl }: Start,
  url: string,
): Promise<SandboxReady> {
  const env = {
    ...options.env,
    SANDBOX_DATABASE_URL: url,
    SANDBOX_JIRA_PORT: String(ports.jira),
    SANDBOX_SLACK_PORT: String(ports.slack),
    SLACK_REQUEST_URL: `${baseUrl}/slack/events`,
    ...slackSecrets(secrets),
  };
  const child = processes.start({ name: 'sandbox', ...script('local/sandbox/main.js'), env });
  return (await untilReady(child, () => readyLine(child))) as unknown as SandboxReady;
}

async function startProduct(
  { options, processes, ports, secrets, baseUrl }: Start,
  on: { servers: Servers; databaseUrl: string; sandbox: SandboxReady },
): Promise<void> {
  const env = {
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    TEMPORAL_NAMESPACE: 'default',
    SETTLE_MS: '2000',
    PUSH_INTERVAL_MS: '150',
    LOG_LEVEL: 'info',
    ...options.env,
    // Somebody's credentials for another server must not be tried on this one.
    ...(options.env.TEMPORAL_ADDRESS ? {} : withoutTemporal(options.env)),
    ...jiraEnvironment(on.sandbox),
    ...(hasRealAtlassian(options.env) ? atlassianVariables(options.env) : {}),
    ...(hasRealSlack(options.env) ? {} : { ...slackSecrets(secrets), SLACK_API_URL: on.sandbox.slackApiUrl }),
    BASE_URL: baseUrl,
    HOST: '127.0.0.1',
    DATABASE_URL: on.databaseUrl,
    TEMPORAL_ADDRESS: on.servers.temporal.address,
  };
  const { api, metrics } = ports;
  const worker = processes.start({
    name: 'worker',
    ...script('activities/worker.js'),
    env: { ...env, METRICS_PORT: String(metrics) },
  });
  const server = processes.start({ name: 'server', ...script('api/main.js'), env: { ...env, PORT: String(api) } });
  await Promise.all([untilReady(worker, () => readyLine(worker)), untilReady(server, () => answersReady(baseUrl))]);
}

async function answersReady(baseUrl: string): Promise<true> {
  const { ok, status } = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(5000) });
  if (!ok) throw new Error(`/readyz answers ${status}.`);
  return true;
}

function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), TEMPORAL_NAMESPACE: 'default' };
}

function slackSecrets({ slackSigningSecret, slackBotToken }: Secrets): NodeJS.ProcessEnv {
  return { SLACK_SIGNING_SECRET: slackSigningSecret, SLACK_BOT_TOKEN: slackBotToken };
}

function script(path: string): { file: string; args: string[] } {
  return { file: process.execPath, args: ['--enable-source-maps', join(projectRoot(), 'dist', path)] };
}

/** Then OAuth goes to that app at Atlassian; connections by API token can still be to the sandbox. */
function hasRealAtlassian(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.ATLASSIAN_CLIENT_ID && env.ATLASSIAN_CLIENT_SECRET);
}

function atlassianVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { ATLASSIAN_CLIENT_ID, ATLASSIAN_CLIENT_SECRET, ATLASSIAN_AUTH_URL, ATLASSIAN_API_URL } = env;
  return { ATLASSIAN_CLIENT_ID, ATLASSIAN_CLIENT_SECRET, ATLASSIAN_AUTH_URL, ATLASSIAN_API_URL };
}

/** Then nothing points at the sandbox's Slack; it runs unused. */
function hasRealSlack(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.SLACK_BOT_TOKEN && env.SLACK_SIGNING_SECRET);
}

function deathMessage(child: RunningProcess, how: string): string {
  return `${child.name} died (${how}). Its log (${child.logFile}) ends with:\n${child.logTail()}`;
}
