// Nothing fails silently in Slack: what was asked for is done, and whoever asked hears of it, wherever they asked.

import { Refusal, type Said } from '../../api/operations/refusal';
import type { NewPushRequest, Operations, PushView, SessionView, VerdictRequest } from '../../api/operations/types';
import { findingActions, findingCard } from '../../bot/blocks/finding-card';
import { listActions } from '../../bot/blocks/findings';
import { pushCardActions } from '../../bot/blocks/push-card';
import { pushActions } from '../../bot/blocks/pushes';
import { DEFAULT_CHANNEL } from '../../local/sandbox/slack/directory';
import { MEL } from '../sandbox/slack-fixture';
import { until } from '../support/until';
import { type BotWorld, startBotWorld } from './bot-world';
import { cardFinding, findingDetail, inJira, session, sessionId } from './findings';
import { pushChoices, pushId, pushSummary, ruleView } from './push-samples';
import { callerBySlackUser, type ShownView, slackPerson } from './slack-person';

/** Everybody but the bot is in it. */
const RELEASES = 'C0RELEASES';
/** Mel's direct messages with the bot. */
const DIRECT = `D${MEL.slice(1)}`;

let bot: BotWorld;
let given: Partial<Operations> = {};
beforeAll(async () => {
  bot = await startBotWorld(() => ({ callerBySlackUser, ...given }));
});
afterAll(() => bot.stop());
beforeEach(async () => {
  await bot.world.sandbox('POST', 'reset');
  given = {};
  bot.logged.length = 0;
});
afterEach(() => expect(bot.logged.filter(({ level }) => level === 'error')).toEqual([]));

const as = (role: 'owner' | 'admin' | 'member') => slackPerson(bot, role);
const inReleases = {
  command: (text: string) => bot.world.act('command', { user: MEL, channel: RELEASES, text, wait: 10_000 }),
  press: (ts: string, actionId: string) => bot.world.act('click', { user: MEL, channel: RELEASES, ts, actionId }),
};
const completed = (items: PushView['items']): PushView => ({ id: pushId, status: 'completed', items });

type Message = { text: string; ephemeral: boolean; channel?: string };
/** What stands in a channel for Mel. */
async function messages(channel: string): Promise<Message[]> {
  const shown = await (await bot.world.sandbox('GET', `state?user=${MEL}&channel=${channel}`)).json();
  const { channels } = shown as { channels: { id: string; messages?: Message[] }[] };
  return channels.find(({ id }) => id === channel)?.messages ?? [];
}
const toldDirectly = (words: string) =>
  until(async () => (await messages(DIRECT)).find(({ text }) => text.includes(words)), {
    what: `a direct message that says “${words}”`,
  });

describe('P3 V3: windows that were opened where the bot is not', () => {
  it('P3 pushes what was picked, and tells it by direct message', async () => {
    const pushed: NewPushRequest[] = [];
    given = {
      pushChoices: async () => pushChoices({ ready: 12 }),
      push: async (_caller, request) => {
        pushed.push(request);
        return completed([{ finding: 'F-1', outcome: 'created', jiraKey: 'ACC-1' }]);
      },
    };
    const { ephemerals } = await inReleases.command('push shop');
    await inReleases.press(ephemerals[0]?.ts ?? '', pushActions.choose);
    const picker = await as('member').window(({ submit }) => submit?.text === 'Push 12 selected', 'the picker');
    await as('member').submit(picker);
    await toldDirectly('pushed as *ACC-1*');
    expect(pushed).toHaveLength(1);
  });

  it('P3 pushes even where nobody can be told', async () => {
    let pushes = 0;
    given = {
      pushChoices: async () => pushChoices({ ready: 2 }),
      push: async () => {
        pushes += 1;
        return completed([]);
      },
    };
    const { ephemerals } = await inReleases.command('push shop');
    await inReleases.press(ephemerals[0]?.ts ?? '', pushActions.choose);
    const picker = await as('member').window(({ submit }) => submit?.text === 'Push 2 selected', 'the picker');
    await bot.world.sandbox('POST', 'faults', {
      method: 'chat.postMessage',
      kind: 'error',
      error: 'account_inactive',
      times: 2,
    });
    await as('member').submit(picker);
    await until(() => pushes === 1);
    await until(() => bot.logged.some(({ message }) => message === 'nobody could be told in Slack'));
    // Both answers were tried: that it runs, and how it ended.
    await until(() => bot.logged.filter(({ level }) => level === 'error').length === 2);
    bot.logged.length = 0;
  });

  it('P3 tells a refusal by direct message', async () => {
    given = {
      pushChoices: async () => pushChoices({ ready: 2 }),
      push: () => Promise.reject(new Refusal('not_found', 'finding_not_found', 'The source has no finding F-1.')),
    };
    const { ephemerals } = await inReleases.command('push shop');
    await inReleases.press(ephemerals[0]?.ts ?? '', pushActions.choose);
    const picker = await as('member').window(({ submit }) => submit?.text === 'Push 2 selected', 'the picker');
    await as('member').submit(picker);
    await toldDirectly('The source has no finding F-1.');
  });
});

