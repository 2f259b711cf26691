// Which of the readers a file is for. Reading is pure: a file goes in, findings and what they prove come out.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ParsedReport, ReportFormat } from '../../workflows/rules/report-verdict';
import { readAxe } from './axe';
import { readCtrf } from './ctrf';
import { detectJson } from './detect';
import { readJunit } from './junit';
import { readLighthouse } from './lighthouse';
import { readPa11y, readPa11yCi } from './pa11y';
import { readPlaywright } from './playwright';
import { ReportError } from './report-error';
import { readSarif } from './sarif';
import { tooLarge } from './spool';
import { cleanText } from './text';

export type ReportHints = {
  /** When the run began, where the file does not say. */
  startedAt?: Date | undefined;
  /** The page of a report that names none. */
  page?: string | undefined;
  /** The runners of pa11y, with commas, and the standard: its files show them only where something was found. */
  runner?: string | undefined;
  standard?: string | undefined;
  /** 100 MB by default. */
  limitBytes?: number | undefined;
};
/** A report on disk, or whatever gives its bytes from the beginning each time it is asked. */
export type ReportFile = { path: string } | { open: () => Readable };

type Reader = (chunks: AsyncIterable<Uint8Array>, hints: ReportHints) => Promise<ParsedReport>;

const readers: Readonly<Record<ReportFormat, Reader>> = {
  'axe-core': readAxe,
  pa11y: readPa11y,
  'pa11y-ci': readPa11yCi,
  lighthouse: readLighthouse,
  sarif: readSarif,
  junit: readJunit,
  ctrf: readCtrf,
  playwright: readPlaywright,
};

const defaultLimit = 100 * 1024 * 1024;
const CHUNK_BYTES = 65_536;
/** Enough to tell encodings and archives by. */
const HEAD_BYTES = 4;
const blank = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads a report of one of the known formats, which it tells by the content. Throws `ReportError`, whose message names
 * cause and cure, for everything that the sender has to mend; other errors are our own.
 */
export async function parseReport(file: ReportFile, hints: ReportHints = {}): Promise<ParsedReport> {
  const content = () => contentOf(file, hints.limitBytes ?? defaultLimit);
  const format = await formatOf(content, hints);
  const { first, chunks } = await content();
  return await readers[format](rejoined(first, chunks), hints);
}

type Content = { first: Buffer; start: string; chunks: AsyncGenerator<Buffer> };

async function formatOf(content: () => Promise<Content>, hints: ReportHints): Promise<ReportFormat> {
  const { first, start, chunks } = await content();
  try {
    if (start === '{' || start === '[') return await detectJson(rejoined(first, chunks), hints);
    if (start === '<') return 'junit';
    throw neither(first);
  } finally {
    await chunks.return(undefined);
  }
}

async function contentOf(file: ReportFile, limitBytes: number): Promise<Content> {
  const stream = 'path' in file ? createReadStream(file.path, { highWaterMark: CHUNK_BYTES }) : file.open();
  const chunks = limited(stream, limitBytes);
  try {
    return { ...(await firstChunk(chunks)), chunks };
  } catch (error) {
    await chunks.return(undefined);
    throw error;
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

function neither(first: Buffer): ReportError {
  const begin = cleanText(first.toString('utf8', 0, 40).split('\n', 1)[0], 24);
  const message = `The file is neither JSON nor XML; it begins with "${begin}". Send the JSON or JUnit XML that the tool's reporter wrote.`;
  return new ReportError('unknown_format', message);
}
