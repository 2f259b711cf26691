import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { Answer, AppCaller } from './answer';
import type { Jira } from './jira';
import { type Account, findAccount, type Site } from './site';

export interface Caller {
  account: Account | null;
  /** Credentials were sent and are not valid. */
  failed: boolean;
  /** The OAuth app that acts for the account. */
  app?: AppCaller;
  /** Answered instead of doing the work. */
  refusal?: Answer;
}

/** Tells who calls; `scopes` are those that an OAuth grant needs for the operation, null where none is enough. */
export type Access = (jira: Jira, req: Request, scopes: readonly string[] | null) => Promise<Caller> | Caller;

/** At the site's own address: Basic authentication or nobody. A bearer token of OAuth is not good here. */
export const siteAccess: Access = ({ site, faults }, req) => callerOf(site, req.get('authorization'), faults.isRevoked);

/**
 * At the API gateway (`/ex/jira/{cloudId}`): a bearer token of OAuth, or Basic authentication as scoped API tokens need
 * it. Nobody is anonymous here: 401 without living credentials, 401 with another text where the grant lacks a scope,
 * 404 for a site that the grant does not cover.
 */
export const gatewayAccess: Access = async (jira, req, scopes) => {
  const header = req.get('authorization');
  const [scheme = '', token = ''] = (header ?? '').split(' ');
  if (scheme.toLowerCase() === 'basic') {
    const caller = callerOf(jira.site, header, jira.faults.isRevoked);
    return caller.account ? caller : { ...caller, refusal: gatewayProblem(401, 'Unauthorized') };
  }
  const grant = scheme.toLowerCase() === 'bearer' ? await jira.oauth.grants.grantOf(token) : null;
  const account = findAccount(jira.site, grant?.accountId ?? null);
  if (!grant || !account) return { account: null, failed: true, refusal: gatewayProblem(401, 'Unauthorized') };
  const caller = { account, failed: false, app: { grantId: grant.id } };
  if (!isReachable(jira, grant.cloudIds)) return { ...caller, refusal: gatewayProblem(404, 'Not Found') };
  const missing = scopes === null || scopes.some((scope) => !grant.scopes.includes(scope));
  return missing ? { ...caller, refusal: gatewayProblem(401, 'Unauthorized; scope does not match') } : caller;
};

function isReachable({ site, oauth, cloudIds }: Jira, granted: readonly string[]): boolean {
  return granted.includes(site.cloudId) && cloudIds.indexOf(site.cloudId) < oauth.siteCount();
}

/** An error in the gateway's own shape. */
export function gatewayProblem(code: number, message: string): Answer {
  return { status: code, body: { code, message } };
}

/**
 * Who calls, by Basic authentication with e-mail and API token. Dead credentials make an anonymous caller, as in Jira,
 * where only the header `X-Seraph-LoginReason` tells.
 */
function callerOf(site: Site, header: string | undefined, isRevoked: (account: Account) => boolean): Caller {
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
