import type { types } from '@slack/bolt';
import type { IssuePreviewView, RuleView, SourceView } from '../../api/operations/types';
import { defaultPriorities, severities } from '../../workflows/rules/vocabulary';
import { button, context, header, plainSection, section } from './elements';
import { ruleActions, ruleView } from './rule-form';
import { beginning, foreign, type Message, plain } from './text';

const SHOWN = 15;
export const previewTitle = 'Preview';
const SHOWN_CHARACTERS = 2900;

/** Every source with how it flows, each with the way to its rule. */
export function ruleList(sources: SourceView[], options: { mayEdit: boolean; hasMore: boolean }): Message {
  if (sources.length === 0) {
    const text = 'There is no source yet. A source is made with the HTTP API: `POST /api/v1/sources`.';
    return { text, blocks: [section(text)] };
  }
  const shown = sources.slice(0, SHOWN);
  const label = options.mayEdit ? 'Edit rule' : 'Show rule';
  const rows = shown.map((source) => ({ source, line: sourceLine(source) }));
  const more =
    options.hasMore || sources.length > SHOWN
      ? [`These are the first ${SHOWN}. Name another one: \`/recheck rules SOURCE\`.`]
      : [];
  return {
    text: ['Sync rules', ...rows.map(({ line }) => line), ...more].join('\n'),
    blocks: [
      header('Sync rules'),
      ...rows.map(({ source, line }) =>
        section(line, button({ action: ruleActions.edit, label, about: source.name, value: source.key })),
      ),
      ...more.map((line) => context(line)),
    ],
  };
}

function sourceLine({ name, key, rule, warnings }: SourceView): string {
  const project = rule.projectKey ? foreign(rule.projectKey, 40) : 'no project';
  const facts = `${rule.enabled ? 'on' : 'off'}, ${project}, ${rule.severities.join(' and ') || 'no severity'}, auto-push ${rule.autoPush ? 'on' : 'off'}`;
  const warned = [...(rule.projectKey ? [] : ['without a Jira project key nothing can be pushed.']), ...warnings];
  const [first] = warned;
  return `*${foreign(name, 50)}* (${foreign(key, 40)}): ${facts}.${first ? `\n*Warning:* ${foreign(first, 100)}` : ''}`;
}

/** Settings as the form calls them. */
const inWords: Record<string, string> = {
  none: 'No push needs an approval',
  all: 'Every push needs one',
  verify: 'Flag it for a re-run',
  resolve: 'Resolve it',
  comment: 'Comment on the issue',
  reopen: 'Reopen the issue',
  person: 'A person, or a later report',
  report: 'Reports alone',
};

/** A rule for who may not change it. */
export function ruleReading(source: string, rule: RuleView): types.ModalView {
  const { approval } = rule;
  const words = typeof approval === 'object' ? `pushes of more than ${approval.bulkOver}` : approval;
  const facts: [string, string][] = [
    ['Sync to Jira', rule.enabled ? 'On' : 'Off'],
    ['Jira project', rule.projectKey ?? 'None'],
    ['Issue type', rule.issueType],
    ['Other connections that people may push to', String(rule.otherConnections?.length ?? 0)],
    ['Severities', rule.severities.join(', ') || 'None'],
    ['Auto-push', rule.autoPush ? 'On' : 'Off'],
    ['Approval', inWords[words] ?? words],
    ['When Done in Jira', inWords[rule.onJiraDone] ?? rule.onJiraDone],
    ['When the re-run fails', inWords[rule.onVerifyFail] ?? rule.onVerifyFail],
    ['Who verifies', inWords[rule.verifier] ?? rule.verifier],
    ['One issue per', rule.grouping === 'page' ? 'rule and page' : rule.grouping],
    ['Labels', rule.labels.join(' ') || 'None'],
    ['Component', rule.component ?? 'None'],
    ['Assignee', rule.assignee ?? 'None'],
    [
      'Priorities, where the project has them',
      severities.map((each) => `${each}: ${rule.priorities[each] ?? defaultPriorities[each]}`).join(', '),
    ],
    ['Title of the issues', rule.template?.summary ?? 'The title of the finding'],
    ['Description of the issues', rule.template?.description ? 'A template of its own' : 'The standard one'],
  ];
  const warnings = [
    ...(rule.projectKey ? [] : ['This source has no Jira project key, so nothing can be pushed from it.']),
    ...rule.warnings,
  ];
  return reading([
    header(`Sync rule of ${source}`),
    ...warnings.map((warning) => section(`*Warning:* ${foreign(warning, 500)}`)),
    section(facts.map(([name, value]) => `*${name}:* ${foreign(value, 150)}`).join('\n')),
    context('Only admins and owners can change it.'),
  ]);
}

/** What became of a submitted rule. */
export function ruleSaved(source: string, rule: RuleView): types.ModalView {
  const state = rule.enabled ? `on, to ${foreign(rule.projectKey ?? 'no project', 80)}` : 'off';
  return reading([
    section(`*Saved.* ${foreign(source, 100)} is ${state}. It applies from the next push on; issues in Jira stay.`),
    ...rule.warnings.map((warning) => section(`*Warning:* ${foreign(warning, 500)}`)),
  ]);
}

/** An issue as the rule would make it. */
export function issuePreview(preview: IssuePreviewView): types.ModalView {
  const { summary, description, labels, priority, component, finding, warnings } = preview;
  const priorityWords = `Priority: ${priority ? `${priority}, if the project has it` : "Jira's default"}`;
  const facts = [`Labels: ${labels.join(' ') || 'none'}`, priorityWords];
  if (component) facts.push(`Component: ${component}`);
  const whole = description.replace(/[\u202a-\u202e\u2066-\u2069]/g, '').trim();
  const shown = beginning(whole, SHOWN_CHARACTERS);
  const blocks = [
    context(finding ? `As the issue of ${finding} would be` : 'As the issue of an example would be'),
    header(plain(summary, 150)),
    plainSection(shown),
    ...(shown.length < whole.length ? [context('The rest is left out here; the issue has all of it.')] : []),
    context(foreign(facts.join(' · '), 1000)),
    ...warnings.map((warning) => section(`*Warning:* ${foreign(warning, 500)}`)),
  ];
  return reading(blocks, previewTitle);
}

/** A window that only says something. */
export function reading(blocks: types.KnownBlock[], title: string = ruleView.title): types.ModalView {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: title },
    close: { type: 'plain_text', text: 'Close' },
    blocks,
  };
}
