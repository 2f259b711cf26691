// Drills for what an admin has to mend: a revoked API token, a project that went out of sight. The connection says so,
// each admin is told once, pushes are held, and afterwards everything arrives without a restart.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createDrill, type Drill, directMessages } from './support';

let stack: Stack;
let drill: Drill;

beforeAll(async () => {
  // The maintenance runs when a drill asks for it.
  stack = await startStack({ env: { MAINTENANCE_INTERVAL_MS: '3600000' } });
  drill = createDrill(stack, stack.local.connectionId);
}, 300_000);
afterAll(() => stack?.stop());
afterEach(() => stack.faults.clear());

const admins = () => stack.local.members.filter(({ role }) => role === 'owner' || role === 'admin');
async function messagesOf(text: string): Promise<number[]> {
  const all = await Promise.all(admins().map(({ slackUserId }) => directMessages(stack, slackUserId)));
  return all.map((messages) => messages.filter((each) => each.includes(text)).length);
}
const reconnect = () => {
  const { jiraBotEmail: email, jiraBotApiToken: apiToken, connectionId } = stack.local;
  return must(stack.api('POST', `/api/v1/connections/${connectionId}/reconnect`, { email, apiToken }));
};

describe('drill: the API token is revoked, and Jira answers 200 with a login reason', () => {
  it('C10 pushes are held, nothing changes, one notice; a new token lets everything arrive', async () => {
    const since = new Date();
    const { go } = drill;
    const linked = await go.pushed();
    const ready = await go.source();
    await stack.faults.add({ kind: 'revoked', account: 'bot' });
    await go.move(linked.key, 'Done');

    const broken = await drill.becomes('reconnect_required');
    expect(broken.health).toMatchObject({ tokenState: 'dead', reason: expect.any(String) });
    expect(drill.check(broken, 'credentials')).toMatchObject({ ok: false, cure: expect.stringContaining('Reconnect') });
    const held = await drill.pushOne(ready);
    const push = await drill.itemBecomes(held.push, 'held');
    expect(push.status).toBe('running');
    expect(push.items[0]?.reason).toBeTruthy();
    expect((await go.finding(held.id)).status).toBe('open');
    expect((await drill.state()).health.heldPushes).toBe(1);
    expect((await go.finding(linked.id)).status).toBe('awaiting_fix');
    await drill.told(since, ['reconnect_required']);

    await stack.faults.clear();
    await reconnect();
    expect(await drill.becomes('connected')).toMatchObject({ health: { tokenState: 'valid', reason: null } });
    await drill.arrived(held);
    await go.becomes(linked.id, 'needs_rerun', 60);
    expect(await go.count(linked.id, 'claimed')).toBe(1);
    await drill.told(since, ['reconnect_required', 'restored']);
    expect((await drill.state()).health.heldPushes).toBe(0);
  }, 300_000);

  it('C10 a hundred calls that fail at once are one notice, and each admin is told once', async () => {
    const since = new Date();
    const { go } = drill;
    const before = await messagesOf('Jira has to be connected again');
    const source = await go.source();
    await go.report(source, { failed: Array.from({ length: 100 }, (_, index) => `test ${index}`) });
    await stack.faults.add({ kind: 'revoked', account: 'bot' });
    const ids = await go.findings(source);
    const asked = Array.from({ length: 10 }, (_, part) =>
      must(stack.api('POST', '/api/v1/pushes', { source, findings: ids.slice(part * 10, part * 10 + 10) })),
    );
    const pushes = await Promise.all(asked);
    await until(async () => (await drill.state()).health.heldPushes === 100, { seconds: 90, what: '100 held pushes' });
    await drill.told(since, ['reconnect_required']);
    expect(await messagesOf('Jira has to be connected again')).toEqual(before.map((count) => count + 1));

    await stack.faults.clear();
    // Nobody has to reconnect where the token works again: the next look finds out.
    await drill.maintain();
    await drill.becomes('connected');
    for (const { id } of pushes) {
      const { items } = await go.pushEnds(id, 120);
      expect(items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(items.map(() => 'created'));
    }
    await drill.told(since, ['reconnect_required', 'restored']);
  }, 300_000);

  it('S6 a poll under a revoked token touches no finding', async () => {
    const { go } = drill;
    const linked = await go.pushed();
    await stack.faults.add({ kind: 'revoked', account: 'bot' });
    await drill.sync();
    await drill.becomes('reconnect_required');
    const { rows } = await stack.db.query('select 1 from issue_link where missing_since is not null');
    expect(rows).toEqual([]);
    expect((await go.finding(linked.id)).status).toBe('awaiting_fix');
    await stack.faults.clear();
    await reconnect();
    await drill.becomes('connected');
  }, 300_000);
});

describe('drill: the project is lost', () => {
  const visibility = (invisible: boolean) =>
    must(stack.sandbox('PUT', `/projects/${stack.local.jiraProject}`, { invisible }));
  afterEach(() => visibility(false));

  it('C10 its findings stay as they are, one notice, and what was missed is caught up when it is seen again', async () => {
    const since = new Date();
    const { go } = drill;
    const linked = await go.pushed();
    // The word of it arrives when nothing can be seen any more.
    await stack.faults.add({ kind: 'webhookDelay', count: 1, ms: 1500 });
    await go.move(linked.key, 'Done');
    await visibility(true);
    await drill.sync();
    const lost = await until(
      async () => {
        const found = await drill.state();
        return found.health.lostProjects.length > 0 ? found : null;
      },
      { seconds: 60, what: 'the project being lost' },
    );
    expect(lost).toMatchObject({ status: 'connected', health: { lostProjects: [stack.local.jiraProject] } });
    expect(drill.check(lost, 'project')).toMatchObject({ ok: false, cause: expect.any(String) });
    await go.quiet(linked.id);
    expect((await go.finding(linked.id)).status).toBe('awaiting_fix');
    const { rows } = await stack.db.query('select 1 from issue_link where missing_since is not null');
    expect(rows).toEqual([]);
    await drill.told(since, ['project_lost']);

    await drill.sync();
    await drill.maintain();
    expect((await drill.notices(since)).map(({ kind }) => kind)).toEqual(['project_lost']);

    await visibility(false);
    await drill.maintain();
    await until(async () => (await drill.state()).health.lostProjects.length === 0, {
      seconds: 60,
      what: 'the project being seen',
    });
    await go.becomes(linked.id, 'needs_rerun', 60);
    expect(await drill.notices(since)).toEqual([{ kind: 'project_lost', sent: true }]);
  }, 300_000);
});
