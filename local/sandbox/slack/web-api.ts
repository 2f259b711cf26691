// Slack's Web API: POST /api/<method>, arguments as form or JSON, always HTTP 200 with `ok` unless rate limited.
import { setTimeout as wait } from 'node:timers/promises';
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { Context } from './context';
import { APP, TEAM } from './directory';
import type { Fault } from './faults';
import { chatMethods } from './methods/chat';
import { conversationMethods } from './methods/conversations';
import { fileMethods } from './methods/files';
import { type Method, SlackError } from './methods/method';
import { userMethods } from './methods/users';
import { viewMethods } from './methods/views';

const methods: Record<string, Method> = {
  'api.test': { args: z.looseObject({}), run: async (_context, args) => ({ args }) },
  'auth.test': {
    args: z.looseObject({}),
    run: async ({ settings }) => ({
      url: `${settings.baseUrl}/`,
      team: TEAM.name,
      user: 'recheck',
      team_id: TEAM.id,
      user_id: APP.userId,
      bot_id: APP.botId,
      is_enterprise_install: false,
    }),
  },
  ...chatMethods,
  ...conversationMethods,
  ...userMethods,
  ...viewMethods,
  ...fileMethods,
};

const JSON_ARGUMENTS = ['blocks', 'view', 'metadata', 'attachments', 'files'];
const LARGEST_BODY = '4mb';

/** The router below `/api`. Answers `unknown_method`, `not_authed`, `invalid_auth` and the errors of each method. */
export function createWebApi(context: Context): Router {
  const router = Router();
  const parsers = [express.json({ limit: LARGEST_BODY }), express.urlencoded({ extended: false, limit: LARGEST_BODY })];
  router.all('/:method', ...parsers, async (request: Request, response: Response) => {
    const method = String(request.params.method);
    const { token, ...args } = argumentsOf(request);
    const fault = context.faults.take(method);
    if (fault && (await strikeBefore(fault, response))) {
      const error = fault.kind === 'error' ? fault.error : fault.kind;
      context.requests.add({ method, args, at: new Date().toISOString(), ok: false, error });
      return;
    }
    const bearer = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
    const body = await answer(context, { method, args, token: bearer ?? token });
    context.requests.add({
      method,
      args,
      at: new Date().toISOString(),
      ok: body.ok,
      ...(body.error ? { error: body.error } : {}),
    });
    if (fault?.kind === 'lost_answer') return void request.socket.destroy();
    response.set('x-oauth-scopes', 'commands,chat:write,users:read,files:write,im:write,channels:read');
    if (body.retryAfter !== undefined)
      response.status(429).set('retry-after', String(body.retryAfter)).send({ ok: false, error: 'ratelimited' });
    else response.send(body);
  });
  return router;
}

interface Answer {
  ok: boolean;
  error?: string;
  retryAfter?: number;
  [field: string]: unknown;
}

interface Call {
  method: string;
  args: Record<string, unknown>;
  token: unknown;
}

async function answer(context: Context, { method, args, token }: Call): Promise<Answer> {
  const found = methods[method];
  if (!found) return { ok: false, error: 'unknown_method', req_method: method };
  if (method !== 'api.test') {
    if (!token) return { ok: false, error: 'not_authed' };
    if (token !== context.settings.botToken) return { ok: false, error: 'invalid_auth' };
  }
  const parsed = found.args.safeParse(args);
  if (!parsed.success) {
    const messages = parsed.error.issues.map(
      (issue) => `[ERROR] ${issue.message} [json-pointer:/${issue.path.join('/')}]`,
    );
    return { ok: false, error: 'invalid_arguments', response_metadata: { messages } };
  }
  try {
    return { ok: true, ...(await found.run(context, parsed.data as never)) };
  } catch (error) {
    if (error instanceof SlackError) return { ok: false, error: error.message, ...error.details };
    throw error;
  }
}

/** Strikes what comes before the work; true when the call ends there. */
async function strikeBefore(fault: Fault, response: Response): Promise<boolean> {
  if (fault.kind === 'delay') await wait(fault.delayMs);
  if (fault.kind === 'rate_limit')
    response.status(429).set('retry-after', String(fault.retryAfter)).send({ ok: false, error: 'ratelimited' });
  else if (fault.kind === 'http') response.status(fault.status).type('text').send('Internal Server Error');
  else if (fault.kind === 'error') response.send({ ok: false, error: fault.error });
  return fault.kind !== 'delay' && fault.kind !== 'lost_answer';
}

function argumentsOf(request: Request): Record<string, unknown> {
  const args: Record<string, unknown> = { ...request.query, ...(request.body as object | undefined) };
  for (const name of JSON_ARGUMENTS) {
    const value = args[name];
    if (typeof value !== 'string') continue;
    try {
      args[name] = JSON.parse(value);
    } catch {
      // Left as text: the method's own check then names the argument.
    }
  }
  return args;
}
