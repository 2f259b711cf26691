/** One kind of life that is measured: the product's, or the bare workflow's. */
export interface LifeSystem {
  /** Starts the life of this finding and waits until its issue exists. */
  push(id: string): Promise<void>;
  /** Says in Jira that it is done, and waits until it is flagged. */
  claim(id: string): Promise<void>;
  /** Passes these in one re-run session. */
  pass(ids: string[]): Promise<void>;
  /** Waits until the life has ended. */
  ended(id: string): Promise<void>;
}

const MOST_IN_SESSION = 20;

/**
 * Lives through all of `ids`, `atOnce` at a time, and answers the seconds that it took. Whoever runs the re-runs takes
 * all that are flagged into one session, up to 20, and then looks again.
 */
export async function liveThrough(system: LifeSystem, ids: string[], atOnce: number): Promise<number> {
  const began = performance.now();
  const waiting = [...ids];
  const flagged: { id: string; decided: () => void; failed: (error: unknown) => void }[] = [];
  let isDeciding = false;

  async function decide(): Promise<void> {
    if (isDeciding) return;
    isDeciding = true;
    for (let cases = flagged.splice(0, MOST_IN_SESSION); cases.length > 0; cases = flagged.splice(0, MOST_IN_SESSION)) {
      try {
        await system.pass(cases.map(({ id }) => id));
        for (const { decided } of cases) decided();
      } catch (error) {
        for (const { failed } of cases) failed(error);
      }
    }
    isDeciding = false;
  }

  async function lane(): Promise<void> {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const name = id;
      await system.push(name);
      await system.claim(name);
      await new Promise<void>((decided, failed) => {
        flagged.push({ id: name, decided, failed });
        void decide();
      });
      await system.ended(name);
    }
  }

  await Promise.all(Array.from({ length: Math.min(atOnce, ids.length) }, lane));
  return (performance.now() - began) / 1000;
}
