import type { types } from '@slack/bolt';
import { notFollowedReason } from '../../workflows/rules/describe';
import type { FindingStatus, SessionStatus, Severity, SyncRule } from '../../workflows/rules/vocabulary';
import { actions, button, context, header, overflow, plainSection, section } from './elements';
import { count, foreign, link, type Message, moment, plain } from './text';
import { awaited, eventWords, isGone, isHeld, severityWords, stateWords } from './words';

/** Everything that the one message of a finding shows. */
export type CardFinding = {
  /** The short number, `F-12`. */
  id: string;
  title: string;
  rule: string;
  severity: Severity;
  status: FindingStatus;
  reason: string | null;
  source: { name: string; kind: 'site' | 'suite' };
  /** `report`: nobody can pass its re-run by hand. */
  verifier: SyncRule['verifier'];
  page: string | null;
  /** How many pages (or test files) its occurrences are on. */
  pages: number;
  occurrences: number;
  firstSeenAt: Date;
  lastSeenAt: Date;
  jira: { key: string; url: string; status: string | null; resolution: string | null } | null;
  claimedBy: string | null;
  /** The issue was deleted in Jira, and somebody has to say what becomes of the finding. */
  missing: boolean;
  /** The connection of its issue was ended: nothing that happens in Jira counts any more. */
  notFollowed: boolean;
  session: { id: string; status: SessionStatus } | null;
  lastEvent: { event: string; actor: string; detail: string; at: Date } | null;
};

/** Values are `F-12`; for the verdicts `F-12 <session id>`; in the overflow the verb stands before. */
export const findingActions = {
  push: 'finding.push',
  rerun: 'finding.rerun',
  pass: 'finding.pass',
  fail: 'finding.fail',
  why: 'finding.why',
  openInJira: 'finding.open_in_jira',
  recreate: 'finding.recreate',
  accept: 'finding.accept',
  drop: 'finding.drop',
  unlink: 'finding.unlink',
  more: 'finding.more',
} as const;

/** The card of a finding: what it is, how it stands, who did what last, and what can be done now. */
export function findingCard(finding: CardFinding): Message {
  const { symbol, word } = severityWords[finding.severity];
  const state = stateWords(finding);
  const blocks: types.KnownBlock[] = [
    header(`${symbol} ${word}: ${plain(finding.rule, RULE)} (${finding.id})`),
    ...(isTitled(finding) ? [] : [plainSection(plain(finding.title, 500))]),
    section(`*State:* ${state}`),
    ...notes(finding).map((note) => section(note)),
    { type: 'section', fields: fields(finding).map(([name, value]) => field(name, value)) },
    ...lastEvent(finding),
    actions(actionsOf(finding)),
  ];
  return { text: fullText(finding, state), blocks };
}

/** Whether the headline says the title already: a test has no other name. */
function isTitled({ title, rule }: CardFinding): boolean {
  return plain(title, 500) === plain(rule, RULE);
}

const RULE = 110;

/** What the state alone would hide. */
function notes(finding: CardFinding): string[] {
  const { status, session, verifier, notFollowed } = finding;
  const isDecided = status === 'needs_rerun' && session?.status === 'in_progress';
  return [
    ...(notFollowed ? [notFollowedReason] : []),
    ...(isDecided && verifier === 'report' ? ['Only a report can pass it, not a person.'] : []),
  ];
}

/** What happened last. What the state says already is not said twice. */
function lastEvent({ lastEvent: last, reason }: CardFinding): types.KnownBlock[] {
  if (!last) return [];
  const detail = last.detail === reason ? '' : last.detail;
  return [context(`${eventWords({ ...last, detail })} · ${moment(last.at)}`)];
}

function fullText(finding: CardFinding, state: string): string {
  const { word } = severityWords[finding.severity];
  const issue = isGone(finding) ? null : finding.jira;
  const jira = issue ? ` In Jira: ${foreign(issue.key, 100)}${jiraStatus(finding)}.` : '';
  const title = isTitled(finding) ? '' : ` ${foreign(finding.title, 500)}.`;
  return [
    `${finding.id}, ${word.toLowerCase()}: ${foreign(finding.rule, 200)}.${title}`,
    `${sourceWord(finding)} ${foreign(finding.source.name, 100)}, ${count(finding.occurrences, 'occurrence')}.`,
    `State: ${state.replace(/[.…]$/, '')}.${jira} It waits for ${awaited(finding)}.`,
    ...notes(finding),
  ].join(' ');
}

function fields(finding: CardFinding): [string, string][] {
  const { page, pages, occurrences } = finding;
  const more = pages > 1 ? ` and ${pages - 1} more` : '';
  return [
    [sourceWord(finding), foreign(finding.source.name, 200)],
    ...(page ? [['Where', `${foreign(page, 500)}${more}`] as [string, string]] : []),
    ['Occurrences', String(occurrences)],
    ['First seen', moment(finding.firstSeenAt)],
    ['Last seen', moment(finding.lastSeenAt)],
    ['Jira', jiraField(finding)],
  ];
}

