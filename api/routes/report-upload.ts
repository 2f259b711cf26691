import { PassThrough, type Readable } from 'node:stream';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { ReportUpload } from '../operations/types';
import { HttpRefusal } from '../problem';
import type { reportHeaders, reportQuery } from '../schemas/sources';

/** The upload that a request carries. Throws 415 for an encoding that cannot be unpacked. */
export function reportUpload(
  req: Request,
  query: z.output<typeof reportQuery>,
  headers: z.output<typeof reportHeaders>,
): ReportUpload {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (!['identity', '', 'gzip', 'x-gzip'].includes(encoding)) {
    throw new HttpRefusal({
      status: 415,
      code: 'unsupported_encoding',
      detail: 'A report is sent plain or with Content-Encoding: gzip. Send it so.',
    });
  }
  return {
    body: bodyOf(req),
    gzip: encoding.endsWith('gzip'),
    form: formOf(req),
    idempotencyKey: headers['idempotency-key'],
    startedAt: query.startedAt === undefined ? undefined : new Date(query.startedAt),
    scope: query.scope,
    page: query.page,
    runner: query.runner,
    standard: query.standard,
  };
}

/** A report with pictures is a form; anything else is the report itself, whatever its content type. */
function formOf(req: Request): string | undefined {
  const type = req.get('content-type');
  return type && /^\s*multipart\//i.test(type) ? type : undefined;
}

/**
 * The request's body as a stream of its own: who reads it may destroy it, as a pipeline does over the limit, and the
 * connection still carries the answer. What nobody reads any more is taken from the sender all the same: most clients
 * listen for an answer only when they have sent everything.
 */
function bodyOf(req: Request): Readable {
  const body = new PassThrough();
  const end = () => body.destroy(Object.assign(new Error('The upload was interrupted'), { code: 'ECONNRESET' }));
  // Where nobody reads it (any more), a failure of the upload concerns nobody.
  body.on('error', () => undefined);
  body.on('close', () => {
    req.unpipe(body);
    req.resume();
  });
  // A sender who goes away early may have sent everything.
  req.on('close', () => {
    if (!req.readableEnded) end();
  });
  if (req.destroyed) end();
  else req.pipe(body);
  if (req.res) answerEarly(req, req.res, end);
  return body;
}

/** What is refused before its end is answered at once, even where nobody has begun to read it. */
function answerEarly(req: Request, res: Response, end: () => void): void {
  res.on('finish', end);
  // Closed under a sender who still sends, the connection would take the answer with it.
  const { shouldKeepAlive } = res;
  res.shouldKeepAlive = true;
  req.on('end', () => {
    res.shouldKeepAlive = shouldKeepAlive;
  });
}
