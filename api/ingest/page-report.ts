import { pageAddress, projectFile } from '../../workflows/rules/page-address';
import type {
  PageCoverage,
  ParsedFinding,
  ParsedOccurrence,
  ParsedReport,
  ReportFormat,
} from '../../workflows/rules/report-verdict';
import { undecidedPlace } from '../../workflows/rules/report-verdict';
import { graver } from '../../workflows/rules/severity';
import type { Severity } from '../../workflows/rules/vocabulary';
import { cleanName, cleanText, lengths } from './text';

/** One problem at one place, as a tool tells of it. */
export type Sighting = {
  rule: string;
  title: string;
  severity: Severity;
  /** The page's URL or the file; null where the report names none. */
  page: string | null;
  element: string | null;
  /** The tool, runner and standard, as coverage names them. */
  runner: string;
  details: { [key: string]: unknown };
  place: { [key: string]: unknown };
};

type Draft = { finding: Omit<ParsedFinding, 'occurrences'>; places: Map<string, ParsedOccurrence> };
type Covered = {
  rules: Map<string, 'ran' | 'inconclusive'>;
  runners: Set<string>;
  undecided: Set<string>;
  failed: boolean;
};

export type PageReport = ReturnType<typeof createPageReport>;

/** Gathers the findings and the coverage of a report about pages or files. A rule broken at many places is one finding. */
export function createPageReport(format: ReportFormat) {
  const drafts = new Map<string, Draft>();
  const covered = new Map<string, Covered>();

  function at(page: string): Covered {
    const address = addressOf(page);
    const known = covered.get(address) ?? { rules: new Map(), runners: new Set(), undecided: new Set(), failed: false };
    covered.set(address, known);
    return known;
  }

  return {
    add(sighting: Sighting): void {
      const rule = cleanName(sighting.rule);
      const draft = drafts.get(rule) ?? newDraft(rule, sighting);
      drafts.set(rule, draft);
      draft.finding.severity = graver(draft.finding.severity, sighting.severity);
      addPlace(draft.places, sighting);
    },
    /** Says that a rule ran on a page, or could not decide; the least of all that is said counts. */
    ran(page: string, rule: string, said: 'ran' | 'inconclusive' = 'ran'): void {
      const { rules } = at(page);
      const name = cleanName(rule);
      if (said === 'inconclusive' || !rules.has(name)) rules.set(name, said);
    },
    /** Says that a runner looked at a page without listing what passed. */
    lookedAt(page: string, runners: Iterable<string> = []): void {
      const known = at(page);
      for (const runner of runners) known.runners.add(runner);
    },
    /** Says that one place was looked at without a verdict. */
    undecided(page: string, rule: string, element: string): void {
      at(page).undecided.add(undecidedPlace(cleanName(rule), element));
    },
    /** Says that a page proves nothing: the run failed there. */
    failed(page: string): void {
      at(page).failed = true;
    },
    report(startedAt: Date | null): ParsedReport {
      const pages = new Map([...covered].map(([address, page]) => [address, coverageOf(page)] as const));
      const findings = [...drafts.values()].map(({ finding, places }) => ({
        ...finding,
        occurrences: [...places.values()],
      }));
      return { format, startedAt, findings, coverage: { kind: 'pages', pages } };
    },
  };
}

function newDraft(rule: string, { title, severity, details }: Sighting): Draft {
  const finding = { rule, title: cleanText(title, lengths.title) || rule, severity, details };
  return { finding, places: new Map() };
}

function addPlace(places: Map<string, ParsedOccurrence>, sighting: Sighting): void {
  const page = sighting.page === null ? null : addressOf(sighting.page);
  const key = `${page}\n${sighting.element}`;
  const known = places.get(key);
  if (known) {
    // Elements that differ only in position are one place, counted.
    known.details.count = Number(known.details.count ?? 1) + 1;
    return;
  }
  const url = cleanText(sighting.page, lengths.line);
  const details = { ...(url && url !== page ? { url } : {}), ...sighting.place, runner: sighting.runner };
  places.set(key, { page: page || null, element: sighting.element, details });
}

function coverageOf({ rules, runners, undecided, failed }: Covered): PageCoverage {
  if (failed) return { rules: new Map(), unlisted: 'inconclusive' };
  return { rules, unlisted: runners.size > 0 ? 'ran' : 'inconclusive', runners, undecided };
}

function addressOf(page: string): string {
  const address = /^https?:/i.test(page.trim()) ? pageAddress(page) : projectFile(page);
  return cleanText(address, lengths.line);
}
