// How much storing a report costs beside reading it: a JUnit file of 50,000 cases (20 MB), 2 % of them failing, into a
// source that knows none of them, and again into the same source. The bare limit is parsing alone, in the same process.

import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { parseReport } from '../../api/ingest/parse';
import { applyMigrations } from '../../prisma/migrate';
import { createReportStore } from '../../prisma/reports';
import { createDatabase } from '../support/database';

const CASES = 50_000;
const PER_FILE = 500;
const FAILING_EVERY = 50;
const ROUNDS = 5;

export type IngestBench = {
  bench: 'ingest';
  value: number;
  bare: number;
  ratio: number;
  unit: 's';
  /** The same report into a source that knows its findings. */
  again: number;
  /** Highest resident memory of the process over what it had before the first file. */
  peakMemoryMb: number;
  cases: number;
  failing: number;
  fileMb: number;
};

/** Runs the benchmark against the PostgreSQL server of `TEST_DATABASE_URL`; seconds are medians. */
export async function runIngestBench(): Promise<IngestBench> {
  const folder = mkdtempSync(join(tmpdir(), 'recheck-bench-'));
  const database = await createDatabase();
  const pool = new Pool({ connectionString: database.url });
  try {
    await applyMigrations(database.url);
    const path = join(folder, 'report.xml');
    writeReport(path);
    return await measure(pool, path);
  } finally {
    await pool.end();
    await database.drop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(pool: Pool, path: string): Promise<IngestBench> {
  const organisationId = randomUUID();
  await pool.query(`insert into organisation (id, name) values ($1, 'Bench')`, [organisationId]);
  const memory = watchMemory();
  await ingest(pool, { organisationId, path, sourceId: await makeSource(pool, organisationId) });
  const times = { bare: [] as number[], full: [] as number[], again: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const sourceId = await makeSource(pool, organisationId);
    times.bare.push(await seconds(() => parseReport({ path })));
    times.full.push(await seconds(() => ingest(pool, { organisationId, path, sourceId })));
    times.again.push(await seconds(() => ingest(pool, { organisationId, path, sourceId })));
  }
  const [bare, value, again] = [median(times.bare), median(times.full), median(times.again)];
  const ratio = round2(value / bare);
  const fileMb = round2(statSync(path).size / 1_048_576);
  const sizes = { peakMemoryMb: memory.stop(), cases: CASES, failing: CASES / FAILING_EVERY, fileMb };
  return {
    bench: 'ingest',
    value: round2(value),
    bare: round2(bare),
    ratio,
    unit: 's',
    again: round2(again),
    ...sizes,
  };
}

async function ingest(pool: Pool, at: { organisationId: string; path: string; sourceId: string }): Promise<void> {
  const report = await parseReport({ path: at.path });
  const result = await createReportStore({ pool }).ingest(at.organisationId, {
    sourceId: at.sourceId,
    idempotencyKey: randomUUID(),
    bodyHash: createHash('sha256').update(at.path).digest('hex'),
    format: report.format,
    startedAt: report.startedAt,
    scope: 'full',
    uploadedById: null,
    grouping: 'rule',
    findings: report.findings,
    coverage: report.coverage,
  });
  const stored = result.kind === 'stored' ? result.counts.new + result.counts.seen : 0;
  if (stored !== CASES / FAILING_EVERY) throw new Error(`Stored ${stored} findings: ${JSON.stringify(result.kind)}`);
}

async function makeSource(pool: Pool, organisationId: string): Promise<string> {
  const sourceId = randomUUID();
  const sql = `insert into source (id, organisation_id, key, name, kind, rule) values ($1::uuid, $2, $1::uuid::text, 'Bench', 'suite', '{}')`;
  await pool.query(sql, [sourceId, organisationId]);
  return sourceId;
}

function writeReport(path: string): void {
  const file = openSync(path, 'w');
  writeSync(file, `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bench" tests="${CASES}">\n`);
  for (let suite = 0; suite < CASES / PER_FILE; suite += 1) writeSync(file, suiteText(suite));
  writeSync(file, '</testsuites>\n');
  closeSync(file);
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

function watchMemory(): { stop: () => number } {
  const idle = process.memoryUsage().rss;
  let peak = idle;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      return Math.round((peak - idle) / 1_048_576);
    },
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (require.main === module) {
  runIngestBench()
    .then((line) => process.stdout.write(`${JSON.stringify(line)}\n`))
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 1;
    });
}
