import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Home, openHome } from '../../local/home';
import { choosePorts, freePort, onFreePorts } from '../../local/ports';
import { ensureDatabase, startPostgres } from '../../local/postgres';
import { removeCluster } from '../../local/postgres-files';
import { createProcesses } from '../../local/processes';
import { until } from '../support/until';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the local PostgreSQL', () => {
  let home: Home;
  beforeAll(() => {
    home = openHome(mkdtempSync(join(tmpdir(), 'recheck-postgres-')));
  });
  afterAll(() => {
    removeCluster(home);
    rmSync(home.dir, { recursive: true, force: true });
  });

  it('starts over the same data after it was killed, whatever its lock says', async () => {
    const port = (await freePort()) ?? 0;
    const deaths: string[] = [];
    const before = createProcesses(home, ({ name }) => deaths.push(name));
    const server = await startPostgres({ home, processes: before, port, password: 'secret' });
    const url = await ensureDatabase(server, 'kept');
    await query(url, 'create table kept as select 42 as answer');
    const lock = home.path('postgres/postmaster.pid');
    process.kill(Number(readFileSync(lock, 'utf8').split('\n')[0]), 'SIGKILL');
    await until(() => deaths.includes('postgres'), { what: 'the death of the server' });

    const after = createProcesses(home, () => undefined);
    try {
      await startPostgres({ home, processes: after, port, password: 'secret' });
      expect(await ensureDatabase(server, 'kept')).toBe(url);
      expect(await query(url, 'select answer from kept')).toEqual([{ answer: 42 }]);
      expect(
        await query(url, "select current_setting('listen_addresses') as on, current_setting('max_connections') as max"),
      ).toEqual([{ on: '127.0.0.1', max: '200' }]);
    } finally {
      await after.stopAll();
    }
  });

  it('takes another port, and no server for its own, where one that answers there has taken it meanwhile', async () => {
    const [mine, other] = [openHome(join(home.dir, 'mine')), openHome(join(home.dir, 'other'))];
    const ports = await choosePorts(mine, { anyFree: true });
    const taken = ports.postgres;
    const said: string[] = [];
    const processes = createProcesses(mine, ({ name }) => said.push(`${name} died`));
    const others = createProcesses(other, ({ name }) => said.push(`the other ${name} died`));
    const progress = { say: (line: string) => said.push(line), step: <T>(_: string, work: () => Promise<T>) => work() };
    try {
      await startPostgres({ home: other, processes: others, port: taken, password: 'other' });
      const group = { processes: ['postgres'], ports: ['postgres' as const] };
      const url = await onFreePorts({ home: mine, processes, progress, ports }, group, () =>
        startPostgres({ home: mine, processes, port: ports.postgres, password: 'mine' }),
      );
      expect(new URL(url).port).toBe(String(ports.postgres));
      expect(ports.postgres).not.toBe(taken);
      expect(said).toEqual([expect.stringContaining('A port of postgres was taken')]);
    } finally {
      await processes.stopAll();
      await others.stopAll();
      removeCluster(mine);
      removeCluster(other);
    }
  });

  it('begins anew where the home was deleted by hand, and says what to do where only its secrets were', async () => {
    const port = (await freePort()) ?? 0;
    const dir = join(home.dir, 'again');
    const start = async (password: string) => {
      const again = openHome(dir);
      const processes = createProcesses(again, () => undefined);
      try {
        return await startPostgres({ home: again, processes, port, password });
      } finally {
        await processes.stopAll();
      }
    };
    try {
      await start('first');
      await expect(start('second')).rejects.toThrow(/other secrets .* npm start -- --fresh/s);
      rmSync(dir, { recursive: true });
      await expect(start('second')).resolves.toContain('second');
    } finally {
      removeCluster(openHome(dir));
    }
  });
});
