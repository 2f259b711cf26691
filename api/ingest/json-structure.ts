import { TokenType } from '@streamparser/json';
import { ReportError } from './report-error';

/** A token as the tokenizer hands it over. */
export type JsonToken = { token: TokenType; value: unknown };

type Expect = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end';
/** A container that is open: the key or index that it is at, and the keys that it had. */
export type JsonFrame = { isArray: boolean; expect: Expect; key: string | null; index: number; keys: KeyLog };

const MAX_DEPTH = 100;
/** Up to here a list is quicker than a set, and hardly an object has more. */
const SHORT = 12;

/**
 * Follows the grammar of JSON token by token. What parsers take in silence is refused here too: a key that comes twice
 * (RFC 8259, 4: what it means is anybody's guess) and nesting that no report has. Throws `ReportError`.
 */
export function createJsonStructure() {
  const frames: JsonFrame[] = [];
  let ended = false;

  function value(): void {
    const frame = frames.at(-1);
    if (!frame) {
      if (ended) throw invalid('there is more behind its end');
      return;
    }
    if (frame.expect !== 'value' && frame.expect !== 'value-or-end') throw invalid('a value stands in a wrong place');
    frame.expect = 'comma-or-end';
    if (frame.isArray) frame.index += 1;
  }

  function text(word: string): void {
    const frame = frames.at(-1);
    if (frame?.expect !== 'key' && frame?.expect !== 'key-or-end') {
      value();
      return;
    }
    if (!frame.keys.add(word)) throw invalid('one object has the same key twice');
    frame.key = word;
    frame.expect = 'colon';
  }

  function open(isArray: boolean): void {
    value();
    if (frames.length >= MAX_DEPTH) {
      throw new ReportError('too_deep', `The JSON is nested deeper than ${MAX_DEPTH} levels; no report is.`);
    }
    frames.push({ isArray, expect: isArray ? 'value-or-end' : 'key-or-end', key: null, index: -1, keys: keyLog() });
  }

  function close(isArray: boolean): void {
    const frame = frames.pop();
    const mayEnd = frame?.expect === 'comma-or-end' || frame?.expect === (isArray ? 'value-or-end' : 'key-or-end');
    if (frame?.isArray !== isArray || !mayEnd) throw invalid('a bracket stands in a wrong place');
    ended = frames.length === 0;
  }

  return {
    /** The open containers, outermost first. */
    frames: frames as readonly JsonFrame[],
    hasEnded: () => ended,
    accept({ token, value: word }: JsonToken): void {
      const frame = frames.at(-1);
      switch (token) {
        case TokenType.LEFT_BRACE:
        case TokenType.LEFT_BRACKET:
          open(token === TokenType.LEFT_BRACKET);
          break;
        case TokenType.RIGHT_BRACE:
        case TokenType.RIGHT_BRACKET:
          close(token === TokenType.RIGHT_BRACKET);
          break;
        case TokenType.COLON:
          if (frame?.expect !== 'colon') throw invalid('a colon stands in a wrong place');
          frame.expect = 'value';
          break;
        case TokenType.COMMA:
          if (frame?.expect !== 'comma-or-end') throw invalid('a comma stands in a wrong place');
          frame.expect = frame.isArray ? 'value' : 'key';
          break;
        case TokenType.STRING:
          text(String(word));
          break;
        default:
          value();
      }
      if (frames.length === 0) ended = true;
    },
  };
}

export type JsonStructure = ReturnType<typeof createJsonStructure>;
type KeyLog = { add(key: string): boolean };

function keyLog(): KeyLog {
  const few: string[] = [];
  let many: Set<string> | null = null;
  return {
    add(key) {
      if (many ? many.has(key) : few.includes(key)) return false;
      if (many) many.add(key);
      else few.push(key);
      if (!many && few.length > SHORT) many = new Set(few);
      return true;
    },
  };
}

function invalid(reason: string): ReportError {
  return new ReportError(
    'invalid_json',
    `The file is not valid JSON (${reason}). Send what the tool wrote, unchanged.`,
  );
}
