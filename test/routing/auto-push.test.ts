// Auto-push through HTTP: what it makes is counted in the sandbox's Jira, by a label of the source.

import { randomUUID } from 'node:crypto';
import { createSteps, junit } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createRouting } from './support';

let stack: Stack;
let on: ReturnType<typeof createRouting>;
let steps: ReturnType<typeof createSteps>;
let admin: string;

beforeAll(async () => {
  stack = await startStack();
  on = createRouting(stack);
  steps = createSteps(stack, { stories: 'auto' });
  admin = stack.local.members.find(({ role }) => role === 'admin')?.apiKey ?? '';
}, 300_000);
afterAll(() => stack?.stop());

const names = (word: string, count: number) => Array.from({ length: count }, (_, index) => `${word} ${index}`);
const decide = (id: string, how: string) => stack.apiAs(admin)('POST', `/api/v1/pushes/${id}/${how}`, {});
const show = (id: string) => must(stack.api('GET', `/api/v1/pushes/${id}`));

/** A suite whose issues carry a label of its own. */
async function suite(rule: object = {}): Promise<{ source: string; label: string }> {
  const label = `auto-${randomUUID()}`;
  return { source: await on.source({ labels: [label], ...rule }, 'suite'), label };
}
const send = (to: string, failed: readonly string[], passed: readonly string[] = []) =>
  steps.report(to, { failed, passed });
/** A run that began some seconds before auto-push was switched on. */
async function sendOlder(to: string, failed: readonly string[], seconds: number) {
  const { autoPushSince } = await must(stack.api('GET', `/api/v1/sources/${to}/rule`));
  const startedAt = new Date(Date.parse(autoPushSince) - seconds * 1000).toISOString();
  await must(stack.api('POST', `/api/v1/sources/${to}/reports?startedAt=${startedAt}`, junit({ failed })));
}

describe('P4 auto-push', () => {
  it('P4 on: of 200 old and 5 new findings 5 become issues; off: none; on again: nothing of between', async () => {
    const { source, label } = await suite();
    const old = names('old', 200);
    await send(source, old);
    const first = await must(on.rule(source, { autoPush: true }));
    expect(Date.parse(first.autoPushSince)).toBeGreaterThan(Date.now() - 60_000);
    const fresh = names('new', 5);
    expect((await send(source, [...old, ...fresh])).findings).toMatchObject({ new: 5, seen: 200 });
    await on.settled(source);
    const made = await on.labelled(label);
    expect(made).toHaveLength(5);
    const titles = await Promise.all(made.map(async ({ key }) => (await on.issue(key)).fields.summary));
    expect(titles.map((title) => /new \d/.exec(title)?.[0]).sort()).toEqual(fresh);

    expect((await must(on.rule(source, { autoPush: false }))).autoPushSince).toBeNull();
    const between = names('between', 3);
    await send(source, [...old, ...fresh, ...between]);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(5);

    const second = await must(on.rule(source, { autoPush: true }));
    expect(Date.parse(second.autoPushSince)).toBeGreaterThan(Date.parse(first.autoPushSince));
    await send(source, [...old, ...fresh, ...between]);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(5);
    await send(source, [...old, ...fresh, ...between, 'last']);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(6);
  }, 240_000);

  it('P4 goes through the same gates, and makes no second issue of what it finds again', async () => {
    const { source, label } = await suite({ autoPush: true, severities: ['critical'] });
    await send(source, ['one']);
    expect(await on.batches(source)).toEqual([]);
    await must(on.rule(source, { severities: ['serious', 'moderate', 'minor', 'critical'] }));
    await send(source, ['one']);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(1);
    await send(source, ['one']);
    expect(await on.settled(source)).toHaveLength(1);
    await must(on.rule(source, { enabled: false }));
    await send(source, ['one', 'two']);
    expect(await on.settled(source)).toHaveLength(1);
    expect(await on.labelled(label)).toHaveLength(1);
  }, 120_000);

  it('P4 looks forward by when the run began: one of before is backlog, a second or two are forgiven', async () => {
    const { source, label } = await suite({ autoPush: true });
    await sendOlder(source, ['long before'], 60);
    expect(await on.batches(source)).toEqual([]);
    await sendOlder(source, ['long before', 'in whole seconds'], 2);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(1);
  }, 120_000);

  it('P4 takes an old finding that was away for a while as backlog still', async () => {
    const { source, label } = await suite();
    await send(source, ['old']);
    await send(source, [], ['old']);
    await must(on.rule(source, { autoPush: true }));
    expect((await send(source, ['old'])).findings).toMatchObject({ regressed: 1 });
    await send(source, ['old', 'new']);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(1);
  }, 120_000);

  it('P4 a finding that was verified and is back gets an issue of its own generation', async () => {
    const { source, label } = await suite({ autoPush: true });
    await send(source, ['adds to the cart']);
    await on.settled(source);
    const [{ key = '' } = {}] = await on.labelled(label);
    const [{ id = '' } = {}] = await on.findings(source);
    await steps.becomes(id, 'awaiting_fix');
    await steps.move(key, 'Done');
    await steps.becomes(id, 'needs_rerun');
    await send(source, [], ['adds to the cart']);
    await steps.becomes(id, 'verified');
    // The run of the finding ends a moment after it says so; a report that comes before that tells nobody anything new.
    await until(
      async () => {
        await send(source, ['adds to the cart']);
        return (await on.labelled(label)).length === 2;
      },
      { seconds: 60, what: 'the second issue' },
    );
    const found = await steps.becomes(id, 'awaiting_fix');
    expect(found.jira.key).not.toBe(key);
    expect(found.history.map(({ event }: { event: string }) => event)).toContain('regressed');
    await send(source, ['adds to the cart']);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(2);
  }, 180_000);
});

