import type { PushRequest, PushView } from '../api/operations/types';
import { elsewhereModal, elsewhereOf, elsewhereView } from './blocks/elsewhere-view';
import { pushOffer, pushResult } from './blocks/pushes';
import { notice } from './blocks/replies';
import { count, foreign } from './blocks/text';
import type { Reference } from './command-text';
import { isRefusal } from './declined';
import { bySource, type CardLookup, findings } from './find';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { openAndFill } from './windows';

const FEW_MS = 10_000;
const BULK_MS = 60_000;

/** Pushes the named findings and says what became of each; what takes longer is told by the cards. */
export async function pushNamed(ask: Ask, cards: CardLookup, references: Reference[]): Promise<void> {
  const groups = bySource(await findings(ask, cards, references));
  const pushes = await Promise.all(
    groups.map(([source, group]) => {
      const ids = group.map(({ id }) => id);
      return pushAndWait(ask, { source, findings: ids }, FEW_MS);
    }),
  );
  await ask.reply(pushResult(pushes));
}

/** A word that may name a source or an issue: the source, where there is one of that key. */
export async function pushEither(
  ask: Ask,
  cards: CardLookup,
  { source, findings: references }: { source: string; findings: Reference[] },
): Promise<void> {
  try {
    await offerPush(ask, source);
  } catch (error) {
    if (!isRefusal(error) || error.kind !== 'not_found') throw error;
    await pushNamed(ask, cards, references);
  }
}

/** Says what a push of the source would do, with the ways to do it. */
export async function offerPush(ask: Ask, source: string, replace = false): Promise<void> {
  await ask.reply(pushOffer(await ask.operations.pushChoices(ask.caller, source)), { replace });
}

/**
 * The confirmed bulk push: says at once that it runs, and afterwards what came of it. `value` is
 * `<source> <how many the button said>`: where more are ready by now, it asks again.
 */
export async function pushAll(ask: Ask, value: string): Promise<void> {
  const [source = '', shown] = value.split(' ');
  const { ready } = await ask.operations.pushChoices(ask.caller, source);
  if (shown !== undefined && ready.length > Number(shown)) return offerPush(ask, source, true);
  await ask.reply(notice(`Pushing *${foreign(source, 80)}* to Jira…`), { replace: true });
  const push = await pushAndWait(ask, { source, findings: 'all' }, BULK_MS);
  await ask.reply(pushResult([push]), { replace: true });
}

/** A push of findings that were picked. */
export async function pushPicked(ask: Ask, picked: Picked): Promise<void> {
  const number = count(picked.findings.length, 'finding');
  await ask.reply(notice(`Pushing ${number} of *${foreign(picked.source, 80)}* to Jira…`));
  await ask.reply(pushResult([await pushAndWait(ask, picked, BULK_MS)]));
}

/** Asks which of the connections that the rule allows a finding goes to. `id` is the finding. */
export const askWhere: ActionHandler = (ask, id) =>
  openAndFill(ask, elsewhereView.title, async () => {
    const { source } = await ask.operations.getFinding(ask.caller, id);
    const choices = await ask.operations.pushChoices(ask.caller, source);
    return elsewhereModal(choices, { finding: id, source, channel: ask.channelId });
  });

/** The submitted choice: the server decides whether the rule allows it. */
export const pushElsewhere: ViewHandler = async (ask, view) => {
  const { finding, source, connection, note } = elsewhereOf(view);
  const request = { source, findings: [finding], connection, note };
  await ask.reply(pushResult([await pushAndWait(ask, request, FEW_MS)]));
};

type Picked = { source: string; findings: string[]; note: string | undefined };

async function pushAndWait(ask: Ask, request: PushRequest, ms: number): Promise<PushView> {
  const requestId = `${ask.requestId}:${request.source}`;
  const push = await ask.operations.push(ask.caller, { ...request, requestId });
  return push.status === 'running' ? ask.operations.awaitPush(ask.caller, push.id, ms) : push;
}
