// The sandbox's Slack: Slack's Web API below /api, response URLs, a page to click at /, and below /sandbox what tests
// and scripts need. It keeps everything in the schema `slack` of its own database. The rules of Slack stand in
// methods/ (calls of the app), acts.ts (what people do) and block-kit.ts (what may be shown).
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'pg';
import { listenLocally, refuseOtherSites } from '../http';
import { createActRoutes } from './act-routes';
import { type Context, createContext, type Settings } from './context';
import { prepareDatabase } from './database';
import { DEFAULT_CHANNEL, TEAM, USERS } from './directory';
import { LARGEST_FILE, mediaType } from './methods/files';
import { pageShell } from './page-shell';
import { createResponseUrls } from './response-url';
import { createSandboxRoutes } from './sandbox-routes';
import { createWebApi } from './web-api';

export interface SlackSandboxOptions {
  databaseUrl: string;
  /** 0 takes a free one. */
  port: number;
  /** Where signed requests go, e.g. the app's `/slack/events`. */
  requestUrl: string;
  signingSecret: string;
  botToken: string;
  command?: string;
  shortcuts?: Settings['shortcuts'];
  /** Hears of mistakes of the sandbox itself, which a client sees as 500. */
  onError?: (error: unknown) => void;
}

export interface SlackSandbox {
  url: string;
  /** The base of the Web API, ending with `/api/`. */
  apiUrl: string;
  teamId: string;
  channelId: string;
  users: { id: string; name: string; role: string }[];
  port: number;
  setRequestUrl: (url: string) => void;
  stop: () => Promise<void>;
}

const SHORTCUTS: Settings['shortcuts'] = {
  global: [{ name: 'Find a finding', callbackId: 'find_finding' }],
  message: [{ name: 'Push to Jira / link', callbackId: 'push_to_jira' }],
};

/**
 * Starts the sandbox's Slack on 127.0.0.1. Tables are made and people are seeded when they are missing; what was there
 * stays. `stop` closes connections that are still open. Throws when the port is taken or the database not reachable.
 */
export async function startSlackSandbox(options: SlackSandboxOptions): Promise<SlackSandbox> {
  const db = new Pool({ connectionString: options.databaseUrl, max: 8 });
  // An idle connection that PostgreSQL ends must not end the sandbox: the next query opens another.
  db.on('error', () => undefined);
  const settings: Settings = {
    signingSecret: options.signingSecret,
    botToken: options.botToken,
    command: options.command ?? '/recheck',
    shortcuts: options.shortcuts ?? SHORTCUTS,
    requestUrl: options.requestUrl,
    baseUrl: '',
  };
  const context = createContext(db, settings);
  try {
    await prepareDatabase(db);
    const { url, port, close } = await listenLocally(createApp(context, options.onError), options.port);
    settings.baseUrl = url;
    return {
      url,
      apiUrl: `${url}/api/`,
      teamId: TEAM.id,
      channelId: DEFAULT_CHANNEL,
      users: USERS.filter((user) => user.role !== 'bot').map(({ id, realName, role }) => ({
        id,
        name: realName,
        role,
      })),
      port,
      setRequestUrl: (requestUrl) => {
        settings.requestUrl = requestUrl;
      },
      stop: async () => {
        await close();
        await db.end();
      },
    };
  } catch (error) {
    await db.end();
    throw error;
  }
}

function createApp(context: Context, onError: (error: unknown) => void = () => undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/api', createWebApi(context));
  app.use('/response', createResponseUrls(context));
  app.use('/sandbox', refuseOtherSites);
  app.use('/sandbox/act', createActRoutes(context));
  app.use('/sandbox', createSandboxRoutes(context));
  addFiles(app, context);
  app.use('/page', express.static(pageFolder()));
  app.get(['/', '/archives/:channel', '/archives/:channel/:message'], (_request: Request, response: Response) => {
    response.set('content-security-policy', CONTENT_POLICY).type('html').send(pageShell(TEAM.name));
  });
  app.use((error: Error, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    onError(error);
    response.status(500).send({ ok: false, error: 'internal_error', detail: error.message });
  });
  return app;
}

const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data: http: https:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

function addFiles(app: Express, { db }: Context): void {
  const bytes = express.raw({ type: '*/*', limit: LARGEST_FILE });
  app.post('/upload/:id', bytes, async (request: Request, response: Response) => {
    const body = await uploaded(request);
    const { rowCount } = await db.query('update slack.files set bytes = $2 where id = $1', [request.params.id, body]);
    response
      .status(rowCount ? 200 : 404)
      .type('text')
      .send(`OK - ${body.length}`);
  });
  app.get('/files/:id', async (request: Request, response: Response) => {
    const { rows } = await db.query<{ name: string; bytes: Buffer | null }>(
      'select name, bytes from slack.files where id = $1',
      [request.params.id],
    );
    const [file] = rows;
    if (!file?.bytes) return void response.status(404).send({ ok: false, error: 'file_not_found' });
    response.set('x-content-type-options', 'nosniff').type(mediaType(file.name)).send(file.bytes);
  });
}

// Clients send the bytes as they are or as the one file of a form.
async function uploaded(request: Request): Promise<Buffer> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const type = request.get('content-type') ?? '';
  if (!type.startsWith('multipart/')) return body;
  const form = await new globalThis.Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const file = [...form.values()].find((value) => typeof value !== 'string');
  return file ? Buffer.from(await (file as Blob).arrayBuffer()) : body;
}

// The page is plain files that the compiler does not copy: beside this source, or in the sources of a built checkout.
function pageFolder(): string {
  const beside = join(__dirname, 'page');
  return existsSync(beside) ? beside : resolve(__dirname, '../../../../local/sandbox/slack/page');
}
