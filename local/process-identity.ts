import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process by what it was started with: a process id alone may belong to somebody else after a restart. */
export interface ProcessIdentity {
  pid: number;
  /** The whole command line, words separated by one space. */
  command: string;
}

/** The process with this id as it is now; undefined where there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  const command = commandLine(pid);
  return command ? { pid, command } : undefined;
}

/** Whether the very process still runs, and not another one that got its id. */
export function isRunning({ pid, command }: ProcessIdentity): boolean {
  return identify(pid)?.command === command;
}

/** The processes whose working directory is `folder`. Only Linux tells; elsewhere none. */
export function processesIn(folder: string): ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && workingDirectory(name) === folder);
  return pids.flatMap((pid) => identify(Number(pid)) ?? []);
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Sends `signal`, waits up to `seconds` for the process to end, then kills it. Does nothing to another process. */
export async function endProcess(target: ProcessIdentity, signal: NodeJS.Signals, seconds: number): Promise<void> {
  if (!isRunning(target)) return;
  kill(target.pid, signal);
  const end = Date.now() + seconds * 1000;
  while (isRunning(target)) {
    if (Date.now() > end) kill(target.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  }
  const query = `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
  const [file, args] =
    process.platform === 'win32'
      ? ['powershell', ['-NoProfile', '-Command', query]]
      : ['ps', ['-o', 'command=', '-p', String(pid)]];
  return (spawnSync(file as string, args as string[], { encoding: 'utf8' }).stdout ?? '').trim();
}
