// Data that PostgreSQL refuses for good, on a real server: it is the sender's trouble, and the workflow goes on.

import { randomUUID } from 'node:crypto';
import { endingOnRefusedData } from '../../activities/refused-data';
import { refusedData } from '../../workflows/rules/refused-data';
import { until } from '../support/until';
import {
  type FakeActivities,
  healthyWorld,
  lifecycleHandle,
  someFinding,
  startWorkflowRunner,
  type WorkflowRunner,
} from '../support/workflow-runner';
import { mel } from './drive';

let runner: WorkflowRunner;
beforeAll(async () => {
  runner = await startWorkflowRunner();
});
afterAll(async () => {
  await runner.stop();
});

const use = (fakes: Partial<FakeActivities>) => runner.use(endingOnRefusedData(fakes));
/** What `pg` throws. */
const pgError = (code: string) =>
  Object.assign(new Error('not this'), { code, detail: 'Failing row contains (secret).' });

/** What PostgreSQL said, as whoever asked reads it off the end of the update. */
async function refusalOf(asked: Promise<unknown>): Promise<string | null> {
  try {
    await asked;
    return 'taken';
  } catch (error) {
    for (let at = error; at instanceof Error; at = at.cause) {
      const refusal = refusedData(at);
      if (refusal !== null) return refusal;
    }
    throw error;
  }
}

it('V3 a verdict that cannot be stored fails, and the session takes the next one', async () => {
  use({
    storeVerdicts: async ({ verdicts }) => {
      if (verdicts.some(({ note }) => note === 'odd')) throw pgError('22P05');
      return { ended: true, given: verdicts };
    },
    deliverVerdicts: async () => undefined,
  });
  const engine = runner.engine();
  const ref = { organisationId: randomUUID(), sessionId: randomUUID() };
  const give = (note: string) => {
    const verdicts = [{ findingId: randomUUID(), verdict: 'pass' as const, note }];
    return engine.verdicts(ref, { verdicts, memberId: null, reportId: null });
  };
  expect(await refusalOf(give('odd'))).toBe('PostgreSQL refuses the data (22P05): not this');
  await give('plain');
  await runner.client.workflow.getHandle(`session:${ref.sessionId}`).result();
});

it('P9 a decision that cannot be stored fails, and the push takes the next one', async () => {
  let status = 'awaiting_approval';
  use({
    openPush: async () => ({ status, remindMs: null, expireMs: null }),
    decidePush: async ({ note }) => {
      if (note === 'odd') throw pgError('22021');
      status = 'running';
      return { status, decided: true };
    },
    tellApproval: async () => undefined,
    pushItems: async () => ({ left: false }),
    finishPush: async () => ({ status: 'completed' }),
  });
  const engine = runner.engine();
  const input = { organisationId: randomUUID(), batchId: randomUUID(), actor: mel };
  const approve = (note: string) => engine.decidePush(input, 'approve', { memberId: randomUUID(), note });
  expect(await refusalOf(approve('odd'))).toBe('PostgreSQL refuses the data (22021): not this');
  expect(await approve('plain')).toEqual({ status: 'running', decided: true });
  await runner.client.workflow.getHandle(`push:${input.batchId}`).result();
});

describe('the lifecycle of a finding', () => {
  it('S5 counts what happened without the words that cannot be stored', async () => {
    const made = healthyWorld({ openLink: async () => ({ kind: 'refused', reason: 'odd\0' }) });
    const { recordChange } = made.activities;
    const seen: unknown[] = [];
    use({
      ...made.activities,
      recordChange: async (input) => {
        if (JSON.stringify(input).includes('odd')) throw pgError('22021');
        seen.push([input.record.event, input.record.items?.outcome]);
        return await recordChange?.(input);
      },
    });
    const finding = someFinding();
    const batchId = randomUUID();
    const pushed = await runner.engine().push(finding, { askId: batchId, batchId, actor: mel, waitMs: 20_000 });
    expect(pushed).toMatchObject({ outcome: 'refused' });
    expect(seen).toEqual([['push_refused', 'refused']]);
    expect(await lifecycleHandle(runner, finding).result()).toMatchObject({ status: 'open' });
  });

  it('P6 fails a push whose link cannot be stored', async () => {
    const made = healthyWorld({ openLink: async () => Promise.reject(pgError('23514')) });
    use(made.activities);
    const batchId = randomUUID();
    const ask = { askId: batchId, batchId, actor: mel, waitMs: 20_000 };
    const reason = 'PostgreSQL refuses the data (23514): not this';
    expect(await runner.engine().push(someFinding(), ask)).toEqual({ outcome: 'failed', reason });
    expect(made.told.records).toEqual(['push_failed']);
  });

  it('S8 goes on with what stands in PostgreSQL after a change that cannot be stored at all', async () => {
    const made = healthyWorld();
    const { recordChange } = made.activities;
    const refused: string[] = [];
    let stands = 'verified';
    use({
      ...made.activities,
      recordChange: async (input) => {
        const { event } = input.record;
        if (event !== stands) return await recordChange?.(input);
        refused.push(event);
        throw pgError('23503');
      },
    });
    const engine = runner.engine();
    const finding = someFinding();
    const batchId = randomUUID();
    await engine.push(finding, { askId: batchId, batchId, actor: mel, waitMs: 20_000 });
    made.world.meaning = 'claimed';
    await engine.jiraChanged(finding);
    await until(() => made.told.records.includes('claimed'), { what: 'the claim' });
    // Told by a signal, whose sender nobody can answer.
    const verdict = {
      claim: 1,
      verdict: 'pass',
      actor: mel,
      sessionId: randomUUID(),
      onVerifyFail: 'comment',
    } as const;
    await engine.verdictGiven(finding, verdict);
    await until(() => refused.length === 2, { what: 'the refusal, with the words and without' });
    // Asked by an update, whose sender is told.
    stands = 'unlinked';
    expect(await refusalOf(engine.unlink(finding, mel))).toBe('PostgreSQL refuses the data (23503): not this');
    // Found out by itself.
    stands = 'reopened';
    made.world.meaning = 'not_done';
    await engine.jiraChanged(finding);
    const isRefused = () => refused.filter((event) => event === 'reopened').length === 2;
    await until(isRefused, { what: 'the refusal of what Jira says, with the words and without' });
    stands = '';
    await engine.verdictGiven(finding, verdict);
    expect(await lifecycleHandle(runner, finding).result()).toMatchObject({ status: 'verified', claim: 1 });
  });
});

it('P6 retries where PostgreSQL is away, and where another row may have been there first in a race', async () => {
  const codes = ['57P01', '23505'];
  let attempts = 0;
  use({
    cancelSession: async () => {
      const code = codes[attempts];
      attempts += 1;
      if (code) throw pgError(code);
      return { ended: true };
    },
  });
  await runner.engine().cancelSession({ organisationId: randomUUID(), sessionId: randomUUID() });
  expect(attempts).toBe(3);
});

it('V3 an update that meets a run which is about to close is asked again of the next', async () => {
  for (let round = 0; round < 3; round += 1) {
    const ref = { organisationId: randomUUID(), sessionId: randomUUID() };
    const run = runner.client.workflow.getHandle(`session:${ref.sessionId}`);
    let second: Promise<void> | null = null;
    use({
      cancelSession: async () => {
        // It is at the server before the answer with which the run closes.
        if (second === null) {
          second = runner.engine().cancelSession(ref);
          second.catch(() => undefined);
          for (let calls = 0; calls < 10; calls += 1) await run.describe();
        }
        return { ended: true };
      },
    });
    await runner.engine().cancelSession(ref);
    await second;
    await run.result();
  }
});
