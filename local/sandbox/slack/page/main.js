// The page: it shows what the sandbox says, again after every change, and hands what a person does to session.act.
import { createComposer } from './composer.js';
import { avatar, h, icon, iconButton, toast } from './dom.js';
import { drawHome } from './home.js';
import { drawMessages } from './messages.js';
import { drawModal } from './modal.js';
import { aimSkipLink, nameThread, narrow } from './narrow.js';
import { act, appChannel, currentChannel, inApp, load, session, shownPlace } from './session.js';

const main = document.getElementById('main');
const sidebar = document.getElementById('sidebar');
const thread = document.getElementById('thread');
let view = null;
let threadPane = null;
const read = JSON.parse(localStorage.getItem('sandbox-read') ?? '{}');

function drawYou() {
  const { users, me } = session.state;
  const you = document.getElementById('you');
  if (you.dataset.user === me.id) return;
  you.dataset.user = me.id;
  const people = users.filter((user) => user.role !== 'bot');
  const select = h(
    'select',
    { id: 'you-select', onchange: (event) => become(event.target.value) },
    people.map((user) =>
      h('option', { value: user.id, selected: user.id === me.id }, `${user.realName} (${user.role})`),
    ),
  );
  you.replaceChildren(
    h('label', { for: 'you-select' }, 'You are:'),
    h('span', { class: 'select' }, select, icon('down')),
    avatar(me, 28),
  );
}

function become(userId) {
  session.userId = userId;
  session.thread = null;
  localStorage.setItem('sandbox-user', userId);
  const place = { C0ACCESS00: true, home: true, messages: true, about: true }[session.place]
    ? session.place
    : 'C0ACCESS00';
  session.place = place;
  view = null;
  if (place === 'home') act('home', { tab: 'home' }, { quiet: true });
  refresh();
}

function drawSidebar() {
  const { channels, app, team } = session.state;
  const row = (href, current, unread, mark, name) =>
    h(
      'li',
      {},
      h(
        'a',
        {
          href,
          class: `${current ? 'current' : ''} ${unread ? 'unread' : ''}`,
          'aria-current': current ? 'page' : null,
        },
        mark,
        h('span', {}, name),
        unread ? h('span', { class: 'hidden' }, ' (unread)') : null,
      ),
    );
  const isUnread = (channel) =>
    channel.latest !== null && channel.latest > (read[`${session.userId}/${channel.id}`] ?? '0');
  const rows = channels
    .filter((channel) => channel.kind === 'channel')
    .map((channel) =>
      row(`#/${channel.id}`, channel.id === session.place, isUnread(channel), icon('hash'), channel.name),
    );
  const direct = appChannel();
  const mark = h('img', { class: 'app-mark', src: '/page/recheck.svg', alt: '' });
  const made = JSON.stringify([session.place, session.userId, channels.map((each) => [each.id, isUnread(each)])]);
  if (sidebar.made === made) return;
  sidebar.made = made;
  sidebar.replaceChildren(
    h('p', { class: 'team' }, h('span', { class: 'workspace-icon', 'aria-hidden': 'true' }, team.name[0]), team.name),
    h('h2', {}, 'Channels'),
    h('ul', {}, rows),
    h('h2', {}, 'Apps'),
    h('ul', {}, row('#/app/home', inApp(), direct ? isUnread(direct) : false, mark, app.name)),
  );
}

function layoutChannel() {
  const list = h('div', { class: 'messages', role: 'log', tabindex: '0', 'aria-label': 'Messages' });
  const composer = createComposer();
  return { list, composer, home: null, elements: [h('h2', { class: 'hidden' }, 'Messages'), list, composer.element] };
}

function layoutMain() {
  const place = shownPlace();
  const key = `${session.userId}/${place}`;
  if (view?.key === key) return view;
  const head = h('div', { class: 'main-head' });
  const inside = place === 'home' || place === 'about' ? layoutApp() : layoutChannel();
  main.replaceChildren(head, ...inside.elements);
  view = { key, head, ...inside, isFresh: true };
  return view;
}

function layoutApp() {
  if (session.place === 'about') {
    const text =
      'Recheck closes the loop between findings and Jira: Done is a claim, and only a passed re-run closes it.';
    return { elements: [h('div', { class: 'about' }, h('h2', {}, 'About'), h('p', {}, text))] };
  }
  const home = h('div', { class: 'home', tabindex: '0', role: 'region', 'aria-label': 'Home tab of Recheck' });
  return { home, elements: [home] };
}

function drawHead(head) {
  const made = JSON.stringify([shownPlace(), Boolean(session.state.home), currentChannel()?.memberCount]);
  if (head.made === made) return;
  head.made = made;
  if (inApp()) {
    const tab = (place, name) =>
      h('a', { href: `#/app/${place}`, 'aria-current': shownPlace() === place ? 'page' : null }, name);
    head.replaceChildren(
      h(
        'h1',
        {},
        h('img', { class: 'app-mark', src: '/page/recheck.svg', alt: '' }),
        session.state.app.name,
        h('span', { class: 'app-badge' }, 'APP'),
      ),
      h(
        'nav',
        { class: 'tabs', 'aria-label': 'Tabs of the app' },
        session.state.home ? tab('home', 'Home') : null,
        tab('messages', 'Messages'),
        tab('about', 'About'),
      ),
    );
    return;
  }
  const channel = currentChannel();
  head.replaceChildren(
    h(
      'div',
      { class: 'main-title' },
      h('h1', {}, icon('hash'), channel.name),
      h('p', { class: 'topic' }, channel.topic),
      h(
        'p',
        { class: 'members', title: 'Members' },
        icon('people'),
        h('span', {}, String(channel.memberCount)),
        h('span', { class: 'hidden' }, ' members'),
      ),
    ),
  );
}

