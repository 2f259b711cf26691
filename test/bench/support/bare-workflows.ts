// The bare limit of a life: workflows that give Temporal the same commands as Recheck's and decide nothing.

import {
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { searchAttributes } from '../../../workflows/contract';
import { bareChanged, bareJiraQueue, barePush, bareVerdict, bareVerdicts, type LifeInput } from './bare-contract';
import type { BareActivities } from './bare-worker';

const { local } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '10s', summary: 'Nothing' });
const { remote } = proxyActivities<BareActivities>({ taskQueue: bareJiraQueue, startToCloseTimeout: '30s' });
const { deliver } = proxyActivities<BareActivities>({ startToCloseTimeout: '30s' });

/** The commands of one life. */
export async function bareLife(input: LifeInput): Promise<void> {
  let pushes = 0;
  let changes = 0;
  let verdicts = 0;
  let pushed = 0;
  const show = (status: string, key?: string) => {
    upsertSearchAttributes([
      { key: searchAttributes.status, value: status },
      ...(key ? [{ key: searchAttributes.jiraKey, value: key }] : []),
    ]);
    setCurrentDetails(status);
  };
  setHandler(barePush, async () => {
    pushes += 1;
    await condition(() => pushed > 0);
  });
  setHandler(bareChanged, () => void changes++);
  setHandler(bareVerdict, () => void verdicts++);

  await local('load');
  await condition(() => pushes > 0);
  if (input.upserts === 'each') show('pushing');
  await local('open');
  await remote('create');
  await local('record awaiting_fix');
  show('awaiting_fix', 'ACC-1');
  pushed = 1;
  await condition(() => changes > 0);
  if (input.settleMs > 0) await condition(() => pushes > 1, input.settleMs);
  await remote('read');
  await local('record needs_rerun');
  if (input.upserts === 'each') show('needs_rerun', 'ACC-1');
  await condition(() => verdicts > 0);
  await local('record verified');
  show('verified', 'ACC-1');
  await remote('comment');
}

/** The commands of one re-run session. */
export async function bareSession(): Promise<void> {
  let told = false;
  setHandler(bareVerdicts, async (ids) => {
    await local('store');
    await deliver(ids);
    told = true;
  });
  await condition(() => told);
}

/** What a timer of this length really takes on this server. */
export async function bareTimer(ms: number): Promise<void> {
  await sleep(ms);
}
