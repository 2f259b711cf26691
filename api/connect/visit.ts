// One request of somebody who has a session on the connect page: who it is, what was typed, and how to answer.

import type { Request, RequestHandler, Response } from 'express';
import { html } from './html';
import { alert, page, type Viewer } from './page';
import { type ConnectSession, type ConnectSessions, isCsrfToken, MAX_SESSION_MS } from './sessions';

export const COOKIE = 'recheck_connect';

export type Visit = {
  req: Request;
  res: Response;
  session: ConnectSession;
  viewer: Viewer;
  /** The first value of a field of the form or the query, trimmed; empty where there is none. */
  text(name: string): string;
  /** Every value of a field. */
  list(name: string): string[];
  isTicked(name: string): boolean;
};

export type VisitHandler = (visit: Visit) => Promise<void> | void;

const MAX_LENGTH = 4_000;

/** Lets through who has a session, and of forms only those that a page of the same session made. */
export function createSignedIn(sessions: ConnectSessions, command: string) {
  return (handler: VisitHandler): RequestHandler =>
    async (req, res) => {
      const cookie = cookieOf(req);
      const session = cookie ? await sessions.find(cookie) : null;
      if (!session) return sendSignedOut(res, command);
      if (req.method === 'POST' && !isCsrfToken(session, valuesOf(req, 'csrf')[0])) {
        return sendTrouble(res, {
          status: 403,
          title: 'That form is out of date',
          message:
            'The form was not made by a page of this session, so nothing was done. Open the connect page again and repeat it.',
        });
      }
      await handler(visitOf(req, res, session));
    };
}

function visitOf(req: Request, res: Response, session: ConnectSession): Visit {
  const text = (name: string) => valuesOf(req, name)[0]?.trim() ?? '';
  return {
    req,
    res,
    session,
    viewer: { name: session.caller.name, csrf: session.csrf },
    text,
    list: (name) => valuesOf(req, name),
    isTicked: (name) => text(name) === 'on',
  };
}

function valuesOf(req: Request, name: string): string[] {
  const given: unknown = req.method === 'POST' ? req.body : req.query;
  if (typeof given !== 'object' || given === null || !Object.hasOwn(given, name)) return [];
  const value: unknown = (given as Record<string, unknown>)[name];
  return (Array.isArray(value) ? value : [value])
    .filter((each): each is string => typeof each === 'string')
    .map((each) => each.slice(0, MAX_LENGTH));
}

/** Hands the session's cookie to the browser: for these pages alone, and out of reach of scripts. It may outlive the
 * session, whose end is kept here. */
export function setCookie(res: Response, input: { value: string; isHttps: boolean }): void {
  const { value, isHttps } = input;
  const maxAge = value ? MAX_SESSION_MS : 0;
  res.cookie(COOKIE, value, { httpOnly: true, sameSite: 'lax', path: '/connect', secure: isHttps, maxAge });
}

function cookieOf(req: Request): string | null {
  const pairs = (req.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('='));
  const value = pairs.find(([name]) => name === COOKIE)?.[1];
  return value && /^[\w-]{20,100}$/.test(value) ? value : null;
}

/** A page that says what went wrong and what to do. */
export function sendTrouble(res: Response, input: { status: number; title: string; message: string }): void {
  const { status, title, message } = input;
  const failed = status >= 400;
  const body = html`${!failed && alert(message)}<p><a href="/connect">To the connect page</a></p>`;
  res
    .status(status)
    .type('html')
    .send(page({ title, viewer: null, body, trouble: failed ? { message } : undefined }));
}

/** What somebody without a session is told. */
export function sendSignedOut(res: Response, command: string): void {
  const message = `You have no session here, or it is over: it ends 30 minutes after its last use, or after 8 hours, and is for admins and owners. Type "${command} connect" in Slack and open the link that it answers.`;
  res
    .status(401)
    .type('html')
    .send(page({ title: 'Open this page from Slack', viewer: null, body: html``, trouble: { message } }));
}

/** After a form that did something: the browser goes on by GET, so that a reload repeats nothing. */
export function goOn(res: Response, path: string): void {
  res.redirect(303, path);
}

/** Told by its name: the client's class is known here as a type alone. */
export function isJiraError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'JiraError';
}
