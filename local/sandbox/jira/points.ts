import { type Answer, isObject } from './answer';
import type { Account } from './site';

/** What one account has spent, by Jira's price list for apps: a request is 1 and each object read adds to it. */
export interface Spent {
  /** Null for callers without credentials. */
  accountId: string | null;
  /** Jira charges OAuth alone; calls with an API token are counted for comparison. */
  auth: 'oauth' | 'basic';
  requests: number;
  points: number;
  operations: Record<string, { requests: number; points: number }>;
}

export interface Points {
  add(request: { account: Account | null; app: object | null; operation: string; points: number }): void;
  list(): Spent[];
  reset(): void;
}

/** Counts in memory, from the start of the sandbox or the last reset. */
export function createPoints(): Points {
  const spent = new Map<string, Spent>();
  return {
    add({ account, app, operation, points }) {
      const accountId = account?.accountId ?? null;
      const auth = app ? 'oauth' : 'basic';
      const key = `${auth} ${accountId}`;
      const entry = spent.get(key) ?? { accountId, auth, requests: 0, points: 0, operations: {} };
      const own = entry.operations[operation] ?? { requests: 0, points: 0 };
      entry.operations[operation] = { requests: own.requests + 1, points: own.points + points };
      entry.requests += 1;
      entry.points += points;
      spent.set(key, entry);
    },
    list: () => [...spent.values()],
    reset: () => spent.clear(),
  };
}

const api = '/rest/api/3';
const user = 2;

const objectsRead: Record<string, (answer: Record<string, unknown>) => number> = {
  [`GET ${api}/issue/:issueIdOrKey`]: () => 1,
  [`POST ${api}/issue/bulkfetch`]: (answer) => length(answer.issues),
  [`POST ${api}/changelog/bulkfetch`]: (answer) => length(answer.issueChangeLogs),
  [`GET ${api}/search/jql`]: (answer) => length(answer.issues),
  [`POST ${api}/search/jql`]: (answer) => length(answer.issues),
  [`GET ${api}/project/search`]: (answer) => length(answer.values),
  [`GET ${api}/project/:projectIdOrKey`]: () => 1,
  [`GET ${api}/myself`]: () => user,
  [`GET ${api}/user/search`]: (answer) => user * length(answer),
  [`GET ${api}/mypermissions`]: ({ permissions }) =>
    user * (isObject(permissions) ? Object.keys(permissions).length : 0),
};

/**
 * The points of one request: 1, plus 1 for each issue or project and 2 for each user or permission that the answer
 * holds. A write is 1, and a bulk creation 1 for each issue. `operation` is the method and the path with placeholders.
 */
export function pointsOf({ operation, body, answer }: { operation: string; body: unknown; answer: Answer }): number {
  if (operation === `POST ${api}/issue/bulk` && isObject(body)) return Math.max(1, length(body.issueUpdates));
  const read = objectsRead[operation];
  if (!read || answer.status >= 400) return 1;
  return 1 + read((answer.body ?? {}) as Record<string, unknown>);
}

function length(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
