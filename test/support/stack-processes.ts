// The child processes of a stack: what the build made, started with a given environment and nothing else.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Seeded, SeedInput } from '../../local/seed';
import { projectRoot } from '../../prisma/schema-engine';
import { until } from './until';

/** A child process of `dist`. */
export type Running = {
  pid: number;
  /** Everything that it has printed. */
  log(): string;
  /** Sends a signal; resolves when the process has ended, or at once for SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): Promise<void>;
  hasEnded(): boolean;
};

// A child whose parent is gone loses its channel, and ends; nothing in the product knows of that.
const endWithParent = 'data:text/javascript,process.once("disconnect",()=>process.exit(1))';

function built(script: string): string {
  const file = join(projectRoot(), 'dist', script);
  if (!existsSync(file)) throw new Error(`${file} is not there. Run the tests with "npm test", which builds first.`);
  return file;
}

/** Seeds as `npm start` does, in a process of its own: Jest cannot load the generated Prisma client. */
export async function seed(input: SeedInput): Promise<Seeded> {
  const code = `process.once('message', (input) => require(process.argv[1]).seedLocal(input).then((seeded) => process.send({ seeded }),
    (error) => process.send({ error: String(error) })).then(() => process.disconnect()))`;
  const child = spawn(process.execPath, ['-e', code, built('local/seed.js')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(input);
  const [answer] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
    { seeded?: Seeded; error?: string } | number,
  ];
  if (typeof answer === 'object' && answer?.seeded) return answer.seeded;
  throw new Error(`Seeding failed: ${typeof answer === 'object' ? answer?.error : `exit code ${answer}`}`);
}

/** Starts a script of `dist`; it ends with this process at the latest. */
export function launch(script: string, env: Record<string, string>): Running {
  const file = built(script);
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--enable-source-maps', '--import', endWithParent, file], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return {
    pid: child.pid ?? 0,
    log: () => output,
    hasEnded: () => hasEnded(child),
    async signal(signal) {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Waits until a process that was started answers; throws with its log where it ends before. */
export async function untilUp(child: Running, what: string, probe: () => Promise<boolean> | boolean): Promise<void> {
  let ended = false;
  await until(
    () => {
      ended = child.hasEnded();
      return ended || probe();
    },
    { seconds: 60, what: `${what}'s start` },
  );
  if (ended) throw new Error(`${what} ended while it started:\n${child.log()}`);
}
