import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack({ env: { SETTLE_MS: '3000' } });
  go = createSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

describe('S5: the settle delay', () => {
  it('S5 a resolution that is set a moment after Done is read with it: blocked, never flagged', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'Done');
    await must(stack.jira('PUT', `/rest/api/3/issue/${key}`, { fields: { resolution: { name: 'Duplicate' } } }));
    await go.becomes(id, 'blocked');
    expect(await go.count(id, 'claimed')).toBe(0);
  });

  it('S5 Done that is taken back a moment later was no claim', async () => {
    const { id, key } = await go.pushed();
    const before = await go.history(id);
    await go.move(key, 'Done');
    await go.move(key, 'In Progress');
    const reads = async () => {
      const { items } = await must<{ items: { method: string; path: string }[] }>(stack.sandbox('GET', '/requests'));
      const { id: issueId } = await go.issue(key);
      return items.filter(({ method, path }) => method === 'GET' && path.endsWith(`/issue/${issueId}`)).length;
    };
    await until(async () => (await reads()) > 0, { what: 'the reading of the issue' });
    await go.quiet(id);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', history: before });
  });
});
