// A report that comes with pictures, in one multipart form: every part streams to a file of its own, and what a part is
// is told by its first bytes. Which finding a picture shows is decided later, when the report is read.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { finished, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { pictureType } from './picture-type';
import { errorCode } from './report-error';
import type { Spooled } from './spool';
import { UploadError } from './upload-error';

/** A picture on disk; `field` and `filename` as the form names them, `sha256` in hex, `size` in bytes. */
export type SpooledPicture = {
  path: string;
  sha256: string;
  size: number;
  contentType: string;
  field: string;
  filename: string;
};
/** `sha256` and `size` are those of the report; `dispose` removes the pictures too. */
export type SpooledForm = Spooled & { pictures: SpooledPicture[] };

const MB = 1_048_576;
const limits = { reportBytes: 100 * MB, pictureBytes: 10 * MB, pictures: 50 };
const HEAD_BYTES = 12;
const HEADER_BYTES = 16_384;
/** All that a form within the limits can hold, with its headers. */
const mostBytes = limits.reportBytes + limits.pictures * (limits.pictureBytes + HEADER_BYTES) + MB;

type Part = Omit<SpooledPicture, 'contentType'> & { contentType: string | null };

/**
 * Writes the parts of a `multipart/form-data` body to files, unpacking the body where `gzip` says so: one report (the
 * part `report`, or whatever is no picture) and up to 50 pictures of 10 MB: PNG, JPEG, WebP, GIF. On any failure nothing
 * stays on the disk. Throws `UploadError` for all that the sender has to mend.
 */
export async function spoolForm(
  body: Readable,
  { contentType, gzip }: { contentType: string; gzip: boolean },
): Promise<SpooledForm> {
  const opened = openForm(contentType);
  const folder = await mkdtemp(join(tmpdir(), 'recheck-report-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const parts = await readParts(body, { ...opened, folder, gzip });
    const report = parts.find((part) => part.contentType === null);
    if (!report) throw noReport();
    const pictures = parts.flatMap(({ contentType: type, ...part }) => (type ? [{ ...part, contentType: type }] : []));
    return { path: report.path, sha256: report.sha256, size: report.size, pictures, dispose };
  } catch (error) {
    await dispose();
    throw asUploadError(error);
  }
}

function openForm(contentType: string): { form: BusboyInstance; boundary: string } {
  const [, quotedOne, plainOne] = /;\s*boundary=(?:"([^"]+)"|([^\s";]+))/i.exec(contentType) ?? [];
  const boundary = quotedOne ?? plainOne;
  if (!/^multipart\/form-data\b/i.test(contentType.trim()) || !boundary) {
    const message =
      'The Content-Type is not multipart/form-data with a boundary, so the parts cannot be told apart. Let the client write that header (curl -F report=@file does).';
    throw new UploadError('invalid_form', message);
  }
  const form = new Busboy({
    headers: { 'content-type': contentType },
    // A name of Playwright's is the same in every test's folder, so the folder is part of the name.
    preservePath: true,
    isPartAFile: () => true,
    limits: { parts: limits.pictures + 1, headerSize: HEADER_BYTES, headerPairs: 50 },
  });
  return { form, boundary };
}

type Reading = { form: BusboyInstance; boundary: string; folder: string; gzip: boolean };

async function readParts(body: Readable, { form, boundary, folder, gzip }: Reading): Promise<Part[]> {
  const open: Readable[] = [];
  const parts: Promise<Part>[] = [];
  const { meter, delimiters } = formMeter(boundary);
  const source = gzip ? body.pipe(createGunzip()) : body;
  const seen = { report: false };
  try {
    const taken = await new Promise<Part[]>((resolve, reject) => {
      // Also of one that was closed before this, such as when the sender went away meanwhile, or without an error.
      const orReject = (error?: Error | null) => error && reject(error);
      for (const stream of [body, source, meter]) finished(stream, { writable: false }, orReject);
      form.on('error', reject);
      form.on('partsLimit', () => reject(tooManyParts()));
      form.on('file', (field: string | undefined, file, filename: string | undefined, _encoding, mimeType) => {
        // Busboy tells of a broken end on the part too, perhaps when nobody reads it any more.
        file.on('error', reject);
        open.push(file);
        const named = { field: field ?? '', filename: filename ?? '', mimeType: mimeType ?? '' };
        const refused = badName(named);
        if (refused) return reject(refused);
        const part = takePart(file, { ...named, path: join(folder, String(parts.length)), seen });
        part.catch(reject);
        parts.push(part);
      });
      form.on('finish', () => Promise.all(parts).then(resolve, reject));
      source.pipe(meter).pipe(form);
    });
    // Busboy passes over what it cannot name: nothing of an upload is lost in silence.
    if (delimiters() > taken.length + 1) throw unnamedPart();
    return taken;
  } catch (error) {
    source.unpipe(meter);
    // With an error: pipeline waits for ever for a part whose last bytes have come and that is closed without one.
    const over = new Error('The form was refused', { cause: error });
    for (const stream of [body, source, meter, form, ...open]) stream.destroy(over);
    await Promise.allSettled(parts);
    throw error;
  }
}

