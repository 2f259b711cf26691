import { randomBytes } from 'node:crypto';
import express from 'express';
import type { Operations } from '../../api/operations/types';
import { createSealer } from '../../api/sealer';
import { createBot } from '../../bot/app';
import { listenLocally } from '../../local/sandbox/http';
import { DEFAULT_CHANNEL, TEAM } from '../../local/sandbox/slack/directory';
import { createSecretBox } from '../../prisma/secret-box';
import { OLIVIA, SECRET, startWorld, TOKEN, type World } from '../sandbox/slack-fixture';
import { operationsOf } from './operations';

export type Logged = { level: string; fields: Record<string, unknown>; message: string };

export type BotWorld = {
  world: World;
  /** Where the bot takes Slack's signed requests. */
  requestUrl: string;
  logged: Logged[];
  /** Installations that were marked as removed. */
  disconnected: string[];
  isInstalled(yes: boolean): void;
  /** Posts a message as the bot; answers its timestamp. */
  post(message: { text: string; blocks: unknown[] }): Promise<string>;
  stop(): Promise<void>;
};

/** The bot behind the sandbox's Slack, with operations made by hand: `given` says which, at each call anew. */
export async function startBotWorld(given: () => Partial<Operations>): Promise<BotWorld> {
  const world = await startWorld();
  const logged: Logged[] = [];
  const disconnected: string[] = [];
  let isInstalled = true;
  const log = (level: string) => (fields: Record<string, unknown>, message: string) => {
    logged.push({ level, fields, message });
  };
  const app = express();
  createBot({
    operations: new Proxy(operationsOf({}), {
      get: (_target, name: keyof Operations) => operationsOf(given())[name],
    }),
    installations: {
      findByTeam: async (teamId) => (isInstalled && teamId === TEAM.id ? installation : null),
      markDisconnected: async (id) => {
        disconnected.push(id);
      },
    },
    cards: { findFindingAt: async (_organisationId, { ts }) => (ts === '1767225600.123456' ? 'F-12' : null) },
    signingSecret: SECRET,
    sealer: createSealer(createSecretBox([{ id: 'test', key: randomBytes(32) }])),
    slackApiUrl: world.slack.apiUrl,
    command: '/recheck',
    baseUrl: 'https://recheck.example',
    log: { info: log('info'), warn: log('warn'), error: log('error') },
  }).mount(app);
  const server = await listenLocally(app, 0);
  const requestUrl = `${server.url}/slack/events`;
  world.slack.setRequestUrl(requestUrl);
  return {
    world,
    requestUrl,
    logged,
    disconnected,
    isInstalled: (yes) => {
      isInstalled = yes;
    },
    async post(message) {
      const posted = await world.client.apiCall('chat.postMessage', { channel: DEFAULT_CHANNEL, ...message });
      return 'ts' in posted ? String(posted.ts) : '';
    },
    async stop() {
      await server.close();
      await world.stop();
    },
  };
}

const installation = {
  id: 'installation',
  teamId: TEAM.id,
  enterpriseId: null,
  botToken: TOKEN,
  botId: 'B0RECHECK0',
  botUserId: 'U0RECHECK0',
  installerId: OLIVIA,
};
