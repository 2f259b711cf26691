// Brings the cards in Slack up to what the database says: woken by PostgreSQL, swept as a net. One writer per card over
// all processes, because the store hands out leases. How a card looks is decided in blocks/, never here.

import { WebClient } from '@slack/web-api';
import type { CardFinding } from './blocks/finding-card';
import { type CardDelivery, createDelivery } from './card-delivery';
import { boltLogger, errorFields, type Log } from './log';
import type { NoticeSweep } from './notices';
import { createPace } from './pace';
import { clientOptions } from './slack-client';

export type OutboxCard = {
  id: string;
  organisationId: string;
  findingId: string;
  installationId: string;
  channelId: string;
  ts: string | null;
  shown: { hash: string; event: string } | null;
  attempts: number;
};

/** What the outbox needs of the card store. */
type OutboxCards = {
  claim(ask: { limit: number; leaseMs: number }): Promise<OutboxCard[]>;
  nextDueMs(): Promise<number | null>;
  view(
    card: OutboxCard,
    told: readonly string[],
  ): Promise<{
    finding: CardFinding;
    lastEventId: string;
    untold: { id: string; event: string; actor: string; detail: string }[];
  } | null>;
  showed(card: { id: string; ts: string; hash: string; event: string }): Promise<void>;
  done(card: { id: string; quietMs: number }): Promise<void>;
  postpone(card: { id: string; delayMs: number; error?: string }): Promise<void>;
  giveUp(card: { id: string; error: string }): Promise<void>;
  forgetMessage(id: string): Promise<void>;
  hold(held: { installationId: string; method: 'post' | 'update'; delayMs: number }): Promise<void>;
  listen(changed: () => void, lost: (error: Error) => void): Promise<{ stop(): void }>;
};

export type OutboxDeps = {
  cards: OutboxCards;
  installations: {
    findById(organisationId: string, id: string): Promise<{ id: string; botToken: string } | null>;
    markDisconnected(id: string): Promise<void>;
  };
  /** What admins are told about connections, looked for with every sweep. */
  notices?: NoticeSweep;
  /** The base of the Web API, `https://slack.com/api/`. */
  slackApiUrl: string;
  log: Log;
  /** How often to look without being woken, in milliseconds. */
  sweepMs: number;
  /** How long a card is left alone after an update; changes of that time go out together. 2 s unless told. */
  quietMs?: number;
  /** Between two posts in one channel. 1 s unless told. */
  postEveryMs?: number;
};

/** Calls in flight; more wait in the database. */
const AT_ONCE = 8;
/** Longer than the timeouts of everything that is done with one claimed card. */
const LEASE_MS = 30_000;
const RECONNECT_MS = 1000;

/** The outbox of the cards. `stop` lets what is under way finish. `wake` looks for work now. */
export function createOutbox(deps: OutboxDeps): { start(): Promise<void>; stop(): Promise<void>; wake(): void } {
  const { cards, notices, log, sweepMs } = deps;
  const deliver = createDelivery(deliveryDeps(deps));
  const underWay = new Set<Promise<void>>();
  let isRunning = false;
  let round: Promise<void> | null = null;
  let isAskedAgain = false;
  let listening: { stop(): void } | null = null;
  let sweep: NodeJS.Timeout | undefined;
  let nextDue: NodeJS.Timeout | undefined;

  function wake(): void {
    if (!isRunning) return;
    if (round !== null) {
      isAskedAgain = true;
      return;
    }
    round = lookForWork()
      .catch((error: unknown) => log.error(errorFields(error), 'the outbox could not read the cards; it tries again'))
      .finally(() => {
        round = null;
        if (!isAskedAgain) return;
        isAskedAgain = false;
        wake();
      });
  }

  async function lookForWork(): Promise<void> {
    const limit = AT_ONCE - underWay.size;
    if (limit <= 0) return;
    const claimed = await cards.claim({ limit, leaseMs: LEASE_MS });
    for (const card of claimed) {
      const work = deliver(card)
        .catch((error: unknown) => log.error({ card: card.id, ...errorFields(error) }, 'a card was not delivered'))
        .finally(() => {
          underWay.delete(work);
          wake();
        });
      underWay.add(work);
    }
    if (claimed.length < limit) await wakeWhenDue();
  }

  async function wakeWhenDue(): Promise<void> {
    const ms = await cards.nextDueMs();
    clearTimeout(nextDue);
    // A millisecond more than asked, or the card would be looked at just before its time.
    if (isRunning && ms !== null && ms < sweepMs) nextDue = setTimeout(wake, ms + 1);
  }

  async function listen(): Promise<void> {
    if (!isRunning) return;
    try {
      const started = await cards.listen(wake, (error) => {
        log.warn(errorFields(error), 'the outbox lost its database connection; it connects again');
        listening = null;
        setTimeout(() => void listen(), RECONNECT_MS).unref();
      });
      if (isRunning) listening = started;
      else started.stop();
      // What was notified while nobody listened.
      wake();
    } catch (error) {
      log.warn(errorFields(error), 'the outbox cannot listen to the database yet; it tries again');
      setTimeout(() => void listen(), RECONNECT_MS).unref();
    }
  }

  return {
    wake,
    async start() {
      isRunning = true;
      sweep = setInterval(() => {
        wake();
        notices?.wake();
      }, sweepMs);
      notices?.wake();
      await listen();
    },
    async stop() {
      isRunning = false;
      clearInterval(sweep);
      clearTimeout(nextDue);
      listening?.stop();
      listening = null;
      await round;
      await Promise.all([notices?.stop(), ...underWay]);
    },
  };
}

function deliveryDeps({ slackApiUrl, log, quietMs = 2000, postEveryMs = 1000, ...stores }: OutboxDeps): CardDelivery {
  const options = clientOptions({ slackApiUrl, logger: boltLogger(log) });
  return {
    ...stores,
    log,
    quietMs,
    slack: (token) => new WebClient(token, options),
    pace: createPace({ everyMs: postEveryMs, now: Date.now }),
  };
}
