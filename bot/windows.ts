import type { types } from '@slack/bolt';
import { section } from './blocks/elements';
import { Declined, politely } from './declined';
import type { Ask } from './listener';
import { slackFailure } from './slack-client';

/** Opens a window that is ready. Slack allows three seconds after the click; throws `Declined` when they are over. */
export async function openNow(ask: Ask, view: types.ModalView, how: 'open' | 'push' = 'open'): Promise<string> {
  try {
    const opened = await ask.client.views[how]({ trigger_id: ask.triggerId, view });
    return opened.view?.id ?? '';
  } catch (error) {
    const failure = slackFailure(error);
    if (!('code' in failure) || !/^(expired|exchanged)_trigger_id/.test(failure.code)) throw error;
    throw new Declined('Slack allows three seconds to open a window, and they were over. Do it once more.');
  }
}

/**
 * Opens a window at once and fills it when what it shows is read, which has no deadline. A refusal is told in it.
 * `push` puts it on top of the window that was clicked in.
 */
export async function openAndFill(
  ask: Ask,
  title: string,
  fill: () => Promise<types.ModalView>,
  how: 'open' | 'push' = 'open',
): Promise<void> {
  const view_id = await openNow(ask, wordsOnly(title, 'One moment…'), how);
  try {
    await ask.client.views.update({ view_id, view: await fill() });
  } catch (error) {
    const polite = politely(error);
    const said = polite?.text ?? 'Something went wrong on our side. You are told more in a message.';
    await ask.client.views.update({ view_id, view: wordsOnly(title, said) });
    if (!polite) throw error;
  }
}

/** Writes over the window that was clicked in, unless somebody clicked again meanwhile: then that click's turn is later. */
export async function refill(ask: Ask, view: types.ModalView): Promise<void> {
  if (!ask.view) return;
  try {
    await ask.client.views.update({ view_id: ask.view.id, hash: ask.view.hash, view });
  } catch (error) {
    const failure = slackFailure(error);
    if (!('code' in failure) || !/^(hash_conflict|not_found)/.test(failure.code)) throw error;
  }
}

function wordsOnly(title: string, words: string): types.ModalView {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: title.slice(0, 24) },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [section(words)],
  };
}
