import type { Logger } from '@slack/bolt';
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  type WebClientOptions,
} from '@slack/web-api';

const TIMEOUT_MS = 10_000;

/**
 * How every Web API client of the bot behaves: no retries and no waiting inside (the client would pause all its calls),
 * because whoever calls knows better when to try again. Also bounds `respond()`, which has no timeout of its own.
 */
export function clientOptions({ slackApiUrl, logger }: { slackApiUrl: string; logger: Logger }): WebClientOptions {
  return {
    slackApiUrl,
    logger,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: TIMEOUT_MS,
    fetch: (url, init) => fetch(url, { ...init, signal: init?.signal ?? AbortSignal.timeout(TIMEOUT_MS) }),
  };
}

/** What a failed Web API call means for the one that made it. */
export type SlackFailure =
  | { kind: 'rate_limited'; retryAfterMs: number }
  | { kind: 'gone' | 'disconnected' | 'temporary' | 'rejected'; code: string };

const kinds: Record<string, 'gone' | 'disconnected' | 'temporary'> = {
  message_not_found: 'gone',
  token_revoked: 'disconnected',
  token_expired: 'disconnected',
  invalid_auth: 'disconnected',
  account_inactive: 'disconnected',
  ratelimited: 'temporary',
  internal_error: 'temporary',
  fatal_error: 'temporary',
  service_unavailable: 'temporary',
  request_timeout: 'temporary',
};

/** Classifies an error thrown by a Web API client. Anything that Slack did not say itself counts as temporary. */
export function slackFailure(error: unknown): SlackFailure {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'rate_limited', retryAfterMs: error.retryAfter * 1000 };
  if (error instanceof WebAPIPlatformError) {
    const { error: code } = error.data;
    const messages = error.data.response_metadata?.messages ?? [];
    return { kind: kinds[code] ?? 'rejected', code: [code, ...messages].join(' ').slice(0, 500) };
  }
  if (error instanceof WebAPIHTTPError) return { kind: 'temporary', code: `HTTP ${error.statusCode}` };
  if (error instanceof WebAPIRequestError) return { kind: 'temporary', code: 'no answer from Slack' };
  return { kind: 'temporary', code: 'unexpected error' };
}
