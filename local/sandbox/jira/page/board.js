import { attempt, call, h, icon, person } from './dom.js';
import { openIssue } from './issue.js';
import { moveIssue, moveItems } from './moves.js';
import { isBusy, menuButton, showDialog } from './overlay.js';

let board;
let filter = '';
let dragged;
let seen = new Map();

/** Shows a project's board in `main` and answers a function that reads it again. */
export async function startBoard(main, projectKey) {
  // It scrolls sideways when it is narrow, so the keyboard must reach it.
  const columns = h('div', { class: 'columns', tabindex: '0', role: 'group', 'aria-label': 'Columns' });
  board = await read(projectKey);
  main.replaceChildren(
    head(projectKey, () => draw(columns)),
    columns,
  );
  draw(columns);
  return async () => {
    if (isBusy() || dragged) return false;
    board = await read(projectKey);
    draw(columns);
    return true;
  };
}

function read(projectKey) {
  return call('GET', `/sandbox/board?project=${encodeURIComponent(projectKey)}`);
}

function head(projectKey, redraw) {
  const { project } = board;
  const search = h('input', {
    type: 'search',
    'aria-label': 'Search this board',
    placeholder: 'Search this board',
    input: (event) => {
      filter = event.target.value.trim().toLowerCase();
      redraw();
    },
  });
  return h(
    'div',
    { class: 'head' },
    h(
      'div',
      {},
      h('p', { class: 'crumbs' }, `Projects / ${project.name}`),
      h('h1', {}, `${project.key} board`),
      h('p', { class: 'muted' }, project.description),
    ),
    h(
      'div',
      { class: 'tools' },
      h('span', { class: 'search' }, icon('search'), search),
      h('button', { type: 'button', class: 'primary', click: () => createIssue(projectKey) }, 'Create issue'),
    ),
  );
}

function draw(place) {
  const focused = document.activeElement?.dataset?.focus;
  const before = seen;
  seen = new Map();
  place.replaceChildren(...board.columns.map((column) => drawColumn(column, before)));
  if (focused) place.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function drawColumn(column, before) {
  const cards = column.cards.filter(matches);
  const headingId = `column-${column.id}`;
  const list = h('ul', { class: 'cards' }, ...cards.map((card) => drawCard({ card, column, before })));
  const hidden = column.count - column.cards.length;
  return h(
    'section',
    {
      class: 'column',
      'aria-labelledby': headingId,
      dragover: (event) => {
        if (!dragged || dragged.column.id === column.id) return;
        event.preventDefault();
        event.currentTarget.classList.add('over');
      },
      dragleave: (event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.classList.remove('over');
      },
      drop: (event) => {
        event.preventDefault();
        event.currentTarget.classList.remove('over');
        if (dragged) move(dragged.card, column);
      },
    },
    h(
      'h2',
      { id: headingId },
      h('span', { class: `dot ${column.category}` }),
      column.name,
      ' ',
      h(
        'span',
        { class: 'count' },
        String(column.count),
        h('span', { class: 'only-read' }, column.count === 1 ? ' issue' : ' issues'),
      ),
    ),
    list,
    cards.length === 0 ? h('p', { class: 'empty' }, filter ? 'Nothing found here' : 'No issues') : null,
    hidden > 0 ? h('p', { class: 'empty' }, `and ${hidden} more`) : null,
  );
}

function matches({ key, summary, labels }) {
  return filter === '' || [key, summary, ...labels].some((text) => text.toLowerCase().includes(filter));
}

function drawCard({ card, column, before }) {
  seen.set(card.key, `${column.id} ${card.updated}`);
  const isNew = before.size > 0 && before.get(card.key) !== seen.get(card.key);
  const item = h(
    'li',
    {
      class: `card${isNew ? ' fresh' : ''}`,
      draggable: 'true',
      'data-key': card.key,
      dragstart: (event) => {
        dragged = { card, column };
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', card.key);
        item.classList.add('dragging');
      },
      dragend: () => {
        dragged = undefined;
        item.classList.remove('dragging');
      },
      click: (event) => {
        if (!event.target.closest('a, button')) openIssue(card.key);
      },
    },
    h(
      'a',
      { class: 'card-title', href: `/browse/${card.key}`, 'data-focus': card.key, click: plainClick },
      card.summary,
    ),
    card.labels.length > 0 ? labelList(card.labels) : null,
    cardFoot({ card, column }),
  );
  return item;

  function plainClick(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openIssue(card.key);
  }
}

/** Labels as a list of chips. */
export function labelList(labels) {
  return h('ul', { class: 'labels', 'aria-label': 'Labels' }, ...labels.map((label) => h('li', {}, label)));
}

function cardFoot({ card, column }) {
  const finished = card.resolution && card.resolution !== 'Done' ? h('span', { class: 'tag' }, card.resolution) : null;
  const open = column.category === 'done' && !card.resolution ? h('span', { class: 'tag' }, 'No resolution') : null;
  const mover = menuButton({
    label: `Move ${card.key} to`,
    title: 'Move to',
    className: 'quiet round',
    content: [icon('more')],
    items: () =>
      moveItems({ targets: board.columns.filter(({ id }) => id !== column.id), act: (to) => move(card, to) }),
  });
  mover.dataset.focus = `move ${card.key}`;
  return h(
    'div',
    { class: 'card-foot' },
    icon(card.type),
    h('span', { class: 'only-read' }, card.type),
    h('span', { class: `key${column.category === 'done' ? ' finished' : ''}` }, card.key),
    finished ?? open,
    h('span', { class: 'spring' }),
    h(
      'span',
      { title: `Priority: ${card.priority}` },
      icon(card.priority),
      h('span', { class: 'only-read' }, `Priority ${card.priority}`),
    ),
    card.assignee ? person(card.assignee, { withName: false }) : null,
    mover,
  );
}

function move(card, to) {
  return moveIssue({
    key: card.key,
    to,
    asksForResolution: board.project.style === 'classic' && to.category === 'done',
    resolutions: board.resolutions,
  });
}

function createIssue(projectKey) {
  return showDialog({
    title: `Create an issue in ${board.project.name}`,
    className: 'small',
    build: (close) =>
      h(
        'form',
        {
          submit: async (event) => {
            event.preventDefault();
            const given = Object.fromEntries(new FormData(event.target));
            const made = await attempt(
              () => call('POST', '/sandbox/board/issues', { project: projectKey, ...given }),
              'The issue was created.',
            );
            if (made) close();
          },
        },
        h(
          'label',
          { class: 'field' },
          'Issue type',
          h(
            'select',
            { name: 'type' },
            ...board.issueTypes.map(({ id, name }) => h('option', { value: id, selected: name === 'Bug' }, name)),
          ),
        ),
        h(
          'label',
          { class: 'field' },
          'Summary',
          h('input', { name: 'summary', required: true, maxlength: 255, autocomplete: 'off', autofocus: true }),
        ),
        h(
          'div',
          { class: 'buttons' },
          h('button', { type: 'button', class: 'quiet', click: () => close() }, 'Cancel'),
          h('button', { type: 'submit', class: 'primary' }, 'Create'),
        ),
      ),
  });
}
