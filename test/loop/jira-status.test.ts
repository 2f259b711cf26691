// What an issue says in Jira comes to the card of its finding, also where the finding stays as it is.

import { type Stack, startStack } from '../support/stack';
import { createPollSteps } from '../sync/poll-steps';

let stack: Stack;
let go: ReturnType<typeof createPollSteps>;

beforeAll(async () => {
  stack = await startStack({});
  go = createPollSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

describe('B2 the status in Jira', () => {
  it('B2 S5 comes with a webhook, and changes nothing else', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'In Progress');
    await go.cardSays(id, `${key} (In Progress)`);
    await go.move(key, 'In Review');
    await go.cardSays(id, `${key} (In Review)`);
    await go.move(key, 'Done', "Won't Do");
    await go.becomes(id, 'blocked');
    await go.cardSays(id, `${key} (Done, Won't Do)`);
    expect((await go.history(id)).map(({ event }) => event)).toEqual(['found', 'push_asked', 'pushed', 'blocked']);
  }, 300_000);

  it('B2 S6 comes with a poll: that of an issue that nobody has read yet, and a change', async () => {
    await go.silenceJira();
    const { id, key } = await go.pushed();
    await go.sync();
    await go.cardSays(id, `${key} (To Do)`);
    await go.move(key, 'In Progress');
    await go.sync();
    await go.cardSays(id, `${key} (In Progress)`);
    expect((await go.history(id)).map(({ event }) => event)).toEqual(['found', 'push_asked', 'pushed']);
    const { rows } = await stack.db.query(
      'select 1 from delivery d join issue_link l on l.jira_issue_id = d.jira_issue_id where l.jira_key = $1',
      [key],
    );
    expect(rows).toEqual([]);
  }, 300_000);
});
