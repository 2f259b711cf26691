// A report file becomes findings and coverage, by what is in it and never by what it is called. Reading streams:
// memory follows what is kept, not the size of the file. Next: prisma/reports.ts stores the answer.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { readAxe } from './axe';
import { readJunit } from './junit';
import { ReportError } from './report-error';
import { tooLarge } from './spool';

export type ReportHints = {
  /** When the run began, where the file does not say. */
  startedAt?: Date | undefined;
  /** The page of a report that names none. */
  page?: string | undefined;
  /** 100 MB by default. */
  limitBytes?: number | undefined;
};

const defaultLimit = 100 * 1024 * 1024;
/** Enough to tell encodings and archives by. */
const HEAD_BYTES = 4;
const blank = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads an axe-core or JUnit report. Throws `ReportError`, whose message names cause and cure, for everything that the
 * sender has to mend; other errors are our own.
 */
export async function parseReport(file: { path: string } | Readable, hints: ReportHints = {}): Promise<ParsedReport> {
  const stream =
    'path' in file && !('read' in file) ? createReadStream(file.path, { highWaterMark: 262_144 }) : (file as Readable);
  const limit = hints.limitBytes ?? defaultLimit;
  const chunks = limited(stream, limit);
  const { first, start } = await firstChunk(chunks);
  const all = rejoined(first, chunks);
  switch (start) {
    case '<':
      return await readJunit(all, hints);
    case '{':
    case '[':
      return await readAxe(all, hints);
    default:
      await chunks.return(undefined);
      throw neither();
  }
}

async function* limited(stream: Readable, limitBytes: number): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    yield bytes;
  }
}

/** Reads up to the first character that means something, and refuses what it can tell by the first bytes. */
async function firstChunk(chunks: AsyncGenerator<Buffer>): Promise<{ first: Buffer; start: string }> {
  let head = await atLeast(chunks, HEAD_BYTES);
  refuseBinary(head);
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) head = head.subarray(3);
  for (;;) {
    const index = head.findIndex((byte) => !blank.has(byte));
    if (index >= 0) return { first: head.subarray(index), start: String.fromCharCode(head[index] ?? 0) };
    head = await atLeast(chunks, 1);
    if (head.length === 0) throw new ReportError('empty', 'The file is empty. Send the report that the tool wrote.');
  }
}

async function atLeast(chunks: AsyncGenerator<Buffer>, bytes: number): Promise<Buffer> {
  const read: Buffer[] = [];
  for (let size = 0; size < bytes; ) {
    const next = await chunks.next();
    if (next.done) break;
    size += next.value.length;
    read.push(next.value);
  }
  return Buffer.concat(read);
}

function refuseBinary(head: Buffer): void {
  const magic = head.toString('latin1', 0, 4);
  if (magic.startsWith('\x1f\x8b') || magic === 'PK\x03\x04') {
    throw new ReportError(
      'compressed',
      'The file is compressed. Unpack it, or send gzip with "Content-Encoding: gzip".',
    );
  }
  const wide = magic.startsWith('\xff\xfe') || magic.startsWith('\xfe\xff') || magic.slice(0, 2).includes('\0');
  if (wide)
    throw new ReportError(
      'wrong_encoding',
      'The file is not UTF-8 (it looks like UTF-16 or UTF-32). Save it as UTF-8.',
    );
}

async function* rejoined(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function neither(): ReportError {
  const message = 'The file is neither JSON nor XML. Send axe-core results as JSON, or test results as JUnit XML.';
  return new ReportError('unknown_format', message);
}
