import { attempt, call, h, icon, moment, person } from './dom.js';
import { moveIssue, moveItems } from './moves.js';
import { closeButton, menuButton, showDialog } from './overlay.js';

let current;

/** Opens an issue over the board. */
export async function openIssue(key) {
  const loaded = await load(key);
  if (!loaded) return;
  const address = location.href;
  history.replaceState(null, '', `/browse/${key}`);
  await showDialog({
    className: 'issue',
    build: (close, titleId) => {
      const place = h('div', { class: 'issue-view' });
      current = { key, place, close, titleId };
      draw(loaded);
      return place;
    },
  });
  current = undefined;
  history.replaceState(null, '', address);
}

/** Shows an issue as the page itself. */
export async function startIssue(main, key) {
  const place = h('div', { class: 'issue-view' });
  const heading = h('h1', {}, key);
  main.replaceChildren(h('div', { class: 'issue page' }, heading, place));
  current = { key, place, close: undefined, titleId: undefined };
  await redrawIssue();
}

/** Reads the open issue again, if one is open. What is being typed stays. */
export async function redrawIssue() {
  if (!current) return;
  const { key, place, close } = current;
  const loaded = await load(key, { quiet: true });
  if (!current || current.place !== place) return;
  if (loaded) draw(loaded);
  else if (close) close();
  else place.replaceChildren(h('p', { class: 'empty' }, `There is no issue ${key}. It may have been deleted.`));
}

async function load(key, { quiet = false } = {}) {
  let issue;
  const read = async () => {
    issue = await call('GET', `/sandbox/board/issues/${encodeURIComponent(key)}`);
  };
  if (quiet) await read().catch(() => undefined);
  else await attempt(read);
  return issue;
}

