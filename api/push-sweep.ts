import type { Logger } from 'pino';
import type { Engine } from '../activities/engine';
import type { PushStore } from '../prisma/pushes';

export type PushSweepDeps = {
  pushes: Pick<PushStore, 'takeStranded'>;
  engine: Pick<Engine, 'pushBatch'>;
  log: Logger;
  /** Milliseconds between two looks. */
  sweepMs: number;
  /** How long an item may wait before its hand-over is taken for dead. */
  strandedMs?: number;
};

/**
 * The net below pushes: a process that died between storing a push and handing it to the engine leaves items that
 * nobody works on. Each look hands those over; the push's id is the workflow's, so a second hand-over joins the first.
 */
export function createPushSweep({ pushes, engine, log, sweepMs, strandedMs = 30_000 }: PushSweepDeps) {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    for (const { memberId, ...push } of await pushes.takeStranded(strandedMs)) {
      const actor = memberId ? { kind: 'member' as const, id: memberId } : { kind: 'recheck' as const };
      await engine.pushBatch({ ...push, actor });
      log.warn({ push: push.batchId, findings: push.findingIds.length }, 'a push that nobody worked on goes on');
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log.error({ err: error }, 'pushes could not be swept; the next look tries again'))
        .finally(() => {
          if (timer) schedule();
        });
    }, sweepMs);
  }

  return {
    start: schedule,
    async stop(): Promise<void> {
      clearTimeout(timer);
      timer = undefined;
      await looking;
    },
  };
}
