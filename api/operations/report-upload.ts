import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Picture } from '../../prisma/evidence';
import { type SpooledPicture, spoolForm } from '../ingest/multipart';
import { ReportError } from '../ingest/report-error';
import { type Spooled, spoolReport } from '../ingest/spool';
import { UploadError } from '../ingest/upload-error';
import { Refusal } from './refusal';
import type { ReportUpload } from './types';

/** `sha256` is that of everything uploaded: the same report with another picture is another upload. */
export type SpooledUpload = Spooled & { pictures: Picture[] };

/** The most bytes of a report, unpacked. */
export const reportBytes = 100 * 1024 * 1024;

/**
 * Does `work` with an upload on the disk, and removes it whatever happens. Refuses, with cause and cure, what the
 * sender has to mend in the upload and in the report in it.
 */
export async function withUpload<T>(upload: ReportUpload, work: (spooled: SpooledUpload) => Promise<T>): Promise<T> {
  let spooled: SpooledUpload | null = null;
  try {
    spooled = await spool(upload);
    return await work(spooled);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await spooled?.dispose();
  }
}

async function spool({ body, gzip, form }: ReportUpload): Promise<SpooledUpload> {
  if (form === undefined) return { ...(await spoolReport(body, { limitBytes: reportBytes, gzip })), pictures: [] };
  const spooled = await spoolForm(body, { contentType: form, gzip });
  return { ...spooled, sha256: hashOf(spooled), pictures: spooled.pictures.map(pictureOf) };
}

function hashOf({ sha256, pictures }: { sha256: string; pictures: SpooledPicture[] }): string {
  if (pictures.length === 0) return sha256;
  const parts = pictures.map(({ field, filename, sha256: hash }) => JSON.stringify([field, filename, hash])).sort();
  return createHash('sha256')
    .update(JSON.stringify([sha256, parts]))
    .digest('hex');
}

function pictureOf({ path, sha256, ...named }: SpooledPicture): Picture {
  return { ...named, hash: sha256, read: () => readFile(path) };
}

function asRefusal(cause: unknown): unknown {
  if (cause instanceof ReportError || cause instanceof UploadError) {
    return new Refusal(cause.code === 'too_large' ? 'too_large' : 'invalid', cause.code, cause.message, { cause });
  }
  return cause;
}
