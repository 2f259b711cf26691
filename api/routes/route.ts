// What a route is. One table of them registers the Express routes and makes the OpenAPI document.

import type { Request } from 'express';
import { z } from 'zod';
import { refuseUnfitInput } from '../operations/fit-input';
import { Refusal } from '../operations/refusal';
import type { Caller, EvidenceFile, Operations } from '../operations/types';

/** `file` is answered as its bytes instead of JSON. */
type Reply = { status: number; body?: unknown; file?: EvidenceFile };
/** `contentTypes` of an answer that is no JSON. */
export type Answers = Record<number, { description: string; schema?: z.ZodType; contentTypes?: string[] }>;

/** A route as the table holds it: what it takes and answers, and how it is served. */
export type Route = {
  method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI's form: `/api/v1/findings/{id}`. */
  path: string;
  tag: string;
  summary: string;
  params: z.ZodObject | null;
  query: z.ZodObject | null;
  headers: z.ZodObject | null;
  body: z.ZodType | null;
  /** A report file comes as it is, not as JSON. */
  raw: boolean;
  answers: Answers;
  serve: (operations: Operations, caller: Caller, req: Request) => Promise<Reply>;
};

type Parsed<T extends z.ZodType> = z.output<T>;
type Nothing = z.ZodObject<Record<string, never>>;

type Definition<P extends z.ZodObject, Q extends z.ZodObject, H extends z.ZodObject, B extends z.ZodType> = {
  method: Route['method'];
  path: string;
  tag: string;
  summary: string;
  params?: P;
  query?: Q;
  headers?: H;
  body?: B;
  raw?: boolean;
  answers: Answers;
  handle: (asked: {
    operations: Operations;
    caller: Caller;
    params: Parsed<P>;
    query: Parsed<Q>;
    headers: Parsed<H>;
    body: Parsed<B>;
    req: Request;
  }) => Promise<Reply>;
};

/** Makes a route whose handler gets path, query, headers and body checked and typed by their schemas. */
export function defineRoute<
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  H extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
>(definition: Definition<P, Q, H, B>): Route {
  const { handle, params, query, headers, body, raw = false, ...rest } = definition;
  return {
    ...rest,
    raw,
    params: params ?? null,
    query: query ?? null,
    headers: headers ?? null,
    body: body ?? null,
    async serve(operations, caller, req) {
      // Before the schemas, which read values in depth and answer 404 for a path that they do not know.
      for (const part of [req.params, req.query, req.body]) refuseUnfitInput(part);
      return handle({
        operations,
        caller,
        req,
        params: pathParams(params, req) as Parsed<P>,
        query: (query ?? nothing).parse(req.query) as Parsed<Q>,
        headers: headers?.parse(req.headers) as Parsed<H>,
        body: body?.parse(req.body ?? {}) as Parsed<B>,
      });
    },
  };
}

const nothing = z.strictObject({});

/** An address that cannot name anything names nothing: 404, with what such names look like. */
function pathParams(schema: z.ZodObject | undefined, req: Request): unknown {
  const parsed = schema?.safeParse(req.params);
  if (!parsed || parsed.success) return parsed?.data;
  const how = parsed.error.issues.map((issue) => issue.message).join(' ');
  throw new Refusal('not_found', 'not_found', `Nothing has this address. ${how}`);
}
