// Calls that meet: links to issues made by hand, pushes beside them, and decisions about an issue that is gone.

import type { PoolClient } from 'pg';
import { type Stack, startStack } from '../support/stack';
import { type Answer, must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack, { stories: 'meeting' });
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

async function byHand(): Promise<string> {
  const fields = { project: { key: 'ACC' }, issuetype: { name: 'Bug' }, summary: 'Made by hand' };
  return (await must(stack.jira('POST', '/rest/api/3/issue', { fields }))).key;
}
const link = (id: string, jiraKey: string) => stack.api('POST', `/api/v1/findings/${id}/link`, { jiraKey });
const push = (source: string, id: string, more = {}) =>
  stack.api('POST', '/api/v1/pushes', { source, findings: [id], ...more });

/** Starts the calls while a finding is locked, each when the one before waits for it, and then lets them go. */
async function meet(id: string, calls: (() => Promise<Answer>)[]): Promise<Answer[]> {
  const client: PoolClient = await stack.db.connect();
  const waiting = async () => {
    const { rows } = await stack.db.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.count ?? 0;
  };
  const begun: Promise<Answer>[] = [];
  try {
    await client.query('begin');
    await client.query('select 1 from finding where number = $1 for no key update', [Number(id.slice(2))]);
    for (const call of calls) {
      begun.push(call());
      await until(async () => (await waiting()) >= begun.length, { what: `${begun.length} calls waiting` });
    }
  } finally {
    await client.query('rollback');
    client.release();
  }
  return await Promise.all(begun);
}

async function reported(...names: string[]): Promise<{ source: string; ids: string[] }> {
  const source = await go.source();
  await go.report(source, { failed: names });
  return { source, ids: await go.findings(source) };
}

describe('S8: links that meet', () => {
  it('S8 of two links at once one wins, and the issue of the other is free', async () => {
    const { ids } = await reported('one', 'two');
    const [one = '', two = ''] = ids;
    const keys = [await byHand(), await byHand()];
    const answers = await meet(
      one,
      keys.map((key) => () => link(one, key)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers[1 - won]?.body).toMatchObject({
      code: 'already_linked',
      detail: expect.stringMatching(new RegExp(`${keys[won]}.*nlink it first`)),
    });
    expect((await go.finding(one)).jira).toMatchObject({ key: keys[won] });
    expect(await must(link(two, keys[1 - won] ?? ''))).toMatchObject({ jira: { key: keys[1 - won] } });
  });

  it('S8 the same link twice at once is one link', async () => {
    const { ids } = await reported('one');
    const [one = ''] = ids;
    const key = await byHand();
    const answers = await meet(one, [() => link(one, key), () => link(one, key)]);
    for (const { status, body } of answers)
      expect([undefined, 'already_linked']).toContain(status === 200 ? undefined : body.code);
    expect(await go.finding(one)).toMatchObject({ status: 'awaiting_fix', jira: { key } });
    expect(await go.count(one, 'linked')).toBe(1);
  });

  it('S8 of a link and a push that comes beside it the link wins, and no issue is made', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    const key = await byHand();
    const [linked, pushed] = await meet(one, [() => link(one, key), () => push(source, one)]);
    expect(linked).toMatchObject({ status: 200, body: { status: 'awaiting_fix', jira: { key } } });
    expect(await go.pushEnds(pushed?.body.id)).toMatchObject({
      items: [{ outcome: 'refused', reason: expect.stringContaining(`linked to ${key} right now`) }],
    });
    expect(await go.finding(one)).toMatchObject({ status: 'awaiting_fix', jira: { key }, reason: null });
    expect(await must(push(source, one))).toMatchObject({ items: [{ outcome: 'reused', jiraKey: key }] });
    await must(stack.api('DELETE', `/api/v1/findings/${one}/link`));
    expect(await go.push(source, [one])).toMatchObject({ items: [{ outcome: 'created' }] });
  });

  it('S8 of a push and a link that comes beside it the push wins, and the issue of the link is free', async () => {
    const { source, ids } = await reported('one', 'two');
    const [one = '', two = ''] = ids;
    const key = await byHand();
    const [pushed, linked] = await meet(one, [() => push(source, one), () => link(one, key)]);
    expect(linked).toMatchObject({ status: 409, body: { code: 'push_under_way' } });
    expect(await go.pushEnds(pushed?.body.id)).toMatchObject({ items: [{ outcome: 'created' }] });
    expect(await must(link(two, key))).toMatchObject({ jira: { key } });
  });
});

