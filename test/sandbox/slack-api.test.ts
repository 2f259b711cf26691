import { ErrorCode } from '@slack/web-api';
import { startSlackSandbox } from '../../local/sandbox/slack/server';
import { clientOf, MEL, modal, OLIVIA, SECRET, startWorld, TOKEN, type World } from './slack-fixture';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: { data?: { error?: string } }) => error.data?.error ?? String(error),
  );
const section = (text: string) => [{ type: 'section' as const, text: { type: 'mrkdwn' as const, text } }];

describe('the Web API of the sandbox, by the public client', () => {
  it('says who the token belongs to, and refuses others', async () => {
    expect(await world.client.auth.test()).toMatchObject({
      ok: true,
      team_id: world.slack.teamId,
      bot_id: 'B0RECHECK0',
    });
    expect(await refusal(clientOf(world.slack.apiUrl, 'xoxb-wrong').auth.test())).toBe('invalid_auth');
    expect(await (await fetch(`${world.slack.apiUrl}auth.test`, { method: 'POST' })).json()).toMatchObject({
      error: 'not_authed',
    });
    expect(await refusal(world.client.apiCall('chat.shout'))).toBe('unknown_method');
  });

  it('posts, updates, replies, links, reads and deletes', async () => {
    const channel = world.slack.channelId;
    const posted = await world.client.chat.postMessage({ channel, text: 'F-1 found', blocks: section('*F-1* found') });
    const ts = String(posted.ts);
    const reply = await world.client.chat.postMessage({ channel, thread_ts: ts, text: 'pushed as ACC-1' });
    await world.client.chat.update({ channel, ts, text: 'F-1 pushed', blocks: section('*F-1* pushed') });
    const history = await world.client.conversations.history({ channel, limit: 5 });
    expect(history.messages?.find((each) => each.ts === ts)).toMatchObject({ text: 'F-1 pushed', reply_count: 1 });
    const thread = await world.client.conversations.replies({ channel, ts });
    expect(thread.messages?.map((each) => each.text)).toEqual(['F-1 pushed', 'pushed as ACC-1']);
    const { permalink } = await world.client.chat.getPermalink({ channel, message_ts: ts });
    expect(permalink).toContain(`/archives/${channel}/p${ts.replace('.', '')}`);
    await world.client.chat.update({ channel, ts, text: 'only text' });
    const without = await world.client.conversations.history({ channel, latest: ts, inclusive: true, limit: 1 });
    expect(without.messages?.[0]?.blocks).toBeUndefined();
    await world.client.chat.delete({ channel, ts: String(reply.ts) });
    expect((await world.client.conversations.replies({ channel, ts })).messages).toHaveLength(1);
    await world.client.reactions.add({ channel, timestamp: ts, name: 'white_check_mark' });
    expect(await refusal(world.client.reactions.add({ channel, timestamp: ts, name: 'white_check_mark' }))).toBe(
      'already_reacted',
    );
  });

  it('pages through history', async () => {
    const channel = (await world.client.conversations.open({ users: MEL })).channel?.id ?? '';
    for (const text of ['one', 'two', 'three']) await world.client.chat.postMessage({ channel, text });
    const first = await world.client.conversations.history({ channel, limit: 2 });
    const next = await world.client.conversations.history({
      channel,
      limit: 2,
      cursor: first.response_metadata?.next_cursor ?? '',
    });
    const texts = [...(first.messages ?? []), ...(next.messages ?? [])].map((each) => each.text);
    expect(texts).toEqual(['three', 'two', 'one']);
    expect(next.has_more).toBe(false);
  });

  it('shows people, roles and channels', async () => {
    expect((await world.client.users.info({ user: OLIVIA })).user).toMatchObject({ is_owner: true, is_admin: true });
    const people = (await world.client.users.list({})).members ?? [];
    expect(people.filter((each) => each.is_admin)).toHaveLength(3);
    expect(people.filter((each) => each.is_restricted).map((each) => each.real_name)).toEqual(['Gus Guest']);
    expect((await world.client.users.lookupByEmail({ email: 'mel@acme-qa.example' })).user?.id).toBe(MEL);
    expect(await refusal(world.client.users.lookupByEmail({ email: 'no@acme-qa.example' }))).toBe('users_not_found');
    expect((await world.client.conversations.list({})).channels?.map((each) => each.name)).toEqual([
      'accessibility',
      'releases',
    ]);
    expect((await world.client.team.info()).team?.name).toBe('Acme QA');
  });

  it('gives a person an ephemeral message that nobody else sees', async () => {
    const channel = world.slack.channelId;
    await world.client.chat.postEphemeral({ channel, user: MEL, text: 'only for Mel' });
    const seenBy = async (user: string) => (await world.sandbox('GET', `state?user=${user}`)).text();
    expect(await seenBy(MEL)).toContain('only for Mel');
    expect(await seenBy(OLIVIA)).not.toContain('only for Mel');
  });

  it('publishes a Home tab and refuses a stale hash', async () => {
    const view = { type: 'home' as const, blocks: section('Nothing waits for you') };
    const first = await world.client.views.publish({ user_id: OLIVIA, view });
    await world.client.views.publish({ user_id: OLIVIA, view, hash: String(first.view?.hash) });
    const stale = world.client.views.publish({ user_id: OLIVIA, view, hash: String(first.view?.hash) });
    expect(await refusal(stale)).toBe('hash_conflict');
  });

  it('publishes one Home tab when two are published at once', async () => {
    const publish = (text: string) =>
      world.client.views.publish({ user_id: MEL, view: { type: 'home' as const, blocks: section(text) } });
    const [one, other] = await Promise.all([publish('one'), publish('other')]);
    expect(one.view?.id).toBe(other.view?.id);
  });

  it('takes an uploaded file into a thread', async () => {
    const channel = world.slack.channelId;
    const parent = await world.client.chat.postMessage({ channel, text: 'evidence below' });
    await world.client.files.uploadV2({
      channel_id: channel,
      thread_ts: String(parent.ts),
      file: Buffer.from('png bytes'),
      filename: 'before.png',
      title: 'Before the fix',
    });
    const { messages } = await world.client.conversations.replies({ channel, ts: String(parent.ts) });
    const file = messages?.[1]?.files?.[0];
    expect(file).toMatchObject({ title: 'Before the fix', mimetype: 'image/png' });
    expect(await (await fetch(String(file?.url_private))).text()).toBe('png bytes');
  });
});

