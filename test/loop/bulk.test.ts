// Pushes of many findings: paced, overtaken by people, cancelled and resumed. What is killed meanwhile: drills/bulk.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack({
    env: { PUSH_INTERVAL_MS: '100' },
  });
  go = createSteps(stack);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

type Item = { finding: string; outcome: string; jiraKey?: string; reason?: string };
type Push = { id: string; status: string; items: Item[] };
type Request = { number: number; at: string; method: string; path: string; status: number; body: unknown };

async function ready(count: number, word = 'test', rule: { projectKey?: string } = {}): Promise<string> {
  const source = await go.source(rule);
  await go.report(source, { failed: Array.from({ length: count }, (_, index) => `${word} ${index}`) });
  return source;
}
const ask = (source: string, findings: string[] | 'all' = 'all') =>
  must<Push>(stack.api('POST', '/api/v1/pushes', { source, findings }));
const show = (id: string) => must<Push>(stack.api('GET', `/api/v1/pushes/${id}`));
const outcomes = ({ items }: Push) => {
  const counts: Record<string, number> = {};
  for (const { outcome } of items) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};
const made = (push: Push) => outcomes(push).created ?? 0;
async function requests(): Promise<Request[]> {
  return (await must<{ items: Request[] }>(stack.sandbox('GET', '/requests'))).items;
}
const creates = async (word: string) =>
  (await requests()).filter(
    ({ method, path, body }) =>
      method === 'POST' && path === '/rest/api/3/issue' && JSON.stringify(body).includes(`${word} `),
  );
/** How many findings of a source are in the hands of their lifecycles. */
async function pushing(source: string): Promise<number> {
  const { rows } = await stack.db.query<{ count: number }>(
    `select count(*)::int as count from finding f join source s on s.id = f.source_id
     where s.key = $1 and f.status = 'pushing'`,
    [source],
  );
  return rows[0]?.count ?? 0;
}

describe('P2 P8 bulk', () => {
  it('P2 P8 counts what is ready, linked and refused, and pushes exactly that', async () => {
    const source = await ready(4, 'counted');
    const ids = await go.findings(source);
    await go.push(source, ids.slice(0, 1));
    const preview = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all', dryRun: true }));
    expect(preview).toMatchObject({ reuse: [{ finding: ids[0] }], refuse: [] });
    expect(preview.create).toHaveLength(3);
    expect(await creates('counted')).toHaveLength(1);
    const push = await go.push(source, 'all');
    expect(outcomes(push)).toEqual({ reused: 1, created: 3 });
    expect(await creates('counted')).toHaveLength(4);
    await must(stack.api('PUT', `/api/v1/sources/${source}/rule`, { enabled: false }));
    await go.report(source, { failed: ['another one'] });
    const refused = await go.push(source, 'all');
    expect(refused.items.find(({ outcome }: Item) => outcome === 'refused')).toMatchObject({
      reason: expect.stringContaining('excluded'),
    });
  });
});

