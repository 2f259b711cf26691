// Hostile and broken files: kinds written by hand, times real reports of every format.

import { deflateRawSync, gzipSync } from 'node:zlib';
import { readFixture } from './support';

export type HostileFile = { what: string; body: Buffer; gzip?: boolean };
/** Heavy ones are made of two formats only: they are about the bytes, and take their time. */
type Kind = { kind: string; make: (text: string) => Buffer | string; gzip?: boolean; heavy?: boolean };

// biome-ignore lint/suspicious/noExplicitAny: reports are broken here, whatever they are
type Loose = any;

const jsonReports = {
  axe: 'axe/no-passes.json',
  pa11y: 'pa11y/htmlcs.json',
  'pa11y-ci': 'pa11y/ci.json',
  Lighthouse: 'lighthouse/report.json',
  SARIF: 'sarif/semgrep.sarif',
  CTRF: 'ctrf/jest.json',
  Playwright: 'playwright/report.json',
};
const xmlReports = {
  pytest: 'junit/pytest-reruns.xml',
  Surefire: 'junit/surefire-reruns.xml',
  Playwright: 'junit/playwright-projects.xml',
  mocha: 'junit/mocha-junit-reporter.xml',
};

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const utf32 = (text: string) =>
  Buffer.concat([...text.slice(0, 400)].map((sign) => Buffer.from([sign.charCodeAt(0), 0, 0, 0])));
/** A first entry in the first object, which every reader passes over. */
const withEntry = (text: string, entry: string) => text.replace('{', `{"zz":${entry},`);
const withBytes = (text: string, bytes: Buffer) => {
  const [before = '', after = ''] = withEntry(text, '"BYTES"').split('BYTES');
  return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
};
const zip = (text: string) => Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), deflateRawSync(text)]);

/** Kinds that any text can become. */
const anyKinds: readonly Kind[] = [
  { kind: 'cut in the middle', make: (text) => Buffer.from(text).subarray(0, Math.floor(text.length / 2)) },
  { kind: 'cut at a tenth', make: (text) => Buffer.from(text).subarray(0, Math.ceil(text.length / 10)) },
  { kind: 'cut before the last sign', make: (text) => text.trimEnd().slice(0, -1) },
  {
    kind: 'in UTF-16 with a mark',
    make: (text) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
  },
  { kind: 'in UTF-16, big end first', make: (text) => Buffer.concat([Buffer.from([0xfe, 0xff]), utf16be(text)]) },
  { kind: 'in UTF-16 without a mark', make: (text) => Buffer.from(text, 'utf16le') },
  { kind: 'in UTF-32', make: utf32 },
  { kind: 'twice in one file', make: (text) => text + text },
  { kind: 'with something behind it', make: (text) => `${text.trimEnd()} done` },
  { kind: 'with something before it', make: (text) => `Report follows:\n${text}` },
  { kind: 'gzip that does not say so', make: (text) => gzipSync(text) },
  { kind: 'gzip that is not', make: (text) => text, gzip: true },
  { kind: 'half a gzip file', make: (text) => gzipSync(text).subarray(0, -12), gzip: true },
  {
    kind: 'gzip with a broken sum',
    make: (text) => Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8, 7)]),
    gzip: true,
  },
  { kind: 'in a zip archive', make: zip },
  { kind: 'as a JSON text', make: (text) => JSON.stringify(text) },
];

const jsonKinds: readonly Kind[] = [
  ...anyKinds,
  { kind: 'with Latin-1 in a text', make: (text) => withBytes(text, Buffer.from('caf\xe9', 'latin1')) },
  { kind: 'with an overlong slash', make: (text) => withBytes(text, Buffer.from([0xc0, 0xaf])) },
  { kind: 'with half a surrogate pair in bytes', make: (text) => withBytes(text, Buffer.from([0xed, 0xa0, 0x80])) },
  { kind: 'with a key twice', make: (text) => withEntry(withEntry(text, '1'), '2') },
  { kind: 'with an extra comma', make: (text) => withEntry(text, '1,') },
  { kind: 'with a comment', make: (text) => withEntry(text, '1 /* here */') },
  { kind: 'with single quotes', make: (text) => withEntry(text, "'one'") },
  { kind: 'with NaN', make: (text) => withEntry(text, 'NaN') },
  { kind: 'with a bare line break in a text', make: (text) => withEntry(text, '"a\nb"') },
  { kind: 'with a wrong escape', make: (text) => withEntry(text, '"\\q"') },
  { kind: 'with deep lists', make: (text) => withEntry(text, `${'['.repeat(5_000)}${']'.repeat(5_000)}`) },
  { kind: 'with deep objects', make: (text) => withEntry(text, `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`) },
  { kind: 'with a huge text', make: (text) => withEntry(text, `"${'a'.repeat(9_000_000)}"`), heavy: true },
  { kind: 'with a huge number', make: (text) => withEntry(text, '1'.repeat(9_000_000)), heavy: true },
  { kind: 'with a huge key', make: (text) => text.replace('{', `{"${'k'.repeat(9_000_000)}":1,`), heavy: true },
  { kind: 'below __proto__', make: (text) => `{"__proto__":${text}}` },
  { kind: 'below constructor.prototype', make: (text) => `{"constructor":{"prototype":${text}}}` },
  { kind: 'in a list in a list', make: (text) => `[[${text}]]` },
];

