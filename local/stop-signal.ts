/** npm passes a signal on that the terminal has sent already: within this time two are one. */
const SAME_MS = 700;

/** `first` at the first SIGINT or SIGTERM (or hang-up), `again` when somebody insists. */
export function onStopSignal({ first, again }: { first: () => void; again: () => void }): void {
  let stoppedAt: number | undefined;
  const onSignal = () => {
    if (stoppedAt === undefined) {
      stoppedAt = Date.now();
      first();
    } else if (Date.now() - stoppedAt > SAME_MS) again();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}
