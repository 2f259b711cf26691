import { createSteps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSlackPeople, signedIn } from './support';

jest.setTimeout(240_000);

describe('disconnecting and coming back', () => {
  let stack: Stack;
  let steps: ReturnType<typeof createSteps>;
  let account: { siteUrl: string; email: string; apiToken: string };
  beforeAll(async () => {
    stack = await startStack();
    steps = createSteps(stack);
    const { jiraUrl = '', jiraBotEmail = '', jiraBotApiToken = '' } = stack.local;
    account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken };
  });
  afterAll(() => stack?.stop());

  const list = async () => (await must(stack.api('GET', '/api/v1/connections'))).items as { id: string }[];

  /** A connection with a source, and a finding of it that is linked to an issue. */
  async function linked(key: string): Promise<{ id: string; finding: string; jiraKey: string }> {
    const { id } = await must(
      stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC', autoSync: true }),
    );
    const source = { key, name: key, kind: 'suite', connection: id, projectKey: 'ACC', rule: { enabled: true } };
    await must(stack.api('POST', '/api/v1/sources', source));
    await steps.report(key, { failed: [`${key} fails`] });
    const [finding = ''] = await steps.findings(key);
    await must(stack.api('POST', '/api/v1/pushes', { source: key, findings: [finding] }));
    const { jira } = await steps.becomes(finding, 'awaiting_fix');
    return { id, finding, jiraKey: jira.key };
  }

  const linkOf = async (finding: string) =>
    (
      await stack.db.query(
        `select l.connection_id as connection, l.active, l.state, l.jira_key as key from issue_link l
         join finding f on f.id = l.finding_id where f.number = $1`,
        [Number(finding.slice(2))],
      )
    ).rows;

  it('C8 asks on the page, then erases, refuses pushes and deliveries at once, stops the poll and keeps the links', async () => {
    const { id, finding, jiraKey } = await linked('c8-page');
    const scheduled = async () => {
      for await (const { scheduleId } of stack.temporal.schedule.list()) if (scheduleId.includes(id)) return true;
      return false;
    };
    await until(scheduled, { what: 'the schedule of the poll', seconds: 60 });
    const browser = await signedIn(stack);
    const asked = await browser.open(`/connect/connections/${id}/disconnect`);
    expect(asked.text).toContain('credentials and secrets are erased');
    expect(asked.text).toContain(
      'This source is routed to it, and pushes nothing until its rule names another connection: c8-page.',
    );
    expect(asked.text).toContain(`API token of ${account.email}`);
    expect((await list()).some((each) => each.id === id)).toBe(true);
    const done = await browser.press('Disconnect');
    expect(done.text).toContain('The connection was ended');

    expect((await list()).some((each) => each.id === id)).toBe(false);
    const { rows } = await stack.db.query('select credentials, webhook_secret, status from connection where id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ credentials: null, webhook_secret: null, status: 'disconnected' }]);
    const path = `/api/integrations/jira/webhook?integration_id=${id}`;
    expect((await stack.apiAs(null)('POST', path, '{}', { 'x-hub-signature': 'sha256=00' })).status).toBe(404);
    for (const call of ['test', 'sync'])
      expect((await stack.api('POST', `/api/v1/connections/${id}/${call}`)).status).toBe(404);

    await steps.report('c8-page', { failed: ['c8-page fails', 'and another'] });
    const fresh = (await steps.findings('c8-page')).filter((each) => each !== finding);
    const push = await must(stack.api('POST', '/api/v1/pushes', { source: 'c8-page', findings: fresh }));
    expect(push.items).toEqual([
      expect.objectContaining({ outcome: 'refused', reason: expect.stringContaining('route the source to another') }),
    ]);
    expect(await linkOf(finding)).toEqual([{ connection: id, active: true, state: 'linked', key: jiraKey }]);
    expect((await must(stack.api('GET', `/api/v1/findings/${finding}`))).jira.key).toBe(jiraKey);
    await until(async () => !(await scheduled()), { what: 'the end of the poll', seconds: 60 });
  });

  it('C8 offers to adopt the old links on the page, and the adopted finding goes on round the loop', async () => {
    const { id, finding, jiraKey } = await linked('c8-adopt');
    await must(stack.api('DELETE', `/api/v1/connections/${id}`));
    const browser = await signedIn(stack);
    const offered = await browser.press('Connect with API token', { ...account, projectKey: 'ACC' });
    expect(offered.text).toMatch(/Adopt 1 link of the connection to this site \(ACC\)/);
    expect(offered.text).toMatch(/still name the old connection: c8-adopt\. Adopting moves the links alone/);
    const saved = await browser.press('Save connection');
    expect(saved.text).toMatch(/ (1 link of the old connection was|[2-9] links of the old connection were) adopted/);
    expect(saved.text).toMatch(/Sources to route .*c8-adopt/);
    expect(saved.text).toContain('PUT /api/v1/sources/{key}/rule');
    const [link] = await linkOf(finding);
    expect(link).toMatchObject({ active: true, state: 'linked', key: jiraKey });
    expect(link.connection).not.toBe(id);

    const { transitions } = await must(stack.jira('GET', `/rest/api/3/issue/${jiraKey}/transitions`));
    const doneId = transitions.find((each: { to: { name: string } }) => each.to.name === 'Done').id;
    await must(stack.jira('POST', `/rest/api/3/issue/${jiraKey}/transitions`, { transition: { id: doneId } }));
    await must(stack.api('POST', `/api/v1/connections/${link.connection}/sync`));
    await steps.becomes(finding, 'needs_rerun', 60);
  });

  it('C8 adopts over HTTP by adoptFrom, only from a disconnected connection to the same site', async () => {
    const { id, finding } = await linked('c8-http');
    const live = await stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC', adoptFrom: id });
    expect(live).toMatchObject({ status: 404, body: { detail: expect.stringContaining('disconnected connection') } });
    await must(stack.api('DELETE', `/api/v1/connections/${id}`));
    const made = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC', adoptFrom: id }));
    expect(made.adopted).toBe(1);
    expect(made.toRoute).toMatchObject({ how: expect.stringContaining(`"connection":"${made.id}"`) });
    expect(made.toRoute.sources).toContain('c8-http');
    await must(stack.api('PUT', '/api/v1/sources/c8-http/rule', { connection: made.id }));
    const page = await (await signedIn(stack)).open(`/connect/connections/${made.id}/webhook`);
    expect(page.text).not.toMatch(/Sources to route .*c8-http/);
    expect(await linkOf(finding)).toEqual([expect.objectContaining({ connection: made.id })]);
    const again = await stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC', adoptFrom: id });
    expect(again.status).toBe(404);
  });

  it('C8 refuses what was held by a connection that is ended', async () => {
    const { id, finding } = await linked('c8-held');
    await steps.report('c8-held', { failed: ['c8-held fails', 'held then ended'] });
    const fresh = (await steps.findings('c8-held')).filter((each) => each !== finding);
    const fault = await stack.faults.add({ kind: 'revoked', account: 'bot' });
    await must(stack.api('POST', `/api/v1/connections/${id}/test`));
    const push = await must(stack.api('POST', '/api/v1/pushes', { source: 'c8-held', findings: fresh }));
    const item = async () => (await must(stack.api('GET', `/api/v1/pushes/${push.id}`))).items[0];
    await until(async () => (await item()).outcome === 'held', { what: 'the held push', seconds: 60 });
    await must(stack.api('DELETE', `/api/v1/connections/${id}`));
    await until(async () => (await item()).outcome === 'refused', { what: 'the refused push', seconds: 60 });
    expect((await item()).reason).toMatch(/connect/i);
    await stack.faults.remove(fault.id);
  });

  it('C8 lets an admin disconnect in Slack, asked once more, and leaves the connection where it is kept', async () => {
    const { id } = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'WEB' }));
    const people = createSlackPeople(stack);
    const which = await people.types('owner', 'disconnect');
    expect(which.text).toContain(`*${account.siteUrl}* (WEB, API token of ${account.email})`);
    expect(which.raw).toContain(`, WEB, API token of`);
    const kept = await people.presses(
      'owner',
      await people.presses('owner', which, 'connect.ask_disconnect', id),
      'connect.keep',
    );
    expect(kept.text).toContain('Nothing was disconnected');
    expect((await list()).some((each) => each.id === id)).toBe(true);
    const again = await people.types('owner', 'disconnect');
    const sure = await people.presses('owner', again, 'connect.ask_disconnect', id);
    expect(sure.text).toContain(`(WEB, API token of ${account.email})`);
    expect(sure.text).toContain('No source is routed to it');
    expect((await people.presses('owner', sure, 'connect.disconnect')).text).toContain('is disconnected');
    expect((await list()).some((each) => each.id === id)).toBe(false);
  });
});
