/** Says what is being done: nothing for what takes less than a second, and a sign of life for what takes long. */
export interface Progress {
  /** One line, at once. */
  say(line: string): void;
  /** Runs `work`; tells `what` it is when it takes more than a second, that it is alive, and how long it took. */
  step<T>(what: string, work: () => Promise<T>): Promise<T>;
}

/** `quiet` keeps everything but failures to itself. */
export function createProgress({ quiet = false }: { quiet?: boolean } = {}): Progress {
  const say = (line: string) => {
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  return {
    say,
    async step(what, work) {
      const began = Date.now();
      const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
      const first = setTimeout(() => say(`${what} ...`), 1000);
      const alive = setInterval(() => say(`${what} ... ${seconds()}`), 15_000);
      try {
        const result = await work();
        if (Date.now() - began > 1000) say(`${what}: done in ${seconds()}`);
        return result;
      } finally {
        clearTimeout(first);
        clearInterval(alive);
      }
    },
  };
}
