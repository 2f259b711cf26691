// What the drills look at: the state that a connection names, what admins were told, and that nothing was lost.

import { createSteps, type Steps } from '../loop/steps';
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

type Check = { name: string; ok: boolean; cause?: string; cure?: string };
type Health = {
  tokenState: string;
  reason: string | null;
  heldPushes: number;
  lostProjects: string[];
  webhookError: string | null;
  webhookExpiresAt: string | null;
  checks: Check[];
};
export type ConnectionState = { id: string; status: string; health: Health };
export type Drill = ReturnType<typeof createDrill>;

/** The drills on one connection of a stack; `go` pushes through that connection. */
export function createDrill(stack: Stack, connectionId: string) {
  const { api, db, sandbox } = stack;
  const go: Steps = createSteps(
    { ...stack, local: { ...stack.local, connectionId } },
    { stories: `drill-${connectionId.slice(0, 8)}` },
  );

  const state = async (): Promise<ConnectionState> => {
    const { items } = await must<{ items: ConnectionState[] }>(api('GET', '/api/v1/connections'));
    const found = items.find(({ id }) => id === connectionId);
    if (!found) throw new Error(`The connection ${connectionId} is not listed.`);
    return found;
  };
  const becomes = (status: string, seconds = 60) =>
    until(
      async () => {
        const found = await state();
        if (found.status !== status) throw new Error(JSON.stringify(found));
        return found;
      },
      { seconds, what: `the connection becoming ${status}` },
    );

  /** The notices of the connection that are written since a moment, oldest first. */
  async function notices(since: Date): Promise<{ kind: string; sent: boolean }[]> {
    const { rows } = await db.query<{ kind: string; sent: boolean }>(
      `select kind, sent_at is not null as sent from notice
       where connection_id = $1 and created_at >= $2 order by created_at`,
      [connectionId, since],
    );
    return rows;
  }

  /** Waits until admins were told exactly this, each of them once. */
  async function told(since: Date, kinds: string[]): Promise<void> {
    await until(
      async () => {
        const found = await notices(since);
        return found.length >= kinds.length && found.every(({ sent }) => sent);
      },
      { seconds: 60, what: `the notices ${kinds.join(', ')}` },
    );
    expect((await notices(since)).map(({ kind }) => kind)).toEqual(kinds);
    const { rows } = await db.query<{ people: number; told: number }>(
      `select count(distinct detail)::int as people, count(*)::int as told from audit_event
       where event = 'admin_told' and at >= $1 and dedupe_key like any (
         select 'notice:' || id || ':%' from notice where connection_id = $2 and created_at >= $1)`,
      [since, connectionId],
    );
    const admins = stack.local.members.filter(({ role }) => role === 'owner' || role === 'admin').length;
    expect(rows).toEqual([{ people: admins * kinds.length, told: admins * kinds.length }]);
  }

  /**
   * The push of one new finding, as it was asked for: not waited for. `ready`: a source that was made before Jira went
   * away, without which none can be routed.
   */
  async function pushOne(ready?: string): Promise<{ id: string; push: string; source: string }> {
    const source = ready ?? (await go.source());
    await go.report(source, { failed: ['adds to the cart'] });
    const [id = ''] = await go.findings(source);
    const { id: push } = await must(api('POST', '/api/v1/pushes', { source, findings: [id] }));
    return { id, push, source };
  }

  const itemBecomes = (push: string, outcome: string, seconds = 60) =>
    until(
      async () => {
        const found = await must(api('GET', `/api/v1/pushes/${push}`));
        if (found.items[0]?.outcome !== outcome) throw new Error(JSON.stringify(found));
        return found as { status: string; items: { outcome: string; reason?: string; jiraKey?: string }[] };
      },
      { seconds, what: `the push becoming ${outcome}` },
    );

  /** The push came to its end, with exactly one issue. */
  async function arrived({ id, push }: { id: string; push: string }): Promise<string> {
    const { items } = await itemBecomes(push, 'created', 90);
    const { rows } = await db.query<{ marker: string; state: string }>(
      `select l.marker, l.state from issue_link l join finding f on f.id = l.finding_id where f.number = $1 and l.active`,
      [Number(id.slice(2))],
    );
    expect(rows).toHaveLength(1);
    const found = await must<{ count: number }>(sandbox('GET', `/issues?marker=${rows[0]?.marker}`));
    expect(found.count).toBe(1);
    return items[0]?.jiraKey ?? '';
  }

  /** What the product asked Jira for since a request number. */
  async function requests(since: number) {
    type Item = { number: number; at: string; method: string; path: string; status: number };
    return (await must<{ items: Item[] }>(sandbox('GET', `/requests?since=${since}`))).items;
  }
  const lastRequest = async () => (await requests(0)).at(-1)?.number ?? 0;

  /** Runs the maintenance now, and waits for its end. */
  async function maintain(): Promise<void> {
    const { schedule, workflow } = stack.temporal;
    const handle = schedule.getHandle('maintenance');
    const actions = async () => (await handle.describe()).info;
    const before = (await actions()).numActionsTaken;
    await handle.trigger('ALLOW_ALL');
    const started = await until(
      async () => {
        const { numActionsTaken, recentActions } = await actions();
        return numActionsTaken > before ? recentActions.at(-1)?.action : null;
      },
      { seconds: 30, what: 'the maintenance' },
    );
    await workflow.getHandle(started.workflow.workflowId, started.workflow.firstExecutionRunId).result();
  }

  const sync = () => must(api('POST', `/api/v1/connections/${connectionId}/sync`));
  const check = ({ health }: ConnectionState, name: string) => health.checks.find((each) => each.name === name);

  return {
    go,
    state,
    becomes,
    notices,
    told,
    pushOne,
    itemBecomes,
    arrived,
    requests,
    lastRequest,
    maintain,
    sync,
    check,
  };
}

/** Messages that a person got from Recheck, oldest first. */
export async function directMessages({ slack }: Stack, user: string): Promise<string[]> {
  const channel = `D${user.slice(1)}`;
  type Channel = { id: string; messages?: { text: string }[] };
  const { channels } = await must<{ channels: Channel[] }>(slack('GET', `/state?user=${user}&channel=${channel}`));
  return channels.find(({ id }) => id === channel)?.messages?.map(({ text }) => text) ?? [];
}
