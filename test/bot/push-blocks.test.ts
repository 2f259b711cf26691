import type { ViewOutput } from '@slack/bolt';
import { progressBar, pushCard, pushCardActions, waitingList } from '../../bot/blocks/push-card';
import { pickerModal, pickerNote, pickerProblems, pickingOf } from '../../bot/blocks/push-picker';
import { pushOffer } from '../../bot/blocks/pushes';
import { rejectModal } from '../../bot/blocks/reject-view';
import { ruleModal } from '../../bot/blocks/rule-form';
import { ruleBlock, ruleChangeOf, ruleProblems, ruleValues } from '../../bot/blocks/rule-values';
import { issuePreview, ruleList, ruleReading, ruleSaved } from '../../bot/blocks/rules';
import { validateMessage, validateView } from '../../local/sandbox/slack/block-kit';
import { enteredState, type Raw, viewState } from '../../local/sandbox/slack/element-state';
import type { Block } from '../../local/sandbox/slack/messages';
import { pushOutcomes, pushStatuses } from '../../workflows/rules/vocabulary';
import { hostile } from './findings';
import { pushChoices, pushId, pushSummary, ruleForm, ruleView } from './push-samples';

/** A view as it stands after somebody entered something, as Slack sends it. */
function stands(modal: object, entered: Record<string, Raw> = {}): ViewOutput {
  const { blocks } = modal as { blocks: Block[] };
  return { ...modal, state: { values: viewState(blocks, enteredState(blocks, entered)) } } as unknown as ViewOutput;
}

/** The texts in which Slack looks for mentions and links; it does not in plain text. */
function parsedTexts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'type' in value && value.type === 'mrkdwn' && 'text' in value ? [String(value.text)] : [];
  return [...own, ...Object.values(value).flatMap(parsedTexts)];
}

describe('P2: the offer of a push', () => {
  it('P2 says how many are ready for which project, how many are linked, and how many are refused and why', () => {
    const message = pushOffer(pushChoices({ ready: 12, linked: 3 }));
    expect(validateMessage(message)).toEqual([]);
    for (const part of ['12 findings ready to push to ACC', '3 already linked', '5 refused: Its severity is below']) {
      expect(message.text).toContain(part);
    }
    expect(JSON.stringify(message.blocks)).toContain('"Push all 12"');
    expect(JSON.stringify(message.blocks)).toContain('Choose…');
  });

  it('P2 says that all matching findings are in the project where nothing is left', () => {
    const message = pushOffer({ ...pushChoices({ ready: 0, linked: 7 }), refused: [] });
    expect(message.text).toContain('all matching findings are in ACC');
    expect(message.blocks.every(({ type }) => type !== 'actions')).toBe(true);
  });
});

describe('P2: the offer where nothing is ready', () => {
  const nothing = pushChoices({ ready: 0, linked: 7 });

  it('P2 does not say that all findings are in the project where some are refused', () => {
    const { text } = pushOffer(nothing);
    expect(text).toContain('0 findings ready to push to ACC');
    expect(text).toContain('7 already linked');
    expect(text).toContain('5 refused: Its severity is below');
    expect(text).not.toMatch(/all matching|nothing to push/);
  });

  it('P2 does not say that there is nothing to push where all are in the project', () => {
    expect(pushOffer({ ...nothing, refused: [] }).text).not.toContain('nothing to push');
    expect(pushOffer({ ...nothing, linked: 0, refused: [] }).text).toContain('There is nothing to push.');
  });
});

describe('R1: the rule as it is read', () => {
  it('R1 words the rule as its form does', () => {
    const shown = JSON.stringify(ruleReading('shop', ruleView()));
    for (const words of ['Flag it for a re-run', 'Comment on the issue', 'A person, or a later report']) {
      expect(shown).toContain(words);
    }
    expect(shown).not.toMatch(/:\* (verify|comment|person|none)\b/);
  });
});

