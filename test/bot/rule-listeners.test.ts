// The form of a sync rule as Slack sends it: signed requests in, windows out.

import { Refusal } from '../../api/operations/refusal';
import type { Operations, RuleChange, RuleForm, RuleFormQuery, RuleView } from '../../api/operations/types';
import { ruleActions } from '../../bot/blocks/rule-form';
import { ruleBlock } from '../../bot/blocks/rule-values';
import { until } from '../support/until';
import { type BotWorld, startBotWorld } from './bot-world';
import { ruleForm, ruleView } from './push-samples';
import { callerBySlackUser, type ShownView, slackPerson, wordsOf } from './slack-person';

let bot: BotWorld;
let given: Partial<Operations> = {};
let rule: RuleView;
/** What Jira answers the form beside what the rule says. */
let offered: (query: RuleFormQuery) => Partial<RuleForm>;
let asked: RuleFormQuery[] = [];
let saved: RuleChange[] = [];

beforeAll(async () => {
  bot = await startBotWorld(() => ({ callerBySlackUser, ...given }));
});
afterAll(() => bot.stop());
beforeEach(async () => {
  await bot.world.sandbox('POST', 'reset');
  rule = ruleView();
  offered = () => ({});
  asked = [];
  saved = [];
  given = {
    getRule: async () => rule,
    ruleForm: async (_caller, _source, query = {}) => {
      asked.push(query);
      return ruleForm(rule, offered(query));
    },
    putRule: async (_caller, _source, change) => {
      saved.push(change);
      return { ...rule, enabled: true };
    },
  };
  bot.logged.length = 0;
});
afterEach(() => expect(bot.logged.filter(({ level }) => level === 'error')).toEqual([]));

const ADA = 'U0ADA00000';
const as = (role: 'owner' | 'admin' | 'member') => slackPerson(bot, role);
const isForm = ({ submit }: ShownView) => submit?.text === 'Save sync rule';
const opened = async (role: 'owner' | 'admin' = 'admin') => {
  await as(role).command('rules shop');
  return as(role).window(isForm, 'the form of the rule');
};
const refilled = (turn: number) =>
  as('admin').window(
    (view) => isForm(view) && view.blocks.some(({ block_id: id }) => id?.startsWith(`rule:${turn}:`)),
    `fill ${turn} of the form`,
  );
const savedView = () => as('admin').window((view) => wordsOf(view).includes('*Saved.*'), 'the window saying so');
const at = (name: string, turn = 0) => ruleBlock(name, turn);
const team = {
  id: 'customfield_10010',
  name: 'Team',
  type: 'option',
  allowedValues: [{ id: '7', name: 'Cart' }],
  value: null,
};

