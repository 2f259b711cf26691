import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as SchemaEngineModule from '@prisma/schema-engine-wasm';
import { Pool } from 'pg';

type Bindings = typeof SchemaEngineModule & { __wbg_set_wasm: (wasm: WebAssembly.Exports) => void };

/** Runs `work` with Prisma's schema engine over one database, and closes its connections afterwards. */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (engine: SchemaEngineModule.SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = loadBindings();
  // A pool of our own: the engine does not close what it opened.
  const pool = new Pool({ connectionString: databaseUrl });
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool));
  try {
    const engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter);
    return await work(engine);
  } finally {
    await pool.end();
  }
}

/** The folder that holds package.json: schema and migrations are read from there, also when this runs from `dist`. */
export function projectRoot(from = __dirname): string {
  if (existsSync(join(from, 'package.json'))) return from;
  if (dirname(from) === from) throw new Error('No package.json above this file: run Recheck from its own folder.');
  return projectRoot(dirname(from));
}

/** The engine leaves the message of a panic here before it traps; the trap itself says only "unreachable". */
const panicRegistry = {
  set_message(message: string): void {
    throw new Error(`Prisma's schema engine failed: ${message}`);
  },
};

let bindings: Bindings | undefined;

/**
 * The package is made for a bundler: its entry imports the `.wasm` file, which Node does not do, and its bindings are
 * an ES module that reads CommonJS's `module` (for random numbers). Prisma's own CLI has both bundled into CommonJS;
 * this does the same at run time, and so works under Jest too, which cannot require an ES module on Node 20.
 */
function loadBindings(): Bindings {
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: panicRegistry });
  bindings ??= instantiate(dirname(require.resolve('@prisma/schema-engine-wasm')));
  return bindings;
}

function instantiate(folder: string): Bindings {
  const imports = evaluateBindings(join(folder, 'schema_engine_bg.js'));
  const wasm = new WebAssembly.Module(new Uint8Array(readFileSync(join(folder, 'schema_engine_bg.wasm'))));
  const { exports } = new WebAssembly.Instance(wasm, { './schema_engine_bg.js': { ...imports } });
  imports.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  return imports;
}

function evaluateBindings(path: string): Bindings {
  const names: string[] = [];
  const source = readFileSync(path, 'utf8').replace(/^export (function|class) (\w+)/gm, (_match, kind, name) => {
    names.push(name);
    return `${kind} ${name}`;
  });
  // A function of this realm, not node:vm: the engine tells promises and typed arrays by their constructors.
  // biome-ignore lint/nursery/noImpliedEval: the text is an installed package's, pinned to one version.
  const evaluate = new Function('module', 'setTimeout', `${source}\nreturn { ${names.join(', ')} };`);
  // The engine never clears the ten seconds that it gives its lock; the process must not wait for them to pass.
  return evaluate(module, (callback: () => void, ms: number) => setTimeout(callback, ms).unref()) as Bindings;
}
