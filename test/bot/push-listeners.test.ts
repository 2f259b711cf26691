// The picker and the buttons of pushes as Slack sends them: signed requests in, windows and answers out.

import { Refusal } from '../../api/operations/refusal';
import type { NewPushRequest, Operations, PushChoices, PushView } from '../../api/operations/types';
import { elsewhereModal } from '../../bot/blocks/elsewhere-view';
import { findingActions, findingCard } from '../../bot/blocks/finding-card';
import { pushCard, pushCardActions } from '../../bot/blocks/push-card';
import { pickerActions } from '../../bot/blocks/push-picker';
import { pushActions } from '../../bot/blocks/pushes';
import { validateView } from '../../local/sandbox/slack/block-kit';
import { type BotWorld, startBotWorld } from './bot-world';
import { cardFinding, findingDetail, hostile } from './findings';
import { pushChoices, pushId, pushSummary } from './push-samples';
import { callerBySlackUser, type ShownView, slackPerson, wordsOf } from './slack-person';

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
// Nothing may end in "something went wrong" that nobody looks at.
afterEach(() => expect(bot.logged.filter(({ level }) => level === 'error')).toEqual([]));

const completed = (items: PushView['items']): PushView => ({ id: pushId, status: 'completed', items });
const as = (role: 'owner' | 'admin' | 'member') => slackPerson(bot, role);

