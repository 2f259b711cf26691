import type { PushView } from '../api/operations/types';
import { isAllowed } from '../workflows/rules/permissions';
import type { PushOutcome } from '../workflows/rules/vocabulary';
import { waitingList } from './blocks/push-card';
import { rejectModal, rejectOrigin, rejectView } from './blocks/reject-view';
import { notice } from './blocks/replies';
import { Declined } from './declined';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { openNow } from './windows';

/** The pushes that wait for an admin, each with its buttons. */
export async function showWaiting(ask: Ask): Promise<void> {
  await ask.reply(waitingList(await ask.operations.waitingPushes(ask.caller)));
}

const decided = {
  approve: () => 'Approved. The message of the push shows how far it is.',
  cancel: ({ items }: PushView) =>
    items.some(({ outcome }) => begun.includes(outcome))
      ? 'Cancelled. What Jira is making already is made; nothing else is pushed.'
      : 'Cancelled. Nothing of this push went to Jira.',
  retry: () => 'What failed or was stopped is tried again. The message of the push shows how far it is.',
} as const;

/** What an item of a cancelled push is where Jira has it, was asked for it, or is being asked. */
const begun: PushOutcome[] = ['pending', 'created', 'failed'];

/** A button of a push's message; the operation decides who may. `id` is the push. */
export function decide(what: keyof typeof decided): ActionHandler {
  return async (ask, id) => {
    await showLeft(ask, decided[what](await ask.operations.decidePush(ask.caller, id, what)));
  };
}

/** What is said of a decision. The list that it was taken in shows what is left: nobody else updates it. */
async function showLeft(ask: Ask, said: string): Promise<void> {
  const left = ask.isOnEphemeral ? await ask.operations.waitingPushes(ask.caller) : [];
  await ask.reply(left.length > 0 ? waitingList(left, said) : notice(said), { replace: true });
}

/** A rejection asks for its reason first. Who may not reject is told so before the window opens. */
export const askForRejection: ActionHandler = async (ask, id) => {
  if (!isAllowed(ask.caller.role, 'approve')) {
    throw new Declined(`Only an admin or owner can reject a push; you are ${ask.caller.role}. Ask one of them.`);
  }
  await openNow(ask, rejectModal({ push: id, channel: ask.channelId, original: ask.original }));
};

/** The submitted rejection with its reason. */
export const rejectWithNote: ViewHandler = async (ask, view) => {
  const { push } = rejectOrigin(view.private_metadata);
  const note = view.state.values[rejectView.block]?.[rejectView.input]?.value?.trim();
  await ask.operations.decidePush(ask.caller, push, 'reject', note || undefined);
  await showLeft(ask, 'Rejected. Nothing of that push goes to Jira.');
};
