// A text field with a list to choose from: for external selects, whose options the app gives, and for multi selects.
import { h, icon, newId } from './dom.js';
import { place } from './popover.js';

/**
 * `source(typed)` answers groups `[{ label?, options: [{ text, value }] }]`, at once or later; `chosen` are such options;
 * `changed` gets the whole choice.
 */
export function comboBox({ label, labelId, describedBy, placeholder, many, most = 1000, chosen, source, changed, least = 0 }) {
  const id = newId('combo');
  let choice = [...chosen];
  let active = -1;
  let asked = 0;
  const tokens = h('span', { class: 'tokens' });
  const input = h('input', {
    type: 'text',
    id,
    role: 'combobox',
    autocomplete: 'off',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': `${id}-list`,
    'aria-label': labelId ? null : label,
    'aria-labelledby': labelId,
    'aria-describedby': describedBy,
    placeholder,
  });
  const list = h('div', { class: 'options', role: 'listbox', id: `${id}-list`, 'aria-label': label, hidden: true });
  if (many) list.setAttribute('aria-multiselectable', 'true');
  const box = h('div', { class: 'combo' }, tokens, input, icon('down'), list);

  const options = () => [...list.querySelectorAll('[role=option]')];
  const show = (open) => {
    list.hidden = !open;
    input.setAttribute('aria-expanded', String(open));
    if (open) place(list);
    else mark(-1);
  };
  const mark = (index) => {
    active = index;
    for (const [at, option] of options().entries()) option.classList.toggle('active', at === index);
    const option = options()[index];
    if (option) {
      input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else input.removeAttribute('aria-activedescendant');
  };
  const set = (next) => {
    choice = next.slice(0, most);
    drawTokens();
    changed(choice);
  };
  const pick = (option) => {
    const has = choice.some((each) => each.value === option.value);
    if (!many) {
      set([option]);
      input.value = option.text;
      return show(false);
    }
    set(has ? choice.filter((each) => each.value !== option.value) : [...choice, option]);
    input.value = '';
    refresh();
  };
  const drawTokens = () => {
    const remove = (each) => () => {
      set(choice.filter((other) => other.value !== each.value));
      input.focus();
    };
    const token = (each) =>
      h(
        'span',
        { class: 'token' },
        each.text,
        h('button', { type: 'button', 'aria-label': `Remove ${each.text}`, onclick: remove(each) }, icon('close')),
      );
    tokens.replaceChildren(...(many ? choice.map(token) : []));
  };
  const draw = (groups) => {
    const made = groups.map((group) => {
      const rows = group.options.map((option) =>
        h(
          'div',
          {
            role: 'option',
            id: newId('option'),
            class: 'option',
            'aria-selected': String(choice.some((each) => each.value === option.value)),
            onmousedown: (event) => event.preventDefault(),
            onclick: () => pick(option),
          },
          option.text,
        ),
      );
      if (!group.label) return rows;
      return h('div', { role: 'group', 'aria-label': group.label }, h('div', { class: 'group-label', role: 'presentation' }, group.label), rows);
    });
    const none = h('div', { class: 'option none', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, 'No results');
    list.replaceChildren(...(groups.some((group) => group.options.length) ? made.flat() : [none]));
    mark(-1);
  };
  const refresh = async () => {
    const typed = input.value.trim();
    const mine = ++asked;
    if (typed.length < least) return show(false);
    const groups = await source(choice.some((each) => !many && each.text === typed) ? '' : typed);
    if (mine !== asked) return;
    draw(groups);
    show(true);
  };
  input.addEventListener('input', refresh);
  input.addEventListener('click', refresh);
  input.addEventListener('blur', () => {
    show(false);
    if (!many) input.value = choice[0]?.text ?? '';
  });
  input.addEventListener('keydown', (event) => {
    const rows = options();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) return void refresh();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      mark((active + step + rows.length) % rows.length);
    } else if (event.key === 'Enter' && !list.hidden) {
      event.preventDefault();
      rows[active]?.click();
    } else if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      show(false);
    } else if (event.key === 'Backspace' && many && input.value === '' && choice.length) set(choice.slice(0, -1));
  });
  drawTokens();
  if (!many && choice[0]) input.value = choice[0].text;
  return box;
}
