import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { authorizeUrl } from './jira-oauth-support';
import { issueBody, paragraph, type SandboxUnderTest, startReceiver, startUnderTest } from './jira-support';

// The board in a real Chromium, worked as a person works it: with the pointer, and with the keyboard alone.

const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let jira: SandboxUnderTest;
let browser: Browser;
let page: Page;
let key: string;

beforeAll(async () => {
  const executablePath = process.env.CHROMIUM_PATH;
  if (!executablePath)
    throw new Error('CHROMIUM_PATH is not set. Run the tests with "npm test", which finds Chromium.');
  jira = await startUnderTest();
  const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];
  browser = await chromium.launch({ executablePath, args });
});

beforeEach(async () => {
  await jira.anonymous('POST', '/sandbox/reset');
  const fields = { summary: 'Images need a text', labels: ['marker'], description: paragraph('A <b>picture</b>') };
  key = (await jira.bot('POST', '/rest/api/3/issue', issueBody(fields))).body.key;
  page = await browser.newPage();
  await page.goto(jira.sandbox.url);
  await page.getByRole('link', { name: 'Images need a text' }).waitFor();
});

afterEach(() => page.close());

afterAll(async () => {
  await browser.close();
  await jira.stop();
});

async function violations(): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations.map(({ id }) => id);
  });
}

async function fields() {
  return (await jira.bot('GET', `/rest/api/3/issue/${key}`)).body.fields;
}

function column(name: string) {
  return page.getByRole('region', { name });
}

it('moves an issue to Done with a resolution by keyboard alone, in the name of a person', async () => {
  expect(await violations()).toEqual([]);
  await page.getByRole('button', { name: `Move ${key} to` }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'In Progress' }).waitFor();
  expect(await violations()).toEqual([]);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: `Move ${key} to Done` }).waitFor();
  expect(await violations()).toEqual([]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await column('Done').getByText("Won't Do").waitFor();
  expect(await fields()).toMatchObject({ status: { name: 'Done' }, resolution: { name: "Won't Do" } });
  const { body } = await jira.bot('GET', `/rest/api/3/issue/${key}/changelog`);
  expect(body.values[0].author.displayName).toBe('Dana Developer');
});

it('moves an issue by dragging', async () => {
  const card = page.getByRole('listitem').filter({ hasText: key });
  await card.dragTo(column('In Progress'));
  await column('In Progress').getByText(key).waitFor();
  expect(await fields()).toMatchObject({ status: { name: 'In Progress' } });
});

it('can move to Done without a resolution, and set it in the issue afterwards', async () => {
  await page.getByRole('link', { name: 'Images need a text' }).click();
  const dialog = page.getByRole('dialog', { name: 'Images need a text' });
  await dialog.getByRole('button', { name: /^Status/ }).click();
  await page.getByRole('menuitem', { name: 'Done' }).click();
  await page.getByRole('radio', { name: 'None yet' }).check();
  await page.getByRole('button', { name: 'Move to Done' }).click();
  await dialog.getByRole('combobox', { name: 'Resolution' }).waitFor();
  expect(await fields()).toMatchObject({ status: { name: 'Done' }, resolution: null });
  await dialog.getByRole('combobox', { name: 'Resolution' }).selectOption('Duplicate');
  await dialog.getByText('→').filter({ hasText: 'Duplicate' }).waitFor();
  expect(await fields()).toMatchObject({ resolution: { name: 'Duplicate' } });
  expect(await violations()).toEqual([]);
});

it('shows an issue at its own address, its document as text, and takes a comment', async () => {
  await page.goto(`${jira.sandbox.url}/browse/${key}`);
  await page.getByText('A <b>picture</b>').waitFor();
  await page.getByLabel('Add a comment').fill('It is fixed.\n\nPlease look.');
  await page.getByRole('button', { name: 'Save comment' }).click();
  await page.getByText('Please look.').waitFor();
  expect((await fields()).comment.comments[0].body.content).toHaveLength(2);
  expect(await violations()).toEqual([]);
});

it('shows at once what others do', async () => {
  await jira.bot('POST', '/rest/api/3/issue', issueBody({ summary: 'Made while you look' }));
  await page.getByRole('link', { name: 'Made while you look' }).waitFor();
  await jira.bot('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: '31' } });
  await column('In Review').getByText(key).waitFor();
});

it('creates and deletes an issue', async () => {
  await page.getByRole('button', { name: 'Create issue' }).click();
  await page.getByLabel('Summary').fill('By hand');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByRole('link', { name: 'By hand' }).click();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page
    .getByRole('dialog', { name: /^Delete/ })
    .getByRole('button', { name: 'Delete' })
    .click();
  await page.getByRole('link', { name: 'By hand' }).waitFor({ state: 'detached' });
  expect((await jira.anonymous('GET', '/sandbox/issues')).body.count).toBe(1);
});

it('keeps long labels inside what holds them', async () => {
  const label = 'recheck-a85f8efd9441f00d';
  await jira.bot('PUT', `/rest/api/3/issue/${key}`, { fields: { labels: [label] } });
  await page.setViewportSize({ width: 390, height: 844 });
  const shown = page.getByText(label).filter({ visible: true });
  await shown.waitFor();
  const rightEdges = await shown.evaluate((element) =>
    ['.labels li', '.card', '.cards'].map((each) => element.closest(each)?.getBoundingClientRect().right ?? 0),
  );
  expect(rightEdges).toEqual([...rightEdges].sort((one, other) => one - other));
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('link', { name: 'Images need a text' }).click();
  const inPanel = page.getByRole('dialog').getByRole('list', { name: 'Labels' }).getByText(label);
  expect(await inPanel.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
});

it('lets an app in with the keyboard alone, and takes the person back to it', async () => {
  const app = await startReceiver();
  try {
    await page.goto(authorizeUrl(jira, { redirect_uri: `${app.url}/callback` }));
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Accept');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.url}/callback?**`);
    expect(new URL(page.url()).searchParams.get('code')).toMatch(/^.{20,}$/);
  } finally {
    await app.stop();
  }
});
