import { type ParsedElementInfo, Tokenizer, TokenizerError, TokenParser, TokenParserError } from '@streamparser/json';
import { createJsonStructure, type JsonStructure, type JsonToken } from './json-structure';
import { errorCode, ReportError } from './report-error';

/** Receives each value at one of the paths: where it is, and the container it is about to stay in. */
export type ValueHandler = (found: { path: (string | number)[]; value: unknown; parent: unknown }) => void;

/** Input without a single finished token: one string. Tools put screenshots in as text. */
const MAX_TOKEN_BYTES = 8 * 1024 * 1024;
/** What a number is made of; a piece of the file that is nothing else is no number that anybody needs. */
const digitsOnly = /^[\d.eE+-]+$/;
const LONG_NUMBER = 4_096;
/** Tokens without a single value of interest: not the report it looked like, and memory would grow with it. */
const MAX_TOKENS_BETWEEN_VALUES = 2_000_000;

/**
 * Reads JSON as it arrives and hands over the values at `paths`. Values that are neither handed over nor part of one
 * that is are let go of as they end; of the others the handler empties what it has dealt with, so that memory follows
 * one value and not the file. Throws `ReportError`: `truncated`, `invalid_json`, `too_deep`, `text_too_long`,
 * `wrong_encoding`, `unknown_format`.
 */
export async function readJsonValues(
  chunks: AsyncIterable<Uint8Array>,
  { paths, onValue }: { paths: string[]; onValue: ValueHandler },
): Promise<void> {
  let waiting = 0;
  const parser = new TokenParser({ paths, keepStack: false });
  parser.onValue = (found) => {
    waiting = 0;
    onValue({ path: pathOf(found), value: found.value, parent: found.parent });
  };
  await readJsonTokens(chunks, (token) => {
    waiting += 1;
    if (waiting > MAX_TOKENS_BETWEEN_VALUES) {
      throw new ReportError('unknown_format', 'The file is JSON, but no report that is known.');
    }
    parser.write(token as Parameters<TokenParser['write']>[0]);
    return true;
  });
}

/** Reads JSON token by token, until `onToken` answers false or the file ends. Throws as `readJsonValues` does. */
export async function readJsonTokens(
  chunks: AsyncIterable<Uint8Array>,
  onToken: (token: JsonToken, structure: JsonStructure) => boolean,
): Promise<void> {
  const structure = createJsonStructure();
  const tokenizer = new Tokenizer();
  let bytes = 0;
  let wanted = true;
  tokenizer.onToken = (token) => {
    bytes = 0;
    structure.accept(token as JsonToken);
    if (wanted) wanted = onToken(token as JsonToken, structure);
  };
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes - chunk.length > MAX_TOKEN_BYTES) throw textTooLong();
      // The tokenizer gathers numbers sign by sign: megabytes of them would hold everybody up.
      if (bytes > LONG_NUMBER && digitsOnly.test(latin1(chunk))) throw numberTooLong();
      tokenizer.write(chunk);
      if (!wanted) return;
    }
  } catch (error) {
    throw asReportError(error);
  }
  if (!structure.hasEnded()) throw truncated();
}

function pathOf({ stack, key }: ParsedElementInfo): (string | number)[] {
  const path: (string | number)[] = [];
  for (const element of stack.slice(1)) path.push(element.key ?? '');
  if (key !== undefined) path.push(key);
  return path;
}

function truncated(): ReportError {
  return new ReportError('truncated', 'The JSON ends in the middle. Send the whole file again.');
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, LONG_NUMBER)).toString('latin1');
}

function numberTooLong(): ReportError {
  const message = 'The file holds a number of thousands of digits, which no report does. Send what the tool wrote.';
  return new ReportError('text_too_long', message);
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
