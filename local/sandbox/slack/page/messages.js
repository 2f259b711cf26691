import { drawBlocks } from './blocks.js';
import { avatar, h, icon, iconButton, toast } from './dom.js';
import { emojiByName } from './emoji.js';
import { dayWord, mrkdwn } from './mrkdwn.js';
import { menuButton } from './popover.js';
import { act, currentChannel, session } from './session.js';

const entered = new Map();

/** Fills a list with messages, touching only those that changed, so that focus and open menus survive. */
export function drawMessages(list, messages, { inThread = false } = {}) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const rows = [];
  let day = '';
  let previous = null;
  for (const message of messages) {
    const at = new Date(Number(message.ts) * 1000);
    if (!inThread && at.toDateString() !== day) {
      day = at.toDateString();
      previous = null;
      rows.push(reuse(before, `line-${day}`, day, () => h('div', { class: 'day-line' })));
      rows.push(reuse(before, `day-${day}`, dayLabel(at), () => dayDivider(at)));
    }
    const follows = isFollowUp(previous, message);
    const made = JSON.stringify([message, follows, session.highlighted === message.ts, session.userId]);
    rows.push(reuse(before, message.ts, made, () => drawMessage(message, { inThread, follows })));
    previous = message;
  }
  settle(list, rows);
}

// Only what changed is touched: screen readers announce what is new, and focus stays where it was.
function settle(list, rows) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest('[data-key]')?.dataset.key;
  const kept = new Set(rows);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  let next = list.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
  if (!key || list.contains(focused)) return;
  const row = rows.find((each) => each.dataset.key === key);
  (row?.querySelector(`[data-focus="${CSS.escape(focused.dataset.focus ?? '')}"]`) ?? row)?.focus();
}

function reuse(before, key, made, draw) {
  const old = before.get(key);
  if (old?.made === made) return old;
  const row = draw();
  row.dataset.key = key;
  row.made = made;
  return row;
}

function isFollowUp(previous, message) {
  if (!previous || previous.user !== message.user || previous.ephemeral !== message.ephemeral || message.ephemeral)
    return false;
  return Number(message.ts) - Number(previous.ts) < 300 && !previous.reply_count && !message.blocks && !previous.blocks;
}

function dayDivider(at) {
  return h('div', { class: 'day' }, h('span', {}, dayLabel(at)));
}

function dayLabel(at) {
  const word = dayWord(at);
  if (word) return word[0].toUpperCase() + word.slice(1);
  return at.toLocaleDateString('en', { weekday: 'long', month: 'long', day: 'numeric' });
}

function drawMessage(message, { inThread, follows }) {
  const author = session.state.users.find((user) => user.id === message.user);
  const name = author?.realName ?? 'Slackbot';
  const time = clock(message.ts);
  const marks = `${follows ? ' follows' : ''}${message.ephemeral ? ' ephemeral' : ''}${session.highlighted === message.ts ? ' highlighted' : ''}`;
  const whisper = message.ephemeral ? h('p', { class: 'whisper' }, icon('eye'), 'Only visible to you') : null;
  const heading = h(
    'p',
    { class: 'byline' },
    h('strong', { class: 'author' }, name),
    author?.role === 'bot' || !author ? h('span', { class: 'app-badge' }, 'APP') : null,
    h('time', { datetime: new Date(Number(message.ts) * 1000).toISOString() }, time),
  );
  return h(
    'article',
    { class: `message${marks}`, 'aria-label': `${name} at ${time}`, tabindex: '-1' },
    whisper,
    h(
      'div',
      { class: 'message-row' },
      follows ? h('time', { class: 'gutter', 'aria-hidden': 'true' }, time) : avatar(author),
      h(
        'div',
        { class: 'message-body' },
        follows ? null : heading,
        content(message),
        extras(message),
        footer(message, inThread),
      ),
    ),
    message.ephemeral || message.subtype === 'tombstone' ? null : toolbar(message, inThread),
  );
}

function content(message) {
  const edited = message.edited ? h('span', { class: 'edited' }, ' (edited)') : null;
  if (message.blocks) return drawBlocks(hostOf(message), message.blocks);
  return h('div', { class: 'text' }, mrkdwn(message.text), edited);
}

