import type { Pool } from 'pg';
import { z } from 'zod';
import type { Account } from './site';

const match = z
  .strictObject({
    method: z.string().optional(),
    /** Regular expression over path and query string. */
    path: z.string().optional(),
    /** Text that the request's body or address contains, such as a label. */
    marker: z.string().optional(),
  })
  .default({});
const count = z.int().positive().optional();
const ms = z.int().nonnegative();

/** What can be made to go wrong, one kind each; `count` limits how often, without it until it is deleted. */
export const faultSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    match,
    count,
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).default({}),
    /** An object goes out as JSON, a string as HTML. */
    body: z.unknown().optional(),
  }),
  z.strictObject({ kind: z.literal('delay'), match, count, ms }),
  /** The work is done and stored, the answer waits: `ms`, or until the fault is released or deleted. */
  z.strictObject({ kind: z.literal('hold'), match, count, ms: ms.optional() }),
  /** The work is done and stored, then the connection is cut without an answer. */
  z.strictObject({ kind: z.literal('drop'), match, count }),
  /** Search sees issues only `indexLagMs` after they were made; every `flicker`-th search misses the young ones. */
  z.strictObject({ kind: z.literal('index'), indexLagMs: ms.default(0), flicker: z.int().positive().optional() }),
  z.strictObject({ kind: z.literal('duplicate'), count, times: z.int().positive() }),
  /** Deliveries go out in reverse order within groups of `size`. */
  z.strictObject({ kind: z.literal('reorder'), count, size: z.int().min(2), gapMs: ms.default(500) }),
  z.strictObject({ kind: z.literal('webhookDelay'), count, ms }),
  /** Dynamic webhooks are refused inside a 200, one use for each that is asked for. */
  z.strictObject({
    kind: z.literal('registration'),
    count,
    errors: z.array(z.string()).min(1).default(['The webhook could not be registered.']),
  }),
  /** The account's API token is dead. */
  z.strictObject({ kind: z.literal('revoked'), account: z.enum(['person', 'bot']).default('bot') }),
]);

export type FaultSpec = z.output<typeof faultSpec>;
export type FaultKind = FaultSpec['kind'];

export interface Fault {
  id: string;
  spec: FaultSpec;
  remaining: number | null;
  hits: number;
  /** Answers that a `hold` keeps back now. */
  waiting: number;
}

export type FaultOf<K extends FaultKind> = Fault & { spec: Extract<FaultSpec, { kind: K }> };

export interface FaultRequest {
  method: string;
  path: string;
  body: unknown;
}

/** The injected faults of a site: kept in the database, read from memory. */
export interface Faults {
  list(): Fault[];
  add(spec: FaultSpec): Promise<Fault>;
  /** Removes one, or all; answers that a removed `hold` keeps back go out. */
  remove(id?: string): Promise<void>;
  /** Lets the answers go that a `hold` keeps back now. */
  release(id?: string): void;
  /** Takes up one use of the first fault of a kind that fits, if there is one. */
  take<K extends FaultKind>(kind: K, request?: FaultRequest): Promise<FaultOf<K> | undefined>;
  /** The standing fault of a kind, without using it up. */
  find<K extends FaultKind>(kind: K): FaultOf<K> | undefined;
  isRevoked(account: Account): boolean;
  /** Waits as a `hold` says, at most until `gone` says that nobody waits for the answer any more. */
  hold(fault: FaultOf<'hold'>, gone: AbortSignal): Promise<void>;
}

/** Loads the faults that an earlier run left in the database. */
export async function loadFaults(pool: Pool): Promise<Faults> {
  const stored = await pool.query<{ id: string; spec: FaultSpec; remaining: number | null; hits: number }>(
    'select id, spec, remaining, hits from jira.faults order by id',
  );
  let faults: Fault[] = stored.rows.map((row) => ({ ...row, waiting: 0 }));
  const held = new Map<string, Set<() => void>>();

  function release(id?: string): void {
    for (const [faultId, releases] of held) {
      if (id === undefined || id === faultId) for (const letGo of [...releases]) letGo();
    }
  }

  return {
    list: () => faults,
    release,
    async add(spec) {
      const remaining = 'count' in spec ? (spec.count ?? null) : null;
      const { rows } = await pool.query<{ id: string }>(
        'insert into jira.faults (spec, remaining) values ($1, $2) returning id',
        [JSON.stringify(spec), remaining],
      );
      const fault = { id: rows[0]?.id ?? '', spec, remaining, hits: 0, waiting: 0 };
      faults = [...faults, fault];
      return fault;
    },
    async remove(id) {
      faults = id === undefined ? [] : faults.filter((fault) => fault.id !== id);
      release(id);
      await pool.query('delete from jira.faults where $1::bigint is null or id = $1', [id ?? null]);
    },
    async take<K extends FaultKind>(kind: K, request?: FaultRequest) {
      const fault = faults.find((candidate) => candidate.spec.kind === kind && applies(candidate, request));
      if (!fault) return undefined;
      // Counted in memory first: two requests at once must not both take the last use.
      fault.hits += 1;
      if (fault.remaining !== null) fault.remaining -= 1;
      await pool.query('update jira.faults set hits = $2, remaining = $3 where id = $1', [
        fault.id,
        fault.hits,
        fault.remaining,
      ]);
      return fault as FaultOf<K>;
    },
    find: <K extends FaultKind>(kind: K) =>
      faults.find((candidate) => candidate.spec.kind === kind && candidate.remaining !== 0) as FaultOf<K> | undefined,
    isRevoked: (account) =>
      faults.some((fault) => fault.spec.kind === 'revoked' && fault.spec.account === account.role),
    async hold(fault, gone) {
      const releases = held.get(fault.id) ?? new Set();
      held.set(fault.id, releases);
      fault.waiting += 1;
      await new Promise<void>((resolve) => {
        const timer = fault.spec.ms === undefined ? undefined : setTimeout(resolve, fault.spec.ms);
        const end = () => {
          clearTimeout(timer);
          resolve();
        };
        releases.add(end);
        gone.addEventListener('abort', end);
      });
      fault.waiting -= 1;
    },
  };
}

function applies(fault: Fault, request: FaultRequest | undefined): boolean {
  if (fault.remaining === 0) return false;
  if (!('match' in fault.spec) || !request) return true;
  const { method, path, marker } = fault.spec.match;
  if (method !== undefined && method.toUpperCase() !== request.method) return false;
  if (path !== undefined && !new RegExp(path).test(request.path)) return false;
  return marker === undefined || `${request.path} ${JSON.stringify(request.body) ?? ''}`.includes(marker);
}
