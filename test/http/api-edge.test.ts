import { gzipSync } from 'node:zlib';
import { ReportError } from '../../api/ingest/report-error';
import { spoolReport } from '../../api/ingest/spool';
import { Refusal } from '../../api/operations/refusal';
import type { Operations, PushView, ReportUpload, SessionView } from '../../api/operations/types';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { appOf, ask, listen } from './support';

const push: PushView = { id: '0b9a8c0e-5a4f-4a7e-9d53-1d3c8f8f0c11', status: 'running', items: [] };
const session: SessionView = {
  id: push.id,
  source: 'shop',
  suite: null,
  status: 'planned',
  verifier: 'person',
  cases: [],
};
const empty = { items: [], nextCursor: null };

/** An app over these operations for the length of one test. */
async function withApp(
  given: Partial<Operations>,
  work: (url: string) => Promise<void>,
  deps: Parameters<typeof appOf>[1] = {},
) {
  const server = await listen(appOf(given, deps));
  try {
    await work(server.url);
  } finally {
    await server.close();
  }
}

describe('who may ask', () => {
  it('answers 401 as problem+json without a key and with an unknown one, and says what to do', async () => {
    await withApp({ listSources: async () => empty }, async (url) => {
      for (const authorization of ['', 'Basic abc', 'Bearer', 'Bearer wrong']) {
        const answer = await ask(url, 'GET /api/v1/sources', undefined, { authorization });
        expect(answer.status).toBe(401);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'code']));
      }
      expect((await ask(url, 'GET /api/v1/sources')).status).toBe(200);
    });
  });

  it('limits each key by itself and says when to come again', async () => {
    await withApp(
      { listSources: async () => empty },
      async (url) => {
        const statuses: number[] = [];
        for (let n = 0; n < 4; n++) statuses.push((await ask(url, 'GET /api/v1/sources')).status);
        expect(statuses).toEqual([200, 200, 200, 429]);
        const limited = await ask(url, 'GET /api/v1/sources');
        expect(limited.body).toMatchObject({ status: 429, code: 'rate_limited' });
        expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(limited.headers.get('ratelimit')).toBeTruthy();
        expect((await ask(url, 'GET /api/v1/sources', undefined, { authorization: 'Bearer other' })).status).toBe(200);
      },
      { requestsPerMinute: 3 },
    );
  });
});

describe('what is wrong with a request', () => {
  const fields = async (url: string, call: string, body: unknown) => {
    const answer = await ask(url, call, body);
    expect(answer.status).toBe(400);
    return answer.body.errors as { field: string; message: string }[];
  };

  it('names each field with cause and cure, and never a value', async () => {
    await withApp({}, async (url) => {
      expect(await fields(url, 'POST /api/v1/sources', { key: 'a b', kind: 'page', typo: 1 })).toEqual([
        { field: 'key', message: expect.stringContaining('letters, digits') },
        { field: 'name', message: 'This field is missing. Give a string.' },
        { field: 'kind', message: 'This must be one of "site", "suite".' },
        { field: 'typo', message: expect.stringContaining('not known') },
      ]);
      const connection = {
        siteUrl: 'https://x.atlassian.net',
        email: 'nobody',
        apiToken: ['hunter2'],
        projectKey: 'A',
      };
      const answer = await ask(url, 'POST /api/v1/connections', connection);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|nobody/);
    });
  });

  it.each([
    ['an unknown key inside a rule', 'PUT /api/v1/sources/a/rule', { approval: { bulkOver: 5, x: 1 } }, ['approval.x']],
    [
      'a word that is not in the set',
      'PUT /api/v1/sources/a/rule',
      { severities: ['critical', 'huge'] },
      ['severities[1]'],
    ],
    [
      'a severity that no priority can have',
      'PUT /api/v1/sources/a/rule',
      { priorities: { huge: 'High' } },
      ['priorities.huge'],
    ],
    ['a label with a space', 'PUT /api/v1/sources/a/rule', { labels: ['a b'] }, ['labels[0]']],
    ['a finding that is not one', 'POST /api/v1/pushes', { source: 'a', findings: ['F-1', 'X'] }, ['findings[1]']],
    ['neither all nor a list', 'POST /api/v1/pushes', { source: 'a', findings: 'some' }, ['findings']],
    ['no findings', 'POST /api/v1/sessions', { source: 'a', findings: [] }, ['findings']],
    [
      'a verdict that people cannot give',
      `POST /api/v1/sessions/${push.id}/verdicts`,
      [{ finding: 'F-1', verdict: 'withdrawn' }],
      ['[0].verdict'],
    ],
    ['an object for a list', `POST /api/v1/sessions/${push.id}/verdicts`, {}, ['']],
    ['a key that is no issue', 'POST /api/v1/findings/F-1/link', { jiraKey: 'ACC' }, ['jiraKey']],
    ['no body', 'POST /api/v1/members', undefined, ['name', 'role']],
  ])('says where: %s', async (_what, call, body, where) => {
    await withApp({}, async (url) => {
      expect((await fields(url, call, body)).map(({ field }) => field)).toEqual(where);
    });
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=1000', 'limit'],
    ['limit=ten', 'limit'],
    ['status=done', 'status'],
    ['stauts=open', 'stauts'],
  ])('refuses the query %s', async (query, field) => {
    await withApp({}, async (url) => {
      const errors = await fields(url, `GET /api/v1/findings?${query}`, undefined);
      expect(errors.map((error) => error.field)).toEqual([field]);
    });
  });

  it('answers 404 for an address that can name nothing, and for one that is not there', async () => {
    await withApp({}, async (url) => {
      expect(await ask(url, 'GET /api/v1/findings/12')).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect((await ask(url, 'GET /api/v1/pushes/1')).status).toBe(404);
      expect((await ask(url, 'GET /api/v1/nothing')).status).toBe(404);
      const outside = await ask(url, 'GET /nothing');
      expect(outside).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect((await ask(url, 'GET /api/v1/findings/%E0%A4%A')).status).toBe(400);
    });
  });

  it('tells broken JSON, other content types and large bodies apart', async () => {
    await withApp({}, async (url) => {
      const json = { 'content-type': 'application/json' };
      const call = 'POST /api/v1/sources';
      expect(await ask(url, call, '{"key":', json)).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
      expect(await ask(url, call, 'key=a', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
        status: 415,
        body: { code: 'not_json' },
      });
      const large = `{"name":"${'x'.repeat(1_200_000)}"}`;
      expect(await ask(url, call, large, json)).toMatchObject({ status: 413, body: { code: 'too_large' } });
    });
  });
});

