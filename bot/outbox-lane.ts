import { errorFields, type Log } from './log';

type LaneDeps<Card extends { id: string }> = {
  store: {
    claim(ask: { limit: number; leaseMs: number }): Promise<Card[]>;
    nextDueMs(): Promise<number | null>;
  };
  deliver: (card: Card) => Promise<void>;
  log: Log;
  /** How often somebody looks anyway, in milliseconds: what is due later needs no timer. */
  sweepMs: number;
};

/** Calls in flight; more wait in the database. */
const AT_ONCE = 8;
/** Longer than the timeouts of everything that is done with one claimed message. */
const LEASE_MS = 30_000;

export type Lane = { start(): void; stop(): Promise<void>; wake(): void };

/** Delivers the due messages of one store, a few at a time. `wake` looks for work; `stop` lets what is under way end. */
export function createLane<Card extends { id: string }>({ store, deliver, log, sweepMs }: LaneDeps<Card>): Lane {
  const underWay = new Set<Promise<void>>();
  let isRunning = false;
  let round: Promise<void> | null = null;
  let isAskedAgain = false;
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
    const claimed = await store.claim({ limit, leaseMs: LEASE_MS });
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
    const ms = await store.nextDueMs();
    clearTimeout(nextDue);
    // A millisecond more than asked, or the card would be looked at just before its time.
    if (isRunning && ms !== null && ms < sweepMs) nextDue = setTimeout(wake, ms + 1);
  }

  return {
    wake,
    start() {
      isRunning = true;
    },
    async stop() {
      isRunning = false;
      clearTimeout(nextDue);
      await round;
      await Promise.all(underWay);
    },
  };
}