describe('P9: what is approved', () => {
  const waiting = Array.from({ length: 10 }, (_, number) => ({
    ...{ finding: `F-${number + 1}`, title: `Title <!channel> ${number + 1}`, severity: 'serious' as const },
  }));
  const push = pushSummary({ status: 'awaiting_approval', outcomes: { pending: 12 }, waiting });

  it('P9 names the findings on the message of the push and in the list, harmless', () => {
    const { text } = pushCard(push);
    expect(text).toContain('• ▲ Serious *F-10*: Title &lt;!channel&gt; 10');
    expect(text).toContain('• and 2 more: `/recheck list source:shop`');
    const list = waitingList([
      push,
      { ...push, note: 'Before the release', waiting: waiting.slice(0, 1), outcomes: { pending: 1 } },
    ]);
    expect(list.text).toContain('*F-3*: Title &lt;!channel&gt; 3\n• and 9 more');
    expect(list.text).toContain('Review note: Before the release');
    for (const message of [pushCard(push), list]) expect(validateMessage(message)).toEqual([]);
    for (const text of hostile) {
      const reasons = Array.from({ length: 10 }, () => ({
        ...{ outcome: 'refused' as const, reason: text, count: 9, findings: ['F-1', 'F-2', 'F-3'] },
      }));
      const long = { ...push, note: text, reasons, waiting: waiting.map((each) => ({ ...each, title: text })) };
      // Slack updates no message with more.
      expect(pushCard(long).text.length).toBeLessThanOrEqual(4000);
      for (const message of [pushCard(long), waitingList(Array.from({ length: 12 }, () => long))]) {
        expect(validateMessage(message)).toEqual([]);
      }
    }
  });

  it('P9 says who cancelled a push, and says a rejection once', () => {
    const reason = { outcome: 'cancelled' as const, count: 3, findings: ['F-1', 'F-2', 'F-3'] };
    const by = 'The push was cancelled by Ada Admin.';
    const stopped = { status: 'cancelled' as const, outcomes: { cancelled: 3 }, reasons: [{ ...reason, reason: by }] };
    expect(pushCard(pushSummary(stopped)).text).toContain(by);
    const rejected = 'The push was rejected by Ada Admin.';
    const approval = { decision: 'rejected', decidedBy: 'Ada Admin', note: null, expiresAt: null };
    const { text } = pushCard(
      pushSummary({ ...stopped, status: 'rejected', approval, reasons: [{ ...reason, reason: rejected }] }),
    );
    expect(text.match(/by Ada Admin/g)).toHaveLength(1);
  });
});

describe('P2, P3: what waits for its connection', () => {
  it('C10 is offered with the reason, harmless and valid', () => {
    for (const text of hostile) {
      const choices = { ...pushChoices({ ready: 3 }), held: text };
      const ticked = new Set(['F-1']);
      const modal = pickerModal(choices, { source: 'shop', channel: null, page: 0, turn: 0, ticked });
      expect(validateView(modal)).toEqual([]);
      expect(validateMessage(pushOffer(choices))).toEqual([]);
      expect([pushOffer(choices).text, ...parsedTexts(modal.blocks)].join()).not.toMatch(/<!(channel|here)|<@U0/);
    }
    expect(pushOffer({ ...pushChoices({ ready: 0 }), held: 'The token.' }).text).not.toContain('The token.');
  });
});

