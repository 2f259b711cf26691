import { join } from 'node:path';
import { applyMigrations } from '../prisma/migrate';
import { projectRoot } from '../prisma/schema-engine';
import { atlassianVariables, hasRealAtlassian, hasRealSlack, withoutBlank, withoutTemporal } from './environment';
import { type SlackWorkspace, tryGiven } from './given';
import { type Home, openHome } from './home';
import { atlassianEntries, jiraEntries, jiraEnvironment, type LocalFile, slackEntries } from './local-file';
import { choosePorts, type Group, onFreePorts, type Ports } from './ports';
import { ensureDatabase } from './postgres';
import { removeCluster } from './postgres-files';
import { createProcesses, endLeftovers, type Processes, type RunningProcess } from './processes';
import type { Progress } from './progress';
import { loadSecrets, type Secrets } from './secrets';
import { type SandboxReady, type Seeded, seedLocal } from './seed';
import { type Servers, startServers } from './servers';
import { answersReady, readyLine, untilReady } from './until-ready';

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

const RECHECK: Group = { processes: ['sandbox', 'worker', 'server'], ports: ['jira', 'slack', 'api', 'metrics'] };

/** One start: what its steps share. `ports` changes where one is taken meanwhile. */
interface Start {
  options: StackOptions;
  home: Home;
  processes: Processes;
  ports: Ports;
  secrets: Secrets;
  slack: SlackWorkspace | undefined;
}

/**
 * Starts the whole of Recheck on this machine: PostgreSQL, Temporal, the sandbox, worker and server, with a seeded
 * database. Throws where another one runs from the same home. Whoever calls it stops it, also where `ready` fails.
 */
export async function startStack(given: StackOptions): Promise<Stack> {
  const options = { ...given, env: withoutBlank(given.env) };
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
  const secrets = loadSecrets(home);
  const { slack } = await tryGiven(options.env);
  const ports = await choosePorts(home, { anyFree: options.anyPorts ?? false });
  const local = await startInOrder({ options, home, processes, ports, secrets, slack });
  processes.assertRunning();
  home.write('local.json', local);
  return local;
}

async function startInOrder(start: Start): Promise<LocalFile> {
  const { options, home, processes, ports, secrets } = start;
  const { env, progress } = options;
  const configured = { databaseUrl: env.DATABASE_URL, temporalAddress: env.TEMPORAL_ADDRESS };
  const { postgresPassword } = secrets;
  const servers = await startServers({ home, processes, progress, ports, postgresPassword, configured });
  const databaseUrl = env.DATABASE_URL ?? (await ensureDatabase(servers.postgresUrl, 'recheck'));
  const sandboxUrl = env.SANDBOX_DATABASE_URL ?? (await sandboxDatabase(servers.postgresUrl));
  await progress.step('Applying migrations', () => applyMigrations(databaseUrl));
  const on = { home, processes, progress, ports };
  const { sandbox, seeded } = await onFreePorts(on, RECHECK, () =>
    startRecheck(start, { servers, databaseUrl, sandboxUrl }),
  );
  return {
    pid: process.pid,
    baseUrl: baseUrlOf(ports),
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

async function sandboxDatabase(postgresUrl: string): Promise<string> {
  try {
    return await ensureDatabase(postgresUrl, 'recheck_sandbox');
  } catch (error) {
    throw new Error(
      `The sandbox's database "recheck_sandbox" could not be made (${error instanceof Error ? error.message : error}). ` +
        'Make it, or name another one in SANDBOX_DATABASE_URL.',
    );
  }
}

/** The sandbox, the data, and the product on top: together, because each knows the addresses of the others. */
async function startRecheck(
  start: Start,
  { servers, databaseUrl, sandboxUrl }: { servers: Servers; databaseUrl: string; sandboxUrl: string },
): Promise<{ sandbox: SandboxReady; seeded: Seeded }> {
  const { options, ports, secrets, slack } = start;
  const { env, progress } = options;
  const sandbox = await progress.step('Starting the sandbox', () => startSandbox(start, sandboxUrl));
  const seeded = await seedLocal({
    databaseUrl,
    encryptionKeys: env.ENCRYPTION_KEYS ?? secrets.encryptionKeys,
    baseUrl: baseUrlOf(ports),
    sandbox,
    slackBotToken: secrets.slackBotToken,
    ...(slack ? { slack } : {}),
  });
  const { apiKey } = seeded;
  await progress.step('Starting worker and server', () =>
    startProduct(start, { servers, databaseUrl, sandbox, apiKey }),
  );
  return { sandbox, seeded };
}

async function startSandbox({ options, processes, ports, secrets }: Start, url: string): Promise<SandboxReady> {
  const env = {
    ...options.env,
    SANDBOX_DATABASE_URL: url,
    SANDBOX_JIRA_PORT: String(ports.jira),
    SANDBOX_SLACK_PORT: String(ports.slack),
    SLACK_REQUEST_URL: `${baseUrlOf(ports)}/slack/events`,
    ...slackSecrets(secrets),
  };
  const child = processes.start({ name: 'sandbox', ...script('local/sandbox/main.js'), env });
  return (await untilReady(child, () => readyLine(child))) as unknown as SandboxReady;
}

async function startProduct(
  { options, processes, ports, secrets }: Start,
  on: { servers: Servers; databaseUrl: string; sandbox: SandboxReady; apiKey: string },
): Promise<void> {
  const baseUrl = baseUrlOf(ports);
  const env = {
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    TEMPORAL_NAMESPACE: 'default',
    SETTLE_MS: '2000',
    PUSH_INTERVAL_MS: '150',
    LOG_LEVEL: 'info',
    ...options.env,
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
  await Promise.all([
    untilReady(worker, () => readyLine(worker)),
    untilReady(server, () => answersReady(baseUrl, on.apiKey)),
  ]);
}

function baseUrlOf({ api }: Ports): string {
  return `http://127.0.0.1:${api}`;
}

function slackSecrets({ slackSigningSecret, slackBotToken }: Secrets): NodeJS.ProcessEnv {
  return { SLACK_SIGNING_SECRET: slackSigningSecret, SLACK_BOT_TOKEN: slackBotToken };
}

function script(path: string): { file: string; args: string[] } {
  return { file: process.execPath, args: ['--enable-source-maps', join(projectRoot(), 'dist', path)] };
}

function deathMessage(child: RunningProcess, how: string): string {
  return `${child.name} died (${how}). Its log (${child.logFile}) ends with:\n${child.logTail()}`;
}
