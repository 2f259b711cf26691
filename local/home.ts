import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { projectRoot } from '../prisma/schema-engine';

/** Everything that may lie in a home and that `--fresh` removes; other files in that folder are not ours. */
const OWN = [
  'postgres',
  'postgres-run',
  'temporal',
  'logs',
  'secrets.json',
  'ports.json',
  'local.json',
  'processes.json',
];

/** The folder where one running Recheck keeps its data, secrets and logs. */
export interface Home {
  readonly dir: string;
  path(name: string): string;
  /** A JSON file of the home; undefined where there is none, or where it is cut off or holds no object. */
  read<T>(name: string): T | undefined;
  /** Writes a JSON file readable by its owner alone, in one piece: who reads meanwhile sees the old or the new one. */
  write(name: string, value: unknown): void;
  remove(name: string): void;
  /** Removes all data, for a beginning anew. */
  clear(): void;
}

/** Makes the folder where it is missing; a relative one is taken from the project's folder. */
export function openHome(folder = '.recheck'): Home {
  const dir = isAbsolute(folder) ? folder : resolve(projectRoot(), folder);
  const path = (name: string) => join(dir, name);
  mkdirSync(path('logs'), { recursive: true });
  return {
    dir,
    path,
    read: <T>(name: string) => readObject(path(name)) as T | undefined,
    write(name, value) {
      const scratch = path(`${name}.${process.pid}.new`);
      writeFileSync(scratch, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
      chmodSync(scratch, 0o600);
      renameSync(scratch, path(name));
    },
    remove: (name) => rmSync(path(name), { recursive: true, force: true }),
    clear() {
      for (const name of OWN) rmSync(path(name), { recursive: true, force: true });
      mkdirSync(path('logs'), { recursive: true });
    },
  };
}

function readObject(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
