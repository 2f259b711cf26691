import type { BlockAction, ButtonAction, StaticSelectAction, ViewSubmitAction } from '@slack/bolt';
import type { KnownBlock } from '@slack/web-api';
import { until } from '../support/until';
import { MEL, modal, OLIVIA, startBolt, startWorld, type World } from './slack-fixture';

let world: World;
let bolt: Awaited<ReturnType<typeof startBolt>>;
const heard: Record<string, unknown>[] = [];
const submitted: ViewSubmitAction['view'][] = [];
let submitAnswer: object | undefined;
let wordOfTrigger: string[] = [];

beforeAll(async () => {
  world = await startWorld();
  bolt = await startBolt(world.slack.apiUrl);
  world.slack.setRequestUrl(bolt.url);
  listen();
});
afterAll(async () => {
  await bolt.stop();
  await world.stop();
});
beforeEach(() => {
  heard.length = 0;
  submitted.length = 0;
  submitAnswer = undefined;
});

function listen(): void {
  const { app } = bolt;
  app.error(async (error) => {
    heard.push({ error: error.message });
  });
  app.command('/recheck', async ({ command, ack, respond, client }) => {
    heard.push({ ...command });
    if (command.text === 'silence') return;
    if (command.text === 'open') {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: modal() });
      wordOfTrigger = [await wordOf(client.views.open({ trigger_id: command.trigger_id, view: modal() }))];
      return;
    }
    await ack(
      command.text === 'public' ? { response_type: 'in_channel', text: 'for all' } : `you said ${command.text}`,
    );
    if (command.text === 'later') await respond('and here is more');
  });
  app.action<BlockAction<ButtonAction>>('push', async ({ body, action, ack, respond, client }) => {
    heard.push({ ...action, body });
    await ack();
    if (action.value === 'open') await client.views.open({ trigger_id: body.trigger_id, view: modal('From a button') });
    else await respond({ replace_original: true, text: `pushed ${action.value}` });
  });
  app.action<BlockAction<StaticSelectAction>>('severity', async ({ action, ack }) => {
    heard.push({ ...action });
    await ack();
  });
  app.view('verdict', async ({ view, ack }) => {
    submitted.push(view);
    if (submitAnswer) await ack(submitAnswer as never);
    else await ack();
  });
  app.view({ callback_id: 'verdict', type: 'view_closed' }, async ({ body, ack }) => {
    heard.push({ closed: 'is_cleared' in body && body.is_cleared });
    await ack();
  });
  app.event('app_home_opened', async ({ event, client }) => {
    const blocks: KnownBlock[] = [
      {
        type: 'actions',
        elements: [{ type: 'button', action_id: 'push', value: 'open', text: { type: 'plain_text', text: 'Set up' } }],
      },
    ];
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } });
  });
  app.shortcut('push_to_jira', async ({ shortcut, ack }) => {
    heard.push({ ...shortcut });
    await ack();
  });
  app.options('source', async ({ options, ack }) => {
    await ack({ options: [{ text: { type: 'plain_text', text: `Site ${options.value}` }, value: 'site' }] });
  });
}

const wordOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: { data?: { error?: string } }) => error.data?.error ?? String(error),
  );

const command = (text: string, wait = 0) =>
  world.act('command', { user: OLIVIA, channel: world.slack.channelId, text, wait });

async function card(): Promise<string> {
  const severities = ['critical', 'minor'].map((value) => ({
    text: { type: 'plain_text' as const, text: value },
    value,
  }));
  const { ts } = await world.client.chat.postMessage({
    channel: world.slack.channelId,
    text: 'F-1',
    blocks: [
      {
        type: 'actions',
        block_id: 'actions',
        elements: [
          { type: 'button', action_id: 'push', value: 'F-1', text: { type: 'plain_text', text: 'Push' } },
          { type: 'static_select', action_id: 'severity', options: severities },
        ],
      },
      {
        type: 'input',
        block_id: 'source_block',
        label: { type: 'plain_text', text: 'Source' },
        element: { type: 'external_select', action_id: 'source' },
      },
    ],
  });
  return String(ts);
}

