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
  return isRefusal(error) ? refused(inSlack(error.message)) : null;
}

/** What a refusal says for callers of the HTTP API, as it is said and done in Slack. */
const slackWays: [api: RegExp, slack: string][] = [
  [/GET \/api\/v1\/findings lists them/g, '`list` shows them'],
  [/GET \/api\/v1\/sources lists them/g, '`rules` shows them'],
  [/GET \/api\/v1\/connections lists them/g, '`connect` shows them'],
  [
    /Give their values once in template\.fields, by id; they/g,
    'Give their values once in the sync rule (`rules SOURCE`); they',
  ],
  [/"verifier" in the sync rule/g, 'who verifies in the sync rule (`rules SOURCE`)'],
  [/\bneeds_rerun\b/g, 'waiting for a re-run'],
];

function inSlack(message: string): string {
  let said = message;
  for (const [api, slack] of slackWays) said = said.replace(api, slack);
  return said.replace(/\b(awaiting_approval|push_failed|awaiting_fix|in_progress)\b/g, (word) =>
    word.replaceAll('_', ' '),
  );
}

/** Told by its shape, because the bot knows the operations by their types alone. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'Refusal' && 'kind' in error && 'code' in error;
}
