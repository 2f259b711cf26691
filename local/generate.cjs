// Generates the Prisma client. The CLI would download a schema engine that generation never runs,
// and that fails on closed networks, so for this one command the engine is said to be Node itself.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const result = spawnSync(process.execPath, [join('node_modules', 'prisma', 'build', 'index.js'), 'generate'], {
  cwd: join(__dirname, '..'),
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
  encoding: 'utf8',
});
if (result.status !== 0) {
  process.stderr.write(
    `${result.stdout ?? ''}${result.stderr ?? ''}\nGenerating the Prisma client failed; the cause stands above.\n`,
  );
  process.exit(result.status ?? 1);
}
