// What happens while Jira does not take Recheck's credentials: nothing is lost, and nothing is done twice.

import { randomUUID } from 'node:crypto';
import { createLifecycleStore } from '../../prisma/lifecycle';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await reconnect();
});

const revoke = () => stack.faults.add({ kind: 'revoked' });

/** The token works again, and somebody tests the connection. */
async function reconnect(): Promise<void> {
  await stack.faults.clear();
  expect(await must(stack.api('POST', `/api/v1/connections/${stack.local.connectionId}/test`))).toMatchObject({
    ok: true,
  });
}

/** A source with findings that are not in Jira. */
async function reported(...names: string[]): Promise<{ source: string; ids: string[] }> {
  const source = await go.source();
  await go.report(source, { failed: names });
  return { source, ids: await go.findings(source) };
}

const ask = (source: string, findings: string[]) => must(stack.api('POST', '/api/v1/pushes', { source, findings }));
const getPush = (id: string) => must(stack.api('GET', `/api/v1/pushes/${id}`));

/** The push as it is when all of its items are held. */
const isHeld = (id: string) =>
  until(
    async () => {
      const push = await getPush(id);
      const waits = push.items.every(({ outcome }: { outcome: string }) => outcome === 'held');
      if (!waits) throw new Error(JSON.stringify(push));
      return push;
    },
    { seconds: 40, what: 'the push being held' },
  );

async function links(id: string): Promise<{ state: string; active: boolean; marker: string }[]> {
  const { rows } = await stack.db.query<{ state: string; active: boolean; marker: string }>(
    `select l.state, l.active, l.marker from issue_link l join finding f on f.id = l.finding_id
     where f.number = $1 order by l.generation`,
    [Number(id.slice(2))],
  );
  return rows;
}

