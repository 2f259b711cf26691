// The commands as npm runs them: processes of their own.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHome } from '../../local/home';
import { removeCluster } from '../../local/postgres-files';
import { identify } from '../../local/process-identity';
import { projectRoot } from '../../prisma/schema-engine';
import { until } from '../support/until';

const entry = (path: string) => join(projectRoot(), 'dist', path);

describe('npm', () => {
  it.each([
    { what: 'start --help', args: ['local/start.js', '--help'], code: 0, says: 'Say: npm start -- [--fresh]' },
    { what: 'start --nope', args: ['local/start.js', '--nope'], code: 2, says: 'Say: npm start -- [--fresh]' },
    { what: 'demo --help', args: ['local/demo.js', '--help'], code: 0, says: 'Say: npm run demo' },
    { what: 'bench --help', args: ['test/bench/main.js', '--help'], code: 0, says: 'There are: webhooks,' },
    { what: 'bench nope', args: ['test/bench/main.js', 'nope'], code: 2, says: 'There is no benchmark "nope".\nSay: ' },
  ])('run $what says what can be said', ({ args: [script = '', ...args], code, says }) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry(script), ...args], { encoding: 'utf8' });
    expect(stdout + stderr).toContain(says);
    expect(stdout + stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(code);
  });

  it('start takes what is blank for not set, as in a sourced .env file', async () => {
    const home = mkdtempSync(join(tmpdir(), 'recheck-start-'));
    try {
      const env = { DATABASE_URL: '', SANDBOX_DATABASE_URL: '', ENCRYPTION_KEYS: '', TEMPORAL_ADDRESS: ' ' };
      const run = start(['local/start.js', '--home', home], env, home);
      expect(await run.stopWhenItStarts()).toBe(0);
      expect(run.output()).not.toMatch(/ECONNREFUSED|No encryption key/);
    } finally {
      removeCluster(openHome(home));
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('run screenshots ends and removes everything at one Ctrl-C, and goes to no real installation', async () => {
    // Any program that starts will do for a browser that is not reached.
    const env = { CHROMIUM_PATH: process.execPath, DATABASE_URL: 'postgres://127.0.0.1:1/x', SLACK_BOT_TOKEN: 'xoxb' };
    const run = start(['local/screenshots.js'], env);
    expect(await run.stopWhenItStarts()).toBe(130);
    expect(existsSync(run.home)).toBe(false);
    for (const pid of run.children()) expect(identify(pid)?.command ?? '').not.toContain(run.home);
  });
});

function start([script = '', ...args]: string[], env: NodeJS.ProcessEnv, given?: string) {
  const child = spawn(process.execPath, [entry(script), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const home = given ?? join(projectRoot(), '.recheck', 'screenshots', String(child.pid));
  let children: number[] = [];
  const started = () => {
    if (child.exitCode !== null) return true;
    const running = existsSync(home) ? openHome(home).read<{ children: { name: string; pid: number }[] }>(FILE) : null;
    children = running?.children.map(({ pid }) => pid) ?? [];
    return running?.children.some(({ name }) => name === 'postgres');
  };
  return {
    home,
    output: () => output,
    children: () => children,
    /** Sends one SIGINT when it has started PostgreSQL, and answers the exit code. */
    async stopWhenItStarts(): Promise<number | null> {
      try {
        await until(started, { what: 'PostgreSQL of the command', seconds: 60 });
        if (child.exitCode !== null) throw new Error(`It ended by itself: ${output}`);
        child.kill('SIGINT');
        if (child.exitCode === null) await once(child, 'exit');
        return child.exitCode;
      } finally {
        child.kill('SIGKILL');
      }
    },
  };
}

const FILE = 'processes.json';
