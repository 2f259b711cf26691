// What others do meanwhile, on a real server: reports that reopen what is settled, verdicts told twice, and a Jira that
// does not answer while people ask for something.

import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createEngine } from '../../activities/engine';
import type { ClaimVerdict, LifecycleState } from '../../workflows/rules/lifecycle';
import { NotDoneYet } from '../../workflows/rules/not-done-yet';
import { until } from '../support/until';
import {
  healthyWorld,
  lifecycleHandle,
  quickTimings,
  someFinding,
  startWorkflowRunner,
  type WorkflowRunner,
} from '../support/workflow-runner';
import { drive, linked, mel, verifiedWhileCommenting } from './drive';

let runner: WorkflowRunner;
beforeAll(async () => {
  runner = await startWorkflowRunner();
});
afterAll(async () => {
  await runner.stop();
});

const reopenedByReport: LifecycleState = { version: 1, status: 'open', claim: 1, issue: null, reason: null };

/** Jira answers an error, and would again for longer than it is waited for. */
const away = () =>
  ApplicationFailure.create({ type: 'JiraUnavailable', message: 'Jira answered 503.', nextRetryDelay: '5m' });

describe('a settled finding that a report reopens', () => {
  it('S8 V7 while its issue is read stays open, whatever Jira says of the issue', async () => {
    const it = drive(runner, {
      readIssue: async () => {
        it.world.state = reopenedByReport;
        return { meaning: 'not_done', key: 'ACC-1', onJiraDone: 'verify' };
      },
    });
    it.world.state = linked('resolved', 1);
    await it.jira('not_done');
    await it.ends('open');
    expect(it.told.records).toEqual([]);
  });

  it('S8 V7 while a change of it is written is left as the report made it', async () => {
    const wanted: (string | undefined)[] = [];
    const it = drive(runner, {
      recordChange: async ({ restsAs }) => {
        wanted.push(restsAs);
        it.world.state = reopenedByReport;
        return 'overtaken';
      },
    });
    it.world.state = linked('verified', 1);
    await it.jira('not_done');
    await it.ends('open');
    expect(wanted).toEqual(['verified']);
  });

  it('P6 V7 while its comment is on its way can be linked by hand at once', async () => {
    const { it, comment } = await verifiedWhileCommenting(runner);
    it.world.state = reopenedByReport;
    const linking = it.link();
    comment();
    await linking;
    expect(it.told.records.at(-1)).toBe('linked');
    await it.unlink();
    await it.ends('open');
  });
});

describe('V3 a verdict that is told twice', () => {
  const given = (verdict: ClaimVerdict['verdict']): ClaimVerdict => ({
    ...{ claim: 1, verdict, actor: mel, sessionId: randomUUID(), onVerifyFail: 'comment' },
  });

  it('counts once, while the finding is flagged and when it is verified', async () => {
    const finding = someFinding();
    const { told, activities, world } = healthyWorld();
    runner.use(activities);
    world.state = linked('needs_rerun', 1);
    const engine = runner.engine();
    const [fail, skip, pass] = [given('fail'), given('skip'), given('pass')];
    for (const verdict of [fail, fail, skip, pass]) await engine.verdictGiven(finding, verdict);
    await lifecycleHandle(runner, finding).result();
    await engine.verdictGiven(finding, pass);
    await lifecycleHandle(runner, finding).result();
    expect(told.records).toEqual(['verdict_fail', 'verdict_skip', 'verified']);
    expect(told.comments).toEqual(['fail', 'pass']);
  });
});

describe('while Jira does not answer', () => {
  it('S5 what people ask is done in between, and the issue is read later', async () => {
    let reads = 0;
    let isAway = true;
    const it = drive(runner, {
      readIssue: async () => {
        reads += 1;
        if (isAway) throw away();
        return { meaning: 'blocked', key: 'ACC-1', onJiraDone: 'verify' };
      },
    });
    await it.push();
    await it.jira('blocked');
    await until(() => reads === 1, { what: 'the reading' });
    expect(await it.push()).toEqual({ outcome: 'reused', jiraKey: 'ACC-1' });
    expect(it.told.records).toEqual(['pushed', 'push_reused']);
    isAway = false;
    // It would be in a minute, by a timer.
    const handle = lifecycleHandle(runner, it.finding);
    await until(async () => (await handle.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes), {
      what: 'the wait for the next reading',
    });
    await it.jira('blocked');
    await it.ends('blocked');
    expect(it.told.records).toEqual(['pushed', 'push_reused', 'blocked']);
  });

  it('V4 a reopening waits, says so, and is made later', async () => {
    let isAway = true;
    const it = drive(runner, {
      reopenIssue: async () => {
        if (isAway) throw away();
        return { reopened: true, reason: 'moved to To Do' };
      },
    });
    it.world.state = linked('needs_rerun', 1);
    it.world.meaning = 'not_done';
    await it.verdict('fail', 1, 'reopen');
    await it.recorded('reopen_held');
    isAway = false;
    await it.jira('blocked');
    await it.ends('blocked');
    expect(it.told.records).toEqual(['verdict_fail', 'reopen_held', 'reopened_by_recheck', 'blocked']);
  });

  it('O2 what was taken is told apart from an engine that is away', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let reads = 0;
    const it = drive(runner, {
      readIssue: async () => {
        reads += 1;
        await answered;
        return { meaning: 'not_done', key: 'ACC-1', onJiraDone: 'verify' };
      },
    });
    it.world.state = linked('awaiting_fix');
    await it.jira('not_done');
    await until(() => reads === 1, { what: 'the reading' });
    const { client } = runner;
    const impatient = createEngine({ client, timings: quickTimings, callMs: 3000 });
    await expect(impatient.unlink(it.finding, mel)).rejects.toThrow(NotDoneYet);
    answer();
    await it.ends('open');
    expect(it.told.records).toEqual(['unlinked']);

    const nowhere = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }), namespace: 'none' });
    const unreachable = createEngine({ client: nowhere, timings: quickTimings, callMs: 500 });
    const error = await unreachable.unlink(it.finding, mel).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(NotDoneYet);
    expect(error).toMatchObject({ name: expect.stringMatching(/^(ServiceError|WorkflowUpdateRPCTimeout)/) });
    await nowhere.connection.close();
  });
});
