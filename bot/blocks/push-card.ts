import type { types } from '@slack/bolt';
import type { PushSummary } from '../../api/operations/types';
import type { PushOutcome, PushStatus } from '../../workflows/rules/vocabulary';
import { actions, button, context, header, section } from './elements';
import { clipText, count, foreign, type Message, moment, plain } from './text';
import { severityWords } from './words';

/** Values are ids of pushes. */
export const pushCardActions = {
  approve: 'push_card.approve',
  reject: 'push_card.reject',
  cancel: 'push_card.cancel',
  retry: 'push_card.retry',
} as const;

const BAR = 20;
const REASONS = 6;
const WAITING = 10;
/** How many findings are named where one push, or several, wait for an approval. */
const NAMED = 10;
const NAMED_EACH = 3;

/** The one message of a push: who asked for what, how far it is, how it ended, and what can be done now. */
export function pushCard(push: PushSummary): Message {
  const { head, lines } = wordsOf(push);
  // Who rejected it, or that nobody approved it, is said already.
  const isDecided = push.status === 'rejected' || push.status === 'expired';
  const reasons = push.reasons.filter(({ outcome }) => !(isDecided && outcome === 'cancelled')).slice(0, REASONS);
  const note = push.note ? [`Review note: ${foreign(push.note, 300)}`] : [];
  const said = [...lines, ...note, ...reasons.map(reasonLine)];
  const buttons = buttonsOf(push);
  return {
    // The bar is for the eye alone.
    text: clipText([`${foreign(head, 300)}.`, ...said.map((line) => line.replace(/^`[█░]+` /, ''))].join('\n'), 3900),
    blocks: [
      header(head),
      ...said.map((line) => section(line)),
      context(`${askedBy(push)} · ${moment(push.createdAt)}`),
      ...(buttons.length > 0 ? [actions(buttons)] : []),
    ],
  };
}

const heads: Record<PushStatus, string> = {
  awaiting_approval: 'Waiting for approval',
  running: 'Pushing to Jira',
  completed: 'Push finished',
  cancelled: 'Push cancelled',
  rejected: 'Push rejected',
  expired: 'Push expired without an approval',
};

function wordsOf(push: PushSummary): { head: string; lines: string[] } {
  const { all, ready } = tally(push);
  const target = push.projectKey ? ` to ${foreign(push.projectKey, 80)}` : '';
  const head = plain(`${heads[push.status]}: ${push.source.name}`, 150);
  const wanted = `*${foreign(push.source.name, 100)}*: ${count(all, 'finding')} asked for, ${ready} to push${target}.`;
  const decided = decisionWords(push);
  switch (push.status) {
    case 'awaiting_approval':
      return { head, lines: [wanted, ...findingLines(push, NAMED), ...waitingWords(push)] };
    case 'running':
      return { head, lines: [wanted, progressBar(push), ...decided] };
    case 'rejected':
    case 'expired':
      return { head, lines: [wanted, ...decided, 'Nothing was pushed. The findings are open again.'] };
    case 'completed':
    case 'cancelled':
      return { head, lines: [outcomeLine(push), ...decided] };
  }
}

/** What is to be pushed, so that whoever approves it knows what; the most severe first. */
function findingLines(push: PushSummary, most: number): string[] {
  const shown = push.waiting.slice(0, most).map(({ finding, severity, title }) => {
    const { symbol, word } = severityWords[severity];
    return `• ${symbol} ${word} *${finding}*: ${foreign(title, 150)}`;
  });
  const left = tally(push).ready - shown.length;
  if (shown.length === 0) return [];
  return [
    [
      ...shown,
      ...(left > 0 ? [`• and ${left} more: \`/recheck list source:${foreign(push.source.key, 100)}\``] : []),
    ].join('\n'),
  ];
}

function waitingWords({ approval, requestedBy }: PushSummary): string[] {
  const who = requestedBy ? ` other than ${foreign(requestedBy, 100)}` : '';
  const until = approval?.expiresAt ? ` It expires ${moment(approval.expiresAt)}.` : '';
  return [`An admin or owner${who} has to approve this. Nothing is pushed before that.${until}`];
}

const decisionWord: Record<string, string> = { approved: 'Approved', rejected: 'Rejected', cancelled: 'Cancelled' };

function decisionWords({ approval }: PushSummary): string[] {
  if (!approval?.decision || approval.decision === 'expired') return [];
  const note = approval.note ? `: ${foreign(approval.note, 300)}` : '';
  const word = decisionWord[approval.decision] ?? 'Decided';
  return [`${word} by ${foreign(approval.decidedBy ?? 'an admin', 100)}${note}.`];
}

/** How far a push is, as a bar of text and in words, such as `█████░░░░░ 50 %: 5 of 10 done`. */
export function progressBar(push: PushSummary): string {
  const { ready, done, held } = tally(push);
  const share = ready === 0 ? 1 : done / ready;
  const full = Math.floor(share * BAR);
  const waiting = held > 0 ? `, ${held} held until the Jira connection works again` : '';
  const failed = push.outcomes.failed ? `, ${push.outcomes.failed} failed` : '';
  return `\`${'█'.repeat(full)}${'░'.repeat(BAR - full)}\` ${Math.floor(share * 100)} %: ${done} of ${ready} done${failed}${waiting}.`;
}

