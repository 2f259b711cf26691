import { h } from './dom.js';
import { emojiByName, withEmoji } from './emoji.js';
import { channelMention, dateToken, link, mention } from './mrkdwn.js';

/** The nodes of a rich_text block. */
export function richText(block) {
  return h('div', { class: 'rich-text' }, block.elements.map(piece));
}

function piece(element) {
  if (element.type === 'rich_text_list') return list(element);
  if (element.type === 'rich_text_preformatted')
    return h(
      'pre',
      {},
      element.elements.map((each) => each.text ?? each.url ?? ''),
    );
  const inside = element.elements.flatMap(part);
  return element.type === 'rich_text_quote' ? h('blockquote', {}, inside) : h('div', {}, inside);
}

function list({ style, indent = 0, offset = 0, elements }) {
  const items = elements.map((each) => h('li', {}, each.elements.flatMap(part)));
  const tag = style === 'ordered' ? 'ol' : 'ul';
  return h(tag, { class: `indent-${indent}`, start: offset ? offset + 1 : null }, items);
}

const parts = {
  text: (each) => breaks(each.text),
  link: (each) => [link(each.url, [each.text || each.url])],
  emoji: (each) => [emojiByName(each.name) ?? `:${each.name}:`],
  user: (each) => [mention(each.user_id)],
  channel: (each) => [channelMention(each.channel_id)],
  broadcast: (each) => [h('span', { class: 'mention' }, `@${each.range}`)],
  usergroup: (each) => [h('span', { class: 'mention' }, `@${each.usergroup_id}`)],
  color: (each) => [h('code', {}, each.value)],
  date: (each) => {
    const at = new Date(each.timestamp * 1000);
    const words = each.format.replace(/\{(\w+)\}/g, (whole, token) => dateToken(at, token) ?? whole);
    return [h('time', { datetime: at.toISOString() }, words)];
  },
};
const styles = { code: 'code', strike: 's', italic: 'em', bold: 'strong' };

function part(each) {
  let nodes = parts[each.type]?.(each) ?? [];
  for (const [style, tag] of Object.entries(styles)) if (each.style?.[style]) nodes = [h(tag, {}, nodes)];
  return nodes;
}

function breaks(text) {
  return text.split('\n').flatMap((line, index) => (index ? [h('br'), ...withEmoji(line)] : withEmoji(line)));
}
