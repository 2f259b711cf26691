// Inbound webhooks per second, against a bare Express 5 that checks the HMAC and makes one INSERT. Both run in child
// processes that are started the same way, in turns, under the same load, over the same database.

import { type ChildProcess, fork } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import autocannon from 'autocannon';
import express, { type Express } from 'express';
import { Pool } from 'pg';
import { createApp } from '../../api/app';
import { createLogger } from '../../api/log';
import type { Operations } from '../../api/operations/types';
import { createRelay } from '../../api/relay';
import { createDeliveryStore } from '../../prisma/deliveries';
import { applyMigrations } from '../../prisma/migrate';
import { createDatabase } from '../support/database';
import { until } from '../support/until';

const SECRET = 'a webhook secret of the usual length, forty';
const BODY_BYTES = 4_096;
const ISSUES = 200;
const SECONDS = 3;
const ROUNDS = 7;
const POOL_SIZE = 20;
/** Jira sends at most 20 at once to one host. */
const AT_ONCE = 20;

type Kind = 'bare' | 'untracked' | 'tracked';
type Job =
  | { role: 'serve'; kind: Kind; databaseUrl: string; organisationId: string }
  | { role: 'load'; url: string; seconds: number; firstIssue: number };
type Load = { perSecond: number; sent: number; p99: number; failures: number };
type Organisation = { organisationId: string; connectionId: string; sourceId: string };

/**
 * Prints two JSON lines, for untracked and for tracked issues (those with the relay, whose signal does nothing), and
 * answers them. `value` and `bare` are medians per second, `ratio` is theirs. Needs TEST_DATABASE_URL.
 */
export async function runWebhooksBench(): Promise<object[]> {
  const database = await createDatabase();
  const pool = new Pool({ connectionString: database.url });
  try {
    await applyMigrations(database.url);
    const organisation = await seed(pool);
    const lines: object[] = [];
    for (const kind of ['untracked', 'tracked'] as const) {
      const line = await compare(kind, { pool, databaseUrl: database.url, organisation });
      console.log(JSON.stringify(line));
      lines.push(line);
    }
    return lines;
  } finally {
    await pool.end();
    await database.drop();
  }
}

type Setting = { pool: Pool; databaseUrl: string; organisation: Organisation };
type Round = Load & { cpuMicros: number; relayedAfterMs: number };

async function compare(kind: 'untracked' | 'tracked', setting: Setting): Promise<object> {
  const servers: Record<'bare' | 'ours', Server> = {
    bare: await startServer('bare', setting),
    ours: await startServer(kind, setting),
  };
  const rounds: Record<'bare' | 'ours', Round[]> = { bare: [], ours: [] };
  // Deliveries of the tracked kind concern the issues that are linked, the others the ones after them.
  const firstIssue = kind === 'tracked' ? 0 : ISSUES;
  try {
    for (const server of Object.values(servers)) await round(server, { pool: setting.pool, firstIssue, seconds: 1 });
    for (let n = 0; n < ROUNDS; n++) {
      const inTurns = n % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const);
      for (const which of inTurns) {
        rounds[which].push(await round(servers[which], { pool: setting.pool, firstIssue, seconds: SECONDS }));
      }
    }
  } finally {
    await Promise.all(Object.values(servers).map((server) => end(server.process)));
  }
  const of = (which: 'bare' | 'ours', what: keyof Round) => median(rounds[which].map((one) => one[what]));
  return {
    bench: 'webhooks',
    issues: kind,
    value: Math.round(of('ours', 'perSecond')),
    bare: Math.round(of('bare', 'perSecond')),
    ratio: Number((of('ours', 'perSecond') / of('bare', 'perSecond')).toFixed(2)),
    unit: 'per s',
    p99ms: of('ours', 'p99'),
    bareP99ms: of('bare', 'p99'),
    // Of the server's process alone: this hardly moves when the machine is busy with something else.
    cpuMicros: Math.round(of('ours', 'cpuMicros')),
    bareCpuMicros: Math.round(of('bare', 'cpuMicros')),
    ...(kind === 'tracked' ? { relayedAfterMs: of('ours', 'relayedAfterMs') } : {}),
    bodyBytes: BODY_BYTES,
    rounds: ROUNDS,
    spread: [rounds.ours, rounds.bare].map((all) => all.map(({ perSecond }) => Math.round(perSecond))),
  };
}

