import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JiraClient } from '../../activities/jira/client';
import { createJiraClient } from '../../activities/jira/client';
import type { JiraError } from '../../activities/jira/errors';
import type { JiraRequestDeps, JiraResponseInfo } from '../../activities/jira/request';
import { createJiraFetch } from '../../activities/jira/transport';
import type { SentRequest } from '../support/jira-contract';
import { recordingFetch } from '../support/jira-contract';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answerer = (request: ReceivedRequest, response: ServerResponse) => void;

export interface OddServer {
  readonly origin: string;
  readonly received: ReceivedRequest[];
  /** Sets how requests are answered from now on. */
  answer(next: Answerer): void;
  /** Answers JSON with a status and headers. */
  answerJson(status: number, body: unknown, headers?: Record<string, string>): void;
  stop(): Promise<void>;
}

/** A web server that answers whatever a test tells it, for the answers that a well-behaved Jira does not give. */
export async function startOddServer(): Promise<OddServer> {
  const received: ReceivedRequest[] = [];
  let current: Answerer = (_request, response) => response.writeHead(500).end();
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('latin1'),
    };
    received.push(request);
    current(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    answer(next) {
      current = next;
    },
    answerJson(status, body, headers = {}) {
      current = (_request, response) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client of the given site that is held to Atlassian's description, with what it sent and what it told. */
export function contractClient(
  siteUrl: string,
  overrides: Partial<JiraRequestDeps> & { authorization?: string } = {},
): { client: JiraClient; requests: SentRequest[]; told: JiraResponseInfo[] } {
  const told: JiraResponseInfo[] = [];
  const allowedHttpOrigins = [new URL(siteUrl).origin];
  const { fetch, requests } = recordingFetch(overrides.fetch ?? createJiraFetch(allowedHttpOrigins));
  const client = createJiraClient({
    connection: { siteUrl, authorization: () => overrides.authorization ?? 'Basic dGVzdDp0b2tlbg==' },
    timeoutMs: 5_000,
    allowedHttpOrigins,
    onResponse: (info) => told.push(info),
    ...overrides,
    fetch,
  });
  return { client, requests, told };
}

/** The `JiraError` with which a call fails. */
export async function failureOf(call: Promise<unknown>): Promise<JiraError> {
  return call.then(
    () => {
      throw new Error('The call did not fail.');
    },
    (error: JiraError) => error,
  );
}