describe('S8: decisions about an issue that is gone', () => {
  async function gone() {
    const one = await go.pushed();
    await must(stack.jira('DELETE', `/rest/api/3/issue/${one.key}`));
    await until(async () => (await go.finding(one.id)).missingSince, { seconds: 40, what: 'the question' });
    return one;
  }
  const decide = (id: string, decision: string) => stack.api('POST', `/api/v1/findings/${id}/missing`, { decision });

  const ends: Record<string, { event: string; status: string[]; words: RegExp }> = {
    accept: { event: 'accepted', status: ['blocked'], words: /to accept it as it is/ },
    drop: { event: 'dropped', status: ['open'], words: /to drop the link/ },
    recreate: { event: 'recreate_asked', status: ['pushing', 'awaiting_fix'], words: /to make a new issue/ },
  };
  it.each([
    [['accept', 'drop', 'recreate']],
    [['recreate', 'recreate', 'drop']],
    [['drop', 'drop', 'drop']],
    [['recreate', 'accept', 'accept']],
  ])('S8 of %j at once one counts, and the others are told which', async (decisions) => {
    const { id } = await gone();
    const answers = await Promise.all(decisions.map((decision) => decide(id, decision)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const won = answers.findIndex(({ status }) => status === 200);
    const end = ends[decisions[won] ?? ''];
    const events = (await go.history(id)).map(({ event }) => event);
    const decided = Object.values(ends).map(({ event }) => event);
    expect(events.filter((event) => decided.includes(event))).toEqual([end?.event]);
    expect(end?.status).toContain((await go.finding(id)).status);
    for (const { status, body } of answers) {
      // A decision that came when all was over is told that there is nothing to decide.
      if (status === 409 && body.code !== 'issue_not_missing') {
        expect(body).toMatchObject({ code: 'already_decided', detail: expect.stringMatching(end?.words ?? /^$/) });
      }
    }
  });

  it('S8 V9 a push of what was accepted says so, and what opens it again', async () => {
    const { source, id, key } = await gone();
    await must(decide(id, 'accept'));
    const refused = {
      outcome: 'refused',
      reason: expect.stringMatching(`accepted.*${key} was deleted.*unlink ${key}`),
    };
    expect(await must(push(source, id))).toMatchObject({ items: [refused] });
    expect(await go.finding(id)).toMatchObject({ status: 'blocked', reason: expect.stringContaining('Accepted') });
    await must(stack.api('DELETE', `/api/v1/findings/${id}/link`));
    const { items } = await go.push(source, [id]);
    expect(items).toMatchObject([{ outcome: 'created' }]);
    expect(items[0].jiraKey).not.toBe(key);
  });
});

describe('P9: a push that is cancelled while it is held', () => {
  it('P9 its item no longer says that it is held', async () => {
    const { source, ids } = await reported('one');
    const [one = ''] = ids;
    await stack.faults.add({ kind: 'revoked' });
    const { id } = await must(push(source, one));
    const isHeld = async () => (await must(stack.api('GET', `/api/v1/pushes/${id}`))).items[0].outcome === 'held';
    await until(isHeld, { seconds: 40, what: 'the push being held' });
    await must(stack.api('POST', `/api/v1/pushes/${id}/cancel`));
    const [item] = (await must(stack.api('GET', `/api/v1/pushes/${id}`))).items;
    expect(item.outcome).toBe('cancelled');
    expect(item.reason ?? '').not.toContain('held');
  });
});
