// Approval of pushes: through HTTP, with the durable timers that wait for it.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;
let admins: string[];
let member: string;

beforeAll(async () => {
  stack = await startStack({ env: { APPROVAL_REMIND_MS: '2000', APPROVAL_EXPIRE_MS: '600000' } });
  go = createSteps(stack);
  const { members } = stack.local;
  admins = members.filter(({ role }) => role === 'admin').map(({ apiKey }) => apiKey ?? '');
  member = members.find(({ role }) => role === 'member')?.apiKey ?? '';
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});

type Push = { id: string; status: string; items: { finding: string; outcome: string; reason?: string }[] };
const names = (count: number) => Array.from({ length: count }, (_, index) => `test ${index}`);

/** A source with a rule and findings, and their numbers. */
async function ready(approval: unknown, count: number): Promise<{ source: string; ids: string[] }> {
  const source = await go.source();
  await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { approval }));
  await go.report(source, { failed: names(count) });
  return { source, ids: await go.findings(source) };
}
const ask = (source: string, findings: string[] | 'all' = 'all') =>
  must<Push>(stack.api('POST', '/api/v1/pushes', { source, findings }));
const show = (id: string) => must<Push>(stack.api('GET', `/api/v1/pushes/${id}`));
const decide = (key: string, id: string, how: string, body: object = {}) =>
  stack.apiAs(key)('POST', `/api/v1/pushes/${id}/${how}`, body);
const become = async (ids: string[], status: string) => {
  for (const id of ids) await go.becomes(id, status);
};
async function issuesOf(source: string): Promise<number> {
  const { rows } = await stack.db.query<{ count: number }>(
    `select count(*)::int as count from issue_link l join finding f on f.id = l.finding_id
     join source s on s.id = f.source_id where s.key = $1`,
    [source],
  );
  return rows[0]?.count ?? 0;
}
/** What the Temporal UI shows beside the timers of a push, each with its seconds. */
async function timersOf(id: string): Promise<Record<string, number>> {
  const { events } = await stack.temporal.workflow.getHandle(`push:${id}`).fetchHistory();
  const timers: Record<string, number> = {};
  for (const { timerStartedEventAttributes: timer, userMetadata } of events ?? []) {
    if (!timer) continue;
    const name = JSON.parse(Buffer.from(userMetadata?.summary?.data ?? []).toString());
    timers[name] = Math.round(Number(timer.startToFireTimeout?.seconds ?? 0));
  }
  return timers;
}
async function firedTimers(id: string): Promise<number> {
  const { events } = await stack.temporal.workflow.getHandle(`push:${id}`).fetchHistory();
  const isOver = (events ?? []).some((event) => event.workflowExecutionTerminatedEventAttributes);
  return isOver ? 0 : (events ?? []).filter((event) => event.timerFiredEventAttributes).length;
}
/** What owners and admins have read in their direct messages, where it says this. */
async function reminders(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const { role, slackUserId } of stack.local.members) {
    if (role === 'guest') continue;
    const { channels } = await must(stack.slack('GET', `/state?user=${slackUserId}`));
    type Channel = { kind: string; messages?: { text: string }[] };
    const own = (channels as Channel[]).filter(({ kind }) => kind === 'im').flatMap(({ messages = [] }) => messages);
    found.push(...own.map((message) => message.text).filter((each) => each.includes(text)));
  }
  return found;
}

