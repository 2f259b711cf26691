// Temporal Schedules: one poll per connection with auto sync, and one maintenance for all.

import { createHash } from 'node:crypto';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { searchAttributes, taskQueue } from '../workflows/contract';
import {
  type ConnectionRef,
  type MaintenanceInput,
  maintenanceWorkflowId,
  type SyncInput,
  syncWorkflowId,
} from '../workflows/sync-contract';

export type ScheduleSettings = { pollMs: number; maintenanceMs: number; indexLagMs: number };
export type Schedules = ReturnType<typeof createSchedules>;

const POLL_PREFIX = 'poll:';
const MAINTENANCE = 'maintenance';
const SECOND = 1000;

type Timing = { every: number; offset: number };

/**
 * Where in its interval a connection is polled (milliseconds, whole seconds): spread by its id, so that polls do not
 * all fall on the same minute, and the same in every process.
 */
export function pollOffset(connectionId: string, everyMs: number): number {
  const seconds = Math.max(1, Math.floor(everyMs / SECOND));
  return (createHash('sha256').update(connectionId).digest().readUInt32BE() % seconds) * SECOND;
}

/** Makes, changes and deletes the schedules. Every function may be called again, by any process. */
export function createSchedules({ client, settings }: { client: Client; settings: ScheduleSettings }) {
  const pollTiming = (connectionId: string): Timing => {
    const every = wholeSeconds(settings.pollMs);
    return { every, offset: pollOffset(connectionId, every) };
  };

  function pollOptions({ organisationId, connectionId }: ConnectionRef) {
    const args: [SyncInput] = [
      { organisationId, connectionId, reasons: ['schedule'], indexLagMs: settings.indexLagMs },
    ];
    return {
      spec: { intervals: [pollTiming(connectionId)] },
      action: {
        type: 'startWorkflow' as const,
        workflowType: 'connectionSync',
        workflowId: `${syncWorkflowId(connectionId)}:poll`,
        taskQueue,
        args,
        staticSummary: 'Poll of a Jira connection',
        typedSearchAttributes: [{ key: searchAttributes.organisation, value: organisationId }],
      },
      // A poll that is missed is made up for by the next one, which reads since the last that ended well.
      policies: { overlap: 'SKIP' as const, catchupWindow: '10m' as const },
    };
  }

  async function keepPoll(connection: ConnectionRef): Promise<void> {
    const scheduleId = `${POLL_PREFIX}${connection.connectionId}`;
    const { spec, action, policies } = pollOptions(connection);
    await keep(client, { scheduleId, timing: pollTiming(connection.connectionId) }, { spec, action, policies });
  }

  async function dropPoll(connectionId: string): Promise<void> {
    try {
      await client.schedule.getHandle(`${POLL_PREFIX}${connectionId}`).delete();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }

  return {
    /** Has the connection polled every interval, or no more. */
    async setAutoSync({ autoSync, ...connection }: ConnectionRef & { autoSync: boolean }): Promise<void> {
      if (autoSync) await keepPoll(connection);
      else await dropPoll(connection.connectionId);
    },

    /**
     * Brings the schedules in line with the connections that are to be polled, which are asked for after the schedules
     * were listed: a schedule that is made meanwhile is not taken for a left-over. Answers what was changed.
     */
    async ensureSchedules(wanted: () => Promise<ConnectionRef[]>): Promise<{ kept: number; dropped: number }> {
      const known = new Map<string, Timing | undefined>();
      for await (const { scheduleId, spec } of client.schedule.list()) {
        if (scheduleId.startsWith(POLL_PREFIX)) known.set(scheduleId.slice(POLL_PREFIX.length), spec?.intervals?.[0]);
      }
      const connections = await wanted();
      let kept = 0;
      for (const connection of connections) {
        const { connectionId } = connection;
        if (isSame(known.get(connectionId), pollTiming(connectionId))) continue;
        await keepPoll(connection);
        kept += 1;
      }
      const ids = new Set(connections.map(({ connectionId }) => connectionId));
      const leftOver = [...known.keys()].filter((id) => !ids.has(id));
      for (const id of leftOver) await dropPoll(id);
      return { kept, dropped: leftOver.length };
    },

    /** The schedule of the maintenance; at the start of every worker, so that a changed interval is taken up. */
    async ensureMaintenance(): Promise<void> {
      const every = wholeSeconds(settings.maintenanceMs);
      const args: [MaintenanceInput] = [{ intervalMs: every }];
      const timing = { every, offset: 0 };
      await keep(
        client,
        { scheduleId: MAINTENANCE, timing },
        {
          spec: { intervals: [timing] },
          action: {
            type: 'startWorkflow',
            workflowType: 'maintenance',
            workflowId: maintenanceWorkflowId,
            taskQueue,
            args,
            staticSummary: 'Looks after connections, webhooks and left-overs',
          },
          policies: { overlap: 'SKIP', catchupWindow: '1m' },
        },
      );
    },
  };
}

type Options = Omit<Parameters<Client['schedule']['create']>[0], 'scheduleId'>;

/** Creates a schedule, or changes the one that is there where its timing differs; a pause by an operator stays. */
async function keep(client: Client, kept: { scheduleId: string; timing: Timing }, options: Options): Promise<void> {
  const { scheduleId, timing } = kept;
  try {
    await client.schedule.create({ scheduleId, ...options });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    if (isSame((await handle.describe()).spec.intervals?.[0], timing)) return;
    await handle.update(({ state }) => ({ ...options, state }));
  }
}

function isSame(known: Timing | undefined, wanted: Timing): boolean {
  return known?.every === wanted.every && known.offset === wanted.offset;
}

/** Temporal's schedules know whole seconds. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / SECOND)) * SECOND;
}
