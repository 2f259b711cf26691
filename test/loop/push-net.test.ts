import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { createSteps } from './steps';

describe('P5 O2 a push that nobody works on', () => {
  let stack: Stack;
  let toTemporal: TcpProxy;
  beforeAll(async () => {
    toTemporal = await startTcpProxy(process.env.TEST_TEMPORAL_ADDRESS ?? '');
    stack = await startStack({ worker: false, env: { TEMPORAL_ADDRESS: toTemporal.address } });
  });
  afterAll(async () => {
    await stack?.stop();
    await toTemporal?.stop();
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

  it('is taken while the engine is away, and goes on when it is back: nobody has to ask again', async () => {
    const go = createSteps(stack, { stories: 'away' });
    const [at, approved] = [await go.source(), await go.source()];
    for (const source of [at, approved]) await go.report(source, { failed: ['adds to the cart', 'pays', 'returns'] });
    await must(stack.api('PUT', `/api/v1/sources/${approved}/rule`, { approval: 'all' }));
    const [first = '', second = '', third = ''] = await go.findings(at);
    await toTemporal.cut();
    const ask = (source: string, findings: string[] | 'all') =>
      stack.api('POST', '/api/v1/pushes', { source, findings });
    const asked = await Promise.all([ask(at, [first]), ask(at, [second, third]), ask(approved, 'all')]);
    expect(asked.map(({ status, body }) => [status, body.status])).toEqual([
      [202, 'running'],
      [202, 'running'],
      [202, 'awaiting_approval'],
    ]);
    await toTemporal.restore();
    // As if they had waited for long: the sweep looks after what nobody has touched for half a minute.
    const ids = asked.map(({ body }) => body.id as string);
    await stack.db.query(
      `with b as (update push_batch set created_at = now() - interval '1 hour' where id = any($1::uuid[]))
       update push_item set updated_at = now() - interval '1 hour' where batch_id = any($1::uuid[])`,
      [ids],
    );
    const [single = '', bulk = ''] = ids;
    expect((await go.pushEnds(single)).items).toMatchObject([{ outcome: 'created' }]);
    expect((await go.pushEnds(bulk)).items).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }]);
    for (const id of await go.findings(approved)) await go.becomes(id, 'awaiting_approval');
  });
});
