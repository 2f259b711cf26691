// What an issue says in Jira comes to the card of its finding, also where the finding stays as it is.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
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

const cardSays = (id: string, words: string) =>
  until(
    async () => {
      const { slackUserId, slackChannelId } = stack.local;
      const { channels } = await must(stack.slack('GET', `/state?user=${slackUserId}&channel=${slackChannelId}`));
      const all = (channels as { messages?: { text: string }[] }[]).flatMap(({ messages = [] }) => messages);
      const card = JSON.stringify(all.find(({ text }) => text.startsWith(`${id}, `)));
      if (!card?.includes(words)) throw new Error(card);
      return card;
    },
    { seconds: 60, what: `the card of ${id} saying “${words}”` },
  );

describe('B2 the status in Jira', () => {
  it('B2 S5 comes with a webhook, and changes nothing else', async () => {
    const { id, key } = await go.pushed();
    await go.move(key, 'In Progress');
    await cardSays(id, `${key} (In Progress)`);
    await go.move(key, 'In Review');
    await cardSays(id, `${key} (In Review)`);
    await go.move(key, 'Done', "Won't Do");
    await go.becomes(id, 'blocked');
    await cardSays(id, `${key} (Done, Won't Do)`);
    expect((await go.history(id)).map(({ event }) => event)).toEqual(['found', 'push_asked', 'pushed', 'blocked']);
  }, 300_000);

  it('B2 S6 comes with a poll: that of an issue that nobody has read yet, and a change', async () => {
    await go.silenceJira();
    const { id, key } = await go.pushed();
    await go.sync();
    await cardSays(id, `${key} (To Do)`);
    await go.move(key, 'In Progress');
    await go.sync();
    await cardSays(id, `${key} (In Progress)`);
    expect((await go.history(id)).map(({ event }) => event)).toEqual(['found', 'push_asked', 'pushed']);
    const { rows } = await stack.db.query(
      'select 1 from delivery d join issue_link l on l.jira_issue_id = d.jira_issue_id where l.jira_key = $1',
      [key],
    );
    expect(rows).toEqual([]);
  }, 300_000);
});
