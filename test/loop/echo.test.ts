// Whatever Recheck writes to Jira comes back as a webhook: several times, late, in any order. None of it counts.

import { type Stack, startStack } from '../support/stack';
import { createCaller, must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack);
  const hooks = await must<{ self: string; name: string }[]>(stack.jira('GET', '/rest/webhooks/1.0/webhook'));
  const mine = hooks.find(({ name }) => name === 'Recheck');
  if (!mine) throw new Error('The seeded webhook is not there.');
  // Everything that Jira can tell, what nobody asked for included.
  const events = ['jira:issue_created', 'jira:issue_updated', 'jira:issue_deleted', 'comment_created'];
  await must(stack.jira('PUT', new URL(mine.self).pathname, { events }));
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

function botAuthorization(): string {
  const { jiraBotEmail, jiraBotApiToken } = stack.local;
  return `Basic ${Buffer.from(`${jiraBotEmail}:${jiraBotApiToken}`).toString('base64')}`;
}

/** Attaches a file as the account that Recheck writes with. */
async function attachAsBot(key: string): Promise<void> {
  const form = new FormData();
  form.append('file', new Blob(['evidence']), 'screenshot.png');
  const response = await fetch(`${stack.local.jiraUrl}/rest/api/3/issue/${key}/attachments`, {
    method: 'POST',
    headers: { authorization: botAuthorization(), 'x-atlassian-token': 'no-check' },
    body: form,
  });
  expect(response.status).toBe(200);
}

const events = async (id: string) => (await go.history(id)).map(({ event }) => event);
const deliveredOf = async (issueId: string, where = 'true'): Promise<number> => {
  const { rows } = await stack.db.query<{ count: number }>(
    `select count(*)::int as count from delivery where jira_issue_id = $1 and ${where}`,
    [issueId],
  );
  return rows[0]?.count ?? 0;
};
const statusChangeByBot = `actor_name <> 'Dana Developer' and changes @> '[{"field": "status"}]'`;

describe('S7: what Recheck writes itself', () => {
  it('S7 create, attachment, comment and reopening come back three times and late, and change nothing', async () => {
    await stack.faults.add({ kind: 'duplicate', times: 2 });
    await stack.faults.add({ kind: 'webhookDelay', ms: 1200 });
    const { source, id, key } = await go.pushed({ onVerifyFail: 'reopen' });
    const { id: issueId } = await go.issue(key);
    await attachAsBot(key);
    await go.quiet(id);
    const untilPushed = ['found', 'push_asked', 'pushed'];
    expect(await events(id)).toEqual(untilPushed);
    expect(await deliveredOf(issueId, `event = 'jira:issue_created'`)).toBe(1);

    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun');
    await go.verdict(await go.session(source, [id]), id, 'fail');
    await go.becomes(id, 'awaiting_fix');
    await go.quiet(id);
    const untilReopened = [...untilPushed, 'claimed', 'verdict_fail', 'reopened_by_recheck'];
    expect(await events(id)).toEqual(untilReopened);
    expect(await deliveredOf(issueId, statusChangeByBot)).toBe(1);

    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun');
    await go.verdict(await go.session(source, [id]), id, 'pass');
    await go.becomes(id, 'verified');
    await go.quiet(id);
    expect(await events(id)).toEqual([...untilReopened, 'claimed', 'verified']);
    expect(await deliveredOf(issueId, `event = 'comment_created'`)).toBeGreaterThan(0);
    expect(await go.finding(id)).toMatchObject({ status: 'verified', claim: { number: 2, by: 'Dana Developer' } });
  }, 300_000);

  it("S7 an echo that comes after a person's Done takes nothing from it, not even the name", async () => {
    const { source, id, key } = await go.flagged({ onVerifyFail: 'reopen' });
    const { id: issueId } = await go.issue(key);
    // Only the echo of the reopening is late: whatever comes next is told at once.
    await stack.faults.add({ kind: 'webhookDelay', ms: 2500, count: 1 });
    await go.verdict(await go.session(source, [id]), id, 'fail');
    await go.becomes(id, 'awaiting_fix');
    await stack.faults.clear();
    const hold = await stack.faults.add({ kind: 'hold', match: { method: 'GET', path: `/issue/${issueId}[?]` } });
    await go.move(key, 'Done');
    await until(async () => (await stack.faults.get(hold.id))?.waiting === 1, { what: 'the reading of the issue' });
    await until(async () => (await deliveredOf(issueId, statusChangeByBot)) === 1, { what: 'the late echo' });
    await stack.faults.clear();
    expect(await go.becomes(id, 'needs_rerun')).toMatchObject({ claim: { number: 2, by: 'Dana Developer' } });
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'needs_rerun', claim: { number: 2 } });
    expect(await go.count(id, 'reopened')).toBe(0);
  });

  it('S7 the Done of a person counts although Recheck writes with the same account', async () => {
    const { source, id, key } = await go.flagged({ onVerifyFail: 'reopen' });
    await go.verdict(await go.session(source, [id]), id, 'fail');
    await go.becomes(id, 'awaiting_fix');
    const same = createCaller(stack.local.jiraUrl, botAuthorization());
    const { transitions } = await must(same('GET', `/rest/api/3/issue/${key}/transitions`));
    const done = transitions.find((each: { to: { name: string } }) => each.to.name === 'Done');
    await must(same('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: done.id } }));
    expect(await go.becomes(id, 'needs_rerun')).toMatchObject({ claim: { number: 2 } });
    const back = await must(same('GET', `/rest/api/3/issue/${key}/transitions`));
    const toDo = back.transitions.find((each: { to: { name: string } }) => each.to.name === 'To Do');
    await must(same('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: toDo.id } }));
    await go.becomes(id, 'awaiting_fix');
    expect(await go.count(id, 'reopened')).toBe(1);
  });
});
