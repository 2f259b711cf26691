import { z } from 'zod';

/** A fault to inject: which API method (`*` for all), what happens, and for how many calls. */
export const faultSchema = z.strictObject({
  method: z.string().min(1).default('*'),
  kind: z.enum(['rate_limit', 'error', 'http', 'delay', 'lost_answer', 'pace']),
  /** Calls that it strikes; `pace` stays until the faults are cleared. */
  times: z.number().int().min(1).default(1),
  /** Seconds, for `rate_limit`. */
  retryAfter: z.number().min(0).default(1),
  /** Slack's error word, for `error`. */
  error: z.string().default('internal_error'),
  /** HTTP status, for `http`. */
  status: z.number().int().min(400).max(599).default(500),
  delayMs: z.number().int().min(0).max(60_000).default(1000),
});
export type Fault = z.infer<typeof faultSchema>;

const CHANNEL_PACE_MS = 1000;

/** The faults that wait to strike. `pace` switches on chat.postMessage's limit of about one a second per channel. */
export function createFaults() {
  let waiting: Fault[] = [];
  let paced = false;
  const lastPost = new Map<string, number>();
  return {
    add(fault: Fault): void {
      if (fault.kind === 'pace') paced = true;
      else waiting.push({ ...fault });
    },
    /** Takes the next fault for a call of this method; null when it should simply work. */
    take(method: string): Fault | null {
      const fault = waiting.find((each) => each.method === method || each.method === '*');
      if (!fault) return null;
      fault.times -= 1;
      waiting = waiting.filter((each) => each.times > 0);
      return fault;
    },
    /** Seconds to wait before this channel takes another message, 0 when it does now. */
    pace(channel: string): number {
      if (!paced) return 0;
      const now = Date.now();
      const wait = (lastPost.get(channel) ?? 0) + CHANNEL_PACE_MS - now;
      if (wait > 0) return Math.ceil(wait / 1000);
      lastPost.set(channel, now);
      return 0;
    },
    list: (): Fault[] => waiting,
    clear(): void {
      waiting = [];
      paced = false;
      lastPost.clear();
    },
  };
}
export type Faults = ReturnType<typeof createFaults>;