describe('P3: the picker in Slack', () => {
  let choices: PushChoices;
  let pushed: NewPushRequest[] = [];
  beforeEach(() => {
    pushed = [];
    given = {
      pushChoices: async () => choices,
      push: async (_caller, request) => {
        pushed.push(request);
        return completed([{ finding: 'F-1', outcome: 'created', jiraKey: 'ACC-1' }]);
      },
    };
  });

  const opened = async (ready: number) => {
    choices = pushChoices({ ready });
    const { ephemerals } = await as('member').command('push shop');
    await as('member').press(ephemerals[0]?.ts ?? '', pushActions.choose, { wait: 0 });
    const ticked = Math.min(ready, 400);
    return selected(ticked);
  };
  const selected = (ticked: number) =>
    as('member').window(({ submit }) => submit?.text === `Push ${ticked} selected`, `${ticked} ticked`);
  const tick = (view: ShownView, blockId: string, value: string[]) =>
    as('member').inWindow(view, pickerActions.tick, { blockId, value });

  it('P3 opens with everything ticked, counts what is ticked, and pushes that with the note', async () => {
    const view = await opened(12);
    expect(wordsOf(view)).toContain('12 ready to push to ACC');
    await tick(view, 'pick:0:0:10', ['F-12']);
    await tick(await selected(11), 'pick:0:0:0', ['F-1', 'F-2']);
    await as('member').submit(await selected(3), { note: 'Seen on staging' });
    expect(await as('member').told('pushed as *ACC-1*')).toContain('*F-1*');
    expect(pushed).toEqual([
      expect.objectContaining({ source: 'shop', findings: ['F-1', 'F-2', 'F-12'], note: 'Seen on staging' }),
    ]);
  });

  it('P3 ticks and unticks everything at once, and takes nothing without a tick', async () => {
    const view = await opened(3);
    await as('member').inWindow(view, pickerActions.none);
    const empty = await selected(0);
    const [group] = empty.blocks.filter(({ type }) => type === 'input');
    const refused = await as('member').submit(empty);
    expect(refused.errors).toEqual({ [group?.block_id ?? '']: 'Tick at least one finding, or press Cancel.' });
    expect(pushed).toEqual([]);
    await as('member').inWindow(empty, pickerActions.all);
    await as('member').submit(await selected(3));
    await as('member').told('pushed as *ACC-1*');
    expect(pushed).toEqual([expect.objectContaining({ findings: ['F-1', 'F-2', 'F-3'], note: undefined })]);
  });

  it('P3 turns pages of a hundred and keeps what is ticked on each', async () => {
    const first = await opened(250);
    await tick(first, 'pick:0:0:0', []);
    await as('member').inWindow(await selected(240), pickerActions.next);
    const second = await as('member').window((view) => wordsOf(view).includes('Findings 101 to 110'), 'page 2');
    expect(wordsOf(second)).not.toContain('Findings 1 to 10"');
    await tick(second, 'pick:1:1:90', []);
    await as('member').inWindow(await selected(230), pickerActions.previous);
    const back = await as('member').window((view) => wordsOf(view).includes('Findings 1 to 10'), 'page 1 again');
    expect(back.submit?.text).toBe('Push 230 selected');
    await as('member').submit(back);
    await as('member').told('pushed as *ACC-1*');
    const [push] = pushed;
    expect(push?.findings).toHaveLength(230);
    expect(push?.findings).not.toContain('F-1');
    expect(push?.findings).not.toContain('F-195');
    expect(push?.findings).toContain('F-250');
  });

  it('P3 offers the 400 most severe of more, and says how to get at the others', async () => {
    const view = await opened(620);
    expect(wordsOf(view)).toContain('220 more are ready');
    await as('member').submit(view);
    await as('member').told('pushed as *ACC-1*');
    expect(pushed[0]?.findings).toHaveLength(400);
  });

  it('P3 tells what the server made of ids that were ready when the window was opened', async () => {
    const view = await opened(2);
    given.push = async () =>
      completed([
        { finding: 'F-1', outcome: 'reused', jiraKey: 'ACC-9' },
        { finding: 'F-2', outcome: 'refused', reason: 'It is resolved: the last report no longer found it.' },
      ]);
    await as('member').submit(view);
    expect(await as('member').told('was in Jira already as *ACC-9*')).toContain('*F-2* refused: It is resolved');
  });

  it('P3 tells that a finding of the window is gone, and that the source is', async () => {
    const view = await opened(1);
    given.push = () => Promise.reject(new Refusal('not_found', 'finding_not_found', 'The source has no finding F-1.'));
    await as('member').submit(view);
    await as('member').told('has no finding F-1');

    given.pushChoices = () =>
      Promise.reject(new Refusal('not_found', 'source_not_found', 'There is no source "shop".'));
    const ts = await bot.post({ text: 'x', blocks: [{ type: 'actions', elements: [chooseButton] }] });
    await as('member').press(ts, pushActions.choose, { wait: 0 });
    await as('member').window((shown) => wordsOf(shown).includes('There is no source'), 'the reason in the window');
  });

  it('P3 C10 offers what waits for its connection, and says that and why', async () => {
    choices = {
      ...pushChoices({ ready: 2 }),
      held: 'Connection held: the token was revoked. It then goes on by itself.',
    };
    const { ephemerals } = await as('member').command('push shop');
    expect(ephemerals[0]?.text).toContain('2 findings ready to push to ACC');
    expect(ephemerals[0]?.text).toContain('*What you push now waits.* Connection held: the token was revoked.');
    await as('member').press(ephemerals[0]?.ts ?? '', pushActions.choose, { wait: 0 });
    const view = await selected(2);
    expect(wordsOf(view)).toContain('the token was revoked');
    given.push = async () => completed([{ finding: 'F-1', outcome: 'held', reason: 'Connection held: the token.' }]);
    await as('member').submit(view);
    await as('member').told('*F-1*: Connection held: the token.');
  });

  it('P2 asks again where more is ready than the button said', async () => {
    choices = pushChoices({ ready: 2 });
    const { ephemerals } = await as('member').command('push shop');
    choices = pushChoices({ ready: 3 });
    await as('member').press(ephemerals[0]?.ts ?? '', pushActions.confirmAll, { wait: 0 });
    await as('member').told('3 findings ready to push to ACC');
    expect(pushed).toEqual([]);
  });
});

