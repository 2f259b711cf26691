import type { PushChoices } from '../api/operations/types';
import { offered, type Picking, pickerModal, pickerNote, pickingOf, recounted } from './blocks/push-picker';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { pushPicked } from './pushing';
import { openAndFill, refill } from './windows';

const TITLE = 'Choose findings';

/** Opens the picker of a source with everything that is ready ticked. `source` is its key. */
export const openPicker: ActionHandler = (ask, source) =>
  openAndFill(ask, TITLE, async () => {
    const choices = await ask.operations.pushChoices(ask.caller, source);
    return pickerModal(choices, { source, channel: ask.channelId, page: 0, turn: 0, ticked: everything(choices) });
  });

/** A tick changes how many the button says. */
export const countTicks: ActionHandler = async (ask) => {
  if (ask.view) await refill(ask, recounted(ask.view));
};

/** Another page, with what is ticked on this one kept. */
export const turnPage: ActionHandler = (ask, page) =>
  fillAnew(ask, (_choices, picking) => ({ ...picking, page: Number(page) }));

/** Ticks, or unticks, everything that the window offers, on all its pages. */
export const tickAll: ActionHandler = (ask) =>
  fillAnew(ask, (choices, picking) => ({ ...picking, ticked: everything(choices) }));
export const untickAll: ActionHandler = (ask) =>
  fillAnew(ask, (_choices, picking) => ({ ...picking, ticked: new Set() }));

async function fillAnew(ask: Ask, change: (choices: PushChoices, picking: Picking) => Picking): Promise<void> {
  if (!ask.view) return;
  const picking = pickingOf(ask.view);
  const choices = await ask.operations.pushChoices(ask.caller, picking.source);
  await refill(ask, pickerModal(choices, { ...change(choices, picking), turn: picking.turn + 1 }));
}

/** The submitted picker: the server decides anew for each id, whatever the window said. */
export const pushChosen: ViewHandler = async (ask, view) => {
  const { source, ticked } = pickingOf(view);
  await pushPicked(ask, { source, findings: [...ticked], note: pickerNote(view) });
};

function everything(choices: PushChoices): Set<string> {
  return new Set(offered(choices).map(({ finding }) => finding));
}
