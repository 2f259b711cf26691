import { ApplicationFailure } from '@temporalio/common';

/**
 * What a failed call to Jira means for us:
 * - `auth` the credentials are dead; `scope` they lack a scope; `forbidden` the account may not do this;
 * - `not-found` missing *or not visible*; `rejected` Jira refused the content; `conflict` somebody else was writing;
 * - `rate-limited` not executed, wait `retryAfterMs`; `unavailable` not executed (or only a read), try again later;
 * - `ambiguous` a write whose answer was lost: it may have happened, so it must be looked for before it is repeated.
 */
export type JiraErrorKind =
  | 'auth'
  | 'scope'
  | 'forbidden'
  | 'not-found'
  | 'rejected'
  | 'conflict'
  | 'rate-limited'
  | 'unavailable'
  | 'ambiguous';

export interface JiraErrorDetails {
  readonly kind: JiraErrorKind;
  /** Which call failed, in the words of the client's methods. */
  readonly operation: string;
  readonly message: string;
  readonly status?: number | undefined;
  /** Jira's complaint per field id. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
  readonly retryAfterMs?: number | undefined;
  /** A short stable word: Jira's RateLimit-Reason, or our own such as `timeout`, `redirect`, `html`. */
  readonly reason?: string | undefined;
}

/** The one error that the Jira client throws. It holds no tokens, headers, URLs or request bodies, so it may be logged. */
export class JiraError extends Error {
  readonly kind: JiraErrorKind;
  readonly operation: string;
  readonly status: number | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  readonly reason: string | undefined;

  constructor(details: JiraErrorDetails) {
    super(details.message);
    this.name = 'JiraError';
    this.kind = details.kind;
    this.operation = details.operation;
    this.status = details.status;
    this.fields = details.fields ?? {};
    this.retryAfterMs = details.retryAfterMs;
    this.reason = details.reason;
  }
}

const FAILURE_TYPES: Readonly<Record<JiraErrorKind, string>> = {
  auth: 'JiraAuth',
  scope: 'JiraScope',
  forbidden: 'JiraForbidden',
  'not-found': 'JiraNotFound',
  rejected: 'JiraRejected',
  conflict: 'JiraConflict',
  'rate-limited': 'JiraRateLimited',
  unavailable: 'JiraUnavailable',
  ambiguous: 'JiraAmbiguous',
};

const FINAL: ReadonlySet<JiraErrorKind> = new Set(['auth', 'scope', 'forbidden', 'not-found', 'rejected']);

/**
 * Turns a `JiraError` into the failure that an activity throws: final for what a retry cannot change, with Jira's own
 * delay for `rate-limited`, under the activity's retry policy for the rest. The type is `Jira` and the kind in
 * PascalCase; the first detail is `{ kind, operation, status, fields, reason, retryAfterMs }`. Any other error is
 * answered unchanged.
 *
 * `ambiguous` stays retryable: an activity whose write may not happen twice catches it before it gets here.
 */
export function toActivityFailure(error: unknown): unknown {
  if (!(error instanceof JiraError)) return error;
  const { kind, operation, status, fields, reason, retryAfterMs } = error;
  return ApplicationFailure.create({
    message: error.message,
    type: FAILURE_TYPES[kind],
    nonRetryable: FINAL.has(kind),
    details: [{ kind, operation, status, fields, reason, retryAfterMs }],
    ...(kind === 'rate-limited' && retryAfterMs !== undefined ? { nextRetryDelay: retryAfterMs } : {}),
  });
}
