import { doc, paragraph, text } from '../../activities/jira/adf';
import type { JiraClient } from '../../activities/jira/client';
import { createJiraClient } from '../../activities/jira/client';
import type { OddServer } from './odd-server';
import { contractClient, startOddServer } from './odd-server';

const STATUS = { id: '3', name: 'Done', statusCategory: { key: 'done' } };

/** One call of each method, and a minimal answer to it, with a field that no description knows. */
const CALLS: Array<[string, (client: JiraClient) => Promise<unknown>, string, unknown]> = [
  ['myself', (jira) => jira.myself(), 'GET /rest/api/3/myself', { accountId: 'a', new: 1 }],
  [
    'usersById',
    (jira) => jira.usersById('5b10'),
    'GET /rest/api/3/user/search?accountId=5b10',
    [{ accountId: '5b10', displayName: 'Ada', active: true, avatarUrls: {} }],
  ],
  ['serverInfo', (jira) => jira.serverInfo(), 'GET /rest/api/3/serverInfo', { baseUrl: 'https://x' }],
  [
    'mypermissions',
    (jira) => jira.mypermissions('ACC', ['BROWSE_PROJECTS', 'CREATE_ISSUES']),
    'GET /rest/api/3/mypermissions?projectKey=ACC&permissions=BROWSE_PROJECTS%2CCREATE_ISSUES',
    { permissions: { BROWSE_PROJECTS: { havePermission: true }, CREATE_ISSUES: { havePermission: false } } },
  ],
  ['project', (jira) => jira.project('ACC'), 'GET /rest/api/3/project/ACC', { id: '1', key: 'ACC', name: 'Access' }],
  [
    'projectSearch',
    (jira) => jira.projectSearch({ query: 'acc' }),
    'GET /rest/api/3/project/search?action=create&maxResults=100&query=acc',
    { values: [{ id: '1', key: 'ACC', name: 'Access', style: 'next-gen' }], isLast: true },
  ],
  [
    'issueTypes',
    (jira) => jira.issueTypes('ACC'),
    'GET /rest/api/3/issue/createmeta/ACC/issuetypes?startAt=0&maxResults=200',
    { issueTypes: [{ id: '10004', name: 'Bug' }], total: 1 },
  ],
  [
    'issueFields',
    (jira) => jira.issueFields('ACC', '10004'),
    'GET /rest/api/3/issue/createmeta/ACC/issuetypes/10004?startAt=0&maxResults=200',
    {
      fields: [
        { fieldId: 'labels', name: 'Labels', required: false, operations: ['set'] },
        { fieldId: 'x', name: 'X', required: true, hasDefaultValue: false, allowedValues: ['odd', { id: '1' }] },
      ],
      total: 2,
    },
  ],
  [
    'projectStatuses',
    (jira) => jira.projectStatuses('ACC'),
    'GET /rest/api/3/project/ACC/statuses',
    [{ id: '1', name: 'Bug', statuses: [STATUS] }],
  ],
  [
    'resolutions',
    (jira) => jira.resolutions(),
    'GET /rest/api/3/resolution/search?startAt=0&maxResults=200',
    { values: [{ id: '1', name: 'Done' }], isLast: true },
  ],
  [
    'createIssue',
    (jira) =>
      jira.createIssue({
        fields: { project: { id: '1' }, issuetype: { id: '2' }, summary: 's', labels: ['recheck-1'] },
        properties: [{ key: 'recheck.marker', value: { marker: 'recheck-1' } }],
      }),
    'POST /rest/api/3/issue',
    { id: '10001', key: 'ACC-1', self: 'https://x' },
  ],
  [
    'getIssue',
    (jira) => jira.getIssue('ACC/1', { fields: ['status', 'resolution'], properties: ['recheck.marker'] }),
    'GET /rest/api/3/issue/ACC%2F1?fields=status%2Cresolution&properties=recheck.marker',
    { id: '10001', key: 'ACC-1', fields: { status: STATUS, resolution: null, custom: {} } },
  ],
  [
    'bulkFetch',
    (jira) => jira.bulkFetch(['10001', '10002'], ['status']),
    'POST /rest/api/3/issue/bulkfetch',
    { issues: [{ id: '10001', key: 'ACC-1', fields: { status: STATUS } }], issueErrors: [] },
  ],
  [
    'searchJql',
    (jira) => jira.searchJql({ jql: 'labels = "recheck-1"', fields: ['labels'], nextPageToken: 't', maxResults: 10 }),
    'POST /rest/api/3/search/jql',
    { issues: [{ id: '10001' }], nextPageToken: null },
  ],
  [
    'addComment',
    (jira) => jira.addComment('10001', doc([paragraph(text('Verified.'))])),
    'POST /rest/api/3/issue/10001/comment',
    { id: '5' },
  ],
  [
    'transitions',
    (jira) => jira.transitions('10001'),
    'GET /rest/api/3/issue/10001/transitions?expand=transitions.fields',
    { transitions: [{ id: '31', name: 'Done', to: STATUS, isLooped: false, fields: {} }] },
  ],
  [
    'transition',
    (jira) => jira.transition('10001', '31', { resolution: { id: '10000' } }),
    'POST /rest/api/3/issue/10001/transitions',
    undefined,
  ],
  [
    'editIssue',
    (jira) => jira.editIssue('10001', { fields: { summary: 'new' }, update: { labels: [{ add: 'a' }] } }),
    'PUT /rest/api/3/issue/10001',
    undefined,
  ],
  [
    'setProperty',
    (jira) => jira.setProperty('10001', { key: 'recheck.marker', value: { marker: 'm' } }),
    'PUT /rest/api/3/issue/10001/properties/recheck.marker',
    undefined,
  ],
  [
    'attachmentMeta',
    (jira) => jira.attachmentMeta(),
    'GET /rest/api/3/attachment/meta',
    { enabled: true, uploadLimit: 9 },
  ],
  [
    'addAttachment',
    (jira) =>
      jira.addAttachment('10001', {
        filename: 'shot-1a2b.png',
        contentType: 'image/png',
        content: new Uint8Array([137, 80]),
      }),
    'POST /rest/api/3/issue/10001/attachments',
    [{ id: '7', filename: 'shot-1a2b.png', size: 2 }],
  ],
  [
    'registerWebhooks',
    (jira) =>
      jira.registerWebhooks({
        url: 'https://recheck.example/api/integrations/jira/webhook/1',
        webhooks: [
          {
            events: ['jira:issue_updated', 'jira:issue_deleted'],
            jqlFilter: 'project in (ACC, WEB)',
            fieldIdsFilter: ['status', 'resolution'],
          },
        ],
      }),
    'POST /rest/api/3/webhook',
    { webhookRegistrationResult: [{ createdWebhookId: 1000 }] },
  ],
  [
    'listWebhooks',
    (jira) => jira.listWebhooks(),
    'GET /rest/api/3/webhook?startAt=0&maxResults=100',
    {
      values: [{ id: 1000, url: 'https://x', jqlFilter: 'project = ACC', events: [], expirationDate: 1 }],
      isLast: true,
    },
  ],
  [
    'refreshWebhooks',
    (jira) => jira.refreshWebhooks(['1000', '1001']),
    'PUT /rest/api/3/webhook/refresh',
    { expirationDate: '2026-12-22T10:00:00.000+0000' },
  ],
  ['deleteWebhooks', (jira) => jira.deleteWebhooks(['1000']), 'DELETE /rest/api/3/webhook', undefined],
];

