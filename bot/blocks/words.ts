import { goneReason, heldCause } from '../../workflows/rules/push-gate';
import type { AuditEvent, FindingStatus, SessionStatus, Severity } from '../../workflows/rules/vocabulary';
import { foreign, moment } from './text';

/** A symbol of its own shape for each severity, always beside the word: nothing is said by colour alone. */
export const severityWords: Record<Severity, { symbol: string; word: string }> = {
  critical: { symbol: '‼', word: 'Critical' },
  serious: { symbol: '▲', word: 'Serious' },
  moderate: { symbol: '◆', word: 'Moderate' },
  minor: { symbol: '○', word: 'Minor' },
};

/** What the words for a finding's state are made from. */
export type FindingState = {
  status: FindingStatus;
  reason: string | null;
  claimedBy: string | null;
  missing: boolean;
  /** The issue that it has. */
  jira: object | null;
  /** The connection of its issue was ended: nothing that happens in Jira counts any more. */
  notFollowed: boolean;
  session: { status: SessionStatus } | null;
  lastEvent: { event: string } | null;
};

/** The state of a finding in plain words, safe for mrkdwn. */
export function stateWords(finding: FindingState): string {
  const because = finding.reason ? `: ${foreign(finding.reason, 600)}` : '';
  switch (finding.status) {
    case 'open':
      if (isHeld(finding))
        return `Its push waits for the connection to Jira: ${foreign(heldCause(finding.reason) ?? '', 600)}`;
      return because ? `Open${because}` : 'Open, not in Jira';
    case 'awaiting_approval':
      return 'Waiting for approval';
    case 'pushing':
      return 'Being pushed to Jira…';
    case 'push_failed':
      return `Push failed${because}`;
    case 'awaiting_fix':
      return because ? `Waiting for a fix${because}` : 'Waiting for a fix';
    case 'needs_rerun':
      return rerunWords(finding);
    case 'verified':
      return 'Verified: the re-run passed';
    case 'resolved':
      return 'Resolved';
    case 'blocked':
      return `Blocked${because}`;
  }
}

/** Whether a push of it was asked for already and goes on as soon as the connection works again. */
export function isHeld({ status, reason }: Pick<FindingState, 'status' | 'reason'>): boolean {
  return status === 'open' && heldCause(reason) !== null;
}

function rerunWords({ session, claimedBy, lastEvent, missing, reason }: FindingState): string {
  const gone = missing ? `: ${foreign(reason ?? 'its issue was deleted in Jira', 600)}` : '';
  if (session?.status === 'in_progress') return `Re-run in progress${gone}`;
  if (gone) return `Needs re-run${gone}`;
  const claim = `Done in Jira by ${foreign(claimedBy ?? 'somebody', 100)}`;
  if (session) return `Re-run planned: ${claim}`;
  return lastEvent?.event === 'verdict_fail' ? 'Needs re-run: the last re-run failed' : `Needs re-run: ${claim}`;
}

/** What a finding waits for, as the end of a sentence. */
export function awaited(finding: FindingState): string {
  if (finding.missing) return 'somebody to decide what becomes of it';
  if (isHeld(finding)) return 'the connection to Jira to work again';
  if (isGone(finding)) return 'nothing, unless somebody drops the link to its deleted issue and pushes it anew';
  if (finding.notFollowed && followed.includes(finding.status)) return 'an admin to connect its Jira site again';
  return waitsFor[finding.status];
}

/** Whether its issue is gone from Jira, be it that nobody has decided yet or that it was accepted so. */
export function isGone({ jira, ...finding }: FindingState): boolean {
  return jira !== null && goneReason({ ...finding, key: '' }) !== null;
}

/** Statuses that wait for what happens in Jira. */
const followed: FindingStatus[] = ['awaiting_fix', 'blocked'];

const waitsFor: Record<FindingStatus, string> = {
  open: 'a push to Jira',
  awaiting_approval: 'an admin to approve its push',
  pushing: 'Jira to answer',
  push_failed: 'somebody to try the push again',
  awaiting_fix: 'its Jira issue to be marked Done',
  needs_rerun: 'a re-run that passes',
  verified: 'nothing: it is closed',
  resolved: 'nothing: it is closed',
  blocked: 'nothing, unless its Jira issue is reopened',
};

