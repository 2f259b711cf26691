// How much taking in a large report costs beside reading it: JUnit of 50,000 cases (20 MB), 2 % of them failing, and
// axe-core of 20,000 elements; both uploaded to a server in a process of its own, into a source that knows none of it
// and again into the same. The JUnit file is measured as the body and as a form with 50 pictures of 1 MB. The bare limit
// is parsing alone, in this process. Memory is the server's: its highest resident set over what it had before it saw a
// large report.

import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReport } from '../../api/ingest/parse';
import type { LocalFile } from '../../local/local-file';
import { median, rounded } from './support/figures';
import { type Product, startProduct } from './support/product';
import type { BenchServers } from './support/servers';

const CASES = 50_000;
const PER_FILE = 500;
const FAILING_EVERY = 50;
const ELEMENTS = 20_000;
const AXE_RULES = 20;
const AXE_PAGES = 10;
const PICTURES = 50;
const ROUNDS = 3;
const MEGABYTE = 1_048_576;

type Sample = {
  report: 'junit' | 'junit with pictures' | 'axe';
  path: string;
  sizes: Record<string, number>;
  findings: number;
  pictures?: number;
};

/** Prints one JSON line for each report; times are medians in seconds, `peakMemoryMb` is of the server's process. */
export async function runIngestBench(servers: BenchServers): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recheck-bench-'));
  try {
    const junit = junitSample(join(folder, 'report.xml'));
    const pictured = { ...junit, report: 'junit with pictures', pictures: PICTURES } as const;
    const samples = [junit, pictured, axeSample(join(folder, 'report.json'))];
    for (const sample of samples) {
      const product = await startProduct(servers, {});
      try {
        console.log(JSON.stringify(await measure(product, sample)));
      } finally {
        await product.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure({ local, pids }: Product, { report, path, sizes, findings, pictures = 0 }: Sample) {
  const file = readFileSync(path);
  const memory = watchMemory(pids.server ?? 0);
  const times = { bare: [] as number[], full: [] as number[], again: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const source = await makeSource(local);
    const body = pictures > 0 ? pictured(file, pictures) : { bytes: file };
    times.bare.push(await seconds(() => parseReport({ path })));
    times.full.push(await seconds(() => upload(local, { source, body, expected: { new: findings } })));
    times.again.push(await seconds(() => upload(local, { source, body, expected: { seen: findings } })));
  }
  const [bare, value, again] = [median(times.bare), median(times.full), median(times.again)];
  return {
    bench: 'ingest',
    report,
    value: rounded(value),
    bare: rounded(bare),
    ratio: rounded(value / bare),
    unit: 's',
    again: rounded(again),
    ...memory.stop(),
    ...sizes,
    ...(pictures > 0 ? { pictures } : {}),
    fileMb: rounded(statSync(path).size / MEGABYTE),
  };
}

async function makeSource(local: LocalFile): Promise<string> {
  const key = `bench-${randomUUID()}`;
  const body = JSON.stringify({ key, name: key, kind: 'site' });
  await answered(local, '/sources', { body, headers: { 'content-type': 'application/json' } });
  return key;
}

/** What goes out: the report itself, or a form with it. */
type Body = { bytes: Buffer; contentType?: string };
type Upload = { source: string; body: Body; expected: { new?: number; seen?: number } };

/** A form with the report and a picture of each of the first failing tests; no picture was there before. */
function pictured(file: Buffer, count: number): Body {
  const boundary = randomUUID();
  const part = (name: string, bytes: Buffer) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="file"\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ];
  const pictures = Array.from({ length: count }, (_, suite) =>
    part(
      `evidence[Feature ${suite} under load › does thing 0 as the customer expects it to]`,
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(MEGABYTE)]),
    ),
  );
  const bytes = Buffer.concat([...part('report', file), ...pictures.flat(), Buffer.from(`--${boundary}--\r\n`)]);
  return { bytes, contentType: `multipart/form-data; boundary=${boundary}` };
}

async function upload(local: LocalFile, { source, body, expected }: Upload): Promise<void> {
  const { bytes, contentType } = body;
  const headers = { 'idempotency-key': randomUUID(), ...(contentType ? { 'content-type': contentType } : {}) };
  const path = `/sources/${source}/reports`;
  const { findings, pictures } = await answered(local, path, { body: new Uint8Array(bytes), headers });
  if (contentType && pictures?.kept !== PICTURES) throw new Error(`Pictures: ${JSON.stringify(pictures)}`);
  for (const [count, value] of Object.entries(expected)) {
    if (findings?.[count] !== value) throw new Error(`Expected ${value} ${count}: ${JSON.stringify(findings)}`);
  }
}

