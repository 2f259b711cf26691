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

/** pa11y's types of issues (pa11y README, "Reporters"). Notices are what a person has to look at. */
const pa11yTypes: Readonly<Record<string, Severity>> = { error: 'serious', warning: 'moderate', notice: 'minor' };

/** The severity of a pa11y issue: the impact where its runner is axe, else what its type means. */
export function pa11ySeverity(issue: { type: string; impact?: string | null | undefined }): Severity {
  const byType = Object.hasOwn(pa11yTypes, issue.type) ? pa11yTypes[issue.type] : undefined;
  return severityFromWord(issue.impact) ?? byType ?? 'moderate';
}

/**
 * The least weight of an accessibility audit for each severity. Lighthouse takes the weights from axe's impacts
 * (core/config/default-config.js): 10 critical, 7 serious, 3 moderate, 1 minor.
 */
const lighthouseWeights: readonly (readonly [number, Severity])[] = [
  [10, 'critical'],
  [7, 'serious'],
  [3, 'moderate'],
  [1, 'minor'],
];

/** The severity of a Lighthouse audit: the impact that axe gave, where it is told, else by the audit's weight. */
export function lighthouseSeverity(audit: { weight: number | null; impact?: string | null | undefined }): Severity {
  const { weight } = audit;
  const byWeight = weight === null ? undefined : lighthouseWeights.find(([least]) => weight >= least)?.[1];
  return severityFromWord(audit.impact) ?? byWeight ?? 'moderate';
}

/** SARIF's levels (SARIF 2.1.0, 3.27.10); `none` stands beside results that are no problem. */
const sarifLevels: Readonly<Record<string, Severity>> = { error: 'serious', warning: 'moderate', note: 'minor' };

/** The least CVSS-like score of each severity, as GitHub code scanning reads `security-severity`. */
const securityScores: readonly (readonly [number, Severity])[] = [
  [9, 'critical'],
  [7, 'serious'],
  [4, 'moderate'],
  [0, 'minor'],
];

/** The severity of a SARIF result: by its security score (0 to 10) where the rule has one, else by its level. */
export function sarifSeverity(result: { level: string; securityScore?: string | number | null }): Severity {
  const text = String(result.securityScore ?? '').trim();
  const score = text === '' ? Number.NaN : Number(text);
  const byScore = score > 0 && score <= 10 ? securityScores.find(([least]) => score >= least)?.[1] : undefined;
  const byLevel = Object.hasOwn(sarifLevels, result.level) ? sarifLevels[result.level] : undefined;
  return byScore ?? byLevel ?? 'moderate';
}

/** The graver of two severities. */
export function graver(a: Severity, b: Severity): Severity {
  return severities.indexOf(a) <= severities.indexOf(b) ? a : b;
}
