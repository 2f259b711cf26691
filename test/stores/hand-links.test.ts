import { randomUUID } from 'node:crypto';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { createAcme, openStores, type Stores } from '../support/stores';

describe('the store of links to issues that people made', () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(async () => {
    await stores?.close();
  });

  async function twoFindings() {
    const { db } = stores;
    const { organisationId, memberId } = await createAcme(db);
    const data = {
      organisationId,
      kind: 'api_token',
      siteUrl: 'https://a.example',
      status: 'connected',
      projectKey: 'ACC',
    };
    const { id: connectionId } = await db.prisma.connection.create({ data });
    const rule = { ...defaultRule, enabled: true, projectKey: 'ACC' };
    const source = await db.sources.create(organisationId, { key: 's', name: 'S', kind: 'site', connectionId, rule });
    const finding = async (number: number) => {
      const of = { organisationId, sourceId: source?.id ?? '', number, key: `${number}` };
      return (await db.prisma.finding.create({ data: { ...of, rule: 'label', title: 'label', severity: 'serious' } }))
        .id;
    };
    const issue = { organisationId, connectionId, memberId, projectKey: 'ACC' };
    const adopt = async (findingId: string, n: number) => {
      const linkId = randomUUID();
      const said = await db.lifecycle.adoptLink({ ...issue, findingId, linkId, issueId: `10${n}`, key: `ACC-${n}` });
      return { linkId, said };
    };
    const change = (linkId: string, set: { active?: boolean; linkedAt?: Date }) =>
      db.prisma.issueLink.update({ where: { id: linkId }, data: set });
    const push = (findingId: string) =>
      db.lifecycle.openLink({ organisationId, findingId, batchId: null, actor: { kind: 'recheck' } });
    return { db, organisationId, one: await finding(1), two: await finding(2), adopt, change, push };
  }
  const old = new Date(Date.now() - 120_000);

  it('S8 what its lifecycle did not take up is removed, and its issue is free; what it did stays', async () => {
    const { db, organisationId, one, two, adopt, change } = await twoFindings();
    const lost = await adopt(one, 1);
    expect((await adopt(two, 1)).said).toEqual({ kind: 'taken' });
    expect(await db.lifecycle.dropUnused({ organisationId, linkId: lost.linkId })).toBe(true);
    const { said, linkId } = await adopt(two, 1);
    expect(said).toEqual({ kind: 'adopted' });
    await change(linkId, { active: true });
    expect(await db.lifecycle.dropUnused({ organisationId, linkId })).toBe(false);
    expect((await adopt(two, 2)).said).toEqual({ kind: 'linked', key: 'ACC-1' });
  });

  it('S8 while a link is on its way nothing else gives the finding an issue', async () => {
    const { one, adopt, change, push } = await twoFindings();
    const { linkId } = await adopt(one, 1);
    expect((await adopt(one, 2)).said).toEqual({ kind: 'linking', key: 'ACC-1' });
    expect(await push(one)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('ACC-1') });
    await change(linkId, { linkedAt: old });
    expect(await push(one)).toMatchObject({ kind: 'opened' });
  });

  it('S8 what a process left behind that died blocks its issue only while it can still come to something', async () => {
    const { one, two, adopt, change } = await twoFindings();
    const left = await adopt(one, 1);
    await change(left.linkId, { linkedAt: old });
    expect((await adopt(two, 1)).said).toEqual({ kind: 'taken' });
    const next = await adopt(one, 2);
    await change(next.linkId, { active: true });
    expect((await adopt(two, 1)).said).toEqual({ kind: 'adopted' });
  });
});
