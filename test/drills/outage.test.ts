// What happens to 500 deliveries that arrive while Temporal, or PostgreSQL, is away. The product reaches both through
// proxies that refuse connections for the time; sandbox and test go to the real ones.

import { createSteps, type Steps } from '../loop/steps';
import { serverUrl } from '../support/database';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { until } from '../support/until';

/** How long each is away, in milliseconds; a full minute where somebody has the time. */
const outageMs = Number(process.env.DRILL_OUTAGE_MS ?? 3000);
const deliveries = 500;
/** More findings take longer to set up; each is moved so often that 500 deliveries come about. */
const findings = Number(process.env.DRILL_FINDINGS ?? 100);
const moves = ['In Progress', 'In Review', 'To Do', 'In Progress', 'Done'].slice(-deliveries / findings);
const AT_ONCE = 10;
const minutes = (count: number) => count * 120_000 + 3 * outageMs;

type Sent = {
  id: string;
  state: string;
  attempts: number;
  lastStatus: number | null;
  createdAt: string;
  nextAt: string;
};
type Drill = { stack: Stack; go: Steps; proxy: TcpProxy };

async function startDrill(target: string, options: (proxy: TcpProxy) => Parameters<typeof startStack>[0]) {
  const proxy = await startTcpProxy(target);
  const stack = await startStack(options(proxy));
  return { stack, go: createSteps(stack), proxy };
}
async function end(drill: Drill | undefined): Promise<void> {
  await drill?.stack.stop();
  await drill?.proxy.stop();
}

/** Findings that are in Jira, as `[short number, issue key]`. */
async function pushMany({ stack, go }: Drill, count: number): Promise<[string, string][]> {
  const source = await go.source();
  await go.report(source, { failed: Array.from({ length: count }, (_, index) => `test ${index}`) });
  const { id } = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
  const { items } = await go.pushEnds(id, 300);
  expect(items).toHaveLength(count);
  return (items as { finding: string; jiraKey: string }[]).map(({ finding, jiraKey }) => [finding, jiraKey]);
}

