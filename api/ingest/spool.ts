import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { errorCode, ReportError } from './report-error';

/** A body on disk. `sha256` (hex) and `size` (bytes) are of the plain content, whatever it was sent as. */
export type Spooled = { path: string; sha256: string; size: number; dispose: () => Promise<void> };

/**
 * Writes an uploaded body to a file of its own, unpacking it where `gzip` says so, and hashes it on the way. The limit
 * is counted after unpacking, so a small bomb ends at the same mark as a large file. `dispose` removes the file.
 * Throws `ReportError`: `too_large`, `compressed` (broken gzip), `interrupted` (the sender went away).
 */
export async function spoolReport(stream: Readable, options: { limitBytes: number; gzip?: boolean }): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), 'recheck-report-'));
  const dispose = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'report');
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > options.limitBytes) return done(tooLarge(options.limitBytes));
      hash.update(chunk);
      return done(null, chunk);
    },
  });
  try {
    const target = createWriteStream(path, { mode: 0o600 });
    if (options.gzip) await pipeline(stream, createGunzip(), meter, target);
    else await pipeline(stream, meter, target);
    return { path, sha256: hash.digest('hex'), size, dispose };
  } catch (error) {
    await dispose();
    throw asReportError(error);
  }
}

/** The error for a file over the limit; the same words wherever it is noticed. */
export function tooLarge(limitBytes: number): ReportError {
  const megabytes = Math.round((limitBytes / 1_048_576) * 10) / 10;
  return new ReportError(
    'too_large',
    `The report is larger than ${megabytes} MB (counted unpacked). Send it in parts, or leave captured output out of it.`,
  );
}

function asReportError(error: unknown): unknown {
  if (error instanceof ReportError) return error;
  const code = errorCode(error);
  if (code === 'Z_BUF_ERROR') {
    return new ReportError('truncated', 'The gzip stream ends in the middle. Send the whole file again.', {
      cause: error,
    });
  }
  if (code.startsWith('Z_')) {
    const message =
      'The body is not valid gzip, though Content-Encoding says so. Compress the file again, or send it plain.';
    return new ReportError('compressed', message, { cause: error });
  }
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'ECONNABORTED') {
    return new ReportError('interrupted', 'The upload ended before the file was complete. Send it again.', {
      cause: error,
    });
  }
  return error;
}
