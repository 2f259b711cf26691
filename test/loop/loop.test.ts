import { createHmac, randomUUID } from 'node:crypto';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, junit, type Steps } from './steps';

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

const panel = async (source: string) => (await must(stack.api('GET', `/api/v1/verification?source=${source}`))).items;
const comments = async (key: string): Promise<number> => (await go.issue(key)).fields.comment.comments.length;

describe('S5: what Jira says', () => {
  it('S5 V1 Done is a claim: the finding is flagged, and stands in the panel with who claimed it', async () => {
    const { source, id, key } = await go.flagged();
    const found = await go.finding(id);
    expect(found.occurrences.map((each: { status: string }) => each.status)).toEqual(['pending_rerun']);
    expect(found.claim).toMatchObject({ number: 1, by: 'Dana Developer' });
    expect(await panel(source)).toMatchObject([
      { finding: id, jiraKey: key, claimedBy: 'Dana Developer', session: null },
    ]);
  });

  it.each(["Won't Do", 'Duplicate'])('S5 Done as %s blocks the finding, and nothing is queued', async (resolution) => {
    const { source, id, key } = await go.pushed();
    await go.move(key, 'Done', resolution);
    await go.becomes(id, 'blocked');
    expect(await go.count(id, 'claimed')).toBe(0);
    expect(await panel(source)).toEqual([]);
  });

  it('S5 In Progress, In Review and To Do change nothing', async () => {
    const { id, key } = await go.pushed();
    const before = await go.history(id);
    for (const status of ['In Progress', 'In Review', 'To Do']) await go.move(key, status);
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', history: before });
  });

  it("S5 a resolution that turns into Won't Do after the claim blocks the finding and withdraws its case", async () => {
    const { source, id, key } = await go.flagged();
    const sessionId = await go.session(source, [id]);
    await must(stack.jira('PUT', `/rest/api/3/issue/${key}`, { fields: { resolution: { name: "Won't Do" } } }));
    await go.becomes(id, 'blocked');
    const held = await must(stack.api('GET', `/api/v1/sessions/${sessionId}`));
    expect(held.cases).toMatchObject([{ finding: id, verdict: 'withdrawn' }]);
  });

  it.each(['planned', 'in_progress'])(
    'V3 a session that is %s ends when its last claim is taken back',
    async (status) => {
      const { source, id, key } = await go.flagged();
      const sessionId = await go.session(source, [id]);
      if (status === 'in_progress') await must(stack.api('POST', `/api/v1/sessions/${sessionId}/start`));
      await go.move(key, 'In Progress');
      await go.becomes(id, 'awaiting_fix');
      // Its workflow ends, too.
      await stack.temporal.workflow.getHandle(`session:${sessionId}`).result();
      expect(await must(stack.api('GET', `/api/v1/sessions/${sessionId}`))).toMatchObject({
        status: status === 'planned' ? 'cancelled' : 'completed',
      });
    },
  );

  it('S5 onJiraDone resolve takes Jira at its word, and a reopened issue takes it back', async () => {
    const { id, key } = await go.pushed({ onJiraDone: 'resolve' });
    await go.move(key, 'Done');
    await go.becomes(id, 'resolved');
    await go.move(key, 'In Progress');
    await go.becomes(id, 'awaiting_fix');
    expect(await go.count(id, 'claimed')).toBe(0);
  });
});

