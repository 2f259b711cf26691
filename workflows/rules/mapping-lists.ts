// A project's own lists of what means "will not be fixed": as stored, and as proposed from what the project has.

import { hasBlockedName, type NamedId, type StatusMapping } from './status-mapping';

/** The lists of a project in a connection's stored mapping; undefined where it has none. Never throws. */
export function mappingOf(stored: unknown, projectKey: string): StatusMapping | undefined {
  const lists = fieldOf(stored, projectKey);
  if (typeof lists !== 'object' || lists === null) return undefined;
  return {
    blockedResolutions: namedIds(fieldOf(lists, 'blockedResolutions')),
    blockedStatuses: namedIds(fieldOf(lists, 'blockedStatuses')),
  };
}

/**
 * The lists to start from: of what the project has, everything that goes by a default name. Of the statuses only those
 * of the category `done` can close an issue.
 */
export function proposedMapping(project: {
  resolutions: readonly NamedId[];
  statuses: readonly (NamedId & { category: string })[];
}): StatusMapping {
  const listed = ({ id, name }: NamedId): NamedId => ({ id, name });
  return {
    blockedResolutions: project.resolutions.filter(hasBlockedName).map(listed),
    blockedStatuses: project.statuses
      .filter((status) => status.category === 'done' && hasBlockedName(status))
      .map(listed),
  };
}

function namedIds(list: unknown): NamedId[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry) => ({ id: textOf(fieldOf(entry, 'id')), name: textOf(fieldOf(entry, 'name')) }));
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
    ? (value as { [name: string]: unknown })[field]
    : undefined;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
