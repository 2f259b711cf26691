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
import { createInbox } from './inbox';
import { createLifecycleRun } from './lifecycle-run';
import type { LifecycleEvent, LifecycleState } from './rules/lifecycle';

/**
 * One finding on its way through the loop: push, wait for Jira, flag the re-run, wait for the verdict, close or go
 * round again. Completes when nothing is left to wait for; a later change starts a new run from the stored state.
 */
export async function findingLifecycle(input: LifecycleInput): Promise<LifecycleState> {
  // Holds the state, asks the rules what an event makes of it, and performs the effects; `create_issue` is
  // createIssueExactlyOnce.
  const run = createLifecycleRun(input);
  // The loop below handles one message at a time, effects included: while an issue is being made, the next one waits.
  // `put` resolves when its event was handled. What the run finds out itself (`push_ended`, `issue_read`, `reopen_ended`)
  // is handled at once.
  const inbox = createInbox<LifecycleEvent>();
  let mustRead = false;

  async function inTurn(event: LifecycleEvent): Promise<LifecycleState> {
    await inbox.put(event);
    return run.state();
  }
  // Updates: who asks waits for what the handler returns. Signals (`putSignal`): nobody waits.
  setHandler(pushUpdate, async (asked) => {
    await inbox.put({ type: 'push_asked', ...asked });
    return run.pushResult(asked.batchId);
  });
  setHandler(linkUpdate, (asked) => inTurn({ type: 'link_asked', ...asked }));
  setHandler(unlinkUpdate, (asked) => inTurn({ type: 'unlink_asked', ...asked }));
  setHandler(missingDecidedUpdate, (decided) => inTurn({ type: 'missing_decided', ...decided }));
  setHandler(approvalSignal, (approval) => inbox.putSignal({ type: 'approval_said', ...approval }));
  setHandler(verdictSignal, (given) => inbox.putSignal({ type: 'verdict_given', ...given }));
  // Says only that something changed, however often it comes: the loop below goes and reads.
  setHandler(jiraChangedSignal, () => {
    mustRead = true;
  });
  setHandler(lifecycleStateQuery, run.state);

  async function settleAndRead(): Promise<void> {
    // People move to Done first and set the resolution a moment later, so Jira's word is read when it has settled.
    const { settleMs } = input.timings;
    const isInterrupted =
      settleMs > 0 && (await condition(() => !inbox.isEmpty(), settleMs, { summary: 'Let the issue settle' }));
    // A message came in, and is handled first; the loop comes back here.
    if (isInterrupted) return;
    mustRead = false; // Before the read, so that a change meanwhile counts.
    await run.retryCalls(); // Comments and reopenings that Jira did not take before.
    await run.readIssue();
  }

  await run.load();
  // Nothing is left to do, and everybody who asked has been answered.
  const isOver = () => run.isDone() && allHandlersFinished();
  for (;;) {
    const isWoken = await run.waitUntil(() => !inbox.isEmpty() || mustRead || isOver());
    // Not woken: it is time to retry what Jira did not take, which the reading does first.
    if (!isWoken) mustRead = true;

    if (!inbox.isEmpty()) await inbox.handleNext(run.handle);
    else if (mustRead) await settleAndRead();
    else return run.state(); // Nothing is left to wait for.
  }
}
