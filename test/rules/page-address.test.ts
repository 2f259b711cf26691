import fc from 'fast-check';
import { isNoiseParameter, pageAddress, projectFile } from '../../workflows/rules/page-address';

describe('pageAddress', () => {
  it.each([
    ['https://Shop.Example/Cart', 'https://shop.example/Cart'],
    ['https://shop.example/', 'https://shop.example'],
    ['https://shop.example', 'https://shop.example'],
    ['https://shop.example:443/cart/', 'https://shop.example/cart'],
    ['https://shop.example//cart///items/', 'https://shop.example/cart/items'],
    ['https://shop.example/cart#reviews', 'https://shop.example/cart'],
    ['https://shop.example/#/cart/', 'https://shop.example/#/cart'],
    ['https://shop.example/#/', 'https://shop.example'],
    ['https://shop.example/#!/?tab=2', 'https://shop.example'],
    ['https://shop.example/cart#//', 'https://shop.example/cart'],
    ['https://shop.example/#!/cart?tab=2', 'https://shop.example/#!/cart'],
    ['https://shop.example/cart?utm_source=mail&utm_medium=x&page=2', 'https://shop.example/cart?page=2'],
    ['https://shop.example/cart?b=2&a=1', 'https://shop.example/cart?a=1&b=2'],
    ['https://shop.example/cart?gclid=x&fbclid=y&_ga=z', 'https://shop.example/cart'],
    ['https://shop.example/cart?PHPSESSID=abc&sid=1', 'https://shop.example/cart'],
    ['https://shop.example/cart;jsessionid=A1B2?page=2', 'https://shop.example/cart?page=2'],
    ['https://shop.example/cart?_=1718000000', 'https://shop.example/cart'],
    ['https://shop.example/shop/index.html', 'https://shop.example/shop'],
    ['https://shop.example/index.php?id=7', 'https://shop.example/?id=7'],
    ['https://user:secret@shop.example/cart', 'https://shop.example/cart'],
    ['http://localhost:3000/cart', 'http://localhost:3000/cart'],
    ['http://localhost:49213/cart', 'http://localhost/cart'],
    ['http://127.0.0.1:40001/', 'http://127.0.0.1'],
    ['http://shop.example:40001/', 'http://shop.example:40001'],
    ['  about:blank ', 'about:blank'],
    ['not a url', 'not a url'],
    ['', ''],
  ])('%s is %s', (address, expected) => {
    expect(pageAddress(address)).toBe(expected);
  });

  const url = fc
    .record({
      base: fc.webUrl({ withFragments: true }),
      route: fc.option(fc.stringMatching(/^#!?\/*[a-z?/]*$/)),
      parameters: fc.array(fc.tuple(fc.constantFrom('page', 'q', 'utm_source', 'sid', 'b'), fc.string()), {
        maxLength: 5,
      }),
    })
    .map(({ base, parameters, route }) => {
      const made = new URL(base);
      if (route) made.hash = route;
      for (const [name, value] of parameters) made.searchParams.append(name, value);
      return made.href;
    });

  it('changes nothing when it is applied twice', () => {
    fc.assert(fc.property(url, (address) => expect(pageAddress(pageAddress(address))).toBe(pageAddress(address))));
    fc.assert(fc.property(fc.string(), (text) => expect(pageAddress(pageAddress(text))).toBe(pageAddress(text))));
  });

  it('does not see campaigns, sessions, fragments and the order of parameters', () => {
    const visit = fc.constantFrom('utm_campaign=summer', 'gclid=1', 'PHPSESSID=x', 'sessionid=y', '_=99', 'mc_cid=z');
    fc.assert(
      fc.property(url, fc.array(visit, { maxLength: 4 }), (address, noise) => {
        const visited = new URL(address);
        const kept = [...visited.searchParams].reverse();
        visited.search = new URLSearchParams([
          ...kept,
          ...noise.map((pair) => pair.split('=', 2) as [string, string]),
        ]).toString();
        if (!visited.hash.startsWith('#/') && !visited.hash.startsWith('#!/')) visited.hash = '#elsewhere';
        expect(pageAddress(visited.href)).toBe(pageAddress(address));
      }),
    );
  });
});

describe('isNoiseParameter', () => {
  it.each(['page', 'id', 'q', 'category', 'side', 'utm'])('keeps %s', (name) =>
    expect(isNoiseParameter(name)).toBe(false),
  );
  it.each(['utm_term', 'UTM_Term', 'sid', 'JSESSIONID', 'ASPSESSIONIDABC'])('drops %s', (name) =>
    expect(isNoiseParameter(name)).toBe(true),
  );
});

describe('projectFile', () => {
  it.each([
    ['/home/runner/work/shop/shop/src/cart.test.js', 'src/cart.test.js'],
    ['D:\\a\\shop\\shop\\src\\cart.test.js', 'src/cart.test.js'],
    ['/builds/team/shop/test/cart.py', 'test/cart.py'],
    ['/var/jenkins_home/workspace/shop/test/cart.rb', 'test/cart.rb'],
    ['./src/cart.test.js', 'src/cart.test.js'],
    ['file:///app/src/cart.test.js', 'src/cart.test.js'],
    ['src\\cart.test.js', 'src/cart.test.js'],
    ['/opt/shop/cart.test.js', '/opt/shop/cart.test.js'],
  ])('%s is %s', (path, expected) => {
    expect(projectFile(path)).toBe(expected);
  });
});
