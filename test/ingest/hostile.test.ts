import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { parseReport } from '../../api/ingest/parse';
import { parseText, readFixture, refusalOf } from './support';

const axe = readFixture('axe/v2.json');
const junit = readFixture('junit/pytest.xml');
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
const latin1 = (text: string) => Buffer.from(text.replace('é', '\xe9'), 'latin1');
const testcase = (inner: string) => `<testsuite><testcase name="a">${inner}</testcase></testsuite>`;
const lolz = `<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(10)}"><!ENTITY c "${'&b;'.repeat(10)}">]>`;

const files: [what: string, body: string | Buffer, code: string][] = [
  ['nothing', '', 'empty'],
  ['white space', ' \n\t \n', 'empty'],
  ['a byte order mark alone', '\ufeff', 'empty'],
  ['text', 'Tests: 3 failed', 'unknown_format'],
  ['a number', '42', 'unknown_format'],
  ['a web page', '<html><body>Sign in</body></html>', 'unknown_format'],
  ['a web page with its document type', '<!doctype html><html></html>', 'invalid_xml'],
  ['another XML report', '<assemblies><assembly/></assemblies>', 'unknown_format'],
  ['an empty object', '{}', 'unknown_format'],
  ['an empty array', '[]', 'unknown_format'],
  ['an array of numbers', '[1, 2, 3]', 'unknown_format'],
  ['an array of arrays', '[[1]]', 'unknown_format'],
  ['another JSON file', '{"name":"shop","dependencies":{"axe-core":"4"}}', 'unknown_format'],
  ['a list of rules of another tool', '{"violations":[{"id":"no-console"}]}', 'unknown_format'],
  ['a CTRF report without tests', '{"reportFormat":"CTRF","results":{"tool":{"name":"jest"}}}', 'invalid_report'],
  ['a key twice', '{"url":"https://shop.example","url":"https://shop.example/cart"}', 'invalid_json'],
  ['null', 'null', 'unknown_format'],
  ['gzip without saying so', gzipSync(axe), 'compressed'],
  ['a zip archive', Buffer.from('PK\x03\x04rest of it', 'latin1'), 'compressed'],
  ['UTF-16 JSON', utf16(axe), 'wrong_encoding'],
  ['UTF-16 XML', utf16(junit), 'wrong_encoding'],
  ['UTF-16 without a mark', Buffer.from('<testsuite/>', 'utf16le'), 'wrong_encoding'],
  ['Latin-1 JSON', latin1('{"url":"café","violations":[]}'), 'wrong_encoding'],
  ['Latin-1 XML', latin1('<testsuite name="café"/>'), 'wrong_encoding'],
  ['half a JSON file', axe.slice(0, axe.length / 2), 'truncated'],
  ['half an XML file', junit.slice(0, junit.length / 2), 'truncated'],
  ['an XML file that ends inside a tag', '<testsuite><testcase', 'truncated'],
  ['an XML file that ends inside a comment', '<testsuite><!-- ', 'truncated'],
  ['an XML file that ends inside a failure', '<testsuite><testcase name="a"><failure>at line', 'truncated'],
  ['JSON that ends inside a text', '{"url": "https://shop', 'truncated'],
  ['JSON with an extra comma', '{"url":"https://shop.example",,}', 'invalid_json'],
  ['JSON with comments', '{"url":"https://shop.example", // here\n "violations":[]}', 'invalid_json'],
  ['JSON with something behind it', `${axe} {"again":true}`, 'invalid_json'],
  ['two JSON files in one', `${axe}${axe}`, 'invalid_json'],
  ['JSON with a bare word', '{"url": undefined}', 'invalid_json'],
  ['closing brackets only', '{]', 'invalid_json'],
  ['tags that cross', '<testsuite><testcase></testsuite></testcase>', 'invalid_xml'],
  ['an attribute without quotes', '<testsuite name=a></testsuite>', 'invalid_xml'],
  ['a control character', testcase('<failure>\u0001</failure>'), 'invalid_xml'],
  ['two roots', '<testsuite/><testsuite/>', 'invalid_xml'],
  ['text behind the root', '<testsuite/>done', 'invalid_xml'],
  ['an entity bomb', `<?xml version="1.0"?>${lolz}<testsuite name="&c;"/>`, 'entities_refused'],
  [
    'an external entity',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite name="&x;"/>',
    'entities_refused',
  ],
  ['an external document type', '<!DOCTYPE testsuite SYSTEM "http://127.0.0.1/x.dtd"><testsuite/>', 'entities_refused'],
  ['an entity that nobody declared', testcase('<failure>&nbsp;</failure>'), 'entities_refused'],
  ['an entity with an inherited name', testcase('<failure>&constructor;</failure>'), 'entities_refused'],
  ['an entity for a forbidden character', testcase('<failure>&#0;</failure>'), 'entities_refused'],
  ['deep JSON arrays', '['.repeat(100_000), 'too_deep'],
  ['deep JSON objects', '{"a":'.repeat(100_000), 'too_deep'],
  ['deep XML', '<testsuite>'.repeat(100_000), 'too_deep'],
  ['one huge JSON text', `{"url":"${'a'.repeat(9_000_000)}"}`, 'text_too_long'],
  ['one huge JSON number', `{"url":${'1'.repeat(9_000_000)}}`, 'text_too_long'],
  ['one huge XML text', testcase(`<system-out>${'a'.repeat(35_000_000)}</system-out>`), 'text_too_long'],
  [
    'an axe result whose rule has no id',
    '{"testEngine":{"name":"axe-core"},"violations":[{"nodes":[]}]}',
    'invalid_report',
  ],
  ['an axe result with null for a rule', '{"testEngine":{"name":"axe-core"},"violations":[null]}', 'invalid_report'],
];

