import fc from 'fast-check';
import {
  type Actor,
  isAtRest,
  type LifecycleEvent,
  type LifecycleState,
  newLifecycle,
} from '../../workflows/rules/lifecycle';
import { nextStep, wouldChange } from '../../workflows/rules/next-step';
import { acceptedReason } from '../../workflows/rules/push-gate';
import { type FindingStatus, findingStatuses } from '../../workflows/rules/vocabulary';

const mel: Actor = { kind: 'member', id: 'mel' };
const issue = { linkId: 'link-1', key: 'ACC-1' };
const linked = (status: FindingStatus, claim = 1): LifecycleState => ({
  version: 1,
  status,
  claim,
  issue,
  reason: null,
});

const pushAsked: LifecycleEvent = { type: 'push_asked', actor: mel, batchId: 'b' };
const created: LifecycleEvent = { type: 'push_ended', outcome: 'created', issue };
const failed: LifecycleEvent = { type: 'push_ended', outcome: 'failed', reason: 'no' };
const refused: LifecycleEvent = { type: 'push_ended', outcome: 'refused', reason: 'no' };
const heldPush: LifecycleEvent = { type: 'push_ended', outcome: 'held', reason: 'dead' };
const approvalAsked: LifecycleEvent = { type: 'approval_said', said: 'asked', actor: mel };
const approvalEnds = ['rejected', 'expired', 'cancelled'] as const;
const approvalEnded = (said: (typeof approvalEnds)[number]): LifecycleEvent => ({
  type: 'approval_said',
  said,
  actor: mel,
  reason: 'Too many.',
});
const unlink: LifecycleEvent = { type: 'unlink_asked', actor: mel };
const link: LifecycleEvent = { type: 'link_asked', actor: mel, linkId: 'link-2', key: 'ACC-2' };
const read = (
  meaning: 'not_done' | 'claimed' | 'blocked' | 'missing' | 'project_lost',
  onJiraDone: 'verify' | 'resolve' = 'verify',
  key = 'ACC-1',
): LifecycleEvent => ({
  type: 'issue_read',
  meaning,
  key,
  onJiraDone,
});
const verdict = (
  given: 'pass' | 'fail' | 'skip' | 'unstable',
  claim = 1,
  onVerifyFail: 'comment' | 'reopen' = 'comment',
): LifecycleEvent => ({ type: 'verdict_given', verdict: given, claim, actor: mel, sessionId: 's', onVerifyFail });
const decided = (decision: 'recreate' | 'accept' | 'drop'): LifecycleEvent => ({
  type: 'missing_decided',
  decision,
  actor: mel,
});
const missing = (status: FindingStatus): LifecycleState => ({ ...linked(status), missing: true, reason: 'gone' });
const reopened = (yes: boolean): LifecycleEvent => ({ type: 'reopen_ended', reopened: yes, reason: 'why' });

