import { Client, type QueryConfig } from 'pg';

/** Beyond so many texts per connection a statement is not kept: the server holds a plan for each. */
const MOST_KEPT = 400;

/**
 * A connection that prepares what it runs: planning a statement costs PostgreSQL more than running it, and a process
 * runs the same few hundred texts for ever. Give it to a pool as its `Client`. A pooler in between must know prepared
 * statements (PgBouncer does from 1.21 on).
 */
export class PreparedClient extends Client {
  readonly #names = new Map<string, string>();

  // biome-ignore lint/suspicious/noExplicitAny: pg's own overloads say what goes in and out; this passes it on.
  override query(...args: any[]): any {
    const [first, second] = args as [string | QueryConfig, unknown];
    // Without values it may be several statements in one, or one for a single use.
    if (typeof first === 'string' && Array.isArray(second) && second.length > 0) {
      args[0] = { name: this.#nameOf(first), text: first };
    } else if (isUnnamed(first)) {
      args[0] = Object.assign(first, { name: this.#nameOf(first.text) });
    }
    return super.query(...(args as Parameters<Client['query']>));
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known || this.#names.size >= MOST_KEPT) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

function isUnnamed(first: string | QueryConfig): first is QueryConfig {
  return typeof first === 'object' && !first.name && typeof first.text === 'string' && (first.values?.length ?? 0) > 0;
}
