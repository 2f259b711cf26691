// What a failed point of the connection test says: cause and cure, in the words of Jira's own pages.

import { JiraError } from './errors';
import type { JiraProject } from './schemas';
import { NEEDED_SCOPES, scopeOf } from './scopes';

export interface Failure {
  readonly cause: string;
  readonly cure: string;
}

/** Where a person looks, which differs by how the connection logs in. */
export type LoginKind = 'api_token' | 'oauth';

/** Why the account could not be read. */
export function credentialsFailure(error: unknown, login: LoginKind): Failure {
  if (hasReason(error, 'captcha')) {
    return {
      cause: 'Jira has locked this account behind a CAPTCHA after failed logins.',
      cure: 'Log in to Jira once in a browser with this account, then test again.',
    };
  }
  if (isKind(error, 'scope')) return scopeFailure(['read:jira-user']);
  if (isKind(error, 'auth')) return login === 'oauth' ? deadGrant(error) : WRONG_TOKEN;
  if (isKind(error, 'forbidden')) {
    return {
      cause: 'Jira knows the account but does not let it in (403).',
      cure: 'Give the account access to Jira in the Atlassian administration, and check that no IP allow-list shuts us out.',
    };
  }
  return otherFailure(error);
}

const WRONG_TOKEN: Failure = {
  cause: 'Jira does not accept the e-mail and API token (401).',
  cure: 'Confirm that both are correct, and that the token was not revoked and has not expired in the Atlassian account settings; make a new one if in doubt.',
};

function deadGrant(error: unknown): Failure {
  if (error instanceof JiraError && error.status === 404) {
    return {
      cause: 'Atlassian does not know this site for the grant any more (404).',
      cure: "The site was deleted, or the app was removed from it. If it still exists, press Reconnect on the connection's page (/recheck connect) and choose the site.",
    };
  }
  // The authorization server's own words say more than a general text.
  if (error instanceof JiraError && error.operation === 'refresh') return inTwo(error);
  return {
    cause: 'Atlassian does not accept the grant any more (401).',
    cure: "The consent was withdrawn, or not used for 90 days: press Reconnect on the connection's page (/recheck connect).",
  };
}

/** Why the project could not be read. `upperCase` where the same key in upper case exists. */
export function projectFailure(error: unknown, projectKey: string, upperCase: JiraProject | undefined): Failure {
  if (isKind(error, 'not-found') && upperCase) {
    return {
      cause: `There is no project ${projectKey}, but there is ${upperCase.key} (404).`,
      cure: `Write ${upperCase.key}: a project key is case-sensitive.`,
    };
  }
  if (isKind(error, 'not-found')) {
    return {
      cause: `Project ${projectKey} does not exist, or the account may not see it (404).`,
      cure: 'Check the project key under Project settings > Details: it is case-sensitive. If it is right, give the account the permission Browse projects.',
    };
  }
  return callFailure(error);
}

/** Any other call: a missing scope by its name, what Jira says otherwise. */
export function callFailure(error: unknown): Failure {
  if (isKind(error, 'scope') && error instanceof JiraError) return scopeFailure([scopeOf(error.operation)]);
  return otherFailure(error);
}

/** Scopes that the credentials lack, by name. */
export function scopeFailure(scopes: ReadonlyArray<string>): Failure {
  const named = scopes.map((scope) => `${scope} (to ${NEEDED_SCOPES[scope] ?? 'work'})`);
  return {
    cause: `The credentials lack the ${scopes.length === 1 ? 'scope' : 'scopes'} ${named.join(', ')}.`,
    cure: 'Grant every scope that is asked for: press Reconnect on the page of the connection, or connect anew where there is none yet. A scoped API token needs it ticked.',
  };
}

/** What is no one's fault in particular: an outage, a limit, a fault of ours. */
export function otherFailure(error: unknown): Failure {
  if (!(error instanceof JiraError)) {
    return { cause: 'The check failed inside Recheck.', cure: 'Try again; if it stays, look at the log.' };
  }
  if (error.kind === 'rate-limited') {
    return { cause: 'Jira is limiting our calls (429).', cure: `Try again in ${seconds(error.retryAfterMs)}.` };
  }
  return inTwo(error);
}

function inTwo(error: JiraError): Failure {
  const [cause, ...cure] = error.message.split(/(?<=\.) /);
  return { cause: cause ?? error.message, cure: cure.join(' ') || 'Try again in a minute.' };
}

function seconds(ms: number | undefined): string {
  return `${Math.ceil((ms ?? 60_000) / 1000)} seconds`;
}

export function isKind(error: unknown, ...kinds: JiraError['kind'][]): boolean {
  return error instanceof JiraError && kinds.includes(error.kind);
}

export function hasReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof JiraError && error.reason !== undefined && reasons.includes(error.reason);
}
