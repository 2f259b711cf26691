// Pushing and its rules as people do them in Slack: commands, buttons and windows, against a whole Recheck.

import { randomUUID } from 'node:crypto';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, junit, type Steps } from './steps';

type Element = { type: string; action_id?: string; value?: string };
type Block = { type: string; block_id?: string; elements?: Element[] };
type Message = { ts: string; text: string; blocks?: Block[]; ephemeral?: boolean };
type View = { id: string; title: { text: string }; submit: { text: string } | null; blocks: Block[] };
type Seen = { ephemerals: Message[]; view: View | null; errors?: Record<string, string> };

let stack: Stack;
let go: Steps;
const people: Record<string, string> = {};

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack, { stories: 'slack' });
  for (const { role, slackUserId } of stack.local.members) people[role] = slackUserId;
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});

const channel = () => stack.local.slackChannelId;
const act = (name: string, body: object): Promise<Seen> => must(stack.slack('POST', `/act/${name}`, body));
const command = (role: string, text: string) =>
  act('command', { user: people[role], channel: channel(), text, wait: 10_000 });
const click = (role: string, actionId: string, on: object) =>
  act('click', { user: people[role], actionId, wait: 10_000, ...on });
const submit = (role: string, viewId: string, values: object) => act('submit', { user: people[role], viewId, values });
/** What was said to the member alone, as soon as it says this. */
const toldAlone = (words: string) =>
  until(
    async () => {
      const { channels } = await must(stack.slack('GET', `/state?user=${people.member}&channel=${channel()}`));
      const all = (channels as { messages?: Message[] }[]).flatMap((each) => each.messages ?? []);
      return all.find(({ text, ephemeral }) => ephemeral && text.includes(words));
    },
    { what: `an answer that says “${words}”` },
  );
const pressed = (message: Message | undefined) => ({ channel: channel(), ts: message?.ts ?? '' });

/** What stands in the channel, the newest last. */
async function messages(): Promise<Message[]> {
  const user = people.owner;
  const { channels } = await must(stack.slack('GET', `/state?user=${user}&channel=${channel()}`));
  // Without what was told to one person alone.
  const all = (channels as { messages?: Message[] }[]).flatMap((each) => each.messages ?? []);
  return all.filter(({ ephemeral }) => !ephemeral);
}

/** The message of the push of a source, as soon as it says this. */
const pushMessage = (source: string, says: string) =>
  until(
    async () => {
      const all = await messages();
      const own = all.filter(({ text }) => text.includes(source) && /^(Wait|Push)/.test(text));
      const found = own.find(({ text }) => text.includes(says));
      if (!found) throw new Error(JSON.stringify(own.map(({ text }) => text)));
      return { message: found, count: own.length };
    },
    { seconds: 60, what: `the message of the push of ${source} saying “${says}”` },
  );

/** The window that a person has open, as soon as it is what it should be. */
const windowOf = (role: string, fits: (view: View) => boolean, what: string) =>
  until(
    async () => {
      const { view } = await must(stack.slack('GET', `/state?user=${people[role]}`));
      if (!view || !fits(view as View)) throw new Error(JSON.stringify(view)?.slice(0, 2000));
      return view as View;
    },
    { seconds: 60, what },
  );

async function reported(names: string[], rule: object = {}): Promise<{ source: string; ids: string[] }> {
  const source = await go.source();
  if (Object.keys(rule).length > 0) await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, rule));
  await go.report(source, { failed: names });
  return { source, ids: (await go.findings(source)).sort((a, b) => Number(a.slice(2)) - Number(b.slice(2))) };
}

const keysOf = async (ids: string[]) => Promise.all(ids.map(async (id) => (await go.finding(id)).jira?.key ?? null));

