export interface Timeline {
  heading(text: string): void;
  /** One line with the seconds since the start; `subject` is a finding or a file. */
  tell(subject: string, text: string): void;
  plain(text: string): void;
}

const WIDTH = 7;

/** Writes what happens when, in seconds since it was made. */
export function createTimeline(write: (line: string) => void): Timeline {
  const began = Date.now();
  return {
    heading: (text) => write(`\n${text}`),
    tell(subject, text) {
      const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(WIDTH);
      write(`${seconds} s  ${subject.padEnd(6)} ${text}`);
    },
    plain: write,
  };
}

/** Lays out rows under a header, each column as wide as its longest cell. */
export function table(header: string[], rows: string[][]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
