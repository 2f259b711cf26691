import { readFileSync } from 'node:fs';
import type { BlockAction, ButtonAction } from '@slack/bolt';
import type { ChatPostMessageArguments } from '@slack/web-api';
import { type Browser, chromium, type Page } from 'playwright-core';
import { modal, OLIVIA, startBolt, startWorld, type World } from './slack-fixture';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const ARGUMENTS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];

let world: World;
let bolt: Awaited<ReturnType<typeof startBolt>>;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  world = await startWorld();
  bolt = await startBolt(world.slack.apiUrl);
  world.slack.setRequestUrl(bolt.url);
  listen();
  const { CHROMIUM_PATH } = process.env;
  browser = await chromium.launch({ args: ARGUMENTS, ...(CHROMIUM_PATH ? { executablePath: CHROMIUM_PATH } : {}) });
});
afterAll(async () => {
  await browser?.close();
  await bolt.stop();
  await world.stop();
});
beforeEach(async () => {
  await world.sandbox('POST', 'reset');
  // axe is injected into the page, which the page's own policy rightly refuses to strangers.
  page = await browser.newPage({ bypassCSP: true });
  page.setDefaultTimeout(20_000);
});
afterEach(() => page.close());

function listen(): void {
  const { app } = bolt;
  app.command('/recheck', async ({ command, ack }) => {
    await ack(`you asked for ${command.text}`);
  });
  app.action<BlockAction<ButtonAction>>('verdict', async ({ body, ack, client }) => {
    await ack();
    await client.views.open({ trigger_id: body.trigger_id, view: modal() });
  });
  app.action('block', async ({ ack, respond }) => {
    await ack();
    await respond({ replace_original: true, text: 'F-1 is blocked' });
  });
  app.view('verdict', async ({ view, ack, client }) => {
    const note = view.state.values.note_block?.note?.value;
    if (note === 'ok') return ack({ response_action: 'errors', errors: { note_block: 'Say more than that' } });
    await ack();
    await client.chat.postMessage({ channel: world.slack.channelId, text: `verdict: ${note}` });
  });
  app.event('app_home_opened', async ({ event, client }) => {
    const text = { type: 'plain_text' as const, text: 'Fix Verification' };
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'header', text }] } });
  });
}

async function post(title = 'Images must have text', ts?: string): Promise<string> {
  const confirm = {
    title: { type: 'plain_text' as const, text: 'Really?' },
    text: { type: 'mrkdwn' as const, text: 'It leaves the *loop*' },
    confirm: { type: 'plain_text' as const, text: 'Block it' },
    deny: { type: 'plain_text' as const, text: 'No' },
  };
  const message = {
    channel: world.slack.channelId,
    text: 'F-1',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title } },
      {
        type: 'section',
        text: { type: 'mrkdwn', text: '*Where* <https://shop.example/a|the cart> &lt;img&gt; `code`' },
      },
      {
        type: 'actions',
        elements: [
          {
            type: 'button',
            action_id: 'verdict',
            style: 'primary',
            text: { type: 'plain_text', text: 'Give verdict' },
          },
          { type: 'button', action_id: 'block', style: 'danger', text: { type: 'plain_text', text: 'Block' }, confirm },
        ],
      },
    ],
  } satisfies Partial<ChatPostMessageArguments>;
  const { chat } = world.client;
  return String((await (ts ? chat.update({ ...message, ts }) : chat.postMessage(message))).ts);
}

