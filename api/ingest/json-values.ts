import {
  type ParsedElementInfo,
  Tokenizer,
  TokenizerError,
  TokenParser,
  TokenParserError,
  TokenType,
} from '@streamparser/json';
import { errorCode, ReportError } from './report-error';

/** Receives each value at one of the paths: where it is, and the container it is about to stay in. */
export type ValueHandler = (found: { path: (string | number)[]; value: unknown; parent: unknown }) => void;

const MAX_DEPTH = 100;
/** Input without a single finished token: one string. */
const MAX_TOKEN_BYTES = 4 * 1024 * 1024;
/** Tokens without a single value of interest: not the report it looked like, and memory would grow with it. */
const MAX_TOKENS_BETWEEN_VALUES = 2_000_000;

/**
 * Reads JSON as it arrives and hands over the values at `paths`. The handler empties what it has dealt with, so that
 * memory follows one value and not the file. Throws `ReportError`: `truncated`, `invalid_json`, `too_deep`,
 * `text_too_long`, `wrong_encoding`, `unknown_format`.
 */
export async function readJsonValues(
  chunks: AsyncIterable<Uint8Array>,
  { paths, onValue }: { paths: string[]; onValue: ValueHandler },
): Promise<void> {
  const guard = { depth: 0, tokens: 0, bytes: 0 };
  const tokenizer = new Tokenizer();
  const parser = new TokenParser({ paths, keepStack: false });
  parser.onValue = (found) => {
    guard.tokens = 0;
    onValue({ path: pathOf(found), value: found.value, parent: found.parent });
  };
  tokenizer.onToken = (token) => {
    guard.bytes = 0;
    guard.tokens += 1;
    if (guard.tokens > MAX_TOKENS_BETWEEN_VALUES)
      throw new ReportError('unknown_format', 'The file is JSON, but no report that is known.');
    guard.depth += nesting(token.token);
    if (guard.depth > MAX_DEPTH)
      throw new ReportError('too_deep', `The JSON is nested deeper than ${MAX_DEPTH} levels; no report is.`);
    parser.write(token);
  };
  try {
    for await (const chunk of chunks) {
      guard.bytes += chunk.length;
      if (guard.bytes - chunk.length > MAX_TOKEN_BYTES) throw textTooLong();
      tokenizer.write(chunk);
    }
  } catch (error) {
    throw asReportError(error);
  }
  if (!parser.isEnded) throw new ReportError('truncated', 'The JSON ends in the middle. Send the whole file again.');
}

function nesting(token: TokenType): number {
  if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) return 1;
  if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) return -1;
  return 0;
}

function pathOf({ stack, key }: ParsedElementInfo): (string | number)[] {
  const path: (string | number)[] = [];
  for (const element of stack.slice(1)) path.push(element.key ?? '');
  if (key !== undefined) path.push(key);
  return path;
}

function textTooLong(): ReportError {
  const megabytes = MAX_TOKEN_BYTES / 1_048_576;
  return new ReportError(
    'text_too_long',
    `The file holds one text longer than ${megabytes} MB. Leave attachments out of it.`,
  );
}

function asReportError(error: unknown): unknown {
  if (error instanceof ReportError) return error;
  if (errorCode(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new ReportError('wrong_encoding', 'The file is not UTF-8. Save it as UTF-8 and send it again.', {
      cause: error,
    });
  }
  if (!(error instanceof TokenizerError || error instanceof TokenParserError)) return error;
  const reason = error.message.replace(/\s+/g, ' ').slice(0, 160);
  return new ReportError(
    'invalid_json',
    `The file is not valid JSON (${reason}). Send what the tool wrote, unchanged.`,
    { cause: error },
  );
}
