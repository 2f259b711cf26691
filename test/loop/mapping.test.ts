// What an issue means, by the lists of its project: company-managed by resolution, team-managed by status.

import { type Stack, startStack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';
import { createSteps, type Steps } from './steps';

let stack: Stack;
let go: Steps;

beforeAll(async () => {
  stack = await startStack();
  go = createSteps(stack);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
});

type Named = { id: string; name: string };
const address = (project: string) => `/api/v1/connections/${stack.local.connectionId}/mapping/${project}`;
const mappingOf = (project: string) => must(stack.api('GET', address(project)));

/** Has just these resolutions and statuses mean "will not be fixed" in a project. */
async function setMapping(project: string, blocked: { resolutions?: string[]; statuses?: string[] }): Promise<void> {
  const { available } = await mappingOf(project);
  const ids = (list: Named[], names: string[] = []) =>
    list.filter(({ name }) => names.includes(name)).map(({ id }) => id);
  const change = {
    blockedResolutions: ids(available.resolutions, blocked.resolutions),
    blockedStatuses: ids(available.statuses, blocked.statuses),
  };
  await must(stack.api('PUT', address(project), change));
}

const resolve = (key: string, name: string) =>
  must(stack.jira('PUT', `/rest/api/3/issue/${key}`, { fields: { resolution: { name } } }));

describe('S5: what an issue means, by the lists of its project', () => {
  it("S5 a team-managed project says it by the status: Done is a claim, Won't Do blocks, and back again", async () => {
    const [done, declined] = await go.pushedAll(['one', 'two'], { projectKey: 'TEAM' });
    if (!done || !declined) throw new Error('Two findings were pushed.');
    await go.move(done.key, 'Done');
    await go.move(declined.key, "Won't Do");
    await go.becomes(done.id, 'needs_rerun');
    await go.becomes(declined.id, 'blocked');
    expect(await go.count(declined.id, 'claimed')).toBe(0);
    await go.move(declined.key, 'Done');
    await go.becomes(declined.id, 'needs_rerun');
  });

  it("S5 a claim that is filed under Won't Do later is none, and one that is filed back is one again", async () => {
    const { source, id, key } = await go.flagged();
    const sessionId = await go.session(source, [id]);
    await resolve(key, "Won't Do");
    expect(await go.becomes(id, 'blocked')).toMatchObject({ session: null });
    expect(await must(stack.api('GET', `/api/v1/sessions/${sessionId}`))).toMatchObject({
      cases: [{ finding: id, verdict: 'withdrawn' }],
    });
    await resolve(key, 'Done');
    expect(await go.becomes(id, 'needs_rerun')).toMatchObject({ claim: { number: 2 } });
  });

  it('S5 each project has its own lists, which go by id and not by name', async () => {
    await setMapping('WEB', { resolutions: ['Cannot Reproduce'] });
    const ours = await go.pushedAll(['one', 'two'], { projectKey: 'WEB' });
    const theirs = await go.pushedAll(['one']);
    const [duplicate, odd] = ours;
    const [elsewhere] = theirs;
    if (!duplicate || !odd || !elsewhere) throw new Error('Three findings were pushed.');
    await go.move(duplicate.key, 'Done', 'Duplicate');
    await go.move(odd.key, 'Done', 'Cannot Reproduce');
    await go.move(elsewhere.key, 'Done', 'Duplicate');
    await go.becomes(duplicate.id, 'needs_rerun');
    await go.becomes(odd.id, 'blocked');
    await go.becomes(elsewhere.id, 'blocked');

    // A name that was changed since means the same, as long as the id does.
    await stack.db.query(
      `update connection set mapping = jsonb_set(mapping, '{WEB,blockedResolutions,0,name}', '"Renamed since"') where id = $1`,
      [stack.local.connectionId],
    );
    await resolve(duplicate.key, 'Cannot Reproduce');
    await go.becomes(duplicate.id, 'blocked');
  });

  it('S5 S8 an issue that moves is read by the lists of the project that it is in now', async () => {
    await setMapping('WEB', { resolutions: [] });
    const { id, key } = await go.pushed();
    // Done is told first, so that the very first reading is of an issue that is elsewhere already.
    await stack.faults.add({ kind: 'webhookDelay', ms: 2000, count: 1 });
    const { key: moved } = await must(stack.sandbox('POST', `/board/issues/${key}/move`, { project: 'WEB' }));
    await go.move(moved, 'Done', 'Duplicate');
    expect(await go.becomes(id, 'needs_rerun')).toMatchObject({ jira: { key: moved } });
    await go.quiet(id);
    expect(await go.count(id, 'blocked')).toBe(0);
    const projectKey = async () => {
      const { rows } = await stack.db.query<{ project_key: string }>(
        'select l.project_key from issue_link l where l.jira_key = $1',
        [moved],
      );
      return rows[0]?.project_key;
    };
    await until(async () => (await projectKey()) === 'WEB', { what: 'the project following the key' });
  });
});
