import type { SyncRule } from './vocabulary';

/** A resolution or a status of a Jira site. Its id stays; its name is translated and can be changed. */
export type NamedId = { id: string; name: string };

/**
 * What an issue says right now, as read from Jira. `missing`: it is gone although its project is there. `project_lost`:
 * its whole project is out of sight, which says nothing about the issue.
 */
export type IssueReading =
  | { kind: 'missing' }
  | { kind: 'project_lost' }
  | {
      kind: 'found';
      key: string;
      /** `statusCategory.key`: `new`, `indeterminate`, `done` or `undefined` (Jira's own word); never translated. */
      category: string;
      status: NamedId;
      resolution: NamedId | null;
    };

/** The policy of a source for a claim: have it re-run, or take Jira's word. */
export type DonePolicy = SyncRule['onJiraDone'];

/** What the loop makes of a reading. */
export type IssueMeaning = 'not_done' | 'claimed' | 'blocked' | 'missing' | 'project_lost';

/** Names that mean "will not be fixed" until a project's own lists say otherwise. */
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

/** A project's own lists of what means "will not be fixed". An entry without an id counts by its name. */
export type StatusMapping = { blockedResolutions: NamedId[]; blockedStatuses: NamedId[] };

/**
 * Classifies a reading. The status category alone says whether the issue is closed; its resolution, or its status (for
 * team-managed projects, which have no choice of resolution), says whether it will not be fixed. Without lists of the project
 * the default names decide. Done without a resolution is a claim: the re-run verifies it anyway.
 */
export function issueMeaning(reading: IssueReading, mapping?: StatusMapping): IssueMeaning {
  if (reading.kind !== 'found') return reading.kind; // `missing` or `project_lost`.
  if (reading.category !== 'done') return 'not_done';
  const isBlocked =
    meansBlocked(mapping?.blockedResolutions, reading.resolution) ||
    meansBlocked(mapping?.blockedStatuses, reading.status);
  return isBlocked ? 'blocked' : 'claimed';
}

function meansBlocked(list: NamedId[] | undefined, value: NamedId | null): boolean {
  if (value === null) return false;
  if (!list) return hasBlockedName(value);
  return list.some((entry) => (entry.id === '' ? plain(entry.name) === plain(value.name) : entry.id === value.id));
}

/** Whether it goes by a name that means "will not be fixed". */
export function hasBlockedName({ name }: NamedId): boolean {
  return defaultBlockedNames.some((blocked) => blocked === plain(name));
}

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll('\u2019', "'");
}