async function answered(
  { baseUrl, apiKey }: LocalFile,
  path: string,
  { body, headers }: { body: string | Uint8Array<ArrayBuffer>; headers: Record<string, string> },
): Promise<{ findings?: Record<string, number>; pictures?: { kept: number } }> {
  const url = `${baseUrl}/api/v1${path}`;
  const answer = await fetch(url, { method: 'POST', body, headers: { ...headers, authorization: `Bearer ${apiKey}` } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { findings?: Record<string, number>; pictures?: { kept: number } };
}

function junitSample(path: string): Sample {
  const file = openSync(path, 'w');
  writeSync(file, `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bench" tests="${CASES}">\n`);
  for (let suite = 0; suite < CASES / PER_FILE; suite += 1) writeSync(file, suiteText(suite));
  writeSync(file, '</testsuites>\n');
  closeSync(file);
  const failing = CASES / FAILING_EVERY;
  return { report: 'junit', path, sizes: { cases: CASES, failing }, findings: failing };
}

function suiteText(suite: number): string {
  const name = `packages/module-${suite}/test/feature-${suite}.test.ts`;
  const lines = [
    `<testsuite name="feature ${suite}" file="${name}" timestamp="2026-01-15T08:00:00.000Z" tests="${PER_FILE}">`,
  ];
  for (let index = 0; index < PER_FILE; index += 1) {
    const number = suite * PER_FILE + index;
    const open = `<testcase classname="Feature ${suite} under load" name="does thing ${index} as the customer expects it to" file="${name}" time="0.0${index % 10}">`;
    const output = `<system-out>case ${number}: ${'prepared the shop, filled the cart, paid; '.repeat(4)}</system-out>`;
    lines.push(open, number % FAILING_EVERY === 0 ? failureText(number) : '', output, '</testcase>');
  }
  return `${lines.join('\n')}\n</testsuite>\n`;
}

function failureText(number: number): string {
  const frame = `    at Cart.total (/home/runner/work/shop/shop/packages/cart/src/cart.ts:${number % 900}:17)\n`;
  return `<failure type="AssertionError" message="expected ${number} to be ${number + 1}">AssertionError: expected &lt;${number}&gt;\n${frame.repeat(20)}</failure>`;
}

/** Pages as @axe-core/cli writes them, every element at a place of its own. */
function axeSample(path: string): Sample {
  const perRule = ELEMENTS / AXE_RULES / AXE_PAGES;
  const pages = Array.from({ length: AXE_PAGES }, (_, page) => ({
    testEngine: { name: 'axe-core', version: '4.14.1' },
    timestamp: '2026-01-15T08:00:00.000Z',
    url: `https://shop.example/page-${page}`,
    violations: Array.from({ length: AXE_RULES }, (_, rule) => axeRule(rule, perRule)),
    passes: Array.from({ length: AXE_RULES }, (_, rule) => ({ ...axeRule(rule, 10), id: `passed-${rule}` })),
    incomplete: [],
    inapplicable: [],
  }));
  writeFileSync(path, JSON.stringify(pages));
  return { report: 'axe', path, sizes: { elements: ELEMENTS, pages: AXE_PAGES }, findings: AXE_RULES };
}

function axeRule(rule: number, elements: number) {
  const message = 'Element does not have text that is visible to screen readers';
  const check = (id: string) => ({ id, data: null, relatedNodes: [], impact: 'serious', message });
  return {
    id: `rule-${rule}`,
    impact: 'serious',
    tags: ['cat.forms', 'wcag2a', 'wcag412'],
    description: 'Ensures that every form element has a label',
    help: 'Form elements must have labels',
    helpUrl: `https://dequeuniversity.com/rules/axe/4.14/rule-${rule}`,
    nodes: Array.from({ length: elements }, (_, index) => ({
      any: ['implicit-label', 'explicit-label', 'aria-label', 'non-empty-title'].map(check),
      all: [],
      none: [],
      impact: 'serious',
      html: `<input type="text" name="field-${rule}-${index}" class="form-control ${'wide '.repeat(20)}">`,
      target: [`#form-${rule} > .row-${index} > input`],
      failureSummary: `Fix any of the following:\n  ${message}`,
    })),
  };
}

/** Where the system has no /proc, the figures are left out. */
function watchMemory(pid: number): { stop: () => { idleMemoryMb?: number; peakMemoryMb?: number } } {
  const idle = residentBytes(pid);
  let peak = idle;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      if (idle === 0) return {};
      return { idleMemoryMb: Math.round(idle / MEGABYTE), peakMemoryMb: Math.round((peak - idle) / MEGABYTE) };
    },
  };
}

function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}
