// What a poll costs, in Jira's points: a request is 1, and 1 more for each issue that it reads. Measured with 10,000
// tracked issues of which none, and of which 100, changed since the poll before. The bare limit is one search that
// answers exactly what changed; reading everything that is tracked is what the first poll of a connection does.

import { taskQueue } from '../../workflows/contract';
import type { SyncReason } from '../../workflows/sync-contract';
import { until } from '../support/until';
import { benchSource, createClients } from './support/clients';
import { rounded } from './support/figures';
import { type Product, startProduct } from './support/product';
import type { BenchServers } from './support/servers';

const TRACKED = 10_000;
const DAY_MS = '86400000';

type Points = { total: number; items: { operations: { [operation: string]: { points: number } } }[] };
type Poll = { points: number; existence: number; seconds: number; handedOn: number };
type Run = { product: Product; organisationId: string; count: number };

/** Prints one JSON line for no change and one for 100, each with the points of one poll. */
export async function runPollBench(servers: BenchServers): Promise<void> {
  const quiet = { POLL_INTERVAL_MS: DAY_MS, MAINTENANCE_INTERVAL_MS: DAY_MS, SETTLE_MS: '0' };
  const product = await startProduct(servers, quiet);
  try {
    const run: Run = { product, organisationId: await seed(product), count: 0 };
    const first = await poll(run);
    for (const changes of [0, 100]) {
      await change(product, changes);
      const measured = await poll(run);
      print({ changes, measured, first });
      await handedOn(product, changes);
    }
  } finally {
    await product.stop();
  }
}

function print({ changes, measured, first }: { changes: number; measured: Poll; first: Poll }): void {
  const bare = 1 + changes;
  const line = {
    bench: 'poll',
    tracked: TRACKED,
    changes,
    value: measured.points,
    bare,
    ratio: rounded(measured.points / bare),
    unit: 'points',
    existence: measured.existence,
    handedOn: measured.handedOn,
    everything: first.points,
    seconds: measured.seconds,
  };
  console.log(JSON.stringify(line));
}

/** One poll, as the schedule of a connection with auto sync starts it. */
async function poll(run: Run): Promise<Poll> {
  const { product, organisationId } = run;
  const { connectionId, jiraUrl } = product.local;
  await fetch(`${jiraUrl}/sandbox/points/reset`, { method: 'POST' });
  run.count += 1;
  const reasons: SyncReason[] = ['schedule'];
  const started = Date.now();
  const handle = await product.namespace.client.workflow.start('connectionSync', {
    workflowId: `bench-poll-${run.count}`,
    taskQueue,
    args: [{ organisationId, connectionId, reasons, indexLagMs: 0 }],
  });
  const result = (await handle.result()) as { ended: string; handedOn: number };
  if (result.ended !== 'done') throw new Error(`The poll ended as ${JSON.stringify(result)}.`);
  const spent = (await (await fetch(`${jiraUrl}/sandbox/points`)).json()) as Points;
  const existence = spent.items.map(({ operations }) => operations['POST /rest/api/3/issue/bulkfetch']?.points ?? 0);
  return {
    points: spent.total,
    existence: existence.reduce((sum, points) => sum + points, 0),
    seconds: rounded((Date.now() - started) / 1000, 1),
    handedOn: result.handedOn,
  };
}

/** Moves so many issues to Done in Jira, without a webhook. */
async function change({ sandboxDb }: Product, count: number): Promise<void> {
  await sandboxDb.query(
    `update jira.issues set status_id = '10002', category_changed_at = now(), updated_at = now()
     where id in (select id from jira.issues order by id desc limit $1)`,
    [count],
  );
}

/** Waits until the findings of what changed are flagged: a poll that loses changes is no cheap poll. */
async function handedOn({ db }: Product, count: number): Promise<void> {
  await until(
    async () => {
      const { rows } = await db.query<{ count: number }>(
        `select count(*)::int as count from finding where status = 'needs_rerun'`,
      );
      return rows[0]?.count === count;
    },
    { seconds: 120, what: `${count} flagged findings` },
  );
}

/** Tracked issues in Jira and their findings, two days old; answers the organisation. */
async function seed(product: Product): Promise<string> {
  const { db, sandboxDb, local } = product;
  await db.query(`update slack_installation set status = 'disconnected'`);
  await createClients(local).api('POST', '/sources', {
    ...{ key: benchSource, name: benchSource, kind: 'suite', connection: local.connectionId },
    rule: { enabled: true, projectKey: local.jiraProject },
  });
  const { rows: issues } = await sandboxDb.query<{ id: string; key: string }>(
    `with project as (select id, key from jira.projects where key = $1),
     person as (select account_id from jira.users where role = 'person')
     insert into jira.issues (key, project_id, type_id, status_id, priority_id, summary, reporter, creator, created_at, updated_at)
     select p.key || '-' || (1000000 + n), p.id, '10004', '10000', '3', 'Issue ' || n, u.account_id, u.account_id,
       now() - interval '2 days', now() - interval '2 days'
     from project p, person u, generate_series(1, $2::int) n returning id, key`,
    [local.jiraProject, TRACKED],
  );
  const { rows } = await db.query<{ organisation_id: string }>(
    `with s as (select id, organisation_id from source where key = $1),
     issue as (select * from unnest($2::text[], $3::text[]) with ordinality as i(id, key, n)),
     f as (
       insert into finding (organisation_id, source_id, number, key, rule, title, severity, status, in_loop)
       select s.organisation_id, s.id, 1000000 + i.n, 'bench-' || i.n, 'rule', 'Finding ' || i.n, 'serious', 'awaiting_fix', true
       from s, issue i returning id, organisation_id, number),
     l as (
       insert into issue_link (organisation_id, finding_id, connection_id, generation, state, marker, project_key,
         jira_issue_id, jira_key, linked_at)
       select f.organisation_id, f.id, $4, 1, 'linked', 'recheck-' || f.number, $5, i.id, i.key, now() - interval '2 days'
       from f join issue i on f.number = 1000000 + i.n),
     c as (update connection set auto_sync = true where id = $4)
     select organisation_id from s`,
    [benchSource, issues.map(({ id }) => id), issues.map(({ key }) => key), local.connectionId, local.jiraProject],
  );
  const organisationId = rows[0]?.organisation_id;
  if (!organisationId) throw new Error('The source of the benchmark is not there.');
  return organisationId;
}
