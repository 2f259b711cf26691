import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../prisma/schema-engine';
import { type Home, openHome } from '../home';
import { removeCluster } from '../postgres-files';
import { endLeftovers } from '../processes';

/**
 * A home for one run of a command, below `.recheck/<command>/`. What runs left that were killed is ended and removed
 * first; runs that live are left alone.
 */
export async function openTemporaryHome(command: string): Promise<Home> {
  const homes = join(projectRoot(), '.recheck', command);
  const left = existsSync(homes) ? readdirSync(homes) : [];
  for (const name of left) await removeDead(openHome(join(homes, name)));
  return openHome(join(homes, String(process.pid)));
}

/** Removes a home whose processes have ended, with the data that lie outside of it. */
export function removeHome(home: Home): void {
  removeCluster(home);
  rmSync(home.dir, { recursive: true, force: true });
}

async function removeDead(home: Home): Promise<void> {
  try {
    await endLeftovers(home);
  } catch {
    return;
  }
  removeHome(home);
}
