// How bad a finding is, from the words of the tool that found it.

import type { Severity } from './vocabulary';
import { severities } from './vocabulary';

/** Words of axe, Allure and Jira-minded test suites; compared in lower case. */
const words: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  blocker: 'critical',
  serious: 'serious',
  major: 'serious',
  high: 'serious',
  normal: 'moderate',
  moderate: 'moderate',
  medium: 'moderate',
  minor: 'minor',
  low: 'minor',
  trivial: 'minor',
};

/** The severity that a word of a tool means, or null where it says nothing that we know. */
export function severityFromWord(word: string | null | undefined): Severity | null {
  const key = (word ?? '').trim().toLowerCase();
  return Object.hasOwn(words, key) ? (words[key] ?? null) : null;
}

/** axe's impact as a severity. axe leaves it out for rules that cannot tell: `moderate`, neither ignored nor alarming. */
export function axeSeverity(impact: string | null | undefined): Severity {
  return severityFromWord(impact) ?? 'moderate';
}

/**
 * The severity of a failing test: what its own `severity` property says, else `serious`. Failures and errors weigh the
 * same, because which of the two a runner writes depends on the runner, and a finding must not change its severity
 * with the way a test breaks.
 */
export function testSeverity(property: string | null | undefined): Severity {
  return severityFromWord(property) ?? 'serious';
}

/** The graver of two severities. */
export function graver(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) <= severities.indexOf(b) ? a : b;
}
