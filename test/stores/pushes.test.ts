import type { Db } from '../../prisma/client';
import { newLifecycle } from '../../workflows/rules/lifecycle';
import { nextStep } from '../../workflows/rules/next-step';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { openStores, type Stores } from '../support/stores';

describe('the store of pushes', () => {
  let stores: Stores;
  let db: Db;
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
  });
  afterAll(async () => {
    await stores?.close();
  });

  /** A running push of one finding, to a connection that works. */
  async function running() {
    const organisationId = await db.members.createOrganisation('Acme');
    const member = await db.members.create(organisationId, {
      name: 'Mel',
      role: 'member',
      slackTeamId: null,
      slackUserId: null,
    });
    const connection = await db.prisma.connection.create({
      data: {
        organisationId,
        kind: 'api_token',
        siteUrl: 'https://acme.atlassian.net',
        status: 'connected',
        projectKey: 'ACC',
      },
    });
    const source = await db.sources.create(organisationId, {
      key: 'shop',
      name: 'Shop',
      kind: 'site',
      connectionId: connection.id,
      rule: { ...defaultRule, enabled: true, projectKey: 'ACC' },
    });
    const sourceId = source?.id ?? '';
    const { id: findingId } = await db.prisma.finding.create({
      data: { organisationId, sourceId, number: 1, key: 'k', rule: 'label', title: 'label', severity: 'serious' },
    });
    const memberId = member?.id ?? '';
    const { id } = await db.pushes.create(organisationId, {
      sourceId,
      kind: 'bulk',
      memberId,
      note: null,
      items: [{ findingId, outcome: 'pending' }],
    });
    return { organisationId, id, findingId, memberId };
  }
  type Running = Awaited<ReturnType<typeof running>>;
  const outcome = async ({ organisationId, id }: Running) =>
    (await db.pushes.find(organisationId, id))?.items.map((item) => item.outcome);
  const open = ({ organisationId, findingId, id }: Running) =>
    db.lifecycle.openLink({ organisationId, findingId, batchId: id, actor: { kind: 'recheck' } });

  it('P5 a cancelled item that its lifecycle was asked for already makes no issue', async () => {
    const push = await running();
    expect(await db.pushes.cancelPending(push.organisationId, push)).toBe(1);
    expect(await open(push)).toEqual({ kind: 'refused', reason: 'The push was cancelled.', cancelled: true });
    expect(await outcome(push)).toEqual(['cancelled']);
  });

  it('P5 a push taken up again keeps waiting when its lifecycle says late that it was cancelled', async () => {
    const push = await running();
    const { organisationId, findingId, id } = push;
    await db.pushes.cancelPending(organisationId, push);
    const opened = await open(push);
    if (opened.kind !== 'refused') throw new Error(`It was ${opened.kind}.`);
    expect(await db.pushes.retryFailed(organisationId, id)).toEqual([findingId]);

    const { kind: outcomeOfPush, ...why } = opened;
    const { state, effects } = nextStep(
      { ...newLifecycle, status: 'pushing' },
      { type: 'push_ended', outcome: outcomeOfPush, ...why },
    );
    for (const effect of effects) {
      if (effect.type !== 'record') throw new Error(`What is a ${effect.type} doing here?`);
      await db.lifecycle.record({ organisationId, findingId, state, record: effect, dedupeKey: 'late' });
    }
    expect(await outcome(push)).toEqual(['pending']);
    expect(await open(push)).toMatchObject({ kind: 'opened' });
  });

  it('P5 a cancelling that comes while a lifecycle takes an item up waits for it, and leaves that item alone', async () => {
    const push = await running();
    const lifecycle = await db.pool.connect();
    try {
      await lifecycle.query('begin');
      await lifecycle.query('select 1 from finding where id = $1 for update', [push.findingId]);
      const cancelling = db.pushes.cancelPending(push.organisationId, push);
      await lifecycle.query(`update finding set status = 'pushing' where id = $1`, [push.findingId]);
      await lifecycle.query('commit');
      expect(await cancelling).toBe(0);
    } finally {
      lifecycle.release();
    }
    expect(await outcome(push)).toEqual(['pending']);
  });

  it('P5 another push that waits for the same finding still gets its issue', async () => {
    const push = await running();
    const { rows } = await db.pool.query<{ source_id: string }>('select source_id from finding where id = $1', [
      push.findingId,
    ]);
    await db.pushes.create(push.organisationId, {
      sourceId: rows[0]?.source_id ?? '',
      kind: 'single',
      memberId: push.memberId,
      note: null,
      items: [{ findingId: push.findingId, outcome: 'pending' }],
    });
    await db.pushes.cancelPending(push.organisationId, push);
    expect(await open(push)).toMatchObject({ kind: 'opened' });
  });
});