const eventSentences: Record<AuditEvent, (who: string, detail: string) => string> = {
  found: (_who, detail) => `Found for the first time${tail(detail)}`,
  'seen again': (_who, detail) => `Seen again${tail(detail)}`,
  regressed: (who, detail) => `Came back after it was closed (${who})${tail(detail)}`,
  absent: (_who, detail) => `No longer found${tail(detail)}`,
  approval_asked: (who) => `${who} asked for a push to Jira, which waits for an admin's approval`,
  approval_rejected: (who, detail) => `${who} rejected the push${tail(detail)}`,
  approval_expired: () => 'Nobody approved the push in time, so nothing was pushed',
  approval_cancelled: (who) => `${who} cancelled the push before it was approved`,
  push_approved: (who, detail) => `${who} approved the push${tail(detail)}`,
  push_asked: (who) => `${who} asked for a push to Jira`,
  pushed: (who, detail) => `Pushed to Jira as ${detail || 'an issue'}${by(who)}`,
  push_reused: (who, detail) => `${who} asked for a push; it was in Jira already as ${detail}`,
  push_refused: (_who, detail) => `Push refused${tail(detail)}`,
  push_failed: (_who, detail) => `Push failed${tail(detail)}`,
  // The reason stands in the state already.
  push_held: () => 'Push held',
  push_resumed: () => 'Jira takes the credentials again, and the push goes on',
  push_cancelled: (who) => `${who} cancelled the push that was held`,
  linked: (who, detail) => `${who} linked it to ${detail}`,
  unlinked: (who, detail) => `${who} unlinked it from ${detail}`,
  moved: (who, detail) => `Moved in Jira${by(who)}${tail(detail)}`,
  issue_missing: (_who, detail) => `Recheck no longer finds the issue in Jira${tail(detail)}`,
  missing_asked: (_who, detail) => `Recheck has no issue to say in that the re-run failed${tail(detail)}`,
  issue_found: (_who, detail) => `Jira shows the issue again${tail(detail)}`,
  recreate_asked: (who, detail) => `${who} asked for a new issue in place of ${detail}`,
  accepted: (who, detail) => `${who} accepted it as it is${tail(detail.replace(/^Accepted as it is: /, ''))}`,
  dropped: (who, detail) => `${who} dropped the link to ${detail}, which was deleted in Jira`,
  duplicate_issues: (_who, detail) => detail || 'Jira has more than one issue of it',
  places_changed: (_who, detail) => `Its places changed, and its issue says so${tail(detail)}`,
  evidence_attached: (_who, detail) => `A screenshot was attached to the issue${tail(detail)}`,
  evidence_refused: (_who, detail) => `A screenshot could not be attached to the issue${tail(detail)}`,
  read_failed: (_who, detail) => `The issue could not be read${tail(detail)}`,
  read_again: () => 'The issue could be read again',
  comment_held: (_who, detail) => `The comment on the issue waits${tail(detail)}`,
  comment_made: () => 'The comment that waited is on the issue now',
  comment_failed: (_who, detail) => `The comment on the issue could not be made${tail(detail)}`,
  reopen_held: (_who, detail) => `Reopening the issue waits${tail(detail)}`,
  reopen_failed: (_who, detail) => `The issue could not be reopened${tail(detail)}`,
  claimed: (who) => `Marked Done in Jira by ${who}, so it needs a re-run`,
  resolved: (who, detail) => (detail ? `Resolved${tail(detail)}` : `Closed on Jira's word: Done by ${who}`),
  reopened: (who) => `Reopened in Jira by ${who}`,
  blocked: (who, detail) => `Blocked by ${who}${tail(detail)}`,
  verified: (who, detail) => `Verified: the re-run passed (${who})${tail(noteOf(detail))}`,
  verdict_fail: (who, detail) => `The re-run failed, it is still there (${who})${tail(noteOf(detail))}`,
  verdict_skip: (who, detail) => `${who} skipped it in the re-run${tail(noteOf(detail))}`,
  verdict_unstable: (who, detail) => `${who} called it unstable in the re-run${tail(noteOf(detail))}`,
  verdict_late: (who, detail) => `A verdict by ${who} came too late to count${tail(detail)}`,
  reopened_by_recheck: (_who, detail) => `Reopened in Jira by Recheck after the failed re-run${tail(detail)}`,
  reopen_refused: (_who, detail) => `Jira did not let Recheck reopen the issue${tail(detail)}`,
};

/** One event of a finding's history as a sentence, safe for mrkdwn. An event without words of its own says its name. */
export function eventWords({ event, actor, detail }: { event: string; actor: string; detail: string }): string {
  const who = actor === 'recheck' ? 'Recheck' : foreign(actor || 'somebody', 100);
  const safeDetail = detail ? foreign(detail, 400).replace(runBegan, atMoment) : '';
  if (isKnown(event)) return eventSentences[event](who, safeDetail);
  const name = foreign(event.replaceAll('_', ' '), 100);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${by(who)}${tail(safeDetail)}`;
}

function isKnown(event: string): event is AuditEvent {
  return Object.hasOwn(eventSentences, event);
}

function by(who: string): string {
  return who === 'Recheck' ? '' : ` by ${who}`;
}

/** The note of a verdict, without the claim that Recheck counts before it. */
function noteOf(detail: string): string {
  return detail.replace(/^claim \d+(: )?/, '');
}

/** When the run of a report began, as ingest writes it down. */
const runBegan = /(?<=report, run began )\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function atMoment(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : moment(at);
}

function tail(detail: string): string {
  return detail ? `: ${detail}` : '';
}
