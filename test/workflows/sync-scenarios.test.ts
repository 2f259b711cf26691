// The sync of a connection and the maintenance on a real server, with activities that each scenario gives. What is
// played is kept by RECORD_HISTORIES=<folder below test/histories>; replay.test.ts replays what is stored there.

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { taskQueue } from '../../workflows/contract';
import {
  type ConnectionRef,
  type MaintenanceInput,
  type SyncInput,
  type SyncReason,
  type SyncResult,
  syncWorkflowId,
} from '../../workflows/sync-contract';
import { until } from '../support/until';
import { type FakeActivities, startWorkflowRunner, type WorkflowRunner } from '../support/workflow-runner';

const histories = join(__dirname, '..', 'histories');

describe('a connection is synchronised', () => {
  let runner: WorkflowRunner;
  beforeAll(async () => {
    runner = await startWorkflowRunner();
  });
  afterAll(async () => {
    await runner.stop();
  });

  const someConnection = (): ConnectionRef => ({ organisationId: randomUUID(), connectionId: randomUUID() });

  /** A Jira in which nothing changed; `told` is what the workflow asked for, in order. */
  function world(change: Partial<FakeActivities> = {}) {
    const told: string[] = [];
    const ready = {
      kind: 'ready',
      siteUrl: 'https://acme.atlassian.net',
      isOauth: false,
      polls: true,
      since: '2026-11-23T00:00:00.000Z',
      startedAt: '2026-11-23T01:00:00.000Z',
    };
    const nothing = { kind: 'done', seen: 0, handedOn: 0, next: null };
    const looked = { kind: 'done', lookedAt: 0, handedOn: 0, absent: 0, lostProjects: [] };
    const fakes: Partial<FakeActivities> = {
      beginSync: async ({ reasons }) => ({ ...ready, polls: reasons.some((reason) => reason !== 'routing') }),
      ensureWebhook: async () => ({ kind: 'done', webhook: 'registered', projects: ['ACC'] }),
      readChanges: async () => nothing,
      checkIssues: async () => looked,
      endSync: async () => ({ isBroken: false }),
      ...change,
    };
    const telling = Object.entries(fakes).map(([name, fake]) => [
      name,
      async (...args: never[]) => {
        told.push(name);
        return await (fake as (...given: never[]) => Promise<unknown>)(...args);
      },
    ]);
    runner.use(Object.fromEntries(telling));
    return { told, ready, nothing, looked };
  }

  const engine = (searchWindowMs = 0) =>
    runner.engine({ settleMs: 0, createTimeoutMs: 2000, searchWindowMs, searchPauseMs: 0 });

  async function sync(connection: ConnectionRef, reasons: SyncReason[]): Promise<SyncResult> {
    for (const reason of reasons) await engine().syncConnection({ ...connection, reason });
    return (await handle(connection).result()) as SyncResult;
  }
  const handle = ({ connectionId }: ConnectionRef) => runner.client.workflow.getHandle(syncWorkflowId(connectionId));

  async function kept(workflowId: string, name: string): Promise<void> {
    const history = await runner.client.workflow.getHandle(workflowId).fetchHistory();
    expect(history.events?.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
    const folder = process.env.RECORD_HISTORIES;
    if (!folder) return expect(existsSync(join(histories, '2026-11', `${name}.json`))).toBe(true);
    const file = join(histories, folder, `${name}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) }, null, 1)}\n`);
  }

  it('S6 by its schedule: what changed, page by page, and a share of the issues', async () => {
    const connection = someConnection();
    const pages = [{ jql: 'project in ("ACC")', pageToken: 'second' }, null];
    const { told } = world({
      readChanges: async () => ({ kind: 'done', seen: 100, handedOn: 2, next: pages.shift() ?? null }),
      checkIssues: async () => ({ kind: 'done', lookedAt: 200, handedOn: 1, absent: 1, lostProjects: [] }),
    });
    const input: SyncInput = { ...connection, reasons: ['schedule'], indexLagMs: 0 };
    const workflowId = `${syncWorkflowId(connection.connectionId)}:poll`;
    const run = await runner.client.workflow.start('connectionSync', { workflowId, taskQueue, args: [input] });
    expect(await run.result()).toEqual({ ended: 'done', handedOn: 5, lookedAt: 400 });
    expect(told).toEqual(['beginSync', 'readChanges', 'readChanges', 'checkIssues', 'endSync']);
    await kept(workflowId, 'connectionSync/scheduled');
  });

  it('S6 asked for: everything that is tracked, until nothing is left', async () => {
    const connection = someConnection();
    const left = [1000, 12, 0];
    const { told, looked } = world({
      checkIssues: async () => ({ ...looked, lookedAt: left.shift() ?? 0 }),
    });
    expect(await sync(connection, ['asked'])).toEqual({ ended: 'done', handedOn: 0, lookedAt: 1012 });
    expect(told).toEqual(['beginSync', 'checkIssues', 'checkIssues', 'checkIssues', 'endSync']);
    await kept(handle(connection).workflowId, 'connectionSync/asked');
  });

  it('S2 a change of the routing sees to the webhook, and polls nothing', async () => {
    const connection = someConnection();
    const { told, ready } = world({ beginSync: async () => ({ ...ready, isOauth: true, polls: false }) });
    expect(await sync(connection, ['routing'])).toMatchObject({ ended: 'done' });
    expect(told).toEqual(['beginSync', 'ensureWebhook']);
    await kept(handle(connection).workflowId, 'connectionSync/routing');
  });

  it('S6 a rate limit is waited for in a timer, and the step is done again', async () => {
    const connection = someConnection();
    const answers = [{ kind: 'wait', waitMs: 1200 }];
    const { told, looked } = world({ checkIssues: async () => answers.shift() ?? looked });
    expect(await sync(connection, ['restored'])).toMatchObject({ ended: 'done' });
    expect(told).toEqual(['beginSync', 'checkIssues', 'checkIssues', 'endSync']);
    const { events } = await handle(connection).fetchHistory();
    const timers = events?.filter((event) => event.timerStartedEventAttributes);
    expect(timers).toHaveLength(1);
    await kept(handle(connection).workflowId, 'connectionSync/rate-limited');
  });

  it('S6 dead credentials end it, with the reason kept; nothing more is asked', async () => {
    const connection = someConnection();
    const ends: (string | null)[] = [];
    const { told } = world({
      checkIssues: async () => {
        throw ApplicationFailure.create({ type: 'JiraAuth', message: 'The token is revoked.', nonRetryable: true });
      },
      endSync: async ({ error }) => {
        ends.push(error);
        return { isBroken: true };
      },
    });
    expect(await sync(connection, ['asked'])).toMatchObject({ ended: 'broken' });
    expect(told).toEqual(['beginSync', 'checkIssues', 'endSync']);
    expect(ends).toEqual(['The token is revoked.']);
    await kept(handle(connection).workflowId, 'connectionSync/broken');
  });

  it.each([
    ['refuses', { type: 'JiraForbidden', nonRetryable: true }],
    ['is away for', { type: 'JiraUnavailable', nextRetryDelay: '1h' }],
  ] as const)(
    'S6 changes are polled where Jira %s the webhook, and the connection says why it is missing',
    async (...given) => {
      const connection = someConnection();
      const ends: (string | null)[] = [];
      const { told, ready } = world({
        beginSync: async () => ({ ...ready, isOauth: true }),
        ensureWebhook: async () => {
          throw ApplicationFailure.create({ ...given[1], message: 'No webhooks.' });
        },
        endSync: async ({ error }) => {
          ends.push(error);
          return { isBroken: false };
        },
      });
      expect(await sync(connection, ['hint'])).toMatchObject({ ended: 'failed' });
      expect(told).toEqual(['beginSync', 'ensureWebhook', 'readChanges', 'checkIssues', 'endSync', 'endSync']);
      expect(ends).toEqual([null, expect.stringContaining('polls alone. No webhooks.')]);
    },
  );

  it('S2 a webhook that fails after a change of the routing ends the sync', async () => {
    const connection = someConnection();
    const { told, ready } = world({
      beginSync: async () => ({ ...ready, isOauth: true, polls: false }),
      ensureWebhook: async () => {
        throw ApplicationFailure.create({ type: 'JiraForbidden', nonRetryable: true, message: 'No webhooks.' });
      },
    });
    expect(await sync(connection, ['routing'])).toMatchObject({ ended: 'failed' });
    expect(told).toEqual(['beginSync', 'ensureWebhook', 'endSync']);
  });

  it('S6 a connection that is gone is left alone', async () => {
    const connection = someConnection();
    const { told } = world({ beginSync: async () => ({ kind: 'gone' }) });
    expect(await sync(connection, ['asked'])).toMatchObject({ ended: 'gone' });
    expect(told).toEqual(['beginSync']);
    await kept(handle(connection).workflowId, 'connectionSync/gone');
  });

  it('S4 a hint is followed by a second look, when the index has caught up; hints until then are part of it', async () => {
    const connection = someConnection();
    const reasons: SyncReason[][] = [];
    const { told, ready } = world({
      beginSync: async (input) => {
        reasons.push(input.reasons);
        return ready;
      },
    });
    await engine(1500).syncConnection({ ...connection, reason: 'hint' });
    await until(() => told.includes('endSync'), { what: 'the first look' });
    await handle(connection).result();
    expect(reasons).toEqual([['hint'], ['second_look']]);
    await kept(handle(connection).workflowId, 'connectionSync/hint');
  });

  it('S6 what comes in while it runs is worked off by the same run', async () => {
    const connection = someConnection();
    let hold = true;
    const { told, looked } = world({
      checkIssues: async () => {
        await until(() => !hold, { what: 'the release' });
        return looked;
      },
    });
    await engine().syncConnection({ ...connection, reason: 'asked' });
    await until(() => told.includes('checkIssues'), { what: 'the first round' });
    for (const reason of ['asked', 'restored', 'asked'] as const) {
      await engine().syncConnection({ ...connection, reason });
    }
    hold = false;
    await handle(connection).result();
    expect(told.filter((name) => name === 'beginSync')).toHaveLength(2);
    await kept(handle(connection).workflowId, 'connectionSync/asked-meanwhile');
  });

  it.each([
    ['maintenance/plain', false],
    ['maintenance/daily', true],
  ])('%s', async (name, daily) => {
    const told: string[] = [];
    const tell = (activity: string, answer: unknown) => async () => {
      told.push(activity);
      return answer;
    };
    runner.use({
      mindConnections: tell('mindConnections', { connections: 2, did: ['c1: webhook renewed'] }),
      ensureSchedules: tell('ensureSchedules', { kept: 1, dropped: 0 }),
      deleteExpired: tell('deleteExpired', undefined),
      findDuplicates: tell('findDuplicates', 0),
    });
    const workflowId = `maintenance:${randomUUID()}`;
    const input: MaintenanceInput = { intervalMs: 1000, daily };
    const run = await runner.client.workflow.start('maintenance', { workflowId, taskQueue, args: [input] });
    expect(await run.result()).toContain('webhook renewed');
    const always = ['mindConnections', 'ensureSchedules', 'deleteExpired'];
    expect(told).toEqual(daily ? [...always, 'findDuplicates'] : always);
    await kept(workflowId, name);
  });
});
