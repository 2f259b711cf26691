import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import type { Home } from './home';
import { type PortTaken, portTaken } from './port-taken';
import { endProcess, identify, isRunning, type ProcessIdentity } from './process-identity';

export interface ProcessSpec {
  /** Names the log file, `logs/<name>.log`, too. */
  name: string;
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What ends it in good order; SIGTERM where nothing is said. */
  stopSignal?: NodeJS.Signals;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** The end of its log, for a message. */
  logTail(): string;
  hasEnded(): boolean;
}

export interface Processes {
  start(spec: ProcessSpec): RunningProcess;
  /**
   * Runs `work`, which starts processes of these names. Where one of them ends because its port is taken, all of them
   * are ended and `PortTaken` is thrown; `onDeath` is told of other deaths alone.
   */
  starting<T>(names: string[], work: () => Promise<T>): Promise<T>;
  /** Throws when the processes are being stopped, as `start` does. */
  assertRunning(): void;
  /** Ends all, the last started first, and waits for each. */
  stopAll(): Promise<void>;
  /** Ends all at once and hard. */
  killAll(): void;
}

type Recorded = ProcessIdentity & { name: string; stopSignal: NodeJS.Signals };
type Record = { supervisor: ProcessIdentity; children: Recorded[] };
type Child = { recorded: Recorded; process: ChildProcess; exited: Promise<void> };
/** A start under way, and the end that came over it. */
type Starting = { names: string[]; taken: PortTaken | undefined; fail: (taken: PortTaken) => void };

const FILE = 'processes.json';
/** The worker and the server give what they do up to 20 s. */
const STOP_SECONDS = 25;

/**
 * Starts the processes of one home, each in a process group of its own: Ctrl-C in a terminal reaches the supervisor
 * alone, which then ends them in order. What runs is recorded, so that a later start can end what a killed one left.
 * `onDeath` is told of a process that ended without being asked to.
 */
export function createProcesses(home: Home, onDeath: (child: RunningProcess, how: string) => void): Processes {
  const children: Child[] = [];
  const startings = new Set<Starting>();
  let stopping = false;
  const record = () => {
    const supervisor = identify(process.pid) ?? { pid: process.pid, command: '' };
    home.write(FILE, { supervisor, children: children.map(({ recorded }) => recorded) } satisfies Record);
  };
  const assertRunning = () => {
    if (stopping) throw new Error('Stopped while it started.');
  };
  const died = (child: RunningProcess, how: string) => {
    const starting = [...startings].find(({ names }) => names.includes(child.name));
    const taken = starting?.taken ?? (starting && portTaken(child.name, readFileSync(child.logFile, 'utf8')));
    if (!starting || !taken) return onDeath(child, how);
    starting.taken = taken;
    starting.fail(taken);
  };
  record();
  return {
    assertRunning,
    async starting(names, work) {
      const starting: Starting = { names, taken: undefined, fail: () => undefined };
      const failed = new Promise<never>((_, reject) => {
        starting.fail = reject;
      });
      startings.add(starting);
      const running = work();
      try {
        return await Promise.race([running, failed]);
      } catch (error) {
        if (!starting.taken) throw error;
        for (const child of children.filter(({ recorded }) => names.includes(recorded.name))) await stop(child);
        await running.catch(() => undefined);
        throw starting.taken;
      } finally {
        startings.delete(starting);
      }
    },
    start(spec) {
      assertRunning();
      const logFile = home.path(`logs/${spec.name}.log`);
      const child = launch(spec, logFile);
      const running = describe(spec.name, child.process, logFile);
      children.push(child);
      record();
      child.process.once('exit', (code, signal) => {
        if (stopping) return;
        children.splice(children.indexOf(child), 1);
        record();
        died(running, signal ?? `exit code ${code}`);
      });
      return running;
    },
    async stopAll() {
      stopping = true;
      for (const child of [...children].reverse()) await stop(child);
      home.remove(FILE);
    },
    killAll() {
      stopping = true;
      for (const child of children) child.process.kill('SIGKILL');
    },
  };
}

/**
 * Ends what a killed run of this home left behind: only processes that were recorded and still have the same command
 * line. Throws where the run is alive.
 */
export async function endLeftovers(home: Home): Promise<void> {
  // The file is replaced in one piece: only a crash of the machine breaks it, and that ended the processes too.
  const left = home.read<Partial<Record>>(FILE);
  if (!left?.supervisor || !Array.isArray(left.children)) return home.remove(FILE);
  if (left.supervisor.pid !== process.pid && isRunning(left.supervisor)) {
    throw new Error(
      `Recheck runs already from ${home.dir} (process ${left.supervisor.pid}). Stop it first, or say --home <folder>.`,
    );
  }
  for (const child of left.children.reverse()) await endProcess(child, child.stopSignal, 10);
  home.remove(FILE);
}

function launch(spec: ProcessSpec, logFile: string): Child {
  if (existsSync(logFile)) renameSync(logFile, logFile.replace(/\.log$/, '.previous.log'));
  // To a file, not through a pipe: a child must not die of a closed pipe when the supervisor is killed.
  const log = openSync(logFile, 'a', 0o600);
  const { file, args, name, stopSignal = 'SIGTERM' } = spec;
  const { env = process.env, cwd, uid, gid } = spec;
  const child = spawn(file, args, {
    env,
    cwd,
    detached: process.platform !== 'win32',
    stdio: ['ignore', log, log],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const command = [file, ...args].join(' ');
  return { recorded: { name, pid: child.pid ?? 0, command, stopSignal }, process: child, exited };
}

function describe(name: string, child: ChildProcess, logFile: string): RunningProcess {
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    logTail: () => readFileSync(logFile, 'utf8').trim().split('\n').slice(-25).join('\n'),
    hasEnded: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null,
  };
}

async function stop({ recorded, process: child, exited }: Child): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill(recorded.stopSignal);
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
  await exited;
  clearTimeout(force);
}
