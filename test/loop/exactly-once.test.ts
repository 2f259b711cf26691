import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { startTcpProxy } from '../support/tcp-proxy';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

const inFlight = 20;
/** A worker that gives up on an answer soon; those of the drills are killed before they would. */
const hasty = { JIRA_TIMEOUT_MS: '1500' };
/** Issues in Jira without a link; one test's mistake is not the next one's. */
let strays = 0;

beforeAll(async () => {
  stack = await startStack({
    worker: false,
    env: { JIRA_TIMEOUT_MS: '7000', CREATE_TIMEOUT_MS: '9000', SEARCH_WINDOW_MS: '5000' },
  });
  go = createSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});
beforeEach(async () => {
  // Jira's search is behind all the time, and now and then it forgets what it has shown.
  await stack.faults.add({ kind: 'index', indexLagMs: 1500, flicker: 10 });
  strays = await countStrays();
});
afterEach(async () => {
  await stack.faults.clear();
  await stack.killWorker('SIGKILL');
});

/** Asks for the push of many new findings, so that all are in flight at once; answers the pushes. */
async function pushMany(source: string): Promise<{ ids: string[]; pushes: string[] }> {
  await go.report(source, { failed: Array.from({ length: inFlight }, (_, index) => `test ${index}`) });
  const ids = await go.findings(source);
  // One push keeps at most eight in flight.
  const parts = [ids.slice(0, 7), ids.slice(7, 14), ids.slice(14)];
  const asked = parts.map((findings) => must(stack.api('POST', '/api/v1/pushes', { source, findings })));
  return { ids, pushes: (await Promise.all(asked)).map(({ id }) => id) };
}

/** The push of one new finding, as it was answered: not waited for. */
async function pushOne(ready?: string): Promise<{ source: string; id: string; push: string }> {
  const source = ready ?? (await go.source());
  await go.report(source, { failed: ['adds to the cart'] });
  const [id = ''] = await go.findings(source);
  const push = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [id] }));
  return { source, id, push: push.id };
}

/** Holds Recheck to one issue per finding: in its own words, and by the markers that are in Jira. */
async function expectOneIssueEach(ids: string[]): Promise<void> {
  const { rows } = await stack.db.query<{ number: number; marker: string; key: string; state: string }>(
    `select f.number, l.marker, l.jira_key as key, l.state from issue_link l join finding f on f.id = l.finding_id
     where f.number = any($1::int[])`,
    [ids.map((id) => Number(id.slice(2)))],
  );
  expect(rows.map(({ number }) => `F-${number}`).sort()).toEqual([...ids].sort());
  expect(rows.filter(({ state }) => state !== 'linked')).toEqual([]);
  const inJira = await must<{ byLabel: Record<string, number>; issues: { key: string; labels: string[] }[] }>(
    stack.sandbox('GET', '/issues?markerPrefix=recheck-'),
  );
  expect(rows.map(({ marker }) => [marker, inJira.byLabel[marker]])).toEqual(rows.map(({ marker }) => [marker, 1]));
  const keyOf = (marker: string) => inJira.issues.find(({ labels }) => labels.includes(marker))?.key;
  expect(rows.map(({ marker }) => keyOf(marker))).toEqual(rows.map(({ key }) => key));
  expect(await countStrays()).toBe(strays);
}

async function countStrays(): Promise<number> {
  const inJira = await must<{ count: number }>(stack.sandbox('GET', '/issues?markerPrefix=recheck-'));
  const { rows } = await stack.db.query<{ count: number }>('select count(*)::int as count from issue_link');
  return inJira.count - (rows[0]?.count ?? 0);
}

async function expectAllCreated(pushes: string[]): Promise<void> {
  for (const id of pushes) {
    const { items } = await go.pushEnds(id, 90);
    expect(items.filter(({ outcome }: { outcome: string }) => outcome !== 'created')).toEqual([]);
  }
}

const held = async (id: string) => (await stack.faults.get(id))?.waiting ?? 0;
const allHeld = (id: string, count: number) =>
  until(async () => (await held(id)) === count, { seconds: 30, what: `${count} answers being held` });
const creates = async (since: number) => {
  const { items } = await must<{
    items: { number: number; at: string; method: string; path: string; status: number }[];
  }>(stack.sandbox('GET', `/requests?since=${since}`));
  return items.filter(({ method, path }) => method === 'POST' && path === '/rest/api/3/issue');
};