describe('what operations say', () => {
  it('answers a refusal with its status, code and message', async () => {
    const refuse = async () => {
      throw new Refusal('forbidden', 'not_an_admin', 'Only admins approve. Ask an owner.');
    };
    await withApp({ decidePush: refuse }, async (url) => {
      const answer = await ask(url, `POST /api/v1/pushes/${push.id}/approve`);
      expect(answer).toMatchObject({
        status: 403,
        body: { status: 403, code: 'not_an_admin', detail: 'Only admins approve. Ask an owner.', title: 'Not allowed' },
      });
    });
  });

  it('answers what is not expected with 500 and a reference, and shows nothing of the inside', async () => {
    const fail = async () => {
      throw new Error('password=hunter2 at db.internal');
    };
    await withApp({ listSources: fail }, async (url) => {
      const answer = await ask(url, 'GET /api/v1/sources');
      expect(answer).toMatchObject({
        status: 500,
        body: { code: 'internal', reference: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|db\.internal/);
    });
  });
});

describe('calls and their statuses', () => {
  const source = {
    key: 'shop',
    name: 'Shop',
    kind: 'site' as const,
    connection: null,
    rule: defaultRule,
    warnings: [],
  };

  it('adds a source and changes its rule', async () => {
    const changes: unknown[] = [];
    const given: Partial<Operations> = {
      createSource: async (_caller, asked) => ({ ...source, key: asked.key }),
      putRule: async (_caller, _key, change) => {
        changes.push(change);
        return {
          ...defaultRule,
          connection: null,
          enabled: change.enabled ?? false,
          warnings: [],
          autoPushSince: null,
        };
      },
    };
    await withApp(given, async (url) => {
      const made = await ask(url, 'POST /api/v1/sources', {
        key: 'shop',
        name: 'Shop',
        kind: 'site',
        rule: { enabled: true },
      });
      expect(made).toMatchObject({ status: 201, body: { key: 'shop' } });
      expect(
        (await ask(url, 'PUT /api/v1/sources/shop/rule', { enabled: true, approval: { bulkOver: 10 } })).status,
      ).toBe(200);
      expect(changes).toEqual([{ enabled: true, approval: { bulkOver: 10 } }]);
    });
  });

  it('starts a push with 202, previews with 200, and passes the key of the request on', async () => {
    const asked: unknown[] = [];
    const given: Partial<Operations> = {
      push: async (_caller, request) => {
        asked.push(request);
        return push;
      },
      previewPush: async () => ({ create: ['F-1'], reuse: [], refuse: [] }),
      decidePush: async (_caller, _id, decision, note) => {
        asked.push([decision, note]);
        return push;
      },
    };
    await withApp(given, async (url) => {
      const body = { source: 'shop', findings: ['f-1'] };
      expect((await ask(url, 'POST /api/v1/pushes', body, { 'idempotency-key': 'again' })).status).toBe(202);
      const preview = await ask(url, 'POST /api/v1/pushes', { ...body, dryRun: true });
      expect(preview).toMatchObject({ status: 200, body: { create: ['F-1'] } });
      expect((await ask(url, `POST /api/v1/pushes/${push.id}/retry`)).status).toBe(200);
      expect((await ask(url, `POST /api/v1/pushes/${push.id}/cancel`, { note: 'no' })).status).toBe(200);
      expect(asked).toEqual([
        { source: 'shop', findings: ['F-1'], requestId: 'again' },
        ['retry', undefined],
        ['cancel', 'no'],
      ]);
    });
  });

  it('plans, starts and judges a session', async () => {
    const given: Partial<Operations> = {
      createSession: async () => session,
      startSession: async () => ({ ...session, status: 'in_progress' }),
      giveVerdicts: async (_caller, _id, verdicts) => ({
        ...session,
        cases: verdicts.map(({ finding, verdict }) => ({ finding, claim: 1, verdict })),
      }),
    };
    await withApp(given, async (url) => {
      expect((await ask(url, 'POST /api/v1/sessions', { source: 'shop', findings: ['F-1'] })).status).toBe(201);
      expect((await ask(url, `POST /api/v1/sessions/${session.id}/start`)).body.status).toBe('in_progress');
      const verdict = await ask(url, `POST /api/v1/sessions/${session.id}/verdicts`, [
        { finding: 'F-1', verdict: 'pass' },
      ]);
      expect(verdict.body.cases).toEqual([{ finding: 'F-1', claim: 1, verdict: 'pass' }]);
    });
  });

  it('starts a sync with 202 and deletes with 204', async () => {
    const given: Partial<Operations> = {
      syncConnection: async () => undefined,
      deleteConnection: async () => undefined,
      removeMember: async () => undefined,
      revokeApiKey: async () => undefined,
    };
    await withApp(given, async (url) => {
      expect((await ask(url, `POST /api/v1/connections/${push.id}/sync`)).status).toBe(202);
      for (const list of ['connections', 'members', 'api-keys']) {
        expect((await ask(url, `DELETE /api/v1/${list}/${push.id}`)).status).toBe(204);
      }
    });
  });
});

describe('a report', () => {
  const counts = { new: 1, seen: 0, regressed: 0, absent: 0 };
  const view = { report: 'r-1', format: 'axe', findings: counts };

  function ingest(limitBytes = 100_000_000) {
    const uploads: (Omit<ReportUpload, 'body'> & { size: number })[] = [];
    const given: Partial<Operations> = {
      ingestReport: async (_caller, _key, { body, ...rest }) => {
        const spooled = await spoolReport(body, { limitBytes, gzip: rest.gzip });
        await spooled.dispose();
        uploads.push({ ...rest, size: spooled.size });
        return { repeated: rest.idempotencyKey === 'again', report: view };
      },
    };
    return { given, uploads };
  }

  it('is taken raw, whatever its content type, with what the request says about it', async () => {
    const { given, uploads } = ingest();
    await withApp(given, async (url) => {
      const call = 'POST /api/v1/sources/shop/reports';
      for (const type of [
        'application/json',
        'application/x-www-form-urlencoded',
        'text/xml',
        'application/octet-stream',
      ]) {
        expect((await ask(url, call, '{"a":1}', { 'content-type': type })).status).toBe(201);
      }
      const packed = gzipSync(Buffer.from('x'.repeat(5_000)));
      const query = '?scope=partial&startedAt=2026-01-31T10:30:00%2B01:00';
      const again = await ask(url, call + query, packed, { 'content-encoding': 'gzip', 'idempotency-key': 'again' });
      expect(again).toMatchObject({ status: 200, body: view });
      expect(uploads.map(({ size }) => size)).toEqual([7, 7, 7, 7, 5_000]);
      const startedAt = new Date('2026-01-31T09:30:00Z');
      expect(uploads.at(-1)).toMatchObject({ gzip: true, idempotencyKey: 'again', scope: 'partial', startedAt });
    });
  });

  it('over the limit is answered with 413, though most of it was still to come', async () => {
    const { given } = ingest(1_000);
    await withApp(given, async (url) => {
      const answer = await ask(url, 'POST /api/v1/sources/shop/reports', 'x'.repeat(20_000_000));
      expect(answer).toMatchObject({ status: 413, body: { code: 'too_large' } });
    });
  });

  it('that is refused before it is read is answered too', async () => {
    const refuse = async () => {
      throw new Refusal('not_found', 'unknown_source', 'There is no source "shop". Add it first.');
    };
    await withApp({ ingestReport: refuse }, async (url) => {
      const answer = await ask(url, 'POST /api/v1/sources/shop/reports', 'x'.repeat(20_000_000));
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_source' } });
    });
  });

  it('that is broken is a 400 with the reason', async () => {
    const given: Partial<Operations> = {
      ingestReport: async () => {
        throw new ReportError('invalid_xml', 'The XML ends inside <testcase>. Send the whole file.');
      },
    };
    await withApp(given, async (url) => {
      expect(await ask(url, 'POST /api/v1/sources/shop/reports', '<testsuite><testcase')).toMatchObject({
        status: 400,
        body: { code: 'invalid_xml', detail: 'The XML ends inside <testcase>. Send the whole file.' },
      });
    });
  });

  it('in an unknown encoding is answered with 415 and what to do', async () => {
    await withApp(ingest().given, async (url) => {
      const call = 'POST /api/v1/sources/shop/reports';
      expect((await ask(url, call, 'x', { 'content-encoding': 'br' })).body.code).toBe('unsupported_encoding');
      expect((await ask(url, `${call}?startedAt=yesterday`, 'x')).status).toBe(400);
    });
  });
});
