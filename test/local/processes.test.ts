import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Home, openHome } from '../../local/home';
import { choosePorts } from '../../local/ports';
import { identify } from '../../local/process-identity';
import { createProcesses, endLeftovers } from '../../local/processes';
import { loadSecrets } from '../../local/secrets';
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
