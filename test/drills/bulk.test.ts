// A bulk push while everything that can be killed is killed: server, worker, and the Jira that they talk to, which runs
// as a process of its own here. PostgreSQL and Temporal stay up: what they promise is theirs to test.

import { createSteps, type Steps } from '../loop/steps';
import { createDatabase } from '../support/database';
import { type Stack, startStack } from '../support/stack';
import { createCaller, createFaults, must } from '../support/stack-clients';
import { launch, type Running, untilUp } from '../support/stack-processes';
import { until } from '../support/until';

const findings = 100;
const kills = 5;

type Item = { finding: string; outcome: string; jiraKey?: string };
type Push = { id: string; status: string; items: Item[] };
type Ready = { jiraUrl: string; accounts: { bot: { email: string; apiToken: string } } };

/** The sandbox as a process that can be killed, and comes back at the same port with all its issues. */
async function startKillableJira() {
  const database = await createDatabase();
  let running: Running | undefined;
  let port = 0;
  async function start(): Promise<Ready> {
    const child = launch('local/sandbox/main.js', {
      SANDBOX_DATABASE_URL: database.url,
      SANDBOX_JIRA_PORT: String(port),
      SLACK_REQUEST_URL: 'http://127.0.0.1:9/slack/events',
      SLACK_SIGNING_SECRET: 'unused',
      SLACK_BOT_TOKEN: 'xoxb-unused',
    });
    running = child;
    await untilUp(child, 'the sandbox', () => child.log().includes('"ready":true'));
    const ready = JSON.parse(child.log().trim().split('\n').at(-1) ?? '') as Ready;
    port = Number(new URL(ready.jiraUrl).port);
    return ready;
  }
  return {
    start,
    kill: async () => running?.signal('SIGKILL'),
    async stop(): Promise<void> {
      await running?.signal('SIGKILL');
      await database.drop();
    },
  };
}

describe('drill: everything is killed during a bulk push', () => {
  let killable: Awaited<ReturnType<typeof startKillableJira>>;
  let stack: Stack;
  let go: Steps;
  let sandbox: ReturnType<typeof createCaller>;
  let faults: ReturnType<typeof createFaults>;

  beforeAll(async () => {
    killable = await startKillableJira();
    const { jiraUrl, accounts } = await killable.start();
    sandbox = createCaller(`${jiraUrl}/sandbox`);
    faults = createFaults(sandbox);
    stack = await startStack({ env: { PUSH_INTERVAL_MS: '100', JIRA_ALLOWED_HTTP_ORIGINS: jiraUrl } });
    const account = { siteUrl: jiraUrl, email: accounts.bot.email, apiToken: accounts.bot.apiToken };
    const { id } = await must(stack.api('POST', '/api/v1/connections', { ...account, projectKey: 'ACC' }));
    go = createSteps({ ...stack, local: { ...stack.local, connectionId: id } }, { stories: 'drilled' });
  }, 300_000);
  afterAll(async () => {
    await stack?.stop();
    await killable?.stop();
  });

  const show = (id: string) => must<Push>(stack.api('GET', `/api/v1/pushes/${id}`));
  const made = async (id: string) => (await show(id)).items.filter(({ outcome }) => outcome === 'created').length;

  it('P6 P5 a hundred findings, all killed five times: a hundred issues, no duplicate, no gap', async () => {
    const source = await go.source();
    await go.report(source, { failed: Array.from({ length: findings }, (_, index) => `test ${index}`) });
    const { id } = await must<Push>(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
    for (let kill = 1; kill <= kills; kill += 1) {
      const before = await made(id);
      await until(async () => (await made(id)) >= before + 8, { seconds: 120, what: `issues before kill ${kill}` });
      // Jira has made some whose answers are not given yet: these answers are lost.
      const hold = await faults.add({ kind: 'hold', match: { method: 'POST', path: '/issue$' } });
      await until(async () => ((await faults.get(hold.id))?.waiting ?? 0) >= 3, {
        what: `answers held at kill ${kill}`,
      });
      await Promise.all([killable.kill(), stack.killWorker('SIGKILL'), stack.killServer('SIGKILL')]);
      await killable.start();
      await faults.clear();
      await Promise.all([stack.startServer(), stack.startWorker()]);
    }
    // Each kill found work under way.
    expect(await made(id)).toBeLessThan(findings);
    const { items } = (await go.pushEnds(id, 180)) as Push;
    expect(items.map(({ outcome }) => outcome)).toEqual(Array(findings).fill('created'));
    expect(new Set(items.map(({ jiraKey }) => jiraKey)).size).toBe(findings);

    const { rows } = await stack.db.query<{ marker: string }>(
      `select l.marker from issue_link l join finding f on f.id = l.finding_id join source s on s.id = f.source_id
       where s.key = $1`,
      [source],
    );
    const inJira = await must<{ byLabel: Record<string, number> }>(sandbox('GET', '/issues?markerPrefix=recheck-'));
    expect(inJira.byLabel).toEqual(Object.fromEntries(rows.map(({ marker }) => [marker, 1])));
    expect(rows).toHaveLength(findings);
    // However often it was killed, what an operator reads stays short.
    const history = await stack.temporal.workflow.getHandle(`push:${id}`).fetchHistory();
    expect(history.events?.length).toBeLessThan(60);
  }, 900_000);
});