describe('what the sandbox refuses', () => {
  const post = (args: object) =>
    refusal(world.client.apiCall('chat.postMessage', { channel: world.slack.channelId, ...args }));

  it('blocks over the limits, saying where', async () => {
    const call = world.client.chat.postMessage({
      channel: world.slack.channelId,
      text: 'x',
      blocks: section('x'.repeat(3001)),
    });
    await expect(call).rejects.toMatchObject({
      code: ErrorCode.PlatformError,
      data: {
        error: 'invalid_blocks',
        response_metadata: {
          messages: ['[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]'],
        },
      },
    });
    expect(await post({ text: 'x', blocks: Array(51).fill({ type: 'divider' }) })).toBe('invalid_blocks');
    expect(await post({ text: 'x', blocks: 'not json' })).toBe('invalid_blocks_format');
  });

  it('messages without text, to unknown places, or too long for an update', async () => {
    const channel = world.slack.channelId;
    expect(await post({})).toBe('no_text');
    expect(await post({ text: 'x', channel: 'C0NOWHERE' })).toBe('channel_not_found');
    expect(await post({ text: 'x', channel: '#releases' })).toBe('not_in_channel');
    expect(await post({ text: 'x', thread_ts: '1.000001' })).toBe('thread_not_found');
    const { ts } = await world.client.chat.postMessage({ channel, text: 'short' });
    const update = (args: object) => refusal(world.client.apiCall('chat.update', { channel, ts: String(ts), ...args }));
    expect(await update({ text: 'x'.repeat(4001) })).toBe('msg_too_long');
    expect(await update({ text: 'x', ts: '1.000001' })).toBe('message_not_found');
    expect(await update({ text: 'x', channel: OLIVIA })).toBe('channel_not_found');
    expect(await refusal(world.client.chat.postEphemeral({ channel, user: 'U0NOBODY', text: 'x' }))).toBe(
      'user_not_in_channel',
    );
  });

  it('updates of what a person wrote', async () => {
    const channel = world.slack.channelId;
    await world.act('message', { user: MEL, channel, text: 'I wrote this' });
    const { messages } = await world.client.conversations.history({ channel, limit: 1 });
    expect(await refusal(world.client.chat.update({ channel, ts: String(messages?.[0]?.ts), text: 'no' }))).toBe(
      'cant_update_message',
    );
  });

  it('modals without a valid trigger', async () => {
    expect(await refusal(world.client.views.open({ trigger_id: '1.1.x', view: modal() }))).toBe('invalid_trigger_id');
    expect(await refusal(world.client.views.open({ trigger_id: '1.1.x', view: { ...modal(), blocks: [] } }))).toBe(
      'invalid_trigger_id',
    );
    const long = { ...modal(), title: { type: 'plain_text' as const, text: 'x'.repeat(25) } };
    expect(await refusal(world.client.views.open({ trigger_id: '1.1.x', view: long }))).toBe('invalid_arguments');
    expect(await refusal(world.client.views.update({ view_id: 'V0NONE', view: modal() }))).toBe('not_found');
  });
});

