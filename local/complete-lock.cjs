// Development only, after a change of dependencies: `node local/complete-lock.cjs [package-lock.json]`.
// A registry mirror may lack the packages of other systems (`@swc/core-darwin-arm64` and the like). npm then leaves
// them out of the lock file, and `npm ci` refuses a lock file that has not all of them. They are added here by what
// their names say; npm fetches such a package only on its own system.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const ALIASES = { windows: 'win32', universal: undefined };
const CPUS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** The optional dependencies that the lock file promises and has no entry for, as [name, version]. */
function missingPackages(lock) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isFound(lock, path, name)) missing.set(name, range.replace(/^[\^~]/, ''));
    }
  }
  return [...missing];
}

/** As Node resolves: from the package's own node_modules up to the root's. */
function isFound(lock, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (lock.packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

function entryFor(name, version) {
  const words = name.split('/').at(-1).split('-');
  const os = words.map((word) => ALIASES[word] ?? word).find((word) => SYSTEMS.includes(word));
  const cpu = CPUS.find((candidate) => words.includes(candidate));
  if (!os && cpu !== 'wasm32') throw new Error(`For which system is ${name}? Its name does not say; add it by hand.`);
  const libc = os !== 'linux' ? undefined : words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return {
    version,
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(words.some((word) => /^(gnu|musl)/.test(word)) && libc ? { libc: [libc] } : {}),
    dev: true,
    optional: true,
    ...(os ? { os: [os] } : {}),
  };
}

function main(file) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingPackages(lock);
  for (const [name, version] of missing) lock.packages[`node_modules/${name}`] = entryFor(name, version);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(sorted);
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`${missing.length} packages of other systems added to ${file}\n`);
}

module.exports = { missingPackages };

if (require.main === module) main(process.argv[2] ?? join(__dirname, '..', 'package-lock.json'));
