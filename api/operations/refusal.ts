import { isDatabaseAway } from '../../workflows/rules/database-away';

const statusOfKind = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unavailable: 503,
} as const;

export type RefusalKind = keyof typeof statusOfKind;

/** What a program can act on: the fields that are wrong, and those that have to be given first. */
export type RefusalDetails = {
  errors?: { field: string; message: string }[];
  missing?: { id: string; name: string; type: string | null; allowedValues: { id: string; name: string }[] }[];
};

/** A sentence that names a call of the HTTP API, and the same for who asks in Slack. */
export type Said = string | { http: string; slack: string };

/**
 * An expected "no": the caller is told `message` (cause and cure, fit for people) and `code` (a short stable word).
 * HTTP renders it as problem+json with `status`, Slack as an ephemeral message, which says `inSlack`.
 */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly code: string;
  readonly details: RefusalDetails;
  readonly inSlack: string;

  constructor(
    kind: RefusalKind,
    code: string,
    said: Said,
    { details = {}, ...options }: { cause?: unknown; details?: RefusalDetails } = {},
  ) {
    super(typeof said === 'string' ? said : said.http, options);
    this.inSlack = typeof said === 'string' ? said : said.slack;
    this.details = details;
    this.name = 'Refusal';
    this.kind = kind;
    this.code = code;
  }

  get status(): number {
    return statusOfKind[this.kind];
  }
}

/** The refusal that an error of a store becomes while the database does not answer; null for any other error. */
export function databaseAway(error: unknown): Refusal | null {
  if (!isDatabaseAway(error)) return null;
  const message =
    'The database does not answer just now. Try again in a minute; if something was to be changed, look first whether it was.';
  return new Refusal('unavailable', 'database_unavailable', message, { cause: error });
}
