// The calls of the HTTP API, and what stands before each: who asks, how often, and the body as JSON.

import { createHash } from 'node:crypto';
import { json, type Request, type RequestHandler, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import { Refusal } from '../operations/refusal';
import type { Caller, EvidenceFile, Operations } from '../operations/types';
import { HttpRefusal, problemOf, sendProblem } from '../problem';
import { connectionRoutes } from './connections';
import { findingRoutes } from './findings';
import { memberRoutes } from './members';
import { pushRoutes } from './pushes';
import type { Route } from './route';
import { sourceRoutes } from './sources';
import { verificationRoutes } from './verification';

/** Every call under /api/v1; the OpenAPI document is made from the same list. */
export const routes: Route[] = [
  ...sourceRoutes,
  ...findingRoutes,
  ...pushRoutes,
  ...verificationRoutes,
  ...connectionRoutes,
  ...memberRoutes,
];

type Deps = { operations: Operations; requestsPerMinute?: number };

/** Serves `routes`. Who asks is settled first: strangers neither count nor send bodies. */
export function createRoutes({ operations, requestsPerMinute = 1_200 }: Deps): Router {
  const callers = new WeakMap<Request, Caller>();
  const signIn: RequestHandler = async (req, _res, next) => {
    callers.set(req, await operations.callerByApiKey(bearerToken(req)));
    next();
  };
  const before = [signIn, limiter(requestsPerMinute)];
  const body = [requireJson, json({ limit: '1mb' })];

  const router = Router();
  router.use('/api/v1', ...before);
  for (const route of routes) {
    const serve: RequestHandler = async (req, res) => {
      const caller = callers.get(req);
      if (!caller) throw new Error('A call was served before its caller was known.');
      const reply = await route.serve(operations, caller, req);
      res.status(reply.status).set('cache-control', 'no-store');
      if (reply.file) sendFile(res, reply.file);
      else if (reply.body === undefined) res.end();
      else res.json(reply.body);
    };
    router[route.method](expressPath(route.path), ...(route.body ? body : []), serve);
  }
  return router;
}

/** Shown as what it is and nothing else: no sniffing, no scripts, whatever is in the file. */
function sendFile(res: Response, { name, contentType, content }: EvidenceFile): void {
  res.set({
    'content-type': contentType,
    'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(name)}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  });
  res.end(content);
}

const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');

function bearerToken(req: Request): string {
  const token = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(req.get('authorization') ?? '')?.[1];
  if (token) return token;
  throw new Refusal(
    'unauthenticated',
    'no_api_key',
    'The request has no API key. Send it as "Authorization: Bearer <api key>"; an owner or admin can make one.',
  );
}

function limiter(limit: number): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // By key and not by address: behind one address there may be a whole CI farm.
    keyGenerator: (req) => createHash('sha256').update(bearerToken(req)).digest('base64'),
    handler: (_req, res) => {
      const detail = `This API key made more than ${limit} requests in a minute. Wait as long as Retry-After says.`;
      sendProblem(res, problemOf({ status: 429, code: 'rate_limited', detail }));
    },
  });
}

const requireJson: RequestHandler = (req, _res, next) => {
  // `is` answers null where there is no body: some calls do without. A length of 0 counts as a body to it.
  if (req.is('json') !== false || req.get('content-length') === '0') {
    next();
    return;
  }
  throw new HttpRefusal({
    status: 415,
    code: 'not_json',
    detail: 'This call takes JSON. Send the body with "Content-Type: application/json".',
  });
};
