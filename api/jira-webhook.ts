// Jira's webhooks: raw bytes -> verify -> store -> answer -> wake the relay. Nothing else happens before the answer.

import { type Express, type NextFunction, type Request, type RequestHandler, type Response, raw } from 'express';
import type { Logger } from 'pino';
import type { DeliveryState, DeliveryStore } from '../prisma/deliveries';
import { type DeliveryBody, parseDelivery, readDelivery } from './jira-delivery';
import {
  cachedAuths,
  demandOwnWebhook,
  demandSignature,
  demandToken,
  type FindAuth,
  type WebhookAuth,
  type WebhookAuths,
} from './jira-webhook-auth';
import { isUuid } from './operations/guard';
import { Refusal } from './operations/refusal';
import { toProblem } from './problem';

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
const NOTE_EVERY_MS = 10_000;

/**
 * Adds the routes `/api/integrations/jira/webhook?integration_id=` and `/api/integrations/jira/webhook/:id`. Answers 200 for
 * what is stored (or was before), 400, 401, 404 and 413 for what a retry cannot mend, and 503 for trouble of our own:
 * Jira repeats deliveries for 5xx and gives up for good at 4xx. Admin webhooks are proved by HMAC over the raw body,
 * dynamic ones of OAuth connections by a bearer token before the body is read.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
export function mountJiraWebhook(app: Express, deps: JiraWebhookDeps): void {
  const auths = cachedAuths(deps);
  const store = storeDelivery(deps);

  // What is thrown, answerTrouble answers with a 4xx, or with 503.
  const handle: RequestHandler = async (req, res) => {
    const connection = await findConnection(auths.cached, connectionIdOf(req));
    const isOauth = connection.kind === 'oauth';
    if (isOauth) demandToken(req, deps);
    const body = await readBody(req, res);
    if (!isOauth) demandSignature(req, body, connection.secret);
    const root = parseDelivery(body);
    // The token does not cover the body: the webhook that the body names must be this connection's
    // (looked up afresh where the cache does not know it).
    if (isOauth) await demandOwnWebhook(root, connection, auths.fresh);
    const state = await store(connection, root, req.get('x-atlassian-webhook-identifier'));
    deps.count?.(state);
    res.writeHead(200, { 'content-length': '0' }).end();
    // `pending`: about an issue of ours, and no repeat. The relay (relay.ts) signals its finding's workflow, or starts
    // it; if this wake-up is lost, the relay's sweep finds the row.
    if (state === 'pending') deps.wakeRelay();
  };

  app.post('/api/integrations/jira/webhook', handle);
  app.post('/api/integrations/jira/webhook/:id', handle);
  app.use('/api/integrations/jira/webhook', answerTrouble(deps));
}

const rawBody = raw({ type: () => true, limit: BODY_LIMIT, inflate: false });

async function readBody(req: Request, res: Response): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => rawBody(req, res, (error) => (error ? reject(error) : resolve())));
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
}

type Found = WebhookAuth & { connectionId: string };

async function findConnection(authOf: FindAuth, connectionId: string | undefined): Promise<Found> {
  if (!connectionId) {
    throw new Refusal(
      'invalid',
      'missing_integration_id',
      'The address names no connection. Copy the webhook URL of the connection, with ?integration_id=, into Jira.',
    );
  }
  const found = isUuid(connectionId) ? await authOf(connectionId.toLowerCase()) : null;
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

function storeDelivery({ deliveries, log, now = Date.now }: JiraWebhookDeps) {
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
