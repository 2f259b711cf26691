import { z } from 'zod';
import type { JiraErrorKind } from './errors';
import { JiraError } from './errors';
import type { HeaderReader } from './retry-after';
import { namedDelayMs, retryDelayMs } from './retry-after';
import { scopeOf } from './scopes';
import { ADDRESS_REFUSED } from './transport';

/** What the judgement of an answer depends on: which call it was, and whether it changes anything in Jira. */
export interface CallKind {
  readonly operation: string;
  readonly write: boolean;
}

export interface JiraAnswer {
  readonly status: number;
  readonly header: HeaderReader;
  readonly body: string;
}

/**
 * The error that an answer stands for, or undefined where it is a success.
 *
 * A revoked API token can answer 200 with an anonymous result; only `X-Seraph-LoginReason` tells, so that header means
 * `auth` on every status. A 5xx to a write is `ambiguous`: the gateway may have lost Jira's "created".
 */
export function failedAnswer(call: CallKind, answer: JiraAnswer, clock: { now: number }): JiraError | undefined {
  const { status } = answer;
  const login = answer.header('x-seraph-loginreason') ?? '';
  if (/AUTHENTICATED_FAILED|AUTHENTICATION_DENIED/.test(login)) return deadCredentials(call, status, login);
  if (status >= 200 && status < 300) return undefined;
  const said = readErrorBody(answer.body);
  const kind = kindOf(call, status, said.text);
  const wait = kind === 'rate-limited' ? retryDelayMs({ header: answer.header, now: clock.now }) : undefined;
  return new JiraError({
    kind,
    operation: call.operation,
    status,
    fields: said.fields,
    reason: answer.header('ratelimit-reason') ?? (status >= 300 && status < 400 ? 'redirect' : undefined),
    retryAfterMs: wait ?? (status === 503 ? namedDelayMs(answer.header, clock.now) : undefined),
    message: `Jira answered ${status} to ${call.operation}${said.text ? ` and says: ${said.text}` : ''}. ${movedTo(answer) ?? cureOf(kind, call)}`,
  });
}

function cureOf(kind: JiraErrorKind, call: CallKind): string {
  if (kind === 'scope') return `It needs the scope ${scopeOf(call.operation)}: ${CURES.scope}`;
  return CURES[kind];
}

// Only the origin is named: the rest of a redirect may hold a session.
function movedTo({ status, header }: JiraAnswer): string | undefined {
  const location = header('location');
  if (status < 300 || status >= 400 || location === null || !URL.canParse(location)) return undefined;
  return `The site sends us on to ${new URL(location).origin}: correct the site URL of the connection.`;
}

/** The error for an exchange that ended without an answer: before it could be sent, or at an unknown point after. */
export function lostAnswer(call: CallKind, error: unknown): JiraError {
  const { code, connecting } = networkCause(error);
  const notSent = connecting || NOT_SENT.has(code);
  return new JiraError({
    kind: notSent || !call.write ? 'unavailable' : 'ambiguous',
    operation: call.operation,
    reason: reasonOf(code),
    message: notSent
      ? `Jira could not be reached for ${call.operation} (${code}). ${connectCure(code)}`
      : `Jira's answer to ${call.operation} was lost (${code}). ${call.write ? CURES.ambiguous : CURES.unavailable}`,
  });
}

/** The error for a success whose body is not what the call answers, such as a page of HTML from a proxy. */
export function unexpectedAnswer(call: CallKind, answer: JiraAnswer, detail: string): JiraError {
  const html = /^\s*</.test(answer.body);
  const kind = call.write ? 'ambiguous' : 'unavailable';
  return new JiraError({
    kind,
    operation: call.operation,
    status: answer.status,
    reason: html ? 'html' : 'unexpected-body',
    message: `Jira answered ${call.operation} with ${html ? 'a web page' : `something unexpected (${detail})`}. ${CURES[kind]}`,
  });
}

const CURES: Readonly<Record<JiraErrorKind, string>> = {
  auth: "The credentials are wrong, expired or revoked: press Reconnect on the connection's page (/recheck connect).",
  scope: "press Reconnect on the connection's page (/recheck connect) and grant every scope that is asked for.",
  forbidden: 'The connecting account lacks a permission: a Jira administrator can grant it in the project settings.',
  'not-found': 'It does not exist, or the connecting account may not see it.',
  rejected:
    'Correct what Jira names, then try again. Fields that Jira requires are given in the sync rule (/recheck rules).',
  conflict: 'Somebody else changed the issue at the same moment: it is tried again.',
  'rate-limited': 'Nothing was done; it is tried again after the time that Jira asks for.',
  unavailable: 'Nothing was changed; it is tried again later.',
  ambiguous: 'It may have happened: it is looked for before it is tried again.',
};

