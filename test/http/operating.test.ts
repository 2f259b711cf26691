import { Writable } from 'node:stream';
import Ajv2020 from 'ajv/dist/2020';
import express from 'express';
import { createReadiness } from '../../api/health';
import { createLogger } from '../../api/log';
import { createMetrics } from '../../api/metrics';
import { openApiDocument } from '../../api/openapi';
import { routes } from '../../api/routes';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { appOf, ask, listen } from './support';

/** Every call that other programs may rely on. */
const promised = `
  get,post /api/v1/sources
  get,put /api/v1/sources/{key}/rule
  get /api/v1/sources/{key}/rule/form
  post /api/v1/sources/{key}/rule/preview
  post /api/v1/sources/{key}/reports
  get /api/v1/findings
  get /api/v1/findings/{id}
  get /api/v1/evidence/{id}
  get,post /api/v1/pushes
  get /api/v1/sources/{key}/choices
  get /api/v1/pushes/{id}
  post /api/v1/pushes/{id}/approve
  post /api/v1/pushes/{id}/reject
  post /api/v1/pushes/{id}/cancel
  post /api/v1/pushes/{id}/retry
  post,delete /api/v1/findings/{id}/link
  post /api/v1/findings/{id}/missing
  get /api/v1/verification
  post /api/v1/sessions
  post /api/v1/sessions/{id}/start
  post /api/v1/sessions/{id}/cancel
  get /api/v1/sessions/{id}
  post /api/v1/sessions/{id}/verdicts
  post /api/v1/sessions/{id}/reports
  get,post /api/v1/connections
  post /api/v1/connections/{id}/test
  post /api/v1/connections/{id}/sync
  put,delete /api/v1/connections/{id}
  post /api/v1/connections/{id}/reconnect
  get,put /api/v1/connections/{id}/mapping/{projectKey}
  get,post /api/v1/members
  delete /api/v1/members/{id}
  get,post /api/v1/api-keys
  delete /api/v1/api-keys/{id}
  post /api/integrations/jira/webhook
  post /api/integrations/jira/webhook/{id}
  post /slack/events
  get /healthz
  get /readyz
  get /metrics
  get /docs
  get /openapi.json`
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [methods = '', path = ''] = line.trim().split(' ');
    return methods.split(',').map((method) => `${method} ${path}`);
  });

describe('the OpenAPI document', () => {
  const document = openApiDocument({ routes, baseUrl: 'https://recheck.example' });
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  );

  it('holds exactly the promised calls', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...promised].sort());
  });

  it('is of version 3.1 and names every operation once', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of operations) expect(operation.responses).toBeDefined();
  });

  it('describes each name in a path, and each as required', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = (operation.parameters ?? []) as { name: string; in: string; required: boolean }[];
      const described = parameters.filter((parameter) => parameter.in === 'path');
      expect(described.map(({ name }) => name)).toEqual(named);
      expect(described.every(({ required }) => required)).toBe(true);
    }
  });

  it('refers only to schemas that it holds, and each is valid JSON Schema 2020-12', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
    const held = Object.keys(document.components.schemas).map((id) => `#/components/schemas/${id}`);
    expect(held).toEqual(expect.arrayContaining(references));
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'https://recheck.example/openapi', ...document });
    for (const id of Object.keys(document.components.schemas)) {
      expect(ajv.getSchema(`https://recheck.example/openapi#/components/schemas/${id}`)).toBeDefined();
    }
    const ofRule = ajv.getSchema('https://recheck.example/openapi#/components/schemas/SyncRule');
    expect(ofRule?.(defaultRule)).toBe(true);
    const ofPush = ajv.getSchema('https://recheck.example/openapi#/components/schemas/PushRequest');
    expect(ofPush?.({ source: 'shop', findings: 'all' })).toBe(true);
    expect(ofPush?.({ source: 'shop', findings: 'all', typo: 1 })).toBe(false);
  });

  it('is served with a page that its own security policy lets work', async () => {
    const server = await listen(appOf({}));
    try {
      const served = await ask(server.url, 'GET /openapi.json');
      expect(served.body.openapi).toBe(document.openapi);
      const page = await fetch(`${server.url}/docs`);
      expect(page.status).toBe(200);
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('upgrade-insecure-requests');
      const html = await page.text();
      expect(html.match(/<script(?![^>]*\bsrc=)[^>]*>/)).toBeNull();
      const scripts = [...html.matchAll(/<script src="([^"]+)"/g)].map((match) => match[1] ?? '');
      expect(scripts).toHaveLength(3);
      for (const script of scripts) {
        const answer = await fetch(new URL(script, page.url));
        expect([script, answer.status]).toEqual([script, 200]);
        expect(answer.headers.get('content-type')).toContain('javascript');
      }
    } finally {
      await server.close();
    }
  });
});

