import { h, icon } from './dom.js';

let open = 0;

/** Whether a menu or a dialog is open; the board waits with redrawing then. */
export function isBusy() {
  return open > 0;
}

/** Opens a modal dialog; `build(close)` gives its content. Resolves with the value it was closed with. */
export function showDialog({ title, className = '', build }) {
  return new Promise((resolve) => {
    const from = document.activeElement;
    const titleId = `dialog-title-${Date.now()}`;
    const dialog = h('dialog', { class: className, 'aria-labelledby': titleId });
    const close = (value) => {
      dialog.returnValue = '';
      dialog.result = value;
      dialog.close();
    };
    const heading = typeof title === 'string' ? h('h2', { id: titleId }, title) : null;
    dialog.append(...[heading, build(close, titleId)].flat().filter(Boolean));
    dialog.addEventListener('mousedown', (event) => {
      if (event.target === dialog) close();
    });
    dialog.addEventListener('close', () => {
      open -= 1;
      dialog.remove();
      from?.focus?.();
      resolve(dialog.result);
    });
    document.body.append(dialog);
    open += 1;
    dialog.showModal();
  });
}

/** A button that opens a menu; `items()` answers `{ label, content, act }` each. Arrow keys, Home, End, Escape work. */
export function menuButton({ label, title, className, content, items }) {
  const button = h('button', { type: 'button', class: className, 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
  if (label) button.setAttribute('aria-label', label);
  button.append(...content);
  button.addEventListener('click', () =>
    openMenu(button, { label: label ?? button.textContent, title, items: items() }),
  );
  return button;
}

function openMenu(button, { label, title, items }) {
  const list = h('div', { role: 'menu', 'aria-label': label });
  const menu = h(
    'div',
    { class: 'menu', popover: 'manual' },
    title ? h('p', { class: 'menu-title' }, title) : null,
    list,
  );
  const entries = items.map(({ label: text, content, act }) =>
    h('button', { type: 'button', role: 'menuitem', tabindex: '-1', click: () => choose(act) }, content ?? text),
  );
  list.append(...entries);
  // Inside the dialog where the button is: what lies outside a modal dialog cannot be reached.
  button.closest('dialog, main').append(menu);
  menu.showPopover();
  place(menu, button);
  open += 1;
  button.setAttribute('aria-expanded', 'true');
  entries[0]?.focus();

  function shut() {
    if (!menu.isConnected) return;
    open -= 1;
    document.removeEventListener('pointerdown', outside, true);
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
  }
  function choose(act) {
    shut();
    button.focus();
    act();
  }
  function outside(event) {
    if (!menu.contains(event.target)) shut();
  }
  document.addEventListener('pointerdown', outside, true);
  menu.addEventListener('keydown', (event) => {
    const at = entries.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (to !== undefined) entries[(to + entries.length) % entries.length]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') shut();
    else return;
    if (event.key === 'Escape') button.focus();
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  });
}

function place(menu, button) {
  const box = button.getBoundingClientRect();
  const left = Math.min(box.left, window.innerWidth - menu.offsetWidth - 8);
  const below = box.bottom + 4;
  const fits = below + menu.offsetHeight < window.innerHeight;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${fits ? below : Math.max(8, box.top - menu.offsetHeight - 4)}px`;
}

/** A round button with a cross. */
export function closeButton(close) {
  return h(
    'button',
    { type: 'button', class: 'quiet round', 'aria-label': 'Close', click: () => close() },
    icon('close'),
  );
}