describe('slash commands', () => {
  it('reach Bolt with a valid signature, and the text of its 200 is shown', async () => {
    const answer = await command('help severity>=serious @Mel Member');
    expect(answer).toMatchObject({ status: 200, ephemerals: [{ text: expect.stringContaining('you said help') }] });
    expect(heard[0]).toMatchObject({
      command: '/recheck',
      text: `help severity&gt;=serious <@${MEL}>`,
      user_id: OLIVIA,
      channel_name: 'accessibility',
      is_enterprise_install: 'false',
    });
  });
  it('are answered in the channel when the app says so, with what was typed', async () => {
    await command('public');
    const { messages } = await world.client.conversations.history({ channel: world.slack.channelId, limit: 2 });
    expect(messages?.map((each) => each.text)).toEqual(['for all', '/recheck public']);
  });
  it('take a later answer by response_url', async () => {
    await command('later');
    await until(async () =>
      (await (await world.sandbox('GET', `state?user=${OLIVIA}`)).text()).includes('here is more'),
    );
  });
  it('fail in the words of Slack when the app says nothing in time', async () => {
    const { error, ephemerals } = await command('silence');
    expect(error).toBe('operation_timeout');
    expect(ephemerals[0]?.text).toBe('/recheck failed with the error "operation_timeout"');
  });
  it('are refused by Bolt when the secret is another', async () => {
    const secret = new URL(bolt.url);
    const forged = await fetch(secret, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)),
        'x-slack-signature': 'v0=00',
      },
      body: 'command=%2Frecheck',
    });
    expect(forged.status).toBe(401);
  });
  it('open a modal once with their trigger', async () => {
    const { view } = await command('open', 5000);
    expect(view?.title.text).toBe('Verdict');
    await until(() => wordOfTrigger.length > 0);
    expect(wordOfTrigger).toEqual(['exchanged_trigger_id']);
  });
});

describe('clicks', () => {
  it('arrive with message, value and a working response_url', async () => {
    const ts = await card();
    const channel = world.slack.channelId;
    const answer = await world.act('click', { user: MEL, channel, ts, actionId: 'push' });
    expect(answer.status).toBe(200);
    expect(heard[0]).toMatchObject({
      action_id: 'push',
      value: 'F-1',
      body: { user: { id: MEL }, container: { message_ts: ts, is_ephemeral: false }, message: { ts } },
    });
    await until(async () => {
      const { messages } = await world.client.conversations.history({ channel, limit: 5 });
      return messages?.some((each) => each.ts === ts && each.text === 'pushed F-1');
    });
  });
  it('carry the option chosen, and refuse one that is not there', async () => {
    const ts = await card();
    const act = (value: string) =>
      world.sandbox('POST', 'act/click', {
        user: MEL,
        channel: world.slack.channelId,
        ts,
        actionId: 'severity',
        value,
      });
    expect((await act('minor')).status).toBe(200);
    expect(heard[0]).toMatchObject({ selected_option: { value: 'minor' } });
    expect((await act('blocker')).status).toBe(404);
  });
  it('ask for the options of an external select', async () => {
    const ts = await card();
    const { body } = await world.act('suggest', {
      user: MEL,
      channel: world.slack.channelId,
      ts,
      actionId: 'source',
      blockId: 'source_block',
      value: 'sh',
    });
    expect(body).toMatchObject({ options: [{ text: { text: 'Site sh' } }] });
  });
  it('in the Home tab carry a trigger, and no channel', async () => {
    await world.act('home', { user: OLIVIA });
    await until(
      async () => ((await (await world.sandbox('GET', `state?user=${OLIVIA}`)).json()) as { home: unknown }).home,
    );
    const { view } = await world.act('click', { user: OLIVIA, actionId: 'push', wait: 5000 });
    expect(view?.title.text).toBe('From a button');
    expect(heard[0]).toMatchObject({ body: { container: { type: 'view' } } });
    expect(heard[0]?.body).not.toHaveProperty('channel');
  });
  it('on a message shortcut carry the message', async () => {
    const ts = await card();
    await world.act('shortcut', { user: MEL, channel: world.slack.channelId, ts, callbackId: 'push_to_jira' });
    expect(heard[0]).toMatchObject({ type: 'message_action', message_ts: ts, message: { text: 'F-1' } });
  });
});

