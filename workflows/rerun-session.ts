import {
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import {
  cancelSessionUpdate,
  type SessionInput,
  startSessionUpdate,
  type VerdictsInput,
  verdictsUpdate,
} from './contract';

const { startSession, cancelSession, storeVerdicts } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { deliverVerdicts } = proxyActivities<Activities>({
  startToCloseTimeout: '60s',
  retry: { initialInterval: '1s', maximumInterval: '1m' },
  summary: 'Tell the lifecycles',
});

/**
 * One re-run session: takes verdicts until every case has one, and tells each finding's lifecycle.
 * A session that nobody runs stays open, and so do its cases: the panel leads back to it.
 */
export async function rerunSession({ organisationId, sessionId }: SessionInput): Promise<void> {
  let ended = false;
  const told = new Set<string>();
  const inbox: (() => Promise<void>)[] = [];
  // One message at a time, in the order of arrival.
  const inTurn = async (work: () => Promise<void>) => {
    let done = false;
    inbox.push(async () => {
      await work();
      done = true;
    });
    await condition(() => done);
  };

  setHandler(startSessionUpdate, () => inTurn(() => startSession({ organisationId, sessionId })));
  setHandler(cancelSessionUpdate, () =>
    inTurn(async () => {
      ended = (await cancelSession({ organisationId, sessionId })).ended;
    }),
  );
  setHandler(verdictsUpdate, (given: VerdictsInput) =>
    inTurn(async () => {
      const stored = await storeVerdicts({ organisationId, sessionId, ...given });
      const untold = stored.given.filter(({ findingId }) => !told.has(findingId));
      if (untold.length > 0) await deliverVerdicts({ organisationId, sessionId, given: untold });
      for (const { findingId } of untold) told.add(findingId);
      ended = stored.ended;
    }),
  );

  for (;;) {
    await condition(() => inbox.length > 0 || (ended && allHandlersFinished()));
    const work = inbox.shift();
    if (!work) return;
    await work();
  }
}