describe('V3: verdicts in Slack', () => {
  const two = (over: Partial<SessionView> = {}) =>
    session({
      cases: [
        { finding: 'F-12', claim: 1, verdict: null },
        { finding: 'F-13', claim: 1, verdict: null },
      ],
      ...over,
    });
  const held = { id: sessionId, status: 'in_progress' as const };
  const failing = async () => {
    const { ephemerals } = await as('member').command('rerun F-12');
    const ts = ephemerals[0]?.ts ?? '';
    await as('member').press(ts, findingActions.fail, { value: `F-12 ${sessionId}`, wait: 0 });
    return as('member').window(({ title }) => title.text === 'Fail F-12', 'the window of the fail');
  };
  beforeEach(() => {
    given = { getFinding: async () => findingDetail({ session: held }), getSession: async () => two() };
  });

  it('V3 takes the list with its buttons away when a case fails with a note', async () => {
    given.giveVerdicts = async () => two({ cases: [{ finding: 'F-12', claim: 1, verdict: 'fail' }] });
    const view = await failing();
    // A response_url is a right to speak to the person, and their browser gets what a window carries.
    const opened = await (await bot.world.sandbox('GET', 'requests?method=views.open')).text();
    expect(opened).toContain('private_metadata');
    expect(opened).not.toContain('http');
    await as('member').submit(view, { text: 'Still there' });
    await as('member').told('*F-12* failed');
    expect(await as('member').visible('2 to decide')).toBe(false);
  });

  it('V3 tells who decided second what holds, and gives their note back', async () => {
    const decided = two({ cases: [{ finding: 'F-12', claim: 1, verdict: 'pass' }] });
    const view = await failing();
    given.giveVerdicts = () =>
      Promise.reject(new Refusal('conflict', 'verdict_given', 'F-12 has its verdict already: pass.'));
    given.getSession = async () => decided;
    await as('member').submit(view, { text: 'Still <2.1:1>' });
    const said = await as('member').told('F-12 has its verdict already: pass.');
    expect(said).toContain('Your note was not kept: “Still &lt;2.1:1&gt;”');
    expect(said).toContain('F-12: passed');
    expect(said).not.toContain('*F-12* failed');
  });

  it('V3 words the verdict that holds, not the one that was asked for', async () => {
    const asked: VerdictRequest[] = [];
    given.giveVerdicts = async (_caller, _id, verdicts) => {
      asked.push(...verdicts);
      return session({ cases: [{ finding: 'F-12', claim: 1, verdict: 'pass' }] });
    };
    await as('member').submit(await failing(), {});
    expect(await as('member').told('Somebody was quicker')).toContain('*F-12* passed');
    expect(asked).toHaveLength(1);
  });
});

describe('V3: re-runs in Slack', () => {
  const flagged = (id: string) => findingDetail({ id, status: 'needs_rerun', source: id === 'F-2' ? 'unit' : 'shop' });

  it('V3 starts the re-run of one source where another is refused, and tells both', async () => {
    given = {
      getFinding: async (_caller, id) => flagged(id),
      createSession: async (_caller, { source }) => {
        if (source === 'unit') throw new Refusal('conflict', 'not_flagged', 'F-2 is not flagged <now>.');
        return session({ status: 'planned' });
      },
      startSession: async () => session(),
    };
    const { ephemerals } = await as('member').command('rerun F-1 F-2');
    expect(ephemerals[0]?.text).toContain('Re-run started.\nF-2 is not flagged &lt;now&gt;.');
    expect(ephemerals[0]?.text).toContain('Re-run of shop: in progress');
  });

  it('V3 starts the session of who pressed at the same moment and has not come to it yet', async () => {
    let reads = 0;
    given = {
      getFinding: async (_caller, id) =>
        reads++ === 0 ? flagged(id) : { ...flagged(id), session: { id: sessionId, status: 'planned' } },
      createSession: () => Promise.reject(new Refusal('conflict', 'session_open', 'F-1 is in an open session.')),
      getSession: async () => session({ status: 'planned' }),
      startSession: async () => session(),
    };
    const { ephemerals } = await as('member').command('rerun F-1');
    expect(ephemerals[0]?.text).toContain('Re-run of shop: in progress');
    expect(ephemerals[0]?.text).not.toContain('planned');
  });
});

describe('S8: a new issue in place of a deleted one', () => {
  it('S8 P9 says that an admin has to approve it first, where the rule says so', async () => {
    const finding = findingDetail({ status: 'open' });
    const item = { finding: 'F-12', outcome: 'pending' } as const;
    const card = findingCard(cardFinding({ missing: true, status: 'awaiting_fix', jira: inJira }));
    const says = async (status: PushView['status'], over: Partial<typeof finding> = {}) => {
      const push = { id: pushId, status, items: [item] };
      given = { decideMissing: async () => ({ finding: { ...finding, ...over }, push }) };
      const { ephemerals } = await as('member').press(await bot.post(card), findingActions.recreate);
      return ephemerals[0]?.text;
    };
    expect(await says('awaiting_approval')).toContain('once an admin or owner has approved it');
    expect(await says('running')).toBe('*F-12* gets a new issue. Its card shows it in a moment.');
    expect(await says('completed', { reason: 'The type is gone.' })).toContain('no new issue yet: The type is gone.');
  });
});

