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

/**
 * An expected "no": the caller is told `message` (cause and cure, fit for people) and `code` (a short stable word).
 * HTTP renders it as problem+json with `status`, Slack as an ephemeral message.
 */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly code: string;

  constructor(kind: RefusalKind, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Refusal';
    this.kind = kind;
    this.code = code;
  }

  get status(): number {
    return statusOfKind[this.kind];
  }
}
