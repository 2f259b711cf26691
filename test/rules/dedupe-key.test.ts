import fc from 'fast-check';
import {
  ctrfTest,
  findingText,
  occurrenceText,
  playwrightFullName,
  testFullName,
} from '../../workflows/rules/dedupe-key';

describe('findingText', () => {
  const here = { rule: 'label', page: 'https://shop.example/cart', element: '#mail' };

  it('looks at the page and the element only where the grouping does', () => {
    const elsewhere = { ...here, page: 'https://shop.example' };
    const other = { ...here, element: '#name' };
    expect(findingText(elsewhere, 'rule')).toBe(findingText(here, 'rule'));
    expect(findingText(elsewhere, 'page')).not.toBe(findingText(here, 'page'));
    expect(findingText(other, 'page')).toBe(findingText(here, 'page'));
    expect(findingText(other, 'element')).not.toBe(findingText(here, 'element'));
    expect(findingText(elsewhere, 'element')).not.toBe(findingText(here, 'element'));
  });

  it('is told apart whatever the parts hold', () => {
    const text = fc.string();
    const identity = fc.record({ rule: text, page: text, element: text });
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const same = a.rule === b.rule && a.page === b.page && a.element === b.element;
        expect(findingText(a, 'element') === findingText(b, 'element')).toBe(same);
        const samePlace = a.page === b.page && a.element === b.element;
        expect(occurrenceText(a) === occurrenceText(b)).toBe(samePlace);
      }),
    );
  });

  it('never changes: stored findings are known by it', () => {
    expect(findingText(here, 'rule')).toBe('[1,"rule","label"]');
    expect(findingText(here, 'page')).toBe('[1,"page","label","https://shop.example/cart"]');
    expect(findingText(here, 'element')).toBe('[1,"element","label","https://shop.example/cart","#mail"]');
    expect(occurrenceText({ page: null, element: null })).toBe('[1,"",""]');
  });
});

describe('testFullName', () => {
  it.each([
    [
      'jest-junit',
      { name: 'Cart adds an item', className: 'Cart adds an item', suites: ['Cart'] },
      'Cart adds an item',
    ],
    ['mocha', { name: 'Cart adds an item', className: 'adds an item', suites: ['Cart'] }, 'Cart adds an item'],
    [
      'pytest',
      { name: 'test_total[2]', className: 'tests.test_cart.TestTotal', suites: ['pytest'] },
      'tests.test_cart.TestTotal › test_total[2]',
    ],
    [
      'Surefire',
      { name: 'addsItem', className: 'com.example.CartTest', suites: ['com.example.CartTest'] },
      'com.example.CartTest › addsItem',
    ],
    [
      'Playwright',
      { name: 'Cart › adds', className: 'cart.spec.ts', suites: ['cart.spec.ts'] },
      'cart.spec.ts › Cart › adds',
    ],
    ['Node', { name: 'adds', className: 'test', suites: ['math', 'inner'] }, 'math › inner › adds'],
    [
      'an address in memory',
      { name: 'test[<object at 0x7faa7b875690>]', className: 'tests', suites: [] },
      'tests › test[<object at 0x*>]',
    ],
    ['a duration', { name: 'adds (12 ms)', className: 'Cart', suites: [] }, 'Cart › adds'],
    ['line breaks', { name: 'adds\n   an item', className: ' Cart ', suites: [] }, 'Cart › adds an item'],
    [
      'mocha, fallen with its hook',
      { name: '"before each" hook: login for "adds"', className: 'Cart', suites: [] },
      'Cart › adds',
    ],
    ['no name', { name: '', className: 'Cart', suites: [] }, 'Cart'],
  ])('of %s', (_runner, test, expected) => {
    expect(testFullName(test)).toBe(expected);
  });
});

describe('ctrfTest', () => {
  it.each([
    ['Jest', { tool: 'jest', name: 'Cart adds', suite: ['cart.test.js > Cart'] }, ['Cart adds', 'cart.test.js', null]],
    ['mocha', { tool: 'mocha', name: 'Cart adds', suite: [] }, ['Cart adds', null, null]],
    [
      'Vitest',
      { tool: 'vitest', name: 'adds', suite: ['cart.test.ts', 'Cart'] },
      ['Cart › adds', 'cart.test.ts', null],
    ],
    [
      'Playwright',
      { tool: 'playwright', name: 'adds', suite: ['chromium > cart.spec.ts > Cart > discount'] },
      ['cart.spec.ts › Cart › discount › adds', 'cart.spec.ts', 'chromium'],
    ],
    [
      'Playwright without projects',
      { tool: 'Playwright', name: 'adds', suite: ['cart.spec.ts'] },
      ['cart.spec.ts › adds', 'cart.spec.ts', null],
    ],
  ] as const)('of %s', (_tool, test, expected) => {
    const { full, file, project } = ctrfTest(test);
    expect([full, file, project]).toEqual(expected);
  });

  it('is the name that JUnit gives', () => {
    const junit = testFullName({ name: 'Cart › adds', className: 'cart.spec.ts', suites: [] });
    expect(playwrightFullName({ file: 'cart.spec.ts', titles: ['Cart', 'adds'] })).toBe(junit);
  });
});