describe('P1: pushing to another connection', () => {
  const connection = '33333333-2222-4333-8444-555555555555';
  const to = { connection, name: 'beta.example', projectKey: 'BETA', status: 'connected' };
  const opened = async (others: PushChoices['others']) => {
    given = {
      getFinding: async () => findingDetail(),
      pushChoices: async () => ({ ...pushChoices({ ready: 1 }), others }),
    };
    const ts = await bot.post(findingCard(cardFinding()));
    await as('member').press(ts, findingActions.more, { value: 'elsewhere F-12', wait: 0 });
    return as('member').window((view) => !wordsOf(view).includes('One moment…'), 'the window that asks where to');
  };

  it('P1 asks which of the allowed connections, and pushes there with the note', async () => {
    const pushed: NewPushRequest[] = [];
    const view = await opened([to, { ...to, connection: 'other', status: 'reconnect_required' }]);
    expect(wordsOf(view)).toContain('BETA in beta.example (waits to be reconnected)');
    given.push = async (_caller, request) => {
      pushed.push(request);
      return completed([{ finding: 'F-12', outcome: 'created', jiraKey: 'BETA-1' }]);
    };
    // Slack itself asks for a choice.
    expect((await as('member').submit(view)).errors).toEqual({ to: expect.any(String) });
    await as('member').submit(view, { to: connection, note: 'For them' });
    await as('member').told('*F-12* pushed as *BETA-1*');
    expect(pushed).toEqual([
      expect.objectContaining({ source: 'shop', findings: ['F-12'], connection, note: 'For them' }),
    ]);
  });

  it('P1 says that the rule allows no other, with nothing to press', async () => {
    const view = await opened([]);
    expect(wordsOf(view)).toContain('lets pushes go to no other Jira connection');
    expect(view.submit).toBeNull();
  });

  it('P1 is a valid window whatever connections are called', () => {
    for (const name of hostile) {
      const others = Array.from({ length: 130 }, (_, index) => ({ ...to, connection: `c${index}`, name }));
      const choices = { ...pushChoices({ ready: 1, key: name.slice(0, 100) }), others };
      const asked = { finding: 'F-12', source: 'shop', channel: null };
      expect(validateView(elsewhereModal(choices, asked))).toEqual([]);
      expect(validateView(elsewhereModal({ ...choices, others: [] }, asked))).toEqual([]);
    }
  });
});

const chooseButton = {
  type: 'button',
  action_id: pushActions.choose,
  value: 'shop',
  text: { type: 'plain_text', text: 'Choose…' },
};

