import { pollOffset } from '../../activities/schedules';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createPollSteps } from './poll-steps';

let stack: Stack;
let go: ReturnType<typeof createPollSteps>;

beforeAll(async () => {
  stack = await startStack({ env: { POLL_INTERVAL_MS: '2000', MAINTENANCE_INTERVAL_MS: '1000' } });
  go = createPollSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

describe('S4 a delivery without a body', () => {
  it('S4 is a hint: what changed is looked for at once, and no schedule is made', async () => {
    const { id, key } = await go.pushed();
    const [webhook] = await must<{ self: string }[]>(stack.jira('GET', '/rest/webhooks/1.0/webhook'));
    await must(stack.jira('PUT', new URL(webhook?.self ?? '').pathname, { excludeBody: true }));
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun', 60);
    await expect(go.schedule().describe()).rejects.toThrow();
  });
});

describe('S6 auto sync is off', () => {
  beforeAll(async () => {
    await go.silenceJira();
    await until(async () => (await go.running('connectionSync')) === 0, { seconds: 60, what: 'the end of the hint' });
  });

  it('S6 a connection is not polled until somebody asks, and then everything tracked is looked at', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'Done');
    const since = new Date().toISOString();
    await go.maintained();
    await expect(go.schedule().describe()).rejects.toThrow();
    expect(await go.asked('/search/jql', since)).toEqual([]);
    expect(await go.asked('/issue/bulkfetch', since)).toEqual([]);
    expect((await go.finding(id)).status).toBe('awaiting_fix');

    await go.sync();
    await go.becomes(id, 'needs_rerun');
    expect(await go.connection()).toMatchObject({ poll_error: null, polled_until: expect.any(Date) });
  });
});

describe('S6 auto sync is on', () => {
  beforeAll(async () => {
    await go.autoSync(true);
    await go.polled();
  });
  afterAll(async () => {
    await go.autoSync(false);
    await until(
      () =>
        go
          .schedule()
          .describe()
          .then(
            () => false,
            () => true,
          ),
      { what: 'the end of the schedule' },
    );
  });

  it('S6 polls by a schedule of its own, which starts no poll while one is under way', async () => {
    const { spec, policies, action } = await go.schedule().describe();
    expect(spec.intervals).toEqual([{ every: 2000, offset: pollOffset(go.connectionId, 2000) }]);
    expect(policies.overlap).toBe('SKIP');
    expect(action).toMatchObject({ workflowType: 'connectionSync' });
  });

  it('S6 finds a Done, and a reopening, that no webhook told of', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun', 60);
    await go.move(key, 'In Progress');
    await go.becomes(id, 'awaiting_fix', 60);
    expect(await go.count(id, 'reopened')).toBe(1);
  });

  it('S6 finds a deleted issue, once its project is there and the credentials are proved', async () => {
    const { id, key } = await go.pushed();
    await go.remove(key);
    await until(async () => (await go.count(id, 'issue_missing')) > 0, { seconds: 60, what: 'the deletion noticed' });
    await go.polled();
    await go.polled();
    expect(await go.count(id, 'issue_missing')).toBe(1);
  });

  it('S6 finds an issue that moved out of every tracked project: its key follows', async () => {
    const { id, key } = await go.pushed();
    const elsewhere = await otherProject();
    const moved = await go.moveTo(key, elsewhere);
    await until(async () => (await go.finding(id)).jira.key === moved.key, { seconds: 60, what: 'the new key' });
  });

  it('S6 a change that would do nothing to its finding wakes nobody', async () => {
    const { id, key } = await go.pushed();
    await go.polled();
    await go.move(key, 'In Progress');
    await go.polled();
    await go.polled();
    const { rows } = await stack.db.query(
      `select d.identifier from delivery d join issue_link l on l.jira_issue_id = d.jira_issue_id where l.jira_key = $1`,
      [key],
    );
    expect(rows).toEqual([]);
    expect((await go.finding(id)).status).toBe('awaiting_fix');
  });

  it('S6 waits in a timer when Jira asks for it, and goes on by itself', async () => {
    const { id, key } = await go.pushed();
    const headers = { 'retry-after': '3', 'ratelimit-reason': 'jira-quota-tenant-based' };
    await stack.faults.add({ kind: 'status', match: { path: 'search/jql' }, count: 1, status: 429, headers });
    await go.move(key, 'Done');
    const waits = await until(
      async () => {
        const { rows } = await stack.db.query('select 1 from connection where blocked_until > now()');
        return rows.length > 0;
      },
      { seconds: 60, what: 'the rate limit' },
    );
    expect(waits).toBe(true);
    await go.becomes(id, 'needs_rerun', 60);
    const timers: string[] = [];
    for await (const run of stack.temporal.workflow.list({ query: "WorkflowType = 'connectionSync'" })) {
      const history = await stack.temporal.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      timers.push(...(history.events ?? []).flatMap((event) => (event.timerStartedEventAttributes ? ['timer'] : [])));
    }
    expect(timers.length).toBeGreaterThan(0);
  });
});

async function otherProject(): Promise<string> {
  const { values } = await must<{ values: { key: string }[] }>(stack.jira('GET', '/rest/api/3/project/search'));
  const other = values.find(({ key }) => key !== stack.local.jiraProject);
  if (!other) throw new Error('There is no other project.');
  return other.key;
}
