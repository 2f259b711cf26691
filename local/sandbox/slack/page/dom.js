// Elements by function call. Text always becomes a text node, so nothing that an app or a person writes is markup.

/** Makes an element. `on…` properties are listeners, `class` and the rest attributes; null and false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let ids = 0;
/** An id that no other element of the page has. */
export function newId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

const paths = {
  hash: 'M7.5 3 5.5 17M14.5 3l-2 14M3.5 7.5h14M2.5 12.5h14',
  thread: 'M3 4.5h14v9H9l-4 3.5v-3.5H3z',
  more: 'M10 4.6v.1M10 10v.1M10 15.4v.1',
  close: 'm5 5 10 10M15 5 5 15',
  eye: 'M1.8 10S4.8 4.5 10 4.5 18.2 10 18.2 10 15.2 15.5 10 15.5 1.8 10 1.8 10zM10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z',
  send: 'M3 3.5 17.5 10 3 16.5 5.5 10zM5.5 10h6',
  plus: 'M10 4v12M4 10h12',
  bolt: 'M11 2 4.5 11.5h5L9 18l6.500-9.500h-5z',
  down: 'm5 7.500 5 5 5-5',
  people:
    'M7.500 9.500a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM2.500 16c0-3 2.200-4.800 5-4.800s5 1.800 5 4.800M13 9.300a2.500 2.500 0 1 0-.8-4.800M14.300 11.400c2 .5 3.200 2.200 3.200 4.600',
  link: 'M8.500 11.500a3 3 0 0 0 4.200 0l3-3a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-3 3a3 3 0 0 0 4.200 4.200l1-1',
  file: 'M5 2.500h6.500L15.500 6.500v11H5zM11 2.500V7h4.500',
};

/** A decorative icon in the colour of the text. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only an icon; `label` is its name. */
export function iconButton(name, label, onclick, extra = {}) {
  return h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...extra },
    icon(name),
  );
}

const colours = ['#8a3ffc', '#0f62fe', '#007d79', '#b6410c', '#9f1853', '#3d6a1f'];

/** The square with a person's initials, or the app's mark. */
export function avatar(user, size = 36) {
  const box = { class: 'avatar', 'aria-hidden': 'true', style: null };
  const element =
    user?.role === 'bot'
      ? h('img', { ...box, src: '/page/recheck.svg', alt: '' })
      : h('span', box, initials(user?.realName ?? 'Slackbot'));
  element.style.width = `${size}px`;
  element.style.height = `${size}px`;
  element.style.fontSize = `${Math.round(size * 0.42)}px`;
  if (user?.role !== 'bot') element.style.background = colourOf(user?.id ?? '');
  return element;
}

function initials(name) {
  return name
    .split(' ')
    .map((word) => word[0])
    .join('')
    .slice(0, 2);
}

function colourOf(id) {
  const sum = [...id].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return colours[sum % colours.length];
}

/** Says something for a few seconds at the foot of the page, to screen readers too. */
export function toast(text) {
  const note = h('p', { class: 'toast' }, text);
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), 6000);
}
