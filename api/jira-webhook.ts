// Jira's webhooks: raw bytes -> verify -> store -> answer -> wake the relay. Nothing else happens before the answer.

import { type Express, type NextFunction, type Request, type RequestHandler, type Response, raw } from 'express';
import type { Logger } from 'pino';
import type { DeliveryState, DeliveryStore } from '../prisma/deliveries';
import { addressOf, type DeliveryBody, parseDelivery, readDelivery } from './jira-delivery';
import { Refusal } from './operations/refusal';
import { toProblem } from './problem';
import { bearerTokenHolds, hubSignatureMatches } from './webhook-signature';

/** How the deliveries of a connection prove where they come from. */
type WebhookAuth = {
  organisationId: string;
  kind: string;
  /** Of the admin webhook of an `api_token` connection; an `oauth` connection has none. */
  secret: string | null;
  siteUrl: string;
  cloudId: string | null;
  /** The dynamic webhooks that are registered for an `oauth` connection. */
  webhookIds: string[];
};
export type WebhookAuths = {
  /** Null where there is no such connection (any more). */
  webhookAuth(connectionId: string): Promise<WebhookAuth | null>;
};

type JiraWebhookDeps = {
  deliveries: Pick<DeliveryStore, 'insert' | 'noteWebhook'>;
  connections: WebhookAuths;
  /** Of the OAuth app, with which Jira signs the tokens of dynamic webhooks. Without it none is taken. */
  clientSecret?: string;
  wakeRelay: () => void;
  log: Logger;
  /** Told the result of each delivery: its state, `duplicate`, or the status of a refusal. */
  count?: (result: string) => void;
  now?: () => number;
};

const BODY_LIMIT = '25mb'; // Jira drops larger ones itself.
const REPLAY_WINDOW_MS = 24 * 3_600_000; // Jira's retries end within two hours.
const AUTH_TTL_MS = 3_000;
const NOTE_EVERY_MS = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Adds the routes `/api/integrations/jira/webhook?integration_id=` and `/api/integrations/jira/webhook/:id`. Answers 200 for
 * what is stored (or was before), 400, 401, 404 and 413 for what a retry cannot mend, and 503 for trouble of our own:
 * Jira repeats deliveries for 5xx and gives up for good at 4xx. Admin webhooks are proved by HMAC over the raw body,
 * dynamic ones of OAuth connections by a bearer token before the body is read.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
export function mountJiraWebhook(app: Express, deps: JiraWebhookDeps): void {
  const auths = cachedAuths(deps);
  const take = takeDelivery(deps);
  const rawBody = raw({ type: () => true, limit: BODY_LIMIT, inflate: false });

  const handle: RequestHandler = async (req, res) => {
    const connection = await find(auths.known, connectionIdOf(req));
    const isOauth = connection.kind === 'oauth';
    if (isOauth) demandToken(req, deps);
    await new Promise<void>((resolve, reject) => rawBody(req, res, (error) => (error ? reject(error) : resolve())));
    const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    if (!isOauth) demandSignature(req, body, connection.secret);
    const root = parseDelivery(body);
    if (isOauth) await demandOwnWebhook(root, connection, auths.read);
    const state = await take(connection, root, req.get('x-atlassian-webhook-identifier'));
    deps.count?.(state);
    res.writeHead(200, { 'content-length': '0' }).end();
    if (state === 'pending') deps.wakeRelay();
  };

  app.post('/api/integrations/jira/webhook', handle);
  app.post('/api/integrations/jira/webhook/:id', handle);
  app.use('/api/integrations/jira/webhook', answerTrouble(deps));
}

type FindAuth = WebhookAuths['webhookAuth'];
type Found = WebhookAuth & { connectionId: string };

async function find(authOf: FindAuth, connectionId: string | undefined): Promise<Found> {
  if (!connectionId) {
    throw new Refusal(
      'invalid',
      'missing_integration_id',
      'The address names no connection. Copy the webhook URL of the connection, with ?integration_id=, into Jira.',
    );
  }
  const found = UUID.test(connectionId) ? await authOf(connectionId.toLowerCase()) : null;
  if (!found) {
    throw new Refusal(
      'not_found',
      'unknown_integration_id',
      'No connection has this integration_id. Copy the webhook URL of the connection into Jira again.',
    );
  }
  return { ...found, connectionId: connectionId.toLowerCase() };
}

function connectionIdOf(req: Request): string | undefined {
  const id = req.params.id ?? req.query.integration_id;
  return typeof id === 'string' ? id.trim() : undefined;
}

function demandSignature(req: Request, body: Buffer, secret: string | null): void {
  if (hubSignatureMatches({ secret: secret ?? '', body, header: req.get('x-hub-signature') })) return;
  throw new Refusal(
    'unauthenticated',
    'bad_signature',
    'X-Hub-Signature is missing, of another method than sha256, or not made with the secret of this connection. ' +
      'Enter the webhook secret of the connection in Jira.',
  );
}

