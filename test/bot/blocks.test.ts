import type { PushView } from '../../api/operations/types';
import { failModal } from '../../bot/blocks/fail-view';
import { type CardFinding, findingActions, findingCard } from '../../bot/blocks/finding-card';
import { asCardFinding, findingList, verificationList, why } from '../../bot/blocks/findings';
import { pushOffer, pushResult } from '../../bot/blocks/pushes';
import { elsewhereCommands, failed, help, menu, notYet, refused, unknownCommand } from '../../bot/blocks/replies';
import { sessionReply } from '../../bot/blocks/sessions';
import { foreign, type Message, plain } from '../../bot/blocks/text';
import { threadReply, toldEvents } from '../../bot/blocks/thread-reply';
import { validateMessage, validateView } from '../../local/sandbox/slack/block-kit';
import { heldReason } from '../../workflows/rules/push-gate';
import { findingStatuses, pushOutcomes, sessionStatuses, severities, verdicts } from '../../workflows/rules/vocabulary';
import { cardFinding, findingDetail, hostile, inJira, session, sessionId } from './findings';
import { pushChoices } from './push-samples';

const at = new Date('2026-11-22T10:00:00Z');

/** Valid, readable without its blocks, and nothing foreign in it is alive. */
function expectSound(message: Message): void {
  expect(validateMessage(message)).toEqual([]);
  expect(message.text.trim()).not.toBe('');
  for (const text of [message.text, ...parsedTexts(message.blocks)]) {
    expect(text).not.toMatch(/<!(channel|here|everyone)|<img|<b>|<@U0OLIVIA00|<#C0ACCESS00|<https:\/\/evil/);
  }
  for (const { label, name } of namedButtons(message.blocks)) expect(name.slice(0, label.length)).toBe(label);
}

/** Buttons whose name is more than their label; it has to begin with that (WCAG 2.5.3, label in name). */
function namedButtons(value: unknown): { label: string; name: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const {
    type,
    text,
    accessibility_label: name,
  } = value as {
    type?: string;
    text?: { text: string };
    accessibility_label?: string;
  };
  const own = type === 'button' && name !== undefined ? [{ label: text?.text ?? '', name }] : [];
  return [...own, ...Object.values(value).flatMap(namedButtons)];
}

/** The texts in which Slack looks for mentions and links; it does not in plain text. */
function parsedTexts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'type' in value && value.type === 'mrkdwn' && 'text' in value ? [String(value.text)] : [];
  return [...own, ...Object.values(value).flatMap(parsedTexts)];
}

const sessions = [null, ...sessionStatuses.map((status) => ({ id: sessionId, status }))];

describe('the card of a finding', () => {
  const everyState = findingStatuses.flatMap((status) => severities.map((severity) => ({ status, severity })));

  it.each(everyState)('is valid as $severity, $status', ({ status, severity }) => {
    for (const held of sessions) {
      for (const jira of [null, inJira]) {
        const message = findingCard(cardFinding({ status, severity, session: held, jira, reason: 'Jira said no' }));
        expectSound(message);
        const actions = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
        expect(actions.filter((element) => element.type === 'button').length).toBeLessThanOrEqual(3);
        expect(actions.every((each) => each.type !== 'button' || each.accessibility_label?.includes('F-12'))).toBe(
          true,
        );
      }
    }
  });

  it.each(hostile.map((text, index) => [index, text]))('is valid and harmless with hostile text %i', (_index, text) => {
    for (const status of findingStatuses) {
      const lastEvent = { event: text, actor: text, detail: text, at };
      const source = { name: text, kind: 'suite' as const };
      const jira = { key: text, url: `https://acme.example/browse/${text}`, status: text, resolution: text };
      const words = { title: text, rule: text, reason: text, page: text, claimedBy: text };
      expectSound(findingCard(cardFinding({ status, ...words, lastEvent, source, jira })));
    }
  });

  const actionsOf = (over: Partial<CardFinding>) =>
    findingCard(cardFinding(over)).blocks.flatMap((block) =>
      block.type === 'actions' ? block.elements.map((each) => ('action_id' in each ? each.action_id : '')) : [],
    );
  const { push, rerun, pass, fail, openInJira, more } = findingActions;
  const held = { id: sessionId, status: 'in_progress' as const };

  it.each<[string, Partial<CardFinding>, string[]]>([
    ['open', { status: 'open' }, [push, more]],
    ['push failed', { status: 'push_failed' }, [push, more]],
    ['being pushed', { status: 'pushing' }, [more]],
    ['held', { status: 'open', reason: heldReason('The token is dead.') }, [more]],
    ['waiting for a fix', { status: 'awaiting_fix', jira: inJira }, [openInJira, more]],
    ['flagged', { status: 'needs_rerun', jira: inJira }, [rerun, openInJira, more]],
    ['in a session', { status: 'needs_rerun', jira: inJira, session: held }, [pass, fail, openInJira, more]],
    ['verified', { status: 'verified', jira: inJira }, [openInJira, more]],
    ['blocked', { status: 'blocked', jira: inJira }, [openInJira, more]],
  ])('offers what fits when %s', (_state, over, expected) => {
    expect(actionsOf(over)).toEqual(expected);
  });

  it('says everything in its text: severity, rule, state, key and what comes next', () => {
    const { text } = findingCard(cardFinding({ status: 'needs_rerun', jira: inJira, claimedBy: 'Dana' }));
    for (const part of [
      'F-12',
      'serious',
      'color-contrast',
      'Needs re-run: Done in Jira by Dana',
      'ACC-42',
      're-run that passes',
    ])
      expect(text).toContain(part);
  });

  it.each<[Partial<CardFinding>, string]>([
    [{ status: 'awaiting_fix' }, 'Waiting for a fix'],
    [{ status: 'needs_rerun', claimedBy: 'Dana' }, 'Needs re-run: Done in Jira by Dana'],
    [{ status: 'needs_rerun', session: held }, 'Re-run in progress'],
    [
      { status: 'needs_rerun', lastEvent: { event: 'verdict_fail', actor: 'Mel', detail: '', at } },
      'Needs re-run: the last re-run failed',
    ],
    [{ status: 'verified' }, 'Verified'],
    [{ status: 'blocked', reason: 'Duplicate' }, 'Blocked: Duplicate'],
    [{ status: 'push_failed', reason: 'Field required' }, 'Push failed: Field required'],
    [
      { status: 'open', reason: heldReason('The token is dead.') },
      'Its push waits for the connection to Jira: The token is dead. It then goes on by itself.',
    ],
  ])('says its state in plain words: %j', (over, words) => {
    expect(JSON.stringify(findingCard(cardFinding(over)).blocks)).toContain(words);
  });
});

