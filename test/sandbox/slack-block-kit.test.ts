import { type Surface, validateBlocks, validateMessage, validateView } from '../../local/sandbox/slack/block-kit';
import { modal } from './slack-fixture';

const text = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const button = (extra: object = {}) => ({ type: 'button', text: plain(5), action_id: 'push', ...extra });
const option = (extra: object = {}) => ({ text: plain(75), value: 'v'.repeat(75), ...extra });
const actions = (...elements: object[]) => [{ type: 'actions', elements }];
const times = (count: number, make: (index: number) => object) =>
  Array.from({ length: count }, (_, index) => make(index));
const select = (options: object[], extra: object = {}) => ({
  type: 'static_select',
  action_id: 's',
  options,
  ...extra,
});

const allowed: [string, Surface, object[]][] = [
  ['50 blocks in a message', 'message', times(50, () => ({ type: 'divider' }))],
  ['100 blocks in a Home tab', 'home', times(100, () => ({ type: 'divider' }))],
  ['section text of 3000', 'message', [{ type: 'section', text: text(3000) }]],
  ['ten fields of 2000', 'message', [{ type: 'section', fields: times(10, () => text(2000)) }]],
  ['a header of 150', 'message', [{ type: 'header', text: plain(150) }]],
  ['25 buttons', 'message', actions(...times(25, (index) => button({ action_id: `push_${index}` })))],
  ['a button value of 2000', 'message', actions(button({ value: 'v'.repeat(2000) }))],
  ['option values of 75', 'message', actions(select(times(100, () => option())))],
  [
    'rich text with lists, code and quotes',
    'message',
    [
      {
        type: 'rich_text',
        elements: [
          { type: 'rich_text_section', elements: [{ type: 'text', text: 'a', style: { bold: true } }] },
          {
            type: 'rich_text_list',
            style: 'bullet',
            elements: [{ type: 'rich_text_section', elements: [{ type: 'link', url: 'https://a.example' }] }],
          },
          { type: 'rich_text_preformatted', elements: [{ type: 'text', text: '<img>' }] },
          { type: 'rich_text_quote', elements: [{ type: 'user', user_id: 'U1' }] },
        ],
      },
    ],
  ],
  ['markdown in a message', 'message', [{ type: 'markdown', text: '**a**' }]],
  ['an alert in a modal', 'modal', [{ type: 'alert', text: text(200), level: 'warning' }]],
];

const refused: [string, Surface, object[], string][] = [
  ['51 blocks in a message', 'message', times(51, () => ({ type: 'divider' })), 'no more than 50 items'],
  ['101 blocks in a modal', 'modal', times(101, () => ({ type: 'divider' })), 'no more than 100 items'],
  ['section text of 3001', 'message', [{ type: 'section', text: text(3001) }], 'less than 3001 characters'],
  ['empty text', 'message', [{ type: 'section', text: text(0) }], 'more than 0 characters'],
  ['a section without text', 'message', [{ type: 'section' }], 'must have text or fields'],
  ['a field of 2001', 'message', [{ type: 'section', fields: [text(2001)] }], '/blocks/0/fields/0/text'],
  ['eleven fields', 'message', [{ type: 'section', fields: times(11, () => text(1)) }], 'no more than 10 items'],
  ['a header of 151', 'message', [{ type: 'header', text: plain(151) }], 'less than 151 characters'],
  ['a header in mrkdwn', 'message', [{ type: 'header', text: text(5) }], '/blocks/0/text/type'],
  ['button text of 76', 'message', actions(button({ text: plain(76) })), 'less than 76 characters'],
  ['a button value of 2001', 'message', actions(button({ value: 'v'.repeat(2001) })), 'less than 2001 characters'],
  ['an option value of 76', 'message', actions(select([option({ value: 'v'.repeat(76) })])), 'less than 76 characters'],
  ['101 options', 'message', actions(select(times(101, () => option()))), 'no more than 100 items'],
  ['no options', 'message', actions(select([])), 'at least 1 items'],
  [
    'an initial option that is not there',
    'message',
    actions(select([option()], { initial_option: option({ value: 'w' }) })),
    'among options',
  ],
  [
    'six overflow options',
    'message',
    actions({ type: 'overflow', action_id: 'o', options: times(6, () => option()) }),
    'no more than 5',
  ],
  [
    'eleven checkboxes',
    'modal',
    actions({ type: 'checkboxes', action_id: 'c', options: times(11, () => option()) }),
    'no more than 10',
  ],
  [
    '26 elements in actions',
    'message',
    actions(...times(26, (index) => button({ action_id: `p${index}` }))),
    'no more than 25',
  ],
  ['an action id twice', 'message', actions(button(), button()), 'already exists'],
  ['a block id twice', 'message', times(2, () => ({ type: 'divider', block_id: 'same' })), 'already exists'],
  ['an action id of 256', 'message', actions(button({ action_id: 'a'.repeat(256) })), 'less than 256 characters'],
  ['eleven context elements', 'message', [{ type: 'context', elements: times(11, () => text(1)) }], 'no more than 10'],
  ['an unknown block', 'message', [{ type: 'sparkle' }], 'unsupported type'],
  ['an unknown field', 'message', actions(button({ colour: 'red' })), 'invalid additional property: colour'],
  [
    'a text input outside an input block',
    'message',
    actions({ type: 'plain_text_input', action_id: 'a' }),
    'unsupported type',
  ],
  ['an alert in a message', 'message', [{ type: 'alert', text: text(5) }], 'unsupported type'],
  ['markdown in a Home tab', 'home', [{ type: 'markdown', text: 'a' }], 'unsupported type'],
  [
    'an image without a source',
    'message',
    [{ type: 'image', alt_text: 'a' }],
    'exactly one of image_url and slack_file',
  ],
  [
    'a confirm dialog without deny',
    'message',
    actions(button({ confirm: { title: plain(5), text: plain(5), confirm: plain(5) } })),
    'missing required field: deny',
  ],
];

describe('validateBlocks', () => {
  it.each(allowed)('takes %s', (_name, surface, blocks) => {
    expect(validateBlocks(blocks, surface)).toEqual([]);
  });
  it.each(refused)('refuses %s', (_name, surface, blocks, why) => {
    expect(validateBlocks(blocks, surface).join()).toContain(why);
  });
});

describe('validateView', () => {
  it('takes a modal and a Home tab', () => {
    expect(validateView(modal())).toEqual([]);
    expect(validateView({ type: 'home', blocks: [] })).toEqual([]);
  });
  it.each([
    ['a title of 25', { ...modal(), title: plain(25) }, 'less than 25 characters'],
    ['private metadata of 3001', { ...modal(), private_metadata: 'x'.repeat(3001) }, 'less than 3001 characters'],
    ['inputs without submit', { ...modal(), submit: undefined }, 'submit'],
    ['more than 250 KB', { ...modal(), private_metadata: 'x'.repeat(250_001) }, 'view_too_large'],
    ['a view of another type', { type: 'page', blocks: [] }, 'unsupported type'],
  ])('refuses %s', (_name, view, why) => {
    expect(validateView(view).join()).toContain(why);
  });
});

describe('validateMessage', () => {
  it('takes text with blocks', () => {
    expect(validateMessage({ text: 'F-12 is fixed', blocks: [{ type: 'divider' }] })).toEqual([]);
  });
  it('wants text beside blocks, short enough to be updated', () => {
    expect(validateMessage({ blocks: [{ type: 'divider' }] }).join()).toContain('missing required field: text');
    expect(validateMessage({ text: 'x'.repeat(4001) }).join()).toContain('msg_too_long');
  });
});