/** Nothing leads to an issue that is not there. */
function jiraField(finding: CardFinding): string {
  const { jira } = finding;
  if (!jira) return 'Not in Jira';
  return isGone(finding)
    ? `${foreign(jira.key, 100)} (not found)`
    : `${link(jira.url, jira.key)}${jiraStatus(finding)}`;
}

function field(name: string, value: string): types.MrkdwnElement {
  return { type: 'mrkdwn', text: `*${name}*\n${value}`, verbatim: true };
}

function sourceWord({ source }: CardFinding): string {
  return source.kind === 'site' ? 'Site' : 'Suite';
}

/** As it was when it was last read; of what is not followed any more, nothing is said. */
function jiraStatus({ jira, notFollowed }: CardFinding): string {
  if (!jira?.status || notFollowed) return '';
  const resolution = jira.resolution && jira.resolution !== jira.status ? `, ${foreign(jira.resolution, 80)}` : '';
  return ` (${foreign(jira.status, 80)}${resolution})`;
}

function actionsOf(finding: CardFinding): types.ActionsBlockElement[] {
  const { id, session } = finding;
  const held = finding.status === 'needs_rerun' && session?.status === 'in_progress' ? session : null;
  const history = { label: 'Why? Show the history', value: `why ${id}` };
  if (!held) return [...buttonsOf(finding), overflow(findingActions.more, [...elsewhere(finding), history])];
  const verdict = `${id} ${held.id}`;
  const mayPass = finding.verifier === 'person';
  const pass = { action: findingActions.pass, label: 'Pass', about: `${id} is fixed`, value: verdict };
  const fail = { action: findingActions.fail, label: 'Fail', about: `${id} is still there`, value: verdict };
  // What becomes of the finding is asked first; its re-run can still be decided, from the menu.
  const inMenu = finding.missing
    ? [
        ...(mayPass ? [{ label: 'Pass: fixed', value: `pass ${verdict}` }] : []),
        { label: 'Fail: still there', value: `fail ${verdict}` },
      ]
    : [];
  return [
    ...(finding.missing
      ? missingButtons(id)
      : [...(mayPass ? [button({ ...pass, style: 'primary' })] : []), button(fail), ...openInJira(finding)]),
    overflow(findingActions.more, [
      ...inMenu,
      { label: 'Skip in this re-run', value: `skip ${verdict}` },
      { label: 'Unstable: passed and failed', value: `unstable ${verdict}` },
      history,
    ]),
  ];
}

function elsewhere({ id, status }: CardFinding): { label: string; value: string }[] {
  if (status !== 'open' && status !== 'push_failed') return [];
  return [{ label: 'Push to another connection…', value: `elsewhere ${id}` }];
}

function buttonsOf(finding: CardFinding): types.Button[] {
  const { id } = finding;
  const primary = { value: id, style: 'primary' } as const;
  switch (finding.status) {
    case 'open':
      if (isHeld(finding)) return [];
      return [button({ action: findingActions.push, label: 'Push to Jira', about: id, ...primary })];
    case 'push_failed':
      return [button({ action: findingActions.push, label: 'Try again', about: `push ${id}`, ...primary })];
    case 'needs_rerun': {
      const label = finding.session ? 'Show session' : 'Start re-run';
      return [
        button({ action: findingActions.rerun, label, about: id, ...primary }),
        ...(finding.missing ? missingButtons(id) : openInJira(finding)),
      ];
    }
    default:
      if (finding.missing) return missingButtons(id);
      return isGone(finding) ? [unlinkButton(finding)] : openInJira(finding);
  }
}

/** What can be answered to the question that a deleted issue leaves behind. */
function missingButtons(id: string): types.Button[] {
  return [
    button({ action: findingActions.recreate, label: 'Recreate issue', about: id, value: id }),
    button({ action: findingActions.accept, label: 'Accept as it is', about: id, value: id }),
    button({ action: findingActions.drop, label: 'Drop the link', about: `${id} goes on without an issue`, value: id }),
  ];
}

/** The way back from having accepted it without its issue. */
function unlinkButton({ id }: CardFinding): types.Button {
  const about = `${id} and its deleted issue`;
  return button({ action: findingActions.unlink, label: 'Drop the link', about, value: id });
}

function openInJira({ id, jira }: CardFinding): types.Button[] {
  if (!jira || jira.url.length > 3000) return [];
  const about = `${jira.key} of ${id}`;
  return [button({ action: findingActions.openInJira, label: 'Open in Jira', about, url: jira.url, value: id })];
}
