import { setTimeout as delay } from 'node:timers/promises';
import type { Slot } from '../prisma/pacing';
import type { PushLane } from '../workflows/rules/vocabulary';

type SlotLineDeps = { takeSlot: (connectionId: string, intervalMs: number, lane: PushLane) => Promise<Slot> };
type SlotRequest = { connectionId: string; intervalMs: number; lane: PushLane };

/** A create waits so long for its slot before it gives its place up; with Jira's timeout it fits into one attempt. */
const longestWaitMs = 1200;
/** When a place that was given up is asked for again. */
const againMs = 1000;

/**
 * Waits for a slot to begin. 0: the call may start; otherwise the milliseconds after which to ask for another slot.
 * `blockedMs` is asked after the wait: Jira may have answered 429 to another call meanwhile.
 */
export async function untilSlot(slot: Slot, blockedMs: () => Promise<number>): Promise<number> {
  if (slot.kind === 'later') return slot.waitMs;
  if (slot.waitMs === 0) return 0;
  await delay(slot.waitMs);
  return await blockedMs();
}

/**
 * Slots in the order in which they were asked for. A person's push asks at once; those of a bulk stand in line, one
 * line per connection, so that only the first of this process asks for the next slot, and none is starved.
 */
export function createSlotLine({ takeSlot }: SlotLineDeps) {
  const ends = new Map<string, Promise<void>>();

  async function untilGranted({ connectionId, intervalMs, lane }: SlotRequest, deadline: number): Promise<Slot> {
    for (;;) {
      const slot = await takeSlot(connectionId, intervalMs, lane);
      if (slot.kind === 'granted' || Date.now() + slot.waitMs > deadline) return slot;
      // Less than the whole wait: a slot is granted a little ahead, so that none goes by unused.
      await delay(Math.max(slot.waitMs - 200, 10));
    }
  }

  async function inLine(connectionId: string, deadline: number, work: () => Promise<Slot>): Promise<Slot> {
    const before = ends.get(connectionId) ?? Promise.resolve();
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const end = before.then(() => left);
    ends.set(connectionId, end);
    try {
      const isFirst = before.then(() => true);
      const inTime = await Promise.race([isFirst, delay(deadline - Date.now(), false, { ref: false })]);
      return inTime ? await work() : { kind: 'later', waitMs: againMs };
    } finally {
      leave();
      if (ends.get(connectionId) === end) ends.delete(connectionId);
    }
  }

  return async (request: SlotRequest): Promise<Slot> => {
    const deadline = Date.now() + longestWaitMs;
    if (request.lane === 'interactive') return await takeSlot(request.connectionId, request.intervalMs, 'interactive');
    return await inLine(request.connectionId, deadline, () => untilGranted(request, deadline));
  };
}
