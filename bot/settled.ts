import { politely } from './declined';

/**
 * What became of several works that were asked for at once: what was done, in words why others were refused, and what
 * broke. One that is refused takes nothing from the others.
 */
export async function settled<T>(works: Promise<T>[]): Promise<{ done: T[]; said: string[]; broken: unknown[] }> {
  const ended = await Promise.allSettled(works);
  const stopped: unknown[] = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  return {
    done: ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    said: stopped.flatMap((error) => politely(error)?.text ?? []),
    broken: stopped.filter((error) => politely(error) === null),
  };
}
