import { setTimeout as sleep } from 'node:timers/promises';
import type { PushRequest, PushView } from '../api/operations/types';
import { elsewhereModal, elsewhereOf, elsewhereView } from './blocks/elsewhere-view';
import { pushOffer, pushResult } from './blocks/pushes';
import { notice } from './blocks/replies';
import { count, foreign } from './blocks/text';
import type { Reference } from './command-text';
import { isRefusal } from './declined';
import { asKept, bySource, type CardLookup, findings } from './find';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { settled } from './settled';
import { openAndFill } from './windows';

const BULK_MS = 60_000;
/** An answer can be told at a command for half an hour; a push that takes this long waits for somebody to repair it. */
const SINGLE_MS = 10 * 60_000;
/** Whoever asked hears something within three seconds, whether or not Jira has answered. */
const FIRST_WORD_MS = 2000;
const LOOK_AGAIN_MS = 2000;

/** Pushes the named findings and says what became of each; where Jira is slow, that it is waited for first. */
export async function pushNamed(ask: Ask, cards: CardLookup, references: Reference[]): Promise<void> {
  const groups = bySource(await findings(ask, cards, references));
  await pushAndTell(
    ask,
    groups.map(([source, group]) => ({ source, findings: group.map(({ id }) => id) })),
  );
}

async function pushAndTell(ask: Ask, requests: (PushRequest & { findings: string[] })[]): Promise<void> {
  const names = requests.flatMap(({ findings: ids }) => ids).map((id) => `*${foreign(id, 30)}*`);
  const waiting = `The push of ${names.join(', ')} was asked for, and Jira has not answered yet. You are told here how it ends.`;
  let firstWord: Promise<void> | undefined;
  const timer = setTimeout(() => {
    firstWord = ask.reply(notice(waiting));
  }, FIRST_WORD_MS);
  const { done, said, broken } = await settled(requests.map((request) => pushAndWait(ask, request)));
  clearTimeout(timer);
  await firstWord;
  const result = pushResult(done);
  if (said.length > 0) await ask.reply(notice([...(done.length > 0 ? [result.text] : []), ...said].join('\n')));
  else if (done.length > 0) await ask.reply(result);
  if (broken.length > 0) throw broken[0];
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
  const choices = await asKept(ask, source, (key) => ask.operations.pushChoices(ask.caller, key));
  await ask.reply(pushOffer(choices), { replace });
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
  const push = await pushAndWait(ask, { source, findings: 'all' });
  await ask.reply(pushResult([push]), { replace: true });
}

/** A push of findings that were picked. */
export async function pushPicked(ask: Ask, picked: Picked): Promise<void> {
  const number = count(picked.findings.length, 'finding');
  await ask.reply(notice(`Pushing ${number} of *${foreign(picked.source, 80)}* to Jira…`));
  await ask.reply(pushResult([await pushAndWait(ask, picked)]));
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
  await pushAndTell(ask, [{ source, findings: [finding], connection, note }]);
};

type Picked = { source: string; findings: string[]; note: string | undefined };

/** A push of many has a message that tells the rest; what becomes of one finding is waited for. */
async function pushAndWait(ask: Ask, request: PushRequest): Promise<PushView> {
  const requestId = `${ask.requestId}:${request.source}`;
  const push = await ask.operations.push(ask.caller, { ...request, requestId });
  if (push.status !== 'running') return push;
  const end = Date.now() + SINGLE_MS;
  let now = await ask.operations.awaitPush(ask.caller, push.id, BULK_MS);
  while (now.items.length === 1 && isUnderWay(now) && Date.now() < end) {
    await sleep(LOOK_AGAIN_MS, undefined, { ref: false });
    now = await ask.operations.awaitPush(ask.caller, push.id, 0);
  }
  return now;
}

function isUnderWay({ status, items }: PushView): boolean {
  return status === 'running' && items.some(({ outcome }) => outcome === 'pending');
}
