// The sandbox's Jira: a stateful local server that speaks Jira Cloud's REST API version 3 and sends signed webhooks.
// Nothing of the product may be imported here, and nothing here knows the product.
// Next: routes/index.ts lists the operations, changes.ts is what they do, faults.ts is how to make it hard for a client.
import express, { type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'pg';
import { listenLocally, refuseOtherSites } from '../http';
import { startDispatcher } from './dispatcher';
import { loadFaults } from './faults';
import type { Jira } from './jira';
import { createRequestLog } from './request-log';
import { brokenRequest, unknownPath } from './rest';
import { createBoardRouter, problemMessage } from './routes/board';
import { createControlRouter } from './routes/control';
import { createRestRouter } from './routes/index';
import { createPageRouter } from './routes/page';
import { prepareDatabase } from './schema';
import { loadSite, seededAccount } from './site';
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
    await prepareDatabase(pool, options.apiTokens ?? {});
    return await serve(pool, options);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function serve(pool: Pool, options: JiraSandboxOptions): Promise<JiraSandbox> {
  const onError = options.onError ?? (() => undefined);
  const site = await loadSite(pool, '');
  const faults = await loadFaults(pool);
  const webhooks = await loadWebhooks({ site, faults, delayMs: options.webhookDelayMs ?? 0 });
  const jira: Jira = { site, faults, webhooks, requests: createRequestLog() };
  const listening = await listenLocally(createApp(jira, onError), options.port);
  site.url = listening.url;
  const dispatcher = await startDispatcher({ site, retryMs: options.webhookRetryMs ?? 5_000 });
  return {
    url: listening.url,
    port: listening.port,
    accounts: accountsOf(jira),
    async stop() {
      faults.release();
      await listening.close();
      await dispatcher.stop();
      await pool.end();
    },
  };
}

function createApp(jira: Jira, onError: (error: unknown) => void): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(express.json({ limit: '5mb', strict: false }));
  app.use(createRestRouter(jira, onError));
  app.use('/rest', unknownPath);
  app.use(refuseOtherSites);
  app.use(createPageRouter(jira));
  app.use('/sandbox/board', createBoardRouter(jira));
  app.use('/sandbox', createControlRouter(jira));
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

function accountsOf({ site }: Jira): JiraSandboxAccounts {
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
    const site = await loadSite(pool, '');
    return accountsOf({ site } as Jira);
  } finally {
    await pool.end();
  }
}