describe('P9: decisions about a push in Slack', () => {
  const { approve, reject, cancel, retry } = pushCardActions;
  const waits = pushSummary({
    status: 'awaiting_approval',
    outcomes: { pending: 3 },
    approval: { decision: null, decidedBy: null, note: null, expiresAt: new Date('2026-12-24T10:00:00Z') },
  });
  const ended = pushSummary({ status: 'completed', outcomes: { created: 2, failed: 1 } });
  const stopped = pushSummary({ status: 'cancelled', outcomes: { created: 2, cancelled: 5 } });
  let decided: unknown[] = [];
  beforeEach(() => {
    decided = [];
    given = {
      decidePush: async (caller, id, decision, note) => {
        decided.push([caller.name, id, decision, note]);
        return completed([]);
      },
      waitingPushes: async () => [waits],
    };
  });

  it.each([
    { what: 'approves', push: waits, button: approve, decision: 'approve', says: 'Approved' },
    { what: 'cancels', push: waits, button: cancel, decision: 'cancel', says: 'Cancelled' },
    { what: 'retries the failed of', push: ended, button: retry, decision: 'retry', says: 'is tried again' },
    { what: 'resumes', push: stopped, button: retry, decision: 'retry', says: 'is tried again' },
  ])('P9 $what a push from its message', async ({ push, button, decision, says }) => {
    const ts = await bot.post(pushCard(push));
    const { ephemerals } = await as('admin').press(ts, button);
    expect(ephemerals.map(({ text }) => text).join()).toContain(says);
    expect(decided).toEqual([['Ada Admin', pushId, decision, undefined]]);
  });

  it.each([
    ['Nothing of this push went to Jira.', ['cancelled', 'refused', 'reused']],
    ['What Jira is making already is made; nothing else is pushed.', ['created', 'cancelled']],
    ['What Jira is making already is made; nothing else is pushed.', ['pending', 'cancelled']],
  ] as const)('P5 P9 asks before it cancels, and then says: %s', async (said, outcomes) => {
    given.decidePush = async () => completed(outcomes.map((outcome, at) => ({ finding: `F-${at}`, outcome })));
    for (const push of [waits, pushSummary({ status: 'running' })]) {
      const card = pushCard(push);
      expect(JSON.stringify(card.blocks)).toContain('Cancel this push?');
      const { ephemerals } = await as('admin').press(await bot.post(card), cancel);
      expect(ephemerals[0]?.text).toBe(`Cancelled. ${said}`);
    }
  });

  it('P9 rejects with a reason that the window asks for', async () => {
    const ts = await bot.post(pushCard(waits));
    await as('admin').press(ts, reject, { wait: 0 });
    const view = await as('admin').window(({ title }) => title.text === 'Reject push', 'the window of the rejection');
    await as('admin').submit(view, { note: '  Not before the release ' });
    await as('admin').told('Rejected. Nothing of that push goes to Jira.');
    expect(decided).toEqual([['Ada Admin', pushId, 'reject', 'Not before the release']]);
  });

  it('P9 shows a member no window to reject in, and tells whoever may not approve why', async () => {
    const ts = await bot.post(pushCard(waits));
    const { ephemerals, view } = await as('member').press(ts, reject);
    expect(ephemerals[0]?.text).toBe('Only an admin or owner can reject a push; you are member. Ask one of them.');
    expect(view).toBeNull();
    given.decidePush = async () =>
      Promise.reject(
        new Refusal('forbidden', 'own_push', 'You asked for this push, so another admin has to approve it.'),
      );
    expect((await as('admin').press(ts, approve)).ephemerals[0]?.text).toContain('You asked for this push');
    expect(decided).toEqual([]);
  });

  it('P9 tells who came second that it was decided', async () => {
    given.decidePush = async () =>
      Promise.reject(new Refusal('conflict', 'nothing_to_approve', 'There is nothing to approve. It is rejected now.'));
    const ts = await bot.post(pushCard(waits));
    expect((await as('owner').press(ts, approve)).ephemerals[0]?.text).toContain('There is nothing to approve');
  });

  it('P9 lists what waits with its buttons, and says when nothing does', async () => {
    const { ephemerals } = await as('owner').command('approve');
    expect(ephemerals[0]?.text).toContain('1 push waiting for approval');
    expect(ephemerals[0]?.text).toContain('*Storefront*: 3 findings to ACC. Asked for by Mel');
    // In place of the list comes what is left of it.
    const ts = ephemerals[0]?.ts ?? '';
    given.waitingPushes = async () => [{ ...waits, source: { key: 'other', name: 'Other' } }];
    await as('owner').press(ts, approve, { wait: 0 });
    const left = await as('owner').told('Approved. The message of the push shows how far it is.');
    expect(left).toContain('*Other*: 3 findings to ACC');
    expect(await as('owner').visible('*Storefront*: 3 findings')).toBe(false);
    expect(decided).toEqual([['Olivia Owner', pushId, 'approve', undefined]]);
    given.waitingPushes = async () => [];
    expect((await as('owner').command('approve')).ephemerals[0]?.text).toBe('No push waits for an approval.');
  });

  it('P9 says of a push that needs an approval that it waits, to whoever asked for it', async () => {
    given.pushChoices = async () => pushChoices({ ready: 2 });
    given.push = async () => ({
      id: pushId,
      status: 'awaiting_approval',
      items: [
        { finding: 'F-1', outcome: 'pending' },
        { finding: 'F-2', outcome: 'pending' },
      ],
    });
    const { ephemerals } = await as('member').command('push shop');
    await as('member').press(ephemerals[0]?.ts ?? '', pushActions.confirmAll, { wait: 0 });
    const said = await as('member').told('An admin has to approve this push first');
    expect(said).toContain('*F-1* waiting for approval\n*F-2* waiting for approval');
  });
});
