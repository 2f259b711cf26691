// Emoji as small pictures, because not every machine has a font for them. Names that are not here stay readable.
import { h } from './dom.js';

const circle = (fill, stroke = 'none') => `<circle cx="10" cy="10" r="7.500" fill="${fill}" stroke="${stroke}"/>`;
const square = (fill) => `<rect x="2.500" y="2.500" width="15" height="15" rx="2.500" fill="${fill}"/>`;
const line = (d, stroke, width = 2.4) =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
const check = (stroke) => line('m5.500 10.500 3 3 6-7', stroke);
const cross = (stroke) => line('m6 6 8 8M14 6l-8 8', stroke);
const hourglass =
  '<path d="M5 2.500h10v3L11.500 10 15 14.500v3H5v-3L8.500 10 5 5.500z" fill="#fdf1d3" stroke="#9a6b1f" stroke-width="1.500"/><path d="M7 15.500 10 12l3 3.500z" fill="#e8a735"/>';
const arrows = (fill) =>
  `${square(fill)}${line('M6 8.500a4.500 4.500 0 0 1 8-1.500M14 11.500a4.500 4.500 0 0 1-8 1.500M14 4.500V7h-2.500M6 15.500V13h2.500', '#fff', 1.6)}`;

const drawings = {
  '🔴': ['red_circle', circle('#d92d3a')],
  '🟠': ['large_orange_circle', circle('#ef8a17')],
  '🟡': ['large_yellow_circle', circle('#f2c62e')],
  '🟢': ['large_green_circle', circle('#2f9e44')],
  '🔵': ['large_blue_circle', circle('#2a6fdb')],
  '🟣': ['large_purple_circle', circle('#8a4fd3')],
  '🟤': ['large_brown_circle', circle('#8b5a2b')],
  '⚪': ['white_circle', circle('#eef0f2', '#a8adb3')],
  '⚫': ['black_circle', circle('#2b2b2b')],
  '🟥': ['large_red_square', square('#d92d3a')],
  '🟧': ['large_orange_square', square('#ef8a17')],
  '🟨': ['large_yellow_square', square('#f2c62e')],
  '🟩': ['large_green_square', square('#2f9e44')],
  '🟦': ['large_blue_square', square('#2a6fdb')],
  '✅': ['white_check_mark', square('#2f9e44') + check('#fff')],
  '✔': ['heavy_check_mark', check('#1f7a33')],
  '❌': ['x', cross('#d92d3a')],
  '❎': ['negative_squared_cross_mark', square('#2f9e44') + cross('#fff')],
  '⚠': [
    'warning',
    `<path d="M10 2.500 18.500 17h-17z" fill="#f5c228" stroke="#c79312" stroke-linejoin="round"/>${line('M10 8v4M10 14.500v.1', '#3a2c00', 1.8)}`,
  ],
  '⏳': ['hourglass_flowing_sand', hourglass],
  '⌛': ['hourglass', hourglass],
  '🔁': ['repeat', arrows('#2a6fdb')],
  '🔄': ['arrows_counterclockwise', arrows('#2a6fdb')],
  '🚫': [
    'no_entry_sign',
    `<circle cx="10" cy="10" r="7" fill="#fff" stroke="#d92d3a" stroke-width="2.400"/>${line('m5.500 5.500 9 9', '#d92d3a')}`,
  ],
  '⛔': ['no_entry', circle('#d92d3a') + line('M6 10h8', '#fff', 2.8)],
  ℹ: ['information_source', square('#2a6fdb') + line('M10 9v5M10 6v.1', '#fff', 2.2)],
  '🔔': [
    'bell',
    '<path d="M4 14c2-1.500 1.500-4 2-6.500C6.500 5 8 3.500 10 3.500s3.500 1.500 4 4c.5 2.500 0 5 2 6.500z" fill="#f2c62e" stroke="#c79312"/><circle cx="10" cy="16" r="1.600" fill="#c79312"/>',
  ],
  '🔗': [
    'link',
    line(
      'M8.500 11.500a3 3 0 0 0 4.200 0l2.800-2.800a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-2.800 2.800a3 3 0 0 0 4.200 4.200l1-1',
      '#5b6770',
      1.9,
    ),
  ],
  '🔒': [
    'lock',
    `${line('M6.500 9V6.500a3.500 3.500 0 0 1 7 0V9', '#8a8f95', 1.9)}<rect x="4.500" y="9" width="11" height="8" rx="1.500" fill="#f2b632"/>`,
  ],
  '👀': [
    'eyes',
    '<ellipse cx="6.300" cy="10" rx="3.600" ry="5.200" fill="#fff" stroke="#8a8f95"/><ellipse cx="13.700" cy="10" rx="3.600" ry="5.200" fill="#fff" stroke="#8a8f95"/><circle cx="5.200" cy="10.500" r="1.800" fill="#222"/><circle cx="12.600" cy="10.500" r="1.800" fill="#222"/>',
  ],
  '📌': ['pushpin', `<circle cx="12" cy="7" r="4" fill="#d92d3a"/>${line('M9.500 10 4 16.500', '#8a8f95', 1.6)}`],
  '🐛': [
    'bug',
    '<ellipse cx="10" cy="11" rx="4.500" ry="6" fill="#6aa84f"/><circle cx="10" cy="4.500" r="2.500" fill="#4e7f39"/>',
  ],
  '📋': [
    'clipboard',
    '<rect x="4" y="3" width="12" height="15" rx="1.500" fill="#b0793f"/><rect x="5.500" y="5" width="9" height="11.500" fill="#fff"/><rect x="7.500" y="2" width="5" height="3" rx="1" fill="#8a8f95"/>',
  ],
  '📝': [
    'memo',
    `<rect x="3.500" y="2.500" width="11" height="15" rx="1.500" fill="#fff" stroke="#a8adb3"/>${line('M6 7h6M6 10h6M6 13h3', '#8a8f95', 1.2)}${line('m11 15 6-7', '#ef8a17', 2.2)}`,
  ],
  '🔍': [
    'mag',
    `<circle cx="8.500" cy="8.500" r="5" fill="#dbeafe" stroke="#5b6770" stroke-width="1.800"/>${line('m12.500 12.500 4.500 4.500', '#5b6770')}`,
  ],
  '🎉': [
    'tada',
    `<path d="m3 17 4-9 5 5z" fill="#f2b632"/>${line('M11 6c1-2 0-3 1-4M13 9c2-1 3 0 4.500-1M10 4.500v.1M16 4v.1M16.500 12.500v.1', '#d94f8a', 1.8)}`,
  ],
  '💡': [
    'bulb',
    '<path d="M10 2.500a5 5 0 0 0-2.500 9.300V14h5v-2.200A5 5 0 0 0 10 2.500z" fill="#f7d64a" stroke="#c79312"/><rect x="8" y="15" width="4" height="2.500" rx="1" fill="#8a8f95"/>',
  ],
  '🔧': [
    'wrench',
    line(
      'm5 15 6-6M11 9a3.500 3.500 0 0 1 4.500-4.500l-2 2 .5 1.500 1.500.5 2-2A3.500 3.500 0 0 1 12 11z',
      '#5b6770',
      1.8,
    ),
  ],
  '⚙': [
    'gear',
    '<circle cx="10" cy="10" r="5" fill="none" stroke="#6b737b" stroke-width="3"/><circle cx="10" cy="10" r="7.300" fill="none" stroke="#6b737b" stroke-width="2" stroke-dasharray="2.500 3.200"/>',
  ],
  '🚨': [
    'rotating_light',
    '<path d="M5 14V9a5 5 0 0 1 10 0v5z" fill="#d92d3a"/><rect x="3.500" y="14" width="13" height="3.500" rx="1" fill="#5b6770"/>',
  ],
  '🚀': [
    'rocket',
    '<path d="M10 2c3 2 4 5.500 3.500 10h-7C6 7.500 7 4 10 2z" fill="#dfe3e8" stroke="#8a8f95"/><circle cx="10" cy="7.500" r="1.700" fill="#2a6fdb"/><path d="m8 13 2 5 2-5z" fill="#ef8a17"/>',
  ],
  '⬜': [
    'white_large_square',
    '<rect x="2.500" y="2.500" width="15" height="15" rx="2.500" fill="#fff" stroke="#a8adb3"/>',
  ],
};
const plain = {
  thumbsup: '👍',
  '+1': '👍',
  wave: '👋',
  arrow_right: '→',
  arrow_up: '↑',
  arrow_down: '↓',
  bar_chart: '📊',
};
const byName = new Map(Object.entries(drawings).map(([sign, [name]]) => [name, sign]));

/** The picture or sign of an emoji by its name; null when it is unknown. */
export function emojiByName(name) {
  const sign = byName.get(name);
  if (sign) return picture(sign);
  return plain[name] ? document.createTextNode(plain[name]) : null;
}

/** Text in which the emoji signs are pictures. */
export function withEmoji(text) {
  const parts = text.split(/(\p{Extended_Pictographic})\uFE0F?/u);
  return parts.filter((part) => part !== '').map((part) => (drawings[part] ? picture(part) : part));
}

function picture(sign) {
  const [name, drawing] = drawings[sign];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">${drawing}</svg>`;
  return h('img', {
    class: 'emoji',
    alt: name.replaceAll('_', ' '),
    src: `data:image/svg+xml,${encodeURIComponent(svg)}`,
  });
}