function demandToken(req: Request, { clientSecret, now = Date.now }: JiraWebhookDeps): void {
  if (!clientSecret) {
    throw new Refusal(
      'unavailable',
      'no_client_secret',
      'This server does not know the client secret of its OAuth app, so it cannot check deliveries. Set ATLASSIAN_CLIENT_SECRET.',
    );
  }
  if (bearerTokenHolds({ clientSecret, header: req.get('authorization'), now: now() })) return;
  throw new Refusal(
    'unauthenticated',
    'bad_token',
    'The bearer token is missing, has expired, is not of HS256, or is not signed with the client secret of this app. ' +
      'Check ATLASSIAN_CLIENT_SECRET and the clock.',
  );
}

/** The token does not cover the body, and is good for every site of the app: what the delivery is for must be ours. */
async function demandOwnWebhook(root: DeliveryBody, connection: Found, read: FindAuth): Promise<void> {
  const { webhookIds, issueSelf } = addressOf(root);
  const isIn = (auth: WebhookAuth | null) => auth?.webhookIds.some((id) => webhookIds.includes(id)) ?? false;
  // What is kept may be older than the webhook.
  const isOurs = isIn(connection) || (webhookIds.length > 0 && isIn(await read(connection.connectionId)));
  if (isOurs && (issueSelf === null || isOfSite(issueSelf, connection))) return;
  throw new Refusal(
    'unauthenticated',
    'foreign_webhook',
    'matchedWebhookIds names no webhook of this connection, or the issue is of another site. ' +
      'Webhooks of an OAuth connection are registered by Recheck alone.',
  );
}

/** Whether an issue's own address is on the site, or on the gateway below the site's cloud id. */
function isOfSite(self: string, { siteUrl, cloudId }: WebhookAuth): boolean {
  if (!URL.canParse(self)) return false;
  const { host, pathname } = new URL(self);
  if (pathname.startsWith('/ex/jira/')) return cloudId !== null && pathname.startsWith(`/ex/jira/${cloudId}/`);
  return host === new URL(siteUrl).host;
}

/** Asked for with every delivery, and changed rarely: `known` answers what was so at most a few seconds ago. */
function cachedAuths({ connections, now = Date.now }: JiraWebhookDeps): { known: FindAuth; read: FindAuth } {
  const cache = new Map<string, { until: number; auth: Promise<WebhookAuth | null> }>();
  const read: FindAuth = (connectionId) => {
    // Strangers can ask for any id, so the cache starts anew rather than growing.
    if (cache.size >= 1_000) cache.clear();
    const auth = connections.webhookAuth(connectionId);
    cache.set(connectionId, { until: now() + AUTH_TTL_MS, auth });
    auth.catch(() => cache.delete(connectionId));
    return auth;
  };
  return {
    read,
    known(connectionId) {
      const known = cache.get(connectionId);
      return known && known.until > now() ? known.auth : read(connectionId);
    },
  };
}

function takeDelivery({ deliveries, log, now = Date.now }: JiraWebhookDeps) {
  const noted = new Map<string, number>();

  function note({ organisationId, connectionId }: Found): void {
    if (now() - (noted.get(connectionId) ?? 0) < NOTE_EVERY_MS) return;
    noted.set(connectionId, now());
    deliveries.noteWebhook({ organisationId, connectionId }).catch((error: unknown) => {
      log.warn({ err: error, connectionId }, 'could not note the webhook on its connection');
    });
  }

  return async (
    connection: Found,
    root: DeliveryBody,
    identifier: string | undefined,
  ): Promise<DeliveryState | 'duplicate'> => {
    const delivery = readDelivery(root, identifier);
    if (delivery.occurredAt && Math.abs(now() - delivery.occurredAt.getTime()) > REPLAY_WINDOW_MS) {
      throw new Refusal(
        'invalid',
        'stale_delivery',
        'The timestamp of this delivery is more than 24 hours from now. If it was not replayed, check the clock.',
      );
    }
    const { organisationId, connectionId } = connection;
    const state = await deliveries.insert({ organisationId, connectionId, ...delivery });
    note(connection);
    return state;
  };
}

function answerTrouble({ log, count }: JiraWebhookDeps) {
  return (error: unknown, req: Request, res: Response, next: NextFunction): void => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const problem = toProblem(error);
    const status = problem.status === 500 ? 503 : problem.status;
    if (status === 503) log.error({ err: error }, 'a Jira delivery could not be stored; Jira will repeat it');
    count?.(String(status));
    req.resume();
    if (status === 503) res.set('retry-after', '60');
    res.status(status).type('application/problem+json');
    res.send(JSON.stringify(status === problem.status ? problem : storeTrouble));
  };
}

const storeTrouble = toProblem(
  new Refusal('unavailable', 'not_stored', 'The delivery could not be stored just now. Send it again later.'),
);
