// What proves that a delivery is Jira's, and for this connection: the signature of an admin webhook, or the token and
// the webhook ids of a dynamic one.

import type { Request } from 'express';
import { addressOf, type DeliveryBody } from './jira-delivery';
import { Refusal } from './operations/refusal';
import { bearerTokenHolds, hubSignatureMatches } from './webhook-signature';

/** How the deliveries of a connection prove where they come from. */
export type WebhookAuth = {
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

export type FindAuth = WebhookAuths['webhookAuth'];

type Known = WebhookAuth & { connectionId: string };

const AUTH_TTL_MS = 3_000;

/** Refuses what is not signed with the secret of an admin webhook; nothing is ever signed with an empty one. */
export function demandSignature(req: Request, body: Buffer, secret: string | null): void {
  if (hubSignatureMatches({ secret: secret ?? '', body, header: req.get('x-hub-signature') })) return;
  throw new Refusal(
    'unauthenticated',
    'bad_signature',
    'X-Hub-Signature is missing, of another method than sha256, or not made with the secret of this connection. ' +
      'Enter the webhook secret of the connection in Jira.',
  );
}

/** Refuses what carries no token that is signed with the client secret. Needs no body. */
export function demandToken(
  req: Request,
  { clientSecret, now = Date.now }: { clientSecret?: string; now?: () => number },
): void {
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
export async function demandOwnWebhook(root: DeliveryBody, connection: Known, read: FindAuth): Promise<void> {
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

/** Asked for with every delivery, and changed rarely: `cached` answers what was so at most a few seconds ago. */
export function cachedAuths({ connections, now = Date.now }: { connections: WebhookAuths; now?: () => number }): {
  cached: FindAuth;
  fresh: FindAuth;
} {
  const cache = new Map<string, { until: number; auth: Promise<WebhookAuth | null> }>();
  const fresh: FindAuth = (connectionId) => {
    // Strangers can ask for any id, so the cache starts anew rather than growing.
    if (cache.size >= 1_000) cache.clear();
    const auth = connections.webhookAuth(connectionId);
    cache.set(connectionId, { until: now() + AUTH_TTL_MS, auth });
    auth.catch(() => cache.delete(connectionId));
    return auth;
  };
  return {
    fresh,
    cached(connectionId) {
      const known = cache.get(connectionId);
      return known && known.until > now() ? known.auth : fresh(connectionId);
    },
  };
}
