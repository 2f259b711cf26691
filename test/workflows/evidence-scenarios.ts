// The ways of pictures to an issue: at once, asked for again meanwhile, kept back by dead credentials, or refused.

import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { evidenceWorkflowId } from '../../workflows/contract';
import { until } from '../support/until';
import type { WorkflowRunner } from '../support/workflow-runner';
import { credentials, type Scenario } from './drive';

/** Pictures of one finding; `attach` is what the activity does, and `told.tries` how often. */
function driveEvidence(runner: WorkflowRunner, attach: (tries: number) => Promise<void> = async () => undefined) {
  const told = { tries: 0 };
  runner.use({
    attachPictures: async () => {
      told.tries += 1;
      await attach(told.tries);
    },
  });
  const input = { organisationId: randomUUID(), findingId: randomUUID() };
  const handle = runner.client.workflow.getHandle(evidenceWorkflowId(input.findingId));
  return {
    told,
    ask: () => runner.engine().attachEvidence(input),
    waits: () =>
      until(async () => (await handle.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes), {
        what: 'the wait for new credentials',
      }),
    async ends(tries: number): Promise<string> {
      await handle.result();
      expect(told.tries).toBe(tries);
      return handle.workflowId;
    },
  };
}

export const pictures: Scenario[] = [
  {
    name: 'evidence/attached',
    async run(runner) {
      const it = driveEvidence(runner);
      await it.ask();
      return await it.ends(1);
    },
  },
  {
    name: 'evidence/asked-meanwhile',
    async run(runner) {
      let goOn: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const it = driveEvidence(runner, async (tries) => {
        if (tries === 1) await asked;
      });
      await it.ask();
      await until(() => it.told.tries === 1, { what: 'the first look' });
      await it.ask();
      goOn();
      return await it.ends(2);
    },
  },
  {
    name: 'evidence/held-then-attached',
    async run(runner) {
      const account = credentials();
      const it = driveEvidence(
        runner,
        account.needed(async () => undefined),
      );
      await it.ask();
      await it.waits();
      account.replace();
      await it.ask();
      return await it.ends(2);
    },
  },
  {
    name: 'evidence/refused',
    async run(runner) {
      const it = driveEvidence(runner, async () => {
        throw ApplicationFailure.create({ type: 'JiraNotFound', nonRetryable: true, message: 'It is gone.' });
      });
      await it.ask();
      return await it.ends(1);
    },
  },
];