type Server = { kind: Kind; url: string; process: ChildProcess };

async function startServer(kind: Kind, { databaseUrl, organisation }: Setting): Promise<Server> {
  const { organisationId, connectionId } = organisation;
  const started = await child<{ url: string }>({ role: 'serve', kind, databaseUrl, organisationId });
  const url = `${started.answer.url}/api/integrations/jira/webhook?integration_id=${connectionId}`;
  return { kind, url, process: started.process };
}

/** One load on one server, and a check that each answered delivery is a row. */
async function round(
  server: Server,
  { pool, firstIssue, seconds }: { pool: Pool; firstIssue: number; seconds: number },
): Promise<Round> {
  await pool.query('truncate delivery, bare_delivery');
  const cpuBefore = await cpuMicros(server.process);
  const loader = await child<Load>({ role: 'load', url: server.url, seconds, firstIssue });
  await end(loader.process);
  const ended = Date.now();
  await until(() => settled(pool, server.kind, loader.answer), { seconds: 60, what: 'each delivery in its state' });
  const relayedAfterMs = Date.now() - ended;
  const spent = (await cpuMicros(server.process)) - cpuBefore;
  return { ...loader.answer, relayedAfterMs, cpuMicros: spent / loader.answer.sent };
}

async function cpuMicros(server: ChildProcess): Promise<number> {
  server.send('usage');
  const [usage] = (await once(server, 'message')) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}

async function settled(pool: Pool, kind: Kind, { sent, failures }: Load): Promise<boolean> {
  if (failures > 0) throw new Error(`${failures} of ${sent} deliveries failed`);
  const states = { bare: '', untracked: `where state = 'untracked'`, tracked: `where state = 'processed'` };
  const table = kind === 'bare' ? 'bare_delivery' : 'delivery';
  const { rows } = await pool.query<{ count: number }>(`select count(*)::int as count from ${table} ${states[kind]}`);
  // The last ones may have been stored after the load stopped listening.
  const count = rows[0]?.count ?? 0;
  return count >= sent && count <= sent + AT_ONCE;
}

