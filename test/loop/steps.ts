// The steps of a story round the loop, as a person or a CI job takes them: through HTTP and Jira only.
import { randomUUID } from 'node:crypto';
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

export type Pushed = { source: string; id: string; key: string };
export type Steps = ReturnType<typeof createSteps>;
type Rule = { projectKey?: string; onJiraDone?: string; onVerifyFail?: string };
type HistoryEvent = { at: string; actor: string; event: string; detail: string };

/** A JUnit file with these tests; without a date, so that the run counts as begun now. */
export function junit({
  failed = [],
  passed = [],
}: {
  failed?: readonly string[];
  passed?: readonly string[];
}): string {
  const cases = [
    ...failed.map(
      (name) => `<testcase classname="shop" name="${name}"><failure message="broken">at 1</failure></testcase>`,
    ),
    ...passed.map((name) => `<testcase classname="shop" name="${name}"/>`),
  ];
  return `<testsuites><testsuite name="shop" tests="${cases.length}">${cases.join('')}</testsuite></testsuites>`;
}

/** The steps on one stack. Each story takes a source of its own, so that stories do not meet; `stories` names them. */
export function createSteps(stack: Stack, { stories = 'story' }: { stories?: string } = {}) {
  const { api, jira, sandbox, db } = stack;
  let sources = 0;

  /** Makes an enabled source with a rule, and answers its key. Its project is ACC unless the rule says otherwise. */
  async function source(rule: Rule = {}): Promise<string> {
    sources += 1;
    const key = `${stories}-${sources}`;
    const { connectionId, jiraProject } = stack.local;
    const projectKey = rule.projectKey ?? jiraProject;
    const made = { key, name: key, kind: 'suite', connection: connectionId, projectKey };
    await must(api('POST', '/api/v1/sources', { ...made, rule: { enabled: true, ...rule } }));
    return key;
  }

  const report = (to: string, file: Parameters<typeof junit>[0]) =>
    must(api('POST', `/api/v1/sources/${to}/reports`, junit(file), { 'idempotency-key': randomUUID() }));

  /** The findings of a source, by short number. */
  async function findings(of: string): Promise<string[]> {
    const { items } = await must(api('GET', `/api/v1/findings?source=${of}&limit=200`));
    return (items as { id: string }[]).map((item) => item.id);
  }

  const finding = (id: string) => must(api('GET', `/api/v1/findings/${id}`));
  const history = async (id: string) => (await finding(id)).history as HistoryEvent[];

  const becomes = (id: string, status: string, seconds = 30) =>
    until(
      async () => {
        const found = await finding(id);
        if (found.status !== status) throw new Error(`${found.status}, history ${JSON.stringify(found.history)}`);
        return found;
      },
      { seconds, what: `${id} becoming ${status}` },
    );

  /** A push as it ends. */
  const push = async (from: string, what: string[] | 'all') => {
    const { id } = await must(api('POST', '/api/v1/pushes', { source: from, findings: what }));
    return await pushEnds(id);
  };
  const pushEnds = (id: string, seconds = 60) =>
    until(
      async () => {
        const found = await must(api('GET', `/api/v1/pushes/${id}`));
        if (found.status !== 'completed') throw new Error(JSON.stringify(found));
        return found;
      },
      { seconds, what: `the end of push ${id}` },
    );

  /** A source with findings that are in Jira. */
  async function pushedAll(names: readonly string[], rule: Rule = {}): Promise<Pushed[]> {
    const from = await source(rule);
    await report(from, { failed: names });
    const { items } = await push(from, await findings(from));
    return (items as { finding: string; jiraKey: string }[]).map(({ finding: id, jiraKey }) => ({
      source: from,
      id,
      key: jiraKey,
    }));
  }
  async function pushed(rule: Rule = {}): Promise<Pushed> {
    const [one] = await pushedAll(['adds to the cart'], rule);
    if (!one) throw new Error('Nothing was pushed.');
    return one;
  }

  const issue = (key: string) => must(jira('GET', `/rest/api/3/issue/${key}`));

  /** Moves an issue as a person: to a status by name, with a resolution where Jira asks for one. */
  async function move(key: string, to: string, resolution?: string): Promise<void> {
    const { transitions } = await must(jira('GET', `/rest/api/3/issue/${key}/transitions`));
    const way = (transitions as { id: string; to: { name: string } }[]).find((each) => each.to.name === to);
    if (!way) throw new Error(`There is no transition of ${key} to ${to}.`);
    const fields = resolution ? { fields: { resolution: { name: resolution } } } : {};
    await must(jira('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: way.id }, ...fields }));
  }

  async function flagged(rule: Rule = {}): Promise<Pushed> {
    const one = await pushed(rule);
    await move(one.key, 'Done');
    await becomes(one.id, 'needs_rerun');
    return one;
  }

  /** A session that holds these cases. */
  const session = async (of: string, ids: string[]): Promise<string> =>
    (await must(api('POST', '/api/v1/sessions', { source: of, findings: ids }))).id;
  const verdict = (sessionId: string, id: string, said: 'pass' | 'fail' | 'skip') =>
    must(api('POST', `/api/v1/sessions/${sessionId}/verdicts`, [{ finding: id, verdict: said }]));

  /** How many events of a name stand in the history of a finding. */
  const count = async (id: string, event: string) => (await history(id)).filter((each) => each.event === event).length;

  /** The workflow of a finding. */
  async function lifecycle(id: string) {
    const { rows } = await db.query<{ id: string }>('select id from finding where number = $1', [Number(id.slice(2))]);
    return stack.temporal.workflow.getHandle(`finding:${rows[0]?.id}`);
  }

  /**
   * Waits until Jira has told everything, the relay has passed it on, and the lifecycle of the finding has nothing
   * under way: what has not happened by then does not happen.
   */
  async function quiet(id: string): Promise<void> {
    await until(async () => (await undelivered()) === 0, { what: 'the delivery of every webhook' });
    const handle = await lifecycle(id);
    await until(
      async () => {
        const { raw } = await handle.describe();
        return !raw.pendingWorkflowTask && (raw.pendingActivities ?? []).length === 0;
      },
      { what: `the lifecycle of ${id} coming to rest` },
    );
  }
  async function undelivered(): Promise<number> {
    const { items } = await must<{ items: { state: string }[] }>(sandbox('GET', '/deliveries'));
    const atJira = items.filter(({ state }) => state === 'waiting' || state === 'sending').length;
    const { rows } = await db.query<{ count: number }>(
      `select count(*)::int as count from delivery where state = 'pending'`,
    );
    return atJira + (rows[0]?.count ?? 0);
  }

  /** Waits until the card of a finding in Slack says this; answers it whole. */
  async function cardSays(id: string, words: string): Promise<string> {
    const { slackUserId, slackChannelId } = stack.local;
    return await until(
      async () => {
        const { channels } = await must(stack.slack('GET', `/state?user=${slackUserId}&channel=${slackChannelId}`));
        const all = (channels as { messages?: { text: string }[] }[]).flatMap(({ messages = [] }) => messages);
        const card = JSON.stringify(all.find(({ text }) => text.startsWith(`${id}, `)));
        if (!card?.includes(words)) throw new Error(card);
        return card;
      },
      { seconds: 60, what: `the card of ${id} saying “${words}”` },
    );
  }

  return {
    cardSays,
    source,
    report,
    findings,
    finding,
    history,
    becomes,
    push,
    pushEnds,
    pushed,
    pushedAll,
    flagged,
    issue,
    move,
    session,
    verdict,
    count,
    lifecycle,
    quiet,
  };
}
