import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTemporaryHome } from '../../local/demo/temporary-home';
import { endForgottenServer } from '../../local/forgotten-server';
import { type Home, openHome } from '../../local/home';
import { choosePorts } from '../../local/ports';
import { identify } from '../../local/process-identity';
import { createProcesses, endLeftovers } from '../../local/processes';
import { loadSecrets } from '../../local/secrets';
import { projectRoot } from '../../prisma/schema-engine';
import { until } from '../support/until';

const SLEEPER = ['-e', 'console.log("up"); setInterval(() => {}, 1000)'];
let home: Home;

beforeEach(() => {
  home = openHome(mkdtempSync(join(tmpdir(), 'recheck-home-')));
});
afterEach(() => rmSync(home.dir, { recursive: true, force: true }));

const unexpected = () => {
  throw new Error('died');
};

describe('the processes of a home', () => {
  it('are logged, recorded, and ended the last first', async () => {
    const processes = createProcesses(home, unexpected);
    const first = processes.start({ name: 'first', file: process.execPath, args: SLEEPER });
    const second = processes.start({ name: 'second', file: process.execPath, args: SLEEPER });
    await until(() => first.logTail() === 'up' && second.logTail() === 'up', { what: 'both logs' });
    const recorded = home.read<{ children: { pid: number }[] }>('processes.json');
    expect(recorded?.children.map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
    await processes.stopAll();
    expect([first.hasEnded(), second.hasEnded()]).toEqual([true, true]);
    expect(home.read('processes.json')).toBeUndefined();
    expect(() => processes.start({ name: 'late', file: process.execPath, args: SLEEPER })).toThrow('Stopped');
  });

  it('tell of one that dies by itself', async () => {
    const deaths: string[] = [];
    const processes = createProcesses(home, (child, how) => deaths.push(`${child.name}: ${how}: ${child.logTail()}`));
    processes.start({
      name: 'weak',
      file: process.execPath,
      args: ['-e', 'console.log("last words"); process.exit(3)'],
    });
    await until(() => deaths.length, { what: 'the death' });
    expect(deaths).toEqual(['weak: exit code 3: last words']);
    await processes.stopAll();
  });

  it('are ended by the next start when a run was killed, and nothing else is', async () => {
    const left = spawn(process.execPath, SLEEPER, { stdio: 'ignore', detached: true });
    const other = spawn(process.execPath, [...SLEEPER, 'other'], { stdio: 'ignore', detached: true });
    const pids = [left.pid ?? 0, other.pid ?? 0] as const;
    const command = [process.execPath, ...SLEEPER].join(' ');
    await until(() => pids.every((pid) => identify(pid)?.command.startsWith(command)), { what: 'both to run' });
    const children = pids.map((pid) => ({ name: 'x', pid, command, stopSignal: 'SIGTERM' }));
    const dead = { pid: spawnSync(process.execPath, ['-e', '']).pid, command: 'gone' };
    home.write('processes.json', { supervisor: dead, children });
    try {
      await endLeftovers(home);
      expect(identify(pids[0])).toBeUndefined();
      expect(identify(pids[1])?.command).toContain('other');
      expect(home.read('processes.json')).toBeUndefined();
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('are left alone, with a clear message, while their run is alive', async () => {
    const alive = spawn(process.execPath, SLEEPER, { stdio: 'ignore' });
    const pid = alive.pid ?? 0;
    try {
      const command = [process.execPath, ...SLEEPER].join(' ');
      await until(() => identify(pid)?.command === command, { what: 'the process to run' });
      home.write('processes.json', { supervisor: { pid, command }, children: [] });
      await expect(endLeftovers(home)).rejects.toThrow(/runs already from .* \(process \d+\)/);
    } finally {
      alive.kill('SIGKILL');
    }
  });
});

describe('a home', () => {
  it('keeps its secrets, readable by their owner alone', () => {
    const secrets = loadSecrets(home);
    expect(loadSecrets(home)).toEqual(secrets);
    expect(statSync(home.path('secrets.json')).mode & 0o777).toBe(0o600);
    const [, key = ''] = secrets.encryptionKeys.split(':');
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
  });

  it('remembers its ports, and takes others where one is in use', async () => {
    const ports = await choosePorts(home, { anyFree: true });
    expect(await choosePorts(home, { anyFree: true })).toEqual(ports);
    expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports.api, '127.0.0.1', resolve));
    try {
      const others = await choosePorts(home, { anyFree: true });
      expect(others).toEqual({ ...ports, api: expect.any(Number) });
      expect(others.api).not.toBe(ports.api);
    } finally {
      server.close();
    }
  });

  it('takes a broken file for none, as a crash of the machine leaves it, but not its secrets', async () => {
    for (const text of ['', '{"supervisor": {"pi', 'null', '{"supervisor": {}}']) {
      for (const name of ['processes.json', 'local.json', 'secrets.json']) writeFileSync(home.path(name), text);
      await endLeftovers(home);
      expect(existsSync(home.path('processes.json'))).toBe(false);
      if (text.endsWith('}}')) continue;
      expect(home.read('local.json')).toBeUndefined();
      expect(() => loadSecrets(home)).toThrow(/secrets\.json is cut off .* Restore it .* npm start -- --fresh/);
    }
    home.clear();
    expect(loadSecrets(home).postgresPassword).toMatch(/^\w+$/);
  });

  it('of one run is removed by the next when it is broken, and strange files beside it stay', async () => {
    const homes = join(projectRoot(), '.recheck', `broken-${process.pid}`);
    const dead = join(homes, String(spawnSync(process.execPath, ['-e', '']).pid));
    mkdirSync(dead, { recursive: true });
    writeFileSync(join(dead, 'processes.json'), '{"superv');
    writeFileSync(join(homes, '.DS_Store'), '');
    try {
      const now = await openTemporaryHome(`broken-${process.pid}`);
      expect(now.dir).toBe(join(homes, String(process.pid)));
      expect([existsSync(dead), existsSync(join(homes, '.DS_Store'))]).toEqual([false, true]);
    } finally {
      rmSync(homes, { recursive: true, force: true });
    }
  });

  it.each(['garbage\n', '\n', ''])('makes way over a lock of PostgreSQL that names nobody: %j', async (text) => {
    const lock = home.path('postmaster.pid');
    writeFileSync(lock, text);
    await endForgottenServer(home.dir);
    expect(existsSync(lock)).toBe(false);
  });

  it('is emptied of what Recheck put there and of nothing else', () => {
    loadSecrets(home);
    home.write('mine.json', {});
    home.clear();
    expect(home.read('secrets.json')).toBeUndefined();
    expect(home.read('mine.json')).toEqual({});
  });
});

describe('the bootstrap', () => {
  it('says which Node it needs', () => {
    const { checkNode } = require('../../local/bootstrap.cjs') as { checkNode: (version: string) => void };
    for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0']) expect(() => checkNode(version)).not.toThrow();
    for (const version of ['20.18.3', '18.20.0']) expect(() => checkNode(version)).toThrow('needs Node 20.19');
  });
});
