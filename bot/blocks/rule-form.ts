import type { types } from '@slack/bolt';
import type { RuleForm, RuleView } from '../../api/operations/types';
import { defaultPriorities, type Severity, severities } from '../../workflows/rules/vocabulary';
import { actions, button, context, header, section } from './elements';
import { jiraFields, MAX_CHOICES } from './rule-fields';
import { choiceInput, numberInput, radioInput, selectInput, textInput, tickInput, writtenInput } from './rule-inputs';
import { digestsOf, formDigests, initialValues, type RuleOrigin } from './rule-values';
import { foreign, plain } from './text';
import { severityWords } from './words';

export const ruleView = { callback: 'rule.save', title: 'Sync rule' } as const;
/** `jiraChoice` is the action of what the rest of the form depends on. */
export const ruleActions = { jiraChoice: 'rule.jira_choice', preview: 'rule.preview', edit: 'rule.edit' } as const;

type Shown = {
  form: RuleForm;
  /** The rule as the form is to say it, where a person has changed it already. */
  rule?: RuleView;
  /** A refusal of what was submitted, told at the top. */
  trouble?: string;
  /** `form` and `rule` hold only what a person has changed already: that stays changed, with what it was. */
  origin: Omit<RuleOrigin, 'form' | 'rule'> & Partial<Pick<RuleOrigin, 'form' | 'rule'>>;
};

