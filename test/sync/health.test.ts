import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createPollSteps } from './poll-steps';

// What a poll must not believe: dead credentials and lost projects look like deleted issues.
let stack: Stack;
let go: ReturnType<typeof createPollSteps>;

beforeAll(async () => {
  stack = await startStack({ env: { POLL_INTERVAL_MS: '1000', MAINTENANCE_INTERVAL_MS: '1000' } });
  go = createPollSteps(stack);
  await go.silenceJira();
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

const status = async () => (await go.connection()).status;
/** All that a poll could have done to findings. */
async function findings() {
  const { rows } = await stack.db.query(
    `select f.number, f.status, f.status_reason, f.claim, l.state, l.active, l.missing_since, l.jira_key,
       (select count(*)::int from audit_event a where a.finding_id = f.id) as events
     from finding f join issue_link l on l.finding_id = f.id order by f.number, l.generation`,
  );
  return rows;
}

describe('S6 what a poll must not believe', () => {
  it('S6 C10 a revoked token that answers 200 with nothing touches no finding; what it hid is caught up with', async () => {
    const [left, done] = await go.pushedAll(['adds to the cart', 'pays']);
    await go.autoSync(true);
    await go.polled();
    const before = await findings();

    await stack.faults.add({ kind: 'revoked' });
    await go.move(done?.key ?? '', 'Done');
    await until(async () => (await status()) === 'reconnect_required', { seconds: 60, what: 'the broken connection' });
    await go.maintained();
    expect(await status()).toBe('reconnect_required');
    expect(await findings()).toEqual(before);
    const { rows } = await stack.db.query(`select kind from notice where connection_id = $1`, [go.connectionId]);
    expect(rows).toEqual([{ kind: 'reconnect_required' }]);

    await stack.faults.clear();
    await go.becomes(done?.id ?? '', 'needs_rerun', 60);
    expect(await status()).toBe('connected');
    expect((await go.finding(left?.id ?? '')).status).toBe('awaiting_fix');
  });

  it('S6 an answer that leaves issues out, under dead credentials, is not believed either', async () => {
    await go.pushed();
    await go.polled();
    const before = await findings();
    const body = { issues: [], issueErrors: [] };
    await stack.faults.add({ kind: 'status', match: { path: 'issue/bulkfetch' }, status: 200, body });
    await stack.faults.add({
      kind: 'status',
      match: { path: 'search/jql' },
      status: 200,
      body: { issues: [], isLast: true },
    });
    await stack.faults.add({ kind: 'status', match: { path: '/myself' }, status: 401 });
    await until(async () => (await status()) === 'reconnect_required', { seconds: 60, what: 'the broken connection' });
    await go.maintained();
    expect(await findings()).toEqual(before);
    await stack.faults.clear();
    await until(async () => (await status()) === 'connected', { seconds: 60, what: 'the restored connection' });
  });

  it('S6 a project that the account cannot see any more is lost, not deleted, until it is seen again', async () => {
    const { id, key } = await go.pushed();
    await go.polled();
    const before = await findings();
    const project = `/projects/${stack.local.jiraProject}`;
    await must(stack.sandbox('PUT', project, { invisible: true }));
    await until(async () => String((await go.connection()).lost_projects) !== '', {
      seconds: 60,
      what: 'the lost project',
    });
    await go.polled();
    expect(await findings()).toEqual(before);
    expect(await status()).toBe('connected');
    const open = `select kind from notice where connection_id = $1 and resolved_at is null`;
    expect((await stack.db.query(open, [go.connectionId])).rows).toEqual([{ kind: 'project_lost' }]);

    await must(stack.sandbox('PUT', project, { invisible: false }));
    await until(async () => String((await go.connection()).lost_projects) === '', {
      seconds: 60,
      what: 'the found project',
    });
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun', 60);
    expect((await stack.db.query(open, [go.connectionId])).rows).toEqual([]);
  });
});
