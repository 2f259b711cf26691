import type { PushView } from '../api/operations/types';
import { pushConfirmation, pushResult } from './blocks/pushes';
import { notice } from './blocks/replies';
import { foreign } from './blocks/text';
import type { Reference } from './command-text';
import { bySource, type CardLookup, findings } from './find';
import type { Ask } from './listener';

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

/** Says what a push of the whole source would do; a button does it. */
export async function offerPushAll(ask: Ask, source: string): Promise<void> {
  const preview = await ask.operations.previewPush(ask.caller, { source, findings: 'all' });
  const { projectKey } = await ask.operations.getRule(ask.caller, source);
  await ask.reply(pushConfirmation(preview, { key: source, projectKey }));
}

/** The confirmed bulk push: says at once that it runs, and afterwards what came of it. */
export async function pushAll(ask: Ask, source: string): Promise<void> {
  await ask.reply(notice(`Pushing *${foreign(source, 80)}* to Jira…`), { replace: true });
  const push = await pushAndWait(ask, { source, findings: 'all' }, BULK_MS);
  await ask.reply(pushResult([push]), { replace: true });
}

type Pushed = { source: string; findings: string[] | 'all' };

async function pushAndWait(ask: Ask, request: Pushed, ms: number): Promise<PushView> {
  const requestId = `${ask.requestId}:${request.source}`;
  const push = await ask.operations.push(ask.caller, { ...request, requestId });
  return push.status === 'running' ? ask.operations.awaitPush(ask.caller, push.id, ms) : push;
}
