import type { FormData } from 'undici';
import type { z } from 'zod';
import { JiraError } from './errors';
import type { CallKind, JiraAnswer } from './failed-answer';
import { failedAnswer, lostAnswer, parseJson, unexpectedAnswer } from './failed-answer';
import { isAllowedUrl } from './site-address';
import type { JiraFetch, JiraRequestInit } from './transport';
import { createJiraFetch } from './transport';

export interface JiraConnectionAccess {
  readonly siteUrl: string;
  /** The value of the Authorization header, asked for at each request so that a refreshed token is used. */
  readonly authorization: () => Promise<string> | string;
  /** Given for OAuth and scoped tokens: requests then go to the gateway, not to the site. */
  readonly cloudId?: string | undefined;
  readonly gatewayUrl?: string | undefined;
  /** Asked once per call after a 401 that names no missing scope, for the header to send the same request with again. */
  readonly renew?: ((refused: string) => Promise<string>) | undefined;
  /** Told of each `auth` and `scope` failure before the caller is. */
  readonly onDenied?: ((error: JiraError) => Promise<void>) | undefined;
  /** Told of each 429, with the milliseconds that Jira wants no calls for, before the caller is. */
  readonly onLimited?: ((ms: number) => Promise<void>) | undefined;
}

/** What is told about every answer, for metrics and connection health. */
export interface JiraResponseInfo {
  readonly operation: string;
  readonly status: number;
  readonly durationMs: number;
  /** The account that Jira took us for (`X-AAccountId`). */
  readonly accountId: string | undefined;
  /** Under a fifth of a rate limit is left. */
  readonly nearLimit: boolean;
  /** Which limit refused the call (`RateLimit-Reason`). */
  readonly rateLimitReason: string | undefined;
  /** A limit that is announced and not enforced yet; for the log only. */
  readonly announcedReason: string | undefined;
}

export interface JiraRequestDeps {
  readonly connection: JiraConnectionAccess;
  readonly fetch?: JiraFetch | undefined;
  /** For one exchange, from connecting to the last byte of the body. */
  readonly timeoutMs: number;
  readonly allowedHttpOrigins?: ReadonlyArray<string> | undefined;
  readonly now?: (() => number) | undefined;
  readonly onResponse?: ((info: JiraResponseInfo) => void) | undefined;
}

type QueryValue = string | number | boolean | undefined;

export interface JiraCall {
  readonly operation: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Under `/rest/api/3`; variable parts already encoded by `pathOf`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly json?: unknown;
  readonly form?: FormData;
  /** False for a POST that only reads. */
  readonly write?: boolean;
}

const GATEWAY_URL = 'https://api.atlassian.com';
const MAX_REDIRECTS = 3;

/**
 * The one way to Jira: `ask` answers the validated body, `tell` only that it was done. Both throw `JiraError`.
 *
 * Redirects are never left to fetch. A read follows one inside the same origin or, for a renamed site, inside
 * atlassian.net, and only to an allowed address; a write follows none. Everywhere else the credentials may not go, and
 * going without them would take an anonymous, empty answer for the truth.
 */
export function createJiraRequest(deps: JiraRequestDeps) {
  const { connection, timeoutMs, allowedHttpOrigins = [], now = Date.now, onResponse } = deps;
  const fetch = deps.fetch ?? createJiraFetch(allowedHttpOrigins);
  const base = baseUrl(connection);

  async function exchange(kind: CallKind, call: JiraCall, authorization: string): Promise<JiraAnswer> {
    const init = initOf(call, authorization, AbortSignal.timeout(timeoutMs));
    const started = performance.now();
    try {
      const answer = await follow({ kind, url: urlOf(base, call), init, fetch, allowedHttpOrigins });
      onResponse?.(infoOf(kind, answer, performance.now() - started));
      return answer;
    } catch (error) {
      throw error instanceof JiraError ? error : lostAnswer(kind, error);
    }
  }

  async function headerFrom(kind: CallKind, source: () => Promise<string> | string): Promise<string> {
    try {
      return await source();
    } catch (error) {
      if (error instanceof JiraError) throw error;
      // Nothing was sent. The cause is dropped, it may speak of the credentials.
      throw new JiraError({
        kind: 'unavailable',
        operation: kind.operation,
        reason: 'credentials-unreadable',
        message: `The stored credentials could not be read for ${kind.operation}. Nothing was sent; check the encryption keys and the database.`,
      });
    }
  }

  async function attempt(kind: CallKind, call: JiraCall): Promise<JiraAnswer> {
    const { renew } = connection;
    const authorization = await headerFrom(kind, connection.authorization);
    const answer = await exchange(kind, call, authorization);
    const failure = failedAnswer(kind, answer, { now: now() });
    if (!failure) return answer;
    // A 401 was not executed, so a write may go again too. Nothing but the status 401 proves that.
    if (!renew || failure.kind !== 'auth' || answer.status !== 401) throw failure;
    const renewed = await headerFrom(kind, () => renew(authorization));
    const second = await exchange(kind, call, renewed);
    const again = failedAnswer(kind, second, { now: now() });
    if (again) throw again;
    return second;
  }

  async function send(kind: CallKind, call: JiraCall): Promise<JiraAnswer> {
    try {
      return await attempt(kind, call);
    } catch (error) {
      const isDenied = error instanceof JiraError && (error.kind === 'auth' || error.kind === 'scope');
      // What Jira said counts; where noting it fails, the next call notes it.
      if (isDenied) await connection.onDenied?.(error).catch(() => undefined);
      const isLimited = error instanceof JiraError && error.kind === 'rate-limited';
      if (isLimited) await connection.onLimited?.(error.retryAfterMs ?? 5000).catch(() => undefined);
      throw error;
    }
  }

  return {
    async ask<T>(call: JiraCall, schema: z.ZodType<T>): Promise<T> {
      const kind = kindOf(call);
      const answer = await send(kind, call);
      const parsed = schema.safeParse(parseJson(answer.body));
      if (parsed.success) return parsed.data;
      const where = parsed.error.issues[0]?.path.join('.') || 'the whole body';
      throw unexpectedAnswer(kind, answer, where);
    },
    async tell(call: JiraCall): Promise<void> {
      await send(kindOf(call), call);
    },
  };
}