describe('hostile and broken files', () => {
  it.each(files)('%s: refused with a cause', async (_what, body, code) => {
    const error = await refusalOf(body);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^The .{15,}[.>)]$/s);
    expect(error.message.length).toBeLessThan(400);
  });

  it.each(files.filter(([, body]) => body.length < 5_000))(
    '%s, byte by byte: refused alike',
    async (_what, body, code) => {
      expect((await refusalOf(body, { size: 1 })).code).toBe(code);
    },
  );

  it('every prefix of a report is refused or read, never something else', async () => {
    for (const body of [junit, readFixture('axe/no-passes.json')]) {
      const step = Math.ceil(body.length / 150);
      for (let end = 0; end < body.trimEnd().length; end += step) {
        expect((await refusalOf(body.slice(0, end), { size: 4_096 })).code).toMatch(
          /^(truncated|empty|unknown_format)$/,
        );
      }
    }
  });

  it('over the limit: too_large, wherever the file comes from', async () => {
    expect((await parseText(junit, { limitBytes: 1_000 }).catch((error: unknown) => error)) as Error).toMatchObject({
      code: 'too_large',
    });
  });

  it('ends the stream that it stops reading', async () => {
    const stream = Readable.from([Buffer.from('not a report'), Buffer.from('more')]);
    await expect(parseReport({ open: () => stream })).rejects.toMatchObject({ code: 'unknown_format' });
    expect(stream.destroyed).toBe(true);
  });

  it('passes on errors that are not about the file', async () => {
    await expect(parseReport({ path: '/nonexistent/report' })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('odd but whole files', () => {
  it('names of the prototype are only names', async () => {
    const keys = '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":null';
    const rule = (id: string) =>
      `{"id":"${id}","impact":"__proto__","tags":["wcag2a"],"help":"h","helpUrl":"https://example.com",${keys},"nodes":[{${keys},"html":"<p>","target":["p"]}]}`;
    const body = `{${keys},"testEngine":{"name":"axe-core"},"url":"https://shop.example","violations":[${rule('__proto__')},${rule('constructor')}]}`;
    const report = await parseText(body);
    expect(report.findings.map((finding) => [finding.rule, finding.severity])).toEqual([
      ['__proto__', 'moderate'],
      ['constructor', 'moderate'],
    ]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    const tests = await parseText(
      '<testsuite><testcase name="__proto__" classname="constructor" __proto__="x"><failure/></testcase></testsuite>',
    );
    expect(tests.findings[0]?.rule).toBe('constructor › __proto__');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('properties of the wrong type are left out', async () => {
    const body =
      '{"testEngine":{"name":"axe-core","version":4},"url":5,"timestamp":{},"toolOptions":[],"violations":[{"id":"x","tags":"no","help":[],"nodes":[{"target":"p","html":7,"any":{}},null,3]}]}';
    const report = await parseText(body);
    expect(report.findings[0]).toMatchObject({
      rule: 'x',
      title: 'x',
      severity: 'moderate',
      occurrences: [{ page: null }],
    });
    expect(report.startedAt).toBeNull();
  });

  it('characters that no database takes are replaced', async () => {
    const body =
      '{"testEngine":{"name":"axe-core"},"url":"https://shop.example","violations":[{"id":"x","tags":[],"help":"a\\u0000b\\ud800c","nodes":[{"target":["p"],"html":"<p>\\udc00"}]}]}';
    const stored = JSON.stringify((await parseText(body)).findings);
    expect(stored).not.toMatch(/\\u0000|\\ud800|\\udc00/i);
  });
});
