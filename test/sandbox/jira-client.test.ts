import { Version3Client } from 'jira.js';
import { type SandboxUnderTest, startUnderTest } from './jira-support';

// A public client library, written against Jira Cloud, works against the sandbox unchanged.

let jira: SandboxUnderTest;
let library: Version3Client;

beforeAll(async () => {
  jira = await startUnderTest();
  const { email, apiToken } = jira.sandbox.accounts.person;
  library = new Version3Client({ host: jira.sandbox.url, authentication: { basic: { email, apiToken } } });
});

afterAll(() => jira.stop());

it('creates, finds, comments and transitions through jira.js', async () => {
  const me = await library.myself.getCurrentUser();
  expect(me.displayName).toBe('Dana Developer');
  const projects = await library.projects.searchProjects({ action: 'create' });
  expect(projects.values.map(({ key }) => key)).toEqual(['ACC', 'WEB', 'TEAM']);

  const created = await library.issues.createIssue({
    fields: {
      project: { key: 'ACC' },
      issuetype: { name: 'Bug' },
      summary: 'Made by a library',
      labels: ['by-library'],
      description: 'Plain text, which the library makes a document of',
    },
  });
  const comment = await library.issueComments.addComment({ issueIdOrKey: created.key, comment: 'A comment' });
  expect(comment.author?.accountId).toBe(me.accountId);

  const { transitions = [] } = await library.issues.getTransitions({ issueIdOrKey: created.key });
  const done = transitions.find(({ to }) => to?.name === 'Done');
  await library.issues.doTransition({
    issueIdOrKey: created.key,
    transition: { id: done?.id ?? '' },
    fields: { resolution: { name: 'Duplicate' } },
  });

  const search = { jql: 'labels = "by-library"', fields: ['summary', 'status', 'resolution', 'comment'] };
  const found = await library.issueSearch.searchForIssuesUsingJqlEnhancedSearch(search);
  expect(found.issues).toHaveLength(1);
  expect(found.issues?.[0]?.fields).toMatchObject({
    summary: 'Made by a library',
    status: { name: 'Done', statusCategory: { key: 'done' } },
    resolution: { name: 'Duplicate' },
    comment: { total: 1 },
  });
  const posted = await library.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost(search);
  expect(posted.issues?.[0]?.key).toBe(created.key);
});

it('tells the library of errors in the shape that it expects', async () => {
  await expect(library.issues.getIssue({ issueIdOrKey: 'ACC-9999' })).rejects.toMatchObject({ status: 404 });
});
