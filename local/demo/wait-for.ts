import { setTimeout as pause } from 'node:timers/promises';

const EVERY_MS = 200;

/** Asks `probe` again and again until it answers something; throws, naming `what`, after `seconds`. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  seconds = 60,
): Promise<NonNullable<T>> {
  const end = Date.now() + seconds * 1000;
  let last = '';
  while (Date.now() < end) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== null) return answer;
      last = '';
    } catch (error) {
      last = ` ${error instanceof Error ? error.message : String(error)}`;
    }
    await pause(EVERY_MS);
  }
  throw new Error(`${what}: not within ${seconds} s.${last}`);
}

/** Asks at most every 200 ms, however many wait for the same answer. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (!asked || Date.now() - asked.at >= EVERY_MS) asked = { at: Date.now(), answer: ask() };
    return asked.answer;
  };
}
