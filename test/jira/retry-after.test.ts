import { retryDelayMs } from '../../activities/jira/retry-after';

const NOW = Date.parse('2026-11-22T10:00:00Z');

function delay(headers: Record<string, string>, options: { attempt?: number; random?: number } = {}): number {
  return retryDelayMs({
    header: (name) => headers[name] ?? null,
    now: NOW,
    attempt: options.attempt ?? 0,
    random: () => options.random ?? 0,
  });
}

describe('the delay after a refusal', () => {
  it.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a fraction of seconds', { 'retry-after': '1.5' }, 1_500],
    ['a date', { 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30_000],
    ['a date gone by, as a second', { 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' }, 1_000],
    ['zero, as a second', { 'retry-after': '0' }, 1_000],
    ['more than a quota window, as 65 minutes', { 'retry-after': '86400' }, 65 * 60_000],
    ['the reset time', { 'x-ratelimit-reset': '2026-11-22T10:01:00Z' }, 60_000],
    ['the reset time without seconds', { 'x-ratelimit-reset': '2026-11-22T10:05Z' }, 300_000],
    ['Retry-After before the reset time', { 'retry-after': '2', 'x-ratelimit-reset': '2026-11-22T10:05Z' }, 2_000],
    ['the time of the exhausted quota', { ratelimit: '"app";r=0;t=120, "tenant";r=900;t=3000' }, 120_000],
    ['the longest of several exhausted quotas', { ratelimit: '"app";r=0;t=120,"tenant";r=0;t=600' }, 600_000],
    ['a quota that does not say what remains', { ratelimit: '"app";t=90' }, 90_000],
  ])('takes %s', (_what, headers, expected) => {
    expect(delay(headers)).toBe(expected);
  });

  it.each([
    ['no header', {}],
    ['nonsense', { 'retry-after': 'soon', 'x-ratelimit-reset': 'later', ratelimit: '?' }],
    ['a limit that is only announced', { 'beta-retry-after': '900', 'x-beta-ratelimit-reset': '2026-11-22T10:30Z' }],
    ['a quota with room left', { ratelimit: '"app";r=12;t=1800' }],
    ['a bare number for a date', { 'x-ratelimit-reset': '1795341600' }],
  ])('falls back to the backoff on %s', (_what, headers) => {
    expect(delay(headers, { random: 0.5 })).toBe(5_000);
  });

  it('doubles the backoff per attempt up to 30 s, spread over 0.7 to 1.3', () => {
    expect([0, 1, 2, 3, 9].map((attempt) => delay({}, { attempt, random: 0.5 }))).toEqual([
      5_000, 10_000, 20_000, 30_000, 30_000,
    ]);
    expect(delay({}, { random: 0 })).toBe(3_500);
    expect(delay({}, { random: 1 })).toBe(6_500);
  });

  it('never waits less than Jira asks for, and little more', () => {
    for (const random of [0, 0.3, 1]) {
      const waited = delay({ 'retry-after': '100' }, { random });
      expect(waited).toBeGreaterThanOrEqual(100_000);
      expect(waited).toBeLessThanOrEqual(105_000);
    }
  });
});
