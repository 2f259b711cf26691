import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { Pool } from 'pg';
import { type AppDeps, createApp } from '../../api/app';
import { createLogger } from '../../api/log';
import { Refusal } from '../../api/operations/refusal';
import type { Caller, Operations } from '../../api/operations/types';
import { applyMigrations } from '../../prisma/migrate';
import { createDatabase } from '../support/database';

export const silent = createLogger({ level: 'silent', name: 'test' });

/** Serves an app on a free port of 127.0.0.1. */
export async function listen(app: Express): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const owner: Caller = {
  organisationId: randomUUID(),
  memberId: randomUUID(),
  name: 'Olga',
  role: 'owner',
  via: 'http',
  scopes: null,
};

/** Operations that implement only what a test needs; the key `good` is an owner's. */
export function operationsOf(given: Partial<Operations>): Operations {
  const base: Partial<Operations> = {
    callerByApiKey: async (key) => {
      if (key === 'good' || key === 'other') return owner;
      throw new Refusal('unauthenticated', 'unknown_api_key', 'This API key is not known. Make a new one.');
    },
    ...given,
  };
  return new Proxy(base, {
    get: (target, name) => {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      throw new Error(`The test did not expect the operation ${String(name)}`);
    },
  }) as Operations;
}

/** The app over the given operations, with nothing behind the rest. */
export function appOf(given: Partial<Operations>, deps: Partial<AppDeps> = {}): Express {
  return createApp({
    operations: operationsOf(given),
    deliveries: {
      insert: async () => 'ignored',
      noteWebhook: async () => undefined,
      countByState: async () => ({ pending: 0, untracked: 0, ignored: 0, processed: 0 }),
    },
    connections: { webhookAuth: async () => null },
    ready: async () => ({ ok: true, checks: {} }),
    log: silent,
    wakeRelay: () => undefined,
    baseUrl: 'http://127.0.0.1',
    ...deps,
  });
}

export type Answer = { status: number; headers: Headers; body: { [key: string]: unknown } };

/** A request with the good key; an object is sent as JSON, anything else as it is. */
export async function ask(
  base: string,
  call: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = call.split(' ');
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(base + path, {
    method,
    headers: {
      authorization: 'Bearer good',
      ...(body !== undefined && !raw ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
}

export type Seeded = {
  organisationId: string;
  connectionId: string;
  findingId: string;
  issueId: string;
  number: number;
};

/** A migrated database of one's own, with a pool. */
export async function database() {
  const { url, drop } = await createDatabase();
  await applyMigrations(url);
  const pool = new Pool({ connectionString: url });
  pool.on('error', () => undefined);
  return {
    url,
    pool,
    async close() {
      await pool.end();
      await drop();
    },
  };
}

/** An organisation with a connection, a source, and one finding that is linked to `issueId`. */
export async function seed(pool: Pool, { issueId = '10001', linked = true } = {}): Promise<Seeded> {
  const organisationId = randomUUID();
  const connectionId = randomUUID();
  const sourceId = randomUUID();
  await pool.query(`insert into organisation (id, name) values ($1, 'Shop')`, [organisationId]);
  await pool.query(
    `insert into connection (id, organisation_id, site_url, project_key) values ($2, $1, 'https://shop.atlassian.net', 'ACC')`,
    [organisationId, connectionId],
  );
  await pool.query(
    `insert into source (id, organisation_id, key, name, kind, rule) values ($2, $1, 'shop', 'Shop', 'site', '{}')`,
    [organisationId, sourceId],
  );
  const findingId = await seedFinding(pool, { organisationId, sourceId, number: 1 });
  if (linked) await link(pool, { organisationId, connectionId, findingId, issueId });
  return { organisationId, connectionId, findingId, issueId, number: 1 };
}

export async function seedFinding(
  pool: Pool,
  { organisationId, sourceId, number }: { organisationId: string; sourceId: string; number: number },
): Promise<string> {
  const findingId = randomUUID();
  await pool.query(
    `insert into finding (id, organisation_id, source_id, number, key, rule, title, severity)
     values ($1, $2, $3, $4, $5, 'image-alt', 'Images must have alternate text', 'critical')`,
    [findingId, organisationId, sourceId, number, `key-${number}`],
  );
  return findingId;
}

export async function link(
  pool: Pool,
  link: { organisationId: string; connectionId: string; findingId: string; issueId: string },
): Promise<void> {
  await pool.query(
    `insert into issue_link (organisation_id, finding_id, connection_id, generation, state, marker, project_key,
       jira_issue_id, jira_key, linked_at)
     values ($1, $2, $3, 1, 'linked', 'recheck-marker', 'ACC', $4::text, 'ACC-' || $4::text, now())`,
    [link.organisationId, link.findingId, link.connectionId, link.issueId],
  );
}

/** An update as Jira sends it; `items` is the changelog. */
export function jiraUpdate({
  issueId = '10001',
  items = [toDone],
  timestamp = Date.now(),
  event = 'jira:issue_updated',
} = {}) {
  return {
    timestamp,
    webhookEvent: event,
    issue_event_type_name: 'issue_generic',
    user: { accountId: '5b10a2844c20165700ede21g', accountType: 'atlassian', displayName: 'Mia Krystof' },
    issue: { id: issueId, key: `ACC-${issueId}`, fields: { summary: 'secret roadmap', description: 'secret text' } },
    changelog: { id: '10124', items },
  };
}

export const toDone: { [key: string]: unknown } = {
  field: 'status',
  fieldtype: 'jira',
  fieldId: 'status',
  from: '10000',
  fromString: 'To Do',
  to: '10001',
  toString: 'Done',
};

export const webhookSecret = 'It is a secret to nobody here';
const bare = { secret: null, siteUrl: 'https://shop.atlassian.net', cloudId: null, webhookIds: [] };
/** What the deliveries of an API-token connection are checked by. */
export const adminAuth = (organisationId: string) => ({
  ...bare,
  organisationId,
  kind: 'api_token',
  secret: webhookSecret,
});
/** What the deliveries of an OAuth connection are checked by. */
export const dynamicAuth = (organisationId: string, webhookIds: string[]) => ({
  ...bare,
  organisationId,
  kind: 'oauth',
  cloudId: '7c1f3a52-0d6e-4a51-9c5e-2b8f4d1e6a90',
  webhookIds,
});
export const signatureOf = (body: string, secret = webhookSecret) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** Sends a delivery to the webhook of `connectionId`, signed unless told otherwise. */
export async function deliver(
  base: string,
  connectionId: string,
  payload: unknown,
  { identifier, signature }: { identifier?: string; signature?: string | null } = {},
): Promise<Answer> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const header = signature === undefined ? signatureOf(body) : signature;
  return ask(base, `POST /api/integrations/jira/webhook?integration_id=${connectionId}`, body, {
    'content-type': 'application/json',
    ...(header ? { 'x-hub-signature': header } : {}),
    ...(identifier ? { 'x-atlassian-webhook-identifier': identifier } : {}),
  });
}
