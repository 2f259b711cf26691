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

/**
 * An expected "no": the caller is told `message` (cause and cure, fit for people) and `code` (a short stable word).
 * HTTP renders it as problem+json with `status`, Slack as an ephemeral message.
 */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly code: string;
  readonly details: RefusalDetails;

  constructor(
    kind: RefusalKind,
    code: string,
    message: string,
    { details = {}, ...options }: { cause?: unknown; details?: RefusalDetails } = {},
  ) {
    super(message, options);
    this.details = details;
    this.name = 'Refusal';
    this.kind = kind;
    this.code = code;
  }

  get status(): number {
    return statusOfKind[this.kind];
  }
}
