import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../prisma/schema-engine';
import { type Home, openHome } from '../home';
import { removeCluster } from '../postgres-files';
import { identify } from '../process-identity';
import { endLeftovers } from '../processes';

/**
 * A home for one run of a command, below `.recheck/<command>/`, named after this process. What runs left that were
 * killed is ended and removed first; runs that live are left alone. `suffix` tells several homes of one run apart.
 */
export async function openTemporaryHome(command: string, suffix = ''): Promise<Home> {
  const homes = join(projectRoot(), '.recheck', command);
  const left = existsSync(homes) ? readdirSync(homes, { withFileTypes: true }) : [];
  // Files that other programs put there (.DS_Store) are no homes.
  for (const { name } of left.filter((entry) => entry.isDirectory() && /^\d/.test(entry.name)))
    await removeDead(openHome(join(homes, name)), Number.parseInt(name, 10));
  return openHome(join(homes, `${process.pid}${suffix}`));
}

/** Removes a home whose processes have ended, with the data that lie outside of it. */
export function removeHome(home: Home): void {
  removeCluster(home);
  rmSync(home.dir, { recursive: true, force: true });
}

async function removeDead(home: Home, owner: number): Promise<void> {
  const isStarting = home.read('processes.json') === undefined && identify(owner) !== undefined;
  if (owner === process.pid || isStarting) return;
  try {
    await endLeftovers(home);
  } catch {
    return;
  }
  removeHome(home);
}
