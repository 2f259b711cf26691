// OAuth 2.0 (3LO) of Atlassian: from the consent page to a grant, and from a refresh token to the next. Nothing here
// stores anything; that a refresh token is spent once is the caller's matter (prisma/grants.ts).
// Vendor sources: Atlassian, "OAuth 2.0 (3LO) apps" and "Implementing the Refresh Token Flow".

import { z } from 'zod';
import type { JiraErrorKind } from './errors';
import { JiraError } from './errors';
import { lostAnswer, parseJson, unexpectedAnswer } from './failed-answer';
import { namedDelayMs, retryDelayMs } from './retry-after';
import { missingScopes, REQUESTED_SCOPES } from './scopes';
import { isAllowedUrl } from './site-address';
import type { JiraFetch } from './transport';
import { createJiraFetch } from './transport';

export type OauthApp = { clientId: string; clientSecret: string; authUrl: string; apiUrl: string };

/** What a person has granted; `expiresAt` (milliseconds since 1970) is the end of the access token. */
export type OauthGrant = { accessToken: string; refreshToken: string; expiresAt: number; scopes: string[] };

/** A site that a grant covers. */
export type OauthSite = { cloudId: string; name: string; url: string; scopes: string[] };

export interface OauthDeps {
  readonly app: OauthApp;
  /** For one exchange with Atlassian. */
  readonly timeoutMs: number;
  readonly allowedHttpOrigins?: ReadonlyArray<string> | undefined;
  readonly fetch?: JiraFetch | undefined;
  readonly now?: (() => number) | undefined;
}

const tokens = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.coerce.number().positive(),
  scope: z.string().default(''),
});
const refusalBody = z.looseObject({ error: z.string(), error_description: z.string().optional().catch(undefined) });
const resources = z.array(
  z.looseObject({
    id: z.string(),
    name: z.string().default(''),
    url: z.url(),
    scopes: z.array(z.string()).default([]),
  }),
);

type Answer = { status: number; header: (name: string) => string | null; body: string };
type Sent = { operation: string; url: string; headers?: Record<string, string>; json?: object };

