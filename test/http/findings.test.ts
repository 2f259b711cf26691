// One finding: how it is named, and its history.

import { type ApiWorld, sourceWith, startApi } from './api-world';

let world: ApiWorld;
beforeAll(async () => {
  world = await startApi();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

/** A finding that was in Jira, at a site of its own. */
async function linked(number: number, { key, active, site }: { key: string; active: boolean; site: string }) {
  const { db, organisationId } = world;
  const { connectionId } = await sourceWith(db, organisationId, { key: `s${number}`, numbers: [number] });
  await db.prisma.connection.update({ where: { id: connectionId }, data: { siteUrl: `https://${site}.example` } });
  const { id: findingId } = await db.prisma.finding.findFirstOrThrow({ where: { organisationId, number } });
  const link = { organisationId, findingId, connectionId, generation: 1, marker: `m${number}`, projectKey: 'ACC' };
  const issue = { jiraIssueId: '10', jiraKey: key, state: active ? 'linked' : 'detached', active };
  await db.prisma.issueLink.create({ data: { ...link, ...issue, linkedAt: new Date(2026, 0, number) } });
  return { findingId, connectionId };
}
/** As somebody in Slack asks for it; over HTTP a finding goes by its number alone. */
const inSlack = (name: string, to: 'getFinding' | 'unlinkFinding' = 'getFinding') =>
  world.operations[to](
    { ...{ organisationId: world.organisationId, memberId: world.ownerId, name: 'Olivia' }, ...person },
    name,
  );
const person = { role: 'owner', via: 'slack', scopes: null } as const;

describe('a finding that is named by its Jira key', () => {
  it('C5 is refused where two sites have an issue of that key: both are told, and how to say which one', async () => {
    await linked(1, { key: 'ACC-42', active: true, site: 'one' });
    await linked(2, { key: 'ACC-42', active: true, site: 'two' });
    await linked(3, { key: 'ACC-42', active: false, site: 'three' });
    const told =
      'ACC-42 is the key of several issues: that of F-1 at https://one.example, that of F-2 at https://two.example. Name the finding by its number: F-1 or F-2.';
    const refused = { kind: 'conflict', code: 'ambiguous_key', message: told, inSlack: told };
    await expect(inSlack('acc-42')).rejects.toMatchObject(refused);
    await expect(inSlack('ACC-42', 'unlinkFinding')).rejects.toMatchObject(refused);
    expect(world.told).toEqual([]);
    expect(await inSlack('F-2')).toMatchObject({ id: 'F-2', jira: { key: 'ACC-42' } });
  });

  it('C5 is the one that has the issue now, or else the last one of its site that had it', async () => {
    await linked(4, { key: 'ACC-7', active: false, site: 'one' });
    await linked(5, { key: 'ACC-7', active: true, site: 'two' });
    expect(await inSlack('ACC-7')).toMatchObject({ id: 'F-5' });
    const { connectionId } = await linked(6, { key: 'ACC-8', active: false, site: 'one' });
    const { findingId } = await linked(7, { key: 'ACC-8', active: false, site: 'two' });
    const moved = { connectionId, jiraIssueId: null };
    await world.db.prisma.issueLink.updateMany({ where: { findingId }, data: moved });
    expect(await inSlack('ACC-8')).toMatchObject({ id: 'F-7' });
    await expect(inSlack('ACC-9')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the history of a finding', () => {
  it('B9 goes on after a thousand events: those that are left out are the oldest', async () => {
    const { findingId } = await linked(8, { key: 'ACC-10', active: true, site: 'one' });
    const record = (events: string[]) =>
      world.db.pool.query(
        `insert into audit_event (organisation_id, finding_id, actor, event) select $1, $2, 'Olivia', unnest($3::text[])`,
        [world.organisationId, findingId, events],
      );
    await record(['found', 'pushed', ...Array<string>(999).fill('verdict_late'), 'accepted']);
    const history = (await world.api('GET', '/api/v1/findings/F-8')).body.history as { event: string }[];
    expect(history).toHaveLength(1000);
    expect(
      history
        .slice(0, 1)
        .concat(history.slice(-2))
        .map(({ event }) => event),
    ).toEqual(['verdict_late', 'verdict_late', 'accepted']);
  });
});
