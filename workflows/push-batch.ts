import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import {
  type ApprovalDecision,
  approveUpdate,
  cancelPushUpdate,
  type DecidedPush,
  type DecisionInput,
  type PushBatchInput,
  rejectUpdate,
  resumePushSignal,
} from './contract';
import { createInbox } from './inbox';
import { handOverEach } from './push-batch-by-item';
import { describePush } from './rules/describe';
import type { PushStatus } from './rules/vocabulary';

const { openPush, decidePush, remindOfPush, finishPush } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  summary: 'PostgreSQL',
});
const { pushItems, tellApproval } = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Milliseconds until each is due; null where it never is. */
type ApprovalWaits = { remindMs: number | null; expireMs: number | null };
/** A decision that waits for its turn. */
type Asked = { decision: ApprovalDecision; given: DecisionInput };

/**
 * One push: waits for its approval where the rule asks for one, and hands its findings to their lifecycles, paced. What
 * is left to do stands in PostgreSQL, so that a run that is started again goes on. The items of many minutes are one
 * activity, so a push of any size has a short history.
 */
export async function pushBatch(input: PushBatchInput): Promise<void> {
  if (input.findingIds) return await handOverEach({ ...input, findingIds: input.findingIds });
  const { organisationId, batchId, actor } = input;
  const ref = { organisationId, batchId };
  let status = null as PushStatus | null;
  let resumes = 0;

  const isWaiting = () => status === 'awaiting_approval';
  // The decisions wait for their turn in one loop, so that a replay takes the same way.
  const inbox = createInbox<Asked, DecidedPush>();

  function become(now: PushStatus): void {
    status = now;
    setCurrentDetails(describePush(now));
  }
  async function decide(decision: ApprovalDecision, given: DecisionInput): Promise<DecidedPush> {
    if (status !== null && !isWaiting()) return { status, decided: false };
    return await inbox.put({ decision, given });
  }
  const answerTheRest = () => inbox.answerAll({ status: status ?? 'running', decided: false });
  setHandler(approveUpdate, (given) => decide('approve', given));
  setHandler(rejectUpdate, (given) => decide('reject', given));
  setHandler(cancelPushUpdate, (given) => decide('cancel', given));
  setHandler(resumePushSignal, () => {
    resumes += 1;
  });

  async function waitForApproval(timings: ApprovalWaits): Promise<void> {
    // Telling many findings takes minutes, and no decision waits for that. The telling ends when the push is decided;
    // what comes after it waits for its end, so that no finding hears of the approval late.
    const asked = [{ ...ref, said: 'asked', actor }] as const;
    await Promise.all([
      untilDecided(timings),
      tellApproval.executeWithOptions({ summary: 'The findings wait for approval' }, [...asked]),
    ]);
  }

  async function untilDecided(timings: ApprovalWaits): Promise<void> {
    const timers = startTimers(timings);
    while (isWaiting()) {
      await condition(() => !inbox.isEmpty() || timers.due.reminder || timers.due.expiry);
      if (!inbox.isEmpty()) {
        await inbox.handleNext(async ({ decision, given: { memberId, note = null } }) => {
          const end = await decidePush({ ...ref, decision, memberId, note });
          become(end.status);
          return end;
        });
      } else if (timers.due.expiry) {
        become((await decidePush({ ...ref, decision: 'expire', memberId: null, note: null })).status);
      } else {
        timers.due.reminder = false;
        await remindOfPush(ref);
      }
    }
    timers.stop();
    answerTheRest();
  }

  const opened = await openPush({ ...ref, ...(input.approval ? { approval: input.approval } : {}) });
  become(opened.status);
  if (isWaiting()) await waitForApproval(opened);
  answerTheRest();
  if (opened.status === 'awaiting_approval') {
    const said = status;
    if (said === 'rejected' || said === 'expired' || said === 'cancelled') {
      await tellApproval.executeWithOptions({ summary: 'The findings are free again' }, [{ ...ref, said, actor }]);
      await condition(allHandlersFinished);
      return;
    }
  }
  for (let seen = -1; seen !== resumes || !allHandlersFinished(); ) {
    seen = resumes;
    for (;;) {
      const { left } = await pushItems.executeWithOptions({ summary: 'Push what waits' }, [{ ...ref, actor }]);
      if (!left) break;
      if (workflowInfo().continueAsNewSuggested) return await continueAsNew<typeof pushBatch>(input);
    }
    become((await finishPush(ref)).status);
    await condition(allHandlersFinished);
  }
}

/** What is due of the two; `stop` ends those that run. */
function startTimers({ remindMs, expireMs }: ApprovalWaits) {
  const due = { reminder: false, expiry: false };
  const running = new CancellationScope();
  async function start(what: keyof typeof due, ms: number | null, summary: string): Promise<void> {
    if (ms === null) return;
    await sleep(ms, { summary }).then(
      () => {
        due[what] = true;
      },
      () => undefined,
    );
  }
  void running.run(async () => {
    await Promise.all([
      start('reminder', remindMs, 'Remind the admins'),
      start('expiry', expireMs, 'The approval expires'),
    ]);
  });
  return { due, stop: () => running.cancel() };
}
