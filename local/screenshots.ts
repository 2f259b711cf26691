// ENTRY of `npm run screenshots`: takes the README's pictures, with the whole of Recheck on a temporary home.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { projectRoot } from '../prisma/schema-engine';
import { findChromium } from './chromium';
import { openTemporaryHome, removeHome } from './demo/temporary-home';
import { withoutForeign } from './environment';
import type { LocalFile } from './local-file';
import { tour } from './page-tour';
import { createProgress } from './progress';
import { startStack } from './stack';
import { onStopSignal } from './stop-signal';

const progress = createProgress();
const target = join(projectRoot(), 'docs', 'screenshots');
/** Stops of the tour that the README shows. */
const shown = new Map([
  ['session', 'slack.png'],
  ['flagged', 'slack-needs-rerun.png'],
  ['board', 'jira-board.png'],
  ['issue', 'jira-issue.png'],
  ['temporal', 'temporal-ui.png'],
]);

async function main(): Promise<void> {
  const executablePath = await findChromium({ progress, configured: process.env.CHROMIUM_PATH });
  const home = await openTemporaryHome('screenshots');
  const env = withoutForeign(process.env);
  const stack = await startStack({ home: home.dir, env, progress, onDeath: progress.say });
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= stack.stop().then(() => removeHome(home));
    return ending;
  };
  let isStopped = false;
  onStopSignal({
    first() {
      isStopped = true;
      progress.say('Stopping ... (Ctrl-C again to force)');
      void end().finally(() => process.exit(130));
    },
    again() {
      stack.kill();
      process.exit(130);
    },
  });
  try {
    const local = await stack.ready;
    await sendReport(local);
    await takePictures(local, executablePath);
    await end();
  } catch (error) {
    // What fails while everything is being stopped is no news; the stop ends the process.
    if (isStopped) return new Promise<never>(() => {});
    await end();
    throw error;
  }
}

async function sendReport({ baseUrl, apiKey, sourceKeys }: LocalFile): Promise<void> {
  const body = readFileSync(join(projectRoot(), 'local', 'demo-reports', 'shop.axe.json'));
  const headers = { authorization: `Bearer ${apiKey}` };
  const sent = await fetch(`${baseUrl}/api/v1/sources/${sourceKeys.site}/reports`, { method: 'POST', headers, body });
  if (!sent.ok) throw new Error(`The report was not taken: ${await sent.text()}`);
  const others = { source: sourceKeys.site, findings: ['F-2', 'F-3', 'F-4'] };
  await fetch(`${baseUrl}/api/v1/pushes`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(others),
  });
}

async function takePictures(local: LocalFile, executablePath: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const browser = await chromium.launch({
    executablePath,
    // The signals are ours: Playwright would end the process before everything else has stopped.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
    await tour({
      context,
      slackUrl: local.slackUrl ?? '',
      jiraUrl: local.jiraUrl ?? '',
      temporalUi: local.temporalUi,
      temporalNamespace: local.temporalNamespace,
      finding: 'F-1',
      at: async (stop, page) => {
        const file = shown.get(stop);
        if (file) await page.screenshot({ path: join(target, file) });
      },
    });
    progress.say(`Pictures are in ${target}`);
  } finally {
    await browser.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    progress.say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
