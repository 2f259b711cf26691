import type { Request } from 'express';
import type { Account } from './site';

/** What a handler wants sent. `body` goes out as JSON; `raw` as it is, with the content type of `headers`. */
export interface Answer {
  status: number;
  body?: unknown;
  raw?: string | Buffer;
  headers?: Record<string, string>;
}

/** An OAuth app that acts for an account. */
export interface AppCaller {
  grantId: string;
}

/** One request on its way through a handler. `account` is null for an anonymous caller, dead credentials included. */
export interface Call {
  account: Account | null;
  /** Null for a caller with an API token, and for nobody. */
  app: AppCaller | null;
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
  req: Request;
}

/** An error answer in Jira's shape: `{ errorMessages, errors }`. */
export class JiraProblem extends Error {
  readonly status: number;
  readonly messages: string[];
  readonly fields: Record<string, string>;
  /** What Jira keeps to itself; sent as a header, so that a developer need not guess. */
  readonly detail: string | undefined;

  constructor(
    status: number,
    { messages = [], fields = {}, detail }: { messages?: string[]; fields?: Record<string, string>; detail?: string },
  ) {
    super([...messages, ...Object.values(fields)].join(' '));
    this.status = status;
    this.messages = messages;
    this.fields = fields;
    this.detail = detail;
  }
}

/** The answer for a `JiraProblem`. */
export function problemAnswer(problem: JiraProblem): Answer {
  return {
    status: problem.status,
    body: { errorMessages: problem.messages, errors: problem.fields },
    headers: problem.detail ? { 'x-sandbox-detail': problem.detail.replaceAll(/[^\x20-\x7e]/g, '?') } : {},
  };
}

/** 200 with a JSON body. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** The caller; 401 where the operation needs one and the credentials are missing or dead. */
export function mustHaveAccount(call: Call): Account {
  if (call.account) return call.account;
  throw new JiraProblem(401, { messages: ['Client must be authenticated to access this resource.'] });
}

/** The body as an object; 400 for anything else. */
export function objectBody(call: Call): Record<string, unknown> {
  const { body } = call;
  if (isObject(body)) return body;
  throw new JiraProblem(400, {
    messages: ['Invalid request payload. Refer to the REST API documentation and try again.'],
  });
}

/** Whether a value is a plain JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A query parameter that is a list: comma-separated, repeated, or both. */
export function queryList(call: Call, name: string): string[] {
  return call.query
    .getAll(name)
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** The list in a JSON body: an array of strings or a comma-separated string. */
export function bodyList(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' ? value.split(',').filter((part) => part !== '') : [];
}

/** `startAt` and `maxResults` of a paged call; 400 where they are no numbers. */
export function pageOf(call: Call, { most }: { most: number }): { startAt: number; maxResults: number } {
  const startAt = Number(call.query.get('startAt') ?? 0);
  const maxResults = Number(call.query.get('maxResults') ?? 50);
  if (!Number.isInteger(startAt) || startAt < 0 || !Number.isInteger(maxResults) || maxResults < 0) {
    throw new JiraProblem(400, { messages: ['startAt and maxResults must be whole numbers of at least 0.'] });
  }
  return { startAt, maxResults: Math.min(maxResults, most) };
}

/** A `PageBean` of what stands in memory. */
export function pageBean<T>(
  values: readonly T[],
  { startAt, maxResults, self }: { startAt: number; maxResults: number; self: string },
) {
  const page = values.slice(startAt, startAt + maxResults);
  const end = startAt + page.length;
  const isLast = end >= values.length;
  const next = new URL(self);
  next.searchParams.set('startAt', String(end));
  return {
    self,
    ...(isLast ? {} : { nextPage: next.toString() }),
    maxResults,
    startAt,
    total: values.length,
    isLast,
    values: page,
  };
}
