// Hands stored Jira deliveries on to the lifecycles: at once after a wake, and by a sweep what was left behind.

import type { Logger } from 'pino';
import type { ClaimedDelivery, DeliveredFinding, DeliveryStore } from '../prisma/deliveries';

export type RelayDeps = {
  deliveries: Pick<
    DeliveryStore,
    'claimPending' | 'renew' | 'markProcessed' | 'markFailed' | 'release' | 'promoteUntracked' | 'deleteOld'
  >;
  /** Tells the lifecycle of a finding that its issue changed. It may be told again for the same change. */
  signalJiraChanged: (finding: DeliveredFinding) => Promise<void>;
  /** Asks for a poll of a connection: a delivery without a usable body says only that something changed. */
  syncConnection?: (connection: { organisationId: string; connectionId: string }) => Promise<void>;
  log: Logger;
  /** Pause between sweeps. */
  sweepMs: number;
  /** How often the lease of a batch under way is renewed: several times in each. */
  renewMs?: number;
};

export type Relay = { wake: () => void; start: () => void; stop: () => Promise<void> };

const BATCH = 200;
const SIGNALS_AT_ONCE = 20;
const LINKED_LATELY_MS = 10 * 60_000;
const CLEAN_EVERY_MS = 10 * 60_000;

/**
 * The relay of one process; any number may run. A delivery is marked as processed after its signal, so a process that
 * dies in between leaves it to a later claim. While the engine is down, each sweep tries a few and gives the rest back.
 */
export function createRelay(deps: RelayDeps): Relay {
  const { log, sweepMs } = deps;
  let running: Promise<void> | null = null;
  let again = false;
  let engineDown = false;
  let stopped = true;
  let timer: NodeJS.Timeout | undefined;
  let swept = false;
  let cleanedAt = Date.now();

  async function drain(): Promise<void> {
    do {
      again = false;
      const batch = await relayBatch(deps, () => stopped);
      engineDown = batch.hopeless;
      again ||= batch.full;
    } while (again && !stopped && !engineDown);
  }

  function wake(): void {
    again = true;
    if (stopped || running || engineDown) return;
    running = drain()
      .catch((error: unknown) => {
        again = false;
        log.error({ err: error }, 'the relay of Jira deliveries failed; the sweep goes on');
      })
      .finally(() => {
        running = null;
        // A wake that came after the last look would wait for the sweep.
        if (again) wake();
      });
  }

  async function sweep(): Promise<void> {
    // After a start the links made while no process ran count too.
    await deps.deliveries.promoteUntracked(swept ? { linkedWithinMs: LINKED_LATELY_MS } : {});
    swept = true;
    engineDown = false;
    wake();
    if (Date.now() - cleanedAt < CLEAN_EVERY_MS) return;
    cleanedAt = Date.now();
    await deps.deliveries.deleteOld();
  }

  let sweeping: Promise<void> = Promise.resolve();
  function sweepAndRepeat(): void {
    sweeping = sweep()
      .catch((error: unknown) => log.error({ err: error }, 'the sweep of Jira deliveries failed; it is tried again'))
      .finally(() => {
        if (!stopped) timer = setTimeout(sweepAndRepeat, sweepMs);
      });
  }

  return {
    wake,
    start() {
      if (!stopped) return;
      stopped = false;
      sweepAndRepeat();
    },
    /** Ends after what is under way; what is claimed and not signalled goes back. */
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await sweeping;
      await running;
    },
  };
}

type Target = { tell: () => Promise<void>; ids: string[] };

/** Relays one batch. `full`: there may be more to do; `hopeless`: nothing but failures, so the rest can wait. */
async function relayBatch(deps: RelayDeps, isStopped: () => boolean): Promise<{ full: boolean; hopeless: boolean }> {
  const claimed = await deps.deliveries.claimPending(BATCH);
  if (claimed.length === 0) return { full: false, hopeless: false };
  const { targets, obsolete } = byTarget(claimed, deps);
  const end = holdLease(
    deps,
    claimed.map(({ id }) => id),
  );
  const { done, failed, untouched, hopeless } = await tellAll(targets, isStopped).finally(end);
  await deps.deliveries.markProcessed([...obsolete, ...done]);
  for (const { ids, error } of failed) {
    for (const id of ids) await deps.deliveries.markFailed(id, error);
  }
  await deps.deliveries.release(untouched);
  if (failed.length > 0) {
    deps.log.warn(
      { failed: failed.length, waiting: untouched.length, reason: failed[0]?.error },
      'Jira deliveries wait',
    );
  }
  return { full: claimed.length === BATCH, hopeless };
}

/** A slow engine may take longer for a batch than its lease. The answered function ends the renewing. */
function holdLease({ deliveries, log, renewMs = 5_000 }: RelayDeps, ids: string[]): () => Promise<void> {
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last
      .then(() => deliveries.renew(ids))
      .catch((error: unknown) => log.warn({ err: error }, 'the lease of Jira deliveries could not be renewed'));
  }, renewMs);
  return () => {
    clearInterval(timer);
    // One that came after what is marked next would undo it.
    return last;
  };
}

/** Several deliveries of one issue are one signal; those of an issue that no link knows any more need none. */
function byTarget(claimed: ClaimedDelivery[], deps: RelayDeps): { targets: Target[]; obsolete: string[] } {
  const targets = new Map<string, Target>();
  const obsolete: string[] = [];
  for (const delivery of claimed) {
    const { id, finding, organisationId, connectionId } = delivery;
    const { syncConnection } = deps;
    let key: string;
    let tell: () => Promise<void>;
    if (finding) {
      key = `finding:${finding.findingId}`;
      tell = () => deps.signalJiraChanged(finding);
    } else if (delivery.jiraIssueId === null && syncConnection) {
      key = `connection:${connectionId}`;
      tell = () => syncConnection({ organisationId, connectionId });
    } else {
      obsolete.push(id);
      continue;
    }
    const target = targets.get(key) ?? { tell, ids: [] };
    target.ids.push(id);
    targets.set(key, target);
  }
  return { targets: [...targets.values()], obsolete };
}

/** Tells up to 20 at a time. When nothing but failures comes back from that many, the rest is not tried. */
async function tellAll(targets: Target[], isStopped: () => boolean) {
  const done: string[] = [];
  const failed: { ids: string[]; error: string }[] = [];
  const queue = [...targets];
  const hopeless = () => done.length === 0 && failed.length >= Math.min(SIGNALS_AT_ONCE, targets.length);
  const next = () => (hopeless() || isStopped() ? undefined : queue.shift());

  async function work(): Promise<void> {
    for (let target = next(); target; target = next()) {
      try {
        await target.tell();
        done.push(...target.ids);
      } catch (error) {
        failed.push({ ids: target.ids, error: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  await Promise.all(Array.from({ length: SIGNALS_AT_ONCE }, work));
  return { done, failed, untouched: queue.flatMap((target) => target.ids), hopeless: targets.length > 0 && hopeless() };
}