describe('the lifecycle of a finding', () => {
  const table: [string, LifecycleState, LifecycleEvent, FindingStatus, string[]][] = [
    ['an open finding is pushed', newLifecycle, pushAsked, 'pushing', ['create_issue']],
    ['a push ends with an issue', { ...newLifecycle, status: 'pushing' }, created, 'awaiting_fix', ['record:pushed']],
    ['a push fails', { ...newLifecycle, status: 'pushing' }, failed, 'push_failed', ['record:push_failed']],
    ['a push is refused', { ...newLifecycle, status: 'pushing' }, refused, 'open', ['record:push_refused']],
    [
      'a failed push is tried again',
      { ...newLifecycle, status: 'push_failed' },
      pushAsked,
      'pushing',
      ['create_issue'],
    ],
    ['a second push under way joins the first', { ...newLifecycle, status: 'pushing' }, pushAsked, 'pushing', []],
    [
      'P6 a push of what is linked answers the key',
      linked('awaiting_fix'),
      pushAsked,
      'awaiting_fix',
      ['record:push_reused'],
    ],
    ['S5 In Progress changes nothing', linked('awaiting_fix'), read('not_done'), 'awaiting_fix', []],
    ['V1 Done is a claim', linked('awaiting_fix', 0), read('claimed'), 'needs_rerun', ['record:claimed']],
    [
      "a source that takes Jira's word resolves",
      linked('awaiting_fix'),
      read('claimed', 'resolve'),
      'resolved',
      ['record:resolved'],
    ],
    ["S5 Won't Do blocks", linked('awaiting_fix'), read('blocked'), 'blocked', ['record:blocked']],
    ['a claim reclassified later blocks', linked('needs_rerun'), read('blocked'), 'blocked', ['record:blocked']],
    ['a second Done while flagged changes nothing', linked('needs_rerun'), read('claimed'), 'needs_rerun', []],
    [
      'S8 reopened while flagged waits for a fix again',
      linked('needs_rerun'),
      read('not_done'),
      'awaiting_fix',
      ['record:reopened'],
    ],
    [
      'S8 reopened after verified waits for a fix again',
      linked('verified'),
      read('not_done'),
      'awaiting_fix',
      ['record:reopened'],
    ],
    [
      'S8 reopened after resolved waits for a fix again',
      linked('resolved'),
      read('not_done'),
      'awaiting_fix',
      ['record:reopened'],
    ],
    [
      'S8 reopened after blocked waits for a fix again',
      linked('blocked'),
      read('not_done'),
      'awaiting_fix',
      ['record:reopened'],
    ],
    ['blocked reclassified as done is a claim', linked('blocked'), read('claimed'), 'needs_rerun', ['record:claimed']],
    ['resolved reclassified later blocks', linked('resolved'), read('blocked'), 'blocked', ['record:blocked']],
    ['how a verified issue is filed later takes nothing from it', linked('verified'), read('blocked'), 'verified', []],
    [
      'S8 a moved issue keeps its status',
      linked('awaiting_fix'),
      read('not_done', 'verify', 'WEB-9'),
      'awaiting_fix',
      ['record:moved'],
    ],
    [
      'a refused push leaves closed what a report had closed',
      { ...newLifecycle, status: 'pushing' },
      { type: 'push_ended', outcome: 'refused', reason: 'no', before: { ...newLifecycle, status: 'resolved' } },
      'resolved',
      ['record:push_refused'],
    ],
    ['C10 a push is held', { ...newLifecycle, status: 'pushing' }, heldPush, 'open', ['record:push_held']],
    [
      'S8 an issue that is gone is asked about',
      linked('awaiting_fix'),
      read('missing'),
      'awaiting_fix',
      ['record:issue_missing'],
    ],
    ['S8 while flagged too', linked('needs_rerun'), read('missing'), 'needs_rerun', ['record:issue_missing']],
    ['S8 asked once', missing('awaiting_fix'), read('missing'), 'awaiting_fix', []],
    ['S8 nobody waits for the issue of what is verified', linked('verified'), read('missing'), 'verified', []],
    ['S8 nor of what is resolved', linked('resolved'), read('missing'), 'resolved', []],
    ['S8 nor of what is blocked', linked('blocked'), read('missing'), 'blocked', []],
    ['S6 a project out of sight says nothing', linked('awaiting_fix'), read('project_lost'), 'awaiting_fix', []],
    ['S6 nor of a flagged finding', linked('needs_rerun'), read('project_lost'), 'needs_rerun', []],
    ['S8 it is there again', missing('awaiting_fix'), read('not_done'), 'awaiting_fix', ['record:issue_found']],
    [
      'S8 it is there again, and Done',
      missing('awaiting_fix'),
      read('claimed'),
      'needs_rerun',
      ['record:issue_found', 'record:claimed'],
    ],
    [
      'S8 recreate frees it for a push',
      missing('awaiting_fix'),
      decided('recreate'),
      'open',
      ['record:recreate_asked'],
    ],
    ['S8 accept blocks it', missing('needs_rerun'), decided('accept'), 'blocked', ['record:accepted']],
    [
      'S8 V9 a push of what was accepted is refused',
      { ...linked('blocked'), reason: acceptedReason('ACC-1') },
      pushAsked,
      'blocked',
      ['record:push_refused'],
    ],
    ['S8 drop opens it', missing('awaiting_fix'), decided('drop'), 'open', ['record:dropped']],
    ['S8 nothing is decided about what is there', linked('awaiting_fix'), decided('drop'), 'awaiting_fix', []],
    [
      'S8 a push of what is gone is refused',
      missing('awaiting_fix'),
      pushAsked,
      'awaiting_fix',
      ['record:push_refused'],
    ],
    ['S8 a pass verifies without a comment', missing('needs_rerun'), verdict('pass'), 'verified', ['record:verified']],
    [
      'S8 a fail asks again',
      missing('needs_rerun'),
      verdict('fail', 1, 'reopen'),
      'needs_rerun',
      ['record:verdict_fail', 'record:missing_asked'],
    ],
    [
      'V4 a pass verifies and says so on the issue',
      linked('needs_rerun'),
      verdict('pass'),
      'verified',
      ['record:verified', 'comment'],
    ],
    [
      'V4 a fail stays flagged and says so on the issue',
      linked('needs_rerun'),
      verdict('fail'),
      'needs_rerun',
      ['record:verdict_fail', 'comment'],
    ],
    [
      'V4 a fail reopens where the source says so',
      linked('needs_rerun'),
      verdict('fail', 1, 'reopen'),
      'needs_rerun',
      ['record:verdict_fail', 'reopen_issue'],
    ],
    [
      'a reopened issue waits for a fix',
      linked('needs_rerun'),
      reopened(true),
      'awaiting_fix',
      ['record:reopened_by_recheck'],
    ],
    [
      'an issue that Jira does not reopen stays flagged',
      linked('needs_rerun'),
      reopened(false),
      'needs_rerun',
      ['record:reopen_refused'],
    ],
    ['a skip decides nothing', linked('needs_rerun'), verdict('skip'), 'needs_rerun', ['record:verdict_skip']],
    [
      'V8 unstable is not fixed',
      linked('needs_rerun'),
      verdict('unstable'),
      'needs_rerun',
      ['record:verdict_unstable'],
    ],
    [
      'a verdict for an older claim is evidence only',
      linked('needs_rerun', 2),
      verdict('pass', 1),
      'needs_rerun',
      ['record:verdict_late'],
    ],
    [
      'a verdict on what is not flagged is evidence only',
      linked('awaiting_fix'),
      verdict('pass'),
      'awaiting_fix',
      ['record:verdict_late'],
    ],
    ['S8 unlinking opens it', linked('awaiting_fix'), unlink, 'open', ['record:unlinked']],
    ['S8 linking an issue made by hand waits for its fix', newLifecycle, link, 'awaiting_fix', ['record:linked']],
    ['linking what is linked changes nothing', linked('awaiting_fix'), link, 'awaiting_fix', []],
  ];
  it.each(table)('%s', (_, state, event, status, effects) => {
    const step = nextStep(state, event);
    expect(step.state.status).toBe(status);
    expect(step.effects.map((each) => (each.type === 'record' ? `record:${each.event}` : each.type))).toEqual(effects);
  });

  it('numbers each claim and withdraws the case of the one before', () => {
    const first = nextStep(linked('awaiting_fix', 0), read('claimed')).state;
    expect(first.claim).toBe(1);
    const back = nextStep(first, read('not_done'));
    expect(back.effects).toContainEqual(expect.objectContaining({ event: 'reopened', withdraw: true }));
    expect(nextStep(back.state, read('claimed')).state.claim).toBe(2);
  });
});

