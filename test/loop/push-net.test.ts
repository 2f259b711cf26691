import { type Stack, startStack } from '../support/stack';
import { createSteps } from './steps';

describe('P5 O2 a push that nobody works on', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ worker: false });
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it('goes on by itself: asked for while no worker runs, or left behind by a process that died', async () => {
    const go = createSteps(stack);
    const source = await go.source();
    await go.report(source, { failed: ['adds to the cart', 'pays'] });
    const [asked, left] = await go.findings(source);
    const push = await stack.api('POST', '/api/v1/pushes', { source, findings: [asked] });
    expect(push).toMatchObject({ status: 202, body: { status: 'running', items: [{ outcome: 'pending' }] } });
    // What a server leaves behind that dies after it stored the push.
    const { rows } = await stack.db.query<{ id: string }>(
      `with f as (select id, organisation_id, source_id from finding where number = $1),
       b as (insert into push_batch (organisation_id, source_id, kind) select organisation_id, source_id, 'single' from f returning id)
       insert into push_item (organisation_id, batch_id, finding_id, updated_at)
       select f.organisation_id, b.id, f.id, now() - interval '1 hour' from f, b returning batch_id as id`,
      [Number(left?.slice(2))],
    );

    await stack.startWorker();
    const ended = await go.pushEnds(String((push.body as { id: string }).id));
    expect(ended.items).toMatchObject([{ finding: asked, outcome: 'created' }]);
    const found = await go.pushEnds(rows[0]?.id ?? '');
    expect(found.items).toMatchObject([{ finding: left, outcome: 'created' }]);
  });
});
