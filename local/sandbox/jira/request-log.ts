/** One received REST request, without its credentials. */
export interface LoggedRequest {
  /** Counts from 1 since the start; `since` asks for later ones. */
  number: number;
  at: string;
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  body: unknown;
  /** What was answered, or would have been where `fault` cut it off. */
  status: number;
  fault?: string;
}

export interface RequestLog {
  add(request: Omit<LoggedRequest, 'number'>): void;
  /** Requests after a number, or after a moment (ISO 8601), oldest first. */
  since(start: string | undefined): LoggedRequest[];
  clear(): void;
}

const most = 5_000;

/** A bounded log in memory: the oldest entries make room. */
export function createRequestLog(): RequestLog {
  let entries: LoggedRequest[] = [];
  let number = 0;
  return {
    add(request) {
      number += 1;
      entries.push({ number, ...request });
      // In halves, because shortening an array by one on every request costs its whole length each time.
      if (entries.length > most * 2) entries = entries.slice(-most);
    },
    since(start) {
      const kept = entries.slice(-most);
      if (start === undefined || start === '') return kept;
      if (/^\d+$/.test(start)) return kept.filter((entry) => entry.number > Number(start));
      return kept.filter((entry) => entry.at >= start);
    },
    clear() {
      entries = [];
    },
  };
}
