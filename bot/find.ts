import type { FindingDetail } from '../api/operations/types';
import type { Reference } from './command-text';
import { Declined, isRefusal } from './declined';
import type { Ask } from './listener';

/** Knows which finding a card shows. */
export type CardLookup = {
  findFindingAt(organisationId: string, message: { channelId: string; ts: string }): Promise<string | null>;
};

/**
 * The name that the operations know a finding by: its short number or its Jira key.
 * Throws `Declined` where a message is not the card of a finding.
 */
export async function findingId(ask: Ask, cards: CardLookup, reference: Reference): Promise<string> {
  switch (reference.kind) {
    case 'finding':
      return reference.id;
    case 'issue':
      return reference.key;
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
  const found = await Promise.all([...ids].map((id) => ask.operations.getFinding(ask.caller, id)));
  // One finding named both ways is one finding.
  return [...new Map(found.map((each) => [each.id, each])).values()];
}

/**
 * Does something with the source that a person named, whose key they may have written in other case. Where no source
 * has the key as it was written, the one source that has it otherwise is meant.
 */
export async function asKept<T>(ask: Ask, named: string, work: (source: string) => Promise<T>): Promise<T> {
  try {
    return await work(named);
  } catch (error) {
    if (!isRefusal(error) || error.kind !== 'not_found') throw error;
    const { items } = await ask.operations.listSources(ask.caller, { limit: MANY });
    const others = items.filter(({ key }) => key !== named && key.toLowerCase() === named.toLowerCase());
    const [other, ...more] = others;
    if (!other || more.length > 0) throw error;
    return work(other.key);
  }
}

const MANY = 200;

/** Keeps the order of first appearance. */
export function bySource(details: FindingDetail[]): [source: string, findings: FindingDetail[]][] {
  const groups = new Map<string, FindingDetail[]>();
  for (const detail of details) groups.set(detail.source, [...(groups.get(detail.source) ?? []), detail]);
  return [...groups];
}
