import fc from 'fast-check';
import { codeKey, elementKey, stableSelector, stableValue, targetSelector } from '../../workflows/rules/element-key';

describe('stableSelector', () => {
  it.each([
    ['.css-1x2y3z', '.css-*'],
    ['.css-1x2y3z-Button > img', '.css-*-Button > img'],
    ['.Button_root__a8Fh2', '.Button_root__*'],
    ['.Layout_main__x7Qp2.is-open', '.Layout_main__*.is-open'],
    ['.sc-bdVaJa', '.sc-*'],
    ['._3kXzL', '._*'],
    ['._button_1x2yz_12', '._button_*'],
    ['.button--3kXzL', '.button--*'],
    ['.jss123', '.jss*'],
    ['.makeStyles-root-12', '.makeStyles-root-*'],
    ['.svelte-1a2b3c', '.svelte-*'],
    ['.jsx-1234567', '.jsx-*'],
    ['p[data-v-7ba5bd90]', 'p[data-v-*]'],
    ['p[_ngcontent-abc-c12]', 'p[_ngcontent-*]'],
    ['#radix-\\:r1\\: > button', '#radix-:r*: > button'],
    ['#headlessui-menu-button-12', '#headlessui-menu-button-*'],
    ['#ember123', '#ember*'],
    ['#item-0b57a4c2-1111-4222-8333-444455556666', '#item-*'],
    ['ul > li:nth-child(3) > a', 'ul > li > a'],
    ['li:nth-child(2n + 1)', 'li'],
    ['p:first-child', 'p'],
    ['a[href$="orders?sid=1&page=2"]', 'a[href$="orders?page=2"]'],
    ['img[src$="logo.3f2a9c1b.png"]', 'img[src$="logo.*.png"]'],
    ['a[href="#reviews"]', 'a[href="#reviews"]'],
  ])('%s is %s', (selector, expected) => {
    expect(stableSelector(selector)).toBe(expected);
  });

  it.each([
    '.card__title',
    '.card__headerTitle',
    '.nav__level2',
    '.button--primary',
    '.button--is-active',
    '.c-button',
    '.sc-button',
    '.col-6',
    '.mt-4',
    '.h-screen',
    '._hidden',
    '#main',
    '#product-123456',
    'input[name="email"]',
  ])('leaves %s as it is', (selector) => {
    expect(stableSelector(selector)).toBe(selector);
  });

  it('changes nothing when it is applied twice', () => {
    const part = fc.constantFrom(
      '.css-1x2y3z',
      '.Button_root__a8Fh2',
      '#ember12',
      'li:nth-child(2)',
      ' > ',
      'img[src="a.3f2a9c1b.png"]',
      '.card__title',
      ' ',
      ':r1:',
      '"',
      '[',
      '*',
    );
    const selector = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(selector, (text) => {
        const once = stableSelector(text);
        expect(stableSelector(once)).toBe(once);
      }),
    );
  });

  it('does not see a new build or another place among siblings', () => {
    const hash = fc.stringMatching(/^[A-Z][0-9][a-z]{2}[0-9]$/);
    const position = fc.integer({ min: 1, max: 99 });
    fc.assert(
      fc.property(hash, hash, position, position, (one, two, here, there) => {
        const selector = (made: string, at: number) => `.Menu_item__${made} > li:nth-child(${at}) > a`;
        expect(stableSelector(selector(one, here))).toBe(stableSelector(selector(two, there)));
      }),
    );
  });

  it('stays quick on long hostile selectors', () => {
    const started = performance.now();
    for (const text of [
      '"'.repeat(50_000),
      '.a__'.repeat(20_000),
      '\\'.repeat(50_000),
      '_r_'.repeat(20_000),
      '[data-v-'.repeat(10_000),
    ]) {
      stableSelector(text.slice(0, 1_000));
      elementKey({ selector: 'p', html: `<p ${text}`.slice(0, 2_000) });
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('elementKey', () => {
  it('tells siblings with one selector apart by what identifies them', () => {
    const first = elementKey({ selector: 'li:nth-child(1) > img', html: '<img src="/a.png">' });
    const second = elementKey({ selector: 'li:nth-child(2) > img', html: '<img src="/b.png">' });
    expect(first).not.toBe(second);
  });

  it('gives elements that differ only in position one key', () => {
    const first = elementKey({ selector: 'li:nth-child(1)', html: '<li class="x">One</li>' });
    expect(elementKey({ selector: 'li:nth-child(2)', html: '<li class="y">Two</li>' })).toBe(first);
  });

  it('reads attributes in any order and quoting, and only of the element itself', () => {
    const html = [
      '<input name="q" type="search">',
      '<input type=\'search\' name=q data-x="a>b">',
      '<input type="search" name="q"><b id="x">',
    ];
    const keys = html.map((snippet) => elementKey({ selector: 'input', html: snippet }));
    expect(new Set(keys)).toEqual(new Set(['input | input[name="q"][type="search"]']));
  });

  it('reads escaped addresses without their session', () => {
    expect(elementKey({ selector: 'a', html: '<a href="/orders?page=2&amp;sid=1">' })).toBe(
      'a | a[href="/orders?page=2"]',
    );
  });

  it('is at most 1000 long', () => {
    expect(elementKey({ selector: 'p '.repeat(2_000), html: '' }).length).toBeLessThanOrEqual(1_000);
  });
});

describe('targetSelector', () => {
  it('joins frames and shadow roots', () => {
    expect(targetSelector(['#advert', ['#host', 'img']])).toBe('#advert >>> #host >> img');
  });
});

describe('stableValue', () => {
  it.each([
    ['/img/a.png', '/img/a.png'],
    ['/img/chunk-2fa9c1b7d4.png', '/img/chunk-*.png'],
    ['/p?b=1&a=2#top', '/p?a=2&b=1'],
    ['#top', '#top'],
    ['', ''],
  ])('%s is %s', (value, expected) => expect(stableValue(value)).toBe(expected));
});

describe('codeKey', () => {
  const place = { fingerprints: [], enclosing: '', snippet: '', message: 'Expected 3 arguments, but got 12.' };

  it('holds no numbers where only the message tells places apart', () => {
    expect(codeKey(place)).toBe(codeKey({ ...place, message: 'Expected 4 arguments,  but got 1.' }));
    expect(codeKey(place)).not.toBe(codeKey({ ...place, message: 'Unexpected var.' }));
  });

  it('goes by the line itself, and by the name around it, where they are told', () => {
    const line = { ...place, snippet: 'if (a == b) {', enclosing: 'Cart.total' };
    expect(codeKey(line)).toBe(codeKey({ ...line, snippet: '  if (a  == b) { ', message: 'Another message' }));
    expect(codeKey(line)).not.toBe(codeKey({ ...line, snippet: 'if (a == c) {' }));
    expect(codeKey(line)).not.toBe(codeKey({ ...line, enclosing: 'Cart.tax' }));
  });

  it('goes by fingerprints before all else, in any order, unless they are sentences', () => {
    const prints: [string, string][] = [
      ['primaryLocationLineHash', '39fa2ee980eb94b0:1'],
      ['match/v1', '9f86d081884c7d65'],
    ];
    const printed = { ...place, fingerprints: prints };
    expect(codeKey(printed)).toBe(
      codeKey({ ...printed, message: 'x', snippet: 'y', fingerprints: prints.toReversed() }),
    );
    expect(codeKey({ ...place, fingerprints: [['match/v1', 'requires login']] })).toBe(codeKey(place));
  });

  it('is never longer than a key may be', () => {
    expect(codeKey({ ...place, snippet: 'x'.repeat(5_000) }).length).toBeLessThanOrEqual(1_000);
  });
});
