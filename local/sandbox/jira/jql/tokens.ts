/** A JQL query that cannot be understood; the message is for the caller. */
export class JqlError extends Error {}

export interface Token {
  /** `text` is quoted and never a keyword; `word` may be one; `end` closes the list. */
  kind: 'word' | 'text' | 'sign' | 'end';
  value: string;
  at: number;
}

const signs = ['!=', '!~', '>=', '<=', '&&', '||', '=', '~', '>', '<', '(', ')', ',', '!'];
const space = /\s/;
const wordEnd = /[\s=~<>!()&|,"']/;

/** Splits JQL into tokens; throws `JqlError` for an unclosed quote. */
export function tokenize(jql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < jql.length) {
    const character = jql.charAt(at);
    if (space.test(character)) {
      at += 1;
      continue;
    }
    const sign = signs.find((candidate) => jql.startsWith(candidate, at));
    if (sign !== undefined) {
      tokens.push({ kind: 'sign', value: sign, at });
      at += sign.length;
    } else if (character === '"' || character === "'") {
      const quoted = readQuoted(jql, at);
      tokens.push({ kind: 'text', value: quoted.value, at });
      at = quoted.end;
    } else {
      const end = endOfWord(jql, at);
      tokens.push({ kind: 'word', value: jql.slice(at, end), at });
      at = end;
    }
  }
  tokens.push({ kind: 'end', value: '', at });
  return tokens;
}

function endOfWord(jql: string, start: number): number {
  let end = start;
  while (end < jql.length && !wordEnd.test(jql.charAt(end))) end += 1;
  // A lone `&` or `|` is no sign; taking it as a word lets the parser name it in its error.
  return Math.max(end, start + 1);
}

function readQuoted(jql: string, start: number): { value: string; end: number } {
  const quote = jql.charAt(start);
  let value = '';
  for (let at = start + 1; at < jql.length; at += 1) {
    const character = jql.charAt(at);
    if (character === quote) return { value, end: at + 1 };
    if (character === '\\') at += 1;
    value += jql.charAt(at);
  }
  throw new JqlError(`Error in the JQL Query: The quoted string '${jql.slice(start + 1)}' has not been completed.`);
}