describe('R1, R2, R3: the form of a sync rule in Slack', () => {
  it('R1 opens with the rule as it is and saves what was changed, and nothing else', async () => {
    rule = ruleView({ labels: ['a11y'], template: { summary: '{title}', fields: { customfield_9: 'kept' } } });
    const view = await opened();
    await as('admin').submit(view, { [at('severities')]: ['critical'], [at('autoPush')]: 'on' });
    await savedView();
    expect(saved).toEqual([{ severities: ['critical'], autoPush: true }]);
  });

  it('R1 undoes nothing that somebody else saved while the window was open', async () => {
    const view = await opened();
    rule = ruleView({ approval: 'all', labels: ['theirs'], grouping: 'page' });
    await as('admin').submit(view, { [at('severities')]: ['critical'], [at('grouping')]: 'page' });
    await savedView();
    // Both chose the same grouping.
    expect(saved).toEqual([{ severities: ['critical'], grouping: 'page' }]);
  });

  it('R1 tells of what both changed, and saves it only when it is saved once more', async () => {
    const view = await opened();
    rule = ruleView({ approval: 'all', labels: ['theirs'] });
    await as('admin').submit(view, { [at('labels')]: 'mine', [at('autoPush')]: 'on' });
    const back = await refilled(1);
    expect(saved).toEqual([]);
    expect(wordsOf(back)).toContain('Somebody else changed this meanwhile: Labels.');
    expect(wordsOf(back)).toContain('"initial_value":"mine"');
    const approval = back.blocks.find(({ block_id: id }) => id === at('approval', 1));
    expect(approval?.element).toMatchObject({ initial_option: { value: 'all' } });
    await as('admin').submit(back);
    await savedView();
    expect(saved).toEqual([{ labels: ['mine'], autoPush: true }]);
  });

  it('R1 keeps what others saved apart when the form is filled anew', async () => {
    const view = await opened();
    rule = ruleView({ approval: 'all', labels: ['theirs'] });
    const values = { [at('labels')]: 'mine' };
    await as('admin').inWindow(view, ruleActions.jiraChoice, { blockId: at('issueType'), value: 'Task', values });
    const next = await refilled(1);
    const approval = next.blocks.find(({ block_id: id }) => id === at('approval', 1));
    expect(approval?.element).toMatchObject({ initial_option: { value: 'all' } });
    await as('admin').submit(next);
    expect(wordsOf(await refilled(2))).toContain('Somebody else changed this meanwhile: Labels.');
    await as('admin').submit(await refilled(2));
    await savedView();
    expect(saved).toEqual([{ issueType: 'Task', labels: ['mine'] }]);
  });

  it('R1 tells by message that a rule was saved whose window was closed meanwhile', async () => {
    const view = await opened();
    let save: () => void = () => undefined;
    let isAsked = false;
    given.putRule = () => {
      isAsked = true;
      return new Promise((resolve) => {
        save = () => resolve(rule);
      });
    };
    await as('admin').submit(view, { [at('autoPush')]: 'on' });
    await until(() => isAsked);
    await bot.world.act('close', { user: ADA, viewId: view.id });
    save();
    await as('admin').told('The sync rule of *shop* is saved.');
  });

  it('R3 leaves a field out that is unticked, because Jira has taken it from its screen', async () => {
    const fields = { customfield_10050: { id: '1' }, customfield_9: 'kept' };
    rule = ruleView({ template: { fields } });
    const view = await opened();
    expect(wordsOf(view)).toContain('customfield_10050: {\\"id\\":\\"1\\"}');
    await as('admin').submit(view, { [at('furtherFields')]: ['customfield_9'] });
    await savedView();
    expect(saved).toEqual([{ template: { fields: { customfield_9: 'kept' } } }]);
    expect(rule.template?.fields).toEqual(fields);
  });

  it('R3 keeps the field unticked while the form is filled anew, and offers it still', async () => {
    rule = ruleView({ template: { fields: { customfield_9: 'kept', customfield_10050: 'gone' } } });
    const view = await opened();
    given.putRule = () =>
      Promise.reject(new Refusal('invalid', 'x', { http: 'Wrong in the API.', slack: 'Something else is wrong.' }));
    await as('admin').submit(view, { [at('furtherFields')]: ['customfield_9'], [at('labels')]: 'web' });
    const back = await refilled(1);
    expect(wordsOf(back)).toContain('customfield_10050');
    expect(wordsOf(back)).toContain('Something else is wrong.');
    expect(wordsOf(back)).not.toContain('in the API');
    given.putRule = async (_caller, _source, change) => {
      saved.push(change);
      return rule;
    };
    await as('admin').submit(back);
    await savedView();
    expect(saved).toEqual([{ labels: ['web'], template: { fields: { customfield_9: 'kept' } } }]);
  });

  it('R1 asks Jira anew when another project is chosen, and keeps what was entered so far', async () => {
    rule = ruleView({ template: { summary: '{title}', fields: { customfield_9: 'of ACC alone' } } });
    offered = ({ projectKey }) => (projectKey === 'WEB' ? { required: [team], components: [] } : {});
    const view = await opened();
    const values = { [at('labels')]: 'web' };
    await as('admin').inWindow(view, ruleActions.jiraChoice, { blockId: at('project'), value: 'WEB', values });
    const next = await refilled(1);
    expect(asked.at(-1)).toMatchObject({ projectKey: 'WEB' });
    expect(wordsOf(next)).toContain('Team (required by Jira)');
    expect(wordsOf(next)).toContain('"initial_value":"web"');
    await as('admin').submit(next, { [at('field-one-customfield_10010', 1)]: '7' });
    await savedView();
    // The fields of the former project are none of the new one's: Jira would refuse them.
    expect(saved[0]).toMatchObject({
      projectKey: 'WEB',
      labels: ['web'],
      template: { summary: '{title}', fields: { customfield_10010: { id: '7' } } },
    });
    expect(saved[0]?.template?.fields).not.toHaveProperty('customfield_9');
  });

  it('R2 saves nothing where nothing has changed, and no active source without a project key', async () => {
    const view = await opened();
    expect((await as('admin').submit(view)).errors).toEqual({
      [at('enabled')]: 'Nothing has changed, so there is nothing to save.',
    });
    const bare = await as('admin').submit(view, { [at('project')]: '-' });
    expect(bare.errors).toEqual({ [at('project')]: expect.stringContaining('needs a Jira project key') });
    expect(saved).toEqual([]);
    await as('admin').submit(view, { [at('project')]: '-', [at('enabled')]: 'off' });
    await savedView();
    expect(saved[0]).toMatchObject({ enabled: false, projectKey: null });
  });

  it('R2 warns of a missing project key in the list and in the form', async () => {
    rule = ruleView({ projectKey: null, enabled: false });
    const source = {
      key: 'shop',
      name: 'Shop',
      kind: 'site' as const,
      connection: rule.connection,
      rule,
      warnings: [],
    };
    given.listSources = async () => ({ items: [source], nextCursor: null });
    const { ephemerals } = await as('admin').command('rules');
    expect(ephemerals[0]?.text).toContain('*Warning:* without a Jira project key nothing can be pushed');
    await as('admin').press(ephemerals[0]?.ts ?? '', ruleActions.edit, { wait: 0 });
    const view = await as('admin').window(isForm, 'the form of the rule');
    expect(wordsOf(view)).toContain('no Jira project key, so nothing can be pushed');
  });

  it('R3 brings the form back with the reason, what Jira requires by now, and what was entered', async () => {
    const view = await opened();
    given.putRule = () =>
      Promise.reject(new Refusal('invalid', 'required_fields', 'Jira requires Team for Bug in ACC. Give it.'));
    offered = () => ({ required: [team] });
    await as('admin').submit(view, { [at('labels')]: 'web', [at('grouping')]: 'page' });
    const back = await refilled(1);
    expect(wordsOf(back)).toContain('*Not saved:* Jira requires Team for Bug in ACC. Give it.');
    expect(wordsOf(back)).toContain('Team (required by Jira)');
    expect(wordsOf(back)).toContain('"initial_value":"web"');
    const grouping = back.blocks.find(({ block_id: id }) => id === at('grouping', 1));
    expect(grouping?.element).toMatchObject({ initial_option: { value: 'page' } });

    given.putRule = async (_caller, _source, change) => {
      saved.push(change);
      return rule;
    };
    await as('admin').submit(back, { [at('field-one-customfield_10010', 1)]: '7' });
    await savedView();
    expect(saved[0]).toMatchObject({
      labels: ['web'],
      grouping: 'page',
      template: { fields: { customfield_10010: { id: '7' } } },
    });
  });

  it('R1 shows a description that no input of Slack holds, and leaves it as it is', async () => {
    const description = `Begin ${'long '.repeat(1000)}end`;
    rule = ruleView({ template: { description, fields: { customfield_9: 'kept' } } });
    const view = await opened();
    expect(view.blocks.map(({ block_id: id }) => id)).not.toContain(at('description'));
    expect(wordsOf(view)).toContain('Begin long');
    expect(wordsOf(view)).toContain('longer than the 3000 characters');
    expect((await as('admin').submit(view)).errors?.[at('enabled')]).toContain('Nothing has changed');
    await as('admin').inWindow(view, ruleActions.jiraChoice, { blockId: at('issueType'), value: 'Task' });
    const next = await refilled(1);
    expect(wordsOf(next)).toContain('longer than the 3000 characters');
    await as('admin').submit(next, { [at('summary', 1)]: '{title}' });
    await savedView();
    expect(saved[0]?.template).toEqual({ summary: '{title}', description, fields: {} });
  });

  it('R1 previews an issue as the form would make it, a long description included', async () => {
    rule = ruleView({ template: { description: `{title} ${'x'.repeat(4000)}`, fields: {} } });
    const previewed: unknown[] = [];
    given.previewIssue = async (_caller, _source, request) => {
      previewed.push(request);
      const content = { summary: 'A summary', description: 'A description', labels: [], priority: null };
      return { finding: 'F-1', ...content, component: null, fields: {}, warnings: [] };
    };
    const view = await opened();
    await as('admin').inWindow(view, ruleActions.preview, { values: { [at('summary')]: '{rule}' } });
    await as('admin').window((shown) => wordsOf(shown).includes('A description'), 'the preview');
    expect(previewed).toEqual([{ template: { ...rule.template, summary: '{rule}' } }]);
  });

  it('R1 lets a member read the rule, and save nothing with a window from before', async () => {
    await as('member').command('rules shop');
    const read = await as('member').window((view) => wordsOf(view).includes('Only admins and owners'), 'the rule');
    expect(read.submit).toBeNull();
    expect(asked).toEqual([]);

    const view = await opened();
    given.callerBySlackUser = async (who) => {
      const caller = await callerBySlackUser(who);
      return caller && { ...caller, role: 'member' };
    };
    given.putRule = () => Promise.reject(new Refusal('forbidden', 'forbidden', 'This needs the role admin or owner.'));
    await as('admin').submit(view, { [at('autoPush')]: 'on' });
    await as('admin').told('This needs the role admin or owner.');
    await as('admin').window((shown) => wordsOf(shown).includes('*Not saved.*'), 'the window saying so');
  });

  it('R1 tells in the window that there is no such source', async () => {
    given.ruleForm = () => Promise.reject(new Refusal('not_found', 'source_not_found', 'There is no source "shop".'));
    given.listSources = async () => ({ items: [], nextCursor: null });
    await as('admin').command('rules shop');
    await as('admin').window((view) => wordsOf(view).includes('There is no source'), 'the reason');
  });
});
