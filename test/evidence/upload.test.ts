import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createSteps, junit, type Steps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createPictureSteps, type File, formBody, picture, png, report, sha256 } from './support';

let stack: Stack;
let go: Steps;
let pictures: ReturnType<typeof createPictureSteps>;
const spool = mkdtempSync(join(tmpdir(), 'recheck-uploads-'));

beforeAll(async () => {
  stack = await startStack({ worker: false, env: { TMPDIR: spool } });
  go = createSteps(stack, { stories: 'uploads' });
  pictures = createPictureSteps(stack);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(spool, { recursive: true, force: true });
});

const pays = report(junit({ failed: ['pays'], passed: ['logs in'] }));
const ofPays = 'evidence[shop › pays]';
const MB = 1_048_576;
const boundary = 'edge';
const formType = `multipart/form-data; boundary=${boundary}`;

/** Nothing of it is in the database or on the disk. */
async function expectNothingKept(before: string): Promise<void> {
  expect(await pictures.stored()).toBe(before);
  await until(() => readdirSync(spool).length === 0, { what: 'an empty spool' });
}

describe('P7: a report with pictures', () => {
  it('P7 the finding lists its pictures, and each is answered as it was sent, without sniffing', async () => {
    const source = await go.source();
    const bytes = png('as it was sent');
    const named = picture(ofPays, bytes, 'C:\\shots\\cart "1".png');
    expect((await pictures.send(source, [{ ...named, filename: 'C:\\\\shots\\\\cart 1;.png' }, pays])).status).toBe(
      201,
    );
    const [id = ''] = await go.findings(source);
    const { evidence } = await go.finding(id);
    expect(evidence).toEqual([
      {
        name: 'cart 1_.png',
        contentType: 'image/png',
        size: bytes.length,
        url: expect.stringContaining('/api/v1/evidence/'),
      },
    ]);
    const { url } = evidence[0];
    const answer = await fetch(url, { headers: { authorization: `Bearer ${stack.local.apiKey}` } });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    expect((await fetch(url)).status).toBe(401);
    expect((await stack.api('GET', `/api/v1/evidence/${randomUUID()}`)).status).toBe(404);
  });

  it('P7 the same form again is the same upload; with another picture it is another one', async () => {
    const source = await go.source();
    const send = (bytes: Buffer) =>
      pictures.sendRaw(source, formBody([pays, picture(ofPays, bytes)], boundary), {
        'content-type': formType,
        'idempotency-key': 'one-run',
      });
    const first = await send(png('one'));
    const again = await send(png('one'));
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(await send(png('two'))).toMatchObject({ status: 409, body: { code: 'idempotency_key_used' } });
  });

  it('P7 a gzipped form, a report of any part name, every kind of picture', async () => {
    const source = await go.source();
    const kinds = {
      'image/png': png('kind'),
      'image/jpeg': Buffer.from('ffd8ffe000104a46494600010100', 'hex'),
      'image/gif': Buffer.from('GIF89a, and more of it'),
      'image/webp': Buffer.from('RIFF\x00\x00\x00\x00WEBPVP8 '),
    };
    const parts = Object.values(kinds).map((bytes) => picture(ofPays, bytes, 'shot'));
    const body = gzipSync(formBody([...parts, { ...pays, field: 'junit' }], boundary));
    const answer = await pictures.sendRaw(source, body, { 'content-type': formType, 'content-encoding': 'gzip' });
    expect(answer.status).toBe(201);
    const [id = ''] = await go.findings(source);
    const { evidence } = await go.finding(id);
    expect(evidence.map((each: { contentType: string }) => each.contentType).sort()).toEqual(Object.keys(kinds).sort());
  });

  it('P7 by fingerprint; a picture of a test that passed shows nothing and is no mistake', async () => {
    const source = await go.source();
    await must(pictures.send(source, [pays]));
    const [id = ''] = await go.findings(source);
    const { fingerprint } = await go.finding(id);
    const well = picture('evidence[shop › logs in]', png('it is well'));
    const answer = await pictures.send(source, [pays, picture(`evidence[${fingerprint}]`, png('by print')), well]);
    expect(answer).toMatchObject({
      status: 201,
      body: { pictures: { kept: 1, unused: [{ name: 'cart.png', reason: expect.stringMatching(/nothing wrong/) }] } },
    });
    expect((await go.finding(id)).evidence).toHaveLength(1);
    const { rows } = await stack.db.query('select 1 from evidence where hash = $1', [sha256(png('it is well'))]);
    expect(rows).toEqual([]);
  });

  it('P7 a picture that shows no finding is told in the answer, the same again, and not kept', async () => {
    const source = await go.source();
    const files = [
      pays,
      picture(ofPays, png('it pays')),
      picture('evidence[shop › flies]', png('it flies'), 'flies.png'),
      picture('shot', png('nobody knows what'), `shots/${'long'.repeat(40)}\u{1f600}.png`),
    ];
    const body = formBody(files, boundary);
    const send = () => pictures.sendRaw(source, body, { 'content-type': formType, 'idempotency-key': 'told' });
    const first = await send();
    expect(first).toMatchObject({ status: 201, body: { findings: { new: 1 } } });
    expect(first.body.pictures).toEqual({
      kept: 1,
      unused: [
        { name: 'flies.png', reason: expect.stringMatching(/nothing named "shop › flies".*evidence\[/s) },
        { name: expect.stringMatching(/^shots\/longlong/), reason: expect.stringMatching(/lists it.*evidence\[/s) },
      ],
    });
    expect(await send()).toEqual({ status: 200, body: first.body });
    const hashes = files.slice(1).map(({ bytes }) => sha256(bytes));
    const { rows } = await stack.db.query('select hash from evidence where hash = any($1)', [hashes]);
    expect(rows).toEqual([{ hash: hashes[0] }]);
    expect((await must(pictures.send(source, [pays]))).pictures).toBeUndefined();
  });

  it('P7 the convention is in the API document', async () => {
    const { paths } = await must(stack.api('GET', '/openapi.json'));
    const { requestBody } = paths['/api/v1/sources/{key}/reports'].post;
    expect(requestBody.description).toContain('evidence[<fingerprint, test name or page URL>]');
    expect(requestBody.content).toHaveProperty('multipart/form-data');
    expect(paths['/api/v1/evidence/{id}'].get.responses['200'].content).toHaveProperty('image/png');
  });
});

describe('P7: what is refused, and nothing of it stored', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => picture(ofPays, png(`${n}`, 60), `${n}.png`));
  const cases: [string, () => File[], number, string, RegExp][] = [
    ['a picture over 10 MB', () => [pays, picture(ofPays, png('big', 10 * MB + 1))], 413, 'too_large', /10 MB/],
    ['a report over 100 MB', () => [report(' '.repeat(100 * MB + 1))], 413, 'too_large', /100 MB/],
    ['51 pictures', () => [pays, ...many(51)], 400, 'too_many_parts', /50 pictures/],
    ['thousands of parts', () => [pays, ...many(5000)], 400, 'too_many_parts', /50 pictures/],
    ['no report', () => [picture(ofPays, png('alone'))], 400, 'no_report', /report=@/],
    ['two reports', () => [pays, { ...pays, field: 'other' }], 400, 'second_report', /one report/],
    [
      'an SVG',
      () => [pays, { ...picture(ofPays, Buffer.from('<svg xmlns="x"/>'), 'a.svg') }],
      400,
      'not_a_picture',
      /PNG, JPEG, WebP or GIF/,
    ],
    [
      'HTML that calls itself a PNG',
      () => [pays, { ...picture('x', Buffer.from('<html><script>'), 'a.png'), type: 'image/png' }],
      400,
      'not_a_picture',
      /by its content/,
    ],
    ['an empty picture', () => [pays, picture(ofPays, Buffer.alloc(0))], 400, 'not_a_picture', /by its content/],
    ['a picture without a file name', () => [pays, picture(ofPays, png('x'), '')], 400, 'no_file_name', /-F name=@/],
    ['a note beside the report', () => [{ ...pays, field: 'note', filename: '' }, pays], 400, 'no_file_name', /"note"/],
    ...['../../etc/cron.d/a.png', 'C:\\\\a\\\\..\\\\b.png', '..', 'a/../b.png', 'a\u0000.png'].map(
      (name): (typeof cases)[number] => [
        `a picture named ${JSON.stringify(name)}`,
        () => [pays, picture(ofPays, png('x'), name)],
        400,
        'unsafe_name',
        /Leave that part of the path off/,
      ],
    ),
    [
      'a report named to be written elsewhere',
      () => [{ ...pays, filename: '../../../dist/api/main.js' }],
      400,
      'unsafe_name',
      /main\.js/,
    ],
    ['a report that is none', () => [report('hello'), picture(ofPays, png('x'))], 400, 'unknown_format', /JSON/],
  ];
  it.each(cases)(
    'P7 %s',
    async (_what, files, status, code, says) => {
      const source = await go.source();
      const before = await pictures.stored();
      const answer = await pictures.send(source, files());
      expect(answer).toMatchObject({ status, body: { code, detail: expect.stringMatching(says) } });
      await expectNothingKept(before);
    },
    60_000,
  );

  it('P7 a sender who goes away in the middle leaves nothing behind', async () => {
    const source = await go.source();
    const before = await pictures.stored();
    const body = formBody([pays, picture(ofPays, png('big', 5 * MB))], boundary);
    const sending = request(`${stack.local.baseUrl}/api/v1/sources/${source}/reports`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${stack.local.apiKey}`,
        'content-type': formType,
        'content-length': body.length,
      },
    });
    sending.on('error', () => undefined);
    sending.write(body.subarray(0, 3 * MB));
    await until(() => readdirSync(spool).length > 0, { what: 'the spooled part' });
    sending.destroy();
    await expectNothingKept(before);
    expect((await stack.api('GET', '/healthz')).status).toBe(200);
  });

  const good = () => formBody([pays, picture(ofPays, png('good'))], boundary);
  const part = (head: string) => Buffer.from(`--${boundary}\r\n${head}\r\n\r\nhello\r\n--${boundary}--\r\n`);
  const hostile: [string, () => Buffer, string, string][] = [
    ['no boundary', good, 'multipart/form-data', 'invalid_form'],
    ['an empty boundary', good, 'multipart/form-data; boundary=""', 'invalid_form'],
    ['another kind of multipart', good, `multipart/mixed; boundary=${boundary}`, 'invalid_form'],
    ['another boundary than the header says', good, 'multipart/form-data; boundary=other', 'truncated'],
    ['an empty body', () => Buffer.alloc(0), formType, 'truncated'],
    ['no parts', () => Buffer.from(`--${boundary}--\r\n`), formType, 'no_report'],
    ['cut in a picture', () => good().subarray(0, -60), formType, 'truncated'],
    ['cut in the headers of a part', () => good().subarray(0, 40), formType, 'truncated'],
    ['cut before its closing boundary', () => good().subarray(0, -6), formType, 'truncated'],
    [
      'headers of a megabyte',
      () => part(`X-Long: ${'a'.repeat(MB)}\r\nContent-Disposition: x`),
      formType,
      'unnamed_part',
    ],
    ['a thousand headers', () => part('X: y\r\n'.repeat(1000).trim()), formType, 'unnamed_part'],
    ['parts without a name', () => part('Content-Type: text/plain'), formType, 'unnamed_part'],
    ['a preamble of megabytes', () => Buffer.alloc(5 * MB, 'x'), formType, 'truncated'],
    ['not gzip, though it says so', good, formType, 'compressed'],
  ];
  it.each(hostile)('P7 a hostile form: %s', async (what, body, contentType, code) => {
    const source = await go.source();
    const before = await pictures.stored();
    const headers = { 'content-type': contentType, ...(what.includes('gzip') ? { 'content-encoding': 'gzip' } : {}) };
    const answer = await pictures.sendRaw(source, body(), headers);
    expect(answer).toMatchObject({ status: 400, body: { code, detail: expect.stringMatching(/\. \S/) } });
    await expectNothingKept(before);
    expect((await stack.api('GET', '/healthz')).status).toBe(200);
  });
});
