import { createSteps, junit, type Steps } from '../loop/steps';
import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { axe, createPictureSteps, formBody, picture, png, report, sha256 } from './support';

let stack: Stack;
let go: Steps;
let pictures: ReturnType<typeof createPictureSteps>;

beforeAll(async () => {
  stack = await startStack({ webhookRetryMs: 300 });
  go = createSteps(stack, { stories: 'pictures' });
  pictures = createPictureSteps(stack);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});
afterEach(async () => {
  await stack.faults.clear();
});

const failing = (name: string) => report(junit({ failed: [name] }));
const nameOf = (bytes: Uint8Array) => `cart-${sha256(bytes).slice(0, 12)}.png`;

/** A finding in Jira, and the name of the part that shows it. */
async function inJira(name: string) {
  const [one] = await go.pushedAll([name]);
  if (!one) throw new Error('Nothing was pushed.');
  return { ...one, field: `evidence[shop › ${name}]` };
}

async function onIssue(key: string, count: number) {
  return await until(
    async () => {
      const found = await pictures.attachments(key);
      return found.length >= count ? found : null;
    },
    { seconds: 90, what: `${count} attachments on ${key}` },
  );
}

describe('P7: pictures come to the issue, once', () => {
  it('P7 a picture that was there before the issue is attached when the issue is made', async () => {
    const source = await go.source();
    const bytes = png('before the issue');
    expect(await pictures.send(source, [failing('pays'), picture('evidence[shop › pays]', bytes)])).toMatchObject({
      status: 201,
      body: { format: 'junit', findings: { new: 1 } },
    });
    const [id = ''] = await go.findings(source);
    const { items } = await go.push(source, [id]);
    const key = items[0].jiraKey;
    const [attached] = await onIssue(key, 1);
    expect(attached).toMatchObject({ filename: nameOf(bytes), size: bytes.length, mimeType: 'image/png' });
    await pictures.settled(id);
    expect(await pictures.attachments(key)).toHaveLength(1);
    expect(await go.count(id, 'evidence_attached')).toBe(1);
  }, 400_000);

  it('P7 uploaded twice it is stored and attached once; another one comes to the same issue', async () => {
    const { source, id, key, field } = await inJira('adds to the cart');
    const bytes = png('twice');
    await must(pictures.send(source, [failing('adds to the cart'), picture(field, bytes)]));
    await onIssue(key, 1);
    await must(pictures.send(source, [failing('adds to the cart'), picture(field, bytes, 'other-name.png')]));
    await pictures.settled(id);
    const other = png('another one');
    await must(pictures.send(source, [failing('adds to the cart'), picture(field, other)]));
    await onIssue(key, 2);
    await pictures.settled(id);
    const names = (await pictures.attachments(key)).map(({ filename }) => filename);
    expect(names.sort()).toEqual([nameOf(bytes), nameOf(other)].sort());
    const { rows } = await stack.db.query('select 1 from evidence where hash = $1', [sha256(bytes)]);
    expect(rows).toHaveLength(1);
    expect((await go.finding(id)).evidence).toHaveLength(2);
  }, 400_000);

  it('P7 the worker is killed after Jira took the file: it is not attached again', async () => {
    const { source, id, key, field } = await inJira('survives a crash');
    const hold = await stack.faults.add({ kind: 'hold', match: { method: 'POST', path: '/attachments$' } });
    const bytes = png('killed');
    await must(pictures.send(source, [failing('survives a crash'), picture(field, bytes)]));
    await until(async () => (await stack.faults.get(hold.id))?.waiting === 1, { seconds: 60, what: 'the held answer' });
    await stack.killWorker('SIGKILL');
    expect(await go.count(id, 'evidence_attached')).toBe(0);
    await stack.faults.remove(hold.id);
    await stack.startWorker();
    await until(() => go.count(id, 'evidence_attached'), { seconds: 120, what: 'the note of the picture' });
    await pictures.settled(id);
    expect((await pictures.attachments(key)).map(({ filename }) => filename)).toEqual([nameOf(bytes)]);
  }, 400_000);

  it('P7 one picture of a page that shows three findings comes to each of the three issues once', async () => {
    const source = await go.source();
    const page = 'https://shop.example/cart';
    const rules = ['color-contrast', 'image-alt', 'label'];
    const bytes = png('the page');
    // Named by its address with a campaign in it, and sent twice in one form.
    const parts = [picture(`evidence[${page}?utm_source=mail]`, bytes), picture(`evidence[${page}]`, bytes)];
    await must(pictures.send(source, [report(axe(page, rules)), ...parts]));
    const ids = await go.findings(source);
    expect(ids).toHaveLength(3);
    const { items } = await go.push(source, ids);
    for (const { finding, jiraKey } of items as { finding: string; jiraKey: string }[]) {
      await onIssue(jiraKey, 1);
      await pictures.settled(finding);
      expect((await pictures.attachments(jiraKey)).map(({ filename }) => filename)).toEqual([nameOf(bytes)]);
      expect((await go.finding(finding)).evidence).toHaveLength(1);
    }
    const { rows } = await stack.db.query<{ count: number }>(
      'select cardinality(attached_to) as count from evidence where hash = $1',
      [sha256(bytes)],
    );
    expect(rows).toEqual([{ count: 3 }]);
  }, 400_000);

  it('P7 an issue that people made gets the pictures when it is linked', async () => {
    const source = await go.source();
    const bytes = png('linked');
    await must(pictures.send(source, [failing('is linked'), picture('evidence[shop › is linked]', bytes)]));
    const [id = ''] = await go.findings(source);
    const { id: other, key: theirs } = await inJira('theirs');
    await must(stack.api('DELETE', `/api/v1/findings/${other}/link`));
    await must(stack.api('POST', `/api/v1/findings/${id}/link`, { jiraKey: theirs }));
    const [attached] = await onIssue(theirs, 1);
    expect(attached?.filename).toBe(nameOf(bytes));
  }, 400_000);
});

