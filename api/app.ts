// The HTTP process's app: what comes in, in which order it is looked at, and how errors are answered.
// What may be done is decided in api/operations, never here. Routes stand in api/routes, shapes in api/schemas.

import { randomUUID } from 'node:crypto';
import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { DeliveryStore } from '../prisma/deliveries';
import { createDocsPage } from './docs-page';
import { createFindingPage } from './finding-page';
import { createHealth, type Readiness } from './health';
import { sendIcon } from './icon';
import { mountJiraWebhook } from './jira-webhook';
import type { WebhookAuths } from './jira-webhook-auth';
import { createMetrics, type Metrics } from './metrics';
import { openApiDocument } from './openapi';
import type { Operations } from './operations/types';
import { problemHandler, problemOf, sendProblem } from './problem';
import { createRoutes, routes } from './routes';

export type AppDeps = {
  operations: Operations;
  deliveries: Pick<DeliveryStore, 'insert' | 'noteWebhook' | 'countByState'>;
  connections: WebhookAuths;
  /** Of the OAuth app; deliveries of dynamic webhooks are checked with it. */
  clientSecret?: string;
  /** Adds Slack's routes; they read the raw body themselves. */
  mountSlack?: (app: Express) => void;
  /** The connect page, with headers of its own. */
  connectPages?: Router;
  ready: () => Promise<Readiness>;
  log: Logger;
  /** Called when a delivery was stored that concerns a finding. */
  wakeRelay: () => void;
  /** The address under which the world reaches this app. */
  baseUrl: string;
  /** Made here where not given; give it to add gauges. */
  metrics?: Metrics;
  /** The bot's root command, to name on pages. */
  command?: string;
  /** Per API key. */
  requestsPerMinute?: number;
};

/** The whole app. The order matters: what needs the raw body comes before what parses it. */
export function createApp(deps: AppDeps): Express {
  const { operations, log, baseUrl, requestsPerMinute } = deps;
  const metrics = deps.metrics ?? createMetrics(deps);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  mountJiraWebhook(app, { ...deps, count: metrics.countDelivery });
  app.use(metrics.measure, requestLog(log));
  deps.mountSlack?.(app);
  if (deps.connectPages) app.use('/connect', deps.connectPages);
  app.use(secureHeaders(baseUrl));
  app.use(createHealth(deps));
  app.get('/metrics', metrics.answer);
  const document = openApiDocument({ routes, baseUrl });
  app.get('/openapi.json', (_req, res) => {
    res.json(document);
  });
  app.use('/docs', createDocsPage());
  app.get('/favicon.ico', sendIcon);
  app.use(createFindingPage({ command: deps.command ?? '/recheck', baseUrl }));
  app.use(createRoutes({ operations, ...(requestsPerMinute ? { requestsPerMinute } : {}) }));
  app.use((req, res) => {
    const detail = `There is no ${req.method} ${req.path}. The calls stand at ${baseUrl}/docs.`;
    sendProblem(res, problemOf({ status: 404, code: 'not_found', detail }));
  });
  app.use(problemHandler(log));
  return app;
}

/** One line per request with its path but without query, headers and body: they may carry secrets. */
function requestLog(logger: Logger): RequestHandler {
  const quiet = new Set(['/healthz', '/readyz', '/metrics']);
  return pinoHttp({
    logger,
    genReqId: () => randomUUID(),
    autoLogging: { ignore: (req) => quiet.has(pathOf(req.url)) },
    quietReqLogger: true,
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'error' : 'info'),
    serializers: {
      req: (req: { id: string; method: string; url: string }) => ({
        id: req.id,
        method: req.method,
        path: pathOf(req.url),
      }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
  });
}

// A link to the connect page has its token in the path.
const pathOf = (url: string | undefined) =>
  (url?.split('?', 1)[0] ?? '').replace(/^\/connect\/[\w-]{40,}/, '/connect/[token]');

function secureHeaders(baseUrl: string): RequestHandler {
  const https = baseUrl.startsWith('https:');
  return helmet({
    strictTransportSecurity: https,
    // On plain http (a laptop) it would send the page's own scripts to a port that does not speak TLS.
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: https ? [] : null } },
  });
}
