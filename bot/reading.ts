import { z } from 'zod';
import { findingStatuses } from '../workflows/rules/vocabulary';
import { findingCard } from './blocks/finding-card';
import { asCardFinding, findingList, type ListFilter, verificationList, why } from './blocks/findings';
import type { Reference } from './command-text';
import { asKept, type CardLookup, findingId } from './find';
import type { ActionHandler, Ask } from './listener';

const ROWS = 10;

/** A finding as its card shows it, for the one who asked. */
export async function showStatus(ask: Ask, cards: CardLookup, reference: Reference): Promise<void> {
  const finding = await ask.operations.getFinding(ask.caller, await findingId(ask, cards, reference));
  await ask.reply(findingCard(asCardFinding(finding)));
}

/** The history of a finding in plain words. */
export async function showWhy(ask: Ask, cards: CardLookup, reference: Reference): Promise<void> {
  const finding = await ask.operations.getFinding(ask.caller, await findingId(ask, cards, reference));
  await ask.reply(why(finding));
}

type Listing = ListFilter & { cursor?: string | undefined };

/** One page of findings. What needs a re-run is shown as the Fix Verification panel, with who claims the fix. */
export async function showList(ask: Ask, { cursor, ...filter }: Listing, replace = false): Promise<void> {
  if (filter.source !== undefined) {
    // Its pages go by the key that the source has.
    return asKept(ask, filter.source, (source) => showPage(ask, { ...filter, source, cursor }, replace));
  }
  return showPage(ask, { ...filter, cursor }, replace);
}

async function showPage(ask: Ask, { cursor, ...filter }: Listing, replace: boolean): Promise<void> {
  const page = { limit: ROWS, cursor };
  if (filter.status === 'needs_rerun') {
    const rows = await ask.operations.listVerification(ask.caller, { source: filter.source, ...page });
    await ask.reply(verificationList(rows, filter), { replace });
    return;
  }
  await ask.reply(findingList(await ask.operations.listFindings(ask.caller, { ...filter, ...page }), filter), {
    replace,
  });
}

const listing = z.object({
  status: z.enum(findingStatuses).optional(),
  source: z.string().optional(),
  cursor: z.string(),
});

/** The next page in place of the one that was shown. */
export const showNextPage: ActionHandler = (ask, value) => showList(ask, listing.parse(JSON.parse(value)), true);
