import { setTimeout as wait } from 'node:timers/promises';
import { Router } from 'express';
import type { Logger } from 'pino';

export type Readiness = { ok: boolean; checks: Record<string, string> };

/**
 * `ask` answers `ok`, or what is wrong and what mends it: everybody may read it, so it names no host and no user. Of one
 * that says nothing, only the variable with its address is known.
 */
type Check = { ask: () => Promise<string>; variable: string };

/** Runs all checks at once; what one of them does not say in time takes nothing from what the others say. */
export function createReadiness(checks: Record<string, Check>, timeoutMs = 3_000): () => Promise<Readiness> {
  return async () => {
    const said = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await inTime(check, timeoutMs)] as const),
    );
    return { ok: said.every(([, word]) => word === 'ok'), checks: Object.fromEntries(said) };
  };
}

async function inTime({ ask, variable }: Check, timeoutMs: number): Promise<string> {
  const over = new AbortController();
  const late = wait(timeoutMs, `does not answer within ${timeoutMs} ms: start it, or correct ${variable}`, {
    signal: over.signal,
  });
  try {
    return await Promise.race([ask(), late]);
  } catch {
    // What was thrown may name hosts and users; the log of the dependency has it.
    return 'the check itself failed';
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}

/** Logs what is not ready, once: at the start, where most of what is wrong is a variable. */
export async function logUnready(ready: () => Promise<Readiness>, log: Pick<Logger, 'warn'>): Promise<void> {
  const { ok, checks } = await ready();
  if (!ok) log.warn({ checks }, 'not ready yet; /readyz says when');
}

/**
 * `/healthz`: the process answers; nothing else is asked, or a database outage would have every process restarted.
 * `/readyz`: 200 or 503 with what each dependency said.
 */
export function createHealth({ ready }: { ready: () => Promise<Readiness> }): Router {
  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.json({ ok: true });
  });
  router.get('/readyz', async (_req, res) => {
    const { ok, checks } = await ready();
    res
      .status(ok ? 200 : 503)
      .set('cache-control', 'no-store')
      .json({ ok, checks });
  });
  return router;
}
