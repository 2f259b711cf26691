// One scenario per terminal state of a workflow and one per way back. They are asserted in lifecycle.test.ts, and their
// recorded histories are replayed against today's code in replay.test.ts.

import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { quickTimings, type WorkflowRunner } from '../support/workflow-runner';
import { drive, link, linked, mel, type Scenario, verifiedWhileCommenting } from './drive';
import { pictures } from './evidence-scenarios';
import { deleted, held } from './jira-scenarios';
import { pushes } from './push-scenarios';

const lifecycle: Scenario[] = [
  {
    name: 'findingLifecycle/verified',
    async run(runner) {
      const it = drive(runner, {}, { ...quickTimings, settleMs: 1000 });
      expect(await it.push()).toEqual({ outcome: 'created', jiraKey: 'ACC-1' });
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.verdict('pass', 1);
      const id = await it.ends('verified');
      expect(it.told).toMatchObject({ records: ['pushed', 'claimed', 'verified'], comments: ['pass'], creates: 1 });
      return id;
    },
  },
  {
    name: 'findingLifecycle/resolved',
    async run(runner) {
      const it = drive(runner);
      it.world.onJiraDone = 'resolve';
      await it.push();
      await it.jira('claimed');
      return await it.ends('resolved');
    },
  },
  {
    name: 'findingLifecycle/blocked',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('not_done');
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  {
    name: 'findingLifecycle/push-refused',
    async run(runner) {
      const it = drive(runner, { openLink: async () => ({ kind: 'refused', reason: 'excluded' }) });
      expect(await it.push()).toEqual({ outcome: 'refused', reason: 'excluded' });
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/linked-then-unlinked',
    async run(runner) {
      const it = drive(runner);
      await it.link();
      await it.recorded('linked');
      await it.unlink();
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/failed-verdict-then-second-round',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.verdict('fail', 1);
      await it.recorded('verdict_fail');
      await it.verdict('pass', 1);
      const id = await it.ends('verified');
      expect(it.told.comments).toEqual(['fail', 'pass']);
      return id;
    },
  },
  {
    name: 'findingLifecycle/reopened-by-recheck',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.verdict('fail', 1, 'reopen');
      await it.recorded('reopened_by_recheck');
      await it.jira('not_done');
      await it.jira('claimed');
      await it.recorded('claimed', 2);
      await it.verdict('pass', 1);
      await it.recorded('verdict_late');
      await it.verdict('pass', 2);
      return await it.ends('verified');
    },
  },
  {
    name: 'findingLifecycle/reopened-in-jira-while-flagged',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.jira('not_done');
      await it.recorded('reopened');
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  ...(['verified', 'resolved', 'blocked'] as const).map((status) => ({
    name: `findingLifecycle/reopened-after-${status}`,
    async run(runner: WorkflowRunner) {
      const it = drive(runner);
      it.world.state = linked(status, 1);
      await it.jira('not_done');
      await it.recorded('reopened');
      await it.unlink();
      return await it.ends('open');
    },
  })),
  {
    name: 'findingLifecycle/push-failed-then-pushed-again',
    async run(runner) {
      let tries = 0;
      const it = drive(runner, {
        createIssue: async () => {
          tries += 1;
          return tries === 1
            ? { kind: 'refused', reason: 'customfield_1 is required' }
            : { kind: 'created', key: 'ACC-1' };
        },
      });
      expect(await it.push()).toEqual({ outcome: 'failed', reason: 'customfield_1 is required' });
      expect(await it.push()).toEqual({ outcome: 'created', jiraKey: 'ACC-1' });
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  {
    name: 'findingLifecycle/lost-answer-found-by-marker',
    async run(runner) {
      const it = drive(runner, {
        createIssue: async () => ({ kind: 'ambiguous' }),
        settleAttempt: async () => ({ kind: 'sent' }),
        findIssue: async () => ({ issue: link }),
      });
      expect(await it.push()).toEqual({ outcome: 'created', jiraKey: 'ACC-1' });
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  {
    name: 'findingLifecycle/lost-answer-then-second-attempt',
    async run(runner) {
      const attempts: number[] = [];
      const it = drive(runner, {
        createIssue: async ({ attempt }) => {
          attempts.push(attempt);
          return attempt === 1 ? { kind: 'ambiguous' } : { kind: 'created', key: 'ACC-1' };
        },
        settleAttempt: async () => ({ kind: 'sent' }),
        findIssue: async () => ({ issue: null }),
      });
      expect(await it.push()).toEqual({ outcome: 'created', jiraKey: 'ACC-1' });
      expect(attempts).toEqual([1, 2]);
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  {
    name: 'findingLifecycle/pushed-again-while-the-run-was-finishing',
    async run(runner) {
      const { it, comment } = await verifiedWhileCommenting(runner);
      // Ingest saw the problem again: the finding is open, its link is history, and the comment is still on its way.
      it.world.state = { version: 1, status: 'open', claim: 1, issue: null, reason: null };
      const again = it.push();
      comment();
      expect(await again).toMatchObject({ outcome: 'created' });
      expect(it.told.creates).toBe(2);
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
  {
    name: 'findingLifecycle/resumed-push',
    async run(runner) {
      const it = drive(runner, {
        openLink: async () => ({ kind: 'opened', linkId: 'link-1', attempt: 1, resumed: true }),
        settleAttempt: async () => ({ kind: 'linked', issue: link }),
      });
      it.world.state = { version: 1, status: 'pushing', claim: 0, issue: null, reason: null };
      await it.jira('blocked');
      const id = await it.ends('blocked');
      expect(it.told.creates).toBe(0);
      return id;
    },
  },
  {
    name: 'findingLifecycle/rate-limited-then-created',
    async run(runner) {
      let tries = 0;
      const it = drive(runner, {
        createIssue: async () => {
          tries += 1;
          if (tries === 1) return { kind: 'no_slot', waitMs: 1 };
          return tries === 2 ? { kind: 'not_executed', waitMs: 1 } : { kind: 'created', key: 'ACC-1' };
        },
      });
      await it.push();
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
];

function session(
  name: string,
  play: (
    engine: ReturnType<WorkflowRunner['engine']>,
    ref: { organisationId: string; sessionId: string },
  ) => Promise<void>,
): Scenario {
  return {
    name: `rerunSession/${name}`,
    async run(runner) {
      const ref = { organisationId: randomUUID(), sessionId: randomUUID() };
      let given = 0;
      runner.use({
        startSession: async () => undefined,
        cancelSession: async () => ({ ended: true }),
        storeVerdicts: async ({ verdicts }) => {
          given += verdicts.length;
          return { ended: given >= 2, given: verdicts };
        },
        deliverVerdicts: async () => undefined,
      });
      await play(runner.engine(), ref);
      const handle = runner.client.workflow.getHandle(`session:${ref.sessionId}`);
      await handle.result();
      return handle.workflowId;
    },
  };
}

const sessions: Scenario[] = [
  session('completed', async (engine, ref) => {
    await engine.startSession(ref);
    for (const verdict of ['pass', 'fail'] as const) {
      await engine.verdicts(ref, {
        verdicts: [{ findingId: randomUUID(), verdict }],
        memberId: mel.kind,
        reportId: null,
      });
    }
  }),
  session('cancelled', async (engine, ref) => {
    await engine.startSession(ref);
    await engine.cancelSession(ref);
  }),
];

export const scenarios: Scenario[] = [...lifecycle, ...held, ...deleted, ...sessions, ...pushes, ...pictures];
