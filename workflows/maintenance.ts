import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue } from './contract';
import type { MaintenanceInput } from './sync-contract';

const { ensureSchedules, deleteExpired } = proxyActivities<Activities>({
  startToCloseTimeout: '2m',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 5 },
});
const { mindConnections, findDuplicates } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '30m',
  heartbeatTimeout: '2m',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 5 },
});

const DAY_MS = 86_400_000;

/**
 * Looks after what nobody asks for: webhooks and grants before they end, broken connections and lost projects that may
 * be back, schedules, and what has expired. The first run of a day also looks for issues that were made twice.
 */
export async function maintenance({ intervalMs, daily }: MaintenanceInput): Promise<string> {
  const lines: string[] = [];
  const say = (line: string) => {
    lines.push(line);
    setCurrentDetails(lines.join('\n\n'));
  };
  const minded = await mindConnections.executeWithOptions({ summary: 'Connections, webhooks, grants' }, []);
  say(`Connections: ${minded.connections}`);
  for (const line of minded.did) say(line);
  const schedules = await ensureSchedules.executeWithOptions({ summary: 'Schedules of the polls' }, []);
  say(`Schedules made or changed: ${schedules.kept}, deleted: ${schedules.dropped}`);
  await deleteExpired.executeWithOptions({ summary: 'What has expired' }, []);
  if (daily ?? isFirstOfDay(Date.now(), intervalMs)) {
    const duplicates = await findDuplicates.executeWithOptions({ summary: 'Issues that were made twice' }, []);
    say(`Findings with more than one issue: ${duplicates}`);
  }
  return lines.join('\n');
}

function isFirstOfDay(now: number, intervalMs: number): boolean {
  return Math.floor(now / DAY_MS) !== Math.floor((now - intervalMs) / DAY_MS);
}
