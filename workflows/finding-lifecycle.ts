import { allHandlersFinished, condition, setHandler } from '@temporalio/workflow';
import {
  approvalSignal,
  jiraChangedSignal,
  type LifecycleInput,
  lifecycleStateQuery,
  linkUpdate,
  missingDecidedUpdate,
  pushUpdate,
  unlinkUpdate,
  verdictSignal,
} from './contract';
import { createLifecycleRun } from './lifecycle-run';
import { isAtRest, type LifecycleEvent, type LifecycleState } from './rules/lifecycle';

/**
 * One finding on its way through the loop: push, wait for Jira, flag the re-run, wait for the verdict, close or go
 * round again. Completes when nothing is left to wait for; a later change starts a new run from the stored state.
 */
export async function findingLifecycle(input: LifecycleInput): Promise<LifecycleState> {
  // Holds the state and performs effects. Debts: comments, reopenings and reads that dead credentials prevented.
  const run = createLifecycleRun(input);
  const inbox: LifecycleEvent[] = [];
  let issueChanged = false;
  let accepted = 0;
  let handled = 0;

  // Handlers only put messages into the inbox, so that one loop handles them one at a time, in order.
  async function inTurn(event: LifecycleEvent): Promise<void> {
    inbox.push(event);
    accepted += 1;
    const ticket = accepted;
    await condition(() => handled >= ticket);
  }
  setHandler(pushUpdate, async ({ batchId, actor, lane }) => {
    await inTurn({ type: 'push_asked', actor, batchId, ...(lane ? { lane } : {}) });
    return run.pushResult(batchId);
  });
  setHandler(linkUpdate, async ({ linkId, key, actor }) => {
    await inTurn({ type: 'link_asked', actor, linkId, key });
    return run.state();
  });
  setHandler(unlinkUpdate, async ({ actor }) => {
    await inTurn({ type: 'unlink_asked', actor });
    return run.state();
  });
  setHandler(missingDecidedUpdate, async ({ decision, actor }) => {
    await inTurn({ type: 'missing_decided', decision, actor });
    return run.state();
  });
  setHandler(approvalSignal, ({ said, actor, reason }) =>
    said === 'asked'
      ? inTurn({ type: 'approval_asked', actor })
      : inTurn({ type: 'approval_ended', said, actor, ...(reason ? { reason } : {}) }),
  );
  setHandler(verdictSignal, (given) => inTurn({ type: 'verdict_given', ...given }));
  setHandler(jiraChangedSignal, () => {
    issueChanged = true;
  });
  setHandler(lifecycleStateQuery, run.state);

  async function settleAndRead(): Promise<void> {
    // People move to Done first and set the resolution a moment later, so Jira's word is read when it has settled.
    const { settleMs } = input.timings;
    const isInterrupted =
      settleMs > 0 && (await condition(() => inbox.length > 0, settleMs, { summary: 'Let the issue settle' }));
    // The message goes first; the issue still counts as changed, and settles anew after it.
    if (isInterrupted) return;
    issueChanged = false;
    await run.payDebts();
    await run.readIssue();
  }

  await run.load();
  const somethingToDo = () => inbox.length > 0 || issueChanged;
  const nothingToWaitFor = () => isAtRest(run.state()) && allHandlersFinished() && run.debtsDueMs() === null;
  const wakes = () => somethingToDo() || nothingToWaitFor();
  for (;;) {
    const dueMs = run.debtsDueMs();
    if (dueMs === null) await condition(wakes);
    // Due: treated like a change, so that debts are paid and the issue is read.
    else if (!(await condition(wakes, dueMs, { summary: 'Until Jira takes what it refused' }))) issueChanged = true;
    const event = inbox.shift();
    if (event) {
      await run.handle(event);
      handled += 1;
    } else if (issueChanged) await settleAndRead();
    else return run.state();
  }
}
