import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Seconds of CPU that each of the named processes used so far; where the system has no /proc, nothing. */
export function cpuSeconds(pids: Record<string, number | undefined>): Record<string, number> {
  const used: Record<string, number> = {};
  for (const [name, pid] of Object.entries(pids)) {
    const stat = pid === undefined ? undefined : read(pid);
    if (stat) used[name] = stat.seconds;
  }
  return used;
}

/** The same of a process together with its children, those that have ended included. */
export function cpuSecondsOfTree(pid: number): number {
  const own = read(pid);
  if (!own) return 0;
  const children = readdirSync('/proc').map((name) => (/^\d+$/.test(name) ? read(Number(name)) : undefined));
  const living = children.filter((stat) => stat?.parent === pid);
  return living.reduce((sum, stat) => sum + (stat?.seconds ?? 0), own.seconds + own.endedChildren);
}

/** The process that started this one. */
export function parentOf(pid: number): number | undefined {
  return read(pid)?.parent;
}

function read(pid: number): { parent: number; seconds: number; endedChildren: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; what follows it does not. See proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seconds = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) / TICKS_PER_SECOND;
    return { parent: Number(fields[1]), seconds: seconds(11), endedChildren: seconds(13) };
  } catch {
    return undefined;
  }
}