function extras(message) {
  return [
    (message.attachments ?? []).map((each) => attachment(message, each)),
    (message.files ?? []).map((file) =>
      file.mimetype.startsWith('image/')
        ? h(
            'figure',
            { class: 'file' },
            h('figcaption', {}, file.title),
            h('img', { src: `/files/${file.id}`, alt: file.title }),
          )
        : h('a', { class: 'file-link', href: `/files/${file.id}`, target: '_blank' }, icon('file'), file.title),
    ),
    message.reactions?.length
      ? h(
          'p',
          { class: 'reactions' },
          message.reactions.map((each) =>
            h('span', { class: 'reaction' }, emojiByName(each.name) ?? `:${each.name}:`, ` ${each.count}`),
          ),
        )
      : null,
  ];
}

function attachment(message, each) {
  const inside = each.blocks ? drawBlocks(hostOf(message), each.blocks) : mrkdwn(each.text ?? each.fallback ?? '');
  const box = h('div', { class: 'attachment' }, inside);
  if (/^#?[0-9a-f]{6}$/i.test(each.color ?? '')) box.style.borderLeftColor = `#${each.color.replace('#', '')}`;
  return box;
}

function footer(message, inThread) {
  if (message.ephemeral)
    return h(
      'button',
      { type: 'button', class: 'link dismiss', onclick: () => act('dismiss', place(message)) },
      'Dismiss message',
    );
  const replies = message.replies ?? [];
  if (inThread || !replies.length) return null;
  const people = [...new Set(replies.map((reply) => reply.user))].slice(0, 4);
  const count = `${replies.length} ${replies.length === 1 ? 'reply' : 'replies'}`;
  return h(
    'button',
    { type: 'button', class: 'thread-link', 'data-focus': 'thread', onclick: () => openThread(message.ts) },
    people.map((id) =>
      avatar(
        session.state.users.find((user) => user.id === id),
        22,
      ),
    ),
    h('span', { class: 'thread-count' }, count),
    h(
      'span',
      { class: 'thread-last' },
      `Last reply ${dayWord(new Date(Number(replies.at(-1).ts) * 1000)) ?? ''} at ${clock(replies.at(-1).ts)}`,
    ),
  );
}

function toolbar(message, inThread) {
  const shortcuts = session.state.shortcuts.message.map((shortcut) => ({
    label: shortcut.name,
    description: 'Recheck',
    choose: () => act('shortcut', { ...place(message), callbackId: shortcut.callbackId }),
  }));
  const copy = { label: 'Copy link', choose: () => copyLink(message) };
  const more = iconButton('more', 'More actions', null, { 'data-focus': 'more' });
  const reply = iconButton('thread', 'Reply in thread', () => openThread(message.ts), { 'data-focus': 'reply' });
  return h(
    'div',
    { class: 'message-tools', role: 'group', 'aria-label': 'Message actions' },
    inThread ? null : reply,
    menuButton(more, [...shortcuts, copy], 'More actions'),
  );
}

async function copyLink(message) {
  const url = `${location.origin}/archives/${currentChannel().id}/p${message.ts.replace('.', '')}`;
  await navigator.clipboard?.writeText(url).catch(() => null);
  toast('Link copied');
}

/** Opens the thread of a message beside the conversation. */
export function openThread(ts) {
  session.thread = ts;
  document.dispatchEvent(new Event('redraw'));
  document.querySelector('#thread textarea')?.focus();
}

function hostOf(message) {
  const key = (block, element) => `${block.block_id}/${element.action_id}`;
  const values = entered.get(message.ts) ?? new Map();
  entered.set(message.ts, values);
  return {
    value: (block, element) => values.get(key(block, element)),
    enter: (block, element, raw) => void values.set(key(block, element), raw),
    redraw: () => {
      values.clear();
      document.dispatchEvent(new Event('redraw'));
    },
    act: (block, element, value) =>
      act('click', {
        ...place(message),
        blockId: block.block_id,
        actionId: element.action_id,
        ...(value === undefined ? {} : { value }),
        values: Object.fromEntries(values),
      }),
    suggest: (block, element, typed) => suggest({ ...place(message), block, element, typed }),
  };
}

/** Asks the app for the options of an external select; answers the groups that a combo box shows. */
export async function suggest({ block, element, typed, ...where }) {
  const { body } = await act('suggest', {
    ...where,
    blockId: block.block_id,
    actionId: element.action_id,
    value: typed,
  });
  const flat = (options = []) => options.map((option) => ({ text: option.text.text, value: option.value }));
  if (body?.option_groups)
    return body.option_groups.map((group) => ({ label: group.label.text, options: flat(group.options) }));
  return [{ options: flat(body?.options) }];
}

function place(message) {
  return { channel: currentChannel().id, ts: message.ts };
}

function clock(ts) {
  return new Date(Number(ts) * 1000).toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit' });
}
