// Pushing a finding to another Jira connection than its source's, chosen in Slack or by HTTP.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

type Message = { ts: string; text: string };
type View = { id: string; submit: { text: string } | null; blocks: unknown[] };

let stack: Stack;
let go: Steps;
/** Another connection, whose project is WEB. */
let other: string;
const people: Record<string, string> = {};

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack, { stories: 'elsewhere' });
  for (const { role, slackUserId } of stack.local.members) people[role] = slackUserId;
  const { jiraUrl, jiraBotEmail, jiraBotApiToken } = stack.local;
  const account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken, projectKey: 'WEB' };
  other = (await must(stack.api('POST', '/api/v1/connections', account))).id;
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});

const act = (name: string, body: object) => must(stack.slack('POST', `/act/${name}`, { user: people.member, ...body }));
const rule = (source: string, change: object) => must(stack.api('PUT', `/api/v1/sources/${source}/rule`, change));

async function reported(otherConnections: string[], failed = ['one']): Promise<{ source: string; ids: string[] }> {
  const source = await go.source();
  if (otherConnections.length > 0) await rule(source, { otherConnections });
  await go.report(source, { failed });
  return { source, ids: await go.findings(source) };
}

/** Where the issues of a finding were made. */
async function madeIn(id: string): Promise<{ connection: string; project: string; state: string }[]> {
  const { rows } = await stack.db.query<{ connection: string; project: string; state: string }>(
    `select l.connection_id as connection, l.project_key as project, l.state from issue_link l
     join finding f on f.id = l.finding_id where f.number = $1 order by l.generation`,
    [Number(id.slice(2))],
  );
  return rows;
}

/** Opens the window that asks where to, from the card that `/recheck status` answers. */
async function asked(id: string, fits: (view: View) => boolean): Promise<View> {
  const channel = stack.local.slackChannelId;
  const { ephemerals } = await act('command', { channel, text: `status ${id}`, wait: 10_000 });
  const [card] = ephemerals as Message[];
  await act('click', { channel, ts: card?.ts, actionId: 'finding.more', value: `elsewhere ${id}` });
  return await until(
    async () => {
      const { view } = await must(stack.slack('GET', `/state?user=${people.member}`));
      if (!view || !fits(view)) throw new Error(JSON.stringify(view));
      return view as View;
    },
    { what: 'the window that asks where to' },
  );
}

describe('P1 pushing to another connection that the rule allows', () => {
  it('P1 pushes to the connection that was chosen in Slack, once', async () => {
    const { source, ids } = await reported([other]);
    const [id = ''] = ids;
    const view = await asked(id, ({ submit }) => submit?.text === 'Push');
    expect(JSON.stringify(view.blocks)).toContain('WEB in ');
    await act('submit', { viewId: view.id, values: { connection: other, text: 'Belongs to the web team' } });
    const { jira } = await go.becomes(id, 'awaiting_fix');
    expect(jira.key).toMatch(/^WEB-/);
    expect(await madeIn(id)).toEqual([{ connection: other, project: 'WEB', state: 'linked' }]);
    // Asked for again, by whichever way, it is that issue.
    const again = await go.push(source, [id]);
    expect(again.items).toEqual([expect.objectContaining({ outcome: 'reused', jiraKey: jira.key })]);
  });

  it('P1 says in Slack that the rule allows none', async () => {
    const { ids } = await reported([]);
    const view = await asked(ids[0] ?? '', ({ blocks }) => JSON.stringify(blocks).includes('no other Jira connection'));
    expect(view.submit).toBeNull();
  });

  it('P1 refuses a connection that the rule does not allow, also one that it allowed before', async () => {
    const { source, ids } = await reported([]);
    const push = (body: object) => stack.api('POST', '/api/v1/pushes', { source, findings: ids, ...body });
    const refused = await must(push({ connection: other }));
    expect(refused.items).toEqual([
      { finding: ids[0], outcome: 'refused', reason: expect.stringContaining('does not let pushes go to that') },
    ]);
    expect((await push({ connection: '00000000-0000-4000-8000-000000000000' })).status).toBe(404);

    await rule(source, { otherConnections: [other], approval: 'all' });
    const waits = await must(push({ connection: other }));
    expect(waits.status).toBe('awaiting_approval');
    await rule(source, { otherConnections: [] });
    const admin = stack.local.members.find(({ role }) => role === 'admin')?.apiKey ?? '';
    await must(stack.apiAs(admin)('POST', `/api/v1/pushes/${waits.id}/approve`, {}));
    const ended = await go.pushEnds(waits.id);
    expect(ended.items).toEqual([expect.objectContaining({ outcome: 'refused' })]);
    expect(await madeIn(ids[0] ?? '')).toEqual([]);
  });

  it('P1 C10 holds a push for the connection that was chosen, and lets it go there', async () => {
    const { source, ids } = await reported([other], ['one', 'two']);
    const setStatus = (status: string) =>
      stack.db.query(
        'update connection set status = $2, broken_at = case when $2 = $3 then null else now() end where id = $1',
        [...[other, status, 'connected']],
      );
    await setStatus('reconnect_required');
    const { id } = await must(stack.api('POST', '/api/v1/pushes', { source, findings: ids, connection: other }));
    await until(
      async () => {
        const { items } = await must(stack.api('GET', `/api/v1/pushes/${id}`));
        return items.every(({ outcome }: { outcome: string }) => outcome === 'held');
      },
      { what: 'the push being held' },
    );
    const connections = (await must(stack.api('GET', '/api/v1/connections'))).items;
    const held = new Map(
      connections.map((each: { id: string; health: { heldPushes: number } }) => [each.id, each.health.heldPushes]),
    );
    expect([held.get(other), held.get(stack.local.connectionId)]).toEqual([2, 0]);
    // The source's own connection works: it is none of its.
    expect((await must(stack.api('GET', `/api/v1/sources/${source}/choices`))).held).toBeNull();
    await must(stack.api('POST', `/api/v1/connections/${stack.local.connectionId}/test`));
    expect((await must(stack.api('GET', `/api/v1/pushes/${id}`))).items[0].outcome).toBe('held');
    await must(stack.api('POST', `/api/v1/connections/${other}/test`));
    const { items } = await go.pushEnds(id);
    expect(items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['created', 'created']);
    for (const each of ids) expect(await madeIn(each)).toEqual([expect.objectContaining({ connection: other })]);
  });

  it('P1 survives the death of every worker between the choice and the issue', async () => {
    const { source, ids } = await reported([other]);
    await stack.killWorker('SIGKILL');
    const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: ids, connection: other }));
    await stack.startWorker();
    const { items } = await go.pushEnds(push.id);
    expect(items[0]).toMatchObject({ outcome: 'created', jiraKey: expect.stringMatching(/^WEB-/) });
    expect(await madeIn(ids[0] ?? '')).toHaveLength(1);
  });

  it('R1 keeps no connection of nobody in a rule', async () => {
    const source = await go.source();
    const unknown = { otherConnections: ['00000000-0000-4000-8000-000000000000'] };
    expect((await stack.api('PUT', `/api/v1/sources/${source}/rule`, unknown)).status).toBe(404);
    expect(await rule(source, { otherConnections: [other] })).toMatchObject({ otherConnections: [other] });
  });
});
