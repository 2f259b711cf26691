import { createServer } from 'node:net';
import type { Home } from './home';
import { PortTaken } from './port-taken';
import type { Processes } from './processes';
import type { Progress } from './progress';

const DEFAULTS = {
  api: 3000,
  jira: 3100,
  slack: 3200,
  postgres: 5433,
  temporal: 7233,
  temporalUi: 8233,
  metrics: 9464,
};

/** So many ports from the default on are tried. Those that the system gives are its own for outgoing connections. */
const TRIED = 20;
/** So often a group of processes is started where its ports are taken each time. */
const STARTS = 5;

export type Ports = Record<keyof typeof DEFAULTS, number>;

/**
 * A free port on 127.0.0.1 for each server: the one of the last run, or the default or one of the next, or any. They
 * are remembered in `ports.json`, because addresses with them are stored (the sandbox's Jira is a connection's site).
 * `anyFree` does not try the defaults, for homes that live as long as one command.
 */
export async function choosePorts(home: Home, { anyFree = false }: { anyFree?: boolean } = {}): Promise<Ports> {
  const remembered = home.read<Partial<Record<keyof Ports, unknown>>>('ports.json') ?? {};
  const ports: Ports = { ...DEFAULTS };
  const taken = new Set<number>();
  for (const name of Object.keys(DEFAULTS) as (keyof Ports)[]) {
    const usual = anyFree ? [] : usualPorts(name);
    const last = isPort(remembered[name]) ? [remembered[name]] : [];
    ports[name] = await firstFree([...last, ...usual], taken);
    taken.add(ports[name]);
  }
  home.write('ports.json', ports);
  return ports;
}

/** What is started together, and on which ports. */
export interface Group {
  processes: string[];
  ports: (keyof Ports)[];
}

/**
 * Runs `start`, which starts the processes of a group. Between the look for free ports and the start, somebody else may
 * take one (another `npm start` does): then the group gets others, in `ports` and in `ports.json`, and is started anew.
 */
export async function onFreePorts<T>(
  on: { home: Home; processes: Processes; progress: Progress; ports: Ports },
  group: Group,
  start: () => Promise<T>,
): Promise<T> {
  const { home, processes, progress, ports } = on;
  for (let tries = 1; ; tries++) {
    try {
      return await processes.starting(group.processes, start);
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      const what = `A port of ${error.processName} was taken by another program while it started`;
      if (tries === STARTS) {
        throw new Error(`${what}, ${STARTS} times. Run the command again. Its log says:\n${error.message}`);
      }
      await chooseAgain(ports, group.ports, { log: error.message, anyFree: tries > 1 });
      home.write('ports.json', ports);
      progress.say(`${what}; it is started again with others.`);
    }
  }
}

/**
 * New ports for these names, near the default where the old one was: not those that are taken or that `log` names.
 * `anyFree` leaves the defaults, where several Rechecks that start at once would meet again and again.
 */
async function chooseAgain(
  ports: Ports,
  names: (keyof Ports)[],
  { log, anyFree }: { log: string; anyFree: boolean },
): Promise<void> {
  const others = (Object.keys(ports) as (keyof Ports)[]).filter((name) => !names.includes(name));
  const taken = new Set(others.map((name) => ports[name]));
  for (const port of names.map((name) => ports[name])) if (new RegExp(`\\b${port}\\b`).test(log)) taken.add(port);
  for (const name of names) {
    const usual = usualPorts(name).includes(ports[name]) ? usualPorts(name) : [];
    ports[name] = await firstFree(anyFree ? [] : [ports[name], ...usual], taken);
    taken.add(ports[name]);
  }
}

function usualPorts(name: keyof Ports): number[] {
  return Array.from({ length: TRIED }, (_, more) => DEFAULTS[name] + more);
}

/** The first of `wanted` that is free and not among `taken`, or any that the system gives. */
async function firstFree(wanted: number[], taken: ReadonlySet<number>): Promise<number> {
  for (const port of wanted) if (!taken.has(port) && (await freePort(port)) !== undefined) return port;
  for (let tries = 0; tries < TRIED; tries++) {
    const port = await freePort();
    if (port !== undefined && !taken.has(port)) return port;
  }
  throw new Error('No port is free on 127.0.0.1.');
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}

/** The port itself where it can be listened on, undefined where it is taken; for 0 one that the system gives. */
export function freePort(port = 0): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
