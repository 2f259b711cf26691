// Brings the cards in Slack up to what the database says: woken by PostgreSQL, swept as a net. One writer per card over
// all processes, because the store hands out leases. How a card looks is decided in blocks/, never here.

import { WebClient } from '@slack/web-api';
import type { CardFinding } from './blocks/finding-card';
import { type CardDelivery, createDelivery } from './card-delivery';
import { boltLogger, errorFields, type Log } from './log';
import type { NoticeSweep } from './notices';
import { createLane } from './outbox-lane';
import { createPace } from './pace';
import { createPushCardDelivery, type OutboxPushCards } from './push-card-delivery';
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
  /** The messages of pushes, where there is a store of them. */
  pushCards?: OutboxPushCards;
  /** What admins are told about connections, looked for with every sweep. */
  notices?: NoticeSweep;
  /** The base of the Web API, `https://slack.com/api/`. */
  slackApiUrl: string;
  /** The root command, `/recheck` unless told. */
  command?: string | undefined;
  log: Log;
  /** How often to look without being woken, in milliseconds. */
  sweepMs: number;
  /** How long a card is left alone after an update; changes of that time go out together. 2 s unless told. */
  quietMs?: number;
  /** Between two posts in one channel. 1 s unless told. */
  postEveryMs?: number;
};

const RECONNECT_MS = 1000;

/** The outbox of the cards. `stop` lets what is under way finish. `wake` looks for work now. */
export function createOutbox(deps: OutboxDeps): { start(): Promise<void>; stop(): Promise<void>; wake(): void } {
  const { cards, pushCards, notices, log, sweepMs } = deps;
  const delivery = deliveryDeps(deps);
  const lanes = [
    createLane({ store: cards, deliver: createDelivery(delivery), log, sweepMs }),
    ...(pushCards
      ? [
          createLane({
            store: pushCards,
            deliver: createPushCardDelivery({ ...delivery, cards: pushCards }),
            log,
            sweepMs,
          }),
        ]
      : []),
  ];
  let isRunning = false;
  let listening: { stop(): void } | null = null;
  let sweep: NodeJS.Timeout | undefined;

  function wake(): void {
    for (const lane of lanes) lane.wake();
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
      for (const lane of lanes) lane.start();
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
      listening?.stop();
      listening = null;
      await Promise.all([notices?.stop(), ...lanes.map((lane) => lane.stop())]);
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