describe('P3: the picker', () => {
  const picking = (ready: number, page = 0) => ({
    source: 'shop',
    channel: 'C1',
    page,
    turn: 0,
    ticked: new Set(pushChoices({ ready }).ready.map(({ finding }) => finding)),
  });

  it.each([0, 1, 10, 11, 100, 101, 250, 400, 620])('P3 is a valid view with %i findings, all ticked', (ready) => {
    for (const text of ['Contrast', ...hostile]) {
      for (const page of [0, 1, 3]) {
        expect(validateView(pickerModal(pushChoices({ ready, text }), picking(ready, page)))).toEqual([]);
      }
    }
    const modal = pickerModal(pushChoices({ ready }), picking(ready));
    const ticked = Math.min(ready, 400);
    expect(modal.submit?.text).toBe(ready === 0 ? undefined : `Push ${ticked} selected`);
    expect(pickingOf(stands(modal)).ticked.size).toBe(ticked);
  });

  it('P3 shows severity, description, pages and WCAG tags of each, and why others cannot be chosen', () => {
    const shown = JSON.stringify(pickerModal(pushChoices({ ready: 3 }), picking(3)));
    expect(shown).toContain('▲ Serious · F-2 · Text has too little contrast');
    expect(shown).toContain('1 page · WCAG 1.4.3, Text has');
    expect(shown).toContain('Cannot be chosen');
    expect(shown).toContain('Its severity is below the threshold');
  });

  it('P3 shows a long title on, and says nothing twice', () => {
    const choices = pushChoices({ ready: 1 });
    const test = 'Checkout › pays with a card that was stored before, in another currency';
    const [first] = choices.ready;
    const ready = first ? [{ ...first, title: test, rule: test, pages: 0, wcag: [] }] : [];
    const shown = JSON.stringify(pickerModal({ ...choices, ready }, picking(1)));
    expect(shown).toContain('"‼ Critical · F-1 · Checkout › pays with a card that was stored before, in…"');
    expect(shown).toContain('"…another currency"');
    expect(shown).not.toContain('0 pages');
    const whole = `${'Word '.repeat(10)}thresholds and more`;
    const other = first ? [{ ...first, title: whole, rule: whole, pages: 0, wcag: [] }] : [];
    const parted = JSON.stringify(pickerModal({ ...choices, ready: other }, picking(1)));
    expect(parted).toContain('Word Word…"');
    expect(parted).toContain('"…thresholds and more"');
  });

  it('P3 keeps the ticks of other pages, counts those of this one, and says what it does not hold', () => {
    const first = pickerModal(pushChoices({ ready: 620 }), picking(620));
    expect(JSON.stringify(first)).toContain('220 more are ready');
    const { ticked } = pickingOf(stands(first, { 'pick:0:0:0': ['F-1', 'F-2'], 'pick:0:0:90': [] }));
    expect(ticked.size).toBe(400 - 8 - 10);
    expect(ticked.has('F-3')).toBe(false);
    expect(ticked.has('F-101')).toBe(true);
  });

  it('P3 fits into the metadata with the largest numbers that there are', () => {
    const choices = pushChoices({ ready: 400 });
    const far = choices.ready.map((row, index) => ({ ...row, finding: `F-${2_500_000 * index + 1}` }));
    const ticked = new Set(far.map(({ finding }) => finding));
    const modal = pickerModal({ ...choices, ready: far }, { ...picking(1), source: 'k'.repeat(100), ticked });
    expect(validateView(modal)).toEqual([]);
    expect(pickingOf(stands(modal)).ticked).toEqual(ticked);
  });

  it('P3 is not taken with nothing ticked, and takes a review note', () => {
    const modal = pickerModal(pushChoices({ ready: 2 }), picking(2));
    expect(pickerProblems(stands(modal))).toBeNull();
    expect(pickerProblems(stands(modal, { 'pick:0:0:0': [] }))).toEqual({
      'pick:0:0:0': expect.stringContaining('Tick'),
    });
    expect(pickerNote(stands(modal, { note: ' Look at these ' }))).toBe('Look at these');
  });
});