describe('modals', () => {
  const open = async () => {
    const { view } = await command('open', 5000);
    if (!view) throw new Error('no modal opened');
    return view;
  };
  const submit = (viewId: string, values: object) => world.act('submit', { user: OLIVIA, viewId, values });

  it('are not sent while a required input is empty', async () => {
    const view = await open();
    expect((await submit(view.id, {})).errors).toEqual({ note_block: 'Please complete this required field.' });
    expect(submitted).toEqual([]);
  });
  it('send what was entered and close on an empty answer', async () => {
    const view = await open();
    const answer = await submit(view.id, { note: 'looks fixed' });
    expect(submitted[0]?.state.values.note_block?.note?.value).toBe('looks fixed');
    expect(answer.view).toBeNull();
  });
  it('stay open and show the errors of the app', async () => {
    const view = await open();
    submitAnswer = { response_action: 'errors', errors: { note_block: 'Too short' } };
    const answer = await submit(view.id, { note: 'x' });
    expect(answer).toMatchObject({ errors: { note_block: 'Too short' }, view: { id: view.id } });
  });
  it('are updated, pushed on and cleared by the answer, and not pushed on a third time', async () => {
    const view = await open();
    submitAnswer = { response_action: 'update', view: modal('Updated') };
    expect((await submit(view.id, { note: 'x' })).view).toMatchObject({ id: view.id, title: { text: 'Updated' } });
    submitAnswer = { response_action: 'push', view: modal('Pushed') };
    const second = await submit(view.id, { note: 'x' });
    expect(second.view).toMatchObject({ title: { text: 'Pushed' }, previous_view_id: view.id });
    const third = await submit(second.view?.id ?? '', { note: 'x' });
    const refused = await world.sandbox('POST', 'act/submit', {
      user: OLIVIA,
      viewId: third.view?.id,
      values: { note: 'x' },
    });
    expect(await refused.json()).toMatchObject({ error: 'push_limit_reached' });
    submitAnswer = { response_action: 'clear' };
    expect((await submit(third.view?.id ?? '', { note: 'x' })).view).toBeNull();
  });
  it('are updated by the app only with the hash that it saw', async () => {
    const view = await open();
    const update = (hash: string) =>
      wordOf(world.client.views.update({ view_id: view.id, hash, view: modal('Newer') }));
    expect(await update(view.hash)).toBe('no error');
    expect(await update(view.hash)).toBe('hash_conflict');
  });
  it('tell the app when they are closed', async () => {
    const view = await open();
    await world.act('close', { user: OLIVIA, viewId: view.id });
    await until(() => heard.some((each) => each.closed === false));
  });
});

describe('triggers and response URLs', () => {
  it('end after three seconds and five uses', async () => {
    await command('hello');
    const form = heard[0] as { trigger_id: string; response_url: string };
    const post = () =>
      fetch(form.response_url, { method: 'POST', body: JSON.stringify({ text: 'more' }) }).then(
        (answer) => answer.status,
      );
    const uses = [];
    for (let use = 0; use < 6; use += 1) uses.push(await post());
    expect(uses).toEqual([200, 200, 200, 200, 200, 404]);
    const opened = Date.now();
    await until(() => Date.now() - opened > 3100, { what: 'three seconds' });
    expect(await wordOf(world.client.views.open({ trigger_id: form.trigger_id, view: modal() }))).toBe(
      'expired_trigger_id',
    );
  });
});
