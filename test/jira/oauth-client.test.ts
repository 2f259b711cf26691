import type { JiraError } from '../../activities/jira/errors';
import type { OddServer } from './odd-server';
import { contractClient, failureOf, startOddServer } from './odd-server';

let server: OddServer;
let denied: JiraError[];
let refused: string[];
beforeAll(async () => {
  server = await startOddServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.received.length = 0;
  denied = [];
  refused = [];
});

/** A client whose token is 1, 2, 3, ... as it is renewed. */
function renewing() {
  let token = 1;
  return contractClient(server.origin, {
    connection: {
      siteUrl: 'https://acme.atlassian.net',
      cloudId: 'b1e2',
      gatewayUrl: server.origin,
      authorization: () => `Bearer ${token}`,
      async renew(old) {
        refused.push(old);
        token += 1;
        return `Bearer ${token}`;
      },
      async onDenied(error) {
        denied.push(error);
      },
    },
  }).client;
}

/** Answers 401 to every token but the given one. */
function takesOnly(token: string, body: object) {
  server.answer((request, response) => {
    const ok = request.headers.authorization === `Bearer ${token}`;
    const unauthorized = { code: 401, message: 'Unauthorized' };
    response.writeHead(ok ? 200 : 401).end(JSON.stringify(ok ? body : unauthorized));
  });
}

const tokens = () => server.received.map(({ headers }) => headers.authorization);

describe('a client of the gateway', () => {
  it('renews the token on a 401 and sends the same read again', async () => {
    takesOnly('2', { accountId: 'a' });
    expect(await renewing().myself()).toMatchObject({ accountId: 'a' });
    expect(tokens()).toEqual(['Bearer 1', 'Bearer 2']);
    expect({ refused, denied }).toEqual({ refused: ['Bearer 1'], denied: [] });
  });

  it('sends a write again too, body and all: a 401 was not executed', async () => {
    takesOnly('2', { id: '1', key: 'A-1' });
    const fields = { project: { id: '1' }, issuetype: { id: '2' }, summary: 's' };
    await renewing().createIssue({ fields });
    expect(server.received.map(({ body }) => JSON.parse(body))).toEqual([{ fields }, { fields }]);
  });

  it('sends an upload again', async () => {
    takesOnly('2', {});
    server.answer((request, response) => {
      const ok = request.headers.authorization === 'Bearer 2';
      response.writeHead(ok ? 200 : 401).end(ok ? '[{"id":"1","filename":"a.txt"}]' : '{}');
    });
    await renewing().addAttachment('1', {
      filename: 'a.txt',
      contentType: 'text/plain',
      content: new Uint8Array([65]),
    });
    expect(server.received.map(({ body }) => body.includes('\r\n\r\nA\r\n'))).toEqual([true, true]);
  });

  it('tries once, then the credentials are denied', async () => {
    takesOnly('none', {});
    expect(await failureOf(renewing().myself())).toMatchObject({ kind: 'auth' });
    expect(tokens()).toEqual(['Bearer 1', 'Bearer 2']);
    expect(denied).toMatchObject([{ kind: 'auth', operation: 'myself' }]);
  });

  it.each([
    ['a missing scope', 401, { code: 401, message: 'Unauthorized; scope does not match' }, 'scope', 1],
    ['a missing permission', 403, {}, 'forbidden', 0],
    ['an unknown site or project', 404, {}, 'not-found', 0],
    ['an outage', 503, {}, 'unavailable', 0],
  ])('does not renew for %s', async (_what, status, body, kind, told) => {
    server.answerJson(status, body);
    expect(await failureOf(renewing().project('ACC'))).toMatchObject({ kind });
    expect(server.received).toHaveLength(1);
    expect({ refused, told: denied.length }).toEqual({ refused: [], told });
  });

  it('names the scope that the call needs', async () => {
    server.answerJson(401, { code: 401, message: 'Unauthorized; scope does not match' });
    expect((await failureOf(renewing().listWebhooks())).message).toContain('manage:jira-webhook');
    expect((await failureOf(renewing().addComment('1', { type: 'doc', version: 1, content: [] }))).message).toContain(
      'write:jira-work',
    );
  });

  it('does not send a write again whose 200 says that nobody was logged in: it may have been done', async () => {
    server.answerJson(200, { id: '1' }, { 'x-seraph-loginreason': 'AUTHENTICATED_FAILED' });
    const call = renewing().addComment('1', { type: 'doc', version: 1, content: [] });
    expect(await failureOf(call)).toMatchObject({ kind: 'auth' });
    expect(server.received).toHaveLength(1);
  });

  it('takes a 404 to the question who it is for a site that is not there any more', async () => {
    server.answerJson(404, { message: 'No message available' });
    expect(await failureOf(renewing().myself())).toMatchObject({ kind: 'auth', status: 404 });
    expect(denied).toHaveLength(1);
  });

  it('throws what Jira said also where that cannot be noted', async () => {
    server.answerJson(401, {});
    const { client } = contractClient(server.origin, {
      connection: {
        siteUrl: server.origin,
        authorization: () => 'Basic x',
        onDenied: () => Promise.reject(new Error('the database is away')),
      },
    });
    expect(await failureOf(client.myself())).toMatchObject({ kind: 'auth' });
  });
});

describe('dynamic webhooks', () => {
  it('are registered entry by entry: a rejection comes inside a 200', async () => {
    const webhook = { events: ['jira:issue_updated' as const], jqlFilter: 'project in (ACC)' };
    server.answerJson(200, {
      webhookRegistrationResult: [{ createdWebhookId: 7 }, { errors: ['The clause is not supported.'] }, {}],
    });
    expect(await renewing().registerWebhooks({ url: 'https://x/1', webhooks: [webhook, webhook, webhook] })).toEqual([
      { id: '7' },
      { errors: ['The clause is not supported.'] },
      { errors: [expect.any(String)] },
    ]);
  });

  it.each([
    ['a text', '2026-12-22T10:00:00.000+0000'],
    ['a number', Date.UTC(2026, 11, 22, 10)],
  ])('end at a moment that comes as %s', async (_what, expirationDate) => {
    server.answerJson(200, { expirationDate });
    expect(await renewing().refreshWebhooks(['1'])).toEqual(new Date('2026-12-22T10:00:00Z'));
  });

  it('are not for API tokens', async () => {
    server.answerJson(403, { errorMessages: ['The caller is not an app.'] });
    expect(await failureOf(renewing().listWebhooks())).toMatchObject({ kind: 'forbidden' });
  });
});
