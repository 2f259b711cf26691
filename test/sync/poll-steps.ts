// What tests of polls have in common: a Jira that tells nothing by itself, and questions about what was asked of it.
import { createSteps } from '../loop/steps';
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

type Logged = { at: string; method: string; path: string; status: number };

export function createPollSteps(stack: Stack) {
  const { api, jira, sandbox, db, local } = stack;
  const go = createSteps(stack);
  const connectionId = local.connectionId;

  async function connection(): Promise<{ [column: string]: unknown }> {
    const { rows } = await db.query('select * from connection where id = $1', [connectionId]);
    return rows[0];
  }

  /** What was asked of Jira's REST API and ends like this, since a moment. */
  async function asked(path: string, since = ''): Promise<Logged[]> {
    const { items } = await must<{ items: Logged[] }>(sandbox('GET', '/requests'));
    return items.filter((request) => request.path.endsWith(path) && request.at > since);
  }

  async function counted(workflowType: string, status: string): Promise<number> {
    const query = `WorkflowType = '${workflowType}' and ExecutionStatus = '${status}'`;
    return (await stack.temporal.workflow.count(query)).count;
  }
  const ended = (workflowType: string) => counted(workflowType, 'Completed');
  const running = (workflowType: string) => counted(workflowType, 'Running');

  /** Waits until two more runs of the maintenance have ended: by then, what it does is done. */
  async function maintained(): Promise<void> {
    const before = await ended('maintenance');
    await until(async () => (await ended('maintenance')) >= before + 2, { seconds: 60, what: 'the maintenance' });
  }

  return {
    ...go,
    connectionId,
    connection,
    asked,
    running,
    maintained,
    /** From here on Jira sends no webhooks. */
    async silenceJira(): Promise<void> {
      for (const { self } of await must<{ self: string }[]>(jira('GET', '/rest/webhooks/1.0/webhook'))) {
        await must(jira('DELETE', new URL(self).pathname));
      }
    },
    autoSync: (autoSync: boolean) => must(api('PUT', `/api/v1/connections/${connectionId}`, { autoSync })),
    sync: () => must(api('POST', `/api/v1/connections/${connectionId}/sync`)),
    /** Waits for a poll that begins after now to end well. */
    async polled(): Promise<void> {
      const { rows } = await db.query<{ now: Date }>('select clock_timestamp() as now');
      const now = rows[0]?.now ?? new Date();
      await until(async () => (((await connection()).polled_until as Date | null) ?? new Date(0)) > now, {
        seconds: 60,
        what: 'a poll',
      });
    },
    schedule: () => stack.temporal.schedule.getHandle(`poll:${connectionId}`),
    remove: (key: string) => must(jira('DELETE', `/rest/api/3/issue/${key}`)),
    moveTo: (key: string, project: string) =>
      must<{ key: string }>(sandbox('POST', `/board/issues/${key}/move`, { project })),
  };
}
