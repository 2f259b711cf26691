// Full lives of a finding per second, and events in the history of one: from the push over the issue, Done, the re-run
// session and its verdict to the comment. The bare limit are workflows that give Temporal the same commands, with empty
// activities, on the same server in turns with the product's.

import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { lifecycleWorkflowId } from '../../workflows/contract';
import { type BareWorker, startBareWorker } from './support/bare-worker';
import { createClients, makeFindings } from './support/clients';
import { cpuSeconds } from './support/cpu';
import { median, rounded } from './support/figures';
import { type LifeSystem, liveThrough } from './support/life-loop';
import { type Product, startProduct } from './support/product';
import { realLives } from './support/real-lives';
import { type BenchServers, type Namespace, openNamespace } from './support/servers';

const AT_ONCE = 30;
const LIVES = 90;
const ROUNDS = 5;
const WARM_UP = 30;
/** No wait of Recheck's own stands in the way of the throughput. */
const unhindered = { SETTLE_MS: '0', PUSH_INTERVAL_MS: '0' };

type Round = { perSecond: number; cpu: Record<string, number> };
type Measured = { system: LifeSystem; cpu: () => Promise<Record<string, number>>; ids: (count: number) => string[] };

/** Prints one JSON line: lives per second, the bare limit's, and the CPU seconds that a life costs by process. */
export async function runLivesBench(servers: BenchServers): Promise<void> {
  await withBoth({ servers, env: unhindered }, async ({ product, bare }) => {
    // Slack takes one post a second, so cards would only pile up behind the lives.
    await product.db.query(`update slack_installation set status = 'disconnected'`);
    const clients = createClients(product.local);
    const names = await makeFindings(clients, product.local, WARM_UP + ROUNDS * LIVES);
    const real: Measured = {
      system: realLives(product, clients),
      cpu: product.cpu,
      ids: (count) => names.splice(0, count),
    };
    const empty: Measured = {
      system: bare.lives(),
      cpu: async () => ({ ...bare.cpu(), ...cpuSeconds({ temporal: servers.temporalPid }) }),
      ids: manyIds,
    };
    for (const measured of [empty, real]) await round(measured, WARM_UP);
    const rounds: { real: Round[]; empty: Round[] } = { real: [], empty: [] };
    for (let n = 0; n < ROUNDS; n++) {
      const isEven = n % 2 === 0;
      if (isEven) rounds.empty.push(await round(empty, LIVES));
      rounds.real.push(await round(real, LIVES));
      if (!isEven) rounds.empty.push(await round(empty, LIVES));
    }
    print(rounds);
  });
}

async function round({ system, cpu, ids }: Measured, count: number): Promise<Round> {
  const before = await cpu();
  const seconds = await liveThrough(system, ids(count), AT_ONCE);
  const after = await cpu();
  const used = Object.entries(after).map(([name, now]) => [name, (now - (before[name] ?? 0)) / count]);
  return { perSecond: count / seconds, cpu: Object.fromEntries(used) };
}

function print({ real, empty }: { real: Round[]; empty: Round[] }): void {
  const [value, bare] = [real, empty].map((rounds) => median(rounds.map(({ perSecond }) => perSecond)));
  const { server = 0, worker = 0 } = cpuPerLife(real);
  const line = {
    bench: 'lives',
    value: rounded(value ?? 0),
    bare: rounded(bare ?? 0),
    ratio: rounded((value ?? 0) / (bare ?? 1)),
    unit: 'per s',
    cpuSecondsPerLife: rounded(server + worker, 3),
    cpuByProcess: cpuPerLife(real),
    bareCpuByProcess: cpuPerLife(empty),
    atOnce: AT_ONCE,
    lives: LIVES,
    rounds: ROUNDS,
    spread: [real, empty].map((rounds) => rounds.map(({ perSecond }) => rounded(perSecond, 1))),
  };
  console.log(JSON.stringify(line));
}

function cpuPerLife(rounds: Round[]): Record<string, number> {
  const names = Object.keys(rounds[0]?.cpu ?? {});
  return Object.fromEntries(names.map((name) => [name, rounded(median(rounds.map(({ cpu }) => cpu[name] ?? 0)), 3)]));
}

/** Prints one JSON line: events in the history of one life with its settle timer, the product's and a bare one's. */
export async function runEventsBench(servers: BenchServers): Promise<void> {
  await withBoth({ servers, env: { SETTLE_MS: '1000' } }, async ({ product, bare, namespace }) => {
    const clients = createClients(product.local);
    const [finding = ''] = await makeFindings(clients, product.local, 1);
    await liveThrough(realLives(product, clients), [finding], 1);
    const { rows } = await product.db.query<{ id: string }>('select id from finding');
    const real = await eventsOf(product.namespace.client, lifecycleWorkflowId(rows[0]?.id ?? ''));
    const [sameId = ''] = manyIds(1);
    await liveThrough(bare.lives({ settleMs: 1000 }), [sameId], 1);
    const [leastId = ''] = manyIds(1);
    await liveThrough(bare.lives({ settleMs: 1000, upserts: 'two' }), [leastId], 1);
    const least = (await eventsOf(namespace.client, leastId)).total;
    const line = {
      bench: 'events',
      value: real.total,
      bare: least,
      ratio: rounded(real.total / least),
      unit: 'per life',
      sameCommands: (await eventsOf(namespace.client, sameId)).total,
      most: 50,
      events: real.byType,
    };
    console.log(JSON.stringify(line));
  });
}

async function eventsOf(
  client: Client,
  workflowId: string,
): Promise<{ total: number; byType: Record<string, number> }> {
  const handle = client.workflow.getHandle(workflowId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  const byType: Record<string, number> = {};
  for (const event of events ?? []) {
    // The one field of its attributes says what an event is; its type is a number here.
    const attributes = Object.entries(event).find(([name, value]) => name.endsWith('EventAttributes') && value);
    const name = attributes?.[0].replace(/EventAttributes$/, '') ?? 'other';
    byType[name] = (byType[name] ?? 0) + 1;
  }
  return { total: events?.length ?? 0, byType };
}

function manyIds(count: number): string[] {
  return Array.from({ length: count }, () => `bare:${randomUUID()}`);
}

type Both = { product: Product; bare: BareWorker; namespace: Namespace };

/** The product, and the bare worker in a namespace of its own, on the same servers. */
export async function withBoth(
  { servers, env }: { servers: BenchServers; env: Record<string, string> },
  work: (both: Both) => Promise<void>,
): Promise<void> {
  const namespace = await openNamespace(servers.temporalAddress);
  const closing = [() => namespace.drop()];
  try {
    const bare = await startBareWorker(namespace);
    closing.push(() => bare.stop());
    const product = await startProduct(servers, env);
    closing.push(() => product.stop());
    await work({ product, bare, namespace });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}
