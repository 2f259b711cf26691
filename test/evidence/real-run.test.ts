// What a run of Playwright Test left behind, as a CI job sends it: the report, and the whole folder of screenshots. How
// the files were made is in test/fixtures/pictures/README.md.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createSteps, junit, type Steps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createPictureSteps, type File, picture, png, report, sha256 } from './support';

const folder = join(__dirname, '..', 'fixtures', 'pictures');
const screenshots: File[] = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.name.endsWith('.png'))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort()
  .map((path) => ({ field: 'picture', filename: relative(folder, path), bytes: readFileSync(path) }));
const shot = (test: string) => {
  const found = screenshots.find(({ filename }) => filename === `test-results/cart-Cart-${test}/test-failed-1.png`);
  if (!found) throw new Error(`There is no screenshot of ${test}.`);
  return found.bytes;
};
const fails = report(junit({ failed: ['adds to the cart'] }));
const ofCart = 'evidence[shop › adds to the cart]';
const attachedAs = (bytes: Uint8Array) => `test-failed-1-${sha256(bytes).slice(0, 12)}.png`;

let stack: Stack;
let go: Steps;
let pictures: ReturnType<typeof createPictureSteps>;

beforeAll(async () => {
  stack = await startStack({ webhookRetryMs: 300 });
  go = createSteps(stack, { stories: 'real' });
  pictures = createPictureSteps(stack);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

const attachedTo = async (key: string) => (await pictures.attachments(key)).map(({ filename }) => filename).sort();

/** The issue of each finding, by the name of its test. */
async function pushAll(source: string): Promise<Map<string, { id: string; key: string; outcome: string }>> {
  const ids = await go.findings(source);
  const { items } = await go.push(source, ids);
  const issues = new Map<string, { id: string; key: string; outcome: string }>();
  for (const { finding: id, jiraKey: key, outcome } of items) {
    const { rule } = await go.finding(id);
    issues.set(rule.split(' › ').at(-1), { id, key, outcome });
  }
  return issues;
}

describe('P7 the screenshots of a real run', () => {
  const failing = ['rounds-to-the-cent', 'counts-the-items', 'empties'];
  const named = (test: string) => test.replaceAll('-', ' ');
  const runs = [
    // Its JSON reporter lists what each attempt left behind, its CTRF reporter the last attempt.
    { file: 'playwright.json', attempts: ['', '-retry1'], kept: 6, unused: ['cart-Cart-loads-rates'] },
    {
      file: 'ctrf.json',
      attempts: ['-retry1'],
      kept: 3,
      unused: [...failing.map((test) => `cart-Cart-${test}`), 'cart-Cart-loads-rates'],
    },
  ];

  it.each(runs)(
    'P7 $file: each comes to the issue of its test once, however often the report and the push come',
    async ({ file, attempts, kept, unused }) => {
      const source = await go.source();
      const files = [report(readFileSync(join(folder, file), 'utf8')), ...screenshots];
      const answer = await must(pictures.send(source, files));
      expect(answer).toMatchObject({ findings: { new: 3 }, pictures: { kept } });
      // The flaky test passed in the end, so its screenshot shows no finding.
      expect(answer.pictures.unused.map(({ name }: { name: string }) => name).sort()).toEqual(
        unused.map((test) => `test-results/${test}/test-failed-1.png`).sort(),
      );
      const expected = (test: string) =>
        [...new Set(attempts.map((attempt) => attachedAs(shot(test + attempt))))].sort();
      const issues = await pushAll(source);
      const arrive = async () => {
        for (const test of failing) {
          const { id = '', key = '' } = issues.get(named(test)) ?? {};
          await until(async () => (await attachedTo(key)).length >= expected(test).length, {
            seconds: 90,
            what: `the screenshots of ${test} on ${key}`,
          });
          await pictures.settled(id);
          expect(await attachedTo(key)).toEqual(expected(test));
          expect((await go.finding(id)).evidence).toHaveLength(expected(test).length);
        }
      };
      await arrive();
      await must(pictures.send(source, files));
      expect([...(await pushAll(source)).values()].map(({ outcome }) => outcome)).toEqual([
        'reused',
        'reused',
        'reused',
      ]);
      await arrive();
      const [attached] = await pictures.attachments(issues.get('rounds to the cent')?.key ?? '');
      const { status, body } = await stack.jira('GET', new URL(attached?.content ?? '').pathname);
      expect([status, attached?.size]).toEqual([200, shot('rounds-to-the-cent').length]);
      expect(String(body).slice(1, 4)).toBe('PNG');
      // Four screenshots of two tests are the same picture: one row, and one attachment for each issue.
      const hash = sha256(shot('rounds-to-the-cent'));
      expect(sha256(shot('counts-the-items-retry1'))).toBe(hash);
      expect((await stack.db.query('select 1 from evidence where hash = $1', [hash])).rows).toHaveLength(1);
    },
    600_000,
  );
});

describe('P7 S7 the echo of an attachment', () => {
  it('P7 S7 Jira tells of the attachment three times, and nothing changes', async () => {
    await stack.faults.add({ kind: 'duplicate', times: 2 });
    const { source, id, key } = await go.pushed();
    const { id: issueId } = await go.issue(key);
    await must(pictures.send(source, [fails, picture(ofCart, png('echo'))]));
    // Of a change that concerns nobody here, the delivery keeps that it came.
    const told = `select state from delivery where jira_issue_id = $1 and event = 'jira:issue_updated' and changes = '[]'`;
    const [delivery] = await until(
      async () => {
        const { rows } = await stack.db.query<{ state: string }>(told, [issueId]);
        return rows.length > 0 ? rows : null;
      },
      { seconds: 90, what: 'the webhook of the attachment' },
    );
    expect(delivery?.state).toBe('ignored');
    await pictures.settled(id);
    await go.quiet(id);
    const events = (await go.history(id)).map(({ event }) => event);
    expect(events).toEqual(['found', 'push_asked', 'pushed', 'seen again', 'evidence_attached']);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix', claim: null });
    expect(await pictures.attachments(key)).toHaveLength(1);
  }, 600_000);
});

describe('P7 pictures when things go wrong', () => {
  it('P7 Jira takes the file and the connection is cut: it is not attached again', async () => {
    const { source, id, key } = await go.pushed();
    const cut = await stack.faults.add({ kind: 'drop', match: { method: 'POST', path: '/attachments$' }, count: 1 });
    await must(pictures.send(source, [fails, picture(ofCart, png('cut'))]));
    await until(() => go.count(id, 'evidence_attached'), { seconds: 90, what: 'the note of the picture' });
    await pictures.settled(id);
    expect((await stack.faults.get(cut.id))?.hits).toBe(1);
    expect(await pictures.attachments(key)).toHaveLength(1);
    expect(await go.count(id, 'evidence_attached')).toBe(1);
  }, 600_000);

  it('P7 where the site has attachments switched off, that is noted, and the push succeeds', async () => {
    const off = { match: { path: '/attachment/meta$' }, status: 200, body: { enabled: false } };
    await stack.faults.add({ kind: 'status', ...off });
    const source = await go.source();
    await must(pictures.send(source, [fails, picture(ofCart, png('off'))]));
    const [id = ''] = await go.findings(source);
    const { items } = await go.push(source, [id]);
    expect(items[0]).toMatchObject({ outcome: 'created', jiraKey: expect.stringMatching(/^ACC-/) });
    const noted = await until(async () => (await go.history(id)).find(({ event }) => event === 'evidence_refused'), {
      seconds: 90,
      what: 'the note of the refusal',
    });
    expect(noted.detail).toMatch(/switched off/);
    await pictures.settled(id);
    expect(await pictures.attachments(items[0].jiraKey)).toEqual([]);
    expect(await go.finding(id)).toMatchObject({ status: 'awaiting_fix' });
  }, 600_000);

  it('P7 C10 while the connection is broken the picture waits, and comes when it is restored', async () => {
    const { source, id, key } = await go.pushed();
    await stack.faults.add({ kind: 'revoked' });
    const answer = await pictures.send(source, [fails, picture(ofCart, png('waits'))]);
    expect(answer).toMatchObject({ status: 201, body: { pictures: { kept: 1 } } });
    const { rows } = await stack.db.query<{ id: string }>(`select id from finding where number = $1`, [
      Number(id.slice(2)),
    ]);
    const handle = stack.temporal.workflow.getHandle(`evidence:${rows[0]?.id}`);
    const timers = async () => {
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter(
        (event) =>
          event.timerStartedEventAttributes ?? event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes,
      );
    };
    await until(async () => (await timers()).length > 0, { seconds: 90, what: 'the picture waiting' });
    // So long ago that no sweep looks: whatever wakes it now is the connection.
    await stack.db.query(`update finding_evidence set created_at = now() - interval '1 day' where finding_id = $1`, [
      rows[0]?.id,
    ]);
    await stack.db.query(`update issue_link set linked_at = now() - interval '1 day' where finding_id = $1`, [
      rows[0]?.id,
    ]);
    expect(await go.count(id, 'evidence_attached')).toBe(0);
    await stack.faults.clear();
    expect(await must(stack.api('POST', `/api/v1/connections/${stack.local.connectionId}/test`))).toMatchObject({
      ok: true,
    });
    await until(() => go.count(id, 'evidence_attached'), { seconds: 120, what: 'the picture after the reconnect' });
    await pictures.settled(id);
    expect(await pictures.attachments(key)).toHaveLength(1);
    // It did not wait for its pause to end.
    expect((await timers()).at(-1)).toHaveProperty('timerCanceledEventAttributes', expect.anything());
  }, 600_000);
});