describe('P9 the approval of a push', () => {
  // Every status that a finding can be in, with its issue where it has one.
  const states: [FindingStatus, LifecycleState][] = findingStatuses.flatMap((status) => {
    const bare: LifecycleState = { ...newLifecycle, status, claim: 1, reason: 'why' };
    const isLinked = ['awaiting_fix', 'needs_rerun', 'verified', 'resolved', 'blocked'].includes(status);
    return isLinked ? [[status, { ...bare, issue }]] : [[status, bare]];
  });
  const waits: FindingStatus[] = ['open', 'push_failed'];

  it.each(states)('P9 asked for while %s', (status, state) => {
    const step = nextStep(state, approvalAsked);
    if (!waits.includes(status)) return expect(step).toEqual({ state, effects: [] });
    expect(step.state).toEqual({ ...state, status: 'awaiting_approval', reason: null });
    expect(step.effects).toEqual([{ type: 'record', event: 'approval_asked', actor: mel }]);
  });

  it('P9 asked for while an issue is linked changes nothing, whatever the status says', () => {
    for (const status of waits) {
      const state = linked(status);
      expect(nextStep(state, approvalAsked)).toEqual({ state, effects: [] });
    }
  });

  describe.each(approvalEnds)('P9 %s', (said) => {
    it.each(states)('while %s', (status, state) => {
      const step = nextStep(state, approvalEnded(said));
      if (status !== 'awaiting_approval') return expect(step).toEqual({ state, effects: [] });
      expect(step.state).toEqual({ ...state, status: 'open', reason: null });
      expect(step.effects).toEqual([{ type: 'record', event: `approval_${said}`, actor: mel, detail: 'Too many.' }]);
      expect(isAtRest(step.state)).toBe(true);
    });
  });

  const waiting: LifecycleState = { ...newLifecycle, status: 'awaiting_approval' };
  it.each<[string, LifecycleEvent, FindingStatus, string[]]>([
    ['approved, it is pushed', pushAsked, 'pushing', ['create_issue']],
    ['linked by hand meanwhile, it waits for its fix', link, 'awaiting_fix', ['record:linked']],
    ['there is nothing to unlink', unlink, 'awaiting_approval', []],
    ['nobody can have decided about its issue', decided('drop'), 'awaiting_approval', []],
    ['Jira has nothing to say of it', read('claimed'), 'awaiting_approval', []],
    ['a push of an earlier life ends unheard', created, 'awaiting_approval', []],
    ['a verdict is evidence only', verdict('pass'), 'awaiting_approval', ['record:verdict_late']],
    ['asked for again, it is asked for once', approvalAsked, 'awaiting_approval', []],
  ])('P9 while it waits: %s', (_, event, status, effects) => {
    const step = nextStep(waiting, event);
    expect(step.state.status).toBe(status);
    expect(step.effects.map((each) => (each.type === 'record' ? `record:${each.event}` : each.type))).toEqual(effects);
  });

  it('P9 waits for people: its run does not complete', () => {
    expect(isAtRest(waiting)).toBe(false);
  });
});

