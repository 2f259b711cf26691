// A connection that was ended: everything that hung on it says so, in Slack and over HTTP, and what to do.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

type Message = { text: string; blocks?: unknown[]; ephemeral?: boolean };

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

/** What an owner is told in Slack for a command. */
async function told(text: string): Promise<string> {
  const { slackUserId: user, slackChannelId: channel } = stack.local;
  const { ephemerals } = await must(stack.slack('POST', '/act/command', { user, channel, text, wait: 20_000 }));
  return (ephemerals as Message[]).map((each) => each.text).join('\n');
}

/** The card of a finding in the channel, as soon as it says (or does not say any more) that nothing syncs. */
const card = (id: string, { followed }: { followed: boolean }) =>
  until(
    async () => {
      const { slackUserId, slackChannelId } = stack.local;
      const { channels } = await must(stack.slack('GET', `/state?user=${slackUserId}&channel=${slackChannelId}`));
      const all = (channels as { messages?: Message[] }[]).flatMap(({ messages = [] }) => messages);
      const found = all.find(({ text, ephemeral }) => !ephemeral && text.startsWith(`${id}, `));
      if (!found || found.text.includes('was disconnected') === followed) throw new Error(found?.text ?? 'no card');
      return found;
    },
    { seconds: 60, what: `the card of ${id}` },
  );

it('C8 R2 B9 sources, findings and cards of an ended connection say that nothing syncs, until its links are adopted', async () => {
  const { jiraUrl, jiraBotEmail, jiraBotApiToken } = stack.local;
  const account = { siteUrl: jiraUrl, email: jiraBotEmail, apiToken: jiraBotApiToken, projectKey: 'ACC' };
  const connect = (more: object = {}) => must(stack.api('POST', '/api/v1/connections', { ...account, ...more }));
  const source = async (key: string) => {
    const { items } = await must(stack.api('GET', '/api/v1/sources?limit=200'));
    return (items as { key: string; warnings: string[] }[]).find((each) => each.key === key);
  };

  const { id: connection } = await connect();
  const named = { kind: 'suite', connection, projectKey: 'ACC' };
  await must(stack.api('POST', '/api/v1/sources', { ...named, key: 'on', name: 'On', rule: { enabled: true } }));
  await must(stack.api('POST', '/api/v1/sources', { ...named, key: 'off', name: 'Off' }));
  await go.report('on', { failed: ['pays'] });
  const [id = ''] = await go.findings('on');
  await go.push('on', [id]);
  expect(await go.becomes(id, 'awaiting_fix')).toMatchObject({ notFollowed: null });
  expect(await source('on')).toMatchObject({ warnings: [] });
  await card(id, { followed: true });
  expect(await told('connect')).not.toContain('adopted');

  const is = (status: string) =>
    stack.db.query('update connection set status = $2 where id = $1', [connection, status]);
  await is('reconnect_required');
  const refused = [expect.stringMatching(/refuses the credentials of its connection: .* Reconnect it\.$/)];
  for (const key of ['on', 'off']) expect(await source(key)).toMatchObject({ warnings: refused });
  await is('connected');
  expect(await source('on')).toMatchObject({ warnings: [] });

  await must(stack.api('DELETE', `/api/v1/connections/${connection}`));
  const warning = expect.stringContaining('Its Jira connection was disconnected');
  for (const key of ['on', 'off']) {
    expect(await source(key)).toMatchObject({ warnings: [warning] });
    expect(await must(stack.api('GET', `/api/v1/sources/${key}/rule`))).toMatchObject({ warnings: [warning] });
  }
  expect(await told('rules')).toMatch(/Warning:\* Its Jira connection was disconnected: .* Choose another one\./);
  const cure = 'type "/recheck connect", connect the same site again and adopt its links';
  expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', notFollowed: expect.stringContaining(cure) });
  for (const command of [`why ${id}`, `status ${id}`]) {
    const text = await told(command);
    expect(text).toContain(cure);
    expect(text).toContain('It waits for an admin to connect its Jira site again');
    expect(text).not.toContain('marked Done');
  }
  await card(id, { followed: false });
  expect(await told('connect')).toMatch(/disconnected .*Its 1 link to issues can be adopted .*still name it: off, on/);

  const { id: next } = await connect({ adoptFrom: connection });
  for (const key of ['on', 'off']) {
    const rule = await must(stack.api('PUT', `/api/v1/sources/${key}/rule`, { connection: next }));
    expect(rule.warnings).not.toContainEqual(warning);
    expect(await source(key)).toMatchObject({ warnings: [] });
  }
  expect(await go.finding(id)).toMatchObject({ notFollowed: null });
  await card(id, { followed: true });
  expect(await told('connect')).not.toContain('can be adopted');
}, 300_000);
