// From a parsed report to rows, without a database: which findings it makes at the source's grouping, and what it
// proves about the ones that are known.

import { createHash } from 'node:crypto';
import { findingText, occurrenceText } from '../workflows/rules/dedupe-key';
import type { Evidence, ParsedFinding, ParsedOccurrence } from '../workflows/rules/report-verdict';
import { isSeen, provenAbsent, reportVerdict, sameGrain } from '../workflows/rules/report-verdict';
import type { FindingStatus, Grouping, Severity } from '../workflows/rules/vocabulary';
import { severities } from '../workflows/rules/vocabulary';

export type Group = {
  key: string;
  rule: string;
  title: string;
  severity: Severity;
  details: { [key: string]: unknown };
  occurrences: Map<string, ParsedOccurrence>;
};

export type KnownPlace = {
  id: string;
  key: string;
  page: string | null;
  element: string | null;
  runner?: string | null;
  status: 'seen' | 'pending_rerun' | 'absent';
  lastSeenAt: Date;
};
export type KnownRow = {
  id: string;
  key: string;
  rule: string;
  grouping: Grouping;
  status: FindingStatus;
  inLoop: boolean;
  linked: boolean;
  claim: number;
  claimedAt: Date | null;
  statusSince: Date;
  absentSince: Date | null;
  places: KnownPlace[];
};

/**
 * The report's findings at the grouping of its source, gravest first. Places that belong to a kept finding (in the
 * loop, or blocked, from before the grouping changed) go to that finding, at its own grain.
 */
export function groupFindings(
  findings: readonly ParsedFinding[],
  { grouping, kept }: { grouping: Grouping; kept: readonly KnownRow[] },
): Map<string, Group> {
  const keptByRule = groupBy(kept, (row) => row.rule);
  const ordered = findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const groups = new Map<string, Group>();
  for (const finding of ordered) {
    for (const place of finding.occurrences) {
      const owner = keptByRule.get(finding.rule)?.find((row) => sameGrain(place, knownFinding(row)));
      const grain = owner?.grouping ?? grouping;
      const key =
        owner?.key ?? sha256(findingText({ rule: finding.rule, page: place.page, element: place.element }, grain));
      const group = groups.get(key) ?? newGroup(finding, { key, grain });
      groups.set(key, group);
      group.occurrences.set(sha256(occurrenceText(place)), place);
    }
  }
  return groups;
}

function newGroup(finding: ParsedFinding, { key, grain }: { key: string; grain: Grouping }): Group {
  const { rule, title, severity } = finding;
  return { key, rule, title, severity, details: { ...finding.details, grouping: grain }, occurrences: new Map() };
}

/**
 * Whether the report is news to a finding: it began after the proof of absence, or after the finding was closed. An
 * older one that arrives late says nothing about today.
 */
export function isNews(row: KnownRow, startedAt: Date): boolean {
  const closed = row.status === 'verified' || row.status === 'resolved';
  const since = row.absentSince ?? (closed ? row.statusSince : null);
  return since === null || startedAt > since;
}

/** What the report says of a known finding; places that were gone before do not stand in the way. */
export function verdictOf(row: KnownRow, evidence: Evidence): 'pass' | 'fail' | 'inconclusive' {
  return reportVerdict(knownFinding(row), evidence);
}

/** The known places that the report looked at without finding the problem, last seen before the report began. */
export function absentPlaces(
  row: KnownRow,
  { evidence, startedAt }: { evidence: Evidence; startedAt: Date },
): KnownPlace[] {
  return row.places.filter(
    (place) => place.status !== 'absent' && place.lastSeenAt < startedAt && provenAbsent(row.rule, place, evidence),
  );
}

/** Whether a finding of another grouping is told in full by what the report said at today's grouping. */
export function isReplaced(row: KnownRow, { grouping, evidence }: { grouping: Grouping; evidence: Evidence }): boolean {
  if (row.grouping === grouping || row.inLoop || row.linked || row.status !== 'open') return false;
  const live = row.places.filter((place) => place.status !== 'absent');
  return live.every((place) => isSeen(row.rule, place, evidence) || provenAbsent(row.rule, place, evidence));
}

/** Rows by a text of theirs, in the order in which they come. */
export function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function knownFinding(row: KnownRow) {
  const live = row.places.filter((place) => place.status !== 'absent');
  return { rule: row.rule, grouping: row.grouping, occurrences: live.length > 0 ? live : row.places };
}