async function issuesOf(id: string): Promise<number> {
  const counts = (await links(id)).map(async ({ marker }) => {
    const { count } = await must(stack.sandbox('GET', `/issues?marker=${marker}`));
    return count as number;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe('C10: pushes to a broken connection', () => {
  it('C10 are held, whether Jira or the gate says no, and go on by themselves when it works again', async () => {
    const { source, ids } = await reported('one', 'two', 'three');
    const [one = '', two = '', three = ''] = ids;
    await revoke();
    const first = await isHeld((await ask(source, [one])).id);
    expect(first).toMatchObject({ status: 'running', items: [{ reason: expect.stringContaining('Connection held') }] });
    expect(await go.finding(one)).toMatchObject({
      status: 'open',
      jira: null,
      reason: expect.stringContaining('Connection held'),
    });
    expect(await go.count(one, 'push_held')).toBe(1);

    const preview = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [two], dryRun: true }));
    expect(preview).toEqual({
      create: [],
      reuse: [],
      refuse: [{ finding: two, reason: expect.stringContaining('Connection held') }],
    });
    const second = await isHeld((await ask(source, [two, three])).id);
    const { items: connections } = await must(stack.api('GET', '/api/v1/connections'));
    expect(connections).toMatchObject([{ status: 'reconnect_required', health: { heldPushes: 3 } }]);

    await reconnect();
    for (const { id } of [first, second]) {
      const { items } = await go.pushEnds(id);
      for (const item of items) expect(item).toMatchObject({ outcome: 'created' });
    }
    for (const id of ids) {
      expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', reason: null });
      expect(await issuesOf(id)).toBe(1);
    }
  });

  it('C10 P6 credentials that die while an answer is lost: the issue is found afterwards, and no second one made', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    await stack.faults.add({ kind: 'drop', count: 1, match: { method: 'POST', path: '/issue$' } });
    await stack.faults.add({ kind: 'status', status: 401, match: { path: '/search/jql' } });
    const push = await isHeld((await ask(source, [one])).id);
    expect(await links(one)).toMatchObject([{ state: 'creating', active: true }]);
    await reconnect();
    expect(await go.pushEnds(push.id)).toMatchObject({ items: [{ outcome: 'created', jiraKey: expect.any(String) }] });
    expect(await issuesOf(one)).toBe(1);
    expect(await links(one)).toMatchObject([{ state: 'linked', active: true }]);
  });

  it('C10 P5 a held push can be cancelled: nothing is pushed afterwards, and the finding can be pushed anew', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    await revoke();
    const push = await isHeld((await ask(source, [one])).id);
    expect(await must(stack.api('POST', `/api/v1/pushes/${push.id}/cancel`, {}))).toMatchObject({
      status: 'cancelled',
      items: [{ outcome: 'cancelled' }],
    });
    expect(await go.finding(one)).toMatchObject({ status: 'open', reason: null });
    await reconnect();
    const { items } = await go.push(source, [one]);
    expect(items).toMatchObject([{ outcome: 'created' }]);
    expect(await issuesOf(one)).toBe(1);
    expect(await getPush(push.id)).toMatchObject({ items: [{ outcome: 'cancelled' }] });
  });

  it('C10 a held push of what a report has closed meanwhile is refused, and stays closed', async () => {
    const { source, ids } = await reported('one', 'two');
    const [one = '', two = ''] = ids;
    await revoke();
    await isHeld((await ask(source, [two])).id);
    const push = await isHeld((await ask(source, [one])).id);
    await go.report(source, { passed: ['one'], failed: ['two'] });
    await go.becomes(one, 'resolved');
    await reconnect();
    expect(await go.pushEnds(push.id)).toMatchObject({
      items: [{ outcome: 'refused', reason: expect.stringContaining('resolved') }],
    });
    expect(await go.finding(one)).toMatchObject({ status: 'resolved', jira: null });
    expect(await issuesOf(one)).toBe(0);
  });

  it('C8 C10 pushes that wait for a connection are refused when it is disconnected', async () => {
    const { jiraUrl: siteUrl, jiraEmail: email, jiraApiToken: apiToken, jiraProject } = stack.local;
    const made = await must(
      stack.api('POST', '/api/v1/connections', { siteUrl, email, apiToken, projectKey: jiraProject }),
    );
    const key = `gone-${randomUUID().slice(0, 8)}`;
    const source = { key, name: key, kind: 'suite', connection: made.id, projectKey: jiraProject };
    await must(stack.api('POST', '/api/v1/sources', { ...source, rule: { enabled: true } }));
    await go.report(key, { failed: ['one'] });
    const [one = ''] = await go.findings(key);
    await stack.faults.add({ kind: 'revoked', account: 'person' });
    const push = await isHeld((await ask(key, [one])).id);
    expect((await stack.api('DELETE', `/api/v1/connections/${made.id}`)).status).toBe(204);
    expect(await go.pushEnds(push.id, 90)).toMatchObject({
      items: [{ outcome: 'refused', reason: expect.stringContaining('disconnected') }],
    });
    expect(await issuesOf(one)).toBe(0);
  }, 300_000);

  it('S8 an issue can be linked by hand while a push is held, and stays the only one', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    await stack.faults.add({ kind: 'status', status: 401, count: 1, match: { method: 'POST', path: '/issue$' } });
    const push = await isHeld((await ask(source, [one])).id);
    expect(await links(one)).toMatchObject([{ state: 'creating', active: true }]);
    const fields = { project: { key: 'ACC' }, issuetype: { name: 'Bug' }, summary: 'Made by hand' };
    const { key } = await must(stack.jira('POST', '/rest/api/3/issue', { fields }));
    const linked = await must(stack.api('POST', `/api/v1/findings/${one}/link`, { jiraKey: key }));
    expect(linked).toMatchObject({ status: 'awaiting_fix', jira: { key } });
    await reconnect();
    expect(await go.pushEnds(push.id, 90)).toMatchObject({ items: [{ outcome: 'reused', jiraKey: key }] });
    expect(await links(one)).toMatchObject([
      { state: 'failed', active: false },
      { state: 'linked', active: true },
    ]);
    expect(await issuesOf(one)).toBe(0);
  }, 300_000);
});