const root = /<(testsuites?)\b/;
const withDoctype = (text: string, doctype: string) => text.replace(root, `${doctype}<$1`);
const inSuite = (text: string, inner: string) => text.replace(/<testcase/, `${inner}<testcase`);
const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('');

const xmlKinds: readonly Kind[] = [
  ...anyKinds,
  {
    kind: 'with an entity bomb',
    make: (text) => inSuite(withDoctype(text, `<!DOCTYPE x [<!ENTITY l0 "ha">${laughs}]>`), '<p>&l9;</p>'),
  },
  {
    kind: 'with a long entity',
    make: (text) =>
      inSuite(withDoctype(text, `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(50_000)}">]>`), `<p>${'&a;'.repeat(5_000)}</p>`),
  },
  {
    kind: 'with a file as entity',
    make: (text) => inSuite(withDoctype(text, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), '<p>&e;</p>'),
  },
  {
    kind: 'with a page as entity',
    make: (text) => inSuite(withDoctype(text, '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]>'), '<p>&e;</p>'),
  },
  {
    kind: 'with a parameter entity',
    make: (text) => withDoctype(text, '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>'),
  },
  {
    kind: 'with an external document type',
    make: (text) => withDoctype(text, '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'),
  },
  {
    kind: 'with an entity that nobody declared',
    make: (text) => inSuite(text, '<testcase name="a"><failure>&nbsp;</failure></testcase>'),
  },
  { kind: 'with an inherited name for an entity', make: (text) => inSuite(text, '<testcase name="&constructor;"/>') },
  { kind: 'with a forbidden sign as entity', make: (text) => inSuite(text, '<testcase name="&#0;"/>') },
  { kind: 'with a control character', make: (text) => inSuite(text, '<testcase name="\u0001"/>') },
  { kind: 'with an attribute twice', make: (text) => inSuite(text, '<testcase name="a" name="b"/>') },
  { kind: 'with an attribute without quotes', make: (text) => inSuite(text, '<testcase name=a></testcase>') },
  { kind: 'with tags that cross', make: (text) => inSuite(text, '<testcase name="a"><failure></testcase></failure>') },
  { kind: 'with a tag that nobody closes', make: (text) => inSuite(text, '<properties>') },
  {
    kind: 'with an open CDATA section',
    make: (text) => inSuite(text, '<testcase name="a"><failure><![CDATA[').replace(/\]\]>/g, ''),
  },
  { kind: 'with an open comment', make: (text) => inSuite(text, '<!-- ').replace(/-->/g, '') },
  { kind: 'with deep elements', make: (text) => inSuite(text, '<a>'.repeat(5_000)) },
  {
    kind: 'with Latin-1 in a name',
    make: (text) => Buffer.from(inSuite(text, '<testcase name="caf\xe9"/>'), 'latin1'),
  },
  { kind: 'below another root', make: (text) => `<assemblies>${text.replace(/<\?xml[^>]*\?>/, '')}</assemblies>` },
];