describe('S6 what a poll asks before it wakes a lifecycle', () => {
  const reading = (meaning: 'not_done' | 'claimed' | 'blocked' | 'missing' | 'project_lost', key = 'ACC-1') =>
    ({ meaning, key, onJiraDone: 'verify' }) as const;
  it.each<[string, LifecycleState, ReturnType<typeof reading>, boolean]>([
    ['an open issue that waits for its fix', linked('awaiting_fix'), reading('not_done'), false],
    ['a Done that was missed', linked('awaiting_fix'), reading('claimed'), true],
    ['a Done that is known', linked('needs_rerun'), reading('claimed'), false],
    ['one that was reopened', linked('verified'), reading('not_done'), true],
    ['one that moved', linked('awaiting_fix'), reading('not_done', 'WEB-1'), true],
    ['one that is gone', linked('awaiting_fix'), reading('missing'), true],
    ['one that was known to be gone', missing('awaiting_fix'), reading('missing'), false],
    ['one that is back', missing('awaiting_fix'), reading('not_done'), true],
    ['one whose project is out of sight', linked('awaiting_fix'), reading('project_lost'), false],
  ])('S6 %s', (_, state, read, changes) => {
    expect(wouldChange(state, read)).toBe(changes);
  });
});

describe('any sequence of events', () => {
  const events = fc.array(
    fc.oneof(
      fc.constantFrom(pushAsked, created, failed, refused, heldPush, unlink, link, reopened(true), reopened(false)),
      fc.constantFrom(approvalAsked, ...approvalEnds.map(approvalEnded)),
      fc.constantFrom('recreate' as const, 'accept' as const, 'drop' as const).map(decided),
      fc
        .record({
          meaning: fc.constantFrom(...(['not_done', 'claimed', 'blocked', 'missing', 'project_lost'] as const)),
          policy: fc.constantFrom('verify' as const, 'resolve' as const),
          key: fc.constantFrom('ACC-1', 'WEB-1'),
        })
        .map(({ meaning, policy, key }) => read(meaning, policy, key)),
      fc
        .record({
          given: fc.constantFrom('pass' as const, 'fail' as const, 'skip' as const, 'unstable' as const),
          claim: fc.integer({ min: 0, max: 4 }),
          policy: fc.constantFrom('comment' as const, 'reopen' as const),
        })
        .map(({ given, claim, policy }) => verdict(given, claim, policy)),
    ),
    { maxLength: 40 },
  );
  const waitsFor = ['awaiting_approval', 'pushing', 'push_failed', 'awaiting_fix', 'needs_rerun'];
  const walk = (
    list: LifecycleEvent[],
    visit: (before: LifecycleState, event: LifecycleEvent, step: ReturnType<typeof nextStep>) => void,
  ) => {
    let state = newLifecycle;
    for (const event of list) {
      const step = nextStep(state, event);
      visit(state, event, step);
      state = step.state;
    }
  };

  it('never asks for a second issue while one is linked or being made', () => {
    fc.assert(
      fc.property(events, (list) => {
        walk(list, (before, _, { effects }) => {
          if (effects.some((each) => each.type === 'create_issue')) {
            expect(before.issue).toBeNull();
            expect(before.status).not.toBe('pushing');
          }
        });
      }),
    );
  });

  it('never loses a finding: what waits for Jira or a re-run has an issue, what is settled may complete', () => {
    fc.assert(
      fc.property(events, (list) => {
        walk(list, (_, __, { state }) => {
          if (['awaiting_fix', 'needs_rerun', 'verified'].includes(state.status)) expect(state.issue).not.toBeNull();
          if (state.missing) expect(['awaiting_fix', 'needs_rerun']).toContain(state.status);
          if (!isAtRest(state)) expect(waitsFor).toContain(state.status);
        });
      }),
    );
  });

  it('P9 makes an issue only when a push is asked for, and the words about an approval take none away', () => {
    fc.assert(
      fc.property(events, (list) => {
        walk(list, (before, event, { state, effects }) => {
          if (effects.some(({ type }) => type === 'create_issue')) expect(event.type).toBe('push_asked');
          if (!event.type.startsWith('approval_')) return;
          expect(state.issue).toEqual(before.issue);
          expect(state.claim).toBe(before.claim);
          if (before.issue) expect(state).toEqual(before);
          if (state.status === before.status) expect(effects).toEqual([]);
          // Told twice, once counts.
          expect(nextStep(state, event)).toEqual({ state, effects: [] });
        });
      }),
    );
  });

  it('verifies only by a pass for the current claim, and writes down every change of status', () => {
    fc.assert(
      fc.property(events, (list) => {
        walk(list, (before, event, { state, effects }) => {
          if (state.status === 'verified' && before.status !== 'verified') {
            expect(event).toMatchObject({ type: 'verdict_given', verdict: 'pass', claim: before.claim });
          }
          if (state.status !== before.status) expect(effects.length).toBeGreaterThan(0);
          expect(state.claim).toBeGreaterThanOrEqual(before.claim);
        });
      }),
    );
  });
});
