// `npm run check`: format and lint, types, import rules, dead code. All run, then the failures are told together.
const { spawn } = require('node:child_process');
const { join } = require('node:path');

const FOLDERS = ['activities', 'api', 'bot', 'local', 'prisma', 'test', 'workflows'];
/** With a compiler that it does not know, dependency-cruiser sees no modules and reports success. */
const FEWEST_MODULES = 40;

const CHECKS = [
  {
    name: 'biome',
    args: [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '--max-diagnostics=200'],
  },
  {
    name: 'types',
    args: [
      bin('typescript', 'bin/tsc'),
      ...['-p', 'tsconfig.json', '--noEmit', '--tsBuildInfoFile', 'node_modules/.cache/check.tsbuildinfo'],
    ],
  },
  {
    name: 'imports',
    args: [bin('dependency-cruiser', 'bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs', ...FOLDERS],
    judge: countModules,
  },
  { name: 'dead code', args: [bin('knip', 'bin/knip.js'), '--no-progress'] },
];

/** Runs the checks, or those named; exits with 1 where one fails. */
async function check(names) {
  const chosen = CHECKS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (chosen.length === 0) throw new Error(`No such check. There are: ${CHECKS.map(({ name }) => name).join(', ')}.`);
  let failed = 0;
  for (const { name, args, judge = () => undefined } of chosen) {
    const began = Date.now();
    const { code, output } = await run(args);
    const objection = code === 0 ? judge(output) : `exit code ${code}`;
    if (objection) failed += 1;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    process.stdout.write(objection ? `${output.trim()}\n✗ ${name}: ${objection}\n` : `✓ ${name} (${seconds} s)\n`);
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

function countModules(output) {
  const modules = Number(/\((\d+) modules/.exec(output)?.[1] ?? 0);
  return modules < FEWEST_MODULES ? `only ${modules} modules were looked at` : undefined;
}

function bin(name, file) {
  return join('node_modules', name, file);
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

module.exports = { check };
