import { axeSeverity, graver, severityFromWord, testSeverity } from '../../workflows/rules/severity';

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

  it('does not take inherited names for words', () => {
    for (const word of ['constructor', '__proto__', 'toString']) expect(severityFromWord(word)).toBeNull();
  });

  it('finds the graver of two', () => {
    expect(graver('minor', 'serious')).toBe('serious');
    expect(graver('critical', 'serious')).toBe('critical');
  });
});
