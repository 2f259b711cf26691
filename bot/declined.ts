import type { Refusal } from '../api/operations/refusal';
import { notice, refused } from './blocks/replies';
import type { Message } from './blocks/text';

/** An expected "no" of the bot itself. Its message is mrkdwn of ours; foreign parts in it went through `foreign`. */
export class Declined extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Declined';
  }
}

/** What to tell a person about an expected "no" of the bot or of an operation; null for anything else. */
export function politely(error: unknown): Message | null {
  if (error instanceof Declined) return notice(error.message);
  return isRefusal(error) ? refused(saidInSlack(error)) : null;
}

/** What a refusal says in Slack, where the statuses are words. */
export function saidInSlack({ inSlack }: Refusal): string {
  return inSlack
    .replace(/\bneeds_rerun\b/g, 'waiting for a re-run')
    .replace(/\b(awaiting_approval|push_failed|awaiting_fix|in_progress)\b/g, (word) => word.replaceAll('_', ' '));
}

/** Told by its shape, because the bot knows the operations by their types alone. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'Refusal' && 'kind' in error && 'code' in error;
}
