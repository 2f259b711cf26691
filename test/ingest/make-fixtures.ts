// Makes the axe fixtures anew: one page, scanned by axe-core in Chromium with every reporter, and the same page after
// a rebuild (new class hashes, other order, new session). Not part of a test run.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const folder = resolve('test/fixtures/reports/axe');
const shapes = { v1: 'v1', v2: 'v2', raw: 'raw', 'raw-env': 'rawEnv', 'no-passes': 'no-passes' };

async function scan(browser: Browser, run: { html: string; url: string; reporter: string }): Promise<unknown> {
  const page = await browser.newPage();
  await page.route('**/*', (route) =>
    route.request().resourceType() === 'document'
      ? route.fulfill({ contentType: 'text/html', body: readFileSync(join(folder, run.html), 'utf8') })
      : route.fulfill({ status: 404, body: '' }),
  );
  await page.goto(run.url);
  const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  for (const frame of page.frames()) await frame.evaluate(source);
  const result: unknown = await page.evaluate(`axe.run(document, { reporter: ${JSON.stringify(run.reporter)} })`);
  await page.close();
  return result;
}

async function main(): Promise<void> {
  const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args });
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), `${JSON.stringify(value)}\n`);
  try {
    for (const [name, reporter] of Object.entries(shapes)) {
      write(
        `${name}.json`,
        await scan(browser, { html: 'page.html', url: 'https://shop.example/orders?page=1', reporter }),
      );
    }
    const first = await scan(browser, { html: 'page.html', url: 'https://shop.example/orders?page=1', reporter: 'v2' });
    write('cli.json', [first]);
    const url = 'https://shop.example/orders/?utm_source=mail&page=1&sid=42#top';
    write('v2-rebuilt.json', await scan(browser, { html: 'page-rebuilt.html', url, reporter: 'v2' }));
  } finally {
    await browser.close();
  }
}

void main();