/** The form of a sync rule. Credentials are no part of it: those are entered on the connect page. */
export function ruleModal({ form, rule = form.rule, trouble, origin }: Shown): types.ModalView {
  const { turn } = origin;
  const inputs = [
    ...routing(form, rule, turn),
    ...otherRoutes(form, rule, turn),
    ...jiraFields(form, rule, turn),
    ...flow(rule, turn),
    ...content(form, rule, turn),
  ];
  const known = {
    form: { ...formDigests(initialValues(inputs)), ...origin.form },
    rule: { ...digestsOf(form.rule), ...origin.rule },
  };
  return {
    type: 'modal',
    callback_id: ruleView.callback,
    private_metadata: JSON.stringify({ ...origin, ...known } satisfies RuleOrigin),
    title: { type: 'plain_text', text: ruleView.title },
    submit: { type: 'plain_text', text: 'Save sync rule' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [header(form.source.name), ...warnings(form, rule, trouble), ...inputs],
  };
}

function warnings({ problem }: RuleForm, rule: RuleView, trouble: string | undefined): types.KnownBlock[] {
  const said = [
    ...(trouble ? [`*Not saved:* ${foreign(trouble, 1500)}`] : []),
    ...(rule.projectKey ? [] : ['*Warning:* this source has no Jira project key, so nothing can be pushed from it.']),
    ...rule.warnings.map((warning) => `*Warning:* ${foreign(warning, 500)}`),
    ...(problem ? [`*Jira:* ${foreign(problem, 800)}`] : []),
  ];
  return said.map((line) => section(line));
}

function routing(form: RuleForm, rule: RuleView, turn: number): types.InputBlock[] {
  const reload = { action: ruleActions.jiraChoice, dispatch: true, max: 255 };
  const connections = form.connections
    .filter(({ id, status }) => status !== 'disconnected' || id === rule.connection)
    .map(({ id, name, status }) => ({ id, name: status === 'connected' ? name : `${name} (${status})` }));
  return [
    radioInput(
      { name: 'enabled', turn, label: 'Sync to Jira' },
      onOff('nothing is pushed'),
      rule.enabled ? 'on' : 'off',
    ),
    choiceInput({ name: 'connection', turn, label: 'Jira connection', ...reload }, connections, rule.connection),
    choiceInput(
      {
        name: 'project',
        turn,
        label: 'Jira project',
        hint: 'Where the issues of this source go. Without a project nothing can be pushed.',
        ...reload,
      },
      form.projects.map(({ key, name }) => ({ id: key, name: `${key}: ${name}` })),
      rule.projectKey,
    ),
    selectInput(
      { name: 'issueType', turn, label: 'Issue type', ...reload },
      named(form.issueTypes).filter(({ id }) => id.length <= 75),
      rule.issueType,
    ),
  ];
}

/** Where people may push to beside the source's own connection; nothing where there is no other. */
function otherRoutes({ connections }: RuleForm, rule: RuleView, turn: number): types.InputBlock[] {
  const allowed = rule.otherConnections ?? [];
  const others = connections
    .filter(({ id, status }) => id !== rule.connection && (status !== 'disconnected' || allowed.includes(id)))
    .map(({ id, name, projectKey }) => ({ id, name: `${projectKey} in ${name}` }));
  if (others.length === 0) return [];
  const spec = {
    name: 'otherConnections',
    turn,
    label: 'Other connections that people may push to',
    hint: 'Chosen for one finding at a time; its issue goes to the project named here.',
  };
  return [tickInput(spec, others.slice(0, MAX_CHOICES), allowed)];
}

function flow(rule: RuleView, turn: number): types.InputBlock[] {
  const { approval } = rule;
  const bulk = typeof approval === 'object' ? approval.bulkOver : null;
  const at = (name: string, label: string, hint?: string) => ({ name, turn, label, ...(hint ? { hint } : {}) });
  return [
    tickInput(
      at('severities', 'Severities that may flow to Jira'),
      severities.map((id) => ({ id, name: `${severityWords[id].symbol} ${severityWords[id].word}` })),
      rule.severities,
    ),
    radioInput(
      at(
        'autoPush',
        'Auto-push',
        'Only what is found first, or again after it was closed, since this was switched on. Never the backlog.',
      ),
      onOff('people push'),
      rule.autoPush ? 'on' : 'off',
    ),
    radioInput(
      at('approval', 'Approval'),
      [
        { id: 'none', name: 'No push needs an approval' },
        { id: 'bulk', name: 'Pushes of many findings need one' },
        { id: 'all', name: 'Every push needs one' },
      ],
      bulk === null ? String(approval) : 'bulk',
    ),
    numberInput(at('bulkOver', 'Many means more than'), bulk === null ? '' : String(bulk)),
    radioInput(
      at('onJiraDone', 'When the issue is Done in Jira'),
      [
        { id: 'verify', name: 'Flag it for a re-run' },
        { id: 'resolve', name: 'Resolve it' },
      ],
      rule.onJiraDone,
    ),
    radioInput(
      at('onVerifyFail', 'When the re-run fails'),
      [
        { id: 'comment', name: 'Comment on the issue' },
        { id: 'reopen', name: 'Reopen the issue' },
      ],
      rule.onVerifyFail,
    ),
    radioInput(
      at('verifier', 'Who verifies'),
      [
        { id: 'person', name: 'A person, or a later report' },
        { id: 'report', name: 'Reports alone' },
      ],
      rule.verifier,
    ),
    radioInput(
      at('grouping', 'One issue per'),
      [
        { id: 'rule', name: 'Rule' },
        { id: 'page', name: 'Rule and page' },
        { id: 'element', name: 'Element' },
      ],
      rule.grouping,
    ),
  ];
}

function content(form: RuleForm, rule: RuleView, turn: number): types.KnownBlock[] {
  const known = form.placeholders.map(({ name }) => `{${name}}`).join(' ');
  const { template } = rule;
  const priority = (severity: Severity) =>
    choiceInput(
      {
        name: `priority-${severity}`,
        turn,
        label: `Priority of ${severityWords[severity].word}`,
        none: unchosenPriority(form, severity),
        ...(form.priorities.length === 0 ? { hint: `Empty: ${unchosenPriority(form, severity)}.` } : {}),
      },
      named(form.priorities).filter(({ id }) => id.length <= 75),
      rule.priorities[severity] ?? null,
    );
  return [
    ...textInput({ name: 'labels', turn, label: 'Labels', hint: 'Parted by spaces.' }, rule.labels.join(' ')),
    choiceInput(
      { name: 'component', turn, label: 'Component' },
      named(form.components).filter(({ id }) => id.length <= 75),
      rule.component,
    ),
    writtenInput(
      { name: 'assignee', turn, label: 'Assignee', hint: "The person's Jira account id.", max: 255 },
      rule.assignee ?? '',
    ),
    ...severities.map(priority),
    ...textInput(
      { name: 'summary', turn, label: 'Title of the issues', hint: 'Empty: the title of the finding.', max: 1000 },
      template?.summary ?? '',
    ),
    ...textInput(
      {
        name: 'description',
        turn,
        label: 'Description of the issues',
        hint: 'Empty: the standard one.',
        multiline: true,
      },
      template?.description ?? '',
    ),
    context(foreign(`Filled in: ${known} and, in the description on a line of its own, {details}.`, 1500)),
    actions([button({ action: ruleActions.preview, label: 'Preview an issue', value: form.source.key })]),
  ];
}

/** What an issue gets where the rule names no priority: ours, if the project has it. */
function unchosenPriority({ priorities }: RuleForm, severity: Severity): string {
  const ours = defaultPriorities[severity];
  if (priorities.length === 0) return `${ours}, if the project has it`;
  const isOffered = priorities.some(({ name }) => name.toLowerCase() === ours.toLowerCase());
  return isOffered ? `${ours} (unless you choose)` : "Jira's default";
}

function onOff(off: string): { id: string; name: string }[] {
  return [
    { id: 'on', name: 'On' },
    { id: 'off', name: `Off: ${off}` },
  ];
}

/** Choices that the rule keeps by name. */
function named(choices: { name: string }[]): { id: string; name: string }[] {
  return choices.map(({ name }) => ({ id: name, name: plain(name, 75) }));
}
