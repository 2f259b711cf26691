// What people ask for while Jira does not answer: it is taken, said to be so, and done although Jira is still away.

import { randomUUID } from 'node:crypto';
import { createOperations } from '../../api/operations';
import type { OperationDeps } from '../../api/operations/deps';
import type { Refusal } from '../../api/operations/refusal';
import { NotDoneYet } from '../../workflows/rules/not-done-yet';
import { owner } from '../http/support';
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

it('S8 O2 unlinking while Jira is away is taken, told so, and done before Jira is back', async () => {
  const { id, key } = await go.pushed();
  const { id: issueId } = await go.issue(key);
  await stack.faults.add({ kind: 'status', status: 503, match: { method: 'GET', path: `/issue/${issueId}` } });
  await go.move(key, 'Done');
  const reads = async () => {
    const { items } = await must<{ items: { method: string; path: string }[] }>(stack.sandbox('GET', '/requests'));
    return items.filter(({ method, path }) => method === 'GET' && path.endsWith(`/issue/${issueId}`)).length;
  };
  await until(async () => (await reads()) > 0, { what: 'the reading of the issue' });
  const answer = await stack.api('DELETE', `/api/v1/findings/${id}/link`);
  expect(answer).toMatchObject({ status: 503, body: { code: 'not_done_yet' } });
  expect(await go.becomes(id, 'open', 60)).toMatchObject({ jira: null });
  expect(await go.count(id, 'unlinked')).toBe(1);
  expect(await go.count(id, 'claimed')).toBe(0);
});

it('S8 O2 the words for that fit whoever asked', async () => {
  const session = { id: randomUUID(), sourceKey: 'shop', suite: null, status: 'planned', cases: [] };
  const operations = createOperations({
    db: { sessions: { find: async () => session } },
    engine: {
      cancelSession: async () => {
        throw new NotDoneYet('session:x has taken an update and not ended it in time.');
      },
    },
  } as unknown as OperationDeps);
  const refusal = (await operations.cancelSession(owner, session.id).catch((error: unknown) => error)) as Refusal;
  expect(refusal).toMatchObject({ code: 'not_done_yet', status: 503 });
  for (const said of [refusal.message, refusal.inSlack]) expect(said).toContain('It was taken and goes on by itself');
  expect(refusal.message).toContain('GET');
  expect(refusal.inSlack).not.toContain('GET');
});
