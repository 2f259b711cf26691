import { sleep } from '@temporalio/workflow';

/** Pauses before the attempt after this one: longer with each, at most five minutes, and at least `leastMs`. */
export async function backOff(attempt: number, leastMs = 0): Promise<void> {
  const ms = Math.min(1000 * 2 ** Math.min(attempt, 8), 300_000);
  await sleep(Math.max(leastMs, ms), { summary: 'Try again' });
}
