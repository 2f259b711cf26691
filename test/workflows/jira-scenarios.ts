// The ways of a lifecycle when Jira does not take its credentials (features C10), and when an issue is gone (S8).

import { expect } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowRunner } from '../support/workflow-runner';
import { credentials, drive, link, linked, type Scenario } from './drive';

export const held: Scenario[] = [
  {
    name: 'findingLifecycle/push-held',
    async run(runner) {
      const it = drive(runner, { openLink: async () => ({ kind: 'held', reason: 'Connection held.' }) });
      expect(await it.push()).toEqual({ outcome: 'held', reason: 'Connection held.' });
      const id = await it.ends('open');
      expect(it.told).toMatchObject({ records: ['push_held'], creates: 0 });
      return id;
    },
  },
  {
    name: 'findingLifecycle/push-held-while-sending',
    async run(runner) {
      const it = drive(runner, { createIssue: async () => ({ kind: 'held', reason: 'revoked.' }) });
      expect(await it.push()).toEqual({ outcome: 'held', reason: expect.stringContaining('revoked.') });
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/push-held-while-searching',
    async run(runner) {
      const it = drive(runner, {
        createIssue: async () => ({ kind: 'ambiguous' }),
        settleAttempt: async () => ({ kind: 'sent' }),
        findIssue: credentials().needed(async () => ({ issue: null })),
      });
      expect(await it.push()).toEqual({ outcome: 'held', reason: expect.stringContaining('revoked.') });
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/push-failed-while-searching',
    async run(runner) {
      const it = drive(runner, {
        createIssue: async () => ({ kind: 'ambiguous' }),
        settleAttempt: async () => ({ kind: 'sent' }),
        findIssue: async () => {
          throw ApplicationFailure.create({ type: 'JiraRejected', nonRetryable: true, message: 'no such project.' });
        },
      });
      expect(await it.push()).toEqual({ outcome: 'failed', reason: 'no such project.' });
      await it.link();
      await it.recorded('linked');
      await it.unlink();
      return await it.ends('open');
    },
  },
  {
    name: 'findingLifecycle/comment-held-then-made',
    async run(runner) {
      const account = credentials();
      const it = drive(runner, {
        commentOnIssue: account.needed(async () => {
          it.told.comments.push('late');
        }),
      });
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.verdict('pass', 1);
      await it.recorded('comment_held');
      account.replace();
      await it.jira('claimed');
      const id = await it.ends('verified');
      expect(it.told.comments).toEqual(['late']);
      expect(it.told.records.slice(-2)).toEqual(['comment_held', 'comment_made']);
      return id;
    },
  },
  {
    name: 'findingLifecycle/reopen-held-then-made',
    async run(runner) {
      const account = credentials();
      const it = drive(runner, {
        reopenIssue: account.needed(async () => ({ reopened: true, reason: 'moved to To Do' })),
      });
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.verdict('fail', 1, 'reopen');
      await it.recorded('reopen_held');
      account.replace();
      await it.jira('claimed');
      await it.recorded('reopened_by_recheck');
      // The read that followed found the issue as this world still says: Done, and so claimed once more.
      await it.recorded('claimed', 2);
      await it.verdict('pass', 2);
      return await it.ends('verified');
    },
  },
  {
    name: 'findingLifecycle/reading-held-then-read',
    async run(runner) {
      const account = credentials();
      const it = drive(runner, {
        readIssue: account.needed(async () => ({ meaning: 'not_done', key: 'ACC-1', onJiraDone: 'verify' })),
      });
      it.world.state = linked('verified', 1);
      await it.jira('not_done');
      await it.recorded('read_failed');
      await it.jira('not_done');
      account.replace();
      await it.jira('not_done');
      await it.recorded('reopened');
      expect(it.told.records).toEqual(['read_failed', 'read_again', 'reopened']);
      await it.unlink();
      return await it.ends('open');
    },
  },
];

export const deleted: Scenario[] = [
  ...(['recreate', 'drop', 'accept'] as const).map((decision) => ({
    name: `findingLifecycle/deleted-then-${decision}`,
    async run(runner: WorkflowRunner) {
      const it = drive(runner);
      await it.push();
      await it.jira('missing');
      await it.recorded('issue_missing');
      await it.jira('missing');
      await it.decide(decision);
      const id = await it.ends(decision === 'accept' ? 'blocked' : 'open');
      expect(it.told.records.filter((each) => each === 'issue_missing')).toHaveLength(1);
      expect(it.told.states.at(-1)).toMatchObject({ missing: false, issue: decision === 'accept' ? link : null });
      return id;
    },
  })),
  {
    name: 'findingLifecycle/deleted-while-flagged-then-passed',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('claimed');
      await it.recorded('claimed');
      await it.jira('missing');
      await it.recorded('issue_missing');
      await it.verdict('fail', 1, 'reopen');
      await it.recorded('missing_asked');
      await it.verdict('pass', 1);
      const id = await it.ends('verified');
      expect(it.told.comments).toEqual([]);
      return id;
    },
  },
  {
    name: 'findingLifecycle/out-of-sight-then-deleted-then-there-again',
    async run(runner) {
      const it = drive(runner);
      await it.push();
      await it.jira('project_lost');
      await it.jira('missing');
      await it.recorded('issue_missing');
      await it.jira('not_done');
      await it.recorded('issue_found');
      await it.jira('blocked');
      return await it.ends('blocked');
    },
  },
];
