import type { LocalFile } from '../../../local/local-file';

export interface Clients {
  /** Recheck's HTTP API; a string is sent as it is. */
  api<T>(method: string, path: string, body?: object | string): Promise<T>;
  /** Jira's REST API as a person. */
  jira<T>(method: string, path: string, body?: object): Promise<T>;
}

/** What drives Recheck from outside. An answer that is no success throws. */
export function createClients({ baseUrl, apiKey, jiraUrl, jiraEmail, jiraApiToken }: LocalFile): Clients {
  const basic = Buffer.from(`${jiraEmail}:${jiraApiToken}`).toString('base64');
  const caller = (base: string, authorization: string) =>
    async function ask<T>(method: string, path: string, body?: object | string): Promise<T> {
      const response = await fetch(base + path, {
        method,
        headers: { authorization, ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
      return (text ? JSON.parse(text) : null) as T;
    };
  return { api: caller(`${baseUrl}/api/v1`, `Bearer ${apiKey}`), jira: caller(jiraUrl, `Basic ${basic}`) };
}

/** A JUnit report with so many failing tests. */
export function failingTests(count: number): string {
  const cases = Array.from({ length: count }, (_, n) => {
    const failure = '<failure message="expected 200, got 500">at checkout.test.js:12</failure>';
    return `<testcase classname="Checkout" name="step ${n}" time="0.1">${failure}</testcase>`;
  });
  const timestamp = new Date().toISOString();
  return `<testsuites><testsuite name="checkout" timestamp="${timestamp}">${cases.join('')}</testsuite></testsuites>`;
}

/** Makes `count` findings in a source of their own, ready to be pushed; answers their names, `F-1` and so on. */
export async function makeFindings(clients: Clients, local: LocalFile, count: number): Promise<string[]> {
  const source = benchSource;
  const { connectionId, jiraProject } = local;
  const rule = { enabled: true, projectKey: jiraProject };
  await clients.api('POST', '/sources', { key: source, name: source, kind: 'suite', connection: connectionId, rule });
  await clients.api('POST', `/sources/${source}/reports`, failingTests(count));
  const names: string[] = [];
  let cursor = '';
  do {
    const page = await clients.api<{ items: { id: string }[]; nextCursor: string | null }>(
      'GET',
      `/findings?source=${source}&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    names.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? '';
  } while (cursor);
  return names;
}

/** The source that the findings of benchmarks belong to. */
export const benchSource = 'bench';
