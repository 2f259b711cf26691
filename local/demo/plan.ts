import type { FindingView } from '../../api/operations/types';
import type { FindingStatus } from '../../workflows/rules/vocabulary';

/** Findings that are driven through Slack and Jira; a channel holds no more cards that anybody wants to read. */
export const MOST_DRIVEN = 12;

/**
 * What happens to a finding: it passes its re-run, fails the first one and passes the second, is closed in Jira as not
 * to be done, or (with `--break`) is claimed to be fixed and never re-run.
 */
export type Part = 'passes' | 'fails_first' | 'wont_do' | 'left';

export interface DemoFinding {
  id: string;
  rule: string;
  severity: string;
  report: string;
  part: Part;
  expected: FindingStatus;
  jiraKey?: string;
  /** Why it did not get further; nothing more is done with it then. */
  problem?: string;
}

/** Chooses the findings that are driven, fairly from each report, and gives each its part. */
export function planOf(reports: { report: string; findings: FindingView[] }[], isBroken: boolean): DemoFinding[] {
  const chosen: { report: string; finding: FindingView }[] = [];
  const longest = Math.max(0, ...reports.map(({ findings }) => findings.length));
  for (let n = 0; n < longest; n++) {
    for (const { report, findings } of reports) {
      const finding = findings[n];
      if (finding && chosen.length < MOST_DRIVEN) chosen.push({ report, finding });
    }
  }
  chosen.sort((a, b) => numberOf(a.finding) - numberOf(b.finding));
  return chosen.map(({ report, finding: { id, rule, severity } }, index) => {
    const part = partOf({ index, count: chosen.length, isBroken });
    return { id, rule, severity, report, part, expected: part === 'wont_do' ? 'blocked' : 'verified' };
  });
}

function partOf({ index, count, isBroken }: { index: number; count: number; isBroken: boolean }): Part {
  if (isBroken && index === 0) return 'left';
  if (index === 1) return 'fails_first';
  return index > 1 && index === count - 1 ? 'wont_do' : 'passes';
}

function numberOf({ id }: FindingView): number {
  return Number(id.slice(2));
}
