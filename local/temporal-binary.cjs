// Where the Temporal dev server's binary comes from. Node built-ins only: the bootstrap starts a download or a build
// before anything is installed, because a build takes minutes and everything else can go on meanwhile.
const { spawn, spawnSync } = require('node:child_process');
const { accessSync, constants, createWriteStream, existsSync, mkdirSync, readFileSync } = require('node:fs');
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { homedir } = require('node:os');
const { delimiter, join } = require('node:path');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');

/** v1.6 and later cannot be built by `go install`: they replace a nested module that the Go proxy does not serve. */
const VERSION = '1.5.1';
const DOWNLOADS = 'https://temporal.download/cli/archive';
const EXECUTABLE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const CURE = [
  'No Temporal server could be had. Any one of these helps:',
  '  - install the Temporal CLI so that "temporal" is on PATH (https://docs.temporal.io/cli)',
  '  - install Go; the server is then built from the Go module proxy',
  '  - set TEMPORAL_ADDRESS to a running server, such as 127.0.0.1:7233',
].join('\n');

/** The user's cache directory, shared by every checkout. */
function cacheDirectory(env = process.env) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'recheck');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'recheck');
  if (process.platform === 'win32') return join(env.LOCALAPPDATA || homedir(), 'recheck', 'cache');
  return join(homedir(), '.cache', 'recheck');
}

/** The first executable file of this name on PATH, or undefined. */
function onPath(name, env = process.env) {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of (env.PATH || '').split(delimiter).filter(Boolean)) {
    for (const candidate of names) {
      try {
        accessSync(join(folder, candidate), constants.X_OK);
        return join(folder, candidate);
      } catch {
        // not here
      }
    }
  }
  return undefined;
}

let underWay;

/**
 * Answers with the path of a `temporal` binary: from PATH, the cache, the vendor's download, or built with Go.
 * The first two are silent; the others tell `progress(line)` what they do. Within a process it runs once.
 */
function ensureTemporalBinary({ progress = () => {}, env = process.env, downloads = DOWNLOADS } = {}) {
  underWay = underWay || findOrMake({ progress, env, downloads });
  return underWay;
}

async function findOrMake({ progress, env, downloads }) {
  const found = onPath('temporal', env);
  if (found) return found;
  const folder = join(cacheDirectory(env), `temporal-${VERSION}`);
  const cached = join(folder, EXECUTABLE);
  if (existsSync(cached)) return cached;
  mkdirSync(folder, { recursive: true });
  return withLock(join(folder, 'lock'), cached, progress, async () => {
    const scratch = join(folder, `making-${process.pid}`);
    mkdirSync(scratch, { recursive: true });
    try {
      const made = (await download(scratch, progress, downloads)) || (await build(scratch, progress, env));
      if (!made) throw new Error(CURE);
      renameSync(made, cached);
      return cached;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** One process at a time makes the binary; the others wait for it, and take over if it dies. */
async function withLock(lock, wanted, progress, work) {
  for (let waited = 0; ; waited += 1) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (waited % 15 === 0) progress('Another process is fetching the Temporal server; waiting for it');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (existsSync(wanted)) return wanted;
    if (!ownerLives(lock)) rmSync(lock, { recursive: true, force: true });
  }
  // However this process ends, the next one must not wait for it.
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return existsSync(wanted) ? wanted : await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

function ownerLives(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The vendor's own archive. A closed network refuses at once or lets the connection hang: seconds decide. */
async function download(scratch, progress, downloads) {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const connected = new AbortController();
  const timer = setTimeout(() => connected.abort(), 6000);
  try {
    const url = `${downloads}/v${VERSION}?platform=${platform}&arch=${arch}`;
    const response = await fetch(url, { signal: connected.signal });
    clearTimeout(timer);
    if (!response.ok || !response.body) return undefined;
    progress(`Downloading the Temporal dev server ${VERSION} (once per machine)`);
    const archive = join(scratch, platform === 'windows' ? 'archive.zip' : 'archive.tar.gz');
    await pipeline(Readable.fromWeb(response.body), createWriteStream(archive));
    const unpacked = spawnSync('tar', ['-xf', archive, '-C', scratch]);
    const made = join(scratch, EXECUTABLE);
    return unpacked.status === 0 && existsSync(made) ? made : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** `go install` from the Go module proxy: about four minutes on two cores. */
async function build(scratch, progress, env) {
  const go = onPath('go', env) || ['/usr/local/go/bin/go'].find((path) => existsSync(path));
  if (!go) return undefined;
  progress(`Building the Temporal dev server ${VERSION} with Go (about four minutes, once per machine)`);
  const args = ['install', '-ldflags=-s -w', `github.com/temporalio/cli/cmd/temporal@v${VERSION}`];
  const child = spawn(go, args, { env: { ...env, GOBIN: scratch }, stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = () => child.kill();
  process.once('exit', stop);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-2000);
  });
  const began = Date.now();
  const alive = setInterval(() => {
    progress(`Still building the Temporal dev server (${Math.round((Date.now() - began) / 1000)} s)`);
  }, 15_000);
  const code = await new Promise((resolve) => child.once('error', () => resolve(1)).once('close', resolve));
  clearInterval(alive);
  process.removeListener('exit', stop);
  const made = join(scratch, EXECUTABLE);
  if (code === 0 && existsSync(made)) return made;
  throw new Error(`Building the Temporal server with Go failed:\n${errors.trim()}\n${CURE}`);
}

module.exports = { ensureTemporalBinary, onPath, cacheDirectory };
