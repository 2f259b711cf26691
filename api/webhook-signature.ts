import { createHmac, timingSafeEqual } from 'node:crypto';

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