describe('pushing from Slack', () => {
  it('P1 pushes one finding by command, with its key in the answer', async () => {
    const { ids } = await reported(['one']);
    await command('member', `push ${ids[0]}`);
    const told = await toldAlone(`*${ids[0]}* pushed as`);
    const [key] = await keysOf(ids);
    expect(key).toMatch(/^ACC-/);
    expect(told.text).toContain(`pushed as *${key}*`);
  });

  it('P1 says at once that Jira is waited for where it is slow, and then the key', async () => {
    const { ids } = await reported(['slow one']);
    await stack.faults.add({ kind: 'delay', count: 1, ms: 5000, match: { method: 'POST', path: '/issue$' } });
    const { ephemerals } = await command('member', `push ${ids[0]}`);
    expect(ephemerals[0]?.text).toBe(
      `The push of *${ids[0]}* was asked for, and Jira has not answered yet. You are told here how it ends.`,
    );
    const told = await toldAlone(`*${ids[0]}* pushed as`);
    expect(told.text).toContain(String((await keysOf(ids))[0]));
  });

  it('P3 pushes what was picked in a channel that the bot is not in, and tells it by direct message', async () => {
    const { source, ids } = await reported(['one', 'two']);
    const releases = 'C0RELEASES';
    const offer = await act('command', {
      user: people.member,
      channel: releases,
      text: `push ${source}`,
      wait: 10_000,
    });
    await click('member', 'push.choose', { channel: releases, ts: offer.ephemerals[0]?.ts, wait: 0 });
    const picker = await windowOf('member', ({ submit: to }) => to?.text === 'Push 2 selected', 'the picker');
    await submit('member', picker.id, {});
    await pushMessage(source, '2 created in Jira');
    const direct = `D${people.member?.slice(1)}`;
    await until(
      async () => {
        const { channels } = await must(stack.slack('GET', `/state?user=${people.member}&channel=${direct}`));
        const all = (channels as { id: string; messages?: Message[] }[]).find(({ id }) => id === direct)?.messages;
        return all?.some(({ text }) => ids.every((id) => text.includes(`*${id}* pushed as`)));
      },
      { what: 'the direct message with what became of the push' },
    );
  });

  it('P2 offers all that is ready with the counts, pushes it, and shows progress and report in one message', async () => {
    const { source, ids } = await reported(['one', 'two', 'three']);
    await go.push(source, ids.slice(0, 1));
    const { ephemerals } = await command('member', `push ${source}`);
    expect(ephemerals[0]?.text).toContain('2 findings ready to push to ACC');
    expect(ephemerals[0]?.text).toContain('1 already linked');

    await click('member', 'push.confirm_all', { ...pressed(ephemerals[0]), wait: 0 });
    const { message, count } = await pushMessage(source, 'Push finished');
    expect(message.text).toContain('2 created in Jira');
    expect(count).toBe(1);
    expect(await keysOf(ids)).not.toContain(null);
    const again = await command('member', `push ${source}`);
    expect(again.ephemerals[0]?.text).toContain('all matching findings are in ACC');
  });

  it('P2 B2 a push of many has one message and no card for each; a card comes when its issue is marked Done', async () => {
    const names = Array.from({ length: 11 }, (_, number) => `many ${number}`);
    const { source, ids } = await reported(names);
    await go.push(source, 'all');
    await pushMessage(source, '11 created in Jira');
    const cards = async () => {
      const { rows } = await stack.db.query<{ number: number }>(
        `select f.number from card c join finding f on f.id = c.finding_id join source s on s.id = f.source_id
         where s.key = $1`,
        [source],
      );
      return rows.map(({ number }) => `F-${number}`);
    };
    expect(await cards()).toEqual([]);
    const [first = ''] = ids;
    const [key] = await keysOf([first]);
    await go.move(key ?? '', 'Done');
    await go.becomes(first, 'needs_rerun');
    expect(await cards()).toEqual([first]);
  });

  it('P3 pushes what is ticked in the picker, with the note, and decides anew for each id on the server', async () => {
    const { source, ids } = await reported(['one', 'two', 'three', 'four']);
    const [one = '', two = '', three = '', four = ''] = ids;
    const { ephemerals } = await command('member', `push ${source}`);
    await click('member', 'push.choose', { ...pressed(ephemerals[0]), wait: 0 });
    const picker = await windowOf(
      'member',
      ({ submit: to }) => to?.text === 'Push 4 selected',
      'the picker, all ticked',
    );

    await click('member', 'pick.tick', { viewId: picker.id, blockId: 'pick:0:0:0', value: [one, two, three], wait: 0 });
    await windowOf('member', ({ submit: to }) => to?.text === 'Push 3 selected', 'the picker counting the ticks');
    // Somebody else pushes one of them meanwhile: the picker is stale, and no second issue comes of it.
    await go.push(source, [one]);
    await submit('member', picker.id, { note: 'Seen on staging' });

    const { message } = await pushMessage(source, 'Review note: Seen on staging');
    const done = (await pushMessage(source, '2 created in Jira, 1 already in Jira')).message;
    expect(done.ts).toBe(message.ts);
    expect(await keysOf([two, three])).not.toContain(null);
    expect(await keysOf([four])).toEqual([null]);
  });

  it('P2 P3 C10 offers what waits for its connection, says why, and holds it', async () => {
    const { source, ids } = await reported(['one', 'two']);
    const { connectionId } = stack.local;
    await stack.db.query(
      `update connection set status = 'reconnect_required', status_reason = 'The API token was revoked.' where id = $1`,
      [connectionId],
    );
    const { ephemerals } = await command('member', `push ${source}`);
    expect(ephemerals[0]?.text).toContain('2 findings ready to push to ACC');
    expect(ephemerals[0]?.text).toContain('What you push now waits.* Connection held: The API token was revoked.');
    await click('member', 'push.choose', { ...pressed(ephemerals[0]), wait: 0 });
    const picker = await windowOf('member', ({ submit: to }) => to?.text === 'Push 2 selected', 'the picker');
    expect(JSON.stringify(picker.blocks)).toContain('The API token was revoked.');
    await submit('member', picker.id, {});
    const { message } = await pushMessage(source, '2 held until the Jira connection works again');
    await must(stack.api('POST', `/api/v1/connections/${connectionId}/test`));
    const { message: done } = await pushMessage(source, '2 created in Jira');
    expect(done.ts).toBe(message.ts);
    expect(await keysOf(ids)).not.toContain(null);
  });

  it('P9 lets another admin approve a push, and nobody else', async () => {
    const { source, ids } = await reported(['one', 'two'], { approval: 'all' });
    const { ephemerals } = await command('admin', `push ${source}`);
    await click('admin', 'push.confirm_all', { ...pressed(ephemerals[0]), wait: 0 });
    const { message } = await pushMessage(source, 'Waiting for approval');
    expect(message.text).toContain('2 to push to ACC');
    // Whoever approves sees what.
    for (const id of ids) expect(message.text).toContain(`*${id}*: `);
    const waiting = (await command('owner', 'approve')).ephemerals[0]?.text;
    expect(waiting).toContain(source);
    for (const id of ids) expect(waiting).toContain(`*${id}*: `);

    const byMember = await click('member', 'push_card.approve', pressed(message));
    expect(byMember.ephemerals[0]?.text).toContain('admin or owner');
    const rejectedByMember = await click('member', 'push_card.reject', pressed(message));
    expect(rejectedByMember.ephemerals[0]?.text).toContain('Only an admin or owner');
    const byRequester = await click('admin', 'push_card.approve', pressed(message));
    expect(byRequester.ephemerals[0]?.text).toContain('You asked for this push, so another admin or owner');
    expect(await keysOf(ids)).toEqual([null, null]);

    await click('owner', 'push_card.approve', pressed(message));
    const { message: done, count } = await pushMessage(source, 'Push finished');
    expect([done.ts, count]).toEqual([message.ts, 1]);
    expect(done.text).toContain('2 created in Jira');
    expect(await keysOf(ids)).not.toContain(null);
  });

  it('P5 says who cancelled a push that was held', async () => {
    const { source } = await reported(['one', 'two']);
    const { connectionId } = stack.local;
    await stack.db.query(`update connection set status = 'reconnect_required' where id = $1`, [connectionId]);
    const { ephemerals } = await command('member', `push ${source}`);
    await click('member', 'push.confirm_all', { ...pressed(ephemerals[0]), wait: 0 });
    const { message } = await pushMessage(source, '2 held until the Jira connection works again');
    await click('admin', 'push_card.cancel', pressed(message));
    const { message: cancelled } = await pushMessage(source, 'Push cancelled');
    expect(cancelled.text).toMatch(/2 cancelled: The push was cancelled by (?!recheck)\w/);
    await must(stack.api('POST', `/api/v1/connections/${connectionId}/test`));
  });

  it('P9 takes a rejection with its reason, and nothing is pushed', async () => {
    const { source, ids } = await reported(['one', 'two'], { approval: { bulkOver: 1 } });
    const { ephemerals } = await command('member', `push ${source}`);
    await click('member', 'push.confirm_all', { ...pressed(ephemerals[0]), wait: 0 });
    const { message } = await pushMessage(source, 'Waiting for approval');
    await click('owner', 'push_card.reject', { ...pressed(message), wait: 0 });
    const reason = await windowOf('owner', ({ title }) => title.text === 'Reject push', 'the window of the rejection');
    await submit('owner', reason.id, { note: 'Not before the release' });
    const { message: rejected } = await pushMessage(source, 'Push rejected');
    expect(rejected.text).toContain('Not before the release');
    expect(await keysOf(ids)).toEqual([null, null]);
  });
});

