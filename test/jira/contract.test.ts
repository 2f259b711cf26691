import { FormData } from 'undici';
import { assertAnswerMatchesOpenApi, assertMatchesOpenApi } from '../support/jira-contract';

const SITE = 'https://acme.atlassian.net/rest/api/3';
const JSON_HEADERS = { 'content-type': 'application/json' };

function get(path: string) {
  return { method: 'GET', url: `${SITE}${path}`, headers: {}, body: undefined };
}

function post(path: string, body: unknown, headers: Record<string, string> = JSON_HEADERS) {
  return { method: 'POST', url: `${SITE}${path}`, headers, body: JSON.stringify(body) };
}

describe("Atlassian's description, as the tests use it", () => {
  it.each([
    ['a fixed word before a variable', post('/issue/bulkfetch', { issueIdsOrKeys: ['1'] }), 'bulkFetchIssues'],
    ['a variable', get('/issue/ACC-1?fields=status,resolution'), 'getIssue'],
    ['the gateway', { ...get(''), url: 'https://api.atlassian.com/ex/jira/b1/rest/api/3/myself' }, 'getCurrentUser'],
  ])('knows %s', (_what, request, operation) => {
    expect(assertMatchesOpenApi(request)).toBe(operation);
  });

  it.each([
    ['a call that was removed', get('/search?jql=x'), 'no call'],
    ['a method that does not exist', { ...get('/myself'), method: 'PATCH' }, 'no call'],
    ['an unknown query parameter', get('/myself?who=me'), 'query parameter who is not known'],
    ['a query parameter of the wrong type', get('/project/search?startAt=first'), 'startAt'],
    ['a missing query parameter', get('/statuses'), 'query parameter id is missing'],
    ['a body of the wrong form', post('/search/jql', { jql: 'x', startAt: 0 }), 'must NOT have additional properties'],
    ['a missing property', post('/issue/bulkfetch', { fields: ['status'] }), 'issueIdsOrKeys'],
    ['a wrong type inside', post('/issue', { properties: [{ key: 1 }] }), 'must be string'],
    ['another content type', post('/issue', {}, { 'content-type': 'text/plain' }), 'content type text/plain'],
    ['a body where none belongs', { ...get('/myself'), body: '{}' }, 'a body is sent'],
    ['an upload without the header', { ...post('/issue/1/attachments', {}), body: new FormData() }, 'no-check'],
  ])('catches %s', (_what, request, message) => {
    expect(() => assertMatchesOpenApi(request)).toThrow(message);
  });

  it('judges answers, and allows fields that it does not know', () => {
    const answer = { method: 'POST', path: '/rest/api/3/issue', status: 201 };
    assertAnswerMatchesOpenApi({ ...answer, body: { id: '1', key: 'A-1', self: 'https://x', isNew: true } });
    expect(() => assertAnswerMatchesOpenApi({ ...answer, body: { id: 1 } })).toThrow('id must be string');
    expect(() => assertAnswerMatchesOpenApi({ ...answer, status: 299, body: {} })).toThrow('299');
  });
});
