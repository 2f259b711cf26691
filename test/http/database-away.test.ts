// What every call answers while PostgreSQL cannot be reached.

import { randomBytes, randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { createConnectPages, type PageDeps } from '../../api/connect/pages';
import type { OperationDeps } from '../../api/operations/deps';
import { createOperations } from '../../api/operations/index';
import type { Operations } from '../../api/operations/types';
import { routes } from '../../api/routes';
import type { Route } from '../../api/routes/route';
import { politely } from '../../bot/declined';
import { createDb, type Db } from '../../prisma/client';
import { createSecretBox } from '../../prisma/secret-box';
import { isDatabaseAway } from '../../workflows/rules/database-away';
import { createAcme, openStores, type Stores } from '../support/stores';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { appOf, ask, listen, operationsOf, owner, silent } from './support';

let stores: Stores;
let proxy: TcpProxy;
let db: Db;
let operations: Operations;
beforeAll(async () => {
  stores = await openStores();
  const url = new URL(stores.url);
  proxy = await startTcpProxy(url.host);
  url.host = proxy.address;
  db = createDb({ url: url.toString(), box: createSecretBox([{ id: 'k1', key: randomBytes(32) }]) });
  await createAcme(db);
  const nobody = new Proxy({}, { get: () => async () => ({ problems: [], missing: [], warnings: [] }) });
  const checkClient = async () => ({
    ok: true,
    checks: [],
    project: { id: '1', key: 'ACC', name: 'Acc' },
    account: { id: 'a' },
  });
  const deps = { db, engine: nobody, jira: nobody, checkClient, baseUrl: 'http://127.0.0.1', log: silent };
  operations = createOperations(deps as unknown as OperationDeps);
  await proxy.cut();
}, 60_000);
afterAll(async () => {
  await db?.close();
  await proxy?.stop();
  await stores?.close();
});

const bodies: Record<string, unknown> = {
  'post /api/v1/sources': { key: 'a', name: 'A', kind: 'site' },
  'put /api/v1/sources/{key}/rule': { enabled: true },
  'post /api/v1/sources/{key}/rule/preview': {},
  'post /api/v1/sources/{key}/reports': { ctrf: true },
  'post /api/v1/sessions/{id}/reports': { ctrf: true },
  'post /api/v1/pushes': { source: 'a', findings: 'all' },
  'post /api/v1/findings/{id}/link': { jiraKey: 'ACC-1' },
  'post /api/v1/findings/{id}/missing': { decision: 'drop' },
  'post /api/v1/sessions': { source: 'a', findings: ['F-1'] },
  'post /api/v1/sessions/{id}/verdicts': [{ finding: 'F-1', verdict: 'fail' }],
  'post /api/v1/connections': {
    ...{ siteUrl: 'https://a.atlassian.net', email: 'a@example.com', apiToken: 'token', projectKey: 'ACC' },
  },
  'post /api/v1/connections/{id}/reconnect': { email: 'a@example.com', apiToken: 'token' },
  'put /api/v1/connections/{id}/mapping/{projectKey}': { blockedResolutions: [], blockedStatuses: [] },
  'post /api/v1/members': { name: 'A', role: 'member' },
  'post /api/v1/api-keys': { name: 'A', member: randomUUID() },
};

function callOf({ method, path }: Route): string {
  const named = path.replace('findings/{id}', 'findings/F-1').replace('{id}', randomUUID());
  const query = `${method} ${path}` === 'get /api/v1/pushes' ? '?status=awaiting_approval' : '';
  return `${method.toUpperCase()} ${named.replace('{key}', 'a').replace('{projectKey}', 'ACC')}${query}`;
}

const away = { code: 'database_unavailable', detail: expect.stringContaining('Try again in a minute') };

describe('S3 while PostgreSQL cannot be reached', () => {
  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'S3 %s answers 503 and what to do',
    async (name, route) => {
      const known = operationsOf({ ...operations, callerByApiKey: async () => owner });
      const server = await listen(appOf({}, { operations: known }));
      try {
        const answer = await ask(server.url, callOf(route), bodies[name]);
        expect([answer.status, answer.body]).toMatchObject([503, away]);
      } finally {
        await server.close();
      }
    },
  );

  it('S3 so does a call whose key cannot be looked up, and what looks into a store by itself', async () => {
    const webhookAuth = (id: string) => db.connections.webhookAuth(id);
    const server = await listen(appOf({}, { operations, connections: { webhookAuth } }));
    try {
      expect(await ask(server.url, 'GET /api/v1/findings')).toMatchObject({ status: 503, body: away });
      const webhook = await ask(server.url, `POST /api/integrations/jira/webhook/${randomUUID()}`, {});
      expect(webhook).toMatchObject({ status: 503, body: away });
      expect(webhook.headers.get('retry-after')).toBe('60');
    } finally {
      await server.close();
    }
  });

  it('S3 C1 the connect page says so in words', async () => {
    const pages = { operations, db, baseUrl: 'http://127.0.0.1', command: '/recheck', authUrl: null, log: silent };
    const connectPages = createConnectPages(pages as unknown as PageDeps);
    const server = await listen(appOf({}, { operations, connectPages }));
    try {
      const opened = await fetch(`${server.url}/connect/${'a'.repeat(43)}`);
      expect(opened.status).toBe(503);
      expect(await opened.text()).toContain('The database does not answer just now');
    } finally {
      await server.close();
    }
  });

  it('S3 B1 and Slack says the same', async () => {
    const said = await operations.callerBySlackUser({ teamId: 'T', userId: 'U' }).catch(politely);
    expect(JSON.stringify(said)).toContain('The database does not answer just now. Try again in a minute');
  });
});

