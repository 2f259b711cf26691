// Workflows on the real Temporal server, with activities that the test gives: what is proven is what workflows decide.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createEngine, type Engine, type StartedFinding } from '../../activities/engine';
import type { Activities } from '../../activities/index';
import { registerSearchAttributes } from '../../activities/search-attributes';
import { jiraTaskQueue, lifecycleWorkflowId, type Timings, taskQueue } from '../../workflows/contract';
import { type Change, type LifecycleState, newLifecycle } from '../../workflows/rules/lifecycle';

export const quickTimings: Timings = { settleMs: 0, createTimeoutMs: 2000, searchWindowMs: 0, searchPauseMs: 0 };

/** What the fake activities were asked to do, in order. */
export type Told = { records: string[]; comments: string[]; creates: number; states: LifecycleState[] };
export type FakeActivities = {
  [name in keyof Activities]: (...args: Parameters<Activities[name]>) => Promise<unknown>;
};

export type WorkflowRunner = Awaited<ReturnType<typeof startWorkflowRunner>>;

function serverAddress(): string {
  const address = process.env.TEST_TEMPORAL_ADDRESS;
  if (!address)
    throw new Error('TEST_TEMPORAL_ADDRESS is not set. Run the tests with "npm test", which starts Temporal.');
  return address;
}

/** The bundle of today's workflow code. */
export async function workflowBundle() {
  const workflowsPath = join(__dirname, '..', '..', 'workflows');
  return await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

/**
 * A worker in a namespace of its own. `activities` may be changed between scenarios through `use`.
 * `stop` shuts it down and closes the connections.
 */
export async function startWorkflowRunner() {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const address = serverAddress();
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  const client = new Client({ connection, namespace });
  await eventually(async () => {
    await registerSearchAttributes(client, namespace);
  });
  const native = await NativeConnection.connect({ address });
  let current: Partial<FakeActivities> = {};
  const activities = new Proxy({} as { [name: string]: (...args: unknown[]) => Promise<unknown> }, {
    ownKeys: () => [...activityNames],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    has: (_, name) => activityNames.includes(name as keyof Activities),
    get: (_, name) => {
      if (!activityNames.includes(name as keyof Activities)) return undefined;
      return async (...args: unknown[]) => {
        const fake = current[name as keyof Activities] as ((...given: unknown[]) => Promise<unknown>) | undefined;
        if (!fake) throw new Error(`The scenario gives no ${String(name)}.`);
        return await fake(...args);
      };
    },
  });
  const common = { connection: native, namespace, activities, shutdownGraceTime: '1s' } as const;
  const workers = [
    await Worker.create({ ...common, taskQueue, workflowBundle: await workflowBundle() }),
    await Worker.create({ ...common, taskQueue: jiraTaskQueue }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    client,
    namespace,
    use(fakes: Partial<FakeActivities>) {
      current = fakes;
    },
    engine: (timings: Timings = quickTimings): Engine => createEngine({ client, timings }),
    async stop(): Promise<void> {
      for (const worker of workers) worker.shutdown();
      await running;
      await native.close();
      await connection.close();
    },
  };
}

const activityNames: (keyof Activities)[] = [
  'loadLifecycle',
  'recordChange',
  'openLink',
  'settleAttempt',
  'nextAttempt',
  'startSession',
  'cancelSession',
  'settleSession',
  'storeVerdicts',
  'deliverVerdicts',
  'createIssue',
  'findIssue',
  'readIssue',
  'commentOnIssue',
  'reopenIssue',
  'pushFinding',
  'openPush',
  'decidePush',
  'remindOfPush',
  'finishPush',
  'pushItems',
  'tellApproval',
  'beginSync',
  'ensureWebhook',
  'readChanges',
  'checkIssues',
  'endSync',
  'mindConnections',
  'ensureSchedules',
  'findDuplicates',
  'deleteExpired',
  'updateGroupedIssue',
  'attachPictures',
];

/** Activities of a healthy world: the issue is made as `ACC-1`, Jira says what `meaning` says. */
export function healthyWorld(change: Partial<FakeActivities> = {}) {
  const told: Told = { records: [], comments: [], creates: 0, states: [] };
  const world = { state: newLifecycle as LifecycleState, meaning: 'not_done', onJiraDone: 'verify', key: 'ACC-1' };
  const activities: Partial<FakeActivities> = {
    loadLifecycle: async () => world.state,
    recordChange: async (input: { state: LifecycleState; record: Change }) => {
      told.records.push(input.record.event);
      told.states.push(input.state);
      world.state = input.state;
    },
    openLink: async () => ({ kind: 'opened', linkId: 'link-1', attempt: 1, resumed: false }),
    createIssue: async () => {
      told.creates += 1;
      return { kind: 'created', key: 'ACC-1' };
    },
    readIssue: async () => ({ meaning: world.meaning, key: world.key, onJiraDone: world.onJiraDone }),
    commentOnIssue: async (input: { verdict: string }) => {
      told.comments.push(input.verdict);
    },
    reopenIssue: async () => ({ reopened: true, reason: 'moved to To Do' }),
    nextAttempt: async (input: { attempt: number }) => ({ attempt: input.attempt + 1 }),
    ...change,
  };
  return { told, world, activities };
}

export function someFinding(): StartedFinding {
  return {
    organisationId: randomUUID(),
    findingId: randomUUID(),
    number: 1,
    title: 'Images must have alternate text',
    severity: 'critical',
    sourceKey: 'shop',
  };
}

/** The handle of a finding's lifecycle, whichever run is the newest. */
export function lifecycleHandle(runner: WorkflowRunner, finding: StartedFinding) {
  return runner.client.workflow.getHandle(lifecycleWorkflowId(finding.findingId));
}

async function eventually(work: () => Promise<void>): Promise<void> {
  // A new namespace takes a moment to be known to all parts of the server.
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
