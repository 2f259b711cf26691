import { randomUUID } from 'node:crypto';
import { taskQueue } from '../../workflows/contract';
import { openConnectPage } from '../drills/connect-page';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createPollSteps } from './poll-steps';

// What is looked after by schedule and nobody asks for. Webhooks are in dynamic-webhooks.test.ts, broken connections and
// lost projects in health.test.ts.
let stack: Stack;
let go: ReturnType<typeof createPollSteps>;

beforeAll(async () => {
  stack = await startStack({ env: { MAINTENANCE_INTERVAL_MS: '1000' } });
  go = createPollSteps(stack);
  await go.silenceJira();
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

const count = async (sql: string, values: unknown[] = []) => {
  const { rows } = await stack.db.query<{ count: number }>(`select count(*)::int as count ${sql}`, values);
  return rows[0]?.count ?? 0;
};
const isThere = () =>
  go
    .schedule()
    .describe()
    .then(
      () => true,
      () => false,
    );

describe('the maintenance', () => {
  it('has one schedule, whose interval follows the configuration of the worker that started last', async () => {
    const schedule = stack.temporal.schedule.getHandle('maintenance');
    expect((await schedule.describe()).spec.intervals).toEqual([{ every: 1000, offset: 0 }]);
    await stack.startWorker({ MAINTENANCE_INTERVAL_MS: '2000' });
    expect((await schedule.describe()).spec.intervals).toEqual([{ every: 2000, offset: 0 }]);
  });

  it('S6 makes the schedule of a poll that is missing, and deletes one that is left over', async () => {
    await go.autoSync(true);
    await until(isThere, { what: 'the schedule' });
    await go.schedule().delete();
    await until(isThere, { seconds: 60, what: 'the schedule made anew' });
    // Switched off behind the back of the schedules, as by a process that died in between.
    await stack.db.query('update connection set auto_sync = false where id = $1', [go.connectionId]);
    await until(async () => !(await isThere()), { seconds: 60, what: 'the end of the schedule' });
  });

  it('C2 refreshes a grant that nothing has used for two months', async () => {
    const id = await (await openConnectPage(stack)).connectOauth(stack.local.jiraProject);
    const refreshes = async () => {
      const { grants } = await must<{ grants: { refreshes: number }[] }>(stack.sandbox('GET', '/oauth'));
      return grants.reduce((sum, grant) => sum + grant.refreshes, 0);
    };
    const before = await refreshes();
    await stack.db.query(`update connection set refreshed_at = now() - interval '61 days' where id = $1`, [id]);
    await until(async () => (await refreshes()) > before, { seconds: 60, what: 'the refresh' });
    await until(() => count(`from connection where id = $1 and refreshed_at > now() - interval '1 day'`, [id]), {
      what: 'the new grant kept',
    });
    expect(await refreshes()).toBe(before + 1);
  });

  it('C10 catches up what was missed where whoever restored the connection died before that', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'Done');
    await go.maintained();
    expect((await go.finding(id)).status).toBe('awaiting_fix');
    await stack.db.query(
      `insert into notice (organisation_id, connection_id, kind, detail, created_at, resolved_at)
       select organisation_id, id, 'restored', 'It works again.', now() - interval '2 minutes', now() from connection where id = $1`,
      [go.connectionId],
    );
    await stack.db.query(
      `update connection set polled_until = null, created_at = now() - interval '1 day' where id = $1`,
      [go.connectionId],
    );
    await go.becomes(id, 'needs_rerun', 60);
  });

  it('P6 reports, once, a finding of which Jira has two issues', async () => {
    const { id, key } = await go.pushed();
    const { fields } = await go.issue(key);
    const { project, issuetype, labels, summary } = fields;
    const copy = { project: { id: project.id }, issuetype: { id: issuetype.id }, labels, summary };
    const second = await must<{ key: string }>(stack.jira('POST', '/rest/api/3/issue', { fields: copy }));
    for (let n = 0; n < 2; n++) {
      const handle = await stack.temporal.workflow.start('maintenance', {
        workflowId: `maintenance-${randomUUID()}`,
        taskQueue,
        args: [{ intervalMs: 1000, daily: true }],
      });
      await handle.result();
    }
    const reported = (await go.history(id)).filter(({ event }) => event === 'duplicate_issues');
    expect(reported).toHaveLength(1);
    expect(reported[0]?.detail).toContain(key);
    expect(reported[0]?.detail).toContain(second.key);
  });

  it('S7 C9 forgets one-time links and expected changes whose time is over', async () => {
    await stack.db.query(
      `with o as (select organisation_id, id from connection where id = $1),
       l as (
         insert into one_time_link (organisation_id, kind, hash, expires_at)
         select organisation_id, 'connect', 'of nothing', now() - interval '2 days' from o)
       insert into expected_change (organisation_id, connection_id, jira_issue_id, field, target, expires_at)
       select organisation_id, id, issue, 'status', '1', now() + age
       from o, (values ('over', interval '-1 minute'), ('waited for', interval '10 minutes')) as t(issue, age)`,
      [go.connectionId],
    );
    await until(async () => (await count(`from one_time_link where hash = 'of nothing'`)) === 0, { seconds: 60 });
    await until(async () => (await count(`from expected_change where jira_issue_id = 'over'`)) === 0, { seconds: 60 });
    expect(await count(`from expected_change where jira_issue_id = 'waited for'`)).toBe(1);
  });
});
