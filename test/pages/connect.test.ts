import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { command } from '../../local/page-tour';
import { createSlackPeople } from '../connect/support';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';

jest.setTimeout(240_000);

const MANY_TABS = 80;

describe('the connect page in Chromium', () => {
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  let account: { siteUrl: string; email: string; apiToken: string };
  beforeAll(async () => {
    const executablePath = process.env.CHROMIUM_PATH;
    if (!executablePath)
      throw new Error('CHROMIUM_PATH is not set. "npm test" sets it, and says how to get a Chromium.');
    stack = await startStack({ env: { JIRA_TIMEOUT_MS: '15000', CREATE_TIMEOUT_MS: '20000' } });
    const { jiraUrl = '', jiraBotEmail = '', jiraBotApiToken = '' } = stack.local;
    account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken };
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });
  beforeEach(async () => {
    await stack.faults.clear();
    await must(stack.sandbox('PUT', '/oauth/sites', { count: 2 }));
    // What was told in an earlier test would stay on Slack's page, with links that are used up.
    await must(stack.slack('POST', '/reset'));
    context = await browser.newContext();
    context.setDefaultTimeout(60_000);
  });
  afterEach(() => context.close());

  it('C9 C1 connects by API token with the keyboard alone, from Slack to a tested connection', async () => {
    const page = await openFromSlack();
    await isAccessible(page);
    await type(page, field(page, 'Jira site URL'), account.siteUrl);
    await type(page, field(page, 'Account e-mail'), account.email);
    await type(page, field(page, 'API token'), 'wrong');
    await press(page, button(page, 'Connect with API token'));
    await page.getByText('Failed: Credentials valid').waitFor();
    await isAccessible(page);
    expect(await page.title()).toMatch(/^Error: /);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('alert');
    expect(await field(page, 'API token').getAttribute('aria-invalid')).toBe('true');
    expect(await field(page, 'Jira site URL').inputValue()).toBe(account.siteUrl);
    expect(await field(page, 'API token').inputValue()).toBe('');

    await type(page, field(page, 'API token'), account.apiToken);
    await press(page, button(page, 'Connect with API token'));
    await page.getByRole('heading', { name: 'Choose the project' }).waitFor();
    await isAccessible(page);
    await tabTo(page, page.getByLabel('Project', { exact: true }));
    await page.keyboard.type('WEB');
    await tabTo(page, page.getByRole('checkbox', { name: /Auto sync/ }));
    await page.keyboard.press('Space');
    await press(page, button(page, 'Save connection'));
    await page.getByRole('heading', { name: 'Set up the webhook' }).waitFor();
    await isAccessible(page);
    const secret = page.getByLabel('Webhook secret');
    await tabTo(page, secret);
    const selected = () =>
      page.evaluate(() => document.activeElement instanceof HTMLInputElement && document.activeElement.selectionEnd);
    expect(await selected()).toBe((await secret.inputValue()).length);
    await page.reload();
    await page.getByText('cannot be shown again').waitFor();
    await isAccessible(page);

    await press(page, page.getByRole('link', { name: 'Go on to the connection' }));
    await press(page, button(page, 'Test connection'));
    await page.getByText('Passed: Permissions present').waitFor();
    await isAccessible(page);
    await press(page, page.getByRole('link', { name: 'WEB', exact: true }));
    await page.getByRole('heading', { name: 'What Done means in WEB' }).waitFor();
    await isAccessible(page);
    await tabTo(page, page.getByLabel('Duplicate'));
    await page.keyboard.press('Space');
    await press(page, button(page, 'Save'));
    await page.getByText('Saved.').waitFor();
    expect(await page.getByLabel('Duplicate').isChecked()).toBe(false);

    await press(page, page.getByRole('link', { name: 'Back to the connection' }));
    await press(page, page.getByRole('link', { name: 'Disconnect' }));
    await page.getByRole('heading', { name: /^Disconnect .*\?$/ }).waitFor();
    await isAccessible(page);
    await press(page, button(page, /^Disconnect/));
    await page.getByText('The connection was ended').waitFor();
    await isAccessible(page);
  });

  it('C9 C2 connects with Atlassian with the keyboard alone: consent, choice of site and project, and again', async () => {
    const page = await openFromSlack();
    await press(page, button(page, 'Connect with Atlassian'));
    await press(page, button(page, 'Accept'));
    await page.getByRole('heading', { name: 'Choose the Jira site' }).waitFor();
    await isAccessible(page);
    await tabTo(page, page.getByRole('radio').first());
    await press(page, button(page, 'Go on'));
    await page.getByRole('heading', { name: 'Choose the project' }).waitFor();
    await must(stack.sandbox('PUT', '/projects/ACC', { denied: ['CREATE_ISSUES'] }));
    await page.reload();
    await tabTo(page, page.getByLabel('Project', { exact: true }));
    await page.keyboard.type('WEB');
    await must(stack.sandbox('PUT', '/projects/WEB', { denied: ['CREATE_ISSUES'] }));
    await press(page, button(page, 'Save connection'));
    await page.getByText('Failed: Permissions present').waitFor();
    await isAccessible(page);
    await must(stack.sandbox('PUT', '/projects/WEB', { denied: [] }));
    await must(stack.sandbox('PUT', '/projects/ACC', { denied: [] }));
    await page.reload();
    await press(page, button(page, 'Save connection'));
    await page.getByText('registered in Jira by itself').waitFor();
    await isAccessible(page);
    await press(page, page.getByRole('link', { name: 'Go on to the connection' }));
    await page.getByText('OAuth').first().waitFor();
    await isAccessible(page);
    await press(page, page.getByRole('link', { name: 'Reconnect' }));
    await page.getByRole('heading', { name: 'New credentials' }).waitFor();
    await isAccessible(page);
    await press(page, button(page, 'Reconnect with Atlassian'));
    await press(page, button(page, 'Accept'));
    await page.getByText('has new credentials').waitFor();
    await isAccessible(page);

    await page.goto(`${stack.local.baseUrl}/connect`);
    await press(page, button(page, 'Connect with Atlassian'));
    await press(page, button(page, 'Cancel'));
    await page.getByRole('alert').getByText('the consent was declined').waitFor();
    await isAccessible(page);
  });

  it('C9 C10 shows a broken connection, asks for a new token, and stays accessible wherever it says no', async () => {
    const url = await createSlackPeople(stack).connectUrl('owner');
    const page = await context.newPage();
    await page.goto(url);
    const at = `${stack.local.baseUrl}/connect/connections/${stack.local.connectionId}`;
    const fault = await stack.faults.add({ kind: 'revoked', account: 'bot' });
    await page.goto(at);
    await press(page, button(page, 'Test connection'));
    await page.getByText('needs to be reconnected').waitFor();
    await isAccessible(page);
    await press(page, page.getByRole('link', { name: 'Reconnect' }));
    await page.getByRole('heading', { name: 'New credentials' }).waitFor();
    await isAccessible(page);
    await type(page, field(page, 'New API token'), 'wrong');
    await press(page, button(page, 'Reconnect'));
    await page.getByText('left as it is').waitFor();
    await isAccessible(page);
    await stack.faults.remove(fault.id);
    await type(page, field(page, 'New API token'), account.apiToken);
    await press(page, button(page, 'Reconnect'));
    await page.getByText('has new credentials').waitFor();

    for (const [path, says] of [
      [`/connect/${'x'.repeat(43)}`, 'did not make this link'],
      [new URL(url).pathname, 'opened before'],
      ['/connect/setup/none', 'This step is over'],
      ['/connect/nowhere/at/all', 'There is no such page'],
    ] as const) {
      await page.goto(stack.local.baseUrl + path);
      await page.getByText(says).waitFor();
      await isAccessible(page);
    }
    await page.goto(`${stack.local.baseUrl}/connect`);
    await press(page, button(page, /^Sign out/));
    await page.getByText('Your session is over').waitFor();
    await isAccessible(page);
    await page.goto(`${stack.local.baseUrl}/connect`);
    await page.getByText('Open this page from Slack').first().waitFor();
    await isAccessible(page);
  });

  it('C9 says the same in the dark and without scripts', async () => {
    const dark = await browser.newContext({ colorScheme: 'dark' });
    const page = await dark.newPage();
    await page.goto(await createSlackPeople(stack).connectUrl('admin'));
    await isAccessible(page);
    await page.goto(`${stack.local.baseUrl}/connect/connections/${stack.local.connectionId}`);
    await isAccessible(page);
    await dark.close();

    const plain = await browser.newContext({ javaScriptEnabled: false });
    const simple = await plain.newPage();
    await simple.goto(await createSlackPeople(stack).connectUrl('admin'));
    expect(await simple.locator('script').count()).toBe(0);
    await field(simple, 'Jira site URL').fill(account.siteUrl);
    await field(simple, 'Account e-mail').fill(account.email);
    await field(simple, 'API token').fill(account.apiToken);
    await field(simple, 'Project key').fill('ACC');
    await button(simple, 'Connect with API token').click();
    await simple.getByRole('heading', { name: 'Set up the webhook' }).waitFor();
    await plain.close();
  });

  /** Types the command on Slack's page and follows the button to the connect page. */
  async function openFromSlack(): Promise<Page> {
    const slack = await context.newPage();
    await slack.goto(stack.local.slackUrl ?? '');
    await command(slack, '/recheck connect');
    const name = 'Open the connect page';
    const link = slack.getByRole('link', { name }).or(slack.getByRole('button', { name }));
    const opened = context.waitForEvent('page');
    await link.focus();
    await slack.keyboard.press('Enter');
    const page = await opened;
    await page.getByRole('heading', { name: 'Connect Jira', exact: true }).waitFor();
    expect(page.url()).toBe(`${stack.local.baseUrl}/connect`);
    return page;
  }
});

const field = (page: Page, label: string) => page.getByLabel(label, { exact: label === 'API token' });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });

/** No violation of any rule of axe. */
async function isAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }));
  expect({ url: page.url(), found }).toEqual({ url: page.url(), found: [] });
}

/** Goes on with the Tab key until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let tabs = 0; tabs < MANY_TABS; tabs += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The Tab key does not reach ${String(wanted)} on ${page.url()}.`);
}

async function type(page: Page, wanted: Locator, text: string): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

async function press(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press('Enter');
}