/** The authorization server of Atlassian, for one app. Every method but `authorizeUrl` throws `JiraError`. */
export function createOauth({ app, timeoutMs, allowedHttpOrigins = [], now = Date.now, ...deps }: OauthDeps) {
  const fetch = deps.fetch ?? createJiraFetch(allowedHttpOrigins);

  async function send({ operation, url, headers = {}, json }: Sent): Promise<Answer> {
    if (!isAllowedUrl(new URL(url), allowedHttpOrigins)) throw refusedAddress(operation);
    try {
      const response = await fetch(url, {
        method: json ? 'POST' : 'GET',
        headers: { accept: 'application/json', 'user-agent': 'Recheck', ...headers, ...(json ? JSON_TYPE : {}) },
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
        ...(json ? { body: JSON.stringify(json) } : {}),
      });
      return { status: response.status, header: (name) => response.headers.get(name), body: await response.text() };
    } catch (error) {
      // Not a write in Jira: a lost answer leaves the refresh token as it was, to be tried again.
      throw lostAnswer({ operation, write: false }, error);
    }
  }

  async function tokenCall(operation: string, request: Record<string, string>) {
    const { clientId, clientSecret } = app;
    const json = { ...request, client_id: clientId, client_secret: clientSecret };
    const answer = await send({ operation, url: `${app.authUrl}/oauth/token`, json });
    if (answer.status < 200 || answer.status > 299) throw tokenFailure(operation, answer, now());
    const parsed = tokens.safeParse(parseJson(answer.body));
    if (!parsed.success) {
      throw unexpectedAnswer({ operation, write: false }, { ...answer, body: '' }, 'no access token');
    }
    const { access_token, refresh_token, expires_in, scope } = parsed.data;
    return {
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresAt: now() + expires_in * 1000,
      scopes: scope.split(/\s+/).filter(Boolean),
    };
  }

  return {
    /** Where a person is sent to give consent. `state` comes back with the answer and binds it to who asked. */
    authorizeUrl({ state, redirectUri }: { state: string; redirectUri: string }): string {
      const url = new URL(`${app.authUrl}/authorize`);
      const parameters = {
        audience: 'api.atlassian.com',
        client_id: app.clientId,
        scope: REQUESTED_SCOPES.join(' '),
        redirect_uri: redirectUri,
        state,
        response_type: 'code',
        prompt: 'consent',
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.toString();
    },

    /** Turns the code of the callback into a grant. A code works once, for a short time. */
    async exchange({ code, redirectUri }: { code: string; redirectUri: string }): Promise<OauthGrant> {
      const request = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
      const { refreshToken, ...grant } = await tokenCall('exchange', request);
      if (refreshToken !== undefined) return { ...grant, refreshToken };
      throw new JiraError({
        kind: 'scope',
        operation: 'exchange',
        reason: 'offline_access',
        message:
          'Atlassian gave no refresh token: the scope offline_access is missing. Start again from the connect page and grant it.',
      });
    },

    /**
     * Spends a refresh token for the next pair. `auth` means that the grant is dead; on every other error the token is
     * still good. Where the answer was lost it may be spent already: Atlassian takes it again for ten minutes.
     */
    async refresh(refreshToken: string): Promise<OauthGrant> {
      const next = await tokenCall('refresh', { grant_type: 'refresh_token', refresh_token: refreshToken });
      return { ...next, refreshToken: next.refreshToken ?? refreshToken };
    },

    /** The Jira sites that a grant covers, each once; other products' entries have no scope of Jira. */
    async sites(accessToken: string): Promise<OauthSite[]> {
      const operation = 'sites';
      const url = `${app.apiUrl}/oauth/token/accessible-resources`;
      const answer = await send({ operation, url, headers: { authorization: `Bearer ${accessToken}` } });
      if (answer.status < 200 || answer.status > 299) throw tokenFailure(operation, answer, now());
      const parsed = resources.safeParse(parseJson(answer.body));
      if (!parsed.success) throw unexpectedAnswer({ operation, write: false }, answer, 'no list of sites');
      const sites = parsed.data.filter(({ scopes }) => missingScopes(scopes).length < missingScopes([]).length);
      const once = new Map(sites.map(({ id, name, url: site, scopes }) => [id, { id, name, site, scopes }]));
      return [...once.values()].map(({ id, name, site, scopes }) => ({
        ...{ cloudId: id, name, scopes },
        url: site.replace(/\/+$/, ''),
      }));
    },
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

type Meaning = { kind: JiraErrorKind; cause: string; isOver?: boolean };

// A grant that has died belongs to a connection, which goes on with a new one; before that there is none yet.
const RENEW = "press Reconnect on the connection's page (/recheck connect)";
const START = 'start again from the connect page (/recheck connect)';

/** What the authorization server's error words mean for a connection. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  invalid_grant: {
    kind: 'auth',
    cause: 'The grant is over (withdrawn, unused for 90 days, or its code was used before)',
    isOver: true,
  },
  unauthorized_client: { kind: 'auth', cause: 'The grant is over', isOver: true },
  access_denied: {
    kind: 'auth',
    cause: 'Either the consent was declined, or the client secret is wrong (check ATLASSIAN_CLIENT_SECRET)',
    isOver: true,
  },
  invalid_client: {
    kind: 'auth',
    cause: 'The client id or client secret is wrong: check ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET.',
  },
};

// Atlassian's description of the error is left out: nobody promises that it holds no token.
function tokenFailure(operation: string, answer: Answer, now: number): JiraError {
  const { status, header } = answer;
  const parsed = refusalBody.safeParse(parseJson(answer.body));
  const word = parsed.success && /^[a-z_]{1,40}$/.test(parsed.data.error) ? parsed.data.error : undefined;
  const { kind, cause, isOver } = meaningOf(status, word);
  const cure = isOver ? `${cause}: ${operation === 'refresh' ? RENEW : START}.` : cause;
  return new JiraError({
    kind,
    operation,
    status,
    reason: word,
    retryAfterMs: kind === 'rate-limited' ? retryDelayMs({ header, now }) : namedDelayMs(header, now),
    message: `Atlassian answered ${status}${word ? ` (${word})` : ''} to ${operation}. ${cure}`,
  });
}

function meaningOf(status: number, word: string | undefined): Meaning {
  if (status === 429) return { kind: 'rate-limited', cause: 'Nothing was done; it is tried again later.' };
  if (status >= 500) return { kind: 'unavailable', cause: 'The grant is kept; it is tried again later.' };
  const known = word === undefined ? undefined : MEANINGS[word];
  if (known) return known;
  if (status === 401) return { kind: 'auth', cause: 'The access token is not valid', isOver: true };
  return {
    kind: 'unavailable',
    cause: 'The grant is kept; check ATLASSIAN_AUTH_URL and the settings of the OAuth app.',
  };
}

function refusedAddress(operation: string): JiraError {
  return new JiraError({
    kind: 'unavailable',
    operation,
    reason: 'private-address',
    message: `The address for ${operation} is not https, or lies in a private network: check ATLASSIAN_AUTH_URL and ATLASSIAN_API_URL. Nothing was sent there.`,
  });
}
