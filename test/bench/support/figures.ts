/** The middle one of the values; the upper of the two middle ones where their number is even. */
export function median(values: number[]): number {
  return percentile(values, 50);
}

/** The value that `percent` of all values do not exceed (nearest rank); 0 where there are none. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}

/** Rounds to so many digits after the point, for output. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
