import { createHash, timingSafeEqual } from 'node:crypto';
import type { Account, Site } from './site';

export interface Caller {
  account: Account | null;
  /** Credentials were sent and are not valid. */
  failed: boolean;
}

/**
 * Who calls, by Basic authentication with e-mail and API token. Dead credentials make an anonymous caller, as in Jira,
 * where only the header `X-Seraph-LoginReason` tells. OAuth's bearer tokens join here.
 */
export function callerOf(site: Site, header: string | undefined, isRevoked: (account: Account) => boolean): Caller {
  if (header === undefined) return { account: null, failed: false };
  const [scheme, credentials] = header.split(' ');
  if (scheme?.toLowerCase() !== 'basic' || !credentials) return { account: null, failed: true };
  const [email, ...rest] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
  const account = site.accounts.find((candidate) => candidate.email === email);
  if (!account?.apiToken || !same(account.apiToken, rest.join(':')) || isRevoked(account)) {
    return { account: null, failed: true };
  }
  return { account, failed: false };
}

function same(expected: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