let server: OddServer;
beforeAll(async () => {
  server = await startOddServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.received.length = 0;
});

describe("a request, held against Atlassian's description", () => {
  it.each(CALLS)('%s is allowed, and its answer is read', async (_name, call, line, answer) => {
    if (answer === undefined) server.answer((_request, response) => response.writeHead(204).end());
    else server.answerJson(200, answer);
    const { client, requests } = contractClient(server.origin);
    await call(client);
    expect(requests.map(({ method, url }) => `${method} ${url.slice(server.origin.length)}`)).toEqual([line]);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Basic dGVzdDp0b2tlbg==',
      'x-force-accept-language': 'true',
      'accept-language': 'en',
    });
  });

  it('is tried for every method of the client', () => {
    const client = createJiraClient({ connection: { siteUrl: 'https://x', authorization: () => '' }, timeoutMs: 1 });
    expect(CALLS.map(([name]) => name).sort()).toEqual(Object.keys(client).sort());
  });

  it('goes through the gateway under the cloud id where there is one', async () => {
    server.answerJson(200, { accountId: 'a' });
    const { client } = contractClient(server.origin, {
      connection: {
        siteUrl: 'https://acme.atlassian.net',
        cloudId: 'b1e2',
        gatewayUrl: server.origin,
        authorization: async () => 'Bearer t',
      },
    });
    await client.myself();
    expect(server.received[0]).toMatchObject({ path: '/ex/jira/b1e2/rest/api/3/myself' });
  });

  it('carries a file as the part that Jira expects', async () => {
    server.answerJson(200, [{ id: '7', filename: 'ü.png' }]);
    const { client } = contractClient(server.origin);
    await client.addAttachment('1', {
      filename: 'a.png',
      contentType: 'image/png',
      content: new Uint8Array([1, 2, 3]),
    });
    const [request] = server.received;
    expect(request?.headers['x-atlassian-token']).toBe('no-check');
    expect(request?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(request?.body).toContain('name="file"; filename="a.png"');
    expect(request?.body).toContain('\u0001\u0002\u0003');
  });

  it('asks for the credentials each time, so that a fresh token is used', async () => {
    server.answerJson(200, { accountId: 'a' });
    let calls = 0;
    const authorization = () => `Bearer ${++calls}`;
    const { client } = contractClient(server.origin, { connection: { siteUrl: server.origin, authorization } });
    await client.myself();
    await client.myself();
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2']);
  });
});

