// Jira's webhooks: raw bytes -> verify -> store -> answer -> wake the relay. Nothing else happens before the answer.

import { createHash, randomUUID } from 'node:crypto';
import { type Express, type NextFunction, type Request, type RequestHandler, type Response, raw } from 'express';
import type { Logger } from 'pino';
import type { DeliveryState, DeliveryStore, JiraChange, NewDelivery } from '../prisma/deliveries';
import { Refusal } from './operations/refusal';
import { toProblem } from './problem';
import { hubSignatureMatches } from './webhook-signature';

type WebhookSecret = { organisationId: string; secret: string };
export type WebhookSecrets = {
  /** The secret of a connection that takes webhooks; null where there is no such connection (any more). */
  webhookSecret(connectionId: string): Promise<WebhookSecret | null>;
};

type JiraWebhookDeps = {
  deliveries: Pick<DeliveryStore, 'insert' | 'noteWebhook'>;
  connections: WebhookSecrets;
  wakeRelay: () => void;
  log: Logger;
  /** Told the result of each delivery: its state, `duplicate`, or the status of a refusal. */
  count?: (result: string) => void;
  now?: () => number;
};

const BODY_LIMIT = '25mb'; // Jira drops larger ones itself.
const REPLAY_WINDOW_MS = 24 * 3_600_000; // Jira's retries end within two hours.
const SECRET_TTL_MS = 3_000;
const NOTE_EVERY_MS = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Adds the routes `/api/integrations/jira/webhook?integration_id=` and `/api/integrations/jira/webhook/:id`. Answers 200 for
 * what is stored (or was before), 400, 401, 404 and 413 for what a retry cannot mend, and 503 for trouble of our own:
 * Jira repeats deliveries for 5xx and gives up for good at 4xx.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
export function mountJiraWebhook(app: Express, deps: JiraWebhookDeps): void {
  const secretOf = cachedSecrets(deps);
  const take = takeDelivery(deps);
  const rawBody = raw({ type: () => true, limit: BODY_LIMIT, inflate: false });

  const handle: RequestHandler = async (req, res) => {
    const connection = await find(secretOf, connectionIdOf(req));
    await new Promise<void>((resolve, reject) => rawBody(req, res, (error) => (error ? reject(error) : resolve())));
    const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    if (!hubSignatureMatches({ secret: connection.secret, body, header: req.get('x-hub-signature') })) throw unsigned();
    const state = await take(connection, body, req.get('x-atlassian-webhook-identifier'));
    deps.count?.(state);
    res.writeHead(200, { 'content-length': '0' }).end();
    if (state === 'pending') deps.wakeRelay();
  };

  app.post('/api/integrations/jira/webhook', handle);
  app.post('/api/integrations/jira/webhook/:id', handle);
  app.use('/api/integrations/jira/webhook', answerTrouble(deps));
}

type Found = WebhookSecret & { connectionId: string };

async function find(secretOf: WebhookSecrets['webhookSecret'], connectionId: string | undefined): Promise<Found> {
  if (!connectionId) {
    throw new Refusal(
      'invalid',
      'missing_integration_id',
      'The address names no connection. Copy the webhook URL of the connection, with ?integration_id=, into Jira.',
    );
  }
  const found = UUID.test(connectionId) ? await secretOf(connectionId.toLowerCase()) : null;
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

function unsigned(): Refusal {
  return new Refusal(
    'unauthenticated',
    'bad_signature',
    'X-Hub-Signature is missing, of another method than sha256, or not made with the secret of this connection. ' +
      'Enter the webhook secret of the connection in Jira.',
  );
}

/** Secrets change rarely and are asked for with every delivery: known (and unknown) for a few seconds. */
function cachedSecrets({ connections, now = Date.now }: JiraWebhookDeps): WebhookSecrets['webhookSecret'] {
  const cache = new Map<string, { until: number; secret: Promise<WebhookSecret | null> }>();
  return (connectionId) => {
    const known = cache.get(connectionId);
    if (known && known.until > now()) return known.secret;
    // Strangers can ask for any id, so the cache starts anew rather than growing.
    if (cache.size >= 1_000) cache.clear();
    const secret = connections.webhookSecret(connectionId);
    cache.set(connectionId, { until: now() + SECRET_TTL_MS, secret });
    secret.catch(() => cache.delete(connectionId));
    return secret;
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
    body: Buffer,
    identifier: string | undefined,
  ): Promise<DeliveryState | 'duplicate'> => {
    const delivery = readDelivery(body, identifier);
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

type Read = Omit<NewDelivery, 'organisationId' | 'connectionId'>;

/**
 * What is kept of a delivery: event, issue id, actor, time, and changes of status, resolution, key or project; never a
 * text of the issue. A body without event or issue id (webhooks can be set to exclude it) is of interest: something
 * happened. Without `identifier` (x-atlassian-webhook-identifier) event, issue and time tell deliveries apart.
 */
function readDelivery(body: Buffer, identifier?: string): Read {
  const root = parseObject(body);
  const event = text(own(root, 'webhookEvent')) ?? '';
  const jiraIssueId = text(own(object(own(root, 'issue')), 'id'));
  const timestamp = own(root, 'timestamp');
  const user = object(own(root, 'user'));
  const changes = changesOfInterest(object(own(root, 'changelog')));
  const usable = event !== '' && (jiraIssueId !== null || !issueEvents.has(event));
  return {
    identifier: identifier || fallbackIdentifier({ event, issue: jiraIssueId, timestamp }),
    event,
    jiraIssueId,
    changes,
    ofInterest: !usable || event === 'jira:issue_deleted' || (event === 'jira:issue_updated' && changes.length > 0),
    actorId: text(own(user, 'accountId')),
    actorName: text(own(user, 'displayName')),
    occurredAt: typeof timestamp === 'number' && Math.abs(timestamp) < 8.64e15 ? new Date(timestamp) : null,
  };
}

const issueEvents = new Set(['jira:issue_updated', 'jira:issue_deleted', 'jira:issue_created']);
const fieldsOfInterest = new Set(['status', 'resolution', 'key', 'project']);

function changesOfInterest(changelog: Fields | null): JiraChange[] {
  const items = own(changelog, 'items');
  if (!Array.isArray(items)) return [];
  return items.flatMap((entry) => {
    const item = object(entry);
    const field = [text(own(item, 'fieldId')), text(own(item, 'field'))].find((name) => isOfInterest(name));
    if (!field) return [];
    return {
      field: field.toLowerCase(),
      from: text(own(item, 'from')),
      to: text(own(item, 'to')),
      fromName: text(own(item, 'fromString')),
      toName: text(own(item, 'toString')),
    };
  });
}

const isOfInterest = (name: string | null): name is string => name !== null && fieldsOfInterest.has(name.toLowerCase());

function fallbackIdentifier(parts: { event: string; issue: string | null; timestamp: unknown }): string {
  // Nothing to tell it by: better handled twice than taken for another one.
  if (typeof parts.timestamp !== 'number') return `none:${randomUUID()}`;
  return createHash('sha256')
    .update(JSON.stringify([parts.event, parts.issue, parts.timestamp]))
    .digest('hex');
}

type Fields = { [key: string]: unknown };

function parseObject(body: Buffer): Fields | null {
  try {
    return object(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}

function object(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Changelog items have a field named `toString`; where it is absent, a plain read finds Object's function. */
function own(fields: Fields | null, key: string): unknown {
  return fields && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** Ids arrive as strings from some senders and as numbers from others. */
function text(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : null;
}
