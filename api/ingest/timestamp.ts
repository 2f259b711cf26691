/** A moment from a report. `zoned` is false where the file leaves the time zone out; it is then read as UTC. */
export type Timestamp = { date: Date; zoned: boolean };

const isoLike = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/** Reads an ISO 8601 time, or answers null for anything else and for dates that do not exist. */
export function timestamp(text: string | null | undefined): Timestamp | null {
  const match = isoLike.exec((text ?? '').trim());
  if (!match) return null;
  const zoned = match[1] !== undefined;
  const iso = match[0].replace(' ', 'T').replace(',', '.').replace(/\s+/g, '');
  const date = new Date(zoned ? iso : `${iso}Z`);
  return Number.isNaN(date.getTime()) ? null : { date, zoned };
}

/** The first of several moments, the unknown ones left out. */
export function earliest(dates: readonly (Date | null)[]): Date | null {
  return dates.reduce((first, date) => (date && (!first || date < first) ? date : first), null);
}