/** Whatever else people and scanners send; once each. */
const strangers: readonly (readonly [string, Buffer | string])[] = [
  ['nothing', ''],
  ['white space', ' \r\n\t '],
  ['a byte order mark alone', '\ufeff'],
  ['a web page', '<!doctype html><html><head><title>Sign in</title></head><body></body></html>'],
  ['an image', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
  ['a PDF file', '%PDF-1.7\n%\u00e2\u00e3'],
  ['a table', 'name,status\nadds,passed\n'],
  ['YAML', 'tests:\n  - name: adds\n'],
  ['TAP', 'TAP version 13\nok 1 - adds\n'],
  ['a package.json', readFixturePackage()],
  ["Jest's own JSON", readFixture('other/jest.json')],
  ["mocha's own JSON", readFixture('other/mocha.json')],
  ['Cucumber JSON', '[{"uri":"a.feature","keyword":"Feature","name":"Cart","elements":[]}]'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['an empty list', '[]'],
  ['a SOAP message', '<soap:Envelope xmlns:soap="x"><soap:Body/></soap:Envelope>'],
];

/** Reports whose vital part is of another type, or not there. */
const wrongTypes: readonly (readonly [keyof typeof jsonReports, string, (report: Loose, wrong: unknown) => unknown])[] =
  [
    ['axe', 'the list of violations', (report, wrong) => ({ ...report, violations: wrong })],
    ['axe', 'a violation', (report, wrong) => ({ ...report, violations: [wrong] })],
    ['pa11y', 'an issue', (report, wrong) => [...report, wrong]],
    ['pa11y', 'the code of an issue', (report, wrong) => report.map((issue: object) => ({ ...issue, code: wrong }))],
    ['pa11y', 'the type of an issue', (report, wrong) => report.map((issue: object) => ({ ...issue, type: wrong }))],
    ['pa11y-ci', 'the results', (report, wrong) => ({ ...report, results: wrong })],
    [
      'pa11y-ci',
      'a page',
      (report, wrong) => ({ ...report, results: { ...report.results, 'https://shop.example/x': wrong } }),
    ],
    ['pa11y-ci', 'an issue', (report, wrong) => ({ ...report, results: { 'https://shop.example/x': [wrong] } })],
    ['Lighthouse', 'the audits', (report, wrong) => ({ ...report, audits: wrong })],
    ['Lighthouse', 'an audit', (report, wrong) => ({ ...report, audits: { ...report.audits, label: wrong } })],
    ['Lighthouse', 'the categories', (report, wrong) => ({ ...report, categories: wrong })],
    ['SARIF', 'the runs', (report, wrong) => ({ ...report, runs: wrong })],
    ['SARIF', 'the tool', (report, wrong) => ({ ...report, runs: [{ ...report.runs[0], tool: wrong }] })],
    ['SARIF', 'a result', (report, wrong) => ({ ...report, runs: [{ ...report.runs[0], results: [wrong] }] })],
    [
      'SARIF',
      'the message of a result',
      (report, wrong) => ({ ...report, runs: [{ ...report.runs[0], results: [{ message: wrong }] }] }),
    ],
    ['CTRF', 'the tests', (report, wrong) => ({ ...report, results: { ...report.results, tests: wrong } })],
    ['CTRF', 'a test', (report, wrong) => ({ ...report, results: { ...report.results, tests: [wrong] } })],
    [
      'CTRF',
      'the status of a test',
      (report, wrong) => ({ ...report, results: { ...report.results, tests: [{ name: 'a', status: wrong }] } }),
    ],
    ['Playwright', 'the suites', (report, wrong) => ({ ...report, suites: wrong })],
    ['Playwright', 'a suite', (report, wrong) => ({ ...report, suites: [wrong] })],
    ['Playwright', 'a spec', (report, wrong) => ({ ...report, suites: [{ title: 'a', specs: [wrong] }] })],
  ];
const wrongValues: readonly unknown[] = [null, 7, 'none', true, { length: 1 }, [[]]];

/** All of them: more than two hundred, of more than twenty kinds. */
export function hostileFiles(): HostileFile[] {
  const made = [
    ...Object.entries(jsonReports).flatMap(([name, fixture]) => ofKinds(name, readFixture(fixture), jsonKinds)),
    ...Object.entries(xmlReports).flatMap(([name, fixture]) =>
      ofKinds(`JUnit of ${name}`, readFixture(fixture), xmlKinds),
    ),
    ...strangers.map(([what, body]) => ({ what, body: Buffer.from(body as string) })),
    ...wrongTypes.flatMap(([name, part, change]) =>
      wrongValues.flatMap((wrong) => {
        const report = change(JSON.parse(readFixture(jsonReports[name])) as Loose, wrong);
        const body = Buffer.from(JSON.stringify(report));
        return wrong === 'none' && part.startsWith('the code')
          ? []
          : [{ what: `${name} with ${JSON.stringify(wrong)} for ${part}`, body }];
      }),
    ),
    { what: 'a gzip bomb', body: gzipSync(Buffer.alloc(120 * 1024 * 1024)), gzip: true },
    {
      what: 'one huge XML text',
      body: Buffer.from(`<testsuite><system-out>${'a'.repeat(34_000_000)}</system-out></testsuite>`),
    },
  ];
  return made;
}

function ofKinds(name: string, text: string, kinds: readonly Kind[]): HostileFile[] {
  const wanted = kinds.filter(({ heavy }) => !heavy || name === 'axe' || name === 'CTRF');
  return wanted.map(({ kind, make, gzip }) => ({
    what: `${name}, ${kind}`,
    body: Buffer.from(make(text) as string),
    ...(gzip ? { gzip } : {}),
  }));
}

function readFixturePackage(): string {
  return JSON.stringify({ name: 'shop', private: true, dependencies: { 'axe-core': '4' } });
}