describe('P5, P9: the message of a push', () => {
  const decisions = [null, 'approved', 'rejected', 'expired'];

  it.each([...pushStatuses])('P9 is valid, harmless and complete while %s', (status) => {
    for (const text of ['Mel', ...hostile]) {
      for (const decision of decisions) {
        const approval = { decision, decidedBy: text, note: text, expiresAt: new Date('2026-11-23T10:00:00Z') };
        const reasons = pushOutcomes.map((outcome) => ({ outcome, reason: text, count: 9, findings: [text, 'F-1'] }));
        const outcomes = Object.fromEntries(pushOutcomes.map((outcome, index) => [outcome, index]));
        const words = { requestedBy: text, note: text, projectKey: text, source: { key: 'shop', name: text } };
        const message = pushCard(pushSummary({ status, approval, reasons, outcomes, ...words }));
        expect(validateMessage(message)).toEqual([]);
        expect([message.text, ...parsedTexts(message.blocks)].join('\n')).not.toMatch(
          /<!(channel|here|everyone)|<@U0OLIVIA00/,
        );
      }
    }
    expect(validateMessage(waitingList(Array.from({ length: 30 }, () => pushSummary({ status }))))).toEqual([]);
  });

  const actionsOf = (over: Parameters<typeof pushSummary>[0]) =>
    pushCard(pushSummary(over)).blocks.flatMap((block) =>
      block.type === 'actions' ? block.elements.map((each) => ('action_id' in each ? each.action_id : '')) : [],
    );
  const { approve, reject, cancel, retry } = pushCardActions;

  it('P9 offers what can be done: a decision, a cancel, a retry of the failed', () => {
    expect(actionsOf({ status: 'awaiting_approval' })).toEqual([approve, reject, cancel]);
    expect(actionsOf({ status: 'running' })).toEqual([cancel]);
    expect(actionsOf({ status: 'completed', outcomes: { created: 3 } })).toEqual([]);
    expect(actionsOf({ status: 'completed', outcomes: { created: 3, failed: 2 } })).toEqual([retry]);
    expect(actionsOf({ status: 'rejected' })).toEqual([]);
  });

  it('P5 says its progress in words beside the bar', () => {
    expect(progressBar(pushSummary())).toBe(`\`${'█'.repeat(10)}${'░'.repeat(10)}\` 50 %: 5 of 10 done.`);
    expect(progressBar(pushSummary({ outcomes: { created: 199, pending: 1 } }))).toContain('99 %: 199 of 200 done');
    expect(pushCard(pushSummary()).text).toContain('5 of 10 done');
  });

  it('the window of a rejection is a valid view', () => {
    expect(validateView(rejectModal({ push: pushId, channel: null }))).toEqual([]);
  });
});