describe('S1 S3 S4: deliveries', () => {
  it('S3 the same delivery five times changes the state once', async () => {
    await stack.faults.add({ kind: 'duplicate', times: 4 });
    const { id } = await go.flagged();
    await go.quiet(id);
    expect(await go.count(id, 'claimed')).toBe(1);
    expect(await go.finding(id)).toMatchObject({ status: 'needs_rerun', claim: { number: 1 } });
  });

  it('S3 S4 deliveries out of order end in what Jira says now', async () => {
    const { id, key } = await go.pushed();
    await stack.faults.add({ kind: 'reorder', size: 4, gapMs: 250 });
    for (const status of ['In Progress', 'In Review', 'To Do', 'Done']) await go.move(key, status);
    await go.becomes(id, 'needs_rerun');
    await go.quiet(id);
    expect(await go.count(id, 'claimed')).toBe(1);
    for (const status of ['In Progress', 'Done', 'In Review', 'To Do']) await go.move(key, status);
    await go.becomes(id, 'awaiting_fix');
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix' });
    expect(await go.count(id, 'reopened')).toBe(1);
    expect(await go.count(id, 'claimed')).toBe(1);
  });

  it('S4 an issue that nobody tracks changes nothing, and counts once it is linked', async () => {
    const source = await go.source();
    await go.report(source, { failed: ['pays'] });
    const [id = ''] = await go.findings(source);
    const key = await byHand();
    await go.move(key, 'Done');
    await until(async () => (await deliveriesOf(key)) > 0, { what: 'the delivery' });
    expect(await go.finding(id)).toMatchObject({ status: 'open', jira: null });
    await must(stack.api('POST', `/api/v1/findings/${id}/link`, { jiraKey: key }));
    expect(await go.becomes(id, 'needs_rerun')).toMatchObject({ jira: { key } });
  });

  it('S1 S4 a delivery has to be signed, and even then it is a hint: the issue is read, and what Jira says counts', async () => {
    const { jiraUrl: siteUrl, jiraEmail: email, jiraApiToken: apiToken, jiraProject: projectKey } = stack.local;
    const made = await must(stack.api('POST', '/api/v1/connections', { siteUrl, email, apiToken, projectKey }));
    const source = `signed-${randomUUID().slice(0, 8)}`;
    const route = { connection: made.id, projectKey, rule: { enabled: true } };
    await must(stack.api('POST', '/api/v1/sources', { key: source, name: source, kind: 'suite', ...route }));
    await go.report(source, { failed: ['pays'] });
    const { items } = await go.push(source, await go.findings(source));
    const { finding: id, jiraKey: key } = items[0];
    const { id: issueId } = await go.issue(key);
    const before = await go.history(id);

    const item = { field: 'status', fieldId: 'status', from: '10000', fromString: 'To Do', to: '10002' };
    const body = JSON.stringify({
      timestamp: Date.now(),
      webhookEvent: 'jira:issue_updated',
      issue: { id: issueId, key },
      changelog: { items: [{ ...item, toString: 'Done' }] },
    });
    const anybody = stack.apiAs(null);
    const signature = `sha256=${createHmac('sha256', made.webhookSecret).update(body).digest('hex')}`;
    const send = (path: string, headers: Record<string, string> = { 'x-hub-signature': signature }) =>
      anybody('POST', `/api/integrations/jira/webhook${path}`, body, {
        'content-type': 'application/json',
        ...headers,
      });
    expect((await send(`?integration_id=${made.id}`, {})).status).toBe(401);
    expect((await send(`/${made.id}`, { 'x-hub-signature': `sha256=${'0'.repeat(64)}` })).status).toBe(401);
    expect((await send('')).status).toBe(400);
    expect((await send(`?integration_id=${randomUUID()}`)).status).toBe(404);
    expect(await deliveriesOf(key)).toBe(0);

    expect((await send(`/${made.id}`)).status).toBeLessThan(300);
    expect(await deliveriesOf(key)).toBe(1);
    const reads = async () => {
      const requests = await must<{ items: { method: string; path: string }[] }>(stack.sandbox('GET', '/requests'));
      return requests.items.filter(({ method, path }) => method === 'GET' && path.endsWith(`/issue/${issueId}`)).length;
    };
    await until(async () => (await reads()) > 0, { what: 'the reading of the issue' });
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', history: before });
  });
});

async function byHand(): Promise<string> {
  const fields = { project: { key: 'ACC' }, issuetype: { name: 'Bug' }, summary: 'Made by hand' };
  return (await must(stack.jira('POST', '/rest/api/3/issue', { fields }))).key;
}