describe('P6: a worker is killed, and another one takes over', () => {
  it('P6 killed before sending', async () => {
    await stack.startWorker();
    // Its rule is held against Jira, so it is made before Jira holds its answers.
    const source = await go.source();
    const hold = await stack.faults.add({ kind: 'hold', match: { path: '/createmeta/ACC/issuetypes[?]' } });
    const { ids, pushes } = await pushMany(source);
    await allHeld(hold.id, inFlight);
    await stack.killWorker('SIGKILL');
    await stack.faults.remove(hold.id);
    await stack.startWorker();
    await expectAllCreated(pushes);
    await expectOneIssueEach(ids);
  }, 300_000);

  it('P6 killed while Jira has committed and holds the answers', async () => {
    await stack.startWorker();
    const hold = await stack.faults.add({ kind: 'hold', match: { method: 'POST', path: '/issue$' } });
    const { ids, pushes } = await pushMany(await go.source());
    await allHeld(hold.id, inFlight);
    await stack.killWorker('SIGKILL');
    await stack.faults.remove(hold.id);
    await stack.startWorker();
    await expectAllCreated(pushes);
    await expectOneIssueEach(ids);
  }, 300_000);

  it('P6 killed after storing, before the workflow knows', async () => {
    const toTemporal = await startTcpProxy(stack.local.temporalAddress);
    try {
      await stack.startWorker({ TEMPORAL_ADDRESS: toTemporal.address });
      const hold = await stack.faults.add({ kind: 'hold', match: { method: 'POST', path: '/issue$' } });
      const { ids, pushes } = await pushMany(await go.source());
      await allHeld(hold.id, inFlight);
      // The answers come in and are stored, and then the worker can tell nobody.
      toTemporal.freeze();
      await stack.faults.remove(hold.id);
      await until(async () => (await linked(ids)) === inFlight, { what: 'every issue being stored' });
      await stack.killWorker('SIGKILL');
      expect(await statuses(ids)).toEqual(['pushing']);
      await stack.startWorker();
      await expectAllCreated(pushes);
      await expectOneIssueEach(ids);
    } finally {
      await toTemporal.stop();
    }
  }, 300_000);

  it('P6 terminated by an operator and killed while Jira holds the answer: the next push adopts the issue', async () => {
    await stack.startWorker();
    const hold = await stack.faults.add({ kind: 'hold', match: { method: 'POST', path: '/issue$' } });
    const { source, id, push } = await pushOne();
    await allHeld(hold.id, 1);
    await stack.killWorker('SIGKILL');
    await (await go.lifecycle(id)).terminate('by an operator');
    await stack.faults.remove(hold.id);
    await stack.startWorker();
    const { items } = await go.push(source, [id]);
    expect(items).toMatchObject([{ jiraKey: expect.any(String) }]);
    expect((await go.pushEnds(push)).items).toMatchObject([{ jiraKey: items[0].jiraKey }]);
    await expectOneIssueEach([id]);
  }, 300_000);

  it('P6 frozen right before sending, and awake again after another one has sent', async () => {
    const name = 'frozen-worker';
    const toTemporal = await startTcpProxy(stack.local.temporalAddress);
    const frozen = await stack.startWorker({
      TEMPORAL_ADDRESS: toTemporal.address,
      DATABASE_URL: `${stack.local.databaseUrl}?application_name=${name}`,
    });
    const asks = async (query: string, state: string) => {
      const { rowCount } = await stack.db.query(
        'select 1 from pg_stat_activity where application_name = $1 and query like $2 and state = $3',
        [name, query, state],
      );
      return rowCount === 1;
    };
    const pacing = await stack.db.connect();
    try {
      // The row that grants slots is locked, so the worker waits there, one step before the fence.
      await pacing.query('begin');
      await pacing.query('select 1 from connection where id = $1 for no key update', [stack.local.connectionId]);
      const { id, push } = await pushOne();
      await until(() => asks('%next_slot_at%', 'active'), { what: 'the worker waiting for its slot' });
      await frozen.signal('SIGSTOP');
      await toTemporal.cut();
      await pacing.query('commit');
      await stack.startWorker();
      await expectAllCreated([push]);
      const before = (await creates(0)).length;

      await frozen.signal('SIGCONT');
      await until(() => asks('%set sent_at%', 'idle'), { what: 'the frozen worker asking the fence' });
      // It ends in good order, so what it had begun is over.
      await toTemporal.restore();
      await frozen.signal('SIGTERM');
      expect(await creates(0)).toHaveLength(before);
      await expectOneIssueEach([id]);
    } finally {
      pacing.release(true);
      await frozen.signal('SIGKILL');
      await toTemporal.stop();
    }
  }, 300_000);

  async function linked(ids: string[]): Promise<number> {
    const { rows } = await stack.db.query<{ count: number }>(
      `select count(*)::int as count from issue_link l join finding f on f.id = l.finding_id
       where f.number = any($1::int[]) and l.state = 'linked'`,
      [ids.map((id) => Number(id.slice(2)))],
    );
    return rows[0]?.count ?? 0;
  }

  async function statuses(ids: string[]): Promise<string[]> {
    const { rows } = await stack.db.query<{ status: string }>(
      'select distinct status from finding where number = any($1::int[])',
      [ids.map((id) => Number(id.slice(2)))],
    );
    return rows.map(({ status }) => status);
  }
});

