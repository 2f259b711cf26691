// Slack's mrkdwn to elements. The three escapes are undone only at the very end, in text nodes.
import { h } from './dom.js';
import { emojiByName, withEmoji } from './emoji.js';
import { session } from './session.js';

const INLINE =
  /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+'-]+):|(?<![A-Za-z0-9*])\*(?!\s)([^*\n]+?)(?<!\s)\*(?![A-Za-z0-9*])|(?<![A-Za-z0-9_])_(?!\s)([^_\n]+?)(?<!\s)_(?![A-Za-z0-9_])|(?<![A-Za-z0-9~])~(?!\s)([^~\n]+?)(?<!\s)~(?![A-Za-z0-9~])|(https?:\/\/[^\s<>|]+)/g;

/** The nodes of a text object, plain or mrkdwn. */
export function textNodes(text) {
  if (!text) return [];
  return text.type === 'mrkdwn' ? mrkdwn(text.text) : plain(text.text);
}

/** The nodes of plain text: emoji and line breaks only. */
export function plain(text) {
  return lines(text, (line) => emojiNames(line));
}

/** The nodes of mrkdwn, with code fences and quotes as blocks. */
export function mrkdwn(text) {
  const parts = text.split(/```\n?([\s\S]*?)\n?```\n?/);
  return parts.flatMap((part, index) => (index % 2 ? [h('pre', {}, decode(part))] : quotes(part)));
}

function quotes(text) {
  const groups = [];
  for (const line of text.split('\n')) {
    const quoted = /^(?:&gt;|>)\s?/.exec(line);
    const kind = quoted ? 'quote' : 'text';
    if (groups.at(-1)?.kind !== kind) groups.push({ kind, lines: [] });
    groups.at(-1).lines.push(quoted ? line.slice(quoted[0].length) : line);
  }
  return groups.flatMap(({ kind, lines: own }) => {
    const nodes = lines(own.join('\n'), inline);
    return kind === 'quote' ? [h('blockquote', {}, nodes)] : nodes;
  });
}

function lines(text, render) {
  return text.split('\n').flatMap((line, index) => (index ? [h('br'), ...render(line)] : render(line)));
}

function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...withEmoji(decode(text.slice(at, match.index))), ...styled(match));
    at = match.index + match[0].length;
  }
  return [...nodes, ...withEmoji(decode(text.slice(at)))];
}

function styled([whole, code, entity, emoji, bold, italic, strike, url]) {
  if (code !== undefined) return [h('code', {}, decode(code))];
  if (entity !== undefined) return entityNodes(entity);
  if (emoji !== undefined) return [emojiByName(emoji) ?? whole];
  if (bold !== undefined) return [h('strong', {}, inline(bold))];
  if (italic !== undefined) return [h('em', {}, inline(italic))];
  if (strike !== undefined) return [h('s', {}, inline(strike))];
  return [link(decode(url), [decode(url)])];
}

function entityNodes(entity) {
  const [target, label] = split(entity);
  if (target.startsWith('@')) return [mention(target.slice(1), label)];
  if (target.startsWith('#')) return [channelMention(target.slice(1), label)];
  if (target.startsWith('!date^')) return [date(target, label)];
  if (target.startsWith('!')) return [h('span', { class: 'mention' }, `@${label || target.slice(1).split('^')[0]}`)];
  return [link(decode(target), label ? inline(label) : [decode(target)])];
}

function split(entity) {
  const bar = entity.indexOf('|');
  return bar < 0 ? [entity, ''] : [entity.slice(0, bar), entity.slice(bar + 1)];
}

/** A link that opens beside the page; only web and mail addresses are followed. */
export function link(url, nodes) {
  if (!/^(https?:|mailto:)/i.test(url)) return h('span', {}, nodes);
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, nodes);
}

/** A person's name as a mention. */
export function mention(id, label = '') {
  const user = session.state.users.find((each) => each.id === id);
  const own = id === session.userId ? ' mention-me' : '';
  return h('span', { class: `mention${own}` }, `@${user?.realName ?? (label || id)}`);
}

/** A channel's name as a link to it. */
export function channelMention(id, label = '') {
  const channel = session.state.channels.find((each) => each.id === id);
  const name = `#${channel?.name ?? (label || 'private channel')}`;
  return channel ? h('a', { class: 'mention', href: `#/${id}` }, name) : h('span', { class: 'mention' }, name);
}

function date(target, fallback) {
  const [, seconds, format = '', url] = target.split('^');
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return h('span', {}, decode(fallback));
  const words = format.replace(/\{(\w+)\}/g, (whole, token) => dateToken(at, token) ?? whole);
  const time = h('time', { datetime: at.toISOString(), title: at.toLocaleString() }, words);
  return url ? link(decode(url), [time]) : time;
}

const formats = {
  date_num: (at) => at.toISOString().slice(0, 10),
  date: (at) => at.toLocaleDateString('en', { dateStyle: 'long' }),
  date_short: (at) => at.toLocaleDateString('en', { dateStyle: 'medium' }),
  date_long: (at) => at.toLocaleDateString('en', { dateStyle: 'full' }),
  time: (at) => at.toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit' }),
  time_secs: (at) => at.toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit', second: '2-digit' }),
  ago: (at) => ago(at),
};

/** One token of Slack's date format; the `_pretty` ones say today and yesterday. */
export function dateToken(at, token) {
  const base = token.replace(/_pretty$/, '');
  const near = token.endsWith('_pretty') ? dayWord(at) : null;
  return near ?? formats[base]?.(at) ?? null;
}

/** "today" or "yesterday" where it is. */
export function dayWord(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return { 0: 'today', 1: 'yesterday' }[days] ?? null;
}

function ago(at) {
  const minutes = Math.round((Date.now() - at.getTime()) / 60_000);
  if (minutes < 60) return `${Math.max(0, minutes)} minutes ago`;
  return minutes < 1440 ? `${Math.round(minutes / 60)} hours ago` : `${Math.round(minutes / 1440)} days ago`;
}

function emojiNames(text) {
  return text.split(/:([a-z0-9_+'-]+):/).flatMap((part, index) => {
    if (index % 2) return [emojiByName(part) ?? `:${part}:`];
    return withEmoji(decode(part));
  });
}

function decode(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
