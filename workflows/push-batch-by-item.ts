import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import type { PushBatchInput } from './contract';

const { pushFinding } = proxyActivities<Activities>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Pushes of one batch in flight at once. */
const inFlight = 8;

/** How runs end that carry their findings in the input: one activity each. New runs read them from PostgreSQL. */
export async function handOverEach(input: PushBatchInput & { findingIds: string[] }): Promise<void> {
  const { organisationId, batchId, findingIds, actor } = input;
  const waiting = [...findingIds];
  async function lane(): Promise<void> {
    for (let findingId = waiting.shift(); findingId; findingId = waiting.shift()) {
      await pushFinding.executeWithOptions({ summary: findingId }, [{ organisationId, batchId, findingId, actor }]);
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, findingIds.length) }, lane));
}
