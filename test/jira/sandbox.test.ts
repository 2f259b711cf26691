import { doc, paragraph, text } from '../../activities/jira/adf';
import { basicAuthorization } from '../../activities/jira/auth';
import type { JiraClient } from '../../activities/jira/client';
import { checkConnection, NEEDED_PERMISSIONS } from '../../activities/jira/connection-check';
import type { IssueContent } from '../../activities/jira/issue-content';
import { issueFields, MARKER_PROPERTY } from '../../activities/jira/issue-content';
import { failedComment, passedComment } from '../../activities/jira/verification-comments';
import type { JiraSandbox } from '../../local/sandbox/jira/server';
import { startJiraSandbox } from '../../local/sandbox/jira/server';
import { createDatabase } from '../support/database';
import type { SentRequest } from '../support/jira-contract';
import { contractClient, failureOf } from './odd-server';

// The client against the Jira that people try by hand; every request is held to Atlassian's description on the way.

let database: Awaited<ReturnType<typeof createDatabase>>;
let jira: JiraSandbox;
let client: JiraClient;
let requests: SentRequest[];

beforeAll(async () => {
  database = await createDatabase();
  jira = await startJiraSandbox({ databaseUrl: database.url, port: 0 });
});
afterAll(async () => {
  await jira?.stop();
  await database?.drop();
});
beforeEach(async () => {
  await control('POST', 'reset');
  const authorization = basicAuthorization(jira.accounts.bot);
  ({ client, requests } = contractClient(jira.url, { authorization }));
});

describe('a push', () => {
  it('makes the issue that it describes, findable by its marker', async () => {
    const marker = 'recheck-00000000000000a1';
    const content = await contentFor(marker);
    const created = await client.createIssue(content);
    const issue = await client.getIssue(created.id, {
      fields: ['summary', 'status', 'resolution', 'labels', 'project', 'priority', 'description'],
      properties: [MARKER_PROPERTY],
    });
    expect(issue).toMatchObject({
      id: created.id,
      key: created.key,
      fields: {
        summary: 'Buttons must have discernible text',
        status: { statusCategory: { key: 'new' } },
        resolution: null,
        labels: expect.arrayContaining([marker, 'a11y']),
        project: { key: 'ACC' },
        priority: { name: 'Highest' },
      },
      properties: { [MARKER_PROPERTY]: { marker } },
    });
    const found = await client.searchJql({ jql: `labels = "${marker}"`, fields: ['labels'] });
    expect(found.issues.map(({ id }) => id)).toEqual([created.id]);
  });

  it('goes without optional fields and puts the marker in the text where the screen lacks them', async () => {
    await control('PUT', 'projects/ACC', { hiddenFields: ['labels', 'priority'] });
    const marker = 'recheck-00000000000000a2';
    const content = await contentFor(marker);
    expect(content.markerIn).toBe('description');
    const { id } = await client.createIssue(content);
    const found = await client.searchJql({ jql: `text ~ "${marker}"`, fields: ['summary'] });
    expect(found.issues.map((issue) => issue.id)).toEqual([id]);
  });

  it('that names a field too many is rejected with the field', async () => {
    await control('PUT', 'projects/ACC', { hiddenFields: ['priority'] });
    const content = await contentFor('recheck-00000000000000a3');
    const fields = { ...content.fields, priority: { id: '1' } };
    const error = await failureOf(client.createIssue({ fields }));
    expect(error).toMatchObject({ kind: 'rejected', status: 400, fields: { priority: expect.any(String) } });
  });

  it('whose answer is lost is ambiguous, and its issue is there', async () => {
    const marker = 'recheck-00000000000000a4';
    const content = await contentFor(marker);
    await control('POST', 'faults', { kind: 'drop', match: { marker }, count: 1 });
    expect(await failureOf(client.createIssue(content))).toMatchObject({ kind: 'ambiguous', operation: 'createIssue' });
    expect((await client.searchJql({ jql: `labels = "${marker}"` })).issues).toHaveLength(1);
  });

  it('that is refused by a rate limit did nothing and knows how long to wait', async () => {
    const marker = 'recheck-00000000000000a5';
    const content = await contentFor(marker);
    const headers = { 'Retry-After': '3', 'RateLimit-Reason': 'jira-per-issue-on-write' };
    await control('POST', 'faults', { kind: 'status', match: { marker }, count: 1, status: 429, headers });
    const error = await failureOf(client.createIssue(content));
    expect(error).toMatchObject({ kind: 'rate-limited', reason: 'jira-per-issue-on-write' });
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(3_000);
    expect((await client.searchJql({ jql: `labels = "${marker}"` })).issues).toHaveLength(0);
  });
});

