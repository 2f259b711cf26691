// An issue that is gone: asked about once, decided in Slack or over HTTP, and never taken for gone by mistake.

import { createSlackPeople } from '../../local/demo/slack-people';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Pushed, type Steps } from './steps';

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
  await stack.faults.clear();
});

const del = (key: string) => must(stack.jira('DELETE', `/rest/api/3/issue/${key}`));
const decide = (id: string, decision: string, as = stack.api) =>
  as('POST', `/api/v1/findings/${id}/missing`, { decision });
const isAsked = (id: string) =>
  until(async () => (await go.finding(id)).missingSince, { seconds: 40, what: `${id} waiting for a decision` });

async function deleted(one?: Pushed): Promise<Pushed> {
  const found = one ?? (await go.pushed());
  await del(found.key);
  await isAsked(found.id);
  return found;
}

function people() {
  const found = createSlackPeople(stack.local);
  if (!found) throw new Error('The stack has no Slack.');
  return found;
}

const keyOfMember = () => stack.local.members.find(({ role }) => role === 'member')?.apiKey ?? null;
const sync = () => must(stack.api('POST', `/api/v1/connections/${stack.local.connectionId}/sync`));

describe('S8: an issue that was deleted', () => {
  it('S8 leaves the finding where it is, says why, and asks once, however often it is noticed', async () => {
    await stack.faults.add({ kind: 'duplicate', times: 2 });
    const { source, id, key } = await deleted();
    expect(await go.finding(id)).toMatchObject({
      status: 'awaiting_fix',
      reason: expect.stringContaining(`${key} was deleted in Jira`),
    });
    await sync();
    await go.quiet(id);
    expect(await go.count(id, 'issue_missing')).toBe(1);
    const again = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [id] }));
    expect(again).toMatchObject({ items: [{ outcome: 'refused', reason: expect.stringContaining('deleted') }] });
  });

  it('S8 recreate, pressed in Slack, makes one new issue of a new generation', async () => {
    const { id, key } = await deleted();
    const slack = people();
    await slack.press(await slack.withRole('member'), { actionId: 'finding.recreate', finding: id });
    const found = await until(
      async () => {
        const now = await go.finding(id);
        return now.status === 'awaiting_fix' && now.jira && now.jira.key !== key ? now : null;
      },
      { seconds: 40, what: 'the new issue' },
    );
    expect(found).toMatchObject({ missingSince: null, reason: null });
    expect(await go.count(id, 'recreate_asked')).toBe(1);
    const { rows } = await stack.db.query<{ marker: string; active: boolean }>(
      `select l.marker, l.active from issue_link l join finding f on f.id = l.finding_id where f.number = $1 order by l.generation`,
      [Number(id.slice(2))],
    );
    expect(rows.map(({ active }) => active)).toEqual([false, true]);
    expect(rows[0]?.marker).not.toBe(rows[1]?.marker);
    expect(await must(stack.sandbox('GET', `/issues?marker=${rows[1]?.marker}`))).toMatchObject({ count: 1 });
    await go.move(found.jira.key, 'Done');
    await go.becomes(id, 'needs_rerun');
  });

  it('S8 accept needs an admin, and blocks the finding with the reason', async () => {
    const { id, key } = await deleted();
    expect(await decide(id, 'accept', stack.apiAs(keyOfMember()))).toMatchObject({ status: 403 });
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix' });
    expect(await must(decide(id, 'accept'))).toMatchObject({
      status: 'blocked',
      missingSince: null,
      reason: expect.stringContaining(key),
    });
    expect(await decide(id, 'accept')).toMatchObject({ status: 409 });
    // And taken back, from its card.
    const slack = people();
    await slack.press(await slack.withRole('member'), { actionId: 'finding.unlink', finding: id });
    expect(await go.becomes(id, 'open')).toMatchObject({ jira: null, reason: null });
  });

  it('S8 a member drops the link: the finding is open and can be pushed anew', async () => {
    const { source, id, key } = await deleted();
    const dropped = await must(decide(id, 'drop', stack.apiAs(keyOfMember())));
    expect(dropped).toMatchObject({ status: 'open', jira: null, missingSince: null, reason: null });
    const { items } = await go.push(source, [id]);
    expect(items).toMatchObject([{ outcome: 'created' }]);
    expect(items[0].jiraKey).not.toBe(key);
  });

  it('S8 recreate is refused with the reason where nothing may be pushed, and the question stays', async () => {
    const { source, id } = await deleted();
    await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { enabled: false }));
    const refused = await decide(id, 'recreate');
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('excluded') } });
    expect((await go.finding(id)).missingSince).not.toBeNull();
  });

  it('S8 while a re-run is under way the case goes on: a fail asks, and a pass verifies without a comment', async () => {
    const { source, id, key } = await go.flagged({ onVerifyFail: 'reopen' });
    const { id: issueId } = await go.issue(key);
    const sessionId = await go.session(source, [id]);
    await must(stack.api('POST', `/api/v1/sessions/${sessionId}/start`));
    await deleted({ source, id, key });
    expect(await go.verdict(sessionId, id, 'fail')).toMatchObject({
      status: 'completed',
      cases: [{ verdict: 'fail' }],
    });
    await until(async () => (await go.count(id, 'missing_asked')) === 1, { seconds: 40, what: 'the question' });
    expect(await go.finding(id)).toMatchObject({ status: 'needs_rerun' });

    await go.verdict(await go.session(source, [id]), id, 'pass');
    expect(await go.becomes(id, 'verified')).toMatchObject({ missingSince: null });
    await go.quiet(id);
    const { items } = await must<{ items: { method: string; path: string }[] }>(stack.sandbox('GET', '/requests'));
    const said = items.filter(({ method, path }) => method === 'POST' && path.includes(`/issue/${issueId}/`));
    expect(said).toEqual([]);
  });

  it('S8 of a verified finding nothing is asked', async () => {
    const { source, id, key } = await go.flagged();
    await go.verdict(await go.session(source, [id]), id, 'pass');
    await go.becomes(id, 'verified');
    await go.quiet(id);
    const before = await go.history(id);
    await del(key);
    await go.quiet(id);
    await sync();
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'verified', missingSince: null, history: before });
  });

  it('S8 an issue that can be seen again asks no more, and goes on where it was', async () => {
    const { id, key } = await go.pushed();
    const { id: issueId } = await go.issue(key);
    // As Jira answers where the issue was given a security level that hides it.
    const hidden = { status: 404, body: { errorMessages: ['Issue does not exist.'], errors: {} } };
    await stack.faults.add({ kind: 'status', match: { method: 'GET', path: `/issue/${issueId}[?]` }, ...hidden });
    await go.move(key, 'In Progress');
    await isAsked(id);
    await stack.faults.clear();
    await go.move(key, 'In Review');
    await until(async () => (await go.finding(id)).missingSince === null, {
      seconds: 40,
      what: 'the end of the question',
    });
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', reason: null });
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun');
  });

  it('S8 what is not there once, but at the second look, is there', async () => {
    const { id, key } = await go.pushed();
    const { id: issueId } = await go.issue(key);
    const before = await go.history(id);
    const flaky = { status: 404, body: { errorMessages: ['Issue does not exist.'], errors: {} } };
    const match = { method: 'GET', path: `/issue/${issueId}[?]` };
    const fault = await stack.faults.add({ kind: 'status', count: 1, match, ...flaky });
    await go.move(key, 'In Progress');
    await until(async () => (await stack.faults.get(fault.id))?.remaining === 0, { what: 'the first look' });
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ missingSince: null, history: before });
  });
});

