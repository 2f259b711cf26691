import {
  axeSeverity,
  graver,
  lighthouseSeverity,
  pa11ySeverity,
  sarifSeverity,
  severityFromWord,
  testSeverity,
} from '../../workflows/rules/severity';

describe('severity', () => {
  it.each([
    ['critical', 'critical'],
    ['serious', 'serious'],
    ['moderate', 'moderate'],
    ['minor', 'minor'],
    [null, 'moderate'],
    ['', 'moderate'],
  ] as const)('an axe impact of %s is %s', (impact, expected) => expect(axeSeverity(impact)).toBe(expected));

  it.each([
    [null, 'serious'],
    ['blocker', 'critical'],
    ['Critical', 'critical'],
    ['normal', 'moderate'],
    [' trivial ', 'minor'],
    ['whatever', 'serious'],
  ] as const)('a failing test marked %s is %s', (word, expected) => expect(testSeverity(word)).toBe(expected));

  it.each([
    ['error', null, 'serious'],
    ['warning', null, 'moderate'],
    ['notice', undefined, 'minor'],
    ['error', 'critical', 'critical'],
    ['warning', 'moderate', 'moderate'],
    ['constructor', null, 'moderate'],
  ] as const)('a pa11y %s of impact %s is %s', (type, impact, expected) =>
    expect(pa11ySeverity({ type, impact })).toBe(expected),
  );

  it.each([
    [10, null, 'critical'],
    [7, null, 'serious'],
    [3, null, 'moderate'],
    [1, null, 'minor'],
    [0, null, 'moderate'],
    [null, null, 'moderate'],
    [1, 'critical', 'critical'],
  ] as const)('a Lighthouse audit of weight %s and impact %s is %s', (weight, impact, expected) =>
    expect(lighthouseSeverity({ weight, impact })).toBe(expected),
  );

  it.each([
    ['error', undefined, 'serious'],
    ['warning', undefined, 'moderate'],
    ['note', undefined, 'minor'],
    ['note', '9.1', 'critical'],
    ['note', '9.0', 'critical'],
    ['note', 8.9, 'serious'],
    ['error', '4.0', 'moderate'],
    ['error', '0.1', 'minor'],
    ['error', '0', 'serious'],
    ['error', 'high', 'serious'],
    ['error', '11', 'serious'],
    ['__proto__', null, 'moderate'],
  ] as const)('a SARIF result of level %s and score %s is %s', (level, score, expected) =>
    expect(sarifSeverity({ level, securityScore: score ?? null })).toBe(expected),
  );

  it('does not take inherited names for words', () => {
    for (const word of ['constructor', '__proto__', 'toString']) expect(severityFromWord(word)).toBeNull();
  });

  it('finds the graver of two', () => {
    expect(graver('minor', 'serious')).toBe('serious');
    expect(graver('critical', 'serious')).toBe('critical');
  });
});
