import { withoutForeign } from '../environment';
import { type Home, openHome } from '../home';
import type { LocalFile } from '../local-file';
import type { Progress } from '../progress';
import { startStack } from '../stack';
import { openTemporaryHome, removeHome } from './temporary-home';

export interface RunningRecheck {
  local: LocalFile;
  isTemporary: boolean;
  /** Ends and removes what was started for this run; leaves alone what ran before. */
  close(): Promise<void>;
}

/** The Recheck that runs from `.recheck`, or one that is started for this run alone. */
export async function openRecheck(given: {
  progress: Progress;
  env: NodeJS.ProcessEnv;
  /** Told how to end what is being started, as soon as there is something to end. */
  onStarting(end: { close: () => Promise<void>; kill: () => void }): void;
}): Promise<RunningRecheck> {
  const local = await findRunning(openHome());
  if (local) return { local, isTemporary: false, close: async () => undefined };
  const { progress, onStarting } = given;
  const home = await openTemporaryHome('demo');
  const stack = await startStack({
    home: home.dir,
    anyPorts: true,
    env: withoutForeign(given.env),
    progress,
    onDeath: (message) => progress.say(message),
  });
  const close = async () => {
    await stack.stop();
    removeHome(home);
  };
  onStarting({ close, kill: stack.kill });
  try {
    return { local: await stack.ready, isTemporary: true, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** After a kill the file may be stale, so the server itself is asked. */
async function findRunning(home: Home): Promise<LocalFile | undefined> {
  const local = home.read<LocalFile>('local.json');
  if (!local) return undefined;
  try {
    const { ok } = await fetch(`${local.baseUrl}/readyz`, { signal: AbortSignal.timeout(3000) });
    return ok ? local : undefined;
  } catch {
    return undefined;
  }
}
