import type { Logger } from 'pino';
import type { Engine } from '../activities/engine';
import type { EvidenceStore } from '../prisma/evidence';
import { createSweep, type Sweep } from './sweep';

export type EvidenceSweepDeps = {
  evidence: Pick<EvidenceStore, 'stranded'>;
  engine: Pick<Engine, 'attachEvidence'>;
  log: Logger;
  /** Milliseconds between two looks. */
  sweepMs: number;
  /** How long a picture may wait before its hand-over is taken for dead. */
  strandedMs?: number;
};

/** What is refused for good is not asked for again and again; after a start everything that was left behind is. */
const LATELY_MS = 10 * 60_000;
const EVER_MS = 7 * 24 * 3_600_000;

/** The net below pictures: a process that died before it asked the engine leaves issues that lack some. */
export function createEvidenceSweep({ evidence, engine, log, sweepMs, strandedMs = 30_000 }: EvidenceSweepDeps): Sweep {
  let hasLooked = false;

  async function look(): Promise<void> {
    const found = await evidence.stranded({ forMs: strandedMs, atMostMs: hasLooked ? LATELY_MS : EVER_MS });
    for (const finding of found) await engine.attachEvidence(finding);
    hasLooked = true;
  }

  return createSweep({ look, sweepMs, log, failed: 'pictures could not be swept; the next look tries again' });
}
