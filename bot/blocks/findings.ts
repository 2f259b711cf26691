import type { types } from '@slack/bolt';
import type { FindingDetail, FindingView, Page, VerificationRow } from '../../api/operations/types';
import type { FindingStatus, GivenVerdict } from '../../workflows/rules/vocabulary';
import { actions, button, context, header, section } from './elements';
import { type CardFinding, findingActions } from './finding-card';
import { clipText, count, foreign, link, type Message, moment } from './text';
import { awaited, eventWords, severityWords, stateWords } from './words';

export const listActions = { next: 'list.next' } as const;

/** What a list was asked for; travels in the value of its "more" button. */
export type ListFilter = { status?: FindingStatus | undefined; source?: string | undefined };

/** One page of findings, each with the one thing that can be done next. */
export function findingList(page: Page<FindingView>, filter: ListFilter): Message {
  const title = `Findings${filter.status ? `: ${statusName(filter.status)}` : ''}${filter.source ? ` of ${foreign(filter.source, 80)}` : ''}`;
  if (page.items.length === 0) return { text: `${title}: none.`, blocks: [section(`*${title}*\nThere are none.`)] };
  const lines = page.items.map(listLine);
  return {
    text: clipLines([title, ...lines, ...moreWords(page)]),
    blocks: [
      section(`*${title}*`),
      ...page.items.map((finding, index) => section(lines[index] ?? finding.id, nextAction(finding))),
      ...(page.nextCursor === null ? [] : moreButton(filter, page.nextCursor)),
    ],
  };
}

function listLine(finding: FindingView): string {
  const { symbol, word } = severityWords[finding.severity];
  const jira = finding.jira ? ` · ${link(finding.jira.url, finding.jira.key)}` : '';
  return `${symbol} *${finding.id}* ${word} · ${statusName(finding.status)}${jira}\n${foreign(finding.title, 200)} (${foreign(finding.source, 80)})`;
}

function nextAction({ id, status }: FindingView): types.Button {
  if (status === 'open' || status === 'push_failed')
    return button({ action: findingActions.push, label: 'Push to Jira', about: id, value: id });
  if (status === 'needs_rerun') return button({ action: findingActions.rerun, label: 'Re-run', about: id, value: id });
  return button({ action: findingActions.why, label: 'Why?', about: `${id} is as it is`, value: id });
}

/** Said where a button cannot be seen. */
function moreWords({ nextCursor }: Page<unknown>): string[] {
  return nextCursor === null ? [] : ['There are more: press “Show more”.'];
}

function moreButton(filter: ListFilter, cursor: string): types.KnownBlock[] {
  const value = JSON.stringify({ ...filter, cursor });
  if (value.length > 2000) return [context('There are more: narrow the list.')];
  return [actions([button({ action: listActions.next, label: 'Show more', value })])];
}

/** One page of the Fix Verification panel: what is Done in Jira and waits for a re-run, and who says so. */
export function verificationList(page: Page<VerificationRow>, filter: ListFilter): Message {
  const title = `Waiting for a re-run${filter.source ? ` in ${foreign(filter.source, 80)}` : ''}`;
  if (page.items.length === 0) return { text: `${title}: nothing.`, blocks: [section(`*${title}*\nNothing.`)] };
  const lines = page.items.map((row) => {
    const claim = `Done by ${foreign(row.claimedBy ?? 'somebody', 80)}`;
    const since = row.claimedAt ? `, ${moment(new Date(row.claimedAt))}` : '';
    const last = row.lastVerdict ? (lastWords[row.lastVerdict] ?? '') : '';
    const badge = row.session ? ' · *Session pending*' : '';
    return `*${row.finding}*${row.jiraKey ? ` · ${foreign(row.jiraKey, 80)}` : ''}${badge}\n${foreign(row.title, 200)}\n${claim}${since}${last}`;
  });
  const rerun = ({ finding, session }: VerificationRow) => {
    const label = session ? 'Show session' : 'Start re-run';
    return button({ action: findingActions.rerun, label, about: finding, value: finding });
  };
  return {
    text: clipLines([title, ...lines, ...moreWords(page)]),
    blocks: [
      section(`*${title}*`),
      ...page.items.map((row, index) => section(lines[index] ?? row.finding, rerun(row))),
      ...(page.nextCursor === null ? [] : moreButton({ ...filter, status: 'needs_rerun' }, page.nextCursor)),
    ],
  };
}

/** Nothing is said of what was skipped: it is as it was. */
const lastWords: { [verdict in GivenVerdict]?: string } = {
  fail: ' · the last re-run failed',
  unstable: ' · the last re-run passed and failed',
};

const LINES = 8;
const EVENTS = 40;

/** The history of a finding in plain words, oldest first, and what it waits for. */
export function why(finding: FindingDetail): Message {
  const shown = finding.history.slice(-EVENTS);
  const left = finding.history.length - shown.length;
  const lines = shown.map((entry) => `• ${moment(new Date(entry.at))}: ${eventWords(entry)}`);
  if (left > 0) lines.unshift(`• ${count(left, 'earlier event')} not shown`);
  const card = asCardFinding(finding);
  const ended = finding.notFollowed ? ` ${foreign(finding.notFollowed, 500)}` : '';
  const now = `*${finding.id}:* ${stateWords(card).replace(/[.…]$/, '')}.${ended} It waits for ${awaited(card)}.`;
  const chunks: string[] = [];
  for (let at = 0; at < lines.length; at += LINES) chunks.push(clipText(lines.slice(at, at + LINES).join('\n'), 2900));
  return {
    text: clipLines([now, ...lines]),
    blocks: [header(`Why ${finding.id} is as it is`), section(now), ...chunks.map((chunk) => section(chunk))],
  };
}

/** A finding as the API tells it, as far as a card can show it. */
export function asCardFinding(finding: FindingDetail): CardFinding {
  const seen = (pick: 'firstSeenAt' | 'lastSeenAt') => finding.occurrences.map((each) => Date.parse(each[pick]));
  const updated = Date.parse(finding.updatedAt);
  const last = finding.history.at(-1);
  return {
    ...finding,
    source: { name: finding.sourceName, kind: finding.sourceKind },
    page: finding.occurrences[0]?.page ?? null,
    pages: new Set(finding.occurrences.map(({ page }) => page)).size,
    occurrences: finding.occurrences.length,
    firstSeenAt: new Date(seen('firstSeenAt').reduce((a, b) => Math.min(a, b), updated)),
    lastSeenAt: new Date(seen('lastSeenAt').reduce((a, b) => Math.max(a, b), 0) || updated),
    jira: finding.jira ? { ...finding.jira, status: null, resolution: null } : null,
    claimedBy: finding.claim?.by ?? null,
    missing: finding.missingSince !== null,
    notFollowed: finding.notFollowed !== null,
    lastEvent: last ? { event: last.event, actor: last.actor, detail: last.detail, at: new Date(last.at) } : null,
  };
}

/** `needs_rerun` as people say it. */
function statusName(status: FindingStatus): string {
  return status === 'needs_rerun' ? 'needs re-run' : status.replaceAll('_', ' ');
}

function clipLines(lines: string[]): string {
  return clipText(lines.join('\n'), 3900);
}
