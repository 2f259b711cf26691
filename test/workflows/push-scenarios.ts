// The ways of a push: paced at once, after an approval, or never.

import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { ApprovalDecision } from '../../workflows/contract';
import type { PushStatus } from '../../workflows/rules/vocabulary';
import { until } from '../support/until';
import type { WorkflowRunner } from '../support/workflow-runner';
import { drive, mel, type Scenario } from './drive';

type Start = {
  status: PushStatus;
  remindMs?: number | null;
  expireMs?: number | null;
  slices?: boolean[];
  /** What the telling of the approval takes. */
  telling?: () => Promise<unknown>;
};

const endOf: Record<ApprovalDecision, PushStatus> = {
  approve: 'running',
  reject: 'rejected',
  cancel: 'cancelled',
  expire: 'expired',
};

/** A push whose rows say `start`; what its run does is told. */
function drivePush(
  runner: WorkflowRunner,
  { status, remindMs = null, expireMs = 60_000, slices = [false], telling }: Start,
) {
  const told: string[] = [];
  let now = status;
  runner.use({
    openPush: async () => ({ status: now, remindMs, expireMs }),
    decidePush: async ({ decision }) => {
      const decided = now === 'awaiting_approval';
      if (decided) now = endOf[decision];
      told.push(decision);
      return { status: now, decided };
    },
    remindOfPush: async () => told.push('reminded'),
    tellApproval: async ({ said }) => {
      if (said === 'asked') await telling?.();
      return told.push(said);
    },
    pushItems: async () => {
      told.push('pushed');
      return { left: slices.shift() ?? false };
    },
    finishPush: async () => {
      told.push('finished');
      if (now === 'running') now = 'completed';
      return { status: now };
    },
  });
  const engine = runner.engine();
  const input = { organisationId: randomUUID(), batchId: randomUUID(), actor: mel };
  const handle = runner.client.workflow.getHandle(`push:${input.batchId}`);
  return {
    told,
    engine,
    input,
    start: () => engine.pushBatch(input),
    decide: (decision: 'approve' | 'reject' | 'cancel') => engine.decidePush(input, decision, { memberId: 'ada' }),
    said: (word: string) => until(() => told.includes(word), { what: `"${word}"` }),
    async ends(...words: string[]): Promise<string> {
      await handle.result();
      expect(told).toEqual(words);
      return handle.workflowId;
    },
  };
}

export const pushes: Scenario[] = [
  {
    name: 'pushBatch/pushed-in-slices',
    async run(runner) {
      const it = drivePush(runner, { status: 'running', slices: [true, true, false] });
      await it.start();
      return await it.ends('pushed', 'pushed', 'pushed', 'finished');
    },
  },
  {
    name: 'pushBatch/resumed',
    async run(runner) {
      const it = drivePush(runner, { status: 'running' });
      await it.engine.resumePush(it.input);
      const id = await it.ends(...['pushed', 'finished']);
      return id;
    },
  },
  {
    name: 'pushBatch/approved-twice',
    async run(runner) {
      const it = drivePush(runner, { status: 'awaiting_approval' });
      await it.start();
      await it.said('asked');
      const both = await Promise.all([it.decide('approve'), it.decide('approve')]);
      expect(both.map(({ decided }) => decided).sort()).toEqual([false, true]);
      return await it.ends('asked', 'approve', 'pushed', 'finished');
    },
  },
  {
    name: 'pushBatch/approved-by-the-first-word',
    async run(runner) {
      const it = drivePush(runner, { status: 'awaiting_approval', expireMs: null });
      expect(await it.decide('approve')).toEqual({ status: 'running', decided: true });
      const id = `push:${it.input.batchId}`;
      await runner.client.workflow.getHandle(id).result();
      expect(it.told).toContain('pushed');
      return id;
    },
  },
  ...(['reject', 'cancel'] as const).map((decision) => ({
    name: `pushBatch/${endOf[decision]}`,
    async run(runner: WorkflowRunner) {
      const it = drivePush(runner, { status: 'awaiting_approval', remindMs: 30_000 });
      await it.start();
      await it.said('asked');
      expect(await it.decide(decision)).toEqual({ status: endOf[decision], decided: true });
      return await it.ends('asked', decision, endOf[decision]);
    },
  })),
  {
    name: 'pushBatch/rejected-while-many-are-told',
    async run(runner) {
      let toldAll: () => void = () => undefined;
      const all = new Promise<void>((resolve) => {
        toldAll = resolve;
      });
      const it = drivePush(runner, { status: 'awaiting_approval', telling: () => all });
      await it.start();
      // It is answered at once, and nobody is told of the end before everybody has heard of the beginning.
      expect(await it.decide('reject')).toEqual({ status: 'rejected', decided: true });
      expect(await it.decide('approve')).toEqual({ status: 'rejected', decided: false });
      toldAll();
      return await it.ends('reject', 'asked', 'rejected');
    },
  },
  {
    name: 'pushBatch/approved-while-many-are-told',
    async run(runner) {
      let toldAll: () => void = () => undefined;
      const all = new Promise<void>((resolve) => {
        toldAll = resolve;
      });
      const it = drivePush(runner, { status: 'awaiting_approval', telling: () => all });
      await it.start();
      expect(await it.decide('approve')).toEqual({ status: 'running', decided: true });
      expect(await it.decide('cancel')).toEqual({ status: 'running', decided: false });
      await it.engine.resumePush(it.input);
      toldAll();
      const id = `push:${it.input.batchId}`;
      await runner.client.workflow.getHandle(id).result();
      expect(it.told.slice(0, 3)).toEqual(['approve', 'asked', 'pushed']);
      return id;
    },
  },
  {
    name: 'pushBatch/reminded-then-expired',
    async run(runner) {
      const it = drivePush(runner, { status: 'awaiting_approval', remindMs: 1000, expireMs: 2500 });
      await it.start();
      return await it.ends('asked', 'reminded', 'expire', 'expired');
    },
  },
  {
    name: 'findingLifecycle/approval-asked-then-pushed',
    async run(runner) {
      const it = drive(runner);
      await runner.engine().approvalSaid(it.finding, { batchId: randomUUID(), said: 'asked', actor: mel });
      await it.recorded('approval_asked');
      expect(await it.push()).toEqual({ outcome: 'created', jiraKey: 'ACC-1' });
      await it.unlink();
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/approval-rejected',
    async run(runner) {
      const it = drive(runner);
      const batchId = randomUUID();
      await runner.engine().approvalSaid(it.finding, { batchId, said: 'asked', actor: mel });
      await it.recorded('approval_asked');
      await runner.engine().approvalSaid(it.finding, { batchId, said: 'rejected', actor: mel, reason: 'Too many.' });
      const id = await it.ends('open');
      expect(it.told).toMatchObject({ records: ['approval_asked', 'approval_rejected'], creates: 0 });
      return id;
    },
  },
];