describe('health', () => {
  it.each([
    ['everything answers', async () => 'ok', 'ok', 200],
    ['something is down', async () => 'is away', 'is away', 503],
    [
      'a check fails',
      async () => Promise.reject(new Error('postgresql://user:hunter2@db')),
      'the check itself failed',
      503,
    ],
    [
      'nothing is said',
      () => new Promise<string>(() => undefined),
      'does not answer within 1 ms: start it, or correct TEMPORAL_ADDRESS',
      503,
    ],
  ])('answers readiness by what is, each for itself: %s', async (_what, ask_, said, status) => {
    const checks = {
      postgresql: { ask: async () => 'ok', variable: 'DATABASE_URL' },
      temporal: { ask: ask_, variable: 'TEMPORAL_ADDRESS' },
    };
    const server = await listen(appOf({}, { ready: createReadiness(checks, 1) }));
    try {
      const answer = await ask(server.url, 'GET /readyz');
      expect(answer.status).toBe(status);
      expect(answer.body.ok).toBe(status === 200);
      expect(answer.body.checks).toEqual({ postgresql: 'ok', temporal: said });
      expect((await ask(server.url, 'GET /healthz')).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});

describe('metrics', () => {
  it('count requests by route, deliveries by state, and what was added', async () => {
    const deliveries = {
      insert: async () => 'ignored' as const,
      noteWebhook: async () => undefined,
      countByState: async () => ({ pending: 3, untracked: 0, ignored: 0, processed: 9 }),
    };
    const metrics = createMetrics({ deliveries });
    metrics.addGauge({ name: 'recheck_cards_dirty', help: 'Cards that wait', read: async () => 7 });
    metrics.addGauge({
      name: 'recheck_broken',
      help: 'Cannot be read',
      read: async () => Promise.reject(new Error('no')),
    });
    const server = await listen(
      appOf({ listFindings: async () => ({ items: [], nextCursor: null }) }, { deliveries, metrics }),
    );
    try {
      await ask(server.url, 'GET /api/v1/findings?limit=3');
      await ask(server.url, 'GET /api/v1/findings/nonsense');
      await ask(server.url, 'POST /api/integrations/jira/webhook');
      const { text } = (await ask(server.url, 'GET /metrics')).body;
      expect(text).toContain(
        'recheck_http_request_duration_seconds_count{method="GET",route="/api/v1/findings",status="200"} 1',
      );
      expect(text).toContain('route="/api/v1/findings/:id",status="404"');
      expect(text).toContain('recheck_jira_deliveries{state="pending"} 3');
      expect(text).toContain('recheck_jira_deliveries_total{result="400"} 1');
      expect(text).toContain('recheck_cards_dirty 7');
      expect(text).toContain('process_cpu_seconds_total');
    } finally {
      await server.close();
    }
  });
});

describe('the log', () => {
  function written() {
    const lines: string[] = [];
    const destination = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    return { lines, log: createLogger({ level: 'info', name: 'api', destination }) };
  }

  it('has no secrets, wherever they hang', () => {
    const { lines, log } = written();
    const error = Object.assign(new Error('it failed'), {
      config: { headers: { Authorization: 'hunter2' } },
      code: 'E1',
    });
    log.info({ authorization: 'hunter2', apiToken: 'hunter2', connection: { apiToken: 'hunter2', id: 1 } }, 'one');
    log.info(
      { req: { headers: { cookie: 'hunter2', 'x-hub-signature': 'hunter2', 'x-slack-signature': 'hunter2' } } },
      'two',
    );
    log.error({ err: error }, 'three');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines[2]).toContain('it failed');
    expect(lines[2]).toContain('E1');
  });

  it('has a line per request, without query, key or body', async () => {
    const { lines, log } = written();
    const app = appOf({ listFindings: async () => ({ items: [], nextCursor: null }) }, { log });
    const server = await listen(app);
    try {
      await ask(server.url, 'GET /api/v1/findings?cursor=hunter2');
      await ask(server.url, 'GET /healthz');
    } finally {
      await server.close();
    }
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      name: 'api',
      req: { method: 'GET', path: '/api/v1/findings' },
      res: { status: 200 },
    });
    expect(lines.join('')).not.toMatch(/hunter2|Bearer|good/);
  });

  it('holds the reference that a 500 was answered with', async () => {
    const { lines, log } = written();
    const fail = async () => Promise.reject(new Error('the inside'));
    const server = await listen(appOf({ listFindings: fail }, { log }));
    try {
      const { reference } = (await ask(server.url, 'GET /api/v1/findings')).body;
      const entry = lines.map((line) => JSON.parse(line)).find((line) => line.reference === reference);
      expect(entry).toMatchObject({ err: { message: 'the inside' }, path: '/api/v1/findings' });
    } finally {
      await server.close();
    }
  });
});

describe("Slack's routes", () => {
  it('see the raw body, because they stand before what parses it', async () => {
    const mountSlack = (app: express.Express) => {
      app.post('/slack/events', express.raw({ type: () => true }), (req, res) => {
        res.send(req.body.toString());
      });
    };
    const server = await listen(appOf({}, { mountSlack }));
    try {
      const body = 'command=%2Frecheck&text=help';
      const answer = await ask(server.url, 'POST /slack/events', body, {
        'content-type': 'application/x-www-form-urlencoded',
      });
      expect(answer).toMatchObject({ status: 200, body: { text: body } });
    } finally {
      await server.close();
    }
  });
});
