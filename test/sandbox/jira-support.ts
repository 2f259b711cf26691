import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JiraSandbox, type JiraSandboxOptions, startJiraSandbox } from '../../local/sandbox/jira/server';
import { createDatabase } from '../support/database';

export interface Answered {
  status: number;
  headers: Headers;
  // Answers are what the tests are about, so their shape is looked at by expectations and not by the compiler.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

export type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answered>;

export interface SandboxUnderTest {
  sandbox: JiraSandbox;
  databaseUrl: string;
  bot: Client;
  person: Client;
  anonymous: Client;
  stop(): Promise<void>;
}

/** Starts the sandbox's Jira on a database of its own, with callers for its two accounts. */
export async function startUnderTest(options: Partial<JiraSandboxOptions> = {}): Promise<SandboxUnderTest> {
  const database = await createDatabase();
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const sandbox = await startJiraSandbox({ databaseUrl: database.url, port: 0, onError, ...options });
  return {
    sandbox,
    databaseUrl: database.url,
    bot: client(sandbox.url, sandbox.accounts.bot),
    person: client(sandbox.url, sandbox.accounts.person),
    anonymous: client(sandbox.url),
    async stop() {
      await sandbox.stop();
      await database.drop();
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** Calls a sandbox as an account, or as nobody. */
export function client(url: string, account?: { email: string; apiToken: string }): Client {
  const login = account && `Basic ${Buffer.from(`${account.email}:${account.apiToken}`).toString('base64')}`;
  return async (method, path, body, headers = {}) => {
    const isForm = body instanceof FormData;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(login ? { authorization: login } : {}),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : isForm ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
}

/** A description of one paragraph. */
export function paragraph(text: string) {
  return { version: 1, type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text }] }] };
}

/** The smallest body that makes an issue. */
export function issueBody(fields: Record<string, unknown> = {}) {
  return { fields: { project: { key: 'ACC' }, issuetype: { id: '10004' }, summary: 'Images need a text', ...fields } };
}

export interface Delivered {
  url: string;
  headers: Record<string, string | string[] | undefined>;
  raw: string;
}

/** A receiver of webhooks; `statuses` are its answers in turn, then 200. */
export async function startReceiver(statuses: number[] = []) {
  const received: Delivered[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      received.push({ url: req.url ?? '', headers: req.headers, raw: Buffer.concat(chunks).toString('utf8') });
      res.writeHead(statuses.shift() ?? 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