describe('S3 an error says that PostgreSQL is away', () => {
  const { pool, prisma } = { pool: () => stores.db.pool, prisma: () => stores.db.prisma };
  const errorOf = async (work: PromiseLike<unknown>): Promise<unknown> => {
    try {
      return await work;
    } catch (error) {
      return error;
    }
  };
  const ends = 'select pg_terminate_backend(pg_backend_pid())::text';

  it.each<[string, () => PromiseLike<unknown>]>([
    ['pg, as the server ends the connection', () => pool().query(ends)],
    ['Prisma, as the server ends the connection', () => prisma().$queryRawUnsafe(ends)],
    ['pg, without a connection', () => db.pool.query('select 1')],
    ['Prisma, without a connection', () => db.prisma.member.findMany()],
    ['Prisma, without one for a transaction', () => db.prisma.$transaction((tx) => tx.member.findMany())],
    ['a statement that takes too long', () => pool().query('set statement_timeout = 1; select pg_sleep(60)')],
    ['a pool without a free connection', () => starved()],
    ['an answer that does not come', () => unanswered()],
  ])('S3 where it is: %s', async (_what, work) => {
    expect(isDatabaseAway(await errorOf(work()))).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['a bug in SQL', () => errorOf(pool().query('select nonsense'))],
    ['a bug in SQL, by Prisma', () => errorOf(prisma().$queryRawUnsafe('select nonsense'))],
    ['a row that is there', () => errorOf(prisma().organisation.create({ data: { name: 'a', id: 'no uuid' } }))],
    [
      'a Jira that cannot be reached',
      () => Object.assign(new Error('no'), { cause: { code: 'ECONNREFUSED', syscall: 'connect' } }),
    ],
    ['a client that went away', () => Object.assign(new Error('aborted'), { code: 'ECONNRESET' })],
    ['a bug', () => new TypeError('x is not a function')],
    ['nothing', () => undefined],
  ])('S3 not where it is: %s', async (_what, error) => {
    expect(isDatabaseAway(await error())).toBe(false);
  });

  async function starved(): Promise<void> {
    const one = new Pool({ connectionString: stores.url, max: 1 });
    const client = await one.connect();
    one.options.connectionTimeoutMillis = 50;
    try {
      await one.connect();
    } finally {
      client.release();
      await one.end();
    }
  }

  async function unanswered(): Promise<void> {
    const impatient = new Pool({ connectionString: stores.url, max: 1, query_timeout: 50 });
    impatient.on('error', () => undefined);
    try {
      await impatient.query('select pg_sleep(60)');
    } finally {
      await impatient.end();
    }
  }
});
