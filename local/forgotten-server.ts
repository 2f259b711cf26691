import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, identify, processesIn } from './process-identity';

/**
 * Makes way for a new server where a killed one left its lock. A server over the same data is ended. PostgreSQL
 * removes the lock itself when no process has the id in it; where another program has it, or the dead server that
 * nobody reaped, it would not, and so we do, after the server's own children have gone.
 */
export async function endForgottenServer(dataDir: string): Promise<void> {
  const lock = join(dataDir, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
  // A lock that names nobody is of a machine that crashed: PostgreSQL would refuse to start over it.
  const namesNobody = !Number.isSafeInteger(pid) || pid === 0;
  const running = namesNobody ? undefined : identify(pid);
  if (running?.command.includes(dataDir)) await endProcess(running, 'SIGINT', 15);
  if (!existsSync(lock) || !(namesNobody || exists(pid))) return;
  for (const child of processesIn(dataDir)) await endProcess(child, 'SIGQUIT', 5);
  rmSync(lock);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
