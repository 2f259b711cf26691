import type { types } from '@slack/bolt';
import type { PushPreview, PushView } from '../../api/operations/types';
import type { PushOutcome } from '../../workflows/rules/vocabulary';
import { actions, button, section } from './elements';
import { notice } from './replies';
import { count, foreign, type Message } from './text';

export const pushActions = { confirmAll: 'push.confirm_all', dismiss: 'push.dismiss' } as const;

const SHOWN = 10;

/** What a bulk push would do, with a button that does it. Nothing is pushed before that. */
export function pushConfirmation(preview: PushPreview, source: { key: string; projectKey: string | null }): Message {
  const { create, reuse, refuse } = preview;
  const target = source.projectKey ? ` to ${foreign(source.projectKey, 80)}` : '';
  const lines = [
    `*${foreign(source.key, 80)}*: ${count(create.length, 'finding')} ready to push${target}.`,
    ...(reuse.length > 0 ? [`${reuse.length} already in Jira.`] : []),
    ...refusals(refuse),
  ];
  const text = lines.join('\n');
  if (create.length === 0) return notice(`${text}\nThere is nothing to push.`);
  const label = `Push ${count(create.length, 'finding')}`;
  const buttons: types.Button[] = [
    button({ action: pushActions.confirmAll, label, value: source.key, style: 'primary' }),
    button({ action: pushActions.dismiss, label: 'Not now', value: source.key }),
  ];
  return { text: `${text}\nPress “${label}” to do it.`, blocks: [section(text), actions(buttons)] };
}

function refusals(refuse: PushPreview['refuse']): string[] {
  const byReason = new Map<string, string[]>();
  for (const { finding, reason } of refuse) byReason.set(reason, [...(byReason.get(reason) ?? []), finding]);
  return [...byReason].slice(0, 5).map(([reason, findings]) => {
    const named = findings.slice(0, 3).join(', ');
    const more = findings.length > 3 ? ` and ${findings.length - 3} more` : '';
    return `${findings.length} not: ${foreign(reason, 300)} (${named}${more})`;
  });
}

const outcomeWords: Record<PushOutcome, string> = {
  pending: 'still on its way; its card will tell',
  created: 'pushed as',
  reused: 'was in Jira already as',
  refused: 'refused',
  failed: 'failed',
  held: 'held until the Jira connection works again',
  cancelled: 'cancelled',
};

const bulkWords: Record<PushOutcome, string> = {
  pending: 'still on the way; the cards will tell',
  created: 'pushed',
  reused: 'already in Jira',
  refused: 'refused',
  failed: 'failed',
  held: 'held until the Jira connection works again',
  cancelled: 'cancelled',
};

/** How pushes stand: each finding with its key, or its reason. Long ones are counted, with what went wrong named. */
export function pushResult(pushes: PushView[]): Message {
  const items = pushes.flatMap((push) => push.items);
  const waiting = pushes.some((push) => push.status === 'awaiting_approval');
  const head = waiting ? ['An admin has to approve this push first.'] : [];
  const longest = items.length === 1 ? 600 : 180;
  const lines = items.length <= SHOWN ? items.map((item) => itemLine(item, longest)) : bulkLines(items);
  const text = [...head, ...lines].join('\n') || 'There was nothing to push.';
  return notice(text);
}

type Item = PushView['items'][number];

function itemLine(item: Item, longest = 180): string {
  const key = item.jiraKey ? ` *${foreign(item.jiraKey, 80)}*` : '';
  const reason = item.reason ? `: ${foreign(item.reason, longest)}` : '';
  // The reason says that it is held, and until when.
  if (item.outcome === 'held' && reason) return `*${item.finding}*${reason}`;
  return `*${item.finding}* ${outcomeWords[item.outcome]}${key}${reason}`;
}

function bulkLines(items: Item[]): string[] {
  const counts = new Map<PushOutcome, number>();
  for (const { outcome } of items) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const totals = [...counts].map(([outcome, number]) => `${number} ${bulkWords[outcome]}`);
  const troubled = items.filter(({ outcome }) => outcome === 'failed' || outcome === 'refused');
  return [`${totals.join(', ')}.`, ...troubled.slice(0, SHOWN).map((item) => itemLine(item))];
}
