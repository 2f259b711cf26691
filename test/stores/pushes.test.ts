import type { Db } from '../../prisma/client';
import { newLifecycle } from '../../workflows/rules/lifecycle';
import { nextStep } from '../../workflows/rules/next-step';
import { heldReason } from '../../workflows/rules/push-gate';
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

  /** Asks for another push of the finding, and holds its opened link: Jira took the credentials no more. */
  async function held() {
    const push = await running();
    const { organisationId, findingId } = push;
    const opened = await open(push);
    if (opened.kind !== 'opened') throw new Error(`It was ${opened.kind}.`);
    await db.lifecycle.nextAttempt(opened);
    const state = { ...newLifecycle, reason: heldReason('The token is dead.') };
    const record = {
      ...({ event: 'push_held', actor: { kind: 'recheck' }, detail: state.reason } as const),
      items: { outcome: 'held', reason: state.reason } as const,
    };
    await db.lifecycle.record({ organisationId, findingId, state, record, dedupeKey: `held ${push.id}` });
    expect(await outcome(push)).toEqual(['held']);
    return { ...push, linkId: opened.linkId };
  }
  const events = async ({ findingId }: Running) => (await db.findings.history(findingId)).map(({ event }) => event);

  it('R4 P3 a held push of which nothing was sent goes on by the rule and the note of now', async () => {
    const push = await held();
    const { sourceId } = await db.prisma.finding.findUniqueOrThrow({ where: { id: push.findingId } });
    await db.prisma.source.update({
      where: { id: sourceId },
      data: { rule: { ...defaultRule, enabled: true, projectKey: 'BBB' } },
    });
    await db.prisma.pushBatch.update({ where: { id: push.id }, data: { note: 'Seen on staging' } });
    const opened = await open(push);
    if (opened.kind !== 'opened') throw new Error(`It was ${opened.kind}.`);
    expect(opened).toMatchObject({ resumed: false, attempt: 1 });
    const material = await db.findings.issueMaterial(opened);
    expect(material).toMatchObject({ projectKey: 'BBB', note: 'Seen on staging' });
    expect(await events(push)).toEqual(['push_asked', 'push_held', 'push_resumed']);
    const links = await db.prisma.issueLink.findMany({
      where: { findingId: push.findingId },
      orderBy: { generation: 'asc' },
    });
    expect(links).toMatchObject([
      { state: 'failed', active: false },
      { state: 'creating', active: true },
    ]);
  });

  it("P5 a held push that was cancelled does not go on, and its link is nobody else's", async () => {
    const push = await held();
    const { organisationId, memberId, findingId } = push;
    expect(await db.pushes.cancelPending(organisationId, push)).toBe(1);
    expect(await open(push)).toMatchObject({ kind: 'refused', cancelled: true });
    const { sourceId } = await db.prisma.finding.findUniqueOrThrow({ where: { id: findingId } });
    const items = [{ findingId, outcome: 'pending' as const }];
    const next = await db.pushes.create(organisationId, { sourceId, kind: 'single', memberId, note: null, items });
    expect(await open({ ...push, id: next.id })).toMatchObject({ kind: 'opened', resumed: false });
    expect(await events(push)).toEqual(['push_asked', 'push_held', 'push_cancelled', 'push_asked']);
  });

  it('P6 a link whose attempt may have been sent is searched for, whatever the rule says now', async () => {
    const push = await held();
    const { findingId, linkId } = push;
    expect(await db.lifecycle.fenceAgain({ linkId, attempt: 2 })).toBe(false);
    expect(await db.lifecycle.fenceSend({ linkId, attempt: 2 })).toBe(true);
    expect(await db.lifecycle.fenceAgain({ linkId, attempt: 2 })).toBe(true);
    const { sourceId } = await db.prisma.finding.findUniqueOrThrow({ where: { id: findingId } });
    await db.prisma.source.update({ where: { id: sourceId }, data: { rule: { ...defaultRule, enabled: false } } });
    const searched = { kind: 'opened', linkId, attempt: 2, resumed: true };
    expect(await open(push)).toEqual(searched);
    // A run that died while it was pushing may have sent what nobody has marked yet.
    await db.lifecycle.nextAttempt({ linkId, attempt: 2 });
    expect(await db.lifecycle.fenceAgain({ linkId, attempt: 2 })).toBe(false);
    expect(await open(push)).toEqual({ ...searched, attempt: 3 });
  });

  it('R4 a held push waits for the connection that its source goes to now, unless something was sent before', async () => {
    const push = await held();
    const { organisationId, findingId, id, linkId } = push;
    const { sourceId } = await db.prisma.finding.findUniqueOrThrow({ where: { id: findingId } });
    const { connectionId: old } = await db.prisma.issueLink.findUniqueOrThrow({ where: { id: linkId } });
    const { id: other } = await db.prisma.connection.create({
      data: {
        organisationId,
        kind: 'api_token',
        siteUrl: 'https://b.atlassian.net',
        status: 'connected',
        projectKey: 'B',
      },
    });
    await db.prisma.source.update({ where: { id: sourceId }, data: { connectionId: other } });
    await db.lifecycle.fenceSend({ linkId, attempt: 2 });
    expect(await db.pushes.releaseHeld(other)).toBe(0);
    await db.lifecycle.nextAttempt({ linkId, attempt: 2 });
    expect(await db.pushes.releaseHeld(old)).toBe(0);
    expect(await db.pushes.releaseHeld(other)).toBe(1);
    expect(await outcome({ ...push, id })).toEqual(['pending']);
  });

  it('P5 says whether a push is under way', async () => {
    const push = await running();
    const { organisationId, id } = push;
    const isUnderWay = () => db.pushes.isUnderWay(organisationId, id);
    expect(await isUnderWay()).toBe(true);
    expect(await db.pushes.isUnderWay(await db.members.createOrganisation('Other'), id)).toBe(false);
    await db.pushes.cancelPending(organisationId, push);
    expect(await isUnderWay()).toBe(false);
    await db.pushes.retryFailed(organisationId, id);
    expect(await isUnderWay()).toBe(true);
    await db.prisma.pushItem.updateMany({ where: { batchId: id }, data: { outcome: 'held' } });
    expect(await isUnderWay()).toBe(false);
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