describe('P9 approval', () => {
  it('P9 waits for another admin: neither the requester nor a member approves; approving twice is one push', async () => {
    const { source, ids } = await ready('all', 3);
    const push = await ask(source);
    expect(push).toMatchObject({ status: 'awaiting_approval' });
    expect(push.items.map(({ outcome }) => outcome)).toEqual(['pending', 'pending', 'pending']);
    await become(ids, 'awaiting_approval');
    expect(await issuesOf(source)).toBe(0);

    const own = await stack.api('POST', `/api/v1/pushes/${push.id}/approve`, {});
    expect(own).toMatchObject({ status: 403, body: { detail: expect.stringContaining('another admin') } });
    // Nor past the API, by an operator who puts the words into the requester's mouth.
    const { rows } = await stack.db.query<{ memberId: string }>(
      'select requested_by_id as "memberId" from push_batch where id = $1',
      [push.id],
    );
    const handle = stack.temporal.workflow.getHandle(`push:${push.id}`);
    expect(await handle.executeUpdate('approve', { args: [rows[0]] })).toEqual({
      status: 'awaiting_approval',
      decided: false,
    });
    expect(await decide(member, push.id, 'approve')).toMatchObject({ status: 403 });
    expect(await decide(member, push.id, 'reject')).toMatchObject({ status: 403 });
    expect(await show(push.id)).toMatchObject({ status: 'awaiting_approval' });

    const [first = '', second = ''] = admins;
    const both = await Promise.all([decide(first, push.id, 'approve'), decide(second, push.id, 'approve')]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const ended = await go.pushEnds(push.id);
    expect(ended.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['created', 'created', 'created']);
    expect(await decide(first, push.id, 'approve')).toMatchObject({ status: 200, body: { status: 'completed' } });
    expect(await decide(first, push.id, 'reject')).toMatchObject({ status: 409 });
    await become(ids, 'awaiting_fix');
    expect(await issuesOf(source)).toBe(3);
    const events = (await go.history(ids[0] ?? '')).map(({ event }) => event);
    expect(events.filter((event) => event === 'pushed')).toHaveLength(1);
    expect(events).toEqual(expect.arrayContaining(['approval_asked', 'push_approved']));
  });

  it('P9 waits in timers that the Temporal UI names, and reminds each admin once, in Slack', async () => {
    const { source } = await ready('all', 1);
    const push = await ask(source);
    const timers = await until(
      async () => {
        const found = await timersOf(push.id);
        return Object.keys(found).length === 2 ? found : null;
      },
      { what: 'the timers of the approval' },
    );
    expect(timers).toEqual({ 'Remind the admins': 2, 'The approval expires': 600 });
    const text = `asked to push 1 finding of ${source} to ACC. An admin or owner other than`;
    // Not the owner, who asked for it and may not approve it.
    await until(async () => (await reminders(text)).length === 2, { what: 'the reminder of both admins' });
    for (const reminder of await reminders(text)) {
      expect(reminder).toMatch(/it expires on \d+ \w+ \d{4}, \d\d:\d\d UTC/);
      expect(reminder).toContain('/recheck approve');
      expect(reminder).not.toContain('no other admin');
    }
    expect(await show(push.id)).toMatchObject({ status: 'awaiting_approval' });

    // A run that starts over reminds again, and nobody hears of it twice.
    await stack.temporal.workflow.getHandle(`push:${push.id}`).terminate('by an operator');
    await stack.db.query(
      `with b as (update push_batch set created_at = now() - interval '1 hour' where id = $1)
       update approval set remind_at = null where batch_id = $1`,
      [push.id],
    );
    await until(async () => (await firedTimers(push.id)) === 1, { what: 'the reminder of the second run' });
    expect((await decide(admins[0] ?? '', push.id, 'approve')).status).toBe(200);
    await go.pushEnds(push.id);
    expect(await reminders(text)).toHaveLength(2);
  });

  it('P9 reminds nobody of what was decided before', async () => {
    const { source } = await ready('all', 1);
    // Slack takes no message for the time, so that the reminder is still to be told when an admin decides.
    await must(stack.slack('POST', '/faults', { method: 'chat.postMessage', kind: 'http', status: 503, times: 1000 }));
    const push = await ask(source);
    await until(async () => (await stack.db.query('select 1 from notice where id = $1', [push.id])).rowCount === 1, {
      what: 'the reminder being due',
    });
    expect((await decide(admins[0] ?? '', push.id, 'reject')).status).toBe(200);
    await must(stack.slack('DELETE', '/faults'));
    // The next one is reminded of, and that one never was.
    const { source: next } = await ready('all', 1);
    const waiting = await ask(next);
    await until(async () => (await reminders(`of ${next} to`)).length === 2, { what: 'the next reminder' });
    expect(await reminders(`of ${source} to`)).toEqual([]);
    expect((await decide(admins[0] ?? '', waiting.id, 'reject')).status).toBe(200);
  });

  it('P9 P4 what auto-push asks for, any admin approves: nobody is its requester', async () => {
    const source = await go.source();
    await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { approval: 'all', autoPush: true }));
    await go.report(source, { failed: names(2) });
    const push = await until(
      async () => {
        const { rows } = await stack.db.query<{ id: string }>(
          `select b.id from push_batch b join source s on s.id = b.source_id where s.key = $1 and b.kind = 'auto'`,
          [source],
        );
        return rows[0] ?? null;
      },
      { what: 'the push of auto-push' },
    );
    expect(await show(push.id)).toMatchObject({ status: 'awaiting_approval', items: [{}, {}] });
    expect(await decide(member, push.id, 'approve')).toMatchObject({ status: 403 });
    await until(async () => (await reminders(`Auto-push wants to push 2 findings of ${source}`)).length === 3, {
      what: 'the reminder',
    });
    // Even whoever sent the report.
    expect((await stack.api('POST', `/api/v1/pushes/${push.id}/approve`, {})).status).toBe(200);
    expect((await go.pushEnds(push.id)).items).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }]);
  });

  it('P9 tells the only admin that there is nobody else', async () => {
    const { source } = await ready('all', 1);
    const { rows } = await stack.db.query<{ id: string }>(
      `update member set role = 'member' where role = 'admin' returning id`,
    );
    try {
      const push = await ask(source);
      expect(await stack.api('POST', `/api/v1/pushes/${push.id}/approve`, {})).toMatchObject({
        status: 403,
        body: { code: 'own_push', detail: expect.stringContaining('make somebody admin or owner') },
      });
      await until(async () => (await reminders(`of ${source} to`)).length === 1, { what: 'the reminder of the owner' });
      expect((await reminders(`of ${source} to`))[0]).toContain('There is no other admin or owner');
      expect((await stack.api('POST', `/api/v1/pushes/${push.id}/cancel`, {})).status).toBe(200);
    } finally {
      await stack.db.query(`update member set role = 'admin' where id = any($1::uuid[])`, [rows.map(({ id }) => id)]);
    }
  });

  it('P9 expires: nothing is pushed, and it can be asked again', async () => {
    const { source, ids } = await ready('all', 2);
    const push = await ask(source);
    await become(ids, 'awaiting_approval');
    // An operator ends the run, and the time is over meanwhile; the sweep starts it again from what is stored.
    await stack.temporal.workflow.getHandle(`push:${push.id}`).terminate('by an operator');
    await stack.db.query(
      `with b as (update push_batch set created_at = now() - interval '1 hour' where id = $1)
       update approval set expires_at = now() - interval '1 hour' where batch_id = $1`,
      [push.id],
    );
    await until(async () => (await show(push.id)).status === 'expired', { what: 'the approval expiring' });
    await become(ids, 'open');
    expect((await show(push.id)).items.map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringMatching(/in time/)),
    );
    expect(await decide(admins[0] ?? '', push.id, 'approve')).toMatchObject({ status: 409 });
    expect(await issuesOf(source)).toBe(0);
    expect(await ask(source)).toMatchObject({ status: 'awaiting_approval' });
  });

  it('P9 rejected or cancelled: the findings are open again, and there is nothing left to decide', async () => {
    const { source, ids } = await ready('all', 2);
    const [admin = ''] = admins;
    const rejected = await ask(source);
    await become(ids, 'awaiting_approval');
    expect((await decide(admin, rejected.id, 'reject', { note: 'Too many.' })).body).toMatchObject({
      status: 'rejected',
      items: [{ outcome: 'cancelled', reason: expect.stringContaining('rejected by') }, { outcome: 'cancelled' }],
    });
    await become(ids, 'open');
    expect(await decide(admin, rejected.id, 'approve')).toMatchObject({ status: 409 });
    expect(await decide(admin, rejected.id, 'retry')).toMatchObject({ status: 409 });

    const cancelled = await ask(source);
    await become(ids, 'awaiting_approval');
    expect((await stack.api('POST', `/api/v1/pushes/${cancelled.id}/cancel`, {})).body).toMatchObject({
      status: 'cancelled',
    });
    await become(ids, 'open');
    expect(await decide(admin, cancelled.id, 'retry')).toMatchObject({ status: 409 });
    expect(await issuesOf(source)).toBe(0);
  });

  it('P9 what a report no longer finds meanwhile is not pushed, and the next report resolves it', async () => {
    const { source, ids } = await ready('all', 2);
    const [gone = '', left = ''] = ids;
    const { id } = await ask(source);
    await become(ids, 'awaiting_approval');
    await go.report(source, { passed: ['test 0'], failed: ['test 1'] });
    await must(decide(admins[0] ?? '', id, 'approve'));
    const { items } = await go.pushEnds(id);
    expect(items).toMatchObject([
      { finding: gone, outcome: 'refused', reason: 'It is resolved: the last report no longer found it.' },
      { finding: left, outcome: 'created' },
    ]);
    expect(await issuesOf(source)).toBe(1);
    await go.becomes(gone, 'open');
    await go.report(source, { passed: ['test 0'], failed: ['test 1'] });
    await go.becomes(gone, 'resolved');
  });

  it('P9 bulk over N: as many go, one more waits, and what waits is not asked about twice', async () => {
    const { source, ids } = await ready({ bulkOver: 2 }, 4);
    const few = await go.push(source, ids.slice(0, 2));
    expect(few.items).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }]);
    await go.report(source, { failed: names(5) });
    const push = await ask(source);
    expect(push.status).toBe('awaiting_approval');
    expect(push.items.map(({ outcome }) => outcome).sort()).toEqual([
      ...['pending', 'pending', 'pending'],
      ...['reused', 'reused'],
    ]);
    const again = await ask(source, ids.slice(2, 3));
    expect(again.items).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('waits for approval') }]);
    const preview = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all', dryRun: true }));
    expect(preview).toMatchObject({ create: [], refuse: [{}, {}, {}] });
    expect((await decide(admins[0] ?? '', push.id, 'approve')).status).toBe(200);
    const ended = await go.pushEnds(push.id);
    expect(ended.items.filter(({ outcome }: { outcome: string }) => outcome === 'created')).toHaveLength(3);
  });

  it('P9 409 where a push waits for nobody', async () => {
    const { source } = await ready('none', 1);
    const push = await go.push(source, 'all');
    expect(await decide(admins[0] ?? '', push.id, 'approve')).toMatchObject({ status: 409 });
    expect(await decide(admins[0] ?? '', push.id, 'reject')).toMatchObject({ status: 409 });
    expect(await stack.api('POST', `/api/v1/pushes/${push.id}/cancel`, {})).toMatchObject({ status: 409 });
    expect(await stack.api('POST', `/api/v1/pushes/${push.id}/retry`, {})).toMatchObject({ status: 409 });
  });
});