async function deliveriesOf(key: string): Promise<number> {
  const { id } = await go.issue(key);
  const { rows } = await stack.db.query('select 1 from delivery where jira_issue_id = $1', [id]);
  return rows.length;
}

describe('V4: verdicts', () => {
  it('V4 a failed re-run leaves the finding flagged, and the second round verifies it', async () => {
    const { source, id, key } = await go.flagged();
    const first = await go.session(source, [id]);
    expect(await go.verdict(first, id, 'fail')).toMatchObject({ status: 'completed', cases: [{ verdict: 'fail' }] });
    await until(async () => (await comments(key)) === 1, { what: 'the comment with the failure' });
    expect(await go.finding(id)).toMatchObject({ status: 'needs_rerun', session: null });
    expect(await panel(source)).toMatchObject([{ finding: id }]);

    const second = await go.session(source, [id]);
    expect(await panel(source)).toMatchObject([{ session: { id: second, status: 'planned' } }]);
    await go.verdict(second, id, 'pass');
    const done = await go.becomes(id, 'verified');
    expect(done.occurrences).toMatchObject([{ status: 'absent' }]);
    await until(async () => (await comments(key)) === 2, { what: 'the comment with the proof' });
    expect(await panel(source)).toEqual([]);
  });

  it('V4 S7 onVerifyFail reopen sends the issue back, and its echo changes nothing', async () => {
    const { source, id, key } = await go.flagged({ onVerifyFail: 'reopen' });
    await stack.faults.add({ kind: 'duplicate', times: 2 });
    await go.verdict(await go.session(source, [id]), id, 'fail');
    await go.becomes(id, 'awaiting_fix');
    await go.quiet(id);
    expect((await go.issue(key)).fields.status.statusCategory.key).not.toBe('done');
    expect(await go.count(id, 'reopened_by_recheck')).toBe(1);
    expect(await go.count(id, 'reopened')).toBe(0);

    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun');
    await go.verdict(await go.session(source, [id]), id, 'pass');
    expect(await go.becomes(id, 'verified')).toMatchObject({ claim: { number: 2 } });
  });

  it('V2 a case is in one open session only, and only a flagged finding can be in one', async () => {
    const { source, id } = await go.flagged();
    const sessionId = await go.session(source, [id]);
    const again = await stack.api('POST', '/api/v1/sessions', { source, findings: [id] });
    expect(again).toMatchObject({ status: 409, body: { code: 'session_open' } });
    expect(again.body.detail).toContain(sessionId);
    const other = await go.pushed();
    const early = await stack.api('POST', '/api/v1/sessions', { source: other.source, findings: [other.id] });
    expect(early).toMatchObject({ status: 409, body: { code: 'not_flagged' } });
  });

  it('V3 a report uploaded to the session decides the cases that it covers and leaves the others', async () => {
    const all = await go.pushedAll(['one', 'two', 'three']);
    const source = all[0]?.source ?? '';
    for (const { key } of all) await go.move(key, 'Done');
    for (const { id } of all) await go.becomes(id, 'needs_rerun');
    const [one, two, three] = all.map(({ id }) => id) as [string, string, string];
    const sessionId = await go.session(source, [one, two, three]);
    const file = junit({ passed: ['one'], failed: ['two'] });
    const after = await must(stack.api('POST', `/api/v1/sessions/${sessionId}/reports?scope=partial`, file));
    expect(after).toMatchObject({
      status: 'in_progress',
      cases: [
        { finding: one, verdict: 'pass' },
        { finding: two, verdict: 'fail' },
        { finding: three, verdict: null },
      ],
    });
    await go.becomes(one, 'verified');
    expect(await go.finding(two)).toMatchObject({ status: 'needs_rerun' });
  });

  it('V3 a verdict for a claim that Jira took back is evidence only', async () => {
    const { source, id, key } = await go.flagged();
    const sessionId = await go.session(source, [id]);
    // The lifecycle is reading the reopened issue when the verdict for the first claim comes in.
    const { id: issueId } = await go.issue(key);
    const hold = await stack.faults.add({
      kind: 'hold',
      count: 1,
      match: { method: 'GET', path: `/issue/${issueId}[?]` },
    });
    await go.move(key, 'In Progress');
    await until(async () => (await stack.faults.get(hold.id))?.waiting === 1, {
      what: 'the lifecycle reading the issue',
    });
    await go.move(key, 'Done');
    await go.verdict(sessionId, id, 'pass');
    await stack.faults.release(hold.id);
    await until(async () => (await go.finding(id)).claim?.number === 2, { what: 'the second claim' });
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'needs_rerun', claim: { number: 2 } });
    expect(await go.history(id)).toContainEqual(expect.objectContaining({ event: 'verdict_late' }));
    expect(await go.count(id, 'verified')).toBe(0);
  });
});

