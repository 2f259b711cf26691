// What a report proves. Absence proves only what was looked at: a rule that ran on that page, a test that was executed.

import type { Grouping, Severity } from './vocabulary';

export type ReportFormat = 'axe-core' | 'pa11y' | 'pa11y-ci' | 'lighthouse' | 'sarif' | 'junit' | 'ctrf' | 'playwright';

/** One place (page and element) or execution (test file) where a finding was seen. */
export type ParsedOccurrence = {
  /** Normalised URL, or the test's file; null where the report does not say. */
  page: string | null;
  /** Normalised element; for a test the browser or project it ran in; null where there is none. */
  element: string | null;
  details: { [key: string]: unknown };
};

/** One axe rule or one test, with every place where the report saw it. */
export type ParsedFinding = {
  /** The axe rule, or the test's full name. */
  rule: string;
  title: string;
  severity: Severity;
  details: { [key: string]: unknown };
  occurrences: ParsedOccurrence[];
};

/**
 * What was looked at. `pages`: per page, what each rule that ran could say; `unlisted` speaks for rules that the
 * report does not list (`ran` where the tool leaves passes out). `tests`: what each test did, by file and project (retries count as one).
 */
export type Coverage =
  | { kind: 'pages'; pages: Map<string, PageCoverage> }
  | { kind: 'tests'; tests: Map<string, TestExecution[]> };
export type PageCoverage = {
  rules: Map<string, 'ran' | 'inconclusive'>;
  unlisted: 'ran' | 'inconclusive';
  /** Whom `unlisted` speaks for: places that one of these runners saw; absent, for all. */
  runners?: ReadonlySet<string>;
  /** Places that were looked at without a verdict (suppressed in the code), as `undecidedPlace` writes them. */
  undecided?: ReadonlySet<string>;
};
/** `flaky`: failed at first and passed in a retry; a pass, remembered as a doubtful one. */
export type TestOutcome = 'passed' | 'flaky' | 'failed' | 'skipped';
export type TestExecution = { file: string | null; project: string | null; outcome: TestOutcome };

export type ParsedReport = {
  format: ReportFormat;
  /** When the run began; null where neither the file nor the caller says. */
  startedAt: Date | null;
  findings: ParsedFinding[];
  coverage: Coverage;
};

/** What a verdict needs to know of a finding: its grain and where it was last known to be. */
export type KnownFinding = {
  rule: string;
  grouping: Grouping;
  occurrences: readonly Place[];
};
/** `runner` is the tool, runner and standard that saw the place; axe-core itself where nothing is said. */
type Place = { page: string | null; element: string | null; runner?: string | null };
export type ReportScope = 'full' | 'partial';
export type ReportVerdict = 'pass' | 'fail' | 'inconclusive';

/** The report as verdicts look it up: by rule, where it was seen. */
export type Evidence = { coverage: Coverage; scope: ReportScope; seen: ReadonlyMap<string, SeenRule> };
type SeenRule = { pages: ReadonlySet<string | null>; places: ReadonlySet<string> };

/** Prepares a report for many verdicts. `scope` is `full` where the run left nothing out on purpose. */
export function reportEvidence(report: {
  findings: readonly ParsedFinding[];
  coverage: Coverage;
  scope: ReportScope;
}): Evidence {
  const seen = new Map<string, SeenRule>();
  for (const { rule, occurrences } of report.findings) {
    const pages = new Set(occurrences.map(({ page }) => page));
    seen.set(rule, { pages, places: new Set(occurrences.map(placeText)) });
  }
  return { coverage: report.coverage, scope: report.scope, seen };
}

/**
 * What the report says of a finding: `fail` where it is seen at the finding's grain (the rule, on its page, on its
 * element), `pass` where every occurrence was looked at and nothing was found, otherwise `inconclusive`. Skipped
 * tests, `incomplete` rules, pages not visited and tests not run prove nothing.
 */
export function reportVerdict(finding: KnownFinding, evidence: Evidence): ReportVerdict {
  const seen = evidence.seen.get(finding.rule);
  if (seen && isStillThere(finding, seen)) return 'fail';
  if (finding.occurrences.length === 0) return 'inconclusive';
  return finding.occurrences.every((place) => provenAbsent(finding.rule, place, evidence)) ? 'pass' : 'inconclusive';
}

/** Whether the report looked at this place with this rule and found nothing there. */
export function provenAbsent(rule: string, place: Place, evidence: Evidence): boolean {
  const { coverage } = evidence;
  if (coverage.kind === 'tests') return executedWell(coverage.tests.get(rule) ?? [], place, evidence.scope);
  const page = coverage.pages.get(place.page ?? '');
  if (!page || (page.rules.get(rule) ?? unlistedAt(page, place)) !== 'ran') return false;
  if (page.undecided?.has(undecidedPlace(rule, place.element))) return false;
  return !isSeen(rule, place, evidence);
}

/** A place of a page in its `undecided`. */
export function undecidedPlace(rule: string, element: string | null): string {
  return JSON.stringify([rule, element]);
}

/** A run that leaves passes out speaks only for what the same runner, by the same standard, had seen. */
function unlistedAt(page: PageCoverage, place: Place): 'ran' | 'inconclusive' {
  const speaks = page.runners === undefined || page.runners.has(place.runner ?? 'axe-core');
  return speaks ? page.unlisted : 'inconclusive';
}

/** Whether the report found the rule broken at this very place. */
export function isSeen(rule: string, place: Place, evidence: Evidence): boolean {
  return evidence.seen.get(rule)?.places.has(placeText(place)) ?? false;
}

function isStillThere(finding: KnownFinding, seen: SeenRule): boolean {
  switch (finding.grouping) {
    case 'rule':
      return seen.places.size > 0;
    case 'page':
      return finding.occurrences.some(({ page }) => seen.pages.has(page));
    case 'element':
      return finding.occurrences.some((place) => seen.places.has(placeText(place)));
  }
}

function executedWell(executions: readonly TestExecution[], place: Place, scope: ReportScope): boolean {
  const candidates = executions.filter((execution) => execution.project === place.element);
  const same = candidates.filter((execution) => execution.file === place.page);
  if (same.length > 0) return same.every(passed);
  // A test that moved to another file is the same test, but only a full run shows that it is gone from the old one.
  const comparable = scope === 'full' || place.page === null || candidates.some(({ file }) => file === null);
  return comparable && candidates.length > 0 && candidates.every(passed);
}

function passed({ outcome }: TestExecution): boolean {
  return outcome === 'passed' || outcome === 'flaky';
}

/** Whether a place in a report belongs to the finding, at the finding's grain. */
export function sameGrain(place: Place, finding: KnownFinding): boolean {
  if (finding.grouping === 'rule') return true;
  return finding.occurrences.some(
    (known) => known.page === place.page && (finding.grouping === 'page' || known.element === place.element),
  );
}

function placeText({ page, element }: Place): string {
  return JSON.stringify([page, element]);
}
