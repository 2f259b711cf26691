import { JqlError, type Token, tokenize } from './tokens';

export type Operator = '=' | '!=' | '~' | '!~' | '>' | '>=' | '<' | '<=' | 'in' | 'not in' | 'is' | 'is not';

export type Operand =
  | { kind: 'value'; value: string }
  | { kind: 'empty' }
  | { kind: 'function'; name: string; args: string[] };

export interface Clause {
  kind: 'clause';
  field: string;
  operator: Operator;
  operands: Operand[];
}

export type Condition = { kind: 'and' | 'or'; parts: Condition[] } | { kind: 'not'; part: Condition } | Clause;

export interface Jql {
  where: Condition | null;
  orderBy: { field: string; descending: boolean }[];
}

/**
 * Reads JQL into a tree by recursive descent: `or` > `and` > `not` > parentheses or clause, then `ORDER BY`.
 * Throws `JqlError` where it is not JQL, or uses history operators (`was`, `changed`), which the sandbox has not.
 */
export function parseJql(jql: string): Jql {
  return new Reader(tokenize(jql)).query();
}

const signOperators = ['!=', '!~', '>=', '<=', '=', '~', '>', '<'] as const;

class Reader {
  readonly #tokens: Token[];
  #position = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  query(): Jql {
    const where = this.#atEnd() || this.#startsOrder() ? null : this.#or();
    const orderBy = this.#startsOrder() ? this.#orderBy() : [];
    if (!this.#atEnd()) this.#fail("either 'OR' or 'AND'");
    return { where, orderBy };
  }

  #or(): Condition {
    return this.#joined({ kind: 'or', sign: '||', part: () => this.#and() });
  }

  #and(): Condition {
    return this.#joined({ kind: 'and', sign: '&&', part: () => this.#not() });
  }

  #joined({ kind, sign, part }: { kind: 'and' | 'or'; sign: string; part: () => Condition }): Condition {
    const first = part();
    const parts = [first];
    while (this.#takeWord(kind) || this.#takeSign(sign)) parts.push(part());
    return parts.length === 1 ? first : { kind, parts };
  }

  #not(): Condition {
    if (this.#takeWord('not') || this.#takeSign('!')) return { kind: 'not', part: this.#not() };
    if (!this.#takeSign('(')) return this.#clause();
    const inner = this.#or();
    if (!this.#takeSign(')')) this.#fail("')'");
    return inner;
  }

  #clause(): Condition {
    const field = this.#field();
    const operator = this.#operator();
    const isList = operator === 'in' || operator === 'not in';
    return { kind: 'clause', field, operator, operands: isList ? this.#operands() : [this.#operand()] };
  }

  #field(): string {
    return this.#text('a field name').toLowerCase();
  }

  #operator(): Operator {
    for (const sign of signOperators) if (this.#takeSign(sign)) return sign;
    if (this.#takeWord('in')) return 'in';
    if (this.#takeWord('is')) return this.#takeWord('not') ? 'is not' : 'is';
    if (this.#takeWord('not')) return this.#takeWord('in') ? 'not in' : this.#fail("'IN'");
    return this.#fail("either '=', '!=', '~', '!~', '>', '>=', '<', '<=', 'IN', 'NOT IN', 'IS' or 'IS NOT'");
  }

  #operands(): Operand[] {
    if (!this.#takeSign('(')) return [this.#operand()];
    const operands = [this.#operand()];
    while (this.#takeSign(',')) operands.push(this.#operand());
    if (!this.#takeSign(')')) this.#fail("')'");
    return operands;
  }

  #operand(): Operand {
    const { kind } = this.#peek();
    const value = this.#text('a value, list or function');
    if (kind === 'word' && this.#takeSign('(')) return this.#function(value);
    const isEmpty = kind === 'word' && ['empty', 'null'].includes(value.toLowerCase());
    return isEmpty ? { kind: 'empty' } : { kind: 'value', value };
  }

  #function(name: string): Operand {
    const args: string[] = [];
    while (!this.#takeSign(')')) {
      if (args.length > 0 && !this.#takeSign(',')) this.#fail("',' or ')'");
      args.push(this.#text("an argument or ')'"));
    }
    return { kind: 'function', name: name.toLowerCase(), args };
  }

  #orderBy(): Jql['orderBy'] {
    this.#position += 2;
    const fields: Jql['orderBy'] = [];
    do {
      const field = this.#field();
      const descending = this.#takeWord('desc');
      if (!descending) this.#takeWord('asc');
      fields.push({ field, descending });
    } while (this.#takeSign(','));
    return fields;
  }

  #startsOrder(): boolean {
    const [first, second] = this.#tokens.slice(this.#position);
    return isWord(first, 'order') && isWord(second, 'by');
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', value: '', at: 0 };
  }

  #atEnd(): boolean {
    return this.#peek().kind === 'end';
  }

  #text(expected: string): string {
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'text') this.#fail(expected);
    this.#position += 1;
    return token.value;
  }

  #takeWord(word: string): boolean {
    const found = isWord(this.#peek(), word);
    if (found) this.#position += 1;
    return found;
  }

  #takeSign(sign: string): boolean {
    const found = this.#peek().kind === 'sign' && this.#peek().value === sign;
    if (found) this.#position += 1;
    return found;
  }

  #fail(expected: string): never {
    const { kind, value, at } = this.#peek();
    const found = kind === 'end' ? 'the end of the query' : `'${value}'`;
    throw new JqlError(`Error in the JQL Query: Expecting ${expected} but got ${found}. (line 1, character ${at + 1})`);
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.value.toLowerCase() === word;
}
