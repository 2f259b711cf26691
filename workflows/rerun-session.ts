import {
  allHandlersFinished,
  condition,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import {
  cancelSessionUpdate,
  caseWithdrawnSignal,
  type SessionInput,
  startSessionUpdate,
  type VerdictsInput,
  verdictsUpdate,
} from './contract';
import { createInbox } from './inbox';

const { startSession, cancelSession, settleSession, storeVerdicts } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { deliverVerdicts } = proxyActivities<Activities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '1m',
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
  const inbox = createInbox<() => Promise<void>>();

  // Once ended it stays so, whatever comes in while the run is about to close. (In older histories a start says nothing,
  // and a later message could take the end back.)
  const noteEnd = (now: { ended: boolean } | undefined) => {
    if (now) ended = now.ended || (ended && patched('session-stays-ended'));
  };
  setHandler(startSessionUpdate, () =>
    inbox.put(async () => noteEnd(await startSession({ organisationId, sessionId }))),
  );
  setHandler(cancelSessionUpdate, () =>
    inbox.put(async () => noteEnd(await cancelSession({ organisationId, sessionId }))),
  );
  setHandler(verdictsUpdate, (given: VerdictsInput) =>
    inbox.put(async () => {
      const stored = await storeVerdicts({ organisationId, sessionId, ...given });
      const untold = stored.given.filter(({ findingId }) => !told.has(findingId));
      if (untold.length > 0) await deliverVerdicts({ organisationId, sessionId, given: untold });
      for (const { findingId } of untold) told.add(findingId);
      noteEnd(stored);
    }),
  );

  setHandler(caseWithdrawnSignal, () =>
    inbox.putSignal(async () => noteEnd(await settleSession({ organisationId, sessionId }))),
  );

  for (;;) {
    await condition(() => !inbox.isEmpty() || (ended && allHandlersFinished()));
    if (inbox.isEmpty()) return;
    await inbox.handleNext((work) => work());
  }
}
