// What the run of a push does: the approval, and handing its items to their lifecycles.

import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Db } from '../prisma/client';
import type { PushedFinding } from '../prisma/push-approvals';
import type { ApprovalDecision, ApprovalSaid, ApprovalTimings, PushRef } from '../workflows/contract';
import type { Actor } from '../workflows/rules/lifecycle';
import type { Engine } from './engine';

type PushActivityDeps = { db: Pick<Db, 'pushes'>; engine: Pick<Engine, 'push' | 'approvalSaid'> };
type Ref = PushRef & { actor: Actor };

/** Items of one push in flight at once, so that a bulk never crowds out a person's single push. */
const inFlight = 8;
/** One activity works so long, in milliseconds; a push that takes longer is several of them, one after the other. */
const sliceMs = 5 * 60_000;
/** An item is asked about for so long; then others have their turn, and it is asked again. */
const askMs = 10_000;
const beatMs = 2_000;
const pageSize = 32;

/** The activities of pushes. */
export function createPushItemActivities({ db, engine }: PushActivityDeps) {
  const { pushes } = db;
  return {
    openPush: (input: PushRef & { approval?: ApprovalTimings }) => pushes.open(input),
    decidePush: (input: PushRef & { decision: ApprovalDecision; memberId: string | null; note: string | null }) =>
      pushes.decide(input),
    remindOfPush: (ref: PushRef) => pushes.remind(ref),
    finishPush: (ref: PushRef) => pushes.finish(ref),

    /**
     * Hands the items of a push that wait to their lifecycles, a few at a time, and waits for their ends. The outcomes
     * are written by the lifecycles, so a worker that takes over goes on with what has none. `left`: its time was over,
     * or items came back.
     */
    async pushItems({ organisationId, batchId, actor }: Ref): Promise<{ left: boolean }> {
      const ref = { organisationId, batchId };
      const stopping = cancellationSignal();
      const end = Date.now() + sliceMs;
      const isOver = () => stopping.aborted || Date.now() >= end;
      const queue = createItemQueue((except) => pushes.pendingItems(ref, { except, limit: pageSize }));
      let failure: { error: unknown } | null = null;

      /** Asks the lifecycle until the item has ended, or its turn is over: others may get further than it does. */
      async function hasEnded(item: PushedFinding): Promise<boolean> {
        for (let wasBlocked = false; ; ) {
          const askId = await pushes.askId(batchId, item.findingId);
          const ask = { batchId, actor, waitMs: askMs, lane: laneOf(item) };
          if (askId === null || (await engine.push(item, { ...ask, askId })) !== null) return true;
          // While Jira wants no calls, none gets further, and the next one would only wait there too.
          const isBlocked = (await pushes.blockedMs(ref)) > 0;
          if (isOver() || !(isBlocked || wasBlocked)) return false;
          wasBlocked = isBlocked;
        }
      }

      async function lane(): Promise<void> {
        while (!isOver()) {
          const item = await queue.next();
          if (!item) return;
          try {
            queue.done(item, (await hasEnded(item)) ? 'ended' : 'again');
          } catch (error) {
            // The others go on; this one is tried again with the next attempt.
            failure ??= { error };
            queue.done(item, 'failed');
          }
        }
      }
      await beating(() => Promise.all(Array.from({ length: inFlight }, lane)));
      const failed = failure as { error: unknown } | null;
      if (failed && !stopping.aborted) throw failed.error;
      return { left: (await pushes.pendingItems(ref, { except: [], limit: 1 })).length > 0 };
    },

    /** Tells the lifecycles of a push that its approval is waited for, or how that ended; told twice, once counts. */
    async tellApproval({ organisationId, batchId, said, actor }: Ref & Pick<ApprovalSaid, 'said'>): Promise<void> {
      const ref = { organisationId, batchId };
      const { memberId, reason } = await pushes.decider(ref);
      const decider: Actor = memberId ? { kind: 'member', id: memberId } : { kind: 'recheck' };
      const word = { batchId, said, actor: said === 'asked' ? actor : decider, ...(reason ? { reason } : {}) };
      let after = Number(activityInfo().heartbeatDetails ?? 0);
      const tellAll = async () => {
        for (;;) {
          const items = await pushes.unapprovedItems(ref, { said, after, limit: inFlight });
          if (items.length === 0) return;
          // A worker that is stopping leaves the rest to the next attempt.
          cancellationSignal().throwIfAborted();
          await Promise.all(items.map((item) => engine.approvalSaid(item, word)));
          after = items.at(-1)?.number ?? after;
        }
      };
      await beating(tellAll, () => after);
    },
  };
}

function laneOf({ kind }: PushedFinding): 'interactive' | 'bulk' {
  return kind === 'single' ? 'interactive' : 'bulk';
}

/** Heartbeats while `work` goes on; a worker that takes over is given the last `progress`. */
async function beating(work: () => Promise<unknown>, progress: () => unknown = () => undefined): Promise<void> {
  const beat = setInterval(() => heartbeat(progress()), beatMs);
  try {
    await work();
  } finally {
    clearInterval(beat);
  }
}

/** Items by page: those that have not ended yet come again after all others, failed ones not any more. */
function createItemQueue(read: (except: string[]) => Promise<PushedFinding[]>) {
  const busy = new Set<string>();
  const again = new Set<string>();
  const failed = new Set<string>();
  let page: PushedFinding[] = [];
  let reading: Promise<void> | null = null;

  async function refill(): Promise<void> {
    page = await read([...busy, ...again, ...failed]);
    if (page.length > 0 || again.size === 0) return;
    again.clear();
    page = await read([...busy, ...failed]);
  }

  return {
    async next(): Promise<PushedFinding | undefined> {
      if (page.length === 0) {
        reading ??= refill().finally(() => {
          reading = null;
        });
        await reading;
      }
      const item = page.shift();
      if (item) busy.add(item.findingId);
      return item;
    },
    done({ findingId }: PushedFinding, how: 'ended' | 'again' | 'failed'): void {
      busy.delete(findingId);
      if (how === 'again') again.add(findingId);
      if (how === 'failed') failed.add(findingId);
    },
  };
}
