import type { Logger } from 'pino';

export type Sweep = { start(): void; stop(): Promise<void> };

/**
 * Calls `look` every `sweepMs` milliseconds, counted from the end of the last call. One that fails is logged with
 * `failed`, and the next comes all the same. `stop` lets the one under way end.
 */
export function createSweep({
  look,
  sweepMs,
  log,
  failed,
}: {
  look: () => Promise<void>;
  sweepMs: number;
  log: Logger;
  failed: string;
}): Sweep {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  function schedule(): void {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log.error({ err: error }, failed))
        .finally(() => {
          if (timer) schedule();
        });
    }, sweepMs);
  }

  return {
    start: schedule,
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await looking;
    },
  };
}
