// Uploads that are refused before their end: the sender gets the answer, and the disk keeps nothing.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createSteps, junit, type Steps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { until } from '../support/until';
import { type File, formBody, picture, png, report } from './support';

let stack: Stack;
let go: Steps;
const spool = mkdtempSync(join(tmpdir(), 'recheck-early-'));
const MB = 1_048_576;
const boundary = 'edge';
const formType = `multipart/form-data; boundary=${boundary}`;

beforeAll(async () => {
  stack = await startStack({ worker: false, env: { TMPDIR: spool } });
  go = createSteps(stack, { stories: 'early' });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(spool, { recursive: true, force: true });
});

const emptySpool = () => until(() => readdirSync(spool).length === 0, { what: 'an empty spool' });

/** An upload that has begun, and whose end is left to the test. */
function begin(path: string, body: Buffer, headers: Record<string, string> = {}): ClientRequest {
  const sending = request(stack.local.baseUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.local.apiKey}`, 'content-type': formType, ...headers },
  });
  sending.on('error', () => undefined);
  sending.write(body);
  return sending;
}

async function answerTo(sending: ClientRequest): Promise<{ status: number | undefined; code: string }> {
  return await new Promise((resolve, reject) => {
    sending.on('error', reject);
    sending.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, code: JSON.parse(text).code }));
    });
  });
}

/** Sends everything before it listens, as most clients do that are no browsers; answers what it hears then. */
async function sendThenListen(path: string, body: Buffer, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(stack.local.baseUrl);
  const socket = connect(Number(port), hostname);
  const told = { host: hostname, authorization: `Bearer ${stack.local.apiKey}`, 'content-length': body.length };
  const lines = Object.entries({ ...told, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.pause();
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.on('error', reject);
      socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      socket.write(body, () => socket.resume());
      let heard = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        heard += chunk;
        const [head = '', text] = heard.split('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (text !== undefined && Buffer.byteLength(text) === length) resolve(heard);
      });
      socket.on('close', () => reject(new Error(`Closed, after: ${heard}`)));
    });
  } finally {
    socket.destroy();
  }
}

const pays = report(junit({ failed: ['pays'] }));
const shot = (size: number, filename?: string) => picture('evidence[shop › pays]', png('shot', size), filename);
const longReport: File = { ...pays, bytes: Buffer.concat([Buffer.from(pays.bytes), Buffer.alloc(3 * MB, ' ')]) };

const refused: [what: string, files: () => File[], status: number, code: string][] = [
  ['51 pictures of 70 kB', () => [pays, ...Array.from({ length: 51 }, () => shot(70_000))], 400, 'too_many_parts'],
  ['two reports of 3 MB', () => [longReport, { ...longReport, field: 'other' }], 400, 'second_report'],
  ['an unsafe name after 3 MB', () => [pays, shot(3 * MB), shot(3 * MB, '../x.png')], 400, 'unsafe_name'],
  ['no file name after 3 MB', () => [pays, shot(3 * MB), shot(3 * MB, '')], 400, 'no_file_name'],
  ['no picture after 3 MB', () => [pays, shot(3 * MB), { ...longReport, filename: 'a.png' }], 400, 'not_a_picture'],
  ['a picture of 11 MB after 3 MB', () => [pays, shot(3 * MB), shot(11 * MB), shot(3 * MB)], 413, 'too_large'],
];

describe('I3: an upload that is refused while it is coming', () => {
  it.each(refused)('I3 %s: answered although the form goes on', async (_what, files, status, code) => {
    const to = `/api/v1/sources/${await go.source()}/reports`;
    const body = formBody(files(), boundary).subarray(0, -(boundary.length + 8));
    for (const [form, headers] of [[body, {}] as const, [gzipSync(body), { 'content-encoding': 'gzip' }] as const]) {
      const sending = begin(to, form, headers);
      expect(await answerTo(sending)).toEqual({ status, code });
      sending.destroy();
      await emptySpool();
    }
  });

  it.each(refused)('I3 %s: nothing stays when the sender goes away', async (_what, files) => {
    const to = `/api/v1/sources/${await go.source()}/reports`;
    const body = formBody(files(), boundary);
    for (const share of [0.3, 0.6, 0.9, 1]) {
      const sending = begin(to, body.subarray(0, Math.floor(body.length * share)));
      let isAnswered = false;
      const ended = () => {
        isAnswered = true;
      };
      answerTo(sending).then(ended, ended);
      await until(() => isAnswered || readdirSync(spool).length > 0, { what: 'the spooled form, or its refusal' });
      sending.destroy();
      await emptySpool();
    }
  });

  const plain = { 'content-type': 'application/xml' };
  const unread: [what: string, to: () => Promise<string>, headers: Record<string, string>, status: number][] = [
    ['no such source', async () => '/api/v1/sources/none/reports', plain, 404],
    ['no such source for a form', async () => '/api/v1/sources/none/reports', { 'content-type': formType }, 404],
    ['a form without a boundary', reportsOfNew, { 'content-type': 'multipart/form-data' }, 400],
    ['no gzip, though it says so', reportsOfNew, { ...plain, 'content-encoding': 'gzip' }, 400],
    ['too much', reportsOfNew, plain, 413],
    ['a session that is not there', async () => `/api/v1/sessions/${randomUUID()}/reports`, plain, 404],
  ];
  async function reportsOfNew(): Promise<string> {
    return `/api/v1/sources/${await go.source()}/reports`;
  }
  it.each(unread)('I3 %s: who sends everything first hears the answer', async (what, to, headers, status) => {
    const body = Buffer.alloc((what === 'too much' ? 101 : 20) * MB, ' ');
    const path = await to();
    for (const connection of ['keep-alive', 'close']) {
      const heard = await sendThenListen(path, body, { ...headers, connection });
      expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }
    await emptySpool();
  });

  it('I3 who sends everything and goes away at once leaves nothing behind', async () => {
    const { hostname, port } = new URL(stack.local.baseUrl);
    const to = await reportsOfNew();
    const body = formBody([pays, shot(100_000)], boundary);
    const auth = `host: ${hostname}\r\nauthorization: Bearer ${stack.local.apiKey}\r\n`;
    const head = `${auth}content-length: ${body.length}\r\n`;
    const goesAway = (type: string) =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.write(`POST ${to} HTTP/1.1\r\n${head}content-type: ${type}\r\n\r\n`);
        socket.write(body, () => socket.destroy());
      });
    const types = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? formType : 'application/xml'));
    for (let round = 0; round < 5; round += 1) await Promise.all(types.map(goesAway));
    // What is answered now was asked after all of them.
    expect((await stack.api('GET', '/api/v1/findings')).status).toBe(200);
    await emptySpool();
  });
});
