import type { types } from '@slack/bolt';
import type { PushChoices, PushView } from '../../api/operations/types';
import type { PushOutcome } from '../../workflows/rules/vocabulary';
import { actions, button, section } from './elements';
import { notice } from './replies';
import { count, foreign, type Message } from './text';

/** Values: `<source> <number>` for all of it, the source's key for the others. */
export const pushActions = { confirmAll: 'push.confirm_all', choose: 'push.choose', dismiss: 'push.dismiss' } as const;

const SHOWN = 10;
const REASONS = 5;

/** What a push of a source would do, with the ways to do it. Nothing is pushed before that. */
export function pushOffer({ source, projectKey, ready, held, linked, refused }: PushChoices): Message {
  const project = projectKey ? foreign(projectKey, 80) : 'Jira';
  const isAllThere = ready.length === 0 && linked > 0 && refused.length === 0;
  const lines = [
    isAllThere
      ? `*${foreign(source.name, 100)}*: all matching findings are in ${project}.`
      : `*${foreign(source.name, 100)}*: ${count(ready.length, 'finding')} ready to push to ${project}.`,
    ...(held === null || ready.length === 0 ? [] : [heldLine(held)]),
    ...(linked > 0 ? [`${linked} already linked.`] : []),
    ...refused.slice(0, REASONS).map(refusal),
    ...(refused.length > REASONS ? [`${count(refused.length - REASONS, 'more reason')} for others.`] : []),
  ];
  const text = lines.join('\n');
  if (ready.length === 0) return notice(isAllThere || refused.length > 0 ? text : `${text}\nThere is nothing to push.`);
  const label = `Push all ${ready.length}`;
  const { key } = source;
  const buttons: types.Button[] = [
    button({
      action: pushActions.confirmAll,
      label,
      about: `to ${projectKey ?? 'Jira'}`,
      value: `${key} ${ready.length}`,
      style: 'primary',
    }),
    button({ action: pushActions.choose, label: 'Choose…', about: `findings of ${key}`, value: key }),
    button({ action: pushActions.dismiss, label: 'Not now', value: key }),
  ];
  const ask = `Press “${label}” to do it, or “Choose…” to pick.`;
  return { text: `${text}\n${ask}`, blocks: [section(text), actions(buttons)] };
}

/** Said where findings can be pushed, but wait for their connection. */
export function heldLine(reason: string): string {
  return `*What you push now waits.* ${foreign(reason, 600)}`;
}

function refusal({ reason, count: number, findings }: PushChoices['refused'][number]): string {
  const more = number > findings.length ? ` and ${number - findings.length} more` : '';
  return `${number} refused: ${foreign(reason, 300)} (${foreign(findings.join(', '), 60)}${more})`;
}

const outcomeWords: Record<PushOutcome, string> = {
  pending: 'still on its way; the message of the push will tell',
  created: 'pushed as',
  reused: 'was in Jira already as',
  refused: 'refused',
  failed: 'failed',
  held: 'held until the Jira connection works again',
  cancelled: 'cancelled',
};

const bulkWords: Record<PushOutcome, string> = {
  pending: 'still on the way; the message of the push will tell',
  created: 'pushed',
  reused: 'already in Jira',
  refused: 'refused',
  failed: 'failed',
  held: 'held until the Jira connection works again',
  cancelled: 'cancelled',
};

/** How pushes stand: each finding with its key, or its reason. Long ones are counted, with what went wrong named. */
export function pushResult(pushes: PushView[]): Message {
  const items = pushes.flatMap(({ status, items: each }) =>
    each.map((item) => ({
      ...item,
      isAlone: each.length === 1,
      isWaiting: status === 'awaiting_approval' && item.outcome === 'pending',
    })),
  );
  const head = items.some(({ isWaiting }) => isWaiting)
    ? ['An admin has to approve this push first: its message in the channel has the buttons.']
    : [];
  const longest = items.length === 1 ? 600 : 180;
  const lines = items.length <= SHOWN ? items.map((item) => itemLine(item, longest)) : bulkLines(items);
  const text = [...head, ...lines].join('\n') || 'There was nothing to push.';
  return notice(text);
}

/** `isAlone`: a push of one finding has no message of its own. */
type Item = PushView['items'][number] & { isWaiting: boolean; isAlone: boolean };

const waitingWords = 'waiting for approval';

function itemLine(item: Item, longest = 180): string {
  const key = item.jiraKey ? ` *${foreign(item.jiraKey, 80)}*` : '';
  const reason = item.reason ? `: ${foreign(item.reason, longest)}` : '';
  // The reason says that it is held, and until when.
  if (item.outcome === 'held' && reason) return `*${item.finding}*${reason}`;
  if (item.outcome === 'pending' && item.isAlone && !item.isWaiting) {
    return `*${item.finding}* is still on its way: Jira has not answered yet. \`/recheck status ${item.finding}\` shows how it stands.`;
  }
  const words = item.isWaiting ? waitingWords : outcomeWords[item.outcome];
  return `*${item.finding}* ${words}${key}${reason}`;
}

function bulkLines(items: Item[]): string[] {
  const counts = new Map<string, number>();
  for (const { outcome, isWaiting } of items) {
    const words = isWaiting ? waitingWords : bulkWords[outcome];
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const totals = [...counts].map(([words, number]) => `${number} ${words}`);
  const troubled = items.filter(({ outcome }) => outcome === 'failed' || outcome === 'refused');
  return [`${totals.join(', ')}.`, ...troubled.slice(0, SHOWN).map((item) => itemLine(item))];
}
