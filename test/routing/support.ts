// Reports of a site as axe writes them, and what the tests of routing ask of a stack.

import { randomUUID } from 'node:crypto';
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

/** Per page, the rules that were broken and on which elements; `passed` are the rules that ran well there. */
export type PageFindings = { url: string; broken: { [rule: string]: string[] }; passed?: string[] };

/** An axe report over several pages, in the form of the command line tool. */
export function axeReport(pages: readonly PageFindings[]): object[] {
  return pages.map(({ url, broken, passed = [] }) => ({
    testEngine: { name: 'axe-core', version: '4.10.2' },
    testRunner: { name: 'axe' },
    url,
    timestamp: new Date().toISOString(),
    violations: Object.entries(broken).map(([id, elements]) => ({
      ...{ id, impact: 'serious', tags: ['wcag2a', 'wcag111'], description: `Ensures ${id}`, help: `About ${id}` },
      helpUrl: `https://dequeuniversity.com/rules/axe/4.10/${id}`,
      nodes: elements.map((target) => ({
        ...{ any: [], all: [], none: [], impact: 'serious', html: `<b id="${target}">` },
        target: [target],
        failureSummary: 'Fix it.',
      })),
    })),
    passes: passed.map((id) => ({
      ...{ id, impact: null, tags: [], description: id, help: id, helpUrl: `https://dequeuniversity.com/${id}` },
      nodes: [{ any: [], all: [], none: [], impact: null, html: '<i>', target: ['i'] }],
    })),
    ...{ incomplete: [], inapplicable: [] },
  }));
}

/** What the tests of routing do, on one stack. */
export function createRouting(stack: Stack) {
  const { api, sandbox } = stack;
  let sources = 0;

  /** An enabled source into ACC, unless the rule says otherwise; answers its key. */
  async function source(rule: object = {}, kind: 'site' | 'suite' = 'site'): Promise<string> {
    sources += 1;
    const key = `routing-${sources}`;
    const { connectionId: connection, jiraProject: projectKey } = stack.local;
    await must(
      api('POST', '/api/v1/sources', {
        key,
        name: key,
        kind,
        connection,
        rule: { enabled: true, projectKey, ...rule },
      }),
    );
    return key;
  }
  const scan = (to: string, pages: readonly PageFindings[]) =>
    must(api('POST', `/api/v1/sources/${to}/reports`, axeReport(pages), { 'idempotency-key': randomUUID() }));
  const findings = async (of: string): Promise<{ id: string; rule: string; status: string; jira: unknown }[]> =>
    (await must(api('GET', `/api/v1/findings?source=${of}&limit=200`))).items;
  const finding = (id: string) => must(api('GET', `/api/v1/findings/${id}`));
  const settings = (project: string, change: object) => must(sandbox('PUT', `/projects/${project}`, change));
  const rule = (of: string, change: object) => api('PUT', `/api/v1/sources/${of}/rule`, change);

  /** A push as it ends; throws where an item has not become an issue. */
  async function pushed(from: string, what: string[] | 'all' = 'all'): Promise<string[]> {
    const { id } = await must(api('POST', '/api/v1/pushes', { source: from, findings: what }));
    const push = await until(
      async () => {
        const found = await must(api('GET', `/api/v1/pushes/${id}`));
        return found.status === 'completed' ? found : null;
      },
      { seconds: 60, what: `the end of push ${id}` },
    );
    return (push.items as { jiraKey?: string }[]).map(({ jiraKey }) => {
      if (!jiraKey) throw new Error(`Not pushed: ${JSON.stringify(push)}`);
      return jiraKey;
    });
  }
  const issue = (key: string) => must(stack.jira('GET', `/rest/api/3/issue/${key}`));

  /** The issues in Jira that carry a label, counted there. */
  const labelled = async (label: string): Promise<{ id: string; key: string }[]> =>
    (await must(sandbox('GET', `/issues?marker=${label}`))).issues;

  type BatchRow = { id: string; status: string; kind: string; waiting: number; total: number };
  /** The pushes of a source, oldest first, with the number of items and of those that are under way. */
  async function batches(of: string): Promise<BatchRow[]> {
    const { rows } = await stack.db.query<BatchRow>(
      `select b.id, b.status, b.kind, count(*)::int as total,
         count(*) filter (where i.outcome in ('pending', 'held'))::int as waiting
       from push_batch b join push_item i on i.batch_id = b.id join source s on s.id = b.source_id
       where s.key = $1 group by b.id order by b.created_at`,
      [of],
    );
    return rows;
  }

  /** Waits until nothing of a source's pushes is under way. A report has begun its push when it is answered. */
  const settled = (of: string): Promise<BatchRow[]> =>
    until(
      async () => {
        const rows = await batches(of);
        if (rows.some(({ waiting }) => waiting > 0)) throw new Error(JSON.stringify(rows));
        return rows;
      },
      { seconds: 90, what: `the end of every push of ${of}` },
    );

  return { source, scan, findings, finding, settings, rule, pushed, issue, labelled, batches, settled };
}
