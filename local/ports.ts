import { createServer } from 'node:net';
import type { Home } from './home';

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

export type Ports = Record<keyof typeof DEFAULTS, number>;

/**
 * A free port on 127.0.0.1 for each server: the one of the last run, or the default or one of the next, or any. They are remembered in
 * `ports.json`, because addresses with them are stored (the sandbox's Jira is a connection's site).
 * `anyFree` does not try the defaults, for homes that live as long as one command.
 */
export async function choosePorts(home: Home, { anyFree = false }: { anyFree?: boolean } = {}): Promise<Ports> {
  const remembered = home.read<Partial<Ports>>('ports.json') ?? {};
  const ports: Ports = { ...DEFAULTS };
  const taken = new Set<number>();
  for (const name of Object.keys(DEFAULTS) as (keyof Ports)[]) {
    const usual = anyFree ? [] : Array.from({ length: TRIED }, (_, more) => DEFAULTS[name] + more);
    const wanted = [remembered[name], ...usual, 0];
    for (const port of wanted.filter((port) => port !== undefined && !taken.has(port))) {
      const free = await freePort(port);
      if (free === undefined || taken.has(free)) continue;
      ports[name] = free;
      taken.add(free);
      break;
    }
  }
  home.write('ports.json', ports);
  return ports;
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
