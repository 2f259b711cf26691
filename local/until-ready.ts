import { readFileSync } from 'node:fs';
import type { RunningProcess } from './processes';

/**
 * Asks `probe` every 50 ms until it answers something; a probe that throws is asked again. Throws with the end of the
 * log where the process ends before, or after `seconds`.
 */
export async function untilReady<T>(
  child: RunningProcess,
  probe: () => Promise<T | undefined> | T | undefined,
  seconds = 60,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let last = '';
  while (Date.now() < end) {
    if (child.hasEnded()) throw new Error(`${child.name} ended while it started. Its log says:\n${child.logTail()}`);
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const log = `Its log (${child.logFile}) ends with:\n${child.logTail()}`;
  throw new Error(`${child.name} was not ready within ${seconds} s. ${last}\n${log}`);
}

/** The line that a process prints when it is ready: a JSON object with `ready: true`. */
export function readyLine(child: RunningProcess): Record<string, unknown> | undefined {
  const lines = readFileSync(child.logFile, 'utf8').split('\n').slice(0, -1);
  return lines
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find(({ ready }) => ready === true);
}

/** Whether the server at this address is ready, and ours. */
export async function answersReady(baseUrl: string, apiKey: string): Promise<true> {
  const { ok, status } = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(5000) });
  if (!ok) throw new Error(`/readyz answers ${status}.`);
  // Another Recheck may answer there while ours is about to end because the port is taken; it does not know our key.
  const headers = { authorization: `Bearer ${apiKey}` };
  const asked = await fetch(`${baseUrl}/api/v1/sources`, { headers, signal: AbortSignal.timeout(5000) });
  if (!asked.ok) throw new Error(`The server at ${baseUrl} answers ${asked.status} to the owner's API key.`);
  return true;
}