const open = async (path = '/', user = OLIVIA) => {
  await page.goto(`${world.slack.url}${path}?user=${user}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
};
const composer = () => page.getByRole('textbox', { name: 'Message #accessibility' });

async function violations(): Promise<string[]> {
  await page.evaluate(AXE);
  const result = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
    return axe.run();
  });
  return result.violations.map((each) => each.id);
}

describe('the page of the sandbox', () => {
  it('lets the day scroll away with its messages instead of covering them', async () => {
    const channel = world.slack.channelId;
    for (let number = 1; number <= 40; number += 1) {
      await world.client.chat.postMessage({ channel, text: `Message ${number}` });
    }
    await open();
    await page.getByText('Message 40', { exact: true }).scrollIntoViewIfNeeded();
    const shown = () =>
      page.evaluate(() => {
        const box = (selector: string) => document.querySelector(selector)?.getBoundingClientRect();
        const [list, day] = [box('.messages'), box('.day span')];
        return list && day ? day.bottom > list.top : null;
      });
    expect(await shown()).toBe(false);
  });

  it('runs a slash command and shows the answer to that person only', async () => {
    await open();
    await composer().fill('/recheck list');
    await composer().press('Enter');
    const answer = page.getByRole('article').filter({ hasText: 'you asked for list' });
    await answer.getByText('Only visible to you').waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('combobox', { name: 'You are:' }).selectOption({ label: 'Mel Member (member)' });
    await page.getByText('This is the very beginning of #accessibility').waitFor();
  });

  it('shows a card as it is updated, without markup from foreign text', async () => {
    await open();
    const ts = await post();
    const card = page.getByRole('article').filter({ hasText: 'Images must have text' });
    await card.getByText('<img>').waitFor();
    expect(await card.getByRole('link', { name: 'the cart' }).getAttribute('href')).toBe('https://shop.example/a');
    await world.client.chat.update({ channel: world.slack.channelId, ts, text: 'F-1 is *verified*' });
    await page.getByRole('article').getByText('F-1 is verified').waitFor();
  });

  it('asks before a button that wants it, and follows the answer', async () => {
    await open();
    await post();
    await page.getByRole('button', { name: 'Block', exact: true }).click();
    const question = page.getByRole('alertdialog', { name: 'Really?' });
    expect(await violations()).toEqual([]);
    await question.getByRole('button', { name: 'No' }).click();
    await page.getByRole('button', { name: 'Block', exact: true }).click();
    await question.getByRole('button', { name: 'Block it' }).click();
    await page.getByText('F-1 is blocked').waitFor();
  });

  it('keeps a click on a message that changes while the button is down', async () => {
    await open();
    const ts = await post();
    await page.getByRole('button', { name: 'Give verdict' }).hover();
    await page.mouse.down();
    const changed = page.waitForResponse(async (answer) => (await answer.text()).includes('Inputs must have a label'));
    await post('Inputs must have a label', ts);
    await changed;
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.mouse.up();
    await page.getByRole('dialog', { name: 'Verdict' }).waitFor();
    await page.getByRole('heading', { name: 'Inputs must have a label', includeHidden: true }).waitFor();
  });

  it('fills in a modal, with the errors of Slack and of the app, by keyboard', async () => {
    await open();
    await post();
    await page.getByRole('button', { name: 'Give verdict' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Verdict' });
    await dialog.getByRole('button', { name: 'Save' }).press('Enter');
    await dialog.getByText('Please complete this required field.').waitFor();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('textbox', { name: 'Note' }).fill('ok');
    await page.keyboard.press('Enter');
    await dialog.getByText('Say more than that').waitFor();
    await dialog.getByRole('textbox', { name: 'Note' }).fill('gone on all pages');
    await page.keyboard.press('Enter');
    await page.getByText('verdict: gone on all pages').waitFor();
    await dialog.waitFor({ state: 'hidden' });
  });

  it('shows threads, replies in them, and offers the shortcuts of a message', async () => {
    const ts = await post();
    await world.client.chat.postMessage({ channel: world.slack.channelId, thread_ts: ts, text: 'pushed as ACC-1' });
    await open();
    await page.getByRole('button', { name: /1 reply/ }).click();
    const thread = page.getByRole('complementary', { name: 'Thread' });
    await thread.getByText('pushed as ACC-1').waitFor();
    await thread.getByRole('textbox', { name: 'Reply' }).fill('thank you');
    await page.keyboard.press('Enter');
    await thread.getByText('thank you').waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('main').getByRole('button', { name: 'More actions' }).first().click();
    await page.getByRole('menuitem', { name: /Push to Jira/ }).waitFor();
  });

  it('opens the Home tab of the app', async () => {
    await open();
    await page.getByRole('link', { name: 'Recheck' }).click();
    await page.getByRole('heading', { name: 'Fix Verification' }).waitFor();
    expect(await violations()).toEqual([]);
  });

  it('opens Messages of the app while it has no Home tab', async () => {
    world.slack.setRequestUrl('http://127.0.0.1:9/');
    await open();
    await page.getByRole('link', { name: 'Recheck' }).click();
    await page.getByRole('textbox', { name: 'Message Recheck' }).waitFor();
    const tabs = page.getByRole('navigation', { name: 'Tabs of the app' }).getByRole('link');
    expect(await tabs.allTextContents()).toEqual(['Messages', 'About']);
    expect(await violations()).toEqual([]);
    world.slack.setRequestUrl(bolt.url);
  });

  it('has one main part and one title where a thread takes the whole window', async () => {
    await page.setViewportSize({ width: 900, height: 900 });
    const ts = await post();
    await world.client.chat.postMessage({ channel: world.slack.channelId, thread_ts: ts, text: 'pushed as ACC-1' });
    await open();
    await page.getByRole('button', { name: /1 reply/ }).click();
    const thread = page.getByRole('main', { name: 'Thread' });
    await thread.getByRole('heading', { name: 'Thread', level: 1 }).waitFor();
    expect(await violations()).toEqual([]);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByRole('complementary', { name: 'Thread' }).waitFor();
    await page.getByRole('main').getByText('Images must have text').waitFor();
  });

  it('can be read on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await post();
    await open();
    const card = page.getByRole('article').filter({ hasText: 'Images must have text' });
    await card.waitFor();
    expect(await card.evaluate((element) => element.querySelector('.blocks')?.clientWidth)).toBeGreaterThan(290);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('.topbar, .sidebar, .main-title, .messages')]
        .filter((element) => element.scrollWidth > element.clientWidth)
        .map((element) => element.className),
    );
    expect(cut).toEqual([]);
    expect(await violations()).toEqual([]);
  });

  it('follows a permalink to its message', async () => {
    const ts = await post();
    const { permalink } = await world.client.chat.getPermalink({ channel: world.slack.channelId, message_ts: ts });
    await page.goto(String(permalink));
    await page.locator('.highlighted').getByText('Images must have text').waitFor();
  });

  it('says when the app does not answer', async () => {
    world.slack.setRequestUrl('http://127.0.0.1:9/');
    await open();
    await composer().fill('/recheck help');
    await composer().press('Enter');
    await page.getByText('/recheck failed with the error "dispatch_failed"').waitFor();
    world.slack.setRequestUrl(bolt.url);
  });
});
