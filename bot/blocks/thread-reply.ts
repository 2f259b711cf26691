import { section } from './elements';
import type { Message } from './text';
import { eventWords } from './words';

/** Changes that are told in the thread of a card; everything else only changes the card. */
export const toldEvents = [
  'regressed',
  'claimed',
  'verified',
  'verdict_fail',
  'reopened',
  'reopened_by_recheck',
  'blocked',
  'resolved',
  'issue_missing',
  'missing_asked',
] as const;

const explained = ['verified', 'verdict_fail', 'blocked', 'reopened_by_recheck', 'issue_missing', 'missing_asked'];

const nextSteps: Record<string, string> = {
  regressed: 'It is open again: the card above has what can be done.',
  claimed: 'Start a re-run from the card above.',
  verdict_fail: 'It stays flagged.',
  reopened: 'Waiting for a fix.',
  reopened_by_recheck: 'Waiting for a fix.',
};

/** One change of a finding as a short reply in its card's thread, with who did it. */
export function threadReply(change: { id: string; event: string; actor: string; detail: string }): Message {
  // What Recheck counts (`claim 2`) says nothing to people.
  const detail = explained.includes(change.event) ? change.detail : '';
  const next = nextSteps[change.event];
  const sentence = eventWords({ ...change, detail }).replace(/\.$/, '');
  const text = `${change.id}: ${sentence}.${next ? ` ${next}` : ''}`;
  return { text, blocks: [section(text)] };
}
