/** A moment from a report. `zoned` is false where the file leaves the time zone out; it is then read as UTC. */
export type Timestamp = { date: Date; zoned: boolean };

const isoLike = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Reads an ISO 8601 time (or the GMT form of HTTP, which mocha's xunit reporter writes), or answers null for anything else and for dates that do not exist. */
export function timestamp(text: string | null | undefined): Timestamp | null {
  const plain = (text ?? '').trim();
  if (httpDate.test(plain)) return existing(new Date(plain), true);
  const match = isoLike.exec(plain);
  if (!match) return null;
  const zoned = match[1] !== undefined;
  const iso = match[0].replace(' ', 'T').replace(',', '.').replace(/\s+/g, '');
  return existing(new Date(zoned ? iso : `${iso}Z`), zoned);
}

/** Reads a count of milliseconds since 1970, or of seconds, which some tools write in its place. */
export function epochTime(value: unknown): Timestamp | null {
  if (typeof value !== 'number' || !(value > 1e9)) return null;
  return existing(new Date(value < 1e11 ? value * 1_000 : value), true);
}

function existing(date: Date, zoned: boolean): Timestamp | null {
  return Number.isNaN(date.getTime()) ? null : { date, zoned };
}

/** The first of several moments, the unknown ones left out. */
export function earliest(dates: readonly (Date | null)[]): Date | null {
  return dates.reduce((first, date) => (date && (!first || date < first) ? date : first), null);
}