describe('P4 nobody is surprised by many tickets', () => {
  it('P4 waits for an approval where the rule asks for one, by number or always', async () => {
    const { source, label } = await suite({ autoPush: true, approval: { bulkOver: 2 } });
    await send(source, ['one', 'two']);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(2);
    await send(source, names('many', 200));
    const waiting = (await on.batches(source)).at(-1);
    expect(waiting).toMatchObject({ kind: 'auto', status: 'awaiting_approval', total: 200 });
    expect(await on.labelled(label)).toHaveLength(2);
    await must(on.rule(source, { approval: 'all' }));
    await send(source, [...names('many', 200), 'single']);
    expect((await on.batches(source)).at(-1)).toMatchObject({ status: 'awaiting_approval', total: 1 });
    expect((await decide((await on.batches(source)).at(-1)?.id ?? '', 'approve')).status).toBe(200);
    await until(async () => (await on.labelled(label)).length === 3, { seconds: 60, what: 'the approved issue' });
    expect((await decide(waiting?.id ?? '', 'reject')).status).toBe(200);
    await on.settled(source);
    expect(await on.labelled(label)).toHaveLength(3);
  }, 240_000);

  it('P4 off cancels what waits for approval at once, and frees the findings', async () => {
    const { source, label } = await suite({ autoPush: true, approval: 'all' });
    await send(source, names('one', 3));
    const [batch] = await on.batches(source);
    expect(batch).toMatchObject({ status: 'awaiting_approval', total: 3 });
    const ids = (await on.findings(source)).map(({ id }) => id);
    for (const id of ids) await steps.becomes(id, 'awaiting_approval');
    await must(on.rule(source, { autoPush: false }));
    expect(await show(batch?.id ?? '')).toMatchObject({ status: 'cancelled' });
    expect((await decide(batch?.id ?? '', 'approve')).status).toBe(409);
    for (const id of ids) await steps.becomes(id, 'open');
    await must(on.rule(source, { autoPush: true }));
    await send(source, names('one', 3));
    expect(await on.settled(source)).toHaveLength(1);
    expect(await on.labelled(label)).toEqual([]);
    expect(await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all', dryRun: true }))).toMatchObject({
      create: ids,
    });
  }, 120_000);

  it('P4 off at the moment at which a report begins a push: the push is not begun', async () => {
    const { source, label } = await suite({ autoPush: true, severities: ['critical'] });
    const send = () =>
      stack.api('POST', `/api/v1/sources/${source}/reports`, junit({ failed: ['one'] }), { 'idempotency-key': label });
    await must(send());
    await must(on.rule(source, { severities: ['critical', 'serious', 'moderate', 'minor'] }));
    const off = await stack.db.connect();
    try {
      await off.query('begin');
      await off.query('update source set auto_push_since = null where key = $1', [source]);
      // Sent again it is not taken in again, so the row is asked for by its auto-push alone.
      const sent = send();
      await until(
        async () => {
          const { rowCount } = await stack.db.query(
            `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and query like '%auto_push_since is not null%'`,
          );
          return rowCount === 1;
        },
        { what: 'the push waiting for the row' },
      );
      await off.query('commit');
      expect((await sent).status).toBe(200);
    } finally {
      off.release();
    }
    expect(await on.batches(source)).toEqual([]);
    expect(await on.labelled(label)).toEqual([]);
  }, 120_000);

  it('P4 off stops what is under way: only what Jira is making already is made', async () => {
    const { source, label } = await suite({ autoPush: true });
    const { id } = await stack.faults.add({ kind: 'hold', match: { method: 'POST', path: '/issue$', marker: label } });
    await send(source, names('many', 60));
    await until(async () => ((await stack.faults.get(id))?.waiting ?? 0) > 0, { what: 'the first call to Jira' });
    await must(on.rule(source, { autoPush: false }));
    await stack.faults.clear();
    await on.settled(source);
    const [batch] = await on.batches(source);
    // What had been asked for when it was cancelled may still be made; its item says so then.
    const made = await until(
      async () => {
        const { items } = await show(batch?.id ?? '');
        const outcomes: string[] = items.map(({ outcome }: { outcome: string }) => outcome);
        const created = outcomes.filter((outcome) => outcome === 'created').length;
        const isTold = created > 0 && created === (await on.labelled(label)).length;
        if (!isTold) throw new Error(JSON.stringify(outcomes));
        expect(outcomes.filter((outcome) => outcome === 'cancelled')).toHaveLength(60 - created);
        return created;
      },
      { seconds: 60, what: 'each item saying what became of it' },
    );
    expect(made).toBeLessThan(40);
  }, 180_000);

  it('P4 a broken connection holds them, and off while they are held is off', async () => {
    const one = await suite({ autoPush: true });
    const two = await suite({ autoPush: true });
    await stack.faults.add({ kind: 'revoked' });
    await send(one.source, ['held']);
    await send(two.source, ['held']);
    const held = async (source: string) => (await show((await on.batches(source))[0]?.id ?? '')).items[0].outcome;
    for (const { source } of [one, two]) {
      await until(async () => (await held(source)) === 'held', { seconds: 60, what: 'the push being held' });
    }
    await send(one.source, ['held']);
    expect(await on.batches(one.source)).toHaveLength(1);
    await must(on.rule(two.source, { autoPush: false }));
    expect(await held(two.source)).toBe('cancelled');
    await stack.faults.clear();
    await must(stack.api('POST', `/api/v1/connections/${stack.local.connectionId}/test`));
    await on.settled(one.source);
    expect(await on.labelled(one.label)).toHaveLength(1);
    expect(await on.labelled(two.label)).toEqual([]);
  }, 180_000);
});
