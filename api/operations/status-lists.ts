// Which resolutions and statuses of a project mean "will not be fixed": chosen by id, shown by name.

import { z } from 'zod';
import type { JiraClient } from '../../activities/jira/client';
import { defaultBlockedNames } from '../../workflows/rules/status-mapping';
import type { MappingChange, MappingView, NamedId } from './connection-types';
import { Refusal } from './refusal';

const named = z.array(z.object({ id: z.string(), name: z.string() }));
const storedLists = z.record(z.string(), z.object({ blockedResolutions: named, blockedStatuses: named }));
type Lists = Pick<MappingView, 'blockedResolutions' | 'blockedStatuses'>;

/** The lists as stored for a project, beside all that its site has; proposed by the usual names where none are stored. */
export async function readLists(
  jira: JiraClient,
  asked: { projectKey: string; stored: unknown },
): Promise<MappingView> {
  const { projectKey } = asked;
  const [resolutions, types] = await Promise.all([jira.resolutions(), jira.projectStatuses(projectKey)]);
  const done = types.flatMap((type) => type.statuses.filter((status) => status.statusCategory.key === 'done'));
  const available = { resolutions: unique(resolutions), statuses: unique(done) };
  const lists = storedLists.safeParse(asked.stored).data?.[projectKey];
  return { projectKey, saved: lists !== undefined, ...(lists ?? proposed(available)), available };
}

/** The lists that a change asks for; refuses ids that the site does not have. */
export function chosenLists(view: MappingView, change: MappingChange): Lists {
  return {
    blockedResolutions: chosen(view.available.resolutions, change.blockedResolutions, 'resolution'),
    blockedStatuses: chosen(view.available.statuses, change.blockedStatuses, 'status'),
  };
}

function proposed({ resolutions, statuses }: MappingView['available']): Lists {
  const isBlocked = ({ name }: NamedId) => defaultBlockedNames.some((known) => known === plain(name));
  return { blockedResolutions: resolutions.filter(isBlocked), blockedStatuses: statuses.filter(isBlocked) };
}

function chosen(available: NamedId[], ids: string[], what: string): NamedId[] {
  const unknown = ids.find((id) => !available.some((each) => each.id === id));
  if (unknown !== undefined) {
    const known = available.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none';
    throw new Refusal(
      'invalid',
      `unknown_${what}`,
      `There is no ${what} with the id ${unknown} here. There are: ${known}.`,
    );
  }
  return available.filter(({ id }) => ids.includes(id));
}

function unique(list: NamedId[]): NamedId[] {
  return [...new Map(list.map(({ id, name }) => [id, { id, name }])).values()];
}

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll('\u2019', "'");
}
