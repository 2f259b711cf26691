import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { type Answer, type Call, isObject, JiraProblem, problemAnswer } from './answer';
import type { Access } from './auth';
import type { Fault, FaultOf, FaultRequest } from './faults';
import type { Jira } from './jira';
import { JqlError } from './jql/tokens';
import { pointsOf } from './points';

export type Handler = (call: Call) => Promise<Answer> | Answer;

export interface RouteOptions {
  jira: Jira;
  access: Access;
  /** The scopes that an OAuth grant needs; null where OAuth cannot call it. */
  scopes: readonly string[] | null;
  /** The operation's path with its placeholders; counts points under it where it is given. */
  operation?: string;
  onError: (error: unknown) => void;
}

/**
 * Makes a handler an Express route of the REST API: tells who calls, injects faults before and after the work, turns
 * `JiraProblem` into Jira's error shape, counts points and writes the request log. `onError` hears of mistakes of the
 * sandbox itself.
 */
export function restRoute(options: RouteOptions, handler: Handler): RequestHandler {
  const { jira, access, scopes, operation, onError } = options;
  return async (req, res) => {
    const at = new Date().toISOString();
    const caller = await access(jira, req, scopes);
    res.set('X-ARequestId', randomUUID());
    if (caller.failed) res.set('X-Seraph-LoginReason', 'AUTHENTICATED_FAILED');
    if (caller.account) res.set({ 'X-AAccountId': caller.account.accountId, 'X-Seraph-LoginReason': 'OK' });
    const call = callOf(req, caller);
    const request: FaultRequest = { method: req.method, path: req.originalUrl, body: loggable(req.body) };

    const work = async () => caller.refusal ?? (await safely(handler, { call, onError }));
    const { answer, fault } = await answerWithFaults({ jira, request, work });
    if (operation !== undefined) {
      const name = `${req.method} ${operation}`;
      jira.points.add({ ...call, operation: name, points: pointsOf({ operation: name, body: req.body, answer }) });
    }
    jira.requests.add({
      at,
      method: req.method,
      path: req.baseUrl + req.path,
      query: { ...(req.query as Record<string, string | string[]>) },
      body: request.body,
      status: answer.status,
      ...(fault ? { fault: fault.spec.kind } : {}),
    });
    if (fault?.spec.kind === 'hold') await holdAnswer({ jira, fault: fault as FaultOf<'hold'>, res });
    if (fault?.spec.kind === 'drop') res.socket?.destroy();
    else if (!res.destroyed) send(res, answer);
  };
}

async function answerWithFaults(parts: {
  jira: Jira;
  request: FaultRequest;
  work: () => Promise<Answer>;
}): Promise<{ answer: Answer; fault?: Fault }> {
  const { jira, request, work } = parts;
  if (jira.faults.list().length === 0) return { answer: await work() };
  const refused = await jira.faults.take('status', request);
  if (refused) return { answer: faultAnswer(refused), fault: refused };
  const late = await jira.faults.take('delay', request);
  if (late) await new Promise((resolve) => setTimeout(resolve, late.spec.ms));
  const answer = await work();
  const fault = (await jira.faults.take('hold', request)) ?? (await jira.faults.take('drop', request));
  return { answer, ...(fault ? { fault } : late ? { fault: late } : {}) };
}

function faultAnswer({ spec }: FaultOf<'status'>): Answer {
  if (typeof spec.body === 'string') {
    return { status: spec.status, raw: spec.body, headers: { 'content-type': 'text/html', ...spec.headers } };
  }
  return { status: spec.status, body: spec.body ?? { errorMessages: [], errors: {} }, headers: spec.headers };
}

async function holdAnswer({ jira, fault, res }: { jira: Jira; fault: FaultOf<'hold'>; res: Response }): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  await jira.faults.hold(fault, gone.signal);
}

async function safely(
  handler: Handler,
  { call, onError }: { call: Call; onError: (error: unknown) => void },
): Promise<Answer> {
  try {
    return await handler(call);
  } catch (error) {
    if (error instanceof JiraProblem) return problemAnswer(error);
    if (error instanceof JqlError) return problemAnswer(new JiraProblem(400, { messages: [error.message] }));
    onError(error);
    return problemAnswer(new JiraProblem(500, { messages: ['Internal server error'] }));
  }
}

function callOf(req: Request, { account, app = null }: Pick<Call, 'account'> & { app?: Call['app'] }): Call {
  const params = Object.entries(req.params).map(([name, value]) => [name, String(value)]);
  return {
    account,
    app,
    params: Object.fromEntries(params),
    query: new URL(req.originalUrl, 'http://localhost').searchParams,
    body: req.body,
    req,
  };
}

const secrets = ['client_secret', 'code', 'refresh_token', 'secret'];

function loggable(body: unknown): unknown {
  if (Buffer.isBuffer(body)) return `${body.length} bytes`;
  if (!isObject(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !secrets.includes(name)));
}

function send(res: Response, { status, body, raw, headers }: Answer): void {
  res.status(status).set(headers ?? {});
  if (raw !== undefined) res.send(raw);
  else if (body === undefined) res.end();
  else res.json(body);
}

/** For paths that no route of the API has: 404 as `application/problem+json`. */
export function unknownPath(req: Request, res: Response): void {
  res
    .status(404)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: 'Not Found', status: 404, instance: req.path }));
}

/** Express's error handler: a body that is no JSON, or is too large, in Jira's shape. */
export function brokenRequest(error: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) {
    next(error);
    return;
  }
  const given = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  const status = given >= 400 && given < 600 ? given : 500;
  const message = status < 500 && error instanceof Error ? error.message : 'Internal server error';
  res.status(status).json({ errorMessages: [message], errors: {} });
}
