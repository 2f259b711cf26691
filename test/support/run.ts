// ENTRY of `npm test`: starts PostgreSQL and Temporal for this run alone, finds a Chromium, and runs Jest against them.
// Arguments go to Jest. A plain Node process: embedded PostgreSQL and Jest do not go together in one.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from '../../local/chromium';
import { openTemporaryHome, removeHome } from '../../local/demo/temporary-home';
import type { Home } from '../../local/home';
import { choosePorts } from '../../local/ports';
import { ensureDatabase } from '../../local/postgres';
import { createProcesses } from '../../local/processes';
import { createProgress } from '../../local/progress';
import { loadSecrets } from '../../local/secrets';
import { startServers } from '../../local/servers';
import { onStopSignal } from '../../local/stop-signal';
import { applyMigrations } from '../../prisma/migrate';
import { projectRoot } from '../../prisma/schema-engine';

const TEMPLATE = 'recheck_template';
const progress = createProgress();

async function main(jestArgs: string[]): Promise<number> {
  const home = await openTemporaryHome('test');
  let failure: string | undefined;
  let stopJest = () => {};
  const processes = createProcesses(home, (child, how) => {
    failure = `${child.name} died during the tests (${how}). Its log ends with:\n${child.logTail()}`;
    stopJest();
  });
  onStopSignal({
    first: () => stopJest(),
    again() {
      processes.killAll();
      process.exit(130);
    },
  });
  try {
    const env = await startForTests(home, processes);
    const jest = runJest({ args: jestArgs, env, outputFile: home.path('jest.json') });
    stopJest = jest.stop;
    const code = await jest.exitCode;
    progress.say(summary(home.path('jest.json')));
    if (failure) progress.say(failure);
    return failure ? 1 : code;
  } finally {
    await processes.stopAll();
    removeHome(home);
  }
}

async function startForTests(home: Home, processes: ReturnType<typeof createProcesses>): Promise<NodeJS.ProcessEnv> {
  const ports = await choosePorts(home, { anyFree: true });
  const { postgresPassword } = loadSecrets(home);
  const [servers, chromium] = await Promise.all([
    startServers({ home, processes, progress, ports, postgresPassword, throwaway: true }),
    findChromium({ progress, configured: process.env.CHROMIUM_PATH }).catch((error: Error) => {
      // The tests of the pages fail without one, with the cure; the others can tell something nevertheless.
      progress.say(error.message);
      return '';
    }),
  ]);
  await applyMigrations(await ensureDatabase(servers.postgresUrl, TEMPLATE));
  return {
    ...process.env,
    NODE_ENV: 'test',
    TEST_DATABASE_URL: servers.postgresUrl,
    TEST_TEMPORAL_ADDRESS: servers.temporal.address,
    TEST_TEMPLATE: TEMPLATE,
    CHROMIUM_PATH: chromium,
    // Configuration of somebody's running Recheck must not reach into the tests.
    DATABASE_URL: undefined,
    ...Object.fromEntries(
      Object.keys(process.env).flatMap((name) => (/^(TEMPORAL|SLACK)_/.test(name) ? [[name, undefined]] : [])),
    ),
  };
}

function runJest({ args, env, outputFile }: { args: string[]; env: NodeJS.ProcessEnv; outputFile: string }) {
  const jest = join(projectRoot(), 'node_modules', 'jest', 'bin', 'jest.js');
  const workers = args.some((arg) => /^(--maxWorkers|-w|--runInBand|-i)\b/.test(arg)) ? [] : ['--maxWorkers=2'];
  const child = spawn(process.execPath, [jest, ...workers, ...args, '--json', `--outputFile=${outputFile}`], {
    cwd: projectRoot(),
    env,
    // What --json prints is in the file as well; the report for people goes to stderr.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  const exitCode = new Promise<number>((resolve) => {
    child.once('error', () => resolve(1)).once('close', (code) => resolve(code ?? 1));
  });
  return { exitCode, stop: () => void child.kill('SIGTERM') };
}

function summary(outputFile: string): string {
  if (!existsSync(outputFile)) return 'Jest gave no result.';
  const result = JSON.parse(readFileSync(outputFile, 'utf8')) as Record<string, number>;
  const suites = result.numRuntimeErrorTestSuites ? `, ${result.numRuntimeErrorTestSuites} files could not run` : '';
  return `${result.numPassedTests} passed, ${result.numFailedTests} failed${suites}`;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    progress.say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
