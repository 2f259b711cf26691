// Interactive elements. A `host` knows the surface: `value`, `enter`, `act` and `suggest` for a block's element.
import { comboBox } from './combo-box.js';
import { h, icon, newId } from './dom.js';
import { textNodes } from './mrkdwn.js';
import { askConfirm, menuButton } from './popover.js';
import { session } from './session.js';

/** Draws one element; `named` says how it is labelled: `{ labelId }`, `{ label }`, with `describedBy` and `dispatch`. */
export function drawElement(host, block, element, named = {}) {
  const draw = drawers[element.type];
  if (!draw) return h('span', { class: 'unsupported' }, `(${element.type})`);
  const confirmed = async () => !element.confirm || askConfirm(element.confirm, textNodes);
  return draw({
    host,
    block,
    element,
    named,
    current: host.value(block, element),
    /** Remembers the choice and, outside an input block, tells the app. */
    choose: async (raw) => {
      host.enter(block, element, raw);
      if (block.type === 'input' && !block.dispatch_action) return;
      if (await confirmed()) await host.act(block, element, raw);
      else host.redraw();
    },
    confirmed,
  });
}

const drawers = {
  button: drawButton,
  overflow: drawOverflow,
  image: ({ element }) => h('img', { src: source(element), alt: element.alt_text }),
  static_select: (at) => drawSelect(at, groupsOf(at.element), at.element.initial_option?.value),
  users_select: (at) => drawSelect(at, people(), at.element.initial_user),
  conversations_select: (at) => drawSelect(at, places(), at.element.initial_conversation),
  channels_select: (at) => drawSelect(at, places(), at.element.initial_channel),
  external_select: drawExternal,
  multi_static_select: (at) => drawMulti(at, groupsOf(at.element), values(at.element.initial_options)),
  multi_users_select: (at) => drawMulti(at, people(), at.element.initial_users),
  multi_conversations_select: (at) => drawMulti(at, places(), at.element.initial_conversations),
  multi_channels_select: (at) => drawMulti(at, places(), at.element.initial_channels),
  multi_external_select: drawExternal,
  checkboxes: drawBoxes,
  radio_buttons: drawBoxes,
  datepicker: (at) => drawField(at, 'date', at.element.initial_date),
  timepicker: (at) => drawField(at, 'time', at.element.initial_time),
  datetimepicker: drawDateTime,
  plain_text_input: (at) => drawField(at, at.element.multiline ? 'textarea' : 'text', at.element.initial_value),
  email_text_input: (at) => drawField(at, 'email', at.element.initial_value),
  url_text_input: (at) => drawField(at, 'url', at.element.initial_value),
  number_input: (at) => drawField(at, 'number', at.element.initial_value),
};

function drawButton({ host, block, element, confirmed }) {
  const press = async (event) => {
    if (!(await confirmed())) return;
    const pressed = event.target.closest('.button');
    pressed?.setAttribute('aria-busy', 'true');
    await host.act(block, element, element.value);
    pressed?.removeAttribute('aria-busy');
  };
  const shared = {
    class: `button ${element.style ?? ''}`,
    'aria-label': element.accessibility_label,
    'data-focus': `${block.block_id}/${element.action_id}`,
    onclick: press,
  };
  if (!element.url) return h('button', { type: 'button', ...shared }, textNodes(element.text));
  return h(
    'a',
    { ...shared, href: element.url, target: '_blank', rel: 'noopener noreferrer' },
    textNodes(element.text),
  );
}

function drawOverflow({ element, choose }) {
  const button = h('button', { type: 'button', class: 'button overflow', 'aria-label': 'More options' }, icon('more'));
  const items = element.options.map((option) => ({
    label: textNodes(option.text),
    description: option.description ? textNodes(option.description) : null,
    href: option.url,
    choose: () => choose(option.value),
  }));
  return menuButton(button, items, 'More options');
}

function drawSelect({ element, named, current, choose }, groups, initial) {
  const chosen = current === undefined ? initial : current;
  const row = (option) => h('option', { value: option.value, selected: option.value === chosen }, option.text);
  const select = h(
    'select',
    { ...naming(element, named), onchange: (event) => choose(event.target.value || null) },
    h('option', { value: '', selected: !chosen }, element.placeholder?.text ?? 'Choose an option'),
    groups.map((group) =>
      group.label ? h('optgroup', { label: group.label }, group.options.map(row)) : group.options.map(row),
    ),
  );
  return h('span', { class: 'select' }, select, icon('down'));
}

function drawMulti({ element, named, current, choose }, groups, initial = []) {
  const chosen = new Set(current ?? initial);
  const all = groups.flatMap((group) => group.options);
  const matching = (typed) =>
    groups.map((group) => ({
      ...group,
      options: group.options.filter((option) => option.text.toLowerCase().includes(typed.toLowerCase())),
    }));
  return comboBox({
    ...comboNaming(element, named),
    many: true,
    most: element.max_selected_items,
    chosen: all.filter((option) => chosen.has(option.value)),
    source: matching,
    changed: (choice) => choose(choice.map((option) => option.value)),
  });
}

