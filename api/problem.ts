// Errors as application/problem+json (RFC 9457): what went wrong, why, and what to do about it.

import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { ReqId } from 'pino-http';
import { ZodError } from 'zod';
import { ReportError } from './ingest/report-error';
import { databaseAway, Refusal, type RefusalDetails } from './operations/refusal';
import { describeIssues, type FieldProblem } from './schemas/describe-issues';

export type Problem = {
  type: string;
  title: string;
  status: number;
  /** Cause and cure. */
  detail: string;
  /** A short stable word. */
  code: string;
  /** Of an answer 400: the fields that are wrong. */
  errors?: FieldProblem[];
  /** Fields that have to be given first. */
  missing?: RefusalDetails['missing'];
  /** Of an answer 500: what the log knows it by. */
  reference?: string;
};

const titles: Record<number, string> = {
  400: 'The request is not valid',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'In conflict with how things stand',
  413: 'Too large',
  415: 'Content type not supported',
  429: 'Too many requests',
  500: 'An error of ours',
  503: 'Not available just now',
};

/** A problem of `status`; `code` is a short stable word, `detail` names cause and cure. */
export function problemOf(problem: { status: number; code: string; detail: string; errors?: FieldProblem[] }): Problem {
  const title = titles[problem.status] ?? 'The request failed';
  return { type: `urn:recheck:problem:${problem.code}`, title, ...problem };
}

/** A refusal that only HTTP knows (415, say), with its problem. */
export class HttpRefusal extends Error {
  readonly problem: Problem;

  constructor(problem: { status: number; code: string; detail: string }) {
    super(problem.detail);
    this.name = 'HttpRefusal';
    this.problem = problemOf(problem);
  }
}

/** The problem that an error is answered with. What is not expected becomes a 500 that shows nothing of the inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof HttpRefusal) return error.problem;
  if (error instanceof Refusal) {
    const { status, code, message: detail, details } = error;
    return { ...problemOf({ status, code, detail }), ...details };
  }
  if (error instanceof ReportError) {
    return problemOf({ status: error.code === 'too_large' ? 413 : 400, code: error.code, detail: error.message });
  }
  if (error instanceof ZodError) {
    const errors = describeIssues(error.issues);
    const detail = errors.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join(' ');
    return problemOf({ status: 400, code: 'invalid_request', detail, errors });
  }
  const away = databaseAway(error);
  return away ? toProblem(away) : (ofHttpError(error) ?? internal());
}

function internal(): Problem {
  const reference = randomUUID();
  const detail = `Something went wrong here, not in your request. Try again; if it stays, report reference ${reference}.`;
  return { ...problemOf({ status: 500, code: 'internal', detail }), reference };
}

/** Errors that Express and its body parsers throw (http-errors): they carry a status and say whether they may be shown. */
function ofHttpError(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  const { status } = error;
  if (status < 400 || status > 499) return null;
  const known = 'type' in error && typeof error.type === 'string' ? bodyProblems[error.type] : undefined;
  if (known) return problemOf({ status, ...known });
  const detail = status === 400 ? 'The address or the request cannot be read. Check its encoding.' : error.message;
  return problemOf({ status, code: 'bad_request', detail });
}

const bodyProblems: Record<string, { code: string; detail: string }> = {
  'entity.parse.failed': {
    code: 'invalid_json',
    detail: 'The body is not valid JSON. Check quotes, commas and brackets.',
  },
  'entity.too.large': { code: 'too_large', detail: 'The body is larger than this call takes. Send less at once.' },
  'encoding.unsupported': {
    code: 'unsupported_encoding',
    detail: 'This Content-Encoding is not supported here. Send the body plain or with gzip.',
  },
  'charset.unsupported': { code: 'unsupported_charset', detail: 'JSON is UTF-8. Send the body in UTF-8.' },
  'request.aborted': { code: 'interrupted', detail: 'The request ended before its body was complete. Send it again.' },
  'request.size.invalid': {
    code: 'interrupted',
    detail: 'The body is not as long as Content-Length says. Send it again.',
  },
};

/** Answers a problem, unless an answer is under way already. */
export function sendProblem(res: Response, problem: Problem): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/** The one error handler of the app. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const requestId: ReqId | undefined = req.id;
      const request = { method: req.method, path: req.path, requestId };
      log.error({ err: error, reference: problem.reference, ...request }, 'a request failed');
    }
    // What is left of the body is read away, so that the sender gets to read the answer.
    req.resume();
    sendProblem(res, problem);
  };
}
