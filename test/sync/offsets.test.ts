import { randomUUID } from 'node:crypto';
import { pollOffset } from '../../activities/schedules';

describe('S6 when connections are polled', () => {
  const hour = 3_600_000;

  it('S6 polls are spread over the hour by the ids of the connections, in whole seconds', () => {
    const offsets = Array.from({ length: 600 }, () => pollOffset(randomUUID(), hour));
    for (const offset of offsets) {
      expect(offset % 1000).toBe(0);
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThan(hour);
    }
    const perQuarter = [0, 1, 2, 3].map(
      (n) => offsets.filter((offset) => Math.floor(offset / (hour / 4)) === n).length,
    );
    // 150 are expected; fewer than 75 come about once in a billion runs.
    for (const count of perQuarter) expect(count).toBeGreaterThan(75);
  });

  it('S6 a connection keeps its place', () => {
    const id = randomUUID();
    expect(pollOffset(id, hour)).toBe(pollOffset(id, hour));
  });
});