describe('R1, R2, R3: the form of a sync rule', () => {
  const origin = { source: 'shop', channel: 'C1', turn: 0 };
  const required = [
    { id: 'customfield_10010', name: 'Team', type: 'option', allowedValues: [{ id: '7', name: 'Cart' }], value: null },
    { id: 'customfield_10011', name: 'Areas', type: 'array', allowedValues: [{ id: '8', name: 'Web' }], value: null },
    { id: 'customfield_10012', name: 'Points', type: 'number', allowedValues: [], value: null },
    { id: 'customfield_10013', name: 'Contact', type: 'user', allowedValues: [], value: null },
    { id: 'customfield_10014', name: 'Words', type: 'string', allowedValues: [], value: null },
  ];
  const modal = (over: Parameters<typeof ruleView>[0] = {}, form: Parameters<typeof ruleForm>[1] = {}) =>
    ruleModal({ form: ruleForm(ruleView(over), form), origin });

  it('R1 is a valid view, also with hostile words, hundreds of projects, and with Jira away', () => {
    for (const text of hostile) {
      const rule = { component: text || null, assignee: text || null, labels: [text], issueType: text || 'Bug' };
      const many = Array.from({ length: 300 }, (_, index) => ({ id: String(index), key: `P${index}`, name: text }));
      const template = { summary: text, description: text, fields: {} };
      for (const choices of [[], many.slice(0, 3), many]) {
        const offers = { projects: choices, issueTypes: choices, priorities: choices, components: choices };
        const source = { key: 'shop', name: text, kind: 'site' as const };
        const view = modal({ ...rule, template, warnings: [text] }, { ...offers, source, required, problem: text });
        expect(validateView(view)).toEqual([]);
      }
    }
  });

  it('R3 names the priority that issues get where the rule has none', () => {
    const priorities = ['Highest', 'High', 'P3'].map((name) => ({ id: name, name }));
    const shown = JSON.stringify(modal({}, { priorities }));
    for (const none of ['Highest (unless you choose)', 'High (unless you choose)', "Jira's default"])
      expect(shown).toContain(none);
    expect(shown).not.toContain('Medium');
    expect(JSON.stringify(modal({}, { priorities: [] }))).toContain('Empty: Medium, if the project has it.');
    const read = JSON.stringify(ruleReading('shop', ruleView({ priorities: { minor: 'P5' } })));
    expect(read).toContain('critical: Highest, serious: High, moderate: Medium, minor: P5');
  });

  it('R1 reads every part of the rule back as it was', () => {
    const rule = ruleView({
      severities: ['critical', 'serious'],
      labels: ['a11y', 'web'],
      component: 'Cart',
      assignee: 'account-1',
      priorities: { critical: 'High' },
      onJiraDone: 'resolve',
      onVerifyFail: 'reopen',
      grouping: 'page',
      approval: { bulkOver: 20 },
      verifier: 'report',
      autoPush: true,
      template: { summary: '{title}', fields: {} },
    });
    const { warnings: _w, autoPushSince: _s, ...kept } = rule;
    expect(ruleChangeOf(ruleValues(stands(modal(rule))))).toEqual(kept);
  });

  it('R1 lets an admin allow other connections, where there are any', () => {
    const own = ruleView().connection ?? '';
    const connections = [own, 'beta', 'gone'].map((id) => ({
      ...{ id, name: `${id}.example`, projectKey: 'BETA', status: id === 'gone' ? 'disconnected' : 'connected' },
    }));
    expect(JSON.stringify(modal())).not.toContain('otherConnections');
    const form = modal({}, { connections });
    const input = form.blocks.find(({ block_id: id }) => id === ruleBlock('otherConnections', 0));
    expect(JSON.stringify(input)).toContain('BETA in beta.example');
    expect(JSON.stringify(input)).not.toContain('gone.example');
    const view = stands(form, { [ruleBlock('otherConnections', 0)]: ['beta'] });
    expect(ruleProblems(view)).toBeNull();
    expect(ruleChangeOf(ruleValues(view)).otherConnections).toEqual(['beta']);
  });

  it('R2 warns of a source without a project key', () => {
    expect(JSON.stringify(modal({ projectKey: null }))).toContain('no Jira project key, so nothing can be pushed');
    const source = { key: 'shop', name: 'Shop', kind: 'site' as const, connection: null, warnings: [] };
    const list = ruleList([{ ...source, rule: ruleView({ projectKey: null }) }], { mayEdit: true, hasMore: false });
    expect(validateMessage(list)).toEqual([]);
    expect(list.text).toContain('*Warning:* without a Jira project key nothing can be pushed');
  });

  it('R2 saves only what has changed, and no active source without a project key', () => {
    const at = (name: string) => ruleBlock(name, 0);
    expect(ruleProblems(stands(modal()))).toEqual({ [at('enabled')]: expect.stringContaining('Nothing has changed') });
    expect(ruleProblems(stands(modal(), { [at('autoPush')]: 'on' }))).toBeNull();
    expect(ruleProblems(stands(modal(), { [at('project')]: '-' }))).toEqual({
      [at('project')]: expect.stringContaining('needs a Jira project key'),
    });
    expect(ruleProblems(stands(modal(), { [at('project')]: '-', [at('enabled')]: 'off' }))).toBeNull();
    expect(ruleProblems(stands(modal(), { [at('approval')]: 'bulk' }))).toEqual({
      [at('bulkOver')]: expect.stringContaining('1 to 100000'),
    });
  });

  it('R3 asks for what Jira requires, as the kind of field that it is', () => {
    const view = stands(modal({}, { required }), {
      [ruleBlock('field-one-customfield_10010', 0)]: '7',
      [ruleBlock('field-many-customfield_10011', 0)]: ['8'],
      [ruleBlock('field-number-customfield_10012', 0)]: '5',
      [ruleBlock('field-user-customfield_10013', 0)]: 'account-1',
      [ruleBlock('field-text-customfield_10014', 0)]: 'Hello',
    });
    expect(ruleProblems(view)).toBeNull();
    expect(ruleChangeOf(ruleValues(view), { fields: { customfield_9: 'kept' } }).template).toEqual({
      fields: {
        customfield_9: 'kept',
        customfield_10010: { id: '7' },
        customfield_10011: [{ id: '8' }],
        customfield_10012: 5,
        customfield_10013: { accountId: 'account-1' },
        customfield_10014: 'Hello',
      },
    });
  });

  it('R3 holds what Jira offers in hundreds, what is more than a text, and more fields than a form', () => {
    const values = (number: number) =>
      Array.from({ length: number }, (_, index) => ({ id: String(index), name: `Value ${index}` }));
    const field = (id: string, type: string, number: number) => ({
      ...{ id, name: id, type, allowedValues: values(number), value: null },
    });
    const document = { type: 'doc', version: 1, content: [] };
    const fields = [field('few', 'array', 10), field('some', 'array', 60), field('many', 'array', 150)];
    const others = [field('one', 'option', 150), field('rich', 'string', 0), field('parts', 'array', 0)];
    const rest = Array.from({ length: 30 }, (_, index) => field(`rest-${index}`, 'string', 0));
    const kept = { fields: { many: [{ id: '3' }], one: { id: '149' }, rich: document, parts: [{ name: 'Web' }] } };
    const form = modal({ template: kept }, { required: [...fields, ...others, ...rest] });
    expect(validateView(form)).toEqual([]);
    const element = (name: string) => {
      const found = form.blocks.find(({ block_id: id }) => id === ruleBlock(name, 0));
      return found && 'element' in found ? found.element.type : null;
    };
    expect([element('field-many-few'), element('field-many-some'), element('field-many-many')]).toEqual([
      ...['checkboxes', 'multi_static_select', null],
    ]);
    expect([element('field-one-one'), element('field-text-rich'), element('field-list-parts')]).toEqual([
      ...['plain_text_input', null, null],
    ]);
    expect(JSON.stringify(form)).toContain('Jira requires more than fits here: rest-14');
    const chosen = stands(form, { [ruleBlock('field-many-some', 0)]: ['3', '59'] });
    expect(ruleChangeOf(ruleValues(chosen), kept).template?.fields).toEqual({
      ...kept.fields,
      some: [{ id: '3' }, { id: '59' }],
    });
  });

  it('R1 takes no more and no longer labels than the API', () => {
    const problems = (labels: string) => ruleProblems(stands(modal(), { [ruleBlock('labels', 0)]: labels }));
    const refused = { [ruleBlock('labels', 0)]: expect.stringContaining('at most 50 labels') };
    expect(problems('a '.repeat(51))).toEqual(refused);
    expect(problems('a'.repeat(256))).toEqual(refused);
    expect(problems('a '.repeat(50))).toBeNull();
  });

  it('the windows around it are valid and harmless', () => {
    for (const text of hostile) {
      const rule = ruleView({ warnings: [text], labels: [text], component: text });
      expect(validateView(ruleReading(text, rule))).toEqual([]);
      expect(validateView(ruleSaved(text, rule))).toEqual([]);
      const preview = {
        ...{ finding: 'F-1', summary: text, description: text, labels: [text], priority: text, fields: {} },
        warnings: [text],
      };
      expect(validateView(issuePreview({ ...preview, component: text }))).toEqual([]);
      const source = { key: 'shop', name: text, kind: 'site' as const, connection: null, warnings: [text], rule };
      const list = ruleList(
        Array.from({ length: 60 }, () => source),
        { mayEdit: false, hasMore: true },
      );
      expect(validateMessage(list)).toEqual([]);
    }
  });
});