/** Counts the bytes of a form, and the delimiters between its parts. */
function formMeter(boundary: string): { meter: Transform; delimiters: () => number } {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let size = 0;
  let count = 0;
  // The first delimiter may stand at the very start.
  let tail: Buffer = Buffer.from('\r\n');
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > mostBytes) return done(tooBig('The form', mostBytes, 'Send fewer or smaller files.'));
      const text = Buffer.concat([tail, chunk]);
      let end = 0;
      for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, end)) {
        count += 1;
        end = at + delimiter.length;
      }
      tail = text.subarray(Math.max(end, text.length - delimiter.length + 1));
      return done(null, chunk);
    },
  });
  return { meter, delimiters: () => count };
}

type Taking = { path: string; field: string; filename: string; mimeType: string; seen: { report: boolean } };

async function takePart(file: Readable, { path, field, filename, mimeType, seen }: Taking): Promise<Part> {
  const hash = createHash('sha256');
  const name = basename(filename.replaceAll('\\', '/')) || field || 'a part without a name';
  let size = 0;
  let head = Buffer.alloc(0);
  let contentType: string | null = null;
  let isKnown = false;
  const decide = (): UploadError | null => {
    isKnown = true;
    contentType = pictureType(head);
    if (contentType) return null;
    if (looksLikePicture({ field, name, mimeType })) return notAPicture(name);
    if (seen.report) return secondReport(name);
    seen.report = true;
    return null;
  };
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      if (!isKnown) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
      const refused = isKnown || head.length < HEAD_BYTES ? null : decide();
      done(refused ?? tooBigPart({ name, size, isPicture: contentType !== null }), chunk);
    },
    flush(done) {
      done(isKnown ? null : decide());
    },
  });
  await pipeline(file, meter, createWriteStream(path, { mode: 0o600 }));
  return { path, sha256: hash.digest('hex'), size, contentType, field, filename };
}

/** Parts are stored under numbers, so no name is dangerous here; one that climbs out of its folder is no file's name. */
function badName({ field, filename }: { field: string; filename: string }): UploadError | null {
  if (filename === '') return field === 'report' ? null : noFileName(field);
  if (/(?:^|[\\/])\.\.(?:[\\/]|$)/.test(filename) || /\p{Cc}/u.test(filename)) return unsafeName(filename);
  return null;
}

function looksLikePicture({ field, name, mimeType }: { field: string; name: string; mimeType: string }): boolean {
  return (
    /^evidence\[/.test(field) ||
    mimeType.startsWith('image/') ||
    /\.(png|jpe?g|webp|gif|svg|bmp|tiff?|avif|heic)$/i.test(name)
  );
}

function tooBigPart({ name, size, isPicture }: { name: string; size: number; isPicture: boolean }): UploadError | null {
  if (isPicture && size > limits.pictureBytes) {
    return tooBig(`The picture ${quoted(name)}`, limits.pictureBytes, 'Send it smaller, or as a JPEG or WebP.');
  }
  if (size > limits.reportBytes) {
    return tooBig('The report', limits.reportBytes, 'Send it in parts, or leave captured output out of it.');
  }
  return null;
}

function tooBig(what: string, bytes: number, cure: string): UploadError {
  return new UploadError('too_large', `${what} is larger than ${Math.round(bytes / MB)} MB. ${cure}`);
}

function tooManyParts(): UploadError {
  const message = `The form has more than one report and ${limits.pictures} pictures. Send the other pictures with another upload of the report.`;
  return new UploadError('too_many_parts', message);
}

function unnamedPart(): UploadError {
  const message = `A part of the form has no name, or headers larger than ${HEADER_BYTES / 1024} KB. Send each file as a named part.`;
  return new UploadError('unnamed_part', message);
}

function noFileName(field: string): UploadError {
  const message = `The part ${quoted(field)} has no file name. Send files only (curl -F name=@file), and parameters in the address.`;
  return new UploadError('no_file_name', message);
}

function unsafeName(filename: string): UploadError {
  const message = `The file name ${quoted(filename)} has ".." or a control character in it. Leave that part of the path off.`;
  return new UploadError('unsafe_name', message);
}

function noReport(): UploadError {
  const message =
    'The form holds no report. Send the report file as a part of its own (curl -F report=@report.json -F "evidence[...]=@picture.png").';
  return new UploadError('no_report', message);
}

function secondReport(name: string): UploadError {
  const message = `The form holds a second part that is no picture: ${quoted(name)}. Send one report, and pictures as PNG, JPEG, WebP or GIF.`;
  return new UploadError('second_report', message);
}

function notAPicture(name: string): UploadError {
  const message = `${quoted(name)} is not a PNG, JPEG, WebP or GIF by its content. Send it as one of these, or leave it out.`;
  return new UploadError('not_a_picture', message);
}

/** A name of the sender's, fit for a message. */
function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 120));
}

function asUploadError(error: unknown): unknown {
  if (error instanceof UploadError) return error;
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : '';
  if (code === 'Z_BUF_ERROR' || /unexpected end of multipart|terminated early/i.test(message)) {
    const cause = 'The form ends in the middle: its closing boundary is missing. Send the whole upload again.';
    return new UploadError('truncated', cause, { cause: error });
  }
  if (code.startsWith('Z_')) {
    const cause = 'The body is not valid gzip, though Content-Encoding says so. Compress it again, or send it plain.';
    return new UploadError('compressed', cause, { cause: error });
  }
  if (['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'ECONNABORTED'].includes(code)) {
    const cause = 'The upload ended before the form was complete. Send it again.';
    return new UploadError('interrupted', cause, { cause: error });
  }
  return error;
}
