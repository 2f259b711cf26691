import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../prisma/schema-engine';
import type { Progress } from './progress';

interface Lookup {
  onPath(name: string): string | undefined;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const INSTALLED = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
const CURE = [
  'No Chromium could be had, and the tests of the pages need one. Any one of these helps:',
  '  - set CHROMIUM_PATH to the executable of Chromium or Chrome',
  '  - install Chromium or Chrome so that it is on PATH (Debian: apt-get install chromium)',
  '  - run "npx playwright-core install --with-deps chromium"',
].join('\n');

/**
 * The path of a Chromium that starts: `configured` (CHROMIUM_PATH), on PATH, where systems install it, in Playwright's
 * cache; else fetched by Playwright's installer, else by apt-get where this is root on Debian. Throws with the cures.
 */
export async function findChromium({
  progress,
  configured,
}: {
  progress: Progress;
  configured?: string | undefined;
}): Promise<string> {
  if (configured) {
    if (starts(configured)) return configured;
    throw new Error(`CHROMIUM_PATH does not start: ${configured}\n${CURE}`);
  }
  const { onPath } = require(join(projectRoot(), 'local', 'temporal-binary.cjs')) as Lookup;
  const candidates = () => [...NAMES.map((name) => onPath(name)), ...INSTALLED, playwrightPath()];
  const find = () => candidates().find((path) => path !== undefined && existsSync(path) && starts(path));
  const found = find();
  if (found) return found;
  for (const install of [installWithPlaywright, installWithApt]) {
    await progress.step('Installing Chromium', install);
    const installed = find();
    if (installed) return installed;
  }
  throw new Error(CURE);
}

function starts(path: string): boolean {
  // Not asked on Windows: there the version opens a window.
  if (process.platform === 'win32') return existsSync(path);
  return spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0;
}

function playwrightPath(): string | undefined {
  const { chromium } = require('playwright-core') as typeof import('playwright-core');
  return chromium.executablePath() || undefined;
}

async function installWithPlaywright(): Promise<void> {
  const cli = join(projectRoot(), 'node_modules', 'playwright-core', 'cli.js');
  await run(process.execPath, [cli, 'install', 'chromium'], { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '10000' });
}

async function installWithApt(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], env);
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], env);
}

/** A failure shows in that no browser is there afterwards. */
function run(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'ignore', timeout: 600_000 });
    child.once('error', () => resolve()).once('close', () => resolve());
  });
}
