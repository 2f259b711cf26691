import { h, icon, iconButton, newId, toast } from './dom.js';
import { menuButton, place } from './popover.js';
import { act, currentChannel, session } from './session.js';

/** The field to write in, of a channel or, with `thread`, of a thread. */
export function createComposer({ thread = false } = {}) {
  const listId = newId('commands');
  const field = h('textarea', {
    rows: '1',
    id: thread ? 'reply-input' : 'composer-input',
    'aria-autocomplete': thread ? null : 'list',
    'aria-controls': thread ? null : listId,
  });
  const list = h('div', { class: 'commands', role: 'listbox', id: listId, 'aria-label': 'Commands', hidden: true });
  const hints = thread ? null : createHints(field, list);
  const submit = async () => {
    const text = field.value.trim();
    if (!text) return;
    field.value = '';
    hints?.draw();
    await send(text, thread);
  };
  field.addEventListener('keydown', (event) => {
    if (hints?.key(event)) return;
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  const shortcuts = session.state.shortcuts.global.map((shortcut) => ({
    label: shortcut.name,
    description: 'Recheck',
    choose: () => act('shortcut', { callbackId: shortcut.callbackId }),
  }));
  const plus = iconButton('plus', 'Shortcuts');
  const element = h(
    'form',
    {
      class: 'composer',
      onsubmit: (event) => {
        event.preventDefault();
        submit();
      },
    },
    list,
    field,
    h(
      'div',
      { class: 'composer-tools' },
      thread || !shortcuts.length ? h('span') : menuButton(plus, shortcuts, 'Shortcuts'),
      h('button', { type: 'submit', class: 'send', 'aria-label': 'Send now', title: 'Send now' }, icon('send')),
    ),
  );
  return {
    element,
    name(label) {
      field.setAttribute('aria-label', label);
      field.placeholder = label;
    },
  };
}

async function send(text, thread) {
  const channel = currentChannel().id;
  const { command } = session.state;
  if (thread && text.startsWith('/')) return toast(`${text.split(' ')[0]} is not supported in threads. Sorry!`);
  if (text === command || text.startsWith(`${command} `))
    return act('command', { channel, text: text.slice(command.length).trim() }, { quiet: true });
  if (text.startsWith('/invite')) return act('invite', { channel });
  if (text.startsWith('/')) return toast(`${text.split(' ')[0]} is not a valid command.`);
  return act('message', { channel, text, ...(thread ? { threadTs: session.thread } : {}) });
}

// The list above the field while a command is being typed.
function createHints(field, list) {
  let active = 0;
  const rows = () => [...list.children];
  const mark = (index) => {
    active = index;
    for (const [at, row] of rows().entries()) row.setAttribute('aria-selected', String(at === index));
    const row = rows()[index];
    if (!row || list.hidden) return field.removeAttribute('aria-activedescendant');
    field.setAttribute('aria-activedescendant', row.id);
    return row.scrollIntoView({ block: 'nearest' });
  };
  const draw = () => {
    const { command, hints } = session.state;
    const typed = field.value;
    const words = typed.startsWith('/') ? hints.filter(([word]) => matches(`${command} ${word}`, typed)) : [];
    list.replaceChildren(...words.map(([word, what]) => row(command, word, what)));
    list.hidden = words.length === 0;
    mark(0);
    if (!list.hidden) place(list);
  };
  const row = (command, word, what) =>
    h(
      'div',
      {
        role: 'option',
        id: newId('command'),
        class: 'command',
        onmousedown: (event) => event.preventDefault(),
        onclick: () => complete(`${command} ${word}`),
      },
      h('img', { src: '/page/recheck.svg', alt: '' }),
      h('span', {}, h('strong', {}, `${command} ${word}`), h('small', {}, what)),
    );
  const complete = (text) => {
    field.value = `${text} `;
    field.focus();
    draw();
  };
  field.addEventListener('input', draw);
  field.addEventListener('blur', () => {
    list.hidden = true;
    field.removeAttribute('aria-activedescendant');
  });
  return {
    draw,
    /** Handles a key while the list is open; true when it did. */
    key(event) {
      if (list.hidden) return false;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const chosen = rows()[active]?.querySelector('strong')?.textContent;
      const exact = chosen === field.value.trim();
      if (step) mark((active + step + rows().length) % rows().length);
      else if (event.key === 'Escape') list.hidden = true;
      else if (event.key === 'Tab' || (event.key === 'Enter' && !exact && field.value.trim() !== session.state.command))
        complete(chosen);
      else return false;
      event.preventDefault();
      return true;
    },
  };
}

function matches(whole, typed) {
  return whole.startsWith(typed.trimStart().toLowerCase()) && whole !== `${typed.trim()} `;
}