describe('S8: reopened, moved, deleted, linked', () => {
  it('S8 reopened while a session holds the case: the case is withdrawn and the session goes on', async () => {
    const all = await go.pushedAll(['one', 'two']);
    for (const { key } of all) await go.move(key, 'Done');
    for (const { id } of all) await go.becomes(id, 'needs_rerun');
    const [one, two] = all;
    if (!one || !two) throw new Error('Two findings were pushed.');
    const sessionId = await go.session(one.source, [one.id, two.id]);
    await must(stack.api('POST', `/api/v1/sessions/${sessionId}/start`));
    await go.move(one.key, 'In Progress');
    await go.becomes(one.id, 'awaiting_fix');
    expect(await must(stack.api('GET', `/api/v1/sessions/${sessionId}`))).toMatchObject({
      status: 'in_progress',
      cases: [{ finding: one.id, verdict: 'withdrawn' }, { verdict: null }],
    });
    const late = await stack.api('POST', `/api/v1/sessions/${sessionId}/verdicts`, [
      { finding: one.id, verdict: 'pass' },
    ]);
    expect(late.status).toBe(409);
    expect(await go.verdict(sessionId, two.id, 'pass')).toMatchObject({ status: 'completed' });
    await go.becomes(two.id, 'verified');
    expect(await go.finding(one.id)).toMatchObject({ status: 'awaiting_fix' });
  });

  it('S8 a moved issue keeps its finding, which follows to the new key', async () => {
    const { id, key } = await go.pushed();
    const { key: moved } = await must(stack.sandbox('POST', `/board/issues/${key}/move`, { project: 'WEB' }));
    await until(async () => (await go.finding(id)).jira?.key === moved, { what: 'the new key' });
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix' });
    expect(await go.count(id, 'moved')).toBe(1);
    await go.move(moved, 'Done');
    await go.becomes(id, 'needs_rerun');
  });

  it('S8 links an issue made by hand, refuses one that is taken, and unlinks it', async () => {
    const source = await go.source();
    await go.report(source, { failed: ['one', 'two'] });
    const [one = '', two = ''] = await go.findings(source);
    const key = await byHand();
    const linked = await must(stack.api('POST', `/api/v1/findings/${one}/link`, { jiraKey: key }));
    expect(linked).toMatchObject({ status: 'awaiting_fix', jira: { key } });
    const taken = await stack.api('POST', `/api/v1/findings/${two}/link`, { jiraKey: key });
    expect(taken).toMatchObject({ status: 409, body: { code: 'issue_taken' } });
    const unknown = await stack.api('POST', `/api/v1/findings/${two}/link`, { jiraKey: 'ACC-99999' });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'issue_not_found' } });

    const free = await must(stack.api('DELETE', `/api/v1/findings/${one}/link`));
    expect(free).toMatchObject({ status: 'open', jira: null });
    await go.move(key, 'Done');
    await go.quiet(one);
    expect(await go.finding(one)).toMatchObject({ status: 'open' });
    expect(await must(stack.api('POST', `/api/v1/findings/${two}/link`, { jiraKey: key }))).toMatchObject({
      jira: { key },
    });
    await go.becomes(two, 'needs_rerun');
  });
});

