import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, ExpressReceiver } from '@slack/bolt';
import { type Logger, LogLevel, WebClient } from '@slack/web-api';
import express from 'express';
import { type SlackSandbox, startSlackSandbox } from '../../local/sandbox/slack/server';
import { createDatabase } from '../support/database';

export const SECRET = 'a-signing-secret-of-the-tests';
export const TOKEN = 'xoxb-sandbox-tests';
export const OLIVIA = 'U0OLIVIA00';
export const MEL = 'U0MEL00000';

export interface World {
  slack: SlackSandbox;
  client: WebClient;
  databaseUrl: string;
  /** Does something as a person: POST /sandbox/act/<name>. */
  act: (name: string, body: object) => Promise<ActAnswer>;
  sandbox: (method: string, path: string, body?: object) => Promise<Response>;
  stop: () => Promise<void>;
}

export interface ActAnswer {
  status: number | null;
  body: unknown;
  error?: string;
  errors?: Record<string, string>;
  ephemerals: { ts: string; text: string; channel: string; blocks?: unknown[] }[];
  view: { id: string; hash: string; title: { text: string }; previous_view_id: string | null } | null;
}

// The clients log what the tests provoke on purpose.
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

/** A sandbox on a database of its own, a public client for its API, and nobody yet at the request URL. */
export async function startWorld(requestUrl = 'http://127.0.0.1:9/slack/events'): Promise<World> {
  const database = await createDatabase();
  const slack = await startSlackSandbox({
    databaseUrl: database.url,
    port: 0,
    requestUrl,
    signingSecret: SECRET,
    botToken: TOKEN,
  });
  const sandbox = (method: string, path: string, body?: object) =>
    fetch(`${slack.url}/sandbox/${path}`, {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
  return {
    slack,
    client: clientOf(slack.apiUrl),
    databaseUrl: database.url,
    sandbox,
    act: async (name, body) => (await (await sandbox('POST', `act/${name}`, body)).json()) as ActAnswer,
    stop: async () => {
      await slack.stop();
      await database.drop();
    },
  };
}

/** The public client as the product uses it: no retries of its own, 429 thrown. */
export function clientOf(slackApiUrl: string, token = TOKEN): WebClient {
  return new WebClient(token, {
    logger: silent,
    slackApiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 5000,
  });
}

/** A real Bolt app with an ExpressReceiver on a port of its own. */
export async function startBolt(apiUrl: string): Promise<{ app: App; url: string; stop: () => Promise<void> }> {
  const web = express();
  const receiver = new ExpressReceiver({ signingSecret: SECRET, app: web, logger: silent, endpoints: '/slack/events' });
  const app = new App({
    receiver,
    logger: silent,
    convoStore: false,
    clientOptions: { slackApiUrl: apiUrl, logger: silent, retryConfig: { retries: 0 } },
    authorize: async () => ({ botToken: TOKEN, botId: 'B0RECHECK0', botUserId: 'U0RECHECK0' }),
  });
  const server: Server = createServer(web);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}/slack/events`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A small modal with one required input. */
export function modal(title = 'Verdict') {
  return {
    type: 'modal' as const,
    callback_id: 'verdict',
    notify_on_close: true,
    title: { type: 'plain_text' as const, text: title },
    submit: { type: 'plain_text' as const, text: 'Save' },
    blocks: [
      {
        type: 'input' as const,
        block_id: 'note_block',
        label: { type: 'plain_text' as const, text: 'Note' },
        element: { type: 'plain_text_input' as const, action_id: 'note' },
      },
    ],
  };
}
