// The sandbox's Jira: a stateful local server that speaks Jira Cloud's REST API version 3 and sends signed webhooks.
// Nothing of the product may be imported here, and nothing here knows the product.
// Next: routes/index.ts lists the operations, changes.ts is what they do, faults.ts is how to make it hard for a client.
import { EventEmitter } from 'node:events';
import express, { type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'pg';
import { listenLocally, refuseOtherSites } from '../http';
import { type Access, gatewayAccess, gatewayProblem, siteAccess } from './auth';
import { seedSites } from './catalog';
import { startDispatcher } from './dispatcher';
import { loadFaults } from './faults';
import type { Jira } from './jira';
import { loadOauthApp } from './oauth/app';
import { createPoints } from './points';
import { createRequestLog } from './request-log';
import { brokenRequest, restRoute, unknownPath } from './rest';
import { createBoardRouter, problemMessage } from './routes/board';
import { createControlRouter } from './routes/control';
import { createRestRouter } from './routes/index';
import { createConsentRouter, createTokenRouter } from './routes/oauth';
import { createOauthControlRouter } from './routes/oauth-control';
import { createPageRouter } from './routes/page';
import { createWebhookPageRouter } from './routes/webhook-page';
import { type OauthClient, prepareDatabase } from './schema';
import { loadSite, type Site, seededAccount } from './site';
import { loadWebhooks } from './webhooks';

export interface JiraSandboxOptions {
  /** A database of its own; the sandbox makes its schema `jira` there. */
  databaseUrl: string;
  /** 0 takes a free port. */
  port: number;
  /** Milliseconds before each first delivery of a webhook; 0 by default. */
  webhookDelayMs?: number;
  /** Milliseconds between deliveries of one webhook that fail; 5 s by default. */
  webhookRetryMs?: number;
  /** API tokens of the two accounts; without them random ones are made once and kept in the database. */
  apiTokens?: { person?: string; bot?: string };
  /** The OAuth app; without it a random one is made once and kept in the database. */
  oauth?: OauthClient;
  /** Hears of mistakes of the sandbox itself, which a client sees as 500. */
  onError?: (error: unknown) => void;
}

export interface JiraSandboxAccounts {
  person: { email: string; apiToken: string; accountId: string };
  bot: { email: string; apiToken: string; accountId: string };
}

export interface JiraSandbox {
  url: string;
  port: number;
  accounts: JiraSandboxAccounts;
  /** Id and secret of the OAuth app; authorization server, API gateway and site are all at `url`. */
  oauth: OauthClient;
  /** Where its sites are: the first is `url`. */
  siteUrls: string[];
  stop(): Promise<void>;
}

/**
 * Starts the sandbox's Jira on 127.0.0.1: REST API, webhooks, the board at `/`, and its controls below `/sandbox`.
 * All state is in PostgreSQL, so that a restart remembers it. Throws where the database or the port cannot be had.
 */
export async function startJiraSandbox(options: JiraSandboxOptions): Promise<JiraSandbox> {
  const pool = new Pool({ connectionString: options.databaseUrl, max: 10 });
  // A connection that breaks while it idles is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => options.onError?.(error));
  try {
    await prepareDatabase(pool, options);
    return await serve(pool, options);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function serve(pool: Pool, options: JiraSandboxOptions): Promise<JiraSandbox> {
  const onError = options.onError ?? (() => undefined);
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const oauth = await loadOauthApp(pool);
  const shared = {
    oauth,
    cloudIds: seedSites.map(({ cloudId }) => cloudId),
    faults: await loadFaults(pool),
    requests: createRequestLog(),
    points: createPoints(),
  };
  const jiras: Jira[] = [];
  for (const { cloudId, name } of seedSites) {
    const site = await loadSite(pool, { cloudId, name, changes });
    const webhooks = await loadWebhooks({ site, faults: shared.faults, delayMs: options.webhookDelayMs ?? 0 });
    jiras.push({ ...shared, site, webhooks });
  }
  const listening = await listenLocally(createApp(jiras, onError), options.port);
  for (const [index, { site }] of jiras.entries()) site.url = siteUrl(listening, seedSites[index]?.host ?? null);
  const dispatcher = await startDispatcher({ pool, changes, oauth, retryMs: options.webhookRetryMs ?? 5_000 });
  return {
    url: listening.url,
    port: listening.port,
    accounts: accountsOf(jiras),
    oauth: { clientId: oauth.clientId, clientSecret: oauth.clientSecret },
    siteUrls: jiras.map(({ site }) => site.url),
    async stop() {
      shared.faults.release();
      await listening.close();
      await dispatcher.stop();
      await pool.end();
    },
  };
}

function siteUrl({ url, port }: { url: string; port: number }, host: string | null): string {
  return host === null ? url : `http://${host}:${port}`;
}

function createApp(jiras: readonly Jira[], onError: (error: unknown) => void): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json({ limit: '5mb', strict: false }));
  app.use(createTokenRouter(jiras, onError));
  app.use('/ex/jira/:cloudId', createGateway(jiras, onError));
  const routers = jiras.map((jira) => createSiteRouter(jira, onError));
  app.use((req, res, next) => {
    const index = seedSites.findIndex(({ host }) => host === req.hostname);
    (routers[index] ?? routers[0])?.(req, res, next);
  });
  app.use(createConsentRouter(jiras));
  app.use('/sandbox', createOauthControlRouter(jiras));
  app.use('/sandbox', createControlRouter(jiras));
  app.use(unknownPath);
  app.use((error: unknown, req: Request, res: Response, next: NextFunction) => {
    const problem = problemMessage(error);
    if (problem) {
      res.status(problem.status).json({ error: problem.error });
      return;
    }
    if (!(error instanceof Error && 'status' in error)) onError(error);
    brokenRequest(error, req, res, next);
  });
  return app;
}

/** What is at the address of one site. */
function createSiteRouter(jira: Jira, onError: (error: unknown) => void): express.Router {
  const router = express.Router();
  router.get('/_edge/tenant_info', (_req, res) => {
    res.json({ cloudId: jira.site.cloudId });
  });
  router.use(createRestRouter({ jira, onError, access: siteAccess }));
  router.use('/rest', unknownPath);
  router.use(refuseOtherSites);
  router.use(createPageRouter(jira));
  router.use(createWebhookPageRouter(jira));
  router.use('/sandbox/board', createBoardRouter(jira));
  return router;
}

/** The API gateway: the REST API of every site, for callers of its own. An unknown site is 404 to who is known. */
function createGateway(jiras: readonly Jira[], onError: (error: unknown) => void): express.RequestHandler {
  const [first] = jiras;
  const routers = new Map(
    jiras.map((jira) => [jira.site.cloudId, createRestRouter({ jira, onError, access: gatewayAccess })]),
  );
  return (req, res, next) => {
    const router = routers.get(String(req.params.cloudId));
    if (router) router(req, res, () => unknownPath(req, res));
    else if (first)
      restRoute({ jira: first, onError, access: unknownSite, scopes: [] }, () => notFound)(req, res, next);
  };
}

const notFound = gatewayProblem(404, 'Not Found');

/** Whoever calls is known as on any site; what they call does not exist. */
const unknownSite: Access = async (jira, req) => {
  const caller = await gatewayAccess(jira, req, []);
  return caller.account ? { account: caller.account, failed: false } : caller;
};

function accountsOf(jiras: readonly Jira[]): JiraSandboxAccounts {
  const [jira] = jiras;
  if (!jira) throw new Error("The sandbox's Jira has no site; its database is not prepared.");
  return seededAccounts(jira.site);
}

function seededAccounts(site: Site): JiraSandboxAccounts {
  const of = (role: 'person' | 'bot') => {
    const { email, apiToken, accountId } = seededAccount(site, role);
    return { email, apiToken: apiToken ?? '', accountId };
  };
  return { person: of('person'), bot: of('bot') };
}

/** Reads the accounts that a sandbox keeps in its database, without starting it. */
export async function jiraSandboxAccounts(databaseUrl: string): Promise<JiraSandboxAccounts> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  try {
    await prepareDatabase(pool, {});
    const [{ cloudId, name }] = seedSites;
    return seededAccounts(await loadSite(pool, { cloudId, name, changes: new EventEmitter() }));
  } finally {
    await pool.end();
  }
}
