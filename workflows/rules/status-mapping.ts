import type { SyncRule } from './vocabulary';

/** What an issue says right now, as read from Jira. `missing` is an issue that is gone or not visible. */
export type IssueReading =
  | { kind: 'missing' }
  | {
      kind: 'found';
      key: string;
      /** `statusCategory.key`: new | indeterminate | done | undefined; never translated. */
      category: string;
      status: string;
      resolution: string | null;
    };

/** What the loop makes of a reading. */
export type IssueMeaning = 'not_done' | 'claimed' | 'blocked' | 'missing';

/** Names that mean "will not be fixed" until a connection's own lists say otherwise (features S5). */
export const defaultBlockedNames = [
  "won't fix",
  "won't do",
  'duplicate',
  'cannot reproduce',
  'declined',
  'obsolete',
  'invalid',
  'cancelled',
] as const;

export type StatusMapping = { blockedResolutions: string[]; blockedStatuses: string[] };

/**
 * Classifies a reading: the status category alone decides closure, the resolution only says what kind it is.
 * Team-managed projects have no choice of resolution, so a status by a blocked name counts too.
 * Done without a resolution is a claim: the re-run verifies it anyway.
 */
export function issueMeaning(reading: IssueReading, mapping?: StatusMapping): IssueMeaning {
  if (reading.kind === 'missing') return 'missing';
  if (reading.category !== 'done') return 'not_done';
  const resolutions = mapping?.blockedResolutions ?? defaultBlockedNames;
  const statuses = mapping?.blockedStatuses ?? defaultBlockedNames;
  const isIn = (list: readonly string[], name: string | null) =>
    name !== null && list.some((entry) => plain(entry) === plain(name));
  if (isIn(resolutions, reading.resolution) || isIn(statuses, reading.status)) return 'blocked';
  return 'claimed';
}

/** The policy of a source for a claim: have it re-run, or take Jira's word (features, `onJiraDone`). */
export type DonePolicy = SyncRule['onJiraDone'];

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll('\u2019', "'");
}
