import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { FormData } from 'undici';
import { Agent, fetch as undiciFetch } from 'undici';
import { isExempt, isPublicAddress } from './site-address';

/** The part of an answer that the client reads; the `Response` of any fetch fits. */
export interface JiraResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export interface JiraRequestInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | FormData;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
}

export type JiraFetch = (url: string, init: JiraRequestInit) => Promise<JiraResponse>;

/** The code of the error with which a connection to a private address is refused. */
export const ADDRESS_REFUSED = 'ERR_ADDRESS_REFUSED';

const AGENT_OPTIONS = { keepAliveTimeout: 10_000, maxResponseSize: 32 * 1024 * 1024 };
const CONNECT_TIMEOUT_MS = 5_000;

// One pool of connections for all clients of the process: a client is made per use, a TLS handshake should not be.
// Idle sockets do not keep the process alive.
const guardedAgent = new Agent({
  ...AGENT_OPTIONS,
  connect: { timeout: CONNECT_TIMEOUT_MS, lookup: publicLookup },
});
const openAgent = new Agent({ ...AGENT_OPTIONS, connect: { timeout: CONNECT_TIMEOUT_MS } });

/**
 * The default fetch of the client: undici with pooled connections, which connects only to public addresses. The check
 * is made on the very addresses that are then connected to, so a name that resolves differently the second time (DNS
 * rebinding) gains nothing. Exact origins of `allowedHttpOrigins` are exempt.
 */
export function createJiraFetch(allowedHttpOrigins: ReadonlyArray<string> = []): JiraFetch {
  return (url, init) => {
    const dispatcher = isExempt(new URL(url), allowedHttpOrigins) ? openAgent : guardedAgent;
    return undiciFetch(url, { ...init, dispatcher });
  };
}

function publicLookup(...[hostname, options, callback]: Parameters<LookupFunction>): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error || !first) {
      callback(error ?? refusal(`${hostname} has no address`, 'ENOTFOUND'), '', 0);
    } else if (!addresses.every(({ address }) => isPublicAddress(address))) {
      callback(refusal(`${hostname} lies in a private network`, ADDRESS_REFUSED), '', 0);
    } else if (options.all) {
      callback(null, addresses);
    } else {
      callback(null, first.address, first.family);
    }
  });
}

function refusal(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