describe('P5 pacing', () => {
  it("P5 a person's single push overtakes a bulk that is under way", async () => {
    const source = await ready(100, 'slow');
    const alone = await ready(1, 'urgent');
    await go.pushed();
    const bulk = await ask(source);
    await until(async () => made(await show(bulk.id)) > 3, { what: 'the bulk being under way' });
    const single = await ask(alone, await go.findings(alone));
    await go.pushEnds(single.id);
    // Behind the bulk it would be the last of all.
    expect(outcomes(await show(bulk.id)).pending).toBeGreaterThan(0);
    const ended = await go.pushEnds(bulk.id);
    expect(outcomes(ended)).toEqual({ created: 100 });
    const starts = [...(await creates('slow')), ...(await creates('urgent'))].map(({ at }) => Date.parse(at)).sort();
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    // A request arrives a little after it was sent; over all they keep their distance.
    expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(gaps.length * 95);
  });

  it('P5 a 429 in the middle of a bulk holds all calls of its connection for 20 s, and none of another', async () => {
    const seconds = 20;
    const { connectionId, jiraUrl, jiraEmail, jiraApiToken } = stack.local;
    const account = { siteUrl: jiraUrl, email: jiraEmail, apiToken: jiraApiToken, projectKey: 'WEB' };
    const other = await must(stack.api('POST', '/api/v1/connections', account));
    const elsewhere = await ready(40, 'elsewhere', { projectKey: 'WEB' });
    await must(stack.api('PUT', `/api/v1/sources/${elsewhere}/rule`, { connection: other.id, projectKey: 'WEB' }));
    const limited = await ready(30, 'limited');
    const alone = await ready(1, 'limited alone');
    const bulk = await ask(limited);
    await until(async () => made(await show(bulk.id)) > 3, { what: 'the bulk being under way' });
    const spec = { kind: 'status', status: 429, headers: { 'Retry-After': String(seconds) }, count: 1 };
    await stack.faults.add({ ...spec, match: { method: 'POST', path: '/issue$', marker: 'limited ' } });
    const { rows } = await until(
      async () => {
        const blocked = await stack.db.query<{ until: Date }>(
          'select blocked_until as until from connection where id = $1 and blocked_until > now()',
          [connectionId],
        );
        return blocked.rowCount ? blocked : null;
      },
      { what: 'the connection being blocked' },
    );
    // A person waits too, and so does what asks Jira for something else than an issue.
    const [single, free] = [await ask(alone, await go.findings(alone)), await ask(elsewhere)];
    await until(async () => made(await show(free.id)) > 15, { what: 'pushes of the other connection' });
    // However long Jira wants no calls: no more of the bulk is begun than is under way at any time.
    const end = rows[0]?.until.getTime() ?? 0;
    await until(() => Date.now() > end - 4000, { seconds: seconds + 10, what: 'most of the wait being over' });
    const [waiting, underWay] = [await show(single.id), await pushing(limited)];
    expect(underWay).toBeLessThanOrEqual(8);
    // On a slow machine the wait may be over by now.
    if (Date.now() < end) expect(waiting.status).toBe('running');
    await go.pushEnds(free.id);
    await go.pushEnds(single.id, 60 + seconds);
    expect(outcomes(await go.pushEnds(bulk.id, 60 + seconds))).toEqual({ created: 30 });

    // What was on its way when the answer came in arrives a moment later.
    const within = (each: Request) => Date.parse(each.at) > end - seconds * 1000 + 3000 && Date.parse(each.at) < end;
    const isOther = ({ path, body }: Request) => JSON.stringify([path, body]).match(/elsewhere |WEB/) !== null;
    const all = (await requests()).filter(within);
    expect(all.filter((each) => !isOther(each)).map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(all.filter(({ method, status }) => method === 'POST' && status === 201).length).toBeGreaterThan(0);
    expect((await creates('limited')).filter(({ status }) => status === 201)).toHaveLength(31);
    expect((await creates('limited')).filter(({ status }) => status === 429)).toHaveLength(1);
  }, 300_000);

  it('P5 cancelled: what is not made stays unmade; taken up again it is', async () => {
    const source = await ready(90, 'stopped');
    const bulk = await ask(source);
    await until(async () => made(await show(bulk.id)) > 3, { what: 'the bulk being under way' });
    const cancelled = await must<Push>(stack.api('POST', `/api/v1/pushes/${bulk.id}/cancel`, {}));
    expect(cancelled.status).toBe('cancelled');
    expect(outcomes(cancelled).cancelled).toBeGreaterThan(10);
    // What was under way ends, and the report says so.
    await until(async () => (await pushing(source)) === 0, { what: 'what was under way' });
    await until(async () => made(await show(bulk.id)) === (await creates('stopped')).length, { what: 'a true report' });
    const stopped = outcomes(await show(bulk.id));
    expect((stopped.created ?? 0) + (stopped.cancelled ?? 0)).toBe(90);
    expect(stopped.cancelled).toBeGreaterThan(10);
    expect((await stack.api('POST', `/api/v1/pushes/${bulk.id}/cancel`, {})).status).toBe(409);
    await must(stack.api('POST', `/api/v1/pushes/${bulk.id}/retry`, {}));
    expect(outcomes(await go.pushEnds(bulk.id))).toEqual({ created: 90 });
    expect(await creates('stopped')).toHaveLength(90);
  }, 120_000);

  it('P5 reports per item, and takes up the failed ones alone', async () => {
    const source = await ready(6, 'partly');
    const refusal = { errorMessages: ['No.'], errors: {} };
    const fault = { kind: 'status', status: 400, body: refusal, count: 2 };
    await stack.faults.add({ ...fault, match: { method: 'POST', path: '/issue$', marker: 'partly ' } });
    const push = await go.push(source, 'all');
    expect(outcomes(push)).toEqual({ created: 4, failed: 2 });
    const failed = push.items.filter(({ outcome }: Item) => outcome === 'failed');
    expect(failed).toMatchObject([{ reason: expect.stringContaining('No.') }, { reason: expect.any(String) }]);
    await must(stack.api('POST', `/api/v1/pushes/${push.id}/retry`, {}));
    expect(outcomes(await go.pushEnds(push.id))).toEqual({ created: 6 });
    expect((await creates('partly')).filter(({ status }) => status === 201)).toHaveLength(6);
  });
});
