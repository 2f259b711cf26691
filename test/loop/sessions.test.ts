// Re-run sessions that meet: people and reports that decide the same cases at once, and data that cannot be stored.

import { randomUUID } from 'node:crypto';
import { type Stack, startStack } from '../support/stack';
import { type Answer, must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, junit, type Pushed, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack, { stories: 'sessions' });
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));
const names = (count: number) => Array.from({ length: count }, (_, index) => `test ${index}`);
const show = (sessionId: string) => must(stack.api('GET', `/api/v1/sessions/${sessionId}`));
const give = (sessionId: string, given: { finding: string; verdict: string; note?: string }[]) =>
  stack.api('POST', `/api/v1/sessions/${sessionId}/verdicts`, given);
const cancel = (sessionId: string) => stack.api('POST', `/api/v1/sessions/${sessionId}/cancel`);
const saidOf = ({ status, body }: Answer) => (status < 300 ? String(status) : `${status} ${body.code}`);
const statuses = async (all: readonly { id: string }[]) =>
  (await Promise.all(all.map(({ id }) => go.finding(id)))).map(({ status }) => status);

/** Findings of one source that wait for their re-run. */
async function flagged(count: number): Promise<Pushed[]> {
  const all = await go.pushedAll(names(count));
  for (const { key } of all) await go.move(key, 'Done');
  for (const { id } of all) await go.becomes(id, 'needs_rerun');
  return all;
}
/** A session of one flagged finding. */
async function oneInSession(): Promise<{ id: string; sessionId: string; source: string }> {
  const { source, id } = await go.flagged();
  return { source, id, sessionId: await go.session(source, [id]) };
}
const runEnds = (sessionId: string) =>
  until(
    async () => (await stack.temporal.workflow.getHandle(`session:${sessionId}`).describe()).status.name !== 'RUNNING',
    { what: `the end of the run of session ${sessionId}` },
  );

/** PostgreSQL raises `code` for rows of a table where `refuses` holds, until the answer is called. */
async function refusing(table: string, refuses: string, code: string): Promise<() => Promise<unknown>> {
  const name = `refuse_${randomUUID().slice(0, 8)}`;
  await stack.db.query(
    `create function ${name}() returns trigger language plpgsql as $$
     begin raise exception 'not this' using errcode = '${code}'; end $$`,
  );
  await stack.db.query(
    `create trigger ${name} before insert or update on ${table} for each row when (${refuses}) execute function ${name}()`,
  );
  return () => stack.db.query(`drop function ${name} cascade`);
}

describe('what a report proves', () => {
  it('V3 V7 is not lost when reports of overlapping shards come in at once, and counts once', async () => {
    const all = await flagged(8);
    const { source = '' } = all[0] ?? {};
    const shard = (index: number) => junit({ passed: [`test ${index}`, `test ${(index + 1) % all.length}`] });
    const answers = await times(all.length, (index) =>
      stack.api('POST', `/api/v1/sources/${source}/reports`, shard(index), { 'idempotency-key': randomUUID() }),
    );
    expect(answers.map(saidOf)).toEqual(all.map(() => '201'));
    for (const { id } of all) await go.becomes(id, 'verified');
    for (const { id } of all) await go.quiet(id);
    for (const { id } of all) {
      expect([await go.count(id, 'verified'), await go.count(id, 'verdict_late')]).toEqual([1, 0]);
    }
  });

  it('V3 V7 is made up for by the same report sent again, once', async () => {
    const { source, id } = await go.flagged();
    const accept = await refusing('session', 'true', 'P0001');
    const key = { 'idempotency-key': randomUUID() };
    const file = junit({ passed: ['adds to the cart'] });
    const send = () => stack.api('POST', `/api/v1/sources/${source}/reports`, file, key);
    expect((await send()).status).toBe(201);
    expect(await statuses([{ id }])).toEqual(['needs_rerun']);
    await accept();
    expect((await send()).status).toBe(200);
    await go.becomes(id, 'verified');
    const before = await go.history(id);
    expect((await send()).status).toBe(200);
    await go.quiet(id);
    expect(await go.history(id)).toEqual(before);
    const { rows } = await stack.db.query(
      `select 1 from session_case c join finding f on f.id = c.finding_id where f.number = $1`,
      [Number(id.slice(2))],
    );
    expect(rows).toHaveLength(1);
  });

  it('V7 counts for a flagged finding outside the session that it was sent to, too', async () => {
    const all = await flagged(2);
    const [inside, outside] = all;
    if (!inside || !outside) throw new Error('Two findings were pushed.');
    const sessionId = await go.session(inside.source, [inside.id]);
    await must(stack.api('POST', `/api/v1/sessions/${sessionId}/reports`, junit({ passed: names(2) })));
    for (const { id } of all) await go.becomes(id, 'verified');
    expect(await go.count(inside.id, 'verdict_late')).toBe(0);
  });
});