describe('C10: what is missed while a connection is broken', () => {
  it('C10 B2 a held push that goes on asks nobody to reconnect any more', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    await stack.faults.add({ kind: 'status', status: 401, count: 1, match: { method: 'POST', path: '/issue$' } });
    const push = await isHeld((await ask(source, [one])).id);
    expect(await links(one)).toMatchObject([{ state: 'creating', active: true }]);
    await go.cardSays(one, 'Its push waits for the connection to Jira');
    const { rows } = await stack.db.query<{ id: string; organisation_id: string }>(
      'select id, organisation_id from finding where number = $1',
      [Number(one.slice(2))],
    );
    const [{ id: findingId, organisation_id: organisationId } = { id: '', organisation_id: '' }] = rows;
    // As a lifecycle does once it works again, but then nothing follows.
    await stack.db.query(`update connection set status = 'connected' where id = $1`, [stack.local.connectionId]);
    const store = createLifecycleStore({ pool: stack.db });
    const asked = { organisationId, findingId, batchId: push.id, actor: { kind: 'recheck' as const } };
    expect(await store.openLink(asked)).toMatchObject({ kind: 'opened' });
    expect(await go.cardSays(one, 'Being pushed to Jira')).not.toContain('Reconnect');
    expect((await go.history(one)).at(-1)).toMatchObject({ event: 'push_resumed' });
    await stack.db.query(`update finding set status = 'open' where id = $1`, [findingId]);
    expect(await go.pushEnds(push.id, 120)).toMatchObject({ items: [{ outcome: 'created' }] });
    expect(await issuesOf(one)).toBe(1);
  }, 300_000);

  it('C10 B9 a reading that failed is made after reconnecting, and card and history say so', async () => {
    const { id, key } = await go.pushed();
    await revoke();
    await go.move(key, 'In Progress');
    await until(async () => (await go.count(id, 'read_failed')) === 1, {
      seconds: 40,
      what: 'the reading that fails',
    });
    await go.cardSays(id, 'The issue could not be read');
    await reconnect();
    await until(async () => (await go.count(id, 'read_again')) === 1, { seconds: 90, what: 'the next reading' });
    expect(await go.cardSays(id, 'The issue could be read again')).not.toContain('could not be read');
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix' });
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun', 60);
    expect(await go.count(id, 'read_again')).toBe(1);
  }, 300_000);

  it('C10 S6 a Done that could not be read counts after reconnecting, and the dead token looked like nothing', async () => {
    const { id, key } = await go.pushed();
    await revoke();
    await go.move(key, 'Done');
    await until(async () => (await go.count(id, 'read_failed')) > 0, { seconds: 40, what: 'the reading that fails' });
    await go.move(key, 'In Progress');
    await go.move(key, 'Done');
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', missingSince: null });
    expect(await go.count(id, 'read_failed')).toBe(1);
    await reconnect();
    expect(await go.becomes(id, 'needs_rerun', 60)).toMatchObject({ claim: { number: 1, by: 'Dana Developer' } });
  });

  it('C10 V4 a comment that could not be made is made after reconnecting', async () => {
    const { source, id, key } = await go.flagged();
    const sessionId = await go.session(source, [id]);
    await revoke();
    await go.verdict(sessionId, id, 'pass');
    await go.becomes(id, 'verified');
    await until(async () => (await go.count(id, 'comment_held')) === 1, {
      seconds: 40,
      what: 'the comment being held',
    });
    await reconnect();
    // Nothing happened to the issue: the reconnect wakes even a verified finding, which otherwise tries more and more
    // seldom.
    const { id: issueId } = await go.issue(key);
    const woken = async () =>
      (await stack.db.query('select 1 from delivery where identifier = $1', [`poll:${issueId}:held`])).rowCount;
    await until(async () => (await woken()) === 1, { seconds: 40, what: 'the finding being woken' });
    const comments = async () => (await go.issue(key)).fields.comment.comments.length as number;
    await until(async () => (await comments()) === 1, { seconds: 90, what: 'the comment' });
    expect(await go.cardSays(id, 'The comment that waited is on the issue now')).not.toContain('Reconnect');
    expect(await go.count(id, 'comment_made')).toBe(1);
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'verified' });
    expect(await comments()).toBe(1);
  }, 300_000);
});