describe('V2: the Fix Verification panel in Slack', () => {
  it('V2 B10 goes on to its next page, by a button that the text names', async () => {
    const row = (id: string) => ({
      ...{
        finding: id,
        title: 'Contrast',
        jiraKey: 'ACC-1',
        claimedBy: 'Dana',
        claimedAt: null,
        session: null,
        lastVerdict: null,
      },
    });
    const asked: unknown[] = [];
    given = {
      listVerification: async (_caller, { source, cursor }) => {
        asked.push({ source, cursor });
        return cursor ? { items: [row('F-11')], nextCursor: null } : { items: [row('F-1')], nextCursor: 'next' };
      },
    };
    const { ephemerals } = await as('member').command('list needs_rerun source:shop');
    expect(ephemerals[0]?.text).toContain('There are more: press “Show more”');
    await as('member').press(ephemerals[0]?.ts ?? '', listActions.next, { wait: 0 });
    expect(await as('member').told('*F-11*')).toContain('Done by Dana');
    expect(asked).toEqual([
      { source: 'shop', cursor: undefined },
      { source: 'shop', cursor: 'next' },
    ]);
  });
});

describe('B1: what is named and refused in Slack', () => {
  it('B1 takes the key of a source in any case', async () => {
    const source = {
      key: 'shop',
      name: 'Shop',
      kind: 'site' as const,
      connection: null,
      warnings: [],
      rule: ruleView(),
    };
    given = {
      listSources: async () => ({ items: [source], nextCursor: null }),
      pushChoices: async (_caller, key) => {
        if (key !== 'shop') throw new Refusal('not_found', 'not_found', `There is no source "${key}".`);
        return pushChoices({ ready: 2 });
      },
    };
    expect((await as('member').command('push SHOP')).ephemerals[0]?.text).toContain('2 findings ready');
    expect((await as('member').command('push shops')).ephemerals[0]?.text).toBe('There is no source "shops".');
  });

  it('B1 words refusals as things are done in Slack', async () => {
    const says = async (said: Said) => {
      given = { getFinding: () => Promise.reject(new Refusal('not_found', 'not_found', said)) };
      return (await as('member').command('status F-9')).ephemerals[0]?.text;
    };
    const cure = { http: 'GET /api/v1/findings lists them.', slack: '`/recheck list` shows them.' };
    expect(await says(cure)).toBe('`/recheck list` shows them.');
    expect(await says('F-9 is awaiting_fix, not needs_rerun: nobody claims it.')).toBe(
      'F-9 is awaiting fix, not waiting for a re-run: nobody claims it.',
    );
  });
});

describe('P9: rejecting from the list', () => {
  it('P9 shows what is left to decide in place of the list', async () => {
    const waits = pushSummary({ status: 'awaiting_approval', outcomes: { pending: 3 } });
    const other = { ...waits, source: { key: 'other', name: 'Other' } };
    given = { waitingPushes: async () => [waits, other], decidePush: async () => completed([]) };
    const { ephemerals } = await as('admin').command('approve');
    await as('admin').press(ephemerals[0]?.ts ?? '', pushCardActions.reject, { value: pushId, wait: 0 });
    const isReason = ({ title }: ShownView) => title.text === 'Reject push';
    const view = await as('admin').window(isReason, 'the window of the rejection');
    given.waitingPushes = async () => [other];
    await as('admin').submit(view, { note: 'No' });
    expect(await as('admin').told('Rejected. Nothing of that push goes to Jira.')).toContain('*Other*');
    expect(await as('admin').visible('*Storefront*')).toBe(false);
  });
});

describe('P1: a push while Jira is slow', () => {
  it('P1 says within three seconds that it waits for Jira, and then how it ended', async () => {
    let answer: (push: PushView) => void = () => undefined;
    const pending: PushView = { id: pushId, status: 'running', items: [{ finding: 'F-12', outcome: 'pending' }] };
    let waits = 0;
    given = {
      getFinding: async () => findingDetail(),
      push: async () => pending,
      awaitPush: async () => {
        waits += 1;
        if (waits === 1) return pending;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    };
    const { ephemerals } = await as('member').command('push F-12');
    expect(ephemerals.map(({ text }) => text)).toEqual([
      'The push of *F-12* was asked for, and Jira has not answered yet. You are told here how it ends.',
    ]);
    await until(() => waits === 2);
    answer(completed([{ finding: 'F-12', outcome: 'created', jiraKey: 'ACC-7' }]));
    await as('member').told('*F-12* pushed as *ACC-7*');
    expect((await messages(DEFAULT_CHANNEL)).filter(({ text }) => text.includes('its card will tell'))).toEqual([]);
  });
});