describe('sync rules in Slack', () => {
  const rule = (source: string) => must(stack.api('GET', `/api/v1/sources/${source}/rule`));
  const openRule = async (role: string, source: string) => {
    await act('command', { user: people[role], channel: channel(), text: `rules ${source}` });
    const { length } = 'One moment…';
    return await windowOf(role, ({ blocks }) => JSON.stringify(blocks).length > length + 500, 'the window of the rule');
  };
  const block = (view: View, name: string) =>
    view.blocks.find(({ block_id: id }) => id?.endsWith(`:${name}`))?.block_id ?? '';

  it('R1 is changed by an admin in a window, with what Jira offers, and only read by a member', async () => {
    const source = await go.source();
    const view = await openRule('admin', source);
    expect(JSON.stringify(view.blocks)).toContain('"value":"ACC"');
    const values = {
      [block(view, 'severities')]: ['critical', 'serious'],
      [block(view, 'autoPush')]: 'on',
      [block(view, 'labels')]: 'a11y web',
      [block(view, 'approval')]: 'bulk',
      [block(view, 'bulkOver')]: '50',
      [block(view, 'grouping')]: 'page',
    };
    expect((await submit('admin', view.id, values)).errors).toBeUndefined();
    await windowOf('admin', ({ blocks }) => JSON.stringify(blocks).includes('*Saved.*'), 'the window saying so');
    expect(await rule(source)).toMatchObject({
      severities: ['critical', 'serious'],
      autoPush: true,
      labels: ['a11y', 'web'],
      approval: { bulkOver: 50 },
      grouping: 'page',
      projectKey: 'ACC',
    });
    const read = await openRule('member', source);
    expect(read.submit).toBeNull();
    expect(JSON.stringify(read.blocks)).toContain('Only admins and owners can change it');
  });

  it('R2 warns of a source without a project key, and saves only what changed and can be pushed', async () => {
    const key = `slack-bare-${randomUUID().slice(0, 8)}`;
    const connection = stack.local.connectionId;
    await must(stack.api('POST', '/api/v1/sources', { key, name: key, kind: 'site', connection }));
    expect((await command('member', 'rules')).ephemerals[0]?.text).toContain('without a Jira project key nothing');
    const view = await openRule('owner', key);
    expect(JSON.stringify(view.blocks)).toContain('no Jira project key, so nothing can be pushed');

    const enabled = block(view, 'enabled');
    const same = await submit('owner', view.id, {});
    expect(same.errors?.[enabled]).toContain('Nothing has changed');
    const keyless = await submit('owner', view.id, { [enabled]: 'on' });
    expect(keyless.errors?.[block(view, 'project')]).toContain('needs a Jira project key');
    await submit('owner', view.id, { [enabled]: 'on', [block(view, 'project')]: 'ACC' });
    await windowOf('owner', ({ blocks }) => JSON.stringify(blocks).includes('*Saved.*'), 'the window saying so');
    expect(await rule(key)).toMatchObject({ enabled: true, projectKey: 'ACC' });
    // The report that follows can be pushed.
    await must(stack.api('POST', `/api/v1/sources/${key}/reports`, junit({ failed: ['one'] })));
    expect((await command('member', `push ${key}`)).ephemerals[0]?.text).toContain('1 finding ready to push to ACC');
  });
});
