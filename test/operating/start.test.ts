import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { portTaken } from '../../local/port-taken';
import { freePort } from '../../local/ports';
import { applyMigrations } from '../../prisma/migrate';
import { projectRoot } from '../../prisma/schema-engine';
import { createDatabase, serverUrl } from '../support/database';
import { launch } from '../support/stack-processes';
import { until } from '../support/until';

const server = new URL(serverUrl());
const withoutDatabase = `postgresql://recheck:hunter2@127.0.0.1:1/recheck`;
const wrongPassword = `postgresql://${server.username}:hunter2@${server.host}/recheck`;
const noSuchDatabase = new URL('/none_of_these', server).href;

const common = {
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
  BASE_URL: 'http://127.0.0.1:1',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'warn',
};

/** What a script of `dist` prints until it ends, which it has to do with 1. */
function printed(script: string, env: Record<string, string>): string {
  const ended = spawnSync(process.execPath, [join(projectRoot(), 'dist', script)], {
    encoding: 'utf8',
    env,
    timeout: 180_000,
  });
  expect(ended.status).toBe(1);
  return `${ended.stdout}${ended.stderr}`;
}

describe('O3 a start that cannot succeed says the variable and the cure in a line', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(async () => {
    await database?.drop();
  });

  it.each([
    ['prisma/migrate-main.js', 'foo', /must be a postgres:\/\/ URL/],
    ['prisma/migrate-main.js', 'mysql://u:hunter2@127.0.0.1/x', /must be a postgres:\/\/ URL/],
    ['prisma/migrate-main.js', withoutDatabase, /does not answer \(ECONNREFUSED\): start it/],
    ['prisma/migrate-main.js', wrongPassword, /refuses the user or the password/],
    ['prisma/migrate-main.js', noSuchDatabase, /no such database/],
    ['activities/worker.js', withoutDatabase, /does not answer \(ECONNREFUSED\): start it/],
    ['activities/worker.js', null, /is not migrated: run node dist\/prisma\/migrate-main\.js/],
  ])('%s, DATABASE_URL %#', (script, url, said) => {
    const log = printed(script, { ...common, DATABASE_URL: url ?? database.url });
    expect(log).toMatch(said);
    expect(log).toMatch(/^.*DATABASE_URL.*\n$/);
    expect(log).not.toMatch(/hunter2/);
  });

  it('the server with a port that is taken', () => {
    const env = { ...common, DATABASE_URL: database.url, PORT: server.port };
    const log = printed('api/main.js', env);
    expect(log).toMatch(/^PORT \d+ is in use \(EADDRINUSE\): .*\n$/);
    // By that `npm start` knows that another port will do.
    expect(portTaken('server', log)?.message).toBe(log.trim());
  });

  it('the server goes on, and /readyz says what is missing of each, and what mends it', async () => {
    const port = String(await freePort());
    const env = { ...common, DATABASE_URL: database.url, PORT: port, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const running = launch('api/main.js', env);
    const readiness = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return { status: response.status, ...(await response.json()) };
    };
    try {
      const first = await until(readiness, { seconds: 60, what: 'the server' });
      expect(first).toMatchObject({
        status: 503,
        checks: {
          postgresql: expect.stringMatching(/DATABASE_URL is not migrated: run node dist\/prisma\/migrate-main\.js/),
          temporal: expect.stringMatching(/does not answer.*start it, or correct TEMPORAL_ADDRESS/),
        },
      });
      await until(() => /"temporal":"[^"]*TEMPORAL_ADDRESS/.test(running.log()), { what: 'the warning in the log' });
      await applyMigrations(database.url);
      expect(await readiness()).toMatchObject({ status: 503, checks: { postgresql: 'ok' } });
    } finally {
      await running.signal('SIGKILL');
    }
  });
});
