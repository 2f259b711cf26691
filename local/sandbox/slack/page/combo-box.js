// A text field with a list to choose from: for external selects, whose options the app gives, and for multi selects.
import { h, icon, newId } from './dom.js';
import { place } from './popover.js';

/**
 * Answers the element. `source(typed)` answers groups `[{ label?, options: [{ text, value }] }]`, at once or later;
 * `chosen` are such options; `changed` gets the whole choice; `least` characters are needed before it asks.
 */
export function comboBox(options) {
  return new ComboBox(options).box;
}

class ComboBox {
  constructor({ most = 1000, least = 0, chosen, ...rest }) {
    Object.assign(this, rest, { most, least, choice: [...chosen], active: -1, asked: 0 });
    const listId = newId('combo-list');
    this.tokens = h('span', { class: 'tokens' });
    this.input = this.makeInput(listId);
    this.list = h('div', { class: 'options', role: 'listbox', id: listId, 'aria-label': this.label, hidden: true });
    if (this.many) this.list.setAttribute('aria-multiselectable', 'true');
    this.box = h('div', { class: 'combo' }, this.tokens, this.input, icon('down'), this.list);
    this.drawTokens();
    this.restoreText();
  }

  makeInput(listId) {
    const input = h('input', {
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
      'aria-controls': listId,
      'aria-label': this.labelId ? null : this.label,
      'aria-labelledby': this.labelId,
      'aria-describedby': this.describedBy,
      placeholder: this.placeholder,
    });
    input.addEventListener('input', () => this.refresh());
    input.addEventListener('click', () => this.refresh());
    input.addEventListener('blur', () => {
      this.show(false);
      this.restoreText();
    });
    input.addEventListener('keydown', (event) => this.key(event));
    return input;
  }

  rows() {
    return [...this.list.querySelectorAll('.option:not(.none)')];
  }

  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute('aria-expanded', String(open));
    if (open) place(this.list);
    else this.mark(-1);
  }

  mark(index) {
    this.active = index;
    for (const [at, row] of this.rows().entries()) row.classList.toggle('active', at === index);
    const row = this.rows()[index];
    if (!row) return this.input.removeAttribute('aria-activedescendant');
    this.input.setAttribute('aria-activedescendant', row.id);
    return row.scrollIntoView({ block: 'nearest' });
  }

  has(option) {
    return this.choice.some((each) => each.value === option.value);
  }

  set(choice) {
    this.choice = choice.slice(0, this.most);
    this.drawTokens();
    this.changed(this.choice);
  }

  pick(option) {
    if (!this.many) {
      this.set([option]);
      this.restoreText();
      return this.show(false);
    }
    this.set(this.has(option) ? this.choice.filter((each) => each.value !== option.value) : [...this.choice, option]);
    this.input.value = '';
    return this.refresh();
  }

  restoreText() {
    if (!this.many) this.input.value = this.choice[0]?.text ?? '';
  }

  drawTokens() {
    if (!this.many) return;
    const remove = (option) => {
      this.set(this.choice.filter((each) => each.value !== option.value));
      this.input.focus();
    };
    const cross = (option) =>
      h(
        'button',
        { type: 'button', 'aria-label': `Remove ${option.text}`, onclick: () => remove(option) },
        icon('close'),
      );
    this.tokens.replaceChildren(
      ...this.choice.map((option) => h('span', { class: 'token' }, option.text, cross(option))),
    );
  }

  drawOption(option) {
    return h(
      'div',
      {
        role: 'option',
        id: newId('option'),
        class: 'option',
        'aria-selected': String(this.has(option)),
        onmousedown: (event) => event.preventDefault(),
        onclick: () => this.pick(option),
      },
      option.text,
    );
  }

  drawGroup(group) {
    const rows = group.options.map((option) => this.drawOption(option));
    if (!group.label) return rows;
    const label = h('div', { class: 'group-label', role: 'presentation' }, group.label);
    return [h('div', { role: 'group', 'aria-label': group.label }, label, rows)];
  }

  async refresh() {
    const typed = this.input.value.trim();
    this.asked += 1;
    const mine = this.asked;
    if (typed.length < this.least) return this.show(false);
    // The text of what is chosen already is no search.
    const groups = await this.source(!this.many && this.choice[0]?.text === typed ? '' : typed);
    if (mine !== this.asked) return undefined;
    const none = { role: 'option', class: 'option none', 'aria-disabled': 'true', 'aria-selected': 'false' };
    const found = groups.some((group) => group.options.length > 0);
    this.list.replaceChildren(
      ...(found ? groups.flatMap((group) => this.drawGroup(group)) : [h('div', none, 'No results')]),
    );
    this.mark(-1);
    return this.show(true);
  }

  key(event) {
    const open = !this.list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !open) this.refresh();
    else if (step) this.mark((this.active + step + this.rows().length) % Math.max(1, this.rows().length));
    else if (event.key === 'Enter' && open) this.rows()[this.active]?.click();
    else if (event.key === 'Escape' && open) this.show(false);
    else {
      if (event.key === 'Backspace' && this.many && this.input.value === '') this.set(this.choice.slice(0, -1));
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
