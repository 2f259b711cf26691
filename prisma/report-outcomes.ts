// What a report means for findings that have an issue, without a database: verdicts, and places that came and went.

import type { PlacesChanged } from '../workflows/contract';
import type { Evidence } from '../workflows/rules/report-verdict';
import type { FindingStatus } from '../workflows/rules/vocabulary';
import { absentPlaces, type Group, isNews, type KnownRow, verdictOf } from './report-grouping';
import type { ProvenClaim } from './sessions';

/** What a report says of a finding in the loop, from a run that began after the claim. */
export type LoopVerdict = { findingId: string; status: FindingStatus; claim: number; verdict: 'pass' | 'fail' };
/** `placesChanged`: findings with an issue that are seen at other places than before; empty once the issues are told. */
export type ReportFollows = { proven: ProvenClaim[]; placesChanged: PlacesChanged[] };
type Sorted = { groups: Map<string, Group>; job: RanReport; loopVerdicts: LoopVerdict[] };
type RanReport = { startedAt: Date; evidence: Evidence };

/** What a report says of the findings in the loop, of which it may. */
export function loopVerdictsOf(known: KnownRow[], job: RanReport): LoopVerdict[] {
  return known.flatMap((row) => {
    const verdict = row.inLoop && afterClaim(row, job.startedAt) ? verdictOf(row, job.evidence) : 'inconclusive';
    return verdict === 'inconclusive' ? [] : [{ findingId: row.id, status: row.status, claim: row.claim, verdict }];
  });
}

/** What is to follow a report: the proofs of fixes, and news for issues. */
export function followsOf(known: KnownRow[], sorted: Sorted): ReportFollows {
  const proven = sorted.loopVerdicts.filter(isRerunPassed).map(({ findingId, claim }) => ({ findingId, claim }));
  return { proven, placesChanged: placesChangedOf(known, sorted) };
}

/** How many places came and went. Where a pass is proven, the verdict says so; where the finding has no issue, nobody is to be told. */
function placesChangedOf(known: KnownRow[], { groups, job, loopVerdicts }: Sorted): PlacesChanged[] {
  const passed = new Set(loopVerdicts.filter(isRerunPassed).map(({ findingId }) => findingId));
  return known.flatMap((row) => {
    const isTold = row.linked && (row.status === 'awaiting_fix' || row.status === 'needs_rerun');
    if (!isTold || passed.has(row.id) || !isNews(row, job.startedAt)) return [];
    const live = new Set(row.places.filter(({ status }) => status !== 'absent').map(({ key }) => key));
    const came = [...(groups.get(row.key)?.occurrences.keys() ?? [])].filter((key) => !live.has(key)).length;
    const gone = absentPlaces(row, job).filter(({ status }) => status === 'seen').length;
    return came + gone === 0 ? [] : [{ findingId: row.id, came, gone }];
  });
}

/** Whether a report proves a fix that somebody claimed. */
function isRerunPassed({ status, verdict }: LoopVerdict): boolean {
  return status === 'needs_rerun' && verdict === 'pass';
}

/** Whether a run began after the finding was last claimed to be fixed. */
export function afterClaim(row: KnownRow, startedAt: Date): boolean {
  return row.claimedAt === null || startedAt > row.claimedAt;
}
