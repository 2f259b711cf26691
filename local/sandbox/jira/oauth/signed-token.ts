import { createHmac } from 'node:crypto';
import type { OauthClient } from '../schema';

const lifetimeSeconds = 180;

/** A JSON web token as Jira sends it with the webhooks of OAuth apps: HS256 with the client secret, `iat` and `exp`. */
export function signedToken({ clientId, clientSecret }: OauthClient): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: clientId, iat, exp: iat + lifetimeSeconds };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', clientSecret).update(signed).digest('base64url')}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