describe('an issue', () => {
  it('goes to Done and back, is commented, edited, marked and given a screenshot', async () => {
    const { id } = await client.createIssue(await contentFor('recheck-00000000000000b1'));
    const done = (await client.transitions(id)).find(({ to }) => to.statusCategory.key === 'done');
    const [resolution] = await client.resolutions();
    await client.transition(id, done?.id ?? '', { resolution: { id: resolution?.id } });
    const [closed] = (await client.bulkFetch([id], ['status', 'resolution', 'updated', 'project'])).issues;
    expect(closed?.fields).toMatchObject({
      status: { statusCategory: { key: 'done' } },
      resolution: { id: resolution?.id },
    });

    const decided = { findingNumber: 3, decidedBy: 'Ada', decidedAt: new Date('2026-11-22T10:00:00Z') };
    await client.addComment(id, passedComment({ ...decided, proof: 'The rule ran on 2 of 2 pages.' }));
    await client.addComment(id, failedComment({ ...decided, failure: 'still there' }));
    await client.editIssue(id, { update: { labels: [{ add: 'verified' }] } });
    await client.setProperty(id, { key: 'recheck.state', value: { status: 'verified' } });

    expect(await client.attachmentMeta()).toMatchObject({ enabled: true, uploadLimit: expect.any(Number) });
    const content = new Uint8Array([137, 80, 78, 71]);
    const files = await client.addAttachment(id, { filename: 'shot-4f.png', contentType: 'image/png', content });
    expect(files).toMatchObject([{ filename: 'shot-4f.png', size: 4 }]);
    const after = await client.getIssue(id, { fields: ['labels', 'attachment'] });
    expect(after.fields?.labels).toContain('verified');
    expect(after.fields?.attachment).toMatchObject([{ filename: 'shot-4f.png' }]);
  });

  it('that does not exist is not found, and missing from a bulk fetch', async () => {
    expect((await failureOf(client.getIssue('99999', { fields: ['status'] }))).kind).toBe('not-found');
    expect((await failureOf(client.addComment('99999', doc([paragraph(text('x'))])))).kind).toBe('not-found');
    expect((await client.bulkFetch(['99999'], ['status'])).issues).toEqual([]);
  });
});

describe('a site', () => {
  it('lists its projects, statuses and our account', async () => {
    expect((await client.projectSearch()).values.map(({ key }) => key)).toContain('ACC');
    const [bug] = await client.projectStatuses('ACC');
    expect(bug?.statuses.map(({ name }) => name)).toEqual(expect.arrayContaining(['To Do', 'Done']));
    expect((await client.myself()).accountId).toBe(jira.accounts.bot.accountId);
    expect(requests.length).toBeGreaterThan(0);
  });

  it('tells a revoked token from an empty answer', async () => {
    await control('POST', 'faults', { kind: 'revoked', account: 'bot' });
    expect((await failureOf(client.bulkFetch(['10000'], ['status']))).kind).toBe('auth');
    expect((await failureOf(client.searchJql({ jql: 'project = ACC' }))).kind).toBe('auth');
    expect((await failureOf(client.myself())).kind).toBe('auth');
  });
});

describe('the connection test', () => {
  const target = () => ({ siteUrl: jira.url, projectKey: 'ACC', allowedHttpOrigins: [jira.url] });

  it('passes on a project in order', async () => {
    expect(await checkConnection(client, target())).toMatchObject({ ok: true, project: { key: 'ACC' } });
  });

  it('names a key in the wrong case, a denied permission, and a required field', async () => {
    const failing = async (extra = {}) =>
      (await checkConnection(client, { ...target(), ...extra })).checks.filter(({ ok }) => !ok);
    expect(await failing({ projectKey: 'acc' })).toMatchObject([
      { name: 'project', cure: expect.stringContaining('case-sensitive') },
    ]);
    for (const [key, name] of Object.entries(NEEDED_PERMISSIONS).slice(1)) {
      await control('PUT', 'projects/ACC', { denied: [key] });
      expect(await failing()).toMatchObject([{ name: 'permissions', cause: expect.stringContaining(name) }]);
    }
    await control('PUT', 'projects/ACC', { denied: [], requiredFields: ['customfield_10050'] });
    expect(await failing()).toMatchObject([{ name: 'fields', cause: expect.stringContaining('Owning team') }]);
    expect(await failing({ templateFields: ['customfield_10050'] })).toEqual([]);
    await control('POST', 'faults', { kind: 'revoked', account: 'bot' });
    expect(await failing()).toMatchObject([{ name: 'credentials', cause: expect.stringContaining('401') }]);
  });
});

async function contentFor(marker: string): Promise<IssueContent> {
  const project = await client.project('ACC');
  const type = (await client.issueTypes(project.id)).find(({ name }) => name === 'Bug');
  const issueTypeId = type?.id ?? '';
  return issueFields({
    projectId: project.id,
    issueTypeId,
    finding: {
      number: 3,
      title: 'Buttons must have discernible text',
      rule: 'button-name',
      severity: 'critical',
      details: {
        help: 'Buttons must have discernible text',
        helpUrl: 'https://x.example/button-name',
        tags: ['wcag412'],
      },
    },
    occurrences: [
      { page: 'https://shop.example/', details: { selector: '#buy', snippet: '<button id="buy"></button>' } },
    ],
    source: { name: 'Shop' },
    rule: { labels: ['a11y'] },
    marker,
    createFields: await client.issueFields(project.id, issueTypeId),
  });
}

async function control(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`${jira.url}/sandbox/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The sandbox refused ${method} ${path}: ${await response.text()}`);
}