describe('an answer', () => {
  it('in pages is read to its end', async () => {
    const types = Array.from({ length: 5 }, (_, index) => ({ id: String(index), name: `Type ${index}` }));
    server.answer((request, response) => {
      const startAt = Number(new URL(request.path, server.origin).searchParams.get('startAt'));
      const page = { issueTypes: types.slice(startAt, startAt + 2), total: types.length };
      response.writeHead(200).end(JSON.stringify(page));
    });
    const found = await contractClient(server.origin).client.issueTypes('ACC');
    expect(found.map(({ id }) => id)).toEqual(['0', '1', '2', '3', '4']);
    expect(server.received).toHaveLength(3);
  });

  it('tells whose account, how long and how near to a limit', async () => {
    server.answerJson(
      200,
      { accountId: 'a' },
      {
        'x-aaccountid': 'a',
        'x-ratelimit-nearlimit': 'true',
        'beta-ratelimit-reason': 'jira-quota-global-based',
      },
    );
    const { client, told } = contractClient(server.origin);
    await client.myself();
    expect(told).toEqual([
      {
        operation: 'myself',
        status: 200,
        durationMs: expect.any(Number),
        accountId: 'a',
        nearLimit: true,
        rateLimitReason: undefined,
        announcedReason: 'jira-quota-global-based',
      },
    ]);
  });

  it('comes over connections that all clients share', async () => {
    const fresh = await startOddServer();
    const ports = new Set<number | undefined>();
    fresh.answer((_request, response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(200).end('{"accountId":"a"}');
    });
    for (let call = 0; call < 5; call += 1) await contractClient(fresh.origin).client.myself();
    await fresh.stop();
    // The pool opens a second one where the first is not drained yet.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});
