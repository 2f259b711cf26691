// Drives one lifecycle on a real server: what a person, Jira and a re-run do to it, and what it wrote down.

import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { StartedFinding } from '../../activities/engine';
import type { Timings } from '../../workflows/contract';
import type { Actor, ClaimVerdict, LifecycleState } from '../../workflows/rules/lifecycle';
import { until } from '../support/until';
import {
  healthyWorld,
  lifecycleHandle,
  quickTimings,
  someFinding,
  type WorkflowRunner,
} from '../support/workflow-runner';

export type Scenario = {
  /** `<workflow type>/<what happens>`; the history is stored under this name. */
  name: string;
  /** Drives one workflow to its end and answers its id. */
  run(runner: WorkflowRunner): Promise<string>;
};

export const mel: Actor = { kind: 'member', id: randomUUID() };
export const link = { linkId: 'link-1', key: 'ACC-1' };
export const linked = (status: LifecycleState['status'], claim = 0): LifecycleState => ({
  version: 1,
  status,
  claim,
  issue: link,
  reason: null,
});

/** Credentials that Jira does not take, until they are replaced. */
export function credentials() {
  let dead = true;
  return {
    replace: () => {
      dead = false;
    },
    /** An activity that needs them. */
    needed:
      <T>(work: () => Promise<T>) =>
      async (): Promise<T> => {
        if (dead) throw ApplicationFailure.create({ type: 'JiraAuth', nonRetryable: true, message: 'revoked.' });
        return await work();
      },
  };
}

export function drive(
  runner: WorkflowRunner,
  change: Parameters<typeof healthyWorld>[0] = {},
  timings: Timings = quickTimings,
) {
  const finding = someFinding();
  const made = healthyWorld(change);
  const { told, world } = made;
  runner.use(made.activities);
  const engine = runner.engine(timings);
  const recorded = (event: string, times = 1) =>
    until(() => told.records.filter((each) => each === event).length >= times, {
      seconds: 60,
      what: `the record "${event}"`,
    });
  return {
    finding,
    told,
    world,
    recorded,
    push: (batchId = randomUUID()) => engine.push(finding, { askId: batchId, batchId, actor: mel, waitMs: 20_000 }),
    unlink: () => engine.unlink(finding, mel),
    link: () => engine.link(finding, { ...link, actor: mel }),
    decide: (decision: 'recreate' | 'accept' | 'drop') => engine.missingDecided(finding, { decision, actor: mel }),
    async jira(meaning: string) {
      world.meaning = meaning;
      await engine.jiraChanged(finding);
    },
    verdict: (given: ClaimVerdict['verdict'], claim: number, onVerifyFail: ClaimVerdict['onVerifyFail'] = 'comment') =>
      engine.verdictGiven(finding, { claim, verdict: given, actor: mel, sessionId: randomUUID(), onVerifyFail }),
    ends: (status: string) => ends(runner, finding, status),
  };
}

/** A finding that has passed its re-run, whose comment is on its way until `comment` is called. */
export async function verifiedWhileCommenting(runner: WorkflowRunner) {
  let comment: () => void = () => undefined;
  const commented = new Promise<void>((resolve) => {
    comment = resolve;
  });
  const it = drive(runner, { commentOnIssue: () => commented });
  await it.push();
  await it.jira('claimed');
  await it.recorded('claimed');
  await it.verdict('pass', 1);
  await it.recorded('verified');
  return { it, comment };
}

async function ends(runner: WorkflowRunner, finding: StartedFinding, status: string): Promise<string> {
  const handle = lifecycleHandle(runner, finding);
  expect(((await handle.result()) as LifecycleState).status).toBe(status);
  return handle.workflowId;
}
