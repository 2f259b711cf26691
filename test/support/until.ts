/** A deadline only bounds how long a failure takes to show. */
const PATIENCE = 3;

/**
 * Waits until `probe` answers something truthy, asking again every 50 ms; throws the last error or value when the time is
 * up. `seconds` is what a machine takes that does nothing else; one that is busy gets `PATIENCE` times as long.
 */
export async function until<T>(
  probe: () => Promise<T> | T,
  { seconds = 20, what = 'the condition' }: { seconds?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + seconds * PATIENCE * 1000;
  let last: unknown;
  do {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  const saw = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`${what} did not happen within ${seconds * PATIENCE} s; last seen: ${saw}`);
}