/** Builds a path from fixed words and encoded variables: ``pathOf`/issue/${key}` ``. */
export function pathOf(words: TemplateStringsArray, ...variables: string[]): string {
  return words.reduce((path, word, index) => path + encoded(variables[index - 1] ?? '') + word);
}

/** Half of a surrogate pair cannot be encoded: it goes as the character that stands for it, and Jira finds nothing. */
function encoded(variable: string): string {
  return encodeURIComponent(variable.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

function kindOf(call: JiraCall): CallKind {
  return { operation: call.operation, write: call.write ?? (call.method ?? 'GET') !== 'GET' };
}

function baseUrl({ siteUrl, cloudId, gatewayUrl }: JiraConnectionAccess): string {
  if (cloudId === undefined) return siteUrl;
  return `${gatewayUrl ?? GATEWAY_URL}/ex/jira/${encodeURIComponent(cloudId)}`;
}

function urlOf(base: string, call: JiraCall): URL {
  const url = new URL(`${base}/rest/api/3${call.path}`);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function initOf(call: JiraCall, authorization: string, signal: AbortSignal): JiraRequestInit {
  const headers: Record<string, string> = {
    accept: 'application/json',
    authorization,
    // Error texts in English whatever the account's language is.
    'accept-language': 'en',
    'x-force-accept-language': 'true',
    'user-agent': 'Recheck',
  };
  const init = { method: call.method ?? 'GET', headers, redirect: 'manual', signal } as const;
  if (call.form) {
    // Without this header Jira takes an upload for a forged browser request. Fetch sets the multipart boundary.
    headers['x-atlassian-token'] = 'no-check';
    return { ...init, body: call.form };
  }
  if (call.json === undefined) return init;
  headers['content-type'] = 'application/json';
  return { ...init, body: JSON.stringify(call.json) };
}

interface Hop {
  readonly kind: CallKind;
  readonly url: URL;
  readonly init: JiraRequestInit;
  readonly fetch: JiraFetch;
  readonly allowedHttpOrigins: ReadonlyArray<string>;
}

async function follow(hop: Hop, redirects = 0): Promise<JiraAnswer> {
  const { kind, url, init, fetch, allowedHttpOrigins } = hop;
  if (!isAllowedUrl(url, allowedHttpOrigins)) throw refusedAddress(kind);
  const response = await fetch(url.toString(), init);
  const header = (name: string) => response.headers.get(name);
  const body = await response.text().catch((error: unknown) => {
    // A refusal stands by its status alone; only a success needs its body.
    if (response.status >= 400 && response.status < 500) return '';
    throw error;
  });
  const target = redirectTarget(response.status, header('location'), url);
  if (!target || kind.write || redirects >= MAX_REDIRECTS) return { status: response.status, header, body };
  return follow({ ...hop, url: target }, redirects + 1);
}

function redirectTarget(status: number, location: string | null, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === null || !URL.canParse(location, from)) {
    return undefined;
  }
  const target = new URL(location, from);
  const renamedSite = isAtlassianSite(from) && isAtlassianSite(target);
  return target.origin === from.origin || renamedSite ? target : undefined;
}

function isAtlassianSite({ protocol, hostname, port }: URL): boolean {
  return protocol === 'https:' && hostname.endsWith('.atlassian.net') && port === '';
}

function refusedAddress({ operation }: CallKind): JiraError {
  return new JiraError({
    kind: 'unavailable',
    operation,
    reason: 'private-address',
    message: `Jira's address for ${operation} is not https, or lies in a private network. Use the address of your Jira Cloud site; nothing was sent there.`,
  });
}

function infoOf({ operation }: CallKind, { status, header }: JiraAnswer, durationMs: number): JiraResponseInfo {
  return {
    operation,
    status,
    durationMs,
    accountId: header('x-aaccountid') ?? undefined,
    nearLimit: header('x-ratelimit-nearlimit') === 'true',
    rateLimitReason: header('ratelimit-reason') ?? undefined,
    announcedReason: header('beta-ratelimit-reason') ?? header('x-beta-ratelimit-reason') ?? undefined,
  };
}
