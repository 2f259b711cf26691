/** An uploaded form that cannot be taken in: the sender's matter, so a 4xx. The message names cause and cure. */
export class UploadError extends Error {
  readonly code:
    | 'invalid_form'
    | 'too_large'
    | 'too_many_parts'
    | 'unnamed_part'
    | 'no_file_name'
    | 'unsafe_name'
    | 'no_report'
    | 'second_report'
    | 'not_a_picture'
    | 'truncated'
    | 'compressed'
    | 'interrupted';

  constructor(code: UploadError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UploadError';
    this.code = code;
  }
}
