// A bulk push at its pace: from the first create to the last, against the bare limit that the pacing sets, and what a
// person's single push takes meanwhile.

import { until } from '../support/until';
import { benchSource, createClients, failingTests, makeFindings } from './support/clients';
import { rounded } from './support/figures';
import { startProduct } from './support/product';
import type { BenchServers } from './support/servers';

const FINDINGS = 500;
const INTERVAL_MS = 150;
const LATENCY_MS = 400;
const SINGLES = 3;
const SINGLES_APART_MS = 8000;

type Logged = { at: string; method: string; path: string; status: number };
type Push = { id: string; status: string; items: { outcome: string }[] };

/** Prints one JSON line: milliseconds from the first create of a bulk to its last, and those of single pushes meanwhile. */
export async function runBulkBench(servers: BenchServers): Promise<void> {
  const product = await startProduct(servers, { PUSH_INTERVAL_MS: String(INTERVAL_MS) });
  try {
    await product.db.query(`update slack_installation set status = 'disconnected'`);
    const { local } = product;
    const clients = createClients(local);
    const sandbox = async <T>(method: string, path: string, body?: object): Promise<T> =>
      (await (
        await fetch(`${local.jiraUrl}/sandbox${path}`, {
          method,
          ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
        })
      ).json()) as T;
    await makeFindings(clients, local, FINDINGS);
    const rule = { enabled: true, projectKey: local.jiraProject };
    const people = { key: 'people', name: 'People', kind: 'suite', connection: local.connectionId, rule };
    await clients.api('POST', '/sources', people);
    await clients.api('POST', '/sources/people/reports', failingTests(SINGLES));
    const page = await clients.api<{ items: { id: string }[] }>('GET', '/findings?source=people');
    await sandbox('POST', '/faults', { kind: 'delay', ms: LATENCY_MS, match: { path: '^/rest/api/3' } });

    const show = (id: string) => clients.api<Push>('GET', `/pushes/${id}`);
    const { id } = await clients.api<Push>('POST', '/pushes', { source: benchSource, findings: 'all' });
    const singles: number[] = [];
    for (const finding of page.items) {
      await new Promise((resolve) => setTimeout(resolve, SINGLES_APART_MS));
      const asked = Date.now();
      const single = await clients.api<Push>('POST', '/pushes', { source: 'people', findings: [finding.id] });
      await until(async () => (await show(single.id)).status === 'completed', { what: 'a single push' });
      singles.push(Date.now() - asked);
    }
    // Seldom: 500 items are much to answer, and the asking is no part of what is measured.
    const end = Date.now() + 600_000;
    while ((await show(id)).status !== 'completed') {
      if (Date.now() > end) throw new Error('The bulk did not end within ten minutes.');
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    const { items } = await sandbox<{ items: Logged[] }>('GET', '/requests');
    const starts = items
      .filter(({ method, path, status }) => method === 'POST' && path === '/rest/api/3/issue' && status === 201)
      .map(({ at }) => Date.parse(at))
      .sort((a, b) => a - b);
    const value = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    const bare = FINDINGS * INTERVAL_MS;
    const { events } = await product.namespace.client.workflow.getHandle(`push:${id}`).fetchHistory();
    const line = {
      bench: 'bulk',
      value,
      bare,
      ratio: rounded(value / bare, 3),
      unit: 'ms',
      most: 1.05,
      creates: starts.length,
      singlesMs: singles,
      singlesMost: 2000,
      events: events?.length ?? 0,
    };
    console.log(JSON.stringify(line));
  } finally {
    await product.stop();
  }
}
