// Small helpers for building the page. Texts always go in as text; HTML only where the server made it safe.

/** Makes an element. Attributes with a function are listeners; false, null and undefined are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (name === 'html') element.innerHTML = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon for the eye only; its meaning stands beside it as text. */
export function icon(name, className = '') {
  const span = h('span', { class: `icon ${className}`, 'aria-hidden': 'true' });
  span.innerHTML = icons[name] ?? '';
  return span;
}

const svg = (inner) => `<svg viewBox="0 0 16 16" width="16" height="16">${inner}</svg>`;
const square = (color, inner) => svg(`<rect width="16" height="16" rx="3" fill="${color}"/>${inner}`);
const stroke = (d, color = '#fff') =>
  `<path d="${d}" fill="none" stroke="${color}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`;

const icons = {
  Bug: square('#c9372c', '<circle cx="8" cy="8" r="3.4" fill="#fff"/>'),
  Task: square('#1868db', stroke('M4.5 8.3l2.4 2.4 4.6-5')),
  Story: square('#1f845a', '<path d="M5 4h6v8.4L8 10l-3 2.4z" fill="#fff"/>'),
  'Sub-task': square('#1868db', stroke('M4.5 4.5h4v4h-4zM7.5 11.5h4v-4')),
  Subtask: square('#1868db', stroke('M4.5 4.5h4v4h-4zM7.5 11.5h4v-4')),
  Highest: svg(stroke('M3.5 8l4.5-4 4.5 4M3.5 12.5l4.5-4 4.5 4', '#c9372c')),
  High: svg(stroke('M3.5 10l4.5-4 4.5 4', '#c9372c')),
  Medium: svg(stroke('M3.5 6h9M3.5 10h9', '#b65c02')),
  Low: svg(stroke('M3.5 6l4.5 4 4.5-4', '#1868db')),
  Lowest: svg(stroke('M3.5 3.5l4.5 4 4.5-4M3.5 8l4.5 4 4.5-4', '#1868db')),
  more: svg(
    '<g fill="currentColor"><circle cx="3" cy="8" r="1.5"/><circle cx="8" cy="8" r="1.5"/><circle cx="13" cy="8" r="1.5"/></g>',
  ),
  close: svg(stroke('M4 4l8 8M12 4l-8 8', 'currentColor')),
  down: svg(stroke('M4 6l4 4 4-4', 'currentColor')),
  check: svg(stroke('M3.5 8.5l3 3 6-7', 'currentColor')),
  search: svg(
    `<circle cx="7" cy="7" r="4" fill="none" stroke="currentColor" stroke-width="1.8"/>${stroke('M10.2 10.2L14 14', 'currentColor')}`,
  ),
};

/** A person's picture with the name beside it, or only the picture with the name as its text. */
export function person(who, { withName = true } = {}) {
  if (!who) return h('span', { class: 'muted' }, 'Nobody');
  const image = h('img', { src: who.avatar, alt: withName ? '' : who.name, width: 24, height: 24, title: who.name });
  return h('span', { class: 'person' }, image, withName ? who.name : null);
}

/** A status as a coloured word. */
export function statusTag({ name, category }) {
  return h('span', { class: `status ${category}` }, name);
}

/** A moment, short, with the full one as its title. */
export function moment(iso) {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
  const day = date.toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' });
  return h('time', { datetime: iso, title: date.toString() }, isToday ? `today at ${time}` : `${day}, ${time}`);
}

/** Calls the sandbox; throws an Error with its message where it refuses. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : undefined;
  if (!response.ok) throw new Error(answer?.error ?? `The sandbox answered ${response.status}.`);
  return answer;
}

let toastTimer;

/** Says something in the corner, to the ear too. */
export function toast(message, { bad = false } = {}) {
  const place = document.getElementById('status');
  place.textContent = message;
  place.classList.toggle('bad', bad);
  place.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => place.classList.remove('shown'), 5000);
}

/** Runs an act of the person and says how it went. */
export async function attempt(act, done) {
  try {
    await act();
    if (done) toast(done);
    return true;
  } catch (error) {
    toast(error.message, { bad: true });
    return false;
  }
}