describe('who comes second', () => {
  it('V2 of many sessions that are made of the same finding at once, one is made', async () => {
    const { source, id } = await go.flagged();
    const answers = await times(8, () => stack.api('POST', '/api/v1/sessions', { source, findings: [id] }));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    for (const answer of answers) {
      if (answer !== made[0]) expect(saidOf(answer)).toBe('409 session_open');
    }
  });

  it('V3 refuses one list that says two things of one finding, and changes nothing', async () => {
    const { id, sessionId } = await oneInSession();
    const before = await show(sessionId);
    const said = await give(sessionId, [
      { finding: id, verdict: 'fail' },
      { finding: id, verdict: 'pass' },
    ]);
    expect(saidOf(said)).toBe('400 finding_twice');
    expect(await show(sessionId)).toEqual(before);
  });

  it('V3 tells people who decide one case at once which verdict stands', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { id, sessionId } = await oneInSession();
      const asked = ['fail', 'skip', 'unstable', 'pass'];
      const answers = await times(4, (index) =>
        give(sessionId, [{ finding: id, verdict: asked[(index + round) % 4] ?? 'skip' }]),
      );
      const [{ verdict: stands }] = (await show(sessionId)).cases;
      const said = answers.map((answer, index) => [asked[(index + round) % 4], saidOf(answer)]);
      for (const [verdict, answer] of said) {
        const allowed = verdict === stands ? ['200'] : ['409 verdict_given', '409 session_ended'];
        expect(allowed).toContain(answer);
      }
      await runEnds(sessionId);
    }
  });

  it('V3 answers cancels and verdicts that meet by what the session is then, and its run ends', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id, sessionId } = await oneInSession();
      const decide = () => give(sessionId, [{ finding: id, verdict: 'skip' }]);
      const answers = await times(6, (index) => (index % 3 === round % 3 ? decide() : cancel(sessionId)));
      const { status, cases } = await show(sessionId);
      const isCancelled = status === 'cancelled';
      expect([status, cases[0].verdict]).toEqual(isCancelled ? ['cancelled', null] : ['completed', 'skip']);
      answers.forEach((answer, index) => {
        const isDone = (index % 3 === round % 3) !== isCancelled;
        const ended = ['409 session_ended', '409 verdict_given'];
        expect(isDone ? ['200', ...ended] : ended).toContain(saidOf(answer));
      });
      expect(answers.some((answer) => answer.status === 200)).toBe(true);
      expect(saidOf(await cancel(sessionId))).toBe('409 session_ended');
      await runEnds(sessionId);
    }
  });
});

describe('data that PostgreSQL refuses', () => {
  it('V3 fails the verdict that brought it, and the session goes on', async () => {
    const { id, sessionId } = await oneInSession();
    const accept = await refusing('verdict', `new.note = 'odd'`, '22P05');
    expect(saidOf(await give(sessionId, [{ finding: id, verdict: 'pass', note: 'odd' }]))).toBe('400 data_refused');
    expect(await go.verdict(sessionId, id, 'pass')).toMatchObject({ status: 'completed' });
    await accept();
    await go.becomes(id, 'verified');
    await runEnds(sessionId);
  });

  it('P9 fails the decision that brought it, and the push goes on', async () => {
    const source = await go.source();
    await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { approval: 'all' }));
    await go.report(source, { failed: ['one'] });
    const { id } = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
    const accept = await refusing('approval', `new.note = 'odd'`, '22P05');
    const admin = stack.local.members.find(({ role }) => role === 'admin')?.apiKey ?? '';
    const approve = (body: object) => stack.apiAs(admin)('POST', `/api/v1/pushes/${id}/approve`, body);
    expect(saidOf(await approve({ note: 'odd' }))).toBe('400 data_refused');
    expect((await approve({})).status).toBeLessThan(300);
    await accept();
    await go.pushEnds(id);
  });

  it('S5 keeps no lifecycle from going on: what happened counts without its words', async () => {
    const { id, key } = await go.pushed();
    const accept = await refusing(
      'audit_event',
      `new.event = 'claimed' and new.detail <> '(PostgreSQL did not take the words of this.)'`,
      '22021',
    );
    await go.move(key, 'Done');
    await go.becomes(id, 'needs_rerun');
    await accept();
    const { source } = await go.finding(id);
    await go.verdict(await go.session(source, [id]), id, 'pass');
    await go.becomes(id, 'verified');
  });
});
