// The HTTP API over real stores, with an engine and a Jira that only write down that they were asked.

import { createMetrics } from '../../api/metrics';
import type { OperationDeps } from '../../api/operations/deps';
import { createOperations } from '../../api/operations/index';
import type { Operations } from '../../api/operations/types';
import type { Db } from '../../prisma/client';
import { defaultRule, type Role } from '../../workflows/rules/vocabulary';
import { type Caller, createCaller } from '../support/stack-clients';
import { createAcme, openStores } from '../support/stores';
import { until } from '../support/until';
import { appOf, listen, silent } from './support';

export type ApiWorld = {
  db: Db;
  operations: Operations;
  organisationId: string;
  ownerId: string;
  /** As the owner. */
  api: Caller;
  /** What the engine was asked. */
  told: string[];
  /** A member with a key that has these scopes (none: all). */
  join(role: Role, scopes?: string[]): Promise<{ id: string; key: string; api: Caller }>;
  apiAs(key: string): Caller;
  close(): Promise<void>;
};

/** Serves the API for one test file. */
export async function startApi(): Promise<ApiWorld> {
  const stores = await openStores();
  const { db } = stores;
  const { organisationId, memberId: ownerId } = await createAcme(db);
  const told: string[] = [];
  const deps = {
    ...{ db, baseUrl: 'http://127.0.0.1', connectLinkMs: 60_000, pollMs: 3_600_000, log: silent },
    engine: tellsNobody(told, null),
    jira: tellsNobody([], { problems: [], missing: [], warnings: [] }),
  };
  const operations = createOperations(deps as unknown as OperationDeps);
  const server = await listen(appOf({}, { operations, metrics: createMetrics({ ...deps, deliveries }) }));
  const apiAs = (key: string) => createCaller(server.url, `Bearer ${key}`);
  const keyOf = async (memberId: string, scopes: string[] = []) =>
    (await db.members.createKey(organisationId, { memberId, name: 'test', scopes })).key;
  return {
    ...{ db, operations, organisationId, ownerId, told, apiAs },
    api: apiAs(await keyOf(ownerId)),
    async join(role, scopes) {
      const person = { name: `A ${role}`, role, slackTeamId: null, slackUserId: null };
      const member = await db.members.create(organisationId, person);
      const key = await keyOf(member?.id ?? '', scopes);
      return { id: member?.id ?? '', key, api: apiAs(key) };
    },
    async close() {
      await server.close();
      await stores.close();
    },
  };
}

const deliveries = {
  insert: async () => 'ignored' as const,
  noteWebhook: async () => undefined,
  countByState: async () => ({ pending: 0, untracked: 0, ignored: 0, processed: 0 }),
};

/** Answers every call with `answer`, and writes its name down. */
function tellsNobody(told: string[], answer: unknown): object {
  const call = (name: string) => async () => {
    told.push(name);
    return answer;
  };
  return new Proxy({}, { get: (_target, name) => call(String(name)) });
}

/** Asks for several things that write to a table (or wait for each other before), and lets go when all of them wait. */
export async function atOnce<T>({ db }: ApiWorld, table: string, work: () => Promise<T>[]): Promise<T[]> {
  const { pool } = db;
  const blocker = await pool.connect();
  try {
    await blocker.query('begin');
    await blocker.query(`lock table ${table} in share mode`);
    const asked = work();
    await until(
      async () => {
        const { rows } = await pool.query<{ count: number }>(
          `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows[0]?.count === asked.length;
      },
      { what: `${asked.length} waiting` },
    );
    await blocker.query('commit');
    return await Promise.all(asked);
  } finally {
    blocker.release();
  }
}

/** A source whose findings can be pushed, with the numbers of these findings. */
export async function sourceWith(db: Db, organisationId: string, input: { key: string; numbers: number[] }) {
  const { key, numbers } = input;
  const connection = await db.prisma.connection.create({
    data: { organisationId, siteUrl: 'https://acme.atlassian.net', projectKey: 'ACC' },
  });
  const rule = { ...defaultRule, enabled: true, projectKey: 'ACC' };
  const made = { key, name: key, kind: 'site', connectionId: connection.id, rule } as const;
  const source = await db.sources.create(organisationId, made);
  await db.prisma.finding.createMany({
    data: numbers.map((number) => ({
      ...{ organisationId, sourceId: source?.id ?? '', number, key: `k${number}`, rule: 'label' },
      ...{ title: 'label', severity: 'serious' },
    })),
  });
  const counted = 'update organisation set finding_number = greatest(finding_number, $2) where id = $1';
  await db.pool.query(counted, [organisationId, Math.max(0, ...numbers)]);
  return { connectionId: connection.id };
}
