import { condition, proxyActivities, setHandler } from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { type EvidenceInput, evidenceSignal, jiraTaskQueue } from './contract';
import { refusalOf } from './jira-refusal';

const { attachPictures } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '15m',
  heartbeatTimeout: '20s',
  scheduleToCloseTimeout: '24h',
  // The first pause leaves Jira time to show what it took and could not say any more.
  retry: { initialInterval: '5s', maximumInterval: '5m' },
});

/** Credentials that nobody has replaced for so long are not waited for. */
const longestWaitMs = 7 * 24 * 3_600_000;

/**
 * Attaches to a finding's issue the pictures that are not on it yet. Beside the finding's lifecycle and not in it:
 * whatever becomes of a picture, the loop goes on.
 */
export async function evidence(input: EvidenceInput): Promise<void> {
  let isAsked = true;
  setHandler(evidenceSignal, () => {
    isAsked = true;
  });
  const since = Date.now();
  for (let tries = 0; isAsked; ) {
    isAsked = false;
    const end = await attach(input);
    if (end !== 'held' || Date.now() - since > longestWaitMs) continue;
    const waitMs = Math.min(60_000 * 2 ** Math.min(tries, 5), 1_800_000);
    tries += 1;
    await condition(() => isAsked, waitMs, { summary: 'Until the site is connected again' });
    isAsked = true;
  }
}

async function attach(input: EvidenceInput): Promise<'done' | 'held' | 'refused'> {
  try {
    await attachPictures.executeWithOptions({ summary: 'Attach what the issue lacks' }, [input]);
    return 'done';
  } catch (error) {
    return refusalOf(error).kind === 'held' ? 'held' : 'refused';
  }
}
