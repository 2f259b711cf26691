import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { projectRoot } from '../prisma/schema-engine';
import type { Processes } from './processes';
import type { Progress } from './progress';
import { untilReady } from './until-ready';

/** What it prints once it listens. */
const SAYS_READY = /^\s*(Temporal )?Server\b.*:\d+/m;
/** A server that lives so long with its port accepting is ours; for a version on PATH that prints something else. */
const UNSAID_MS = 10_000;

interface TemporalBinary {
  ensureTemporalBinary(options: { progress: (line: string) => void }): Promise<string>;
}

export interface TemporalServer {
  address: string;
  /** Undefined where the server is somebody else's. */
  ui: string | undefined;
}

/**
 * The path of a `temporal` binary: on PATH, in the user's cache, downloaded from the vendor, or built with Go.
 * The bootstrap has started this already when there was something to fetch; here it is waited for.
 */
export async function findTemporal(progress: Progress): Promise<string> {
  // Not copied by the compiler: the bootstrap needs it before there is a compiler.
  const { ensureTemporalBinary } = require(join(projectRoot(), 'local', 'temporal-binary.cjs')) as TemporalBinary;
  return ensureTemporalBinary({ progress: progress.say });
}

/**
 * Starts Temporal's development server with its UI on 127.0.0.1 and waits until it takes connections.
 * Without `dbFile` it keeps everything in memory.
 */
export async function startTemporal({
  binary,
  processes,
  dbFile,
  port,
  uiPort,
}: {
  binary: string;
  processes: Processes;
  dbFile?: string;
  port: number;
  uiPort?: number;
}): Promise<TemporalServer> {
  if (dbFile) mkdirSync(dirname(dbFile), { recursive: true });
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'];
  args.push(...(uiPort ? ['--ui-port', String(uiPort)] : ['--headless']));
  if (dbFile) args.push('--db-filename', dbFile);
  // It asks its vendor for newer versions otherwise, which closed networks answer late.
  args.push('--dynamic-config-value', 'frontend.enableServerVersionCheck=false');
  const child = processes.start({ name: 'temporal', file: binary, args });
  // At the port another server may answer, while ours is about to end because the port is taken.
  const isOurs = () => SAYS_READY.test(readFileSync(child.logFile, 'utf8'));
  let accepted: number | undefined;
  const isReady = async () => {
    if (!(await accepts(port))) return undefined;
    accepted ??= Date.now();
    return isOurs() || Date.now() - accepted > UNSAID_MS || undefined;
  };
  await untilReady(child, isReady, 90);
  return { address: `127.0.0.1:${port}`, ui: uiPort ? `http://127.0.0.1:${uiPort}` : undefined };
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
