import { type Browser, chromium, type Page } from 'playwright-core';
import { command } from '../../local/page-tour';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';

jest.setTimeout(240_000);

describe('pushing in the page of the sandbox', () => {
  let stack: Stack;
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = process.env.CHROMIUM_PATH;
    if (!executablePath)
      throw new Error('CHROMIUM_PATH is not set. "npm test" sets it, and says how to get a Chromium.');
    stack = await startStack({ env: { JIRA_TIMEOUT_MS: '15000', CREATE_TIMEOUT_MS: '20000' } });
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    });
    const cases = Array.from(
      { length: 5 },
      (_, index) => `<testcase classname="cart" name="case ${index}"><failure message="no"/></testcase>`,
    );
    const report = `<testsuite name="cart">${cases.join('')}</testsuite>`;
    await must(stack.api('POST', `/api/v1/sources/${stack.local.sourceKeys.suite}/reports`, report));
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  async function slackOf(role: 'owner' | 'admin'): Promise<Page> {
    const user = stack.local.members.find((each) => each.role === role)?.slackUserId;
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${stack.local.slackUrl}/?user=${user}`);
    return page;
  }
  const pushMessage = (page: Page, head: string) =>
    page.getByRole('article').filter({ has: page.getByRole('heading', { name: new RegExp(`^${head}`) }) });

  it('P3 P9 is picked, waits for another admin, who approves it, and is reported in the same message', async () => {
    const source = stack.local.sourceKeys.suite;
    const owner = await slackOf('owner');
    await command(owner, `/recheck rules ${source}`);
    const dialog = owner.getByRole('dialog');
    await dialog.getByLabel('Every push needs one').check();
    await dialog.getByRole('button', { name: 'Save sync rule' }).click();
    await dialog.getByText('Saved.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();

    await command(owner, `/recheck push ${source}`);
    await owner.getByRole('button', { name: `Choose… findings of ${source}` }).click();
    await dialog.getByRole('button', { name: 'Push 5 selected' }).waitFor();
    await dialog.getByRole('checkbox', { name: /case 0/ }).uncheck();
    await dialog.getByRole('textbox', { name: /Review note/ }).fill('Seen on staging');
    await dialog.getByRole('button', { name: 'Push 4 selected' }).click();
    await owner.getByText('An admin has to approve this push first').waitFor();
    const waiting = pushMessage(owner, 'Waiting for approval');
    await waiting.getByRole('button', { name: /^Approve/ }).click();
    await owner.getByText('You asked for this push, so another admin or owner has to approve it').waitFor();

    const admin = await slackOf('admin');
    await command(admin, '/recheck approve');
    await admin.getByText('1 push waiting for approval').waitFor();
    await pushMessage(admin, 'Waiting for approval')
      .getByRole('button', { name: /^Approve/ })
      .click();
    await admin.getByText('Approved. The message of the push shows how far it is.').waitFor();
    const finished = pushMessage(owner, 'Push finished');
    await finished.getByText('4 created in Jira.').waitFor();
    await finished.getByText('Review note: Seen on staging').waitFor();
    const open = await must(stack.api('GET', `/api/v1/findings?source=${source}&status=open`));
    expect(open.items).toHaveLength(1);
    expect(await waiting.count()).toBe(0);
  });

  it('P3 says why nothing is pushed that nobody has ticked', async () => {
    const page = await slackOf('owner');
    await command(page, `/recheck push ${stack.local.sourceKeys.suite}`);
    await page
      .getByRole('button', { name: /^Choose… findings/ })
      .last()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Untick all' }).click();
    await dialog.getByRole('button', { name: 'Push 0 selected' }).click();
    await dialog.getByText('Tick at least one finding, or press Cancel.').waitFor();
    await dialog.getByRole('button', { name: 'Tick all', exact: true }).click();
    await dialog.getByRole('button', { name: 'Push 1 selected' }).waitFor();
  });
});
