import type { CheckTarget, ConnectionReport } from '../../activities/jira/connection-check';
import { checkConnection } from '../../activities/jira/connection-check';
import type { OddServer } from './odd-server';
import { contractClient, startOddServer } from './odd-server';

interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const PERMISSIONS = ['BROWSE_PROJECTS', 'CREATE_ISSUES', 'ADD_COMMENTS', 'CREATE_ATTACHMENTS', 'TRANSITION_ISSUES'];

/** A site in order, by the last words of the path. */
const SOUND: Record<string, Reply> = {
  serverInfo: { body: { baseUrl: 'https://acme.atlassian.net' } },
  myself: { body: { accountId: 'bot', displayName: 'Recheck' } },
  'project/ACC': { body: { id: '10000', key: 'ACC', name: 'Access' } },
  mypermissions: { body: permissions(PERMISSIONS) },
  'createmeta/ACC/issuetypes': {
    body: {
      issueTypes: [
        { id: '1', name: 'Task' },
        { id: '2', name: 'Bug' },
        { id: '3', name: 'Sub', subtask: true },
      ],
    },
  },
  'issuetypes/2': { body: { fields: [fieldOf('summary'), fieldOf('reporter', { hasDefaultValue: true })] } },
};

let server: OddServer;
beforeAll(async () => {
  server = await startOddServer();
});
afterAll(() => server.stop());