function drawMain() {
  const current = layoutMain();
  drawHead(current.head);
  if (current.home) drawHome(current.home);
  if (!current.list) return;
  const channel = currentChannel();
  const label = inApp() ? session.state.app.name : `#${channel.name}`;
  current.list.setAttribute('aria-label', `Messages in ${label}`);
  current.composer.name(`Message ${label}`);
  const { list } = current;
  const atEnd = current.isFresh || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  drawMessages(list, channel.messages ?? []);
  if (!list.children.length)
    list.append(
      h('p', { class: 'empty' }, `This is the very beginning of ${label}. Try ${session.state.command} help.`),
    );
  if (atEnd) list.scrollTop = list.scrollHeight;
  if (current.isFresh && session.highlighted) list.querySelector('.highlighted')?.scrollIntoView({ block: 'center' });
  current.isFresh = false;
  read[`${session.userId}/${channel.id}`] = channel.latest ?? '0';
  localStorage.setItem('sandbox-read', JSON.stringify(read));
}

function drawThread() {
  const message = (currentChannel().messages ?? []).find((each) => each.ts === session.thread);
  thread.hidden = !message;
  document.body.classList.toggle('with-thread', Boolean(message));
  aimSkipLink(Boolean(message));
  if (!message) {
    threadPane = null;
    return;
  }
  const key = `${session.userId}/${message.ts}`;
  if (threadPane?.key !== key) {
    const list = h('div', { class: 'messages', role: 'log', tabindex: '0', 'aria-label': 'Messages in the thread' });
    const composer = createComposer({ thread: true });
    composer.name('Reply');
    const title = h('p', { role: 'heading' }, 'Thread');
    const head = h('div', { class: 'main-head thread-head' }, title, iconButton('close', 'Close thread', closeThread));
    const messages = h('h2', { class: 'hidden' }, 'Messages');
    thread.replaceChildren(head, messages, list, composer.element);
    threadPane = { key, list, title, messages };
  }
  const { list } = threadPane;
  nameThread(thread, threadPane);
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  drawMessages(list, [message, ...message.replies], { inThread: true });
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function closeThread() {
  session.thread = null;
  draw();
  document.getElementById('composer-input')?.focus();
}

// A click counts where the button goes down and up on one element: what changes in between is drawn when it is up, or
// after a moment, as not every press has an end (the list of a select swallows it).
const longestPressMs = 3000;
let isPressed = false;
let isStale = false;
function draw() {
  if (isPressed) {
    isStale = true;
    return;
  }
  drawYou();
  drawMain();
  drawThread();
  drawSidebar();
  drawModal();
}

function release() {
  isPressed = false;
  if (!isStale) return;
  isStale = false;
  // The click comes right after this event, and is first.
  setTimeout(draw);
}

// One load at a time; a change that comes meanwhile asks for one more.
let loading = null;
let again = false;
async function refresh() {
  if (loading) {
    again = true;
    return;
  }
  loading = load();
  try {
    await loading;
    draw();
  } catch (error) {
    if (!session.state) toast(`The sandbox cannot be reached: ${error.message}`);
  } finally {
    loading = null;
  }
  if (again) {
    again = false;
    refresh();
  }
}

function route() {
  const [, first, second] = location.hash.split('/');
  const next = first === 'app' ? second : first;
  if (next) session.place = next;
  session.thread = null;
  view = null;
  if (session.place === 'home') act('home', { tab: 'home' }, { quiet: true });
  refresh();
}

// A permalink: the channel, with the message marked, in its thread where it is a reply.
function followPermalink() {
  const [, channel, message] = /^\/archives\/(\w+)(?:\/p(\d+))?/.exec(location.pathname) ?? [];
  if (!channel) return;
  session.place = channel;
  if (message) session.highlighted = `${message.slice(0, -6)}.${message.slice(-6)}`;
  session.thread = new URLSearchParams(location.search).get('thread_ts');
  history.replaceState(null, '', `/#/${channel}`);
}

followPermalink();
const first = location.hash.split('/').filter((part) => part !== '#');
if (first.length) session.place = first[0] === 'app' ? (first[1] ?? 'home') : first[0];
window.addEventListener('hashchange', route);
document.addEventListener('redraw', draw);
narrow.addEventListener('change', () => session.state && draw());
document.addEventListener('pointerdown', () => {
  isPressed = true;
  setTimeout(release, longestPressMs);
});
for (const end of ['pointerup', 'pointercancel', 'change']) document.addEventListener(end, release);
new EventSource('/sandbox/events').addEventListener('message', refresh);
if (session.place === 'home') act('home', { tab: 'home' }, { quiet: true });
refresh();