function draw(issue) {
  const { place, titleId, close } = current;
  // A menu that hangs on the old buttons would lose its place.
  if (document.querySelector('.menu')) return;
  const typed = place.querySelector('textarea')?.value ?? '';
  const hadFocus = place.querySelector('textarea') === document.activeElement;
  const focused = document.activeElement?.dataset?.focus;
  place.replaceChildren(
    h(
      'div',
      { class: 'issue-top' },
      h('a', { class: 'crumbs', href: `/projects/${issue.project.key}/board` }, issue.project.name),
      h('span', { class: 'crumbs', 'aria-hidden': 'true' }, '/'),
      h('a', { class: 'crumbs', href: `/browse/${issue.key}` }, icon(issue.type), issue.key),
      h('span', { class: 'spring' }),
      close ? closeButton(close) : null,
    ),
    h('h2', { class: 'summary', ...(titleId ? { id: titleId } : {}) }, issue.summary),
    h('div', { class: 'issue-columns' }, mainPart(issue, typed), sidePart(issue)),
  );
  if (hadFocus) place.querySelector('textarea').focus();
  else if (focused) place.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function mainPart(issue, typed) {
  const description = issue.descriptionHtml
    ? h('div', { class: 'document', html: issue.descriptionHtml })
    : h('p', { class: 'muted' }, 'No description');
  return h(
    'div',
    { class: 'issue-main' },
    section('Description', description),
    issue.attachments.length > 0 ? section('Attachments', attachments(issue.attachments)) : null,
    section(
      'Comments',
      issue.comments.length > 0
        ? h('ol', { class: 'comments' }, ...issue.comments.map(comment))
        : h('p', { class: 'muted' }, 'No comments yet'),
      commentForm(issue, typed),
    ),
    section(
      'History',
      issue.history.length > 0
        ? h('ol', { class: 'history' }, ...issue.history.map(change))
        : h('p', { class: 'muted' }, 'Nothing has changed since it was created'),
    ),
  );
}

function section(title, ...content) {
  return h('section', {}, h('h3', {}, title), ...content);
}

function attachments(list) {
  return h(
    'ul',
    { class: 'attachments' },
    ...list.map(({ filename, url, size, isImage }) =>
      h(
        'li',
        {},
        h(
          'a',
          { href: url, target: '_blank', rel: 'noopener' },
          isImage ? h('img', { src: url, alt: '' }) : null,
          h('span', {}, filename, h('small', {}, `${Math.max(1, Math.round(size / 1024))} kB`)),
        ),
      ),
    ),
  );
}

function comment({ author, html, at }) {
  return h('li', {}, h('p', { class: 'by' }, person(author), ' ', moment(at)), h('div', { class: 'document', html }));
}

function commentForm(issue, typed) {
  const text = h('textarea', {
    name: 'text',
    rows: 2,
    required: true,
    placeholder: 'Add a comment…',
    id: 'comment-text',
  });
  text.value = typed;
  return h(
    'form',
    {
      class: 'comment-form',
      submit: async (event) => {
        event.preventDefault();
        const given = text.value;
        text.value = '';
        const path = `/sandbox/board/issues/${issue.key}/comment`;
        const done = await attempt(() => call('POST', path, { text: given }), 'Your comment was added.');
        if (!done) text.value = given;
      },
    },
    h('label', { class: 'only-read', for: 'comment-text' }, 'Add a comment'),
    text,
    h('button', { type: 'submit', class: 'primary' }, 'Save comment'),
  );
}

function change({ author, at, items }) {
  return h(
    'li',
    {},
    h('p', { class: 'by' }, person(author), ' ', moment(at)),
    h('ul', {}, ...items.map((item) => h('li', {}, ...changeText(item)))),
  );
}

function changeText({ field, from, to, isText }) {
  const name = h('span', { class: 'muted' }, `${field.charAt(0).toUpperCase()}${field.slice(1)} `);
  if (isText) return [name, 'changed'];
  return [name, h('s', {}, from ?? 'None'), ' → ', h('strong', {}, to ?? 'None')];
}

function sidePart(issue) {
  return h(
    'div',
    { class: 'issue-side' },
    statusMenu(issue),
    h(
      'dl',
      {},
      ...row('Resolution', resolutionField(issue)),
      ...row('Type', h('span', { class: 'person' }, icon(issue.type), issue.type)),
      ...row('Priority', h('span', { class: 'person' }, icon(issue.priority), issue.priority)),
      ...row('Labels', labels(issue)),
      ...row('Assignee', person(issue.assignee)),
      ...row('Reporter', person(issue.reporter)),
      ...row('Created', moment(issue.created)),
      ...row('Updated', moment(issue.updated)),
    ),
    moreMenu(issue),
  );
}

function row(name, value) {
  return [h('dt', {}, name), h('dd', {}, value)];
}

function labels(issue) {
  if (issue.labels.length === 0) return h('span', { class: 'muted' }, 'None');
  return h('ul', { class: 'labels', 'aria-label': 'Labels' }, ...issue.labels.map((label) => h('li', {}, label)));
}

function statusMenu(issue) {
  const { key, status, transitions, resolutions } = issue;
  const button = menuButton({
    label: `Status: ${status.name}. Move ${key} to`,
    title: 'Move to',
    className: `status-button ${status.category}`,
    content: [status.name, icon('down')],
    items: () =>
      moveItems({
        targets: transitions,
        act: (to) => moveIssue({ key, to, asksForResolution: to.asksForResolution, resolutions }),
      }),
  });
  button.dataset.focus = 'status';
  return button;
}

function resolutionField(issue) {
  const name = issue.resolution ?? 'Unresolved';
  if (issue.project.style !== 'classic' || issue.status.category !== 'done') return name;
  const choices = [{ id: '', name: 'Unresolved' }, ...issue.resolutions];
  return h(
    'select',
    {
      class: 'resolution-choice',
      'aria-label': 'Resolution',
      'data-focus': 'resolution',
      change: (event) => {
        const resolution = event.target.value === '' ? null : event.target.value;
        const path = `/sandbox/board/issues/${issue.key}/resolution`;
        attempt(() => call('POST', path, { resolution }), 'The resolution was changed.');
      },
    },
    ...choices.map((choice) =>
      h('option', { value: choice.id, selected: choice.id === (issue.resolutionId ?? '') }, choice.name),
    ),
  );
}

function moreMenu(issue) {
  const moves = issue.otherProjects.map(({ key, name }) => ({
    label: `Move to project ${name}`,
    act: async () => {
      const moved = await attempt(async () => {
        const answer = await call('POST', `/sandbox/board/issues/${issue.key}/move`, { project: key });
        if (current) current.key = answer.key;
      }, `${issue.key} was moved to ${name}.`);
      if (moved) await redrawIssue();
    },
  }));
  return menuButton({
    className: 'quiet wide',
    content: ['More actions', icon('down')],
    items: () => [
      ...moves,
      { label: 'Delete', content: h('span', { class: 'bad' }, 'Delete'), act: () => remove(issue) },
    ],
  });
}

async function remove(issue) {
  const sure = await showDialog({
    title: `Delete ${issue.key}?`,
    className: 'small',
    build: (close) => [
      h('p', {}, 'The issue goes for good, with its comments and its history.'),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'quiet', autofocus: true, click: () => close(false) }, 'Cancel'),
        h('button', { type: 'button', class: 'danger', click: () => close(true) }, 'Delete'),
      ),
    ],
  });
  if (!sure) return;
  const path = `/sandbox/board/issues/${issue.key}`;
  const gone = await attempt(() => call('DELETE', path), `${issue.key} was deleted.`);
  if (gone && current?.close) current.close();
  else if (gone) location.href = `/projects/${issue.project.key}/board`;
}
