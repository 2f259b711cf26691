import { drawBlocks } from './blocks.js';
import { h, iconButton, newId } from './dom.js';
import { suggest } from './messages.js';
import { plain } from './mrkdwn.js';
import { act, session } from './session.js';

let shown = null;

/** Shows the open modal of this person, keeps what was entered when the app changes it, or takes it away. */
export function drawModal() {
  const { view } = session.state;
  if (!view) return hide();
  if (shown?.id !== view.id) {
    hide();
    shown = { id: view.id, hash: null, values: new Map(), errors: {}, dialog: openDialog() };
  }
  if (shown.hash === view.hash) return;
  shown.hash = view.hash;
  shown.errors = {};
  fill(view);
}

function openDialog() {
  const dialog = h('dialog', { class: 'modal' });
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close(false);
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function hide() {
  shown?.dialog.close();
  shown?.dialog.remove();
  shown = null;
}

function fill(view) {
  const { dialog } = shown;
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const title = newId('modal');
  dialog.setAttribute('aria-labelledby', title);
  const buttons = [
    h(
      'button',
      { type: 'button', class: 'button', onclick: () => close(false) },
      plain(view.close?.text ?? (view.submit ? 'Cancel' : 'Close')),
    ),
    view.submit ? h('button', { type: 'submit', class: 'button primary' }, plain(view.submit.text)) : null,
  ];
  dialog.replaceChildren(
    h(
      'form',
      { novalidate: true, onsubmit: submit },
      h(
        'div',
        { class: 'modal-head' },
        h('img', { src: '/page/recheck.svg', alt: '' }),
        h('h2', { id: title }, plain(view.title.text)),
        iconButton('close', 'Close', () => close(true)),
      ),
      h(
        'div',
        { class: 'modal-body', tabindex: '0', role: 'group', 'aria-label': 'Content' },
        drawBlocks(hostOf(view), view.blocks),
      ),
      h('div', { class: 'modal-foot' }, h('p', { class: 'modal-error', role: 'alert' }), buttons),
    ),
  );
  focusIn(dialog, focused);
}

function focusIn(dialog, focused) {
  const same = focused ? dialog.querySelector(`[data-focus="${CSS.escape(focused)}"]`) : null;
  const first = dialog.querySelector('.input-error')?.parentElement ?? dialog.querySelector('.modal-body');
  (
    same ??
    first.querySelector('input, textarea, select, button') ??
    dialog.querySelector('.modal-foot button')
  ).focus();
  // It stands below its input, which may be as long as the window.
  dialog.querySelector('.input-error')?.scrollIntoView({ block: 'nearest' });
}

async function submit(event) {
  event.preventDefault();
  const button = event.submitter ?? shown.dialog.querySelector('[type=submit]');
  button.setAttribute('aria-busy', 'true');
  const { id } = shown;
  const result = await act('submit', { viewId: id, values: current() }, { quiet: true });
  button.removeAttribute('aria-busy');
  if (shown?.id !== id) return;
  if (result.errors) {
    shown.errors = result.errors;
    fill(session.state.view);
  } else if (result.error) {
    shown.dialog.querySelector('.modal-error').textContent = 'We had some trouble connecting. Try again?';
  }
}

function close(all) {
  const viewId = shown.id;
  act('close', { viewId, all });
}

// A changed view may no longer have an element; what was entered in it does not count any more.
function current() {
  const there = new Set(
    session.state.view.blocks.flatMap((block) =>
      [...(block.elements ?? []), block.element, block.accessory]
        .filter(Boolean)
        .map((each) => `${block.block_id}/${each.action_id}`),
    ),
  );
  return Object.fromEntries([...shown.values].filter(([key]) => there.has(key)));
}

function hostOf(view) {
  const own = shown;
  const key = (block, element) => `${block.block_id}/${element.action_id}`;
  return {
    value: (block, element) => own.values.get(key(block, element)),
    enter: (block, element, raw) => void own.values.set(key(block, element), raw),
    error: (block) => own.errors[block.block_id],
    redraw: () => fill(session.state.view),
    act: (block, element, value) =>
      act('click', {
        viewId: view.id,
        blockId: block.block_id,
        actionId: element.action_id,
        ...(value === undefined ? {} : { value }),
        values: current(),
      }),
    suggest: (block, element, typed) => suggest({ viewId: view.id, block, element, typed }),
  };
}