describe('faults', () => {
  afterEach(() => world.sandbox('DELETE', 'faults'));
  const fault = (body: object) => world.sandbox('POST', 'faults', body);
  const post = (text: string) => world.client.chat.postMessage({ channel: world.slack.channelId, text });

  it('limits the rate with Retry-After, once', async () => {
    await fault({ method: 'chat.postMessage', kind: 'rate_limit', retryAfter: 7 });
    await expect(post('a')).rejects.toMatchObject({ code: ErrorCode.RateLimitedError, retryAfter: 7 });
    await expect(post('a')).resolves.toMatchObject({ ok: true });
  });
  it('answers an error word or an HTTP status', async () => {
    await fault({ method: 'chat.postMessage', kind: 'error', error: 'token_revoked', times: 2 });
    expect([await refusal(post('b')), await refusal(post('b'))]).toEqual(['token_revoked', 'token_revoked']);
    await fault({ kind: 'http', status: 503 });
    await expect(post('b')).rejects.toMatchObject({ code: ErrorCode.HTTPError, statusCode: 503 });
  });
  it('loses the answer after it posted', async () => {
    await fault({ method: 'chat.postMessage', kind: 'lost_answer' });
    await expect(post('posted all the same')).rejects.toMatchObject({ code: ErrorCode.RequestError });
    const { messages } = await world.client.conversations.history({ channel: world.slack.channelId, limit: 1 });
    expect(messages?.[0]?.text).toBe('posted all the same');
  });
  it('paces a channel to a message a second when asked to', async () => {
    await fault({ kind: 'pace' });
    await post('first');
    await expect(post('second')).rejects.toMatchObject({ code: ErrorCode.RateLimitedError });
  });
  it('refuses a fault that it does not know', async () => {
    expect((await fault({ kind: 'gremlins' })).status).toBe(400);
  });
  it('logs the calls without the token', async () => {
    await post('for the log');
    const log = await (await world.sandbox('GET', 'requests?method=chat.postMessage')).text();
    expect(log).toContain('for the log');
    expect(log).not.toContain(TOKEN);
  });
});

describe('a restart', () => {
  it('keeps what was said, and reset empties it', async () => {
    const channel = world.slack.channelId;
    await world.client.chat.postMessage({ channel, text: 'remember me' });
    const again = await startSlackSandbox({
      databaseUrl: world.databaseUrl,
      port: 0,
      requestUrl: 'http://127.0.0.1:9/',
      signingSecret: SECRET,
      botToken: TOKEN,
    });
    const { messages } = await clientOf(again.apiUrl).conversations.history({ channel, limit: 1 });
    await fetch(`${again.url}/sandbox/reset`, { method: 'POST' });
    const empty = await clientOf(again.apiUrl).conversations.history({ channel });
    await again.stop();
    expect(messages?.[0]?.text).toBe('remember me');
    expect(empty.messages).toEqual([]);
  });
});