const outcomeWords: [PushOutcome, string][] = [
  ['created', 'created in Jira'],
  ['reused', 'already in Jira'],
  ['refused', 'refused'],
  ['failed', 'failed'],
  ['held', 'held'],
  ['cancelled', 'cancelled'],
  ['pending', 'still on the way'],
];

function outcomeLine({ outcomes }: PushSummary): string {
  const parts = outcomeWords.flatMap(([outcome, words]) =>
    outcomes[outcome] ? [`${outcomes[outcome]} ${words}`] : [],
  );
  return parts.length > 0 ? `${parts.join(', ')}.` : 'There was nothing to push.';
}

function reasonLine({ outcome, reason, count: number, findings }: PushSummary['reasons'][number]): string {
  const more = number > findings.length ? ` and ${number - findings.length} more` : '';
  return `• ${number} ${outcome}: ${foreign(reason, 300)} (${foreign(findings.join(', '), 60)}${more})`;
}

function tally({ outcomes }: PushSummary): { all: number; ready: number; done: number; held: number } {
  const of = (outcome: PushOutcome) => outcomes[outcome] ?? 0;
  const done = of('created') + of('failed') + of('cancelled');
  const ready = done + of('pending') + of('held');
  return { all: ready + of('reused') + of('refused'), ready, done, held: of('held') };
}

function askedBy({ requestedBy, kind }: PushSummary): string {
  if (kind === 'auto') return 'Asked for by Recheck itself (auto-push)';
  return `Asked for by ${foreign(requestedBy ?? 'Recheck', 100)}`;
}

function buttonsOf(push: PushSummary): types.Button[] {
  const { id, status, outcomes, source } = push;
  const about = `the push of ${source.name}`;
  if (status === 'awaiting_approval') {
    return [
      button({ action: pushCardActions.approve, label: 'Approve', about, value: id, style: 'primary' }),
      button({ action: pushCardActions.reject, label: 'Reject…', about, value: id }),
      cancelButton(push, about),
    ];
  }
  if (status === 'running') {
    return [cancelButton(push, about)];
  }
  const stopped = status === 'cancelled' ? (outcomes.cancelled ?? 0) : 0;
  // What was cancelled before anybody approved it stays cancelled.
  if (stopped > 0 && (!push.approval || push.approval.decision === 'approved')) {
    return [button({ action: pushCardActions.retry, label: 'Resume', about, value: id })];
  }
  if (!outcomes.failed || status !== 'completed') return [];
  const label = `Retry ${outcomes.failed} failed`;
  return [button({ action: pushCardActions.retry, label, about, value: id, style: 'primary' })];
}

/** Everybody in the channel sees it, and a push that waited for an approval has to be asked for anew. */
function cancelButton({ id, status, source }: PushSummary, about: string): types.Button {
  const what =
    status === 'awaiting_approval'
      ? 'Nothing of it goes to Jira. Whoever still wants it has to ask for it again.'
      : 'What Jira is making already is made; nothing else is pushed. It can be resumed.';
  const text = `${plain(source.name, 200)}: ${what}`;
  const confirm = { title: 'Cancel this push?', text, yes: 'Cancel the push', no: 'Keep it' };
  return button({ action: pushCardActions.cancel, label: 'Cancel', about, value: id, confirm });
}

/** What waits for an approval, each with its buttons; `said` is told above it. */
export function waitingList(pushes: PushSummary[], said?: string): Message {
  if (pushes.length === 0) {
    const text = 'No push waits for an approval.';
    return { text, blocks: [section(text)] };
  }
  const head = `${count(pushes.length, 'push').replace(/pushs$/, 'pushes')} waiting for approval`;
  const rows = pushes.slice(0, WAITING).map((push) => {
    const { ready } = tally(push);
    const target = push.projectKey ? ` to ${foreign(push.projectKey, 80)}` : '';
    const until = push.approval?.expiresAt ? `, expires ${moment(push.approval.expiresAt)}` : '';
    const asked = `*${foreign(push.source.name, 100)}*: ${count(ready, 'finding')}${target}. ${askedBy(push)}, ${moment(push.createdAt)}${until}.`;
    const note = push.note ? [`Review note: ${foreign(push.note, 300)}`] : [];
    const line = [asked, ...findingLines(push, NAMED_EACH), ...note].join('\n');
    const buttons = buttonsOf(push);
    return { line, buttons: buttons.length > 0 ? [actions(buttons)] : [] };
  });
  const more = pushes.length > WAITING ? [`${pushes.length - WAITING} more wait; decide these first.`] : [];
  const before = said ? [said] : [];
  return {
    text: [...before, head, ...rows.map(({ line }) => line), ...more].join('\n').slice(0, 3900),
    blocks: [
      ...before.map((line) => section(line)),
      header(head),
      ...rows.flatMap(({ line, buttons }) => [section(line), ...buttons]),
      ...more.map((line) => section(line)),
    ],
  };
}
