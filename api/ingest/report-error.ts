/** Why a file is refused, as a short stable word; HTTP answers it as the problem's `code`. */
export type ReportErrorCode =
  | 'empty'
  | 'unknown_format'
  | 'compressed'
  | 'wrong_encoding'
  | 'truncated'
  | 'invalid_json'
  | 'invalid_xml'
  | 'entities_refused'
  | 'too_deep'
  | 'text_too_long'
  | 'too_large'
  | 'invalid_report'
  | 'interrupted';

/** A report file that cannot be taken in: the sender's matter, so a 4xx. The message names cause and cure. */
export class ReportError extends Error {
  readonly code: ReportErrorCode;

  constructor(code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReportError';
    this.code = code;
  }
}

/** The code of an error of Node's, or an empty text. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