describe('P6: answers that do not come', () => {
  beforeEach(async () => {
    await stack.startWorker(hasty);
  });

  it('P6 pushed from HTTP twice, in bulk and from Slack at the same moment: one issue, and everybody gets its key', async () => {
    const source = await go.source();
    await go.report(source, { failed: ['adds to the cart'] });
    const [id = ''] = await go.findings(source);
    const { members, slackChannelId } = stack.local;
    const [ada, alex] = members.filter(({ role }) => role === 'admin');
    const asked = [stack.api, stack.apiAs(ada?.apiKey ?? ''), stack.api].map((api, index) =>
      must(api('POST', '/api/v1/pushes', { source, findings: index === 2 ? 'all' : [id] })),
    );
    const command = { user: alex?.slackUserId, channel: slackChannelId, text: `push ${id}`, wait: 8000 };
    const [slack, ...pushes] = await Promise.all([must(stack.slack('POST', '/act/command', command)), ...asked]);
    const ends = await Promise.all(pushes.map((push) => go.pushEnds(push.id)));
    const { jira } = await go.finding(id);
    expect(ends.map(({ items }) => items[0].jiraKey)).toEqual([jira.key, jira.key, jira.key]);
    expect(JSON.stringify(slack)).toContain(jira.key);
    await expectOneIssueEach([id]);
    const again = await must(stack.api('POST', '/api/v1/pushes', { source, findings: [id] }));
    expect(again).toMatchObject({ status: 'completed', items: [{ outcome: 'reused', jiraKey: jira.key }] });
  }, 300_000);

  it('P6 an answer that is lost after the commit is found by its marker', async () => {
    const drop = await stack.faults.add({ kind: 'drop', count: 1, match: { method: 'POST', path: '/issue$' } });
    const { id, push } = await pushOne();
    await expectAllCreated([push]);
    expect((await stack.faults.get(drop.id))?.hits).toBe(1);
    await expectOneIssueEach([id]);
  }, 300_000);

  it('P6 an issue that Jira commits after Recheck gave up waiting is found by its marker', async () => {
    await stack.faults.add({ kind: 'delay', count: 1, ms: 3000, match: { method: 'POST', path: '/issue$' } });
    const { id, push } = await pushOne();
    await expectAllCreated([push]);
    await expectOneIssueEach([id]);
  }, 300_000);

  it('P6 a 503 may hide a commit: it is searched for, and only then sent again', async () => {
    const since = (await creates(0)).at(-1)?.number ?? 0;
    await stack.faults.add({ kind: 'status', status: 503, count: 1, match: { method: 'POST', path: '/issue$' } });
    const { id, push } = await pushOne();
    await expectAllCreated([push]);
    const [first, second, ...more] = await creates(since);
    expect([first?.status, second?.status, more]).toEqual([503, 201, []]);
    expect(Date.parse(second?.at ?? '') - Date.parse(first?.at ?? '')).toBeGreaterThanOrEqual(5000);
    await expectOneIssueEach([id]);
  }, 300_000);

  it('P6 Jira unreachable and back: the push waits', async () => {
    await go.pushed();
    const source = await go.source();
    await stack.stopJira();
    const { id, push } = await pushOne(source);
    expect(await go.finding(id)).toMatchObject({ status: 'pushing', jira: null });
    await stack.startJira();
    await expectAllCreated([push]);
    await expectOneIssueEach([id]);
  }, 300_000);
});

describe('P5: rate limits', () => {
  it('P5 P6 a 429 in the middle of a push holds the connection for as long as Jira asks', async () => {
    await stack.startWorker({ ...hasty, PUSH_INTERVAL_MS: '400' });
    await go.pushed();
    const since = (await creates(0)).at(-1)?.number ?? 0;
    const source = await go.source();
    await go.report(source, { failed: ['one', 'two', 'three', 'four', 'five', 'six'] });
    const ids = await go.findings(source);
    const { id: push } = await must(stack.api('POST', '/api/v1/pushes', { source, findings: 'all' }));
    await until(async () => (await creates(since)).length > 0, { what: 'the first issue' });
    const limit = { kind: 'status', status: 429, headers: { 'Retry-After': '3' }, count: 1 };
    await stack.faults.add({ ...limit, match: { method: 'POST', path: '/issue$' } });
    await expectAllCreated([push]);
    const sent = await creates(since);
    expect(sent.filter(({ status }) => status === 429)).toHaveLength(1);
    const limited = Date.parse(sent.find(({ status }) => status === 429)?.at ?? '');
    const tooEarly = sent.map(({ at }) => Date.parse(at) - limited).filter((ms) => ms > 300 && ms < 3000);
    expect(tooEarly).toEqual([]);
    await expectOneIssueEach(ids);
  }, 300_000);
});
