/** Reads one header; `Headers.get` of any fetch fits. */
export type HeaderReader = (name: string) => string | null;

const MIN_MS = 1_000;
// A quota window is an hour; the rest is for clocks that disagree.
const MAX_MS = 65 * 60_000;
const BACKOFF_START_MS = 5_000;
const BACKOFF_CAP_MS = 30_000;

/**
 * How long to wait after a 429 (or a 503 that names a delay), in milliseconds, between one second and 65 minutes.
 *
 * In this order: `Retry-After` (seconds or a date), `X-RateLimit-Reset` (a date), the time of the exhausted entries of
 * the `RateLimit` quota header, then Atlassian's suggested backoff (5 s, doubled per attempt, at most 30 s).
 * Names with a `Beta-` prefix only announce limits and are not looked at. `random` answers 0 to 1: a delay that Jira
 * named is only ever lengthened (by at most a tenth, or 5 s), the backoff is spread over 0.7 to 1.3.
 *
 * Vendor source: Atlassian, "Rate limiting", Jira Cloud platform.
 */
export function retryDelayMs(input: {
  header: HeaderReader;
  now: number;
  attempt?: number;
  random?: () => number;
}): number {
  const random = input.random ?? Math.random;
  const named = namedDelayMs(input.header, input.now);
  if (named !== undefined) {
    const delay = clamp(named);
    return Math.round(Math.min(delay + random() * Math.min(delay / 10, 5_000), MAX_MS));
  }
  const backoff = Math.min(BACKOFF_START_MS * 2 ** (input.attempt ?? 0), BACKOFF_CAP_MS);
  return Math.round(clamp(backoff * (0.7 + 0.6 * random())));
}

/** The delay that the headers themselves name, in milliseconds, or undefined where they name none. */
export function namedDelayMs(header: HeaderReader, now: number): number | undefined {
  return (
    secondsOrDate(header('retry-after'), now) ??
    untilDate(header('x-ratelimit-reset'), now) ??
    exhaustedQuota(header('ratelimit'))
  );
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, MIN_MS), MAX_MS);
}

function secondsOrDate(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  return untilDate(text, now);
}

// A bare number parses as a year, so only something that looks like a date is taken for one.
function untilDate(value: string | null, now: number): number | undefined {
  if (value === null || !/\d[-:\s]/.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
}

// `"global-app-quota";r=0;t=120, "tenant-quota";r=5;t=60`: `t` counts only where nothing remains; without `r` it is
// taken to be exhausted, because the request was refused.
function exhaustedQuota(value: string | null): number | undefined {
  if (value === null) return undefined;
  const waits = value.split(',').flatMap((entry) => {
    const remaining = /;\s*r=(\d+)/.exec(entry)?.[1];
    const seconds = /;\s*t=(\d+)/.exec(entry)?.[1];
    return seconds !== undefined && (remaining === undefined || remaining === '0') ? [Number(seconds) * 1000] : [];
  });
  return waits.length > 0 ? Math.max(...waits) : undefined;
}