function drawExternal({ host, block, element, named, current, choose }) {
  const many = element.type === 'multi_external_select';
  const initial = many ? element.initial_options : element.initial_option;
  const chosen = [current === undefined ? (initial ?? []) : (current ?? [])].flat();
  const whole = (option) => ({ text: { type: 'plain_text', text: option.text }, value: option.value });
  return comboBox({
    ...comboNaming(element, named),
    many,
    most: element.max_selected_items,
    least: element.min_query_length ?? 3,
    chosen: chosen.map((option) => ({ text: option.text.text, value: option.value })),
    source: (typed) => host.suggest(block, element, typed),
    changed: (choice) => choose(many ? choice.map(whole) : choice[0] ? whole(choice[0]) : null),
  });
}

function drawBoxes({ block, element, named, current, choose }) {
  const radio = element.type === 'radio_buttons';
  const initial = radio ? [element.initial_option].filter(Boolean) : (element.initial_options ?? []);
  const chosen = new Set(current === undefined ? values(initial) : [current ?? []].flat());
  const name = newId('boxes');
  const rows = element.options.map((option) => {
    const id = newId('box');
    const box = h('input', {
      type: radio ? 'radio' : 'checkbox',
      id,
      name,
      value: option.value,
      checked: chosen.has(option.value),
      'data-focus': `${block.block_id}/${element.action_id}/${option.value}`,
      onchange: (event) => {
        if (radio) return choose(option.value);
        if (event.target.checked) chosen.add(option.value);
        else chosen.delete(option.value);
        return choose([...chosen]);
      },
    });
    const description = option.description ? h('small', {}, textNodes(option.description)) : null;
    return h(
      'label',
      { class: 'box', for: id },
      box,
      h('span', {}, h('span', {}, textNodes(option.text)), description),
    );
  });
  const role = radio ? 'radiogroup' : 'group';
  return h('div', { class: 'boxes', role, ...labels(element, named, 'Options') }, rows);
}

function drawField({ block, element, named, current, choose, host }, type, initial) {
  const value = current === undefined ? (initial ?? '') : (current ?? '');
  const field = h(type === 'textarea' ? 'textarea' : 'input', {
    ...naming(element, named),
    type: type === 'textarea' ? null : type,
    rows: type === 'textarea' ? 4 : null,
    placeholder: element.placeholder?.text,
    minlength: element.min_length,
    maxlength: element.max_length ?? (type === 'text' || type === 'textarea' ? 3000 : null),
    min: element.min_value,
    max: element.max_value,
    step: type === 'number' ? (element.is_decimal_allowed ? 'any' : '1') : null,
    class: `field field-${type}`,
    value,
    'data-focus': `${block.block_id}/${element.action_id}`,
    oninput: (event) => host.enter(block, element, event.target.value),
  });
  if (type === 'date' || type === 'time') field.addEventListener('change', () => choose(field.value));
  else if (block.dispatch_action)
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || type === 'textarea') return;
      event.preventDefault();
      choose(field.value);
    });
  return field;
}

function drawDateTime({ element, named, current, choose }) {
  const seconds = current === undefined ? element.initial_date_time : current;
  const local = seconds ? new Date(seconds * 1000 - new Date().getTimezoneOffset() * 60_000).toISOString() : '';
  return h('input', {
    ...naming(element, named),
    type: 'datetime-local',
    class: 'field',
    value: local.slice(0, 16),
    onchange: (event) => choose(event.target.value ? Math.floor(new Date(event.target.value) / 1000) : null),
  });
}

/** Where an image comes from: an address, or a file of the sandbox. */
export function source(image) {
  return image.image_url ?? image.slack_file?.url ?? `/files/${image.slack_file?.id}`;
}

function naming(element, named) {
  return { id: named.fieldId, ...labels(element, named, 'Choose an option') };
}

function labels(element, { labelId, fieldId, describedBy, label }, fallback) {
  const own = label ?? element.placeholder?.text ?? fallback;
  return {
    'aria-labelledby': labelId && !fieldId ? labelId : null,
    'aria-label': labelId ? null : own,
    'aria-describedby': describedBy,
  };
}

function comboNaming(element, { labelId, describedBy, labelText, label }) {
  const placeholder = element.placeholder?.text ?? 'Choose an option';
  return { label: labelText ?? label ?? placeholder, labelId, describedBy, placeholder };
}

function groupsOf(element) {
  const flat = (options) => options.map((option) => ({ text: option.text.text, value: option.value }));
  if (element.options) return [{ options: flat(element.options) }];
  return (element.option_groups ?? []).map((group) => ({ label: group.label.text, options: flat(group.options) }));
}

function people() {
  return [{ options: session.state.users.map((user) => ({ text: user.realName, value: user.id })) }];
}

function places() {
  const channels = session.state.channels.filter((channel) => channel.kind === 'channel');
  return [{ options: channels.map((channel) => ({ text: `#${channel.name}`, value: channel.id })) }];
}

function values(options) {
  return options?.map((option) => option.value);
}
