// Makes the shipped demo reports anew by real runs: axe-core in Chromium over the shop's pages, and Jest over the cart.
// Run with CHROMIUM_PATH set where Chromium is not on PATH as `chromium`.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const site = 'https://shop.example';
const pages = { '/': 'index.html', '/cart': 'cart.html', '/checkout': 'checkout.html' };

/** Scans the shop's pages with axe-core and answers what the CLI would write: an array, one result per page. */
export async function scanShop(folder: string, executablePath: string): Promise<unknown[]> {
  const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const results: unknown[] = [];
    for (const path of Object.keys(pages)) results.push(await scanPage(browser, { path, folder }));
    return results;
  } finally {
    await browser.close();
  }
}

async function scanPage(browser: Browser, { path, folder }: { path: string; folder: string }): Promise<unknown> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  // The pages have an address of their own in the report, and no server has to run for it.
  await page.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = Object.entries(pages).find(([address]) => address === pathname)?.[1] ?? pathname.slice(1);
    const file = join(folder, 'site', name);
    if (existsSync(file)) await route.fulfill({ path: file });
    else await route.fulfill({ status: 404, body: '' });
  });
  await page.goto(site + path);
  await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
  const result: unknown = await page.evaluate("axe.run(document, { resultTypes: ['violations', 'incomplete'] })");
  await context.close();
  return result;
}

/** Runs the example tests with Jest and writes their JUnit report; some are meant to fail. */
export function runCartTests(folder: string, outputFile: string): void {
  const rootDir = join(folder, 'cart');
  const config = {
    rootDir,
    testMatch: ['**/*.example.cjs'],
    moduleFileExtensions: ['cjs', 'js'],
    transform: {},
    reporters: [[join(folder, 'jest-junit-reporter.cjs'), { outputFile, rootDir }]],
  };
  const args = [require.resolve('jest/bin/jest'), '--config', JSON.stringify(config), '--runInBand'];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: rootDir });
  if (!existsSync(outputFile)) throw new Error(`Jest wrote no report: ${run.stderr || run.error?.message}`);
}

function demoFolder(from = __dirname): string {
  const folder = join(from, 'local', 'demo-reports');
  if (existsSync(join(from, 'package.json')) && existsSync(join(folder, 'site'))) return folder;
  if (dirname(from) === from) throw new Error('The folder local/demo-reports was not found above this file.');
  return demoFolder(dirname(from));
}

async function main(): Promise<void> {
  const folder = demoFolder();
  const target = resolve(process.argv[2] ?? folder);
  const report = await scanShop(folder, process.env.CHROMIUM_PATH ?? '/usr/bin/chromium');
  writeFileSync(join(target, 'shop.axe.json'), `${JSON.stringify(report, null, 1)}\n`);
  runCartTests(folder, join(target, 'cart.junit.xml'));
  const size = readFileSync(join(target, 'shop.axe.json')).length;
  process.stdout.write(`${target}: shop.axe.json (${Math.round(size / 1024)} KB), cart.junit.xml\n`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  });
}