describe('V7: regressions', () => {
  it('V7 P6 seen again after verified it is open, and pushing makes a new issue of a new generation', async () => {
    const { source, id, key } = await go.flagged();
    await go.verdict(await go.session(source, [id]), id, 'pass');
    await go.becomes(id, 'verified');
    expect(await go.report(source, { failed: ['adds to the cart'] })).toMatchObject({
      findings: { new: 0, regressed: 1 },
    });
    await go.becomes(id, 'open');

    const { items } = await go.push(source, [id]);
    expect(items).toMatchObject([{ finding: id, outcome: 'created' }]);
    expect(items[0].jiraKey).not.toBe(key);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', jira: { key: items[0].jiraKey } });
    const { rows } = await stack.db.query<{ marker: string; jira_key: string }>(
      `select l.marker, l.jira_key from issue_link l join finding f on f.id = l.finding_id
       where f.number = $1 order by l.generation`,
      [Number(id.slice(2))],
    );
    expect(rows.map((row) => row.jira_key)).toEqual([key, items[0].jiraKey]);
    expect(new Set(rows.map((row) => row.marker)).size).toBe(2);
    await go.move(items[0].jiraKey, 'Done');
    await go.becomes(id, 'needs_rerun');
  });
});

describe('C: connections', () => {
  const account = () => ({
    siteUrl: stack.local.jiraUrl,
    email: stack.local.jiraEmail,
    apiToken: stack.local.jiraApiToken,
    projectKey: 'ACC',
  });

  it.each([
    ['an address with a path', { siteUrl: 'https://shop.atlassian.net/jira' }],
    ['an address without https', { siteUrl: 'http://shop.example.test' }],
    ['a private address', { siteUrl: 'https://127.0.0.1:1' }],
    ['a wrong token', { apiToken: 'wrong' }],
    ['an unknown e-mail', { email: 'nobody@example.test' }],
    ['a project key in the wrong case', { projectKey: 'acc' }],
    ['an unknown project', { projectKey: 'NOPE' }],
  ])('C1 C4 refuses %s with cause and cure', async (_, wrong) => {
    const before = await must(stack.api('GET', '/api/v1/connections'));
    const { status, body } = await stack.api('POST', '/api/v1/connections', { ...account(), ...wrong });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).toMatchObject({ code: expect.any(String), detail: expect.stringMatching(/\. /) });
    expect(JSON.stringify(body)).not.toContain(account().apiToken);
    expect(await must(stack.api('GET', '/api/v1/connections'))).toEqual(before);
  });

  it('C8 a disconnected site refuses pushes at once and keeps its links as history', async () => {
    const made = await must(stack.api('POST', '/api/v1/connections', account()));
    expect(await must(stack.api('POST', `/api/v1/connections/${made.id}/test`))).toMatchObject({ ok: true });
    const key = `away-${randomUUID().slice(0, 8)}`;
    const source = { key, name: key, kind: 'suite', connection: made.id, projectKey: 'ACC', rule: { enabled: true } };
    await must(stack.api('POST', '/api/v1/sources', source));
    await go.report(key, { failed: ['one', 'two'] });
    const [one = '', two = ''] = await go.findings(key);
    const { items } = await go.push(key, [one]);
    expect(items).toMatchObject([{ outcome: 'created' }]);

    expect((await stack.api('DELETE', `/api/v1/connections/${made.id}`)).status).toBe(204);
    const refused = await must(stack.api('POST', '/api/v1/pushes', { source: key, findings: [two] }));
    expect(refused).toMatchObject({ status: 'completed', items: [{ outcome: 'refused', reason: expect.any(String) }] });
    expect(await go.finding(one)).toMatchObject({ jira: { key: items[0].jiraKey } });
    const hook = new URL(made.webhookUrl);
    expect((await stack.apiAs(null)('POST', hook.pathname + hook.search, {})).status).toBe(404);
  });
});