/** Moves every issue through all statuses, several issues at a time. */
async function moveAll({ stack }: Drill, keys: string[]): Promise<void> {
  const queue = [...keys];
  const work = async () => {
    for (let key = queue.shift(); key; key = queue.shift()) {
      for (const to of moves) {
        const { transitions } = await must(stack.jira('GET', `/rest/api/3/issue/${key}/transitions`));
        const way = (transitions as { id: string; to: { name: string } }[]).find((each) => each.to.name === to);
        await must(stack.jira('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: way?.id } }));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What Jira has sent since a delivery. */
async function sentSince({ stack }: Drill, last: number): Promise<Sent[]> {
  const { items } = await must<{ items: Sent[] }>(stack.sandbox('GET', '/deliveries'));
  return items.filter(({ id }) => Number(id) > last);
}
async function lastSent(drill: Drill): Promise<number> {
  return Math.max(0, ...(await sentSince(drill, 0)).map(({ id }) => Number(id)));
}

const waitOut = (since: number) => until(() => Date.now() - since >= outageMs, { seconds: outageMs / 1000 + 5 });
const numbers = (ids: string[]) => ids.map((id) => Number(id.slice(2)));

async function countFlagged({ stack }: Drill, ids: string[]): Promise<number> {
  const { rows } = await stack.db.query<{ count: number }>(
    `select count(*)::int as count from finding where number = any ($1) and status = 'needs_rerun'`,
    [numbers(ids)],
  );
  return rows[0]?.count ?? 0;
}

/** Every delivery of the drill is worked off, and every finding was claimed once. */
async function expectAppliedOnce({ stack }: Drill, ids: string[]): Promise<void> {
  const { rows: claims } = await stack.db.query<{ times: number; claim: number }>(
    `select count(e.id)::int as times, f.claim from finding f
     left join audit_event e on e.finding_id = f.id and e.event = 'claimed'
     where f.number = any ($1) group by f.id`,
    [numbers(ids)],
  );
  expect(claims).toHaveLength(ids.length);
  expect(claims.filter(({ times, claim }) => times !== 1 || claim !== 1)).toEqual([]);
  const { rows } = await stack.db.query<{ state: string; count: number }>(
    `select d.state, count(*)::int as count from delivery d
     join issue_link l on l.jira_issue_id = d.jira_issue_id join finding f on f.id = l.finding_id
     where f.number = any ($1) and d.changes @> '[{"field":"status"}]' group by d.state`,
    [numbers(ids)],
  );
  expect(rows).toEqual([{ state: 'processed', count: deliveries }]);
}

function report(what: string, figures: object): void {
  // Only where somebody asked for a drill of a length of their own.
  if (process.env.DRILL_OUTAGE_MS) process.stderr.write(`${JSON.stringify({ drill: what, outageMs, ...figures })}\n`);
}

function answeredWithin(sent: Sent[]): { medianMs: number; maxMs: number } {
  const all = sent.map((each) => Date.parse(each.nextAt) - Date.parse(each.createdAt)).sort((a, b) => a - b);
  return { medianMs: all[Math.floor(all.length / 2)] ?? 0, maxMs: all.at(-1) ?? 0 };
}

describe('drill: Temporal is stopped while 500 deliveries arrive', () => {
  let drill: Drill;
  beforeAll(async () => {
    const address = process.env.TEST_TEMPORAL_ADDRESS ?? '';
    drill = await startDrill(address, (proxy) => ({ env: { TEMPORAL_ADDRESS: proxy.address } }));
  }, 300_000);
  afterAll(() => end(drill));

  it(
    'S3 all are answered in time, and all are applied within a minute of its return, once each',
    async () => {
      const pushed = await pushMany(drill, findings);
      const ids = pushed.map(([id]) => id);
      const before = await lastSent(drill);
      await drill.proxy.cut();
      const cutAt = Date.now();
      const keys = pushed.map(([, key]) => key);
      await moveAll(drill, keys);
      const sent = await until(
        async () => {
          const all = await sentSince(drill, before);
          return all.length === deliveries && all.every(({ state }) => state === 'delivered') ? all : null;
        },
        { seconds: 60, what: 'the answers to 500 deliveries' },
      );
      // Jira gives up on an answer after 20 s, and would have sent it again.
      expect(sent.filter(({ attempts, lastStatus }) => attempts !== 1 || lastStatus !== 200)).toEqual([]);
      expect(await countFlagged(drill, ids)).toBe(0);
      await waitOut(cutAt);

      await drill.proxy.restore();
      const restoredAt = Date.now();
      await until(async () => (await countFlagged(drill, ids)) === ids.length, {
        seconds: 60,
        what: 'every finding being flagged',
      });
      const appliedMs = Date.now() - restoredAt;
      for (const id of ids.slice(0, 3)) await drill.go.quiet(id);
      await expectAppliedOnce(drill, ids);
      report('temporal', { ...answeredWithin(sent), awayMs: restoredAt - cutAt, appliedMs, findings: ids.length });
    },
    minutes(8),
  );
});

describe('drill: PostgreSQL is stopped while 500 deliveries arrive', () => {
  let drill: Drill;
  beforeAll(async () => {
    const { host } = new URL(serverUrl());
    // Jira repeats five times at most: together longer than the outage.
    const webhookRetryMs = Math.max(5000, outageMs / 2);
    drill = await startDrill(host, (proxy) => ({ databaseVia: proxy.address, webhookRetryMs }));
  }, 300_000);
  afterAll(() => end(drill));

  it(
    "S3 each is answered 503, nothing is half done, and Jira's retry succeeds",
    async () => {
      const { stack, go, proxy } = drill;
      const pushed = await pushMany(drill, findings);
      const ids = pushed.map(([id]) => id);
      const before = await lastSent(drill);

      // A push and an upload that the outage interrupts.
      const source = await go.source();
      await go.report(source, { failed: Array.from({ length: 12 }, (_, index) => `interrupted ${index}`) });
      const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
      await proxy.cut();
      const cutAt = Date.now();
      expect((await stack.apiAs(null)('GET', '/readyz')).status).toBe(503);
      expect((await stack.api('GET', '/api/v1/findings')).status).toBeGreaterThanOrEqual(500);

      await moveAll(
        drill,
        pushed.map(([, key]) => key),
      );
      const refused = await until(
        async () => {
          const all = await sentSince(drill, before);
          return all.length === deliveries && all.every(({ lastStatus }) => lastStatus !== null) ? all : null;
        },
        { seconds: 60, what: 'the answers to 500 deliveries' },
      );
      expect(refused.filter(({ lastStatus }) => lastStatus !== 503)).toEqual([]);
      const { rows } = await stack.db.query(`select 1 from delivery where changes @> '[{"field":"status"}]'`);
      expect(rows).toEqual([]);
      expect(await countFlagged(drill, ids)).toBe(0);
      await waitOut(cutAt);

      await proxy.restore();
      const restoredAt = Date.now();
      await until(async () => (await countFlagged(drill, ids)) === ids.length, {
        seconds: 60 + outageMs / 1000,
        what: 'every finding being flagged',
      });
      const appliedMs = Date.now() - restoredAt;
      const sent = await until(
        async () => {
          const all = await sentSince(drill, before);
          return all.every(({ state }) => state === 'delivered') ? all : null;
        },
        { seconds: 60 + outageMs / 1000, what: "Jira's retries" },
      );
      expect(sent.filter(({ attempts }) => attempts < 2)).toEqual([]);
      for (const id of ids.slice(0, 3)) await go.quiet(id);
      await expectAppliedOnce(drill, ids);
      await expectPushedOnce(push.id);
      report('postgresql', { awayMs: restoredAt - cutAt, appliedMs, findings: ids.length });
    },
    minutes(8),
  );

  /** The interrupted push ended, with one issue for each finding. */
  async function expectPushedOnce(id: string): Promise<void> {
    const { stack, go } = drill;
    const { items } = await go.pushEnds(id, 120);
    expect(items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array.from({ length: 12 }, () => 'created'),
    );
    const { count } = await must<{ count: number }>(stack.sandbox('GET', '/issues?markerPrefix=recheck-'));
    const { rows } = await stack.db.query<{ count: number }>('select count(*)::int as count from issue_link');
    expect(count).toBe(rows[0]?.count);
    const { rows: half } = await stack.db.query(`select state from issue_link where state <> 'linked'`);
    expect(half).toEqual([]);
  }
});
