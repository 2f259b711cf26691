import type { FindingDetail } from '../api/operations/types';
import { foreign } from './blocks/text';
import type { Reference } from './command-text';
import { Declined } from './declined';
import type { Ask } from './listener';

/** Knows which finding a card shows. */
export type CardLookup = {
  findFindingAt(organisationId: string, message: { channelId: string; ts: string }): Promise<string | null>;
};

const PAGE = 100;
const PAGES = 20;

/** The short number of the finding that somebody named, in whichever way. Throws `Declined` where there is none. */
export async function findingId(ask: Ask, cards: CardLookup, reference: Reference): Promise<string> {
  switch (reference.kind) {
    case 'finding':
      return reference.id;
    case 'issue':
      return byJiraKey(ask, reference.key);
    case 'message': {
      const found = await cards.findFindingAt(ask.caller.organisationId, reference);
      if (found) return found;
      throw new Declined(
        'That message is not the card of a finding. Name the finding, such as F-12, or link to its card.',
      );
    }
  }
}

/** Each finding that was named, read once, in the order given. */
export async function findings(ask: Ask, cards: CardLookup, references: Reference[]): Promise<FindingDetail[]> {
  const ids = new Set<string>();
  for (const reference of references) ids.add(await findingId(ask, cards, reference));
  return Promise.all([...ids].map((id) => ask.operations.getFinding(ask.caller, id)));
}

/** Keeps the order of first appearance. */
export function bySource(details: FindingDetail[]): [source: string, findings: FindingDetail[]][] {
  const groups = new Map<string, FindingDetail[]>();
  for (const detail of details) groups.set(detail.source, [...(groups.get(detail.source) ?? []), detail]);
  return [...groups];
}

async function byJiraKey(ask: Ask, key: string): Promise<string> {
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const { items, nextCursor } = await ask.operations.listFindings(ask.caller, { limit: PAGE, cursor });
    const found = items.find(({ jira }) => jira?.key === key);
    if (found) return found.id;
    if (nextCursor === null) throw new Declined(`No finding is linked to ${foreign(key, 100)}.`);
    cursor = nextCursor;
  }
  throw new Declined(
    `No finding linked to ${foreign(key, 100)} is among the first ${PAGE * PAGES}. Name it by its number.`,
  );
}
