/** In the words of Node, PostgreSQL and Go, on Windows too. */
const TAKEN = /EADDRINUSE|address already in use|only one usage of each socket address/i;

/** A process ended because somebody else took its port after it was chosen; the message is what its log says of that. */
export class PortTaken extends Error {
  readonly processName: string;
  constructor(processName: string, message: string) {
    super(message);
    this.processName = processName;
  }
}

/** The error where the whole log of a process that has ended says that its port was taken: Go's panics are long. */
export function portTaken(processName: string, log: string): PortTaken | undefined {
  const lines = log.split('\n');
  const at = lines.findIndex((line) => TAKEN.test(line));
  // The line behind it is PostgreSQL's hint, which alone names the port.
  return at < 0
    ? undefined
    : new PortTaken(
        processName,
        lines
          .slice(at, at + 2)
          .join('\n')
          .trim(),
      );
}