describe('thread replies', () => {
  it.each([...toldEvents])('are valid and say who: %s', (event) => {
    expect(threadReply({ id: 'F-12', event, actor: 'Dana', detail: '' }).text).toMatch(/^F-12: .*(Dana|Recheck)/);
    for (const text of hostile) expectSound(threadReply({ id: 'F-12', event, actor: text, detail: text }));
  });

  it('V7 a regression is told, with what is to do, and V3 a failed re-run with its note', () => {
    const regressed = { event: 'regressed', actor: 'Dana', detail: 'axe-core report, run began 2026-11-22T10:00:00Z' };
    expect(toldEvents).toContain('regressed');
    expect(threadReply({ id: 'F-12', ...regressed }).text).toBe(
      'F-12: Came back after it was closed (Dana). It is open again: the card above has what can be done.',
    );
    const failed = { event: 'verdict_fail', actor: 'Mel', detail: 'claim 2: Still 2.1:1.' };
    expect(threadReply({ id: 'F-12', ...failed }).text).toBe(
      'F-12: The re-run failed, it is still there (Mel): Still 2.1:1. It stays flagged.',
    );
  });
});

describe('answers to commands', () => {
  const pushed: PushView = {
    id: 'x',
    status: 'running',
    items: pushOutcomes.map((outcome, index) => ({ finding: `F-${index}`, outcome, jiraKey: 'ACC-1', reason: 'why' })),
  };
  const many = (status: PushView['status'], reason: string): PushView => ({
    id: 'x',
    status,
    items: Array.from({ length: 200 }, (_, index) => ({ finding: `F-${index}`, outcome: 'failed', reason })),
  });
  const view = (text: string, number: number) => ({
    ...findingDetail({ id: `F-${number}`, title: text, source: text, jira: { key: text, url: 'https://a.example/b' } }),
    occurrences: 1,
  });
  const row = (text: string, number: number) => ({
    finding: `F-${number}`,
    title: text,
    jiraKey: text,
    claimedBy: text,
    claimedAt: at.toISOString(),
    session: number % 2 ? { id: sessionId, status: 'planned' as const } : null,
    lastVerdict: null,
  });
  const ten = Array.from({ length: 10 }, (_, number) => number);
  const history = (text: string) =>
    Array.from({ length: 60 }, () => ({ at: at.toISOString(), actor: text, event: 'blocked', detail: text }));

  const everything: [string, () => Message[]][] = [
    ['menu, help', () => [menu('/recheck'), help('/recheck'), failed('abc')]],
    [
      'not yet',
      () => elsewhereCommands.map((name) => notYet({ command: '/recheck', baseUrl: 'https://r.example' }, name)),
    ],
    ['unknown', () => hostile.map((word) => unknownCommand('/recheck', { word, nearest: 'push' }))],
    ['refused', () => hostile.map(refused)],
    [
      'offer of a push',
      () => hostile.map((text) => pushOffer(pushChoices({ ready: 2, text, key: `k${text}`.slice(0, 100) }))),
    ],
    ['nothing to push', () => [pushOffer(pushChoices({ ready: 0 }))]],
    [
      'push result',
      () => [pushResult([pushed]), pushResult([]), ...hostile.map((text) => pushResult([many('completed', text)]))],
    ],
    ['push that waits', () => [pushResult([many('awaiting_approval', 'x')])]],
    [
      'list',
      () =>
        hostile.map((text) =>
          findingList({ items: ten.map((n) => view(text, n)), nextCursor: '10' }, { source: text }),
        ),
    ],
    ['empty list', () => [findingList({ items: [], nextCursor: null }, { status: 'needs_rerun' })]],
    [
      'panel',
      () =>
        hostile.map((text) =>
          verificationList({ items: ten.map((n) => row(text, n)), nextCursor: '10' }, { source: text }),
        ),
    ],
    ['empty panel', () => [verificationList({ items: [], nextCursor: null }, {})]],
    ['why', () => hostile.map((text) => why(findingDetail({ reason: text, history: history(text) })))],
    [
      'status',
      () => hostile.map((text) => findingCard(asCardFinding(findingDetail({ title: text, history: history(text) })))),
    ],
    ['no session', () => [sessionReply([])]],
    [
      'sessions',
      () =>
        sessionStatuses.map((status) =>
          sessionReply(
            ten.map((number) =>
              session({
                status,
                suite: hostile[0],
                cases: [null, ...verdicts].map((verdict) => ({ finding: `F-${number}`, claim: 1, verdict })),
              }),
            ),
            'Here.',
          ),
        ),
    ],
  ];

  it.each(everything)('are valid and harmless: %s', (_name, render) => {
    for (const message of render()) expectSound(message);
  });

  it('V3 B10 a session of many shows what is undecided first, and says that there is more', () => {
    const many = (decided: number) =>
      session({
        cases: Array.from({ length: 14 }, (_, number) => ({
          ...{ finding: `F-${number + 1}`, claim: 1, verdict: number < decided ? ('pass' as const) : null },
        })),
      });
    const buttons = (message: Message) => JSON.stringify(message.blocks).match(/Pass: F-\d+ is fixed/g);
    const first = sessionReply([many(0)]);
    expect(buttons(first)).toHaveLength(12);
    expect(first.text).toContain('2 more cases');
    expect(first.text).not.toContain('F-13');
    expect(buttons(sessionReply([many(2)]))?.slice(-2)).toEqual(['Pass: F-13 is fixed', 'Pass: F-14 is fixed']);
    expectSound(first);
  });

  it('V2 the panel says that the last re-run failed, and the list what its button does', () => {
    const message = verificationList({ items: [{ ...row('x', 2), lastVerdict: 'fail' }], nextCursor: null }, {});
    expect(message.text).toContain('· the last re-run failed');
    expect(JSON.stringify(message.blocks)).toContain('· the last re-run failed');
    const listed = findingList({ items: [{ ...view('x', 2), status: 'needs_rerun' }], nextCursor: null }, {});
    // It may be in a session already, which the list does not know.
    expect(JSON.stringify(listed.blocks)).not.toContain('Start re-run');
  });

  it('V3 offers no Pass in a session that reports alone can pass, and says so', () => {
    const message = sessionReply([session({ verifier: 'report' })]);
    expect(JSON.stringify(message.blocks)).not.toContain('Pass: F-12');
    expect(JSON.stringify(message.blocks)).toContain('Fail: F-12');
    expect(JSON.stringify(message.blocks)).toContain('only a report can pass');
    expectSound(message);
    const over = session({ verifier: 'report', cases: [{ finding: 'F-12', claim: 1, verdict: 'fail' }] });
    expect(JSON.stringify(sessionReply([over]))).not.toContain('only a report');
  });

  it('V3 a withdrawn case does not blame Jira for what a person dropped', () => {
    const { text } = sessionReply([session({ cases: [{ finding: 'F-1', claim: 1, verdict: 'withdrawn' }] })]);
    expect(text).toContain('F-1: withdrawn: nobody claims any more that it is fixed');
  });

  it('P1 a push of one that is not over names what shows its end, and promises no card', () => {
    const { text } = pushResult([{ id: 'p', status: 'running', items: [{ finding: 'F-1', outcome: 'pending' }] }]);
    expect(text).toContain('Jira has not answered yet. `/recheck status F-1` shows');
    expect(text).not.toContain('card');
  });

  it('the modal of a failed verdict is a valid view', () => {
    expect(validateView(failModal({ finding: 'F-123456789', session: sessionId, channel: null }))).toEqual([]);
  });
});

describe('foreign text', () => {
  it('is escaped, and never longer than asked', () => {
    expect(foreign('<!channel> & co')).toBe('&lt;!channel&gt; &amp; co');
    for (const text of hostile) {
      for (const max of [10, 100, 3000]) {
        expect(foreign(text, max).length).toBeLessThanOrEqual(max);
        expect(plain(text, max).length).toBeLessThanOrEqual(max);
        expect(foreign(text, max)).not.toMatch(/&(?!amp;|lt;|gt;)/);
      }
    }
  });

  it('is never cut inside an emoji', () => {
    expect(plain('😀😀😀', 4)).toBe('😀…');
    expect(foreign('😀😀😀', 4)).toBe('😀…');
  });
});