describe('P7: pictures of a re-run', () => {
  it('P7 a picture that comes with the report of a session is attached too', async () => {
    const { source, id, key } = await go.flagged();
    const session = await go.session(source, [id]);
    const boundary = 'rerun';
    const bytes = png('the re-run');
    const body = formBody([failing('adds to the cart'), picture('evidence[shop › adds to the cart]', bytes)], boundary);
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    const answer = await must(stack.api('POST', `/api/v1/sessions/${session}/reports`, body, headers));
    expect(answer).toMatchObject({ id: session, pictures: { kept: 1, unused: [] } });
    const [attached] = await onIssue(key, 1);
    expect(attached?.filename).toBe(nameOf(bytes));
    expect(await go.count(id, 'verdict_fail')).toBe(1);
  }, 400_000);
});

describe('P7: pictures that nobody was told of', () => {
  it('P7 a picture whose process died before it asked the engine is found by the sweep', async () => {
    const { id, key } = await inJira('is swept');
    const bytes = png('swept');
    // As the process left it: committed a minute ago, and nobody told.
    await stack.db.query(
      `with picture as (
         insert into evidence (id, organisation_id, hash, filename, content_type, size, content, attached_to)
         select gen_random_uuid(), organisation_id, $2, 'cart.png', 'image/png', $3, $4, '{}' from finding where number = $1
         returning id, organisation_id),
       link as (update issue_link set linked_at = now() - interval '1 minute' where jira_key = $5)
       insert into finding_evidence (organisation_id, finding_id, evidence_id, created_at)
       select f.organisation_id, f.id, p.id, now() - interval '1 minute' from finding f, picture p where f.number = $1`,
      [Number(id.slice(2)), sha256(bytes), bytes.length, bytes, key],
    );
    const [attached] = await onIssue(key, 1);
    expect(attached?.filename).toBe(nameOf(bytes));
  }, 400_000);
});

describe('P7: what Jira does not take', () => {
  const faults = [
    {
      what: 'a picture over the limit of the site',
      fault: { match: { path: '/attachment/meta$' }, status: 200, body: { enabled: true, uploadLimit: 100 } },
      says: /200 bytes.*takes 100/,
    },
    {
      what: 'a picture that Jira answers 413',
      fault: { match: { method: 'POST', path: '/attachments$' }, status: 413, body: { errorMessages: ['too large'] } },
      says: /413.*too large/,
    },
    {
      what: 'a picture that the account may not attach',
      fault: { match: { method: 'POST', path: '/attachments$' }, status: 403, body: { errorMessages: ['no'] } },
      says: /403.*permission/,
    },
  ];
  it.each(faults)(
    'P7 $what is noted in the history, and the loop goes on',
    async ({ what, fault, says }) => {
      await stack.faults.add({ kind: 'status', ...fault });
      const source = await go.source();
      const name = what;
      const part = picture(`evidence[shop › ${name}]`, png(what));
      await must(pictures.send(source, [failing(name), part]));
      const [id = ''] = await go.findings(source);
      const { items } = await go.push(source, [id]);
      const noted = await until(async () => (await go.history(id)).find(({ event }) => event === 'evidence_refused'), {
        seconds: 60,
        what: 'the note of the refusal',
      });
      expect(noted.detail).toMatch(says);
      await pictures.settled(id);
      // The next look finds nothing to do: a refusal is not asked for again.
      await stack.faults.clear();
      await must(pictures.send(source, [failing(name), part]));
      await pictures.settled(id);
      expect(await pictures.attachments(items[0].jiraKey)).toEqual([]);
      expect(await go.count(id, 'evidence_refused')).toBe(1);
      await go.move(items[0].jiraKey, 'Done');
      await go.becomes(id, 'needs_rerun', 60);
    },
    400_000,
  );
});
