// The worker of the bare workflows, set up as Recheck's own: two workers in one process, with activities that do
// nothing but tell the benchmark how far a life is.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Context } from '@temporalio/activity';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { lifecycleStart } from '../../../workflows/contract';
import {
  bareChanged,
  bareJiraQueue,
  barePush,
  bareQueue,
  bareVerdict,
  bareVerdicts,
  type LifeInput,
} from './bare-contract';
import { cpuSeconds } from './cpu';
import type { LifeSystem } from './life-loop';
import type { Namespace } from './servers';

type Where = { address: string; namespace: string };
type News = { ready: true } | { id: string; step: string };
export type BareActivities = ReturnType<typeof createActivities>;

const timings = { settleMs: 0, createTimeoutMs: 30_000, searchWindowMs: 0, searchPauseMs: 0 };

function createActivities(client: Client) {
  return {
    async local(step: string): Promise<void> {
      process.send?.({ id: lifeId(), step } satisfies News);
    },
    async remote(step: string): Promise<void> {
      process.send?.({ id: lifeId(), step } satisfies News);
    },
    async deliver(ids: string[]): Promise<void> {
      for (const id of ids) {
        await client.workflow.signalWithStart('bareLife', { ...startOf(id, {}), signal: bareVerdict, signalArgs: [] });
      }
    },
  };
}

function lifeId(): string {
  return Context.current().info.workflowExecution?.workflowId ?? '';
}

/** What starts a bare life: as much as Recheck gives when it starts one. */
function startOf(id: string, { settleMs = 0, upserts = 'each' }: Partial<LifeInput>) {
  const finding = { organisationId: id, findingId: id, number: 1, title: 'Bare', severity: 'serious', sourceKey: 'b' };
  const { staticSummary, typedSearchAttributes } = lifecycleStart(finding, timings);
  const args: [LifeInput] = [{ settleMs, upserts }];
  return { workflowId: id, taskQueue: bareQueue, args, staticSummary, typedSearchAttributes };
}

export interface BareWorker {
  /** Lives that are told by the engine's calls alone. */
  lives(options?: Partial<LifeInput>): LifeSystem;
  /** Milliseconds that a timer of `ms` takes from start to end of its workflow. */
  timer(ms: number): Promise<number>;
  cpu(): Record<string, number>;
  stop(): Promise<void>;
}

/** Starts the worker process in this namespace. */
export async function startBareWorker({ name, address, client }: Namespace): Promise<BareWorker> {
  const child = fork(__filename, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const steps = createSteps(child);
  child.send({ address, namespace: name } satisfies Where);
  await steps.ready;
  let sessions = 0;
  let timers = 0;
  return {
    lives: (options = {}) => ({
      async push(id) {
        const startWorkflowOperation = new WithStartWorkflowOperation('bareLife', {
          ...startOf(id, options),
          workflowIdConflictPolicy: 'USE_EXISTING',
        });
        await client.workflow.executeUpdateWithStart(barePush, { args: [], startWorkflowOperation });
      },
      async claim(id) {
        const flagged = steps.reached(id, 'record needs_rerun');
        const signal = { signal: bareChanged, signalArgs: [] as [] };
        await client.workflow.signalWithStart('bareLife', { ...startOf(id, options), ...signal });
        await flagged;
      },
      async pass(ids) {
        sessions += 1;
        const session = { workflowId: `bare-session-${child.pid}-${sessions}`, taskQueue: bareQueue };
        const handle = await client.workflow.start('bareSession', session);
        await handle.executeUpdate(bareVerdicts, { args: [ids] });
      },
      ended: (id) => steps.reached(id, 'comment'),
    }),
    async timer(ms) {
      timers += 1;
      const workflowId = `bare-timer-${child.pid}-${timers}`;
      const began = performance.now();
      await client.workflow.execute('bareTimer', { workflowId, taskQueue: bareQueue, args: [ms] });
      return performance.now() - began;
    },
    cpu: () => cpuSeconds({ worker: child.pid, bench: process.pid }),
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** What the worker has told, kept so that it does not matter whether one asks before or after. */
function createSteps(child: ChildProcess) {
  const reached = new Set<string>();
  const waiting = new Map<string, () => void>();
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The bare worker ended with ${code}.`)));
    child.on('message', (news: News) => {
      if ('ready' in news) return resolve();
      const key = `${news.id} ${news.step}`;
      reached.add(key);
      waiting.get(key)?.();
      waiting.delete(key);
    });
  });
  return {
    ready,
    reached(id: string, step: string): Promise<void> {
      const key = `${id} ${step}`;
      return reached.has(key) ? Promise.resolve() : new Promise((resolve) => waiting.set(key, resolve));
    },
  };
}

// What follows runs in the worker's process.

async function runWorker({ address, namespace }: Where): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address });
  const client = new Client({ connection: await Connection.connect({ address }), namespace });
  const activities = createActivities(client);
  const common = { connection, namespace, activities };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: bareQueue,
      workflowsPath: require.resolve('./bare-workflows'),
      maxConcurrentWorkflowTaskExecutions: 20,
      maxCachedWorkflows: 1000,
    }),
    Worker.create({ ...common, taskQueue: bareJiraQueue, maxConcurrentActivityTaskExecutions: 30 }),
  ]);
  process.once('disconnect', () => {
    for (const worker of workers) worker.shutdown();
  });
  const running = workers.map((worker) => worker.run());
  process.send?.({ ready: true } satisfies News);
  await Promise.all(running);
}

if (process.send && require.main === module) {
  process.once('message', (where: Where) => {
    runWorker(where).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
