import { h, newId } from './dom.js';

/**
 * A button with a menu. `items` are `{ label, description?, href?, choose }`; arrows, Home, End and Escape work as in
 * any menu.
 */
export function menuButton(button, items, label) {
  const id = newId('menu');
  const menu = h('div', { class: 'menu', role: 'menu', id, 'aria-label': label, hidden: true });
  const close = (refocus) => {
    menu.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (refocus) button.focus();
  };
  for (const item of items) menu.append(menuItem(item, close));
  const open = () => {
    menu.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    menu.firstElementChild?.focus();
    place(menu);
  };
  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => (menu.hidden ? open() : close(true)));
  menu.addEventListener('keydown', (event) => menuKey(event, menu, close));
  const around = h('div', { class: 'menu-anchor' }, button, menu);
  around.addEventListener('focusout', (event) => {
    if (!around.contains(event.relatedTarget)) close(false);
  });
  return around;
}

function menuItem(item, close) {
  const pick = () => {
    close(true);
    item.choose();
  };
  const inside = [h('span', {}, item.label), item.description ? h('small', {}, item.description) : null];
  const shared = { role: 'menuitem', tabindex: '-1', class: 'menu-item', onclick: pick };
  if (item.href) return h('a', { ...shared, href: item.href, target: '_blank', rel: 'noopener noreferrer' }, inside);
  return h('button', { type: 'button', ...shared }, inside);
}

function menuKey(event, menu, close) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === 'Escape') {
    event.stopPropagation();
    event.preventDefault();
    close(true);
  } else if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length)?.focus();
  }
}

/** Turns a popover upwards or to the left where it would leave the window. */
export function place(popover) {
  popover.classList.remove('up', 'left');
  const box = popover.getBoundingClientRect();
  if (box.bottom > innerHeight - 8) popover.classList.add('up');
  if (box.right > innerWidth - 8) popover.classList.add('left');
}

/** Asks for confirmation as Slack does; resolves true when the person agrees. */
export function askConfirm(confirm, textNodes) {
  const title = newId('confirm');
  const text = newId('confirm');
  return new Promise((resolve) => {
    const answer = (agreed) => {
      dialog.close();
      dialog.remove();
      resolve(agreed);
    };
    const style = confirm.style === 'danger' ? 'danger' : 'primary';
    const dialog = h(
      'dialog',
      { class: 'confirm', role: 'alertdialog', 'aria-labelledby': title, 'aria-describedby': text },
      h('h2', { id: title }, textNodes(confirm.title)),
      h('div', { id: text, class: 'confirm-text' }, textNodes(confirm.text)),
      h(
        'div',
        { class: 'dialog-buttons' },
        h('button', { type: 'button', class: 'button', onclick: () => answer(false) }, textNodes(confirm.deny)),
        h(
          'button',
          { type: 'button', class: `button ${style}`, onclick: () => answer(true) },
          textNodes(confirm.confirm),
        ),
      ),
    );
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      answer(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
