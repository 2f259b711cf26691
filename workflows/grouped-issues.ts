import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { type GroupedIssuesInput, jiraTaskQueue } from './contract';

const { updateGroupedIssue } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '24h',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});

const perRun = 500;

/**
 * Tells issues what one report changed about the places of their findings, one after the other. Beside the lifecycles:
 * an issue that cannot be told is left, and the next report tells it more.
 */
export async function groupedIssues({ changed, ...report }: GroupedIssuesInput): Promise<void> {
  for (const change of changed.slice(0, perRun)) {
    const summary = `${change.came} new, ${change.gone} gone`;
    await updateGroupedIssue.executeWithOptions({ summary }, [{ ...report, ...change }]).catch(() => undefined);
  }
  if (changed.length > perRun) {
    await continueAsNew<typeof groupedIssues>({ ...report, changed: changed.slice(perRun) });
  }
}
