import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import type { PushBatchInput } from './contract';

const { pushFinding } = proxyActivities<Activities>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Pushes of one batch in flight at once, so that a bulk never crowds out a person's single push. */
const inFlight = 8;

/**
 * Hands the findings of one push to their lifecycles, a few at a time. The outcome of each item is written by its
 * lifecycle, so nothing is lost when this run ends or is terminated early.
 */
export async function pushBatch({ organisationId, batchId, findingIds, actor }: PushBatchInput): Promise<void> {
  const waiting = [...findingIds];
  async function lane(): Promise<void> {
    for (let findingId = waiting.shift(); findingId; findingId = waiting.shift()) {
      await pushFinding.executeWithOptions({ summary: findingId }, [{ organisationId, batchId, findingId, actor }]);
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, findingIds.length) }, lane));
}
