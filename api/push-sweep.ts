import type { Logger } from 'pino';
import type { Engine } from '../activities/engine';
import type { PushStore } from '../prisma/pushes';
import { createSweep, type Sweep } from './sweep';

export type PushSweepDeps = {
  pushes: Pick<PushStore, 'takeStranded' | 'takeUnasked'>;
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
export function createPushSweep({ pushes, engine, log, sweepMs, strandedMs = 30_000 }: PushSweepDeps): Sweep {
  async function look(): Promise<void> {
    const stranded = [...(await pushes.takeStranded(strandedMs)), ...(await pushes.takeUnasked(strandedMs))];
    for (const { memberId, organisationId, batchId } of stranded) {
      const actor = memberId ? { kind: 'member' as const, id: memberId } : { kind: 'recheck' as const };
      const started = await engine.pushBatch({ organisationId, batchId, actor });
      if (started) log.warn({ push: batchId }, 'a push that nobody worked on goes on');
    }
  }

  return createSweep({ look, sweepMs, log, failed: 'pushes could not be swept; the next look tries again' });
}
