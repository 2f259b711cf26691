import { drawBlocks } from './blocks.js';
import { h } from './dom.js';
import { suggest } from './messages.js';
import { act, session } from './session.js';

const entered = new Map();

/** Fills the Home tab with what the app published for this person. */
export function drawHome(pane) {
  const { home, me } = session.state;
  const made = JSON.stringify([home.id, home.hash, me.id]);
  if (pane.made === made) return;
  pane.made = made;
  const focused = pane.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  pane.replaceChildren(h('h2', { class: 'hidden' }, 'Home'), drawBlocks(hostOf(home), home.blocks));
  if (focused) pane.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function hostOf(home) {
  const key = (block, element) => `${block.block_id}/${element.action_id}`;
  return {
    value: (block, element) => entered.get(key(block, element)),
    enter: (block, element, raw) => void entered.set(key(block, element), raw),
    redraw: () => {
      entered.clear();
      document.querySelector('.home').made = null;
      document.dispatchEvent(new Event('redraw'));
    },
    act: (block, element, value) =>
      act('click', {
        viewId: home.id,
        blockId: block.block_id,
        actionId: element.action_id,
        ...(value === undefined ? {} : { value }),
      }),
    suggest: (block, element, typed) => suggest({ viewId: home.id, block, element, typed }),
  };
}
