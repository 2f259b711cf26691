import { createHash } from 'node:crypto';
import type { Message } from './blocks/text';
import type { Log } from './log';
import { slackFailure } from './slack-client';

export type Method = 'post' | 'update';

/** A claimed message of the outbox, whatever it shows. */
export type Claimed = { id: string; installationId: string; channelId: string; ts: string | null; attempts: number };

/** What a store lets the outbox do with a message that was not delivered. */
export type Undelivered = {
  postpone(card: { id: string; delayMs: number; error?: string }): Promise<void>;
  giveUp(card: { id: string; error: string }): Promise<void>;
  forgetMessage(id: string): Promise<void>;
  hold(held: { installationId: string; method: Method; delayMs: number }): Promise<void>;
};

const MAX_ATTEMPTS = 5;
export const MAX_BACKOFF_MS = 60_000;
/** Who waits for a turn looks in again after this long: the content may have changed, and updates need no turn. */
const MAX_TURN_MS = 3000;

/** The turn of this message to post has not come; it is given back until then. */
class NotYet extends Error {
  readonly delayMs: number;
  constructor(delayMs: number) {
    super('the channel had a post a moment ago');
    this.delayMs = delayMs;
  }
}

type Pace = (turn: { channel: string; who: string }) => number;

/** Lets a message post now, or throws what `createRecovery` gives back until its turn. */
export function takeTurn(pace: Pace, { id, channelId, installationId }: Claimed): void {
  const delayMs = pace({ channel: `${installationId} ${channelId}`, who: id });
  if (delayMs > 0) throw new NotYet(delayMs);
}

/** What tells one rendered message from another. */
export function renderedHash(message: Message): string {
  return createHash('sha256').update(JSON.stringify(message)).digest('base64url');
}

type RecoveryDeps = {
  cards: Undelivered;
  installations: { markDisconnected(id: string): Promise<void> };
  log: Log;
};

/** What becomes of a message whose delivery threw: later, anew, or not at all. Every end is written to the store. */
export function createRecovery({ cards, installations, log }: RecoveryDeps) {
  return async function recover(card: Claimed, method: Method, error: unknown): Promise<void> {
    const { id, installationId, attempts, ts } = card;
    if (error instanceof NotYet) {
      // A message that is not there yet has nothing to update meanwhile.
      const delayMs = ts === null ? error.delayMs : Math.min(error.delayMs, MAX_TURN_MS);
      return cards.postpone({ id, delayMs });
    }
    const failure = slackFailure(error);
    if (failure.kind === 'rate_limited') {
      const delayMs = failure.retryAfterMs;
      await cards.postpone({ id, delayMs });
      return cards.hold({ installationId, method, delayMs });
    }
    log.warn({ card: id, slack: failure.code, attempts }, 'Slack did not take a card');
    if (failure.kind === 'gone') return cards.forgetMessage(id);
    if (failure.kind === 'disconnected') {
      await cards.postpone({ id, delayMs: 0, error: failure.code });
      return installations.markDisconnected(installationId);
    }
    if (failure.kind === 'rejected' && attempts >= MAX_ATTEMPTS) return cards.giveUp({ id, error: failure.code });
    const delayMs = Math.min(1000 * 2 ** (attempts - 1), MAX_BACKOFF_MS);
    return cards.postpone({ id, delayMs, error: failure.code });
  };
}
