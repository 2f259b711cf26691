import { createHmac, timingSafeEqual } from 'node:crypto';
import { verify } from 'jsonwebtoken';

const HEX_OF_SHA256 = /^[0-9a-f]{64}$/i;

/**
 * Whether `header` (`X-Hub-Signature: sha256=<hex>`, WebSub's form, which Jira's admin webhooks use) is the HMAC of the
 * raw body under `secret`. False for a missing header, for any other method, and always where the secret is empty.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-webhooks
 */
export function hubSignatureMatches(signed: { secret: string; body: Buffer; header: string | undefined }): boolean {
  const { secret, body, header } = signed;
  if (!secret || !header?.startsWith('sha256=')) return false;
  const hex = header.slice('sha256='.length);
  if (!HEX_OF_SHA256.test(hex)) return false;
  return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), Buffer.from(hex, 'hex'));
}

const LEEWAY_S = 60;

/**
 * Whether `header` (`Authorization: Bearer <JWT>`, on deliveries of dynamic webhooks) is a token of HS256 under the
 * client secret of the app that has begun and has not ended at `now` (milliseconds), with a leeway of 60 seconds. The
 * token must say both when it was issued and when it ends. False always where the secret is empty.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/
 */
export function bearerTokenHolds(signed: { clientSecret: string; header: string | undefined; now: number }): boolean {
  const { clientSecret, header, now } = signed;
  const [, token] = header?.match(/^bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i) ?? [];
  if (!clientSecret || !token) return false;
  const clockTimestamp = Math.floor(now / 1000);
  try {
    const claims = verify(token, clientSecret, { algorithms: ['HS256'], clockTolerance: LEEWAY_S, clockTimestamp });
    if (typeof claims === 'string' || typeof claims.exp !== 'number' || typeof claims.iat !== 'number') return false;
    return claims.iat <= clockTimestamp + LEEWAY_S;
  } catch {
    return false;
  }
}