describe('S6: what only looks like a deletion', () => {
  const setVisible = (invisible: boolean) => must(stack.sandbox('PUT', '/projects/WEB', { invisible }));
  const connection = async () => {
    const { items } = await must(stack.api('GET', '/api/v1/connections'));
    return items[0];
  };

  afterEach(async () => {
    await setVisible(false);
  });

  it('S6 C10 a project that is out of sight changes no finding, is told once, and recovers by itself', async () => {
    const all = await go.pushedAll(['one', 'two'], { projectKey: 'WEB' });
    const [one, two] = all;
    if (!one || !two) throw new Error('Two findings were pushed.');
    const before = await go.history(one.id);
    await setVisible(true);
    for (const { key } of all) await go.move(key, 'Done');
    await until(async () => (await connection()).health.lostProjects?.includes('WEB'), {
      seconds: 40,
      what: 'the lost project',
    });
    for (const { id } of all) await go.quiet(id);
    expect(await go.finding(one.id)).toMatchObject({ status: 'awaiting_fix', missingSince: null, history: before });
    const { rows } = await stack.db.query(`select 1 from notice where kind = 'project_lost' and resolved_at is null`);
    expect(rows).toHaveLength(1);

    await setVisible(false);
    await go.move(two.key, 'In Progress');
    await go.move(two.key, 'Done');
    for (const { id } of all) await go.becomes(id, 'needs_rerun', 60);
    expect((await connection()).health.lostProjects).toEqual([]);
  }, 300_000);
});