async function seed(pool: Pool): Promise<Organisation> {
  const [organisationId, connectionId, sourceId] = [randomUUID(), randomUUID(), randomUUID()];
  await pool.query(`insert into organisation (id, name) values ($1, 'Bench')`, [organisationId]);
  await pool.query(
    `insert into connection (id, organisation_id, site_url, project_key) values ($2, $1, 'https://b.atlassian.net', 'B')`,
    [organisationId, connectionId],
  );
  await pool.query(
    `insert into source (id, organisation_id, key, name, kind, rule) values ($2, $1, 'b', 'B', 'site', '{}')`,
    [organisationId, sourceId],
  );
  await pool.query(
    `insert into finding (organisation_id, source_id, number, key, rule, title, severity)
     select $1, $2, n, 'key-' || n, 'image-alt', 'Images must have alternate text', 'critical' from generate_series(1, $3) n`,
    [organisationId, sourceId, ISSUES],
  );
  await pool.query(
    `insert into issue_link (organisation_id, finding_id, connection_id, generation, state, marker, project_key,
       jira_issue_id, jira_key, linked_at)
     select $1, id, $2, 1, 'linked', 'm' || number, 'B', (10000 + number - 1)::text, 'B-' || number, now() from finding`,
    [organisationId, connectionId],
  );
  await pool.query(
    'create table bare_delivery (id uuid primary key, body text not null, received_at timestamptz not null)',
  );
  await pool.query('vacuum analyze');
  return { organisationId, connectionId, sourceId };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function child<T>(job: Job): Promise<{ process: ChildProcess; answer: T }> {
  const started = fork(__filename, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  started.send(job);
  const [answer] = (await Promise.race([
    once(started, 'message'),
    once(started, 'exit').then(([code]) => Promise.reject(new Error(`A process of the benchmark ended with ${code}`))),
  ])) as [T];
  return { process: started, answer };
}

async function end(started: ChildProcess): Promise<void> {
  if (started.exitCode !== null) return;
  const ended = once(started, 'exit');
  started.disconnect();
  await ended;
}

// What follows runs in the child processes.

async function serve(job: Job & { role: 'serve' }): Promise<{ url: string }> {
  const pool = new Pool({ connectionString: job.databaseUrl, max: POOL_SIZE });
  const app = job.kind === 'bare' ? bareApp(pool) : recheckApp(pool, job);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function bareApp(pool: Pool): Express {
  const app = express();
  app.post('/api/integrations/jira/webhook', express.raw({ type: () => true, limit: '25mb' }), async (req, res) => {
    const expected = `sha256=${createHmac('sha256', SECRET).update(req.body).digest('hex')}`;
    if (req.get('x-hub-signature') !== expected) {
      res.sendStatus(401);
      return;
    }
    await pool.query({
      name: 'bare-insert',
      text: 'insert into bare_delivery (id, body, received_at) values ($1, $2, now())',
      values: [randomUUID(), req.body.toString('utf8')],
    });
    res.sendStatus(200);
  });
  return app;
}

function recheckApp(pool: Pool, { organisationId }: Job & { role: 'serve' }): Express {
  const log = createLogger({ level: 'info', name: 'bench' });
  const deliveries = createDeliveryStore({ pool });
  const relay = createRelay({ deliveries, signalJiraChanged: async () => undefined, log, sweepMs: 2_000 });
  relay.start();
  const admin = { kind: 'api_token', siteUrl: 'https://shop.atlassian.net', cloudId: null, webhookIds: [] };
  const auth = { ...admin, organisationId, secret: SECRET };
  return createApp({
    operations: {} as Operations,
    deliveries,
    connections: { webhookAuth: async () => auth },
    ready: async () => ({ ok: true, checks: {} }),
    log,
    wakeRelay: relay.wake,
    baseUrl: 'http://127.0.0.1',
  });
}

async function load({ url, seconds, firstIssue }: Job & { role: 'load' }): Promise<Load> {
  const bodies = Array.from({ length: ISSUES }, (_, n) => signedBody(10_000 + firstIssue + n));
  let n = 0;
  const result = await autocannon({
    url,
    method: 'POST',
    connections: AT_ONCE,
    duration: seconds,
    requests: [
      {
        setupRequest(request) {
          const { body, signature } = bodies[n++ % bodies.length] ?? signedBody(0);
          const headers = {
            'content-type': 'application/json',
            'x-hub-signature': signature,
            'x-atlassian-webhook-identifier': `${process.pid}-${n}`,
          };
          return { ...request, body, headers };
        },
      },
    ],
  });
  const failures = result.non2xx + result.errors + result.timeouts;
  return { perSecond: result['2xx'] / result.duration, sent: result['2xx'], p99: result.latency.p99, failures };
}

function signedBody(issueId: number): { body: string; signature: string } {
  const payload = {
    timestamp: Date.now(),
    webhookEvent: 'jira:issue_updated',
    issue_event_type_name: 'issue_generic',
    user: { accountId: '5b10a2844c20165700ede21g', accountType: 'atlassian', displayName: 'Mia Krystof' },
    issue: { id: String(issueId), key: `B-${issueId}`, fields: { summary: 'Images need text', description: '' } },
    changelog: {
      id: '10124',
      items: [{ field: 'status', fieldId: 'status', from: '1', fromString: 'To Do', to: '2', toString: 'Done' }],
    },
  };
  payload.issue.fields.description = 'x'.repeat(BODY_BYTES - JSON.stringify(payload).length);
  const body = JSON.stringify(payload);
  return { body, signature: `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}` };
}

if (process.send && require.main === module) {
  process.on('message', async (job: Job | 'usage') => {
    if (job === 'usage') process.send?.(process.cpuUsage());
    else process.send?.(job.role === 'serve' ? await serve(job) : await load(job));
  });
  process.once('disconnect', () => process.exit(0));
}