async function check(
  changes: Record<string, Reply> = {},
  target: Partial<CheckTarget> = {},
): Promise<ConnectionReport> {
  const replies = { ...SOUND, ...changes };
  server.answer((request, response) => {
    const path = request.path.split('?')[0] ?? '';
    const name = Object.keys(replies).find((end) => path.endsWith(`/${end}`));
    const { status = 200, body = {}, headers = {} } = replies[name ?? ''] ?? { status: 404 };
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const { client } = contractClient(server.origin);
  return checkConnection(client, {
    siteUrl: server.origin,
    projectKey: 'ACC',
    allowedHttpOrigins: [server.origin],
    ...target,
  });
}

describe('the connection test', () => {
  it('passes every check of a site in order, and says who we are', async () => {
    const report = await check();
    expect(report.checks).toEqual(
      ['address', 'credentials', 'project', 'permissions', 'fields'].map((name) => ({ name, ok: true })),
    );
    expect(report).toMatchObject({ ok: true, account: { accountId: 'bot' }, project: { id: '10000' } });
  });

  it.each([
    ['http://acme.atlassian.net', 'does not start with https://'],
    ['https://acme.atlassian.net/', 'trailing slash'],
    ['https://acme.atlassian.net/browse', 'has a path'],
    ['https://10.0.0.1', 'private network'],
  ])('refuses the address %s before anything is sent', async (siteUrl, cause) => {
    server.received.length = 0;
    const report = await check({}, { siteUrl });
    expect(report).toMatchObject({
      ok: false,
      checks: [{ name: 'address', ok: false, cause: expect.stringContaining(cause) }],
    });
    expect(server.received).toHaveLength(0);
  });

  it.each<[string, Record<string, Reply>, string, string, string]>([
    ['no Jira there', { serverInfo: { status: 404 } }, 'address', 'There is no Jira Cloud site', 'Copy the address'],
    ['a web page', { serverInfo: { body: '<html>' } }, 'address', 'There is no Jira Cloud site', 'Copy the address'],
    [
      'a move',
      { serverInfo: { status: 302, headers: { location: 'https://elsewhere.example/' } } },
      'address',
      'There is no Jira Cloud site',
      'Copy the address',
    ],
    ['an outage', { serverInfo: { status: 503 } }, 'address', 'Jira answered 503', 'later'],
    ['a wrong token', { myself: { status: 401 } }, 'credentials', '(401)', 'token was not revoked'],
    [
      'a dead token that answers 200',
      { serverInfo: { headers: { 'x-seraph-loginreason': 'AUTHENTICATED_FAILED' } }, myself: { status: 401 } },
      'credentials',
      '(401)',
      'token was not revoked',
    ],
    [
      'a CAPTCHA',
      { myself: { headers: { 'x-seraph-loginreason': 'AUTHENTICATION_DENIED' } } },
      'credentials',
      'CAPTCHA',
      'in a browser',
    ],
    ['no access to Jira', { myself: { status: 403 } }, 'credentials', '(403)', 'access to Jira'],
    [
      'a missing scope',
      { myself: { status: 401, body: { code: 401, message: 'Unauthorized; scope does not match' } } },
      'credentials',
      'scope read:jira-user',
      'Grant every scope',
    ],
    [
      'a rate limit',
      { myself: { status: 429, headers: { 'retry-after': '30' } } },
      'credentials',
      '(429)',
      'Try again in 3',
    ],
    ['an unknown project', { 'project/ACC': { status: 404 } }, 'project', 'ACC does not exist', 'case-sensitive'],
    [
      'missing permissions',
      { mypermissions: { body: permissions(['BROWSE_PROJECTS', 'ADD_COMMENTS', 'CREATE_ATTACHMENTS']) } },
      'permissions',
      'Create issues, Transition issues',
      'Project settings > Permissions',
    ],
    [
      'no such issue type',
      { 'createmeta/ACC/issuetypes': { body: { issueTypes: [{ id: '1', name: 'Task' }] } } },
      'fields',
      'no issue type Bug',
      'Choose one of: Task',
    ],
    [
      'a required field without default',
      { 'issuetypes/2': { body: { fields: [fieldOf('customfield_1', { name: 'Team' })] } } },
      'fields',
      'no default: Team',
      'sync rule',
    ],
  ])('names cause and cure of %s', async (_what, changes, name, cause, cure) => {
    const report = await check(changes);
    expect(report.ok).toBe(false);
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([
      { name, ok: false, cause: expect.stringContaining(cause), cure: expect.stringContaining(cure) },
    ]);
    // Everything before the failed check was proved.
    expect(report.checks.slice(0, -1).every(({ ok }) => ok)).toBe(true);
  });

  it('says which project is meant where a key is in the wrong case', async () => {
    const report = await check({}, { projectKey: 'acc' });
    expect(report.checks.at(-1)).toMatchObject({
      name: 'project',
      ok: false,
      cause: expect.stringContaining('there is ACC'),
      cure: expect.stringContaining('case-sensitive'),
    });
  });

  it('knows a team-managed project: what to map there, and where its permissions are', async () => {
    const project = { 'project/ACC': { body: { id: '1', key: 'ACC', name: 'Access', style: 'next-gen' } } };
    expect((await check(project)).checks).toContainEqual(
      expect.objectContaining({ name: 'project', ok: true, note: expect.stringContaining('status mapping') }),
    );
    const denied = await check({ ...project, mypermissions: { body: permissions(['BROWSE_PROJECTS']) } });
    expect(denied.checks.at(-1)).toMatchObject({ cure: expect.stringContaining('Project settings > Access') });
  });

  it('looks at address and credentials alone while there is no project', async () => {
    const report = await check({}, { projectKey: undefined });
    expect(report).toMatchObject({ ok: true, account: { accountId: 'bot' } });
    expect(report.checks.map(({ name }) => name)).toEqual(['address', 'credentials']);
  });

  it('counts what the template fills as given', async () => {
    const changes = { 'issuetypes/2': { body: { fields: [fieldOf('customfield_1')] } } };
    expect((await check(changes, { templateFields: ['customfield_1'] })).ok).toBe(true);
  });

  it('looks at the issue type of the rule', async () => {
    const changes = { 'issuetypes/1': { body: { fields: [fieldOf('summary')] } } };
    expect((await check(changes, { issueType: 'task' })).ok).toBe(true);
  });
});

describe('the connection test of an OAuth connection', () => {
  const scopes = ['read:jira-work', 'write:jira-work', 'read:jira-user', 'manage:jira-webhook', 'offline_access'];
  const listed = { webhook: { body: { values: [{ id: 7 }, { id: 8 }], isLast: true } } };
  const webhooks = { ids: ['7'], error: null };
  const scopeText = { code: 401, message: 'Unauthorized; scope does not match' };
  const wrong = (report: ConnectionReport) => report.checks.filter(({ ok }) => !ok);

  it('passes, and says when a private app gets no deliveries', async () => {
    const report = await check(listed, { grant: { scopes }, webhooks });
    expect(report.ok).toBe(true);
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...['address', 'credentials', 'scopes', 'project', 'permissions', 'fields', 'webhooks'],
    ]);
    expect(report.checks.at(-1)?.note).toContain('owner of the app');
  });

  it('names the scopes that were not granted', async () => {
    const report = await check(listed, { grant: { scopes: scopes.slice(0, 1) }, webhooks });
    expect(wrong(report)).toMatchObject([{ name: 'scopes', cure: expect.stringContaining('Grant every scope') }]);
    for (const scope of scopes.slice(1, 4)) expect(wrong(report)[0]?.cause).toContain(scope);
  });

  it('names the scope of a call that Jira refuses', async () => {
    const refused = { status: 401, body: scopeText };
    const webhook = await check({ webhook: refused }, { grant: { scopes }, webhooks });
    expect(wrong(webhook)).toMatchObject([{ cause: expect.stringContaining('manage:jira-webhook') }]);
    const project = await check({ ...listed, 'project/ACC': refused }, { grant: { scopes }, webhooks });
    expect(wrong(project)).toMatchObject([{ name: 'project', cause: expect.stringContaining('read:jira-work') }]);
  });

  it.each<[string, Record<string, Reply>, { ids: string[]; error: string | null }, string, string]>([
    ['a webhook that vanished', listed, { ids: ['7', '9'], error: null }, 'does not list', 'registered anew'],
    ['a webhook that was rejected', listed, { ids: [], error: 'Jira said no.' }, 'Jira said no.', 'tries again'],
  ])('fails for %s', async (_what, changes, given, cause, cure) => {
    expect(wrong(await check(changes, { grant: { scopes }, webhooks: given }))).toEqual([
      { name: 'webhooks', ok: false, cause: expect.stringContaining(cause), cure: expect.stringContaining(cure) },
    ]);
  });

  it.each([
    ['a dead grant', { status: 401 }, 'credentials', 'does not accept the grant', 'press Reconnect'],
    ['a site that is gone', { status: 404 }, 'credentials', 'does not know this site', 'choose the site'],
    ['an outage of the gateway', { status: 503 }, 'address', 'Jira answered 503', 'later'],
  ])('names cause and cure of %s', async (_what, myself, name, cause, cure) => {
    expect(wrong(await check({ myself }, { grant: { scopes }, webhooks }))).toEqual([
      { name, ok: false, cause: expect.stringContaining(cause), cure: expect.stringContaining(cure) },
    ]);
  });
});

function permissions(granted: string[]): unknown {
  return {
    permissions: Object.fromEntries(PERMISSIONS.map((key) => [key, { key, havePermission: granted.includes(key) }])),
  };
}

function fieldOf(fieldId: string, extra: { name?: string; hasDefaultValue?: boolean } = {}): unknown {
  return {
    fieldId,
    key: fieldId,
    name: fieldId,
    required: true,
    hasDefaultValue: false,
    operations: ['set'],
    ...extra,
  };
}
