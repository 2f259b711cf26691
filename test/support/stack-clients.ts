// How a test talks to a stack: HTTP callers, and the faults of the sandbox's Jira.

// Answers are what tests are about: their shape is looked at by expectations, not by the compiler.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Answer = { status: number; body: any };
export type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Calls one server with one authorization. A string or buffer goes out as it is, anything else as JSON. */
export function createCaller(baseUrl: string, authorization?: string): Caller {
  return async (method, path, body, headers = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(baseUrl + path, {
      method,
      headers: {
        ...(authorization ? { authorization } : {}),
        ...(body === undefined ? {} : { 'content-type': raw ? 'application/xml' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, body: isJson && text ? JSON.parse(text) : text };
  };
}

/** The body of a success; anything else throws with what was answered. */
export async function must<T = Answer['body']>(answer: Promise<Answer>): Promise<T> {
  const { status, body } = await answer;
  if (status >= 200 && status < 300) return body as T;
  throw new Error(`Answered ${status}: ${JSON.stringify(body)}`);
}

export type FaultView = { id: string; kind: string; hits: number; remaining: number | null; waiting: number };
export type Faults = ReturnType<typeof createFaults>;

/** Makes the sandbox's Jira misbehave; the kinds and their fields are in `local/sandbox/jira/faults.ts`. */
export function createFaults(sandbox: Caller) {
  return {
    add: (spec: { kind: string; [field: string]: unknown }) => must<FaultView>(sandbox('POST', '/faults', spec)),
    async get(id: string): Promise<FaultView | undefined> {
      const { items } = await must<{ items: FaultView[] }>(sandbox('GET', '/faults'));
      return items.find((fault) => fault.id === id);
    },
    /** Lets the held answers go; later ones are held again. */
    release: (id: string) => must(sandbox('POST', `/faults/${id}/release`)),
    remove: (id: string) => must(sandbox('DELETE', `/faults/${id}`)),
    clear: () => must(sandbox('DELETE', '/faults')),
  };
}