function kindOf(call: CallKind, status: number, text: string): JiraErrorKind {
  if (status === 401) return /scope/i.test(text) ? 'scope' : 'auth';
  if (status === 403) return 'forbidden';
  // Everybody is somebody on a site that is there: the gateway does not know the site, or no longer for these credentials.
  if (status === 404) return call.operation === 'myself' ? 'auth' : 'not-found';
  if (status === 409) return 'conflict';
  if (status === 429) return 'rate-limited';
  if (status >= 500 || status === 408) return call.write ? 'ambiguous' : 'unavailable';
  // A redirect that was not followed: the site has moved or is asleep, and nothing is wrong with what we sent.
  if (status < 400 || status === 425) return 'unavailable';
  return 'rejected';
}

function deadCredentials(call: CallKind, status: number, login: string): JiraError {
  const captcha = login.includes('AUTHENTICATION_DENIED');
  return new JiraError({
    kind: 'auth',
    operation: call.operation,
    status,
    reason: captcha ? 'captcha' : 'login-failed',
    message: captcha
      ? 'Jira has locked this account behind a CAPTCHA. Log in to Jira once in a browser, then test the connection again.'
      : `Jira did not accept the credentials for ${call.operation}. ${CURES.auth}`,
  });
}

const MAX_MESSAGE = 300;
const strings = z.array(z.string()).catch([]);
const texts = z.record(z.string(), z.unknown()).catch({});
const errorBody = z.looseObject({
  errorMessages: strings.optional(),
  errors: texts.optional(),
  message: z.string().optional().catch(undefined),
  title: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
});

// Four shapes: the site's { errorMessages, errors }, the gateway's { code, message }, problem+json, and HTML.
function readErrorBody(body: string): { text: string; fields: Record<string, string> } {
  const parsed = errorBody.safeParse(parseJson(body));
  if (!parsed.success) return { text: '', fields: {} };
  const { errorMessages = [], errors = {}, message, title, detail } = parsed.data;
  const fields = Object.fromEntries(
    Object.entries(errors).flatMap(([id, value]) => (typeof value === 'string' ? [[id, short(value)]] : [])),
  );
  const general = [...errorMessages, message, title, detail].filter((part) => part !== undefined && part !== '');
  const perField = Object.entries(fields).map(([id, value]) => `${id}: ${value}`);
  return { text: short([...general, ...perField].join('; ')).replace(/\.$/, ''), fields };
}

/** Parses JSON; undefined where the text is not JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function short(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
}

const TLS_CODES = [
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
];
const DNS_CODES = ['ENOTFOUND', 'EAI_AGAIN'];
const NOT_SENT: ReadonlySet<string> = new Set([
  ...TLS_CODES,
  ...DNS_CODES,
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
  ADDRESS_REFUSED,
]);

function reasonOf(code: string): string {
  if (code === 'timeout') return 'timeout';
  if (code === ADDRESS_REFUSED) return 'private-address';
  if (DNS_CODES.includes(code)) return 'unknown-host';
  if (TLS_CODES.includes(code)) return 'certificate';
  return code;
}

function connectCure(code: string): string {
  if (code === ADDRESS_REFUSED)
    return 'The site URL leads into a private network: use the address of your Jira Cloud site.';
  if (DNS_CODES.includes(code)) return 'Check the spelling of the site URL.';
  if (TLS_CODES.includes(code)) return 'The certificate of the site is not valid: check the site URL.';
  return CURES.unavailable;
}

const networkError = z.looseObject({
  name: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  syscall: z.string().optional().catch(undefined),
  // Several failed addresses of one host.
  errors: z.array(z.unknown()).optional().catch(undefined),
  cause: z.unknown(),
});

// Fetch wraps what happened in `cause`. Read by shape, because errors may come from another realm.
function networkCause(error: unknown): { code: string; connecting: boolean } {
  let current = error;
  while (typeof current === 'object' && current !== null) {
    const { name, code, cause } = shapeOf(current);
    // A timeout's own code is a number, that of every DOMException.
    if (name === 'TimeoutError') return { code: 'timeout', connecting: false };
    if (code) return { code, connecting: isConnecting(current) };
    current = cause;
  }
  return { code: 'network error', connecting: false };
}

function isConnecting(error: unknown): boolean {
  const { errors, syscall } = shapeOf(error);
  if (errors && errors.length > 0) return errors.every(isConnecting);
  return syscall === 'connect' || syscall === 'getaddrinfo';
}

function shapeOf(error: unknown): Partial<z.infer<typeof networkError>> {
  // Properties of errors are not enumerable or inherited, so they are read one by one.
  if (typeof error !== 'object' || error === null) return {};
  const { name, code, syscall, errors, cause } = error as Record<string, unknown>;
  return networkError.parse({ name, code, syscall, errors, cause });
}
