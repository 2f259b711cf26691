// The connect page: server-rendered, works without scripts, opened by a single-use link from Slack. What
// may be done is decided by the operations; here stand the routes, the headers, and what is said when something fails.

import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Db } from '../../prisma/client';
import type { Connecting } from '../operations/connecting';
import { refuseUnfitInput } from '../operations/fit-input';
import { databaseAway, Refusal } from '../operations/refusal';
import type { Operations } from '../operations/types';
import { addAtlassianRoutes } from './atlassian-routes';
import { addConnectionRoutes } from './connection-routes';
import { type ConnectSessions, createConnectSessions } from './sessions';
import { addSetupRoutes } from './setup-routes';
import { style } from './style';
import { createSignedIn, goOn, isJiraError, sendTrouble, setCookie, type VisitHandler } from './visit';

export type PageDeps = {
  operations: Operations;
  connecting: Connecting;
  db: Pick<Db, 'members' | 'oneTimeLinks'>;
  baseUrl: string;
  /** The bot's root command, to name on pages. */
  command: string;
  /** Atlassian's authorization server; null where no OAuth app is configured. */
  authUrl: string | null;
  log: Pick<Logger, 'error'>;
};

/** What the files with routes get to work with. */
export type Pages = PageDeps & {
  sessions: ConnectSessions;
  get(path: string, handler: VisitHandler): void;
  post(path: string, handler: VisitHandler): void;
};

const TOKEN = /^[\w-]{40,64}$/;

/** The router for `/connect`. */
export function createConnectPages(deps: PageDeps): Router {
  const { command, baseUrl, log } = deps;
  const isHttps = baseUrl.startsWith('https:');
  const sessions = createConnectSessions(deps);
  const signedIn = createSignedIn(sessions, command);
  const router = Router();
  router.get('/style.css', (_req, res) => {
    res.type('css').set('cache-control', 'public, max-age=3600').send(style);
  });
  router.use(headers(deps));
  router.use(express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 1_200 }));
  router.use((req, _res, next) => {
    for (const part of [req.query, req.body]) refuseUnfitInput(part);
    next();
  });

  const pages: Pages = {
    ...deps,
    sessions,
    get: (path, handler) => router.get(path, signedIn(handler)),
    post: (path, handler) => router.post(path, signedIn(handler)),
  };
  addSetupRoutes(pages);
  addAtlassianRoutes(pages);
  addConnectionRoutes(pages);
  pages.get('/end', ({ res }) => goOn(res, '/connect'));
  pages.post('/end', async ({ res, session }) => {
    await sessions.end(session);
    setCookie(res, { value: '', isHttps });
    sendTrouble(res, {
      status: 200,
      title: 'Signed out',
      message: `Your session is over. Type "${command} connect" in Slack for another.`,
    });
  });
  router.get('/:token', openLink({ sessions, command, isHttps }));
  router.use((_req, res) => {
    sendTrouble(res, {
      status: 404,
      title: 'Nothing is here',
      message: 'There is no such page. Go to the connect page and start from there.',
    });
  });
  router.use(troubleHandler(log));
  return router;
}

/** Uses the link up and goes on with a session. */
function openLink(deps: { sessions: ConnectSessions; command: string; isHttps: boolean }): RequestHandler {
  const { sessions, command, isHttps } = deps;
  return async (req, res, next) => {
    const token = req.params.token;
    if (typeof token !== 'string' || !TOKEN.test(token)) return next();
    // Programs that look where a link leads ask without wanting the page; that must not use it up.
    if (req.method === 'HEAD') {
      res.status(200).end();
      return;
    }
    const opened = await sessions.open(token);
    if (opened.outcome === 'ok') {
      setCookie(res, { value: opened.cookie, isHttps });
      return goOn(res, '/connect');
    }
    const status = opened.outcome === 'forbidden' ? 403 : opened.outcome === 'unknown' ? 404 : 410;
    const message = `${linkTroubles[opened.outcome]} Type "${command} connect" in Slack for a new one.`;
    sendTrouble(res, { status, title: 'This link does not open anything', message });
  };
}

const linkTroubles = {
  used: 'The link was opened before, and it opens once only.',
  expired: 'The link was not opened in time.',
  unknown: 'Recheck did not make this link, or it is over for a long time.',
  forbidden:
    'Only admins and owners of Recheck may connect Jira, and the link belongs to somebody who is neither now. Ask an owner.',
};

/** Nothing is kept by caches, told to other sites, framed, or run as a script. */
function headers({ baseUrl, authUrl }: PageDeps): RequestHandler {
  const https = baseUrl.startsWith('https:');
  // Browsers hold redirects after a form to `form-action` too, and behind Atlassian's consent may stand a log-in of
  // any company.
  const formAction = authUrl ? ["'self'", new URL(authUrl).origin, 'https:'] : ["'self'"];
  const secure = helmet({
    strictTransportSecurity: https,
    referrerPolicy: { policy: 'no-referrer' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ['data:'],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction,
      },
    },
  });
  return (req, res, next) => {
    res.set('cache-control', 'no-store');
    secure(req, res, next);
  };
}

function troubleHandler(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error: unknown, _req, res, _next) => {
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const refusal = error instanceof Refusal ? error : databaseAway(error);
    if (refusal) {
      sendTrouble(res, { status: refusal.status, title: 'That could not be done', message: refusal.message });
      return;
    }
    const status = statusOf(error);
    if (status !== null) {
      sendTrouble(res, {
        status,
        title: 'That could not be read',
        message: 'The form is too large or not one of these pages. Go back and try again.',
      });
      return;
    }
    if (isJiraError(error)) {
      sendTrouble(res, {
        status: 502,
        title: 'Jira could not be asked',
        message: `${error.message} Go back and try again.`,
      });
      return;
    }
    const reference = randomUUID();
    log.error({ err: error, reference }, 'a connect page failed');
    sendTrouble(res, {
      status: 500,
      title: 'Something went wrong here',
      message: `It may not have been done. Go back and try again; if it stays, tell whoever runs Recheck the reference ${reference}.`,
    });
  };
}

/** The 4xx of an error by Express's body parser. */
function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  return 'type' in error && error.status >= 400 && error.status < 500 ? error.status : null;
}
