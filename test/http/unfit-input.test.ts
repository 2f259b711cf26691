// Texts that cannot be stored and values that are nested too deep: refused before anything is stored or told.

import { randomUUID } from 'node:crypto';
import { pathOf } from '../../activities/jira/request';
import { createConnectPages, type PageDeps } from '../../api/connect/pages';
import { type ApiWorld, sourceWith, startApi } from './api-world';
import { appOf, listen, silent } from './support';

let world: ApiWorld;
let push: string;
const session = randomUUID();

beforeAll(async () => {
  world = await startApi();
  const { db, organisationId } = world;
  await sourceWith(db, organisationId, { key: 'shop', numbers: [1] });
  const waiting = await world.api('POST', '/api/v1/pushes', { source: 'shop', findings: ['F-1'] });
  push = waiting.body.id;
}, 60_000);
afterAll(async () => {
  await world?.close();
});

/** All that a refused request could have changed. */
async function stored() {
  const { db } = world;
  const { member, apiKey, source, pushBatch, report } = db.prisma;
  const tables = [member.findMany(), apiKey.findMany(), source.findMany(), pushBatch.findMany(), report.findMany()];
  return JSON.stringify([await Promise.all(tables), world.told]);
}

describe('V3 P9 I3 text that cannot be stored', () => {
  const fit: [string, string, string, (text: string) => unknown, string][] = [
    ['the note of a verdict', 'POST', `sessions/${session}/verdicts`, (note) => [given(note)], '[0].note'],
    ['the note of an approval', 'POST', 'pushes/PUSH/approve', (note) => ({ note }), 'note'],
    ['the note of a rejection', 'POST', 'pushes/PUSH/reject', (note) => ({ note }), 'note'],
    ['the note of a push', 'POST', 'pushes', (note) => ({ source: 'shop', findings: 'all', note }), 'note'],
    ['a suite', 'POST', 'sessions', (suite) => ({ source: 'shop', findings: ['F-1'], suite }), 'suite'],
    ['the name of a member', 'POST', 'members', (name) => ({ name, role: 'admin' }), 'name'],
    ['a Slack user', 'POST', 'members', (u) => ({ name: 'A', role: 'admin', slackUserId: u }), 'slackUserId'],
    ['the name of a key', 'POST', 'api-keys', (name) => ({ name, member: 'OWNER' }), 'name'],
    ['the name of a source', 'POST', 'sources', (name) => ({ key: 'a', name, kind: 'site' }), 'name'],
    ['a project', 'POST', 'sources', (p) => ({ key: 'a', name: 'A', kind: 'site', projectKey: p }), 'projectKey'],
    ['a label', 'PUT', 'sources/shop/rule', (label) => ({ labels: ['ok', label] }), 'labels[1]'],
    ['a project of a rule', 'PUT', 'sources/shop/rule', (projectKey) => ({ projectKey }), 'projectKey'],
    ['a summary', 'PUT', 'sources/shop/rule', (summary) => ({ template: { summary } }), 'template.summary'],
    [
      'a field',
      'PUT',
      'sources/shop/rule',
      (text) => ({ template: { fields: { a: [text] } } }),
      'template.fields.a[0]',
    ],
    ['a preview', 'POST', 'sources/shop/rule/preview', (text) => ({ template: { summary: text } }), 'template.summary'],
    ['a field nobody knows', 'PUT', 'sources/shop/rule', (text) => ({ typo: text }), 'typo'],
  ];
  const bad: [string, string][] = [
    ['a NUL', 'ok \0'],
    ['the first half of an emoji', 'ok \ud83d'],
    ['the second half of an emoji', 'ok \ude00'],
  ];

  it.each(fit)('refuses it in %s, names the field, and nothing happens', async (_what, method, path, bodyOf, field) => {
    const before = await stored();
    for (const [, text] of bad) {
      const body = JSON.parse(JSON.stringify(bodyOf(text)).replace('OWNER', world.ownerId));
      const answer = await world.api(method, `/api/v1/${path.replace('PUSH', push)}`, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_text', errors: [{ field }] } });
      expect(answer.body.detail).toMatch(/^.+: This text holds a character that cannot be stored: .*Take it out/);
    }
    expect(await stored()).toBe(before);
  });

  it('names the place where a name itself holds one', async () => {
    const body = { template: { fields: { a: { 'x\0y': 1 } } } };
    const answer = await world.api('PUT', '/api/v1/sources/shop/rule', body);
    expect(answer.body).toMatchObject({ code: 'invalid_text', errors: [{ field: 'template.fields.a.x\ufffdy' }] });
  });

  it.each([
    ['POST', 'sources/shop/reports?page=http://x/%00', 'page'],
    ['POST', 'sources/shop/reports?runner=a%00', 'runner'],
    ['GET', 'sources/shop/rule/form?projectKey=A%00', 'projectKey'],
    ['GET', 'findings?source=a%00', 'source'],
    ['GET', 'sources/a%00/rule', 'key'],
    ['GET', 'findings/F-1%00', 'id'],
  ])('refuses it in an address: %s %s', async (method, path, field) => {
    const answer = await world.api(method, `/api/v1/${path}`, method === 'POST' ? '{}' : undefined);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_text', errors: [{ field }] } });
  });

  it('takes whole emoji, and all that people write', async () => {
    const name = 'Zoë 😀 \t 名前';
    const { status, body } = await world.api('POST', '/api/v1/members', { name, role: 'member' });
    expect([status, body.name]).toEqual([201, name]);
  });

  it.each(bad)('P9 refuses %s that comes by Slack with words that name it, and tells nobody', async (_what, text) => {
    const { operations, organisationId, ownerId } = world;
    const as = { organisationId, memberId: ownerId, name: 'O', role: 'owner', via: 'slack', scopes: null } as const;
    const before = await stored();
    const refusal = { code: 'invalid_text', message: expect.stringContaining('cannot be stored') };
    const shown = { ...refusal, message: expect.stringMatching(/^"ok \ufffd" holds a character/) };
    await expect(operations.decidePush(as, push, 'approve', text)).rejects.toMatchObject(shown);
    await expect(operations.linkFinding(as, 'F-1', text)).rejects.toMatchObject(shown);
    await expect(operations.giveVerdicts(as, session, [given(text)])).rejects.toMatchObject(refusal);
    await expect(operations.putRule(as, 'shop', { template: { fields: { a: text } } })).rejects.toMatchObject(refusal);
    expect(await stored()).toBe(before);
  });
});

describe('C1 text that cannot be stored, elsewhere', () => {
  it('C1 is refused in the forms of the connect page, in words', async () => {
    const { db, operations } = world;
    const deps = { db, operations, baseUrl: 'http://127.0.0.1', command: '/recheck', authUrl: null, log: silent };
    const connectPages = createConnectPages({ ...deps, connecting: {} } as unknown as PageDeps);
    const server = await listen(appOf({}, { connectPages }));
    try {
      const body = new URLSearchParams({ email: 'a\0@example.com' });
      const answer = await fetch(`${server.url}/connect/api-token`, { method: 'POST', body });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('email: This text holds a character that cannot be stored');
    } finally {
      await server.close();
    }
  });

  it('I3 is cleaned out of a report, where it comes encoded too', async () => {
    const physicalLocation = { artifactLocation: { uri: 'src/a%00b.js' }, region: { startLine: 1 } };
    const results = [{ ruleId: 'r', message: { text: 'broken' }, locations: [{ physicalLocation }] }];
    const sarif = { version: '2.1.0', runs: [{ tool: { driver: { name: 'lint' } }, results }] };
    const answer = await world.api('POST', '/api/v1/sources/shop/reports', JSON.stringify(sarif));
    expect(answer).toMatchObject({ status: 201, body: { format: 'sarif', findings: { new: 1 } } });
    const { rows } = await world.db.pool.query<{ page: string }>('select page from occurrence');
    expect(rows.map(({ page }) => page)).toEqual(['src/ab.js']);
  });

  it('S4 in a key of an issue is no error of ours', () => {
    expect(pathOf`/issue/${'ACC-\ud83d'}`).toBe('/issue/ACC-%EF%BF%BD');
    expect(pathOf`/issue/${'a/😀'}`).toBe('/issue/a%2F%F0%9F%98%80');
  });
});

const given = (note: string) => ({ finding: 'F-1', verdict: 'pass', note }) as const;

describe('R3 values that are nested too deep', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const json = { 'content-type': 'application/json' };

  it.each([
    ['PUT', 'sources/shop/rule', (value: string) => `{"template":{"fields":{"a":${value}}}}`],
    ['POST', 'sources/shop/rule/preview', (value: string) => `{"template":{"fields":{"a":${value}}}}`],
    ['PUT', 'sources/shop/rule', (value: string) => `{"warnings":{"b":{"c":${value}}}}`],
  ])('answers 400 and names the field: %s %s', async (method, path, bodyOf) => {
    for (const levels of [62, 5_000, 100_000]) {
      const answer = await world.api(method, `/api/v1/${path}`, bodyOf(nested(levels)), json);
      const errors = [{ field: expect.stringMatching(/^(template\.fields\.a|warnings\.b\.c)$/) }];
      expect(answer).toMatchObject({ status: 400, body: { code: 'too_deep', errors } });
    }
  });

  it('takes what Jira nests', async () => {
    const body = `{"template":{"fields":{"a":${nested(40)}}}}`;
    expect((await world.api('PUT', '/api/v1/sources/shop/rule', body, json)).status).toBe(200);
  });

  it('refuses it from Slack too', async () => {
    const { operations, organisationId, ownerId } = world;
    const as = { organisationId, memberId: ownerId, name: 'O', role: 'owner', via: 'slack', scopes: null } as const;
    const change = { template: { fields: { a: JSON.parse(nested(5_000)) } } };
    await expect(operations.putRule(as, 'shop', change)).rejects.toMatchObject({ code: 'too_deep' });
  });
});
