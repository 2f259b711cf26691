import { setTimeout as wait } from 'node:timers/promises';
import { Router } from 'express';

export type Readiness = { ok: boolean; checks: Record<string, string> };

/**
 * `/healthz`: the process answers; nothing else is asked, or a database outage would have every process restarted.
 * `/readyz`: 200 or 503 with what each dependency said; one that does not answer within `timeoutMs` counts as down.
 */
export function createHealth({
  ready,
  timeoutMs = 3_000,
}: {
  ready: () => Promise<Readiness>;
  timeoutMs?: number;
}): Router {
  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.json({ ok: true });
  });
  router.get('/readyz', async (_req, res) => {
    const { ok, checks } = await readiness(ready, timeoutMs);
    res
      .status(ok ? 200 : 503)
      .set('cache-control', 'no-store')
      .json({ ok, checks });
  });
  return router;
}

async function readiness(ready: () => Promise<Readiness>, timeoutMs: number): Promise<Readiness> {
  const over = new AbortController();
  const late = wait(timeoutMs, { ok: false, checks: { readiness: `no answer within ${timeoutMs} ms` } }, over);
  try {
    return await Promise.race([ready(), late]);
  } catch {
    // What was thrown may name hosts and users; the log of the dependency has it.
    return { ok: false, checks: { readiness: 'the check itself failed' } };
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}
