// ENTRY of every npm command, in Node built-ins alone, so that a fresh clone needs nothing but Node: installs what
// package-lock.json says where it is missing, generates the Prisma client, compiles, and then runs the compiled
// command in this very process, so that signals and the exit code need no passing on.
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const SOURCES = ['activities', 'api', 'bot', 'local', 'prisma', 'test', 'workflows'];
const COMMANDS = {
  start: 'dist/local/start.js',
  test: 'dist/test/support/run.js',
  demo: 'dist/local/demo.js',
  bench: 'dist/test/bench/main.js',
  screenshots: 'dist/local/screenshots.js',
};

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (command !== 'check' && !COMMANDS[command]) {
    throw new Error(`Unknown command "${command}". There are: ${[...Object.keys(COMMANDS), 'check'].join(', ')}.`);
  }
  checkNode(process.versions.node);
  process.chdir(ROOT);
  if (command !== 'check' && !args.includes('--help')) startTemporalEarly(command);
  await install();
  await generate();
  if (command === 'check') return require('./check.cjs').check(args);
  await compile();
  process.argv = [process.argv[0], join(ROOT, COMMANDS[command]), ...args];
  Module.runMain();
}

function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Recheck needs Node 20.19 or later; this is ${version}. See https://nodejs.org.`);
}

/** Started before everything else, because building it can take minutes; whoever needs it waits for the same promise. */
function startTemporalEarly(command) {
  if (process.env.TEMPORAL_ADDRESS && command !== 'test') return;
  const { ensureTemporalBinary } = require('./temporal-binary.cjs');
  // A failure is told by the step that needs the server.
  ensureTemporalBinary({ progress: say }).catch(() => undefined);
}

async function install() {
  if (isInstalled()) return;
  const npm = process.env.npm_execpath;
  // Options of the user's npm configuration that would leave out a part, or take another tree than the locked one.
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional', '--legacy-peer-deps=false'];
  const [file, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const env = { ...process.env, NODE_ENV: '', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  await run('Installing dependencies', file, [...first, ...args], { env });
}

/** Compares what npm has recorded in node_modules with the lock file; packages for other systems may be absent. */
function isInstalled() {
  const recorded = readJson(join(ROOT, 'node_modules', '.package-lock.json'));
  const locked = readJson(join(ROOT, 'package-lock.json'));
  if (!recorded || !locked) return false;
  return Object.entries(locked.packages).every(([path, { version, optional, peer }]) => {
    if (path === '') return true;
    const there = recorded.packages[path];
    return there ? there.version === version : Boolean(optional || peer);
  });
}

async function generate() {
  const schema = readFileSync(join(ROOT, 'prisma', 'schema.prisma'));
  const version = readJson(join(ROOT, 'node_modules', 'prisma', 'package.json'))?.version;
  const stamp = hash([schema, version]);
  const file = join(ROOT, 'node_modules', '.cache', 'recheck-generated');
  if (existsSync(join(ROOT, 'prisma', 'generated', 'client.ts')) && readText(file) === stamp) return;
  await run('Generating the Prisma client', process.execPath, [join('local', 'generate.cjs')]);
  writeStamp(file, stamp);
}

async function compile() {
  const stamp = hash([...SOURCES.flatMap(filesBelow), 'tsconfig.json', 'package-lock.json'].map(fingerprint));
  const file = join(ROOT, 'dist', '.sources');
  if (readText(file) === stamp) return;
  rmSync(file, { force: true });
  try {
    await run('Compiling', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  } catch (error) {
    // A wrong type in a test stops neither the product nor the other tests; `npm run check` judges it.
    const wrong = error.message.match(/^\S+\(\d+,\d+\): error/gm) ?? [];
    if (wrong.length === 0 || wrong.some((line) => !line.startsWith('test/'))) throw error;
    say(error.message);
  }
  writeStamp(file, stamp);
}

function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === join('test', 'fixtures') ? [] : filesBelow(path);
    return /\.[cm]?ts$/.test(entry.name) ? [path] : [];
  });
}

function fingerprint(path) {
  const { mtimeMs, size } = statSync(join(ROOT, path));
  return `${path} ${mtimeMs} ${size}`;
}

/** Runs a command, quiet while it goes well: says what it does once that takes a second, and that it is alive. */
function run(what, file, args, options = {}) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  const first = setTimeout(() => say(`${what} ...`), 1000);
  const alive = setInterval(() => say(`${what} ... ${seconds()} s`), 15_000);
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32' && file === 'npm';
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], shell, ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(first);
      clearInterval(alive);
      if (code === 0) return resolve(Date.now() - began > 1000 && say(`${what}: done in ${seconds()} s`));
      reject(new Error(`${output.trim()}\n${what} failed (${signal ?? `exit code ${code}`}); the cause stands above.`));
    });
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function hash(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part ?? '').update('\n');
  return sum.digest('hex');
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Not there, or cut off by a crash: then what it should say is done anew.
    return undefined;
  }
}

function writeStamp(file, stamp) {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, stamp);
}

module.exports = { checkNode };

if (require.main === module) {
  main().catch((error) => {
    say(error.message);
    process.exit(1);
  });
}
