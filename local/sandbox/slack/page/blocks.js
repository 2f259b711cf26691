import { h, newId } from './dom.js';
import { drawElement, source } from './elements.js';
import { mrkdwn, plain, textNodes } from './mrkdwn.js';
import { richText } from './rich-text.js';

/** Draws blocks for a host (see elements.js). */
export function drawBlocks(host, blocks) {
  return h(
    'div',
    { class: 'blocks' },
    blocks.map((block) => drawBlock(host, block)),
  );
}

function drawBlock(host, block) {
  const draw = drawers[block.type];
  const inside = draw
    ? draw(host, block)
    : h('p', { class: 'unsupported' }, `This block (${block.type}) is not shown here.`);
  return h('div', { class: `block block-${block.type}`, 'data-block': block.block_id }, inside);
}

const drawers = {
  section: drawSection,
  header: (_host, { text }) => h('h3', {}, plain(text.text)),
  divider: () => h('hr'),
  context: (_host, { elements }) =>
    elements.map((each) =>
      each.type === 'image' ? h('img', { src: source(each), alt: each.alt_text }) : h('span', {}, textNodes(each)),
    ),
  actions: (host, block) => block.elements.map((element) => drawElement(host, block, element)),
  image: (_host, block) => [
    block.title ? h('p', { class: 'image-title' }, plain(block.title.text)) : null,
    h('img', { src: source(block), alt: block.alt_text }),
  ],
  input: drawInput,
  rich_text: (_host, block) => richText(block),
  markdown: (_host, { text }) => mrkdwn(fromMarkdown(text)),
  alert: (_host, { text, level = 'default' }) =>
    h('div', { class: `alert alert-${level}`, role: 'note' }, textNodes(text)),
  table: drawTable,
};

function drawSection(host, block) {
  const text = block.text ? h('div', { class: 'section-text' }, textNodes(block.text)) : null;
  const fields = block.fields
    ? h(
        'div',
        { class: 'fields' },
        block.fields.map((field) => h('div', { class: 'field-cell' }, textNodes(field))),
      )
    : null;
  const accessory = block.accessory
    ? h('div', { class: 'accessory' }, drawElement(host, block, block.accessory))
    : null;
  return [h('div', { class: 'section-body' }, text, fields), accessory];
}

const fieldTypes = ['plain_text_input', 'email_text_input', 'url_text_input', 'number_input', 'static_select'];
const pickTypes = [
  'users_select',
  'conversations_select',
  'channels_select',
  'datepicker',
  'timepicker',
  'datetimepicker',
];

function drawInput(host, block) {
  const labelId = newId('label');
  const hintId = block.hint ? newId('hint') : null;
  const error = host.error?.(block);
  const errorId = error ? newId('error') : null;
  const native = [...fieldTypes, ...pickTypes].includes(block.element.type);
  const fieldId = native ? newId('field') : undefined;
  const describedBy = [hintId, errorId].filter(Boolean).join(' ') || undefined;
  const label = h(
    native ? 'label' : 'div',
    { class: 'input-label', id: labelId, for: fieldId },
    plain(block.label.text),
    block.optional ? h('span', { class: 'optional' }, ' (optional)') : null,
  );
  const field = drawElement(host, block, block.element, { labelId, fieldId, describedBy, labelText: block.label.text });
  const control = field.matches('input, textarea, select') ? field : field.querySelector('input, select');
  if (error) control?.setAttribute('aria-invalid', 'true');
  if (!block.optional) control?.setAttribute(control.type === 'checkbox' ? 'data-required' : 'aria-required', 'true');
  if (control?.type === 'radio') control.removeAttribute('aria-required');
  return [
    label,
    field,
    error ? h('p', { class: 'input-error', id: errorId, role: 'alert' }, error) : null,
    block.hint ? h('p', { class: 'hint', id: hintId }, plain(block.hint.text)) : null,
  ];
}

function drawTable(_host, { rows, column_settings: columns = [] }) {
  const cell = (tag) => (each, index) => {
    const inside = each.type === 'rich_text' ? richText(each) : each.text;
    return h(tag, { class: `align-${columns[index]?.align ?? 'left'}`, scope: tag === 'th' ? 'col' : null }, inside);
  };
  const [head, ...body] = rows;
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, head.map(cell('th')))),
    h(
      'tbody',
      {},
      body.map((row) => h('tr', {}, row.map(cell('td')))),
    ),
  );
}

// The markdown block speaks Markdown; what mrkdwn has a word for is said in mrkdwn.
function fromMarkdown(text) {
  return text
    .replace(/^#{1,6}\s+(.*)$/gm, '**$1**')
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, '<$2|$1>')
    .replace(/^[-*]\s+/gm, '• ')
    .replace(/\*\*([^*]+)\*\*/g, '*$1*');
}
