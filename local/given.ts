// What the environment names in place of what `npm start` brings is tried before anything is started, and before the
// database is migrated: what is wrong is said at once, with the variable and the cure.

import { Connection } from '@temporalio/client';
import { type Config, parseConfig } from '../activities/config';
import { databaseTrouble } from '../prisma/database-trouble';
import { createSecretBox, parseEncryptionKeys } from '../prisma/secret-box';
import { hasRealSlack } from './environment';
import { withDatabase } from './postgres';
import { ForeignDatabase, sandboxOrganisation } from './sandbox-organisation';

/** A workspace of a real Slack, as `auth.test` describes it. */
export interface SlackWorkspace {
  teamId: string;
  teamName: string | null;
  enterpriseId: string | null;
  botToken: string;
  botId: string;
  botUserId: string;
  /** Where cards go; without it, there are none. */
  channelId: string | null;
}

/** What `npm start` sets itself, whatever the environment says. */
const OWN = { BASE_URL: 'http://127.0.0.1', HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '' };
const GRPC = { notFound: 5, unauthenticated: 16 };
const TIMEOUT_MS = 10_000;

/** Throws where something that the environment names is wrong or does not answer; answers the real Slack, if any. */
export async function tryGiven(env: NodeJS.ProcessEnv): Promise<{ slack: SlackWorkspace | undefined }> {
  const config = parseConfig({ DATABASE_URL: 'postgres://localhost', ENCRYPTION_KEYS: 'made', ...env, ...OWN });
  if (env.ENCRYPTION_KEYS) tryKeys(env.ENCRYPTION_KEYS);
  if (env.DATABASE_URL) await tryDatabase('DATABASE_URL', env.DATABASE_URL);
  if (env.SANDBOX_DATABASE_URL) await tryDatabase('SANDBOX_DATABASE_URL', env.SANDBOX_DATABASE_URL);
  if (env.TEMPORAL_ADDRESS) await tryTemporal(config);
  return { slack: hasRealSlack(env) ? await trySlack(config, env.SLACK_CHANNEL ?? null) : undefined };
}

function tryKeys(keys: string): void {
  try {
    createSecretBox(parseEncryptionKeys(keys));
  } catch (error) {
    throw new Error(`ENCRYPTION_KEYS: ${messageOf(error)}`);
  }
}

async function tryDatabase(name: 'DATABASE_URL' | 'SANDBOX_DATABASE_URL', url: string): Promise<void> {
  const cure = `Without ${name}, npm start brings its own database.`;
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw new Error(`${name} is no postgres:// URL. ${cure}`);
  await withDatabase(url, async (client) => {
    if (name === 'DATABASE_URL') await sandboxOrganisation(client);
  }).catch((error: unknown) => {
    if (error instanceof ForeignDatabase) throw error;
    const known = databaseTrouble(error)?.replaceAll('DATABASE_URL', name);
    throw new Error(`${known ?? `${name} cannot be used: ${messageOf(error)}.`} ${cure}`);
  });
}

async function tryTemporal({ temporal }: Config): Promise<void> {
  const { connection: options, namespace } = temporal;
  const connection = await Connection.connect({ ...options, connectTimeout: TIMEOUT_MS }).catch((error: unknown) => {
    throw new Error(
      `No Temporal server answers at TEMPORAL_ADDRESS (${reasonOf(error)}). Start it, or correct TEMPORAL_ADDRESS, ` +
        'TEMPORAL_API_KEY and TEMPORAL_TLS_*; without TEMPORAL_ADDRESS, npm start brings its own.',
    );
  });
  try {
    const describe = () => connection.workflowService.describeNamespace({ namespace });
    await connection.withDeadline(Date.now() + TIMEOUT_MS, describe);
  } catch (error) {
    // Who may work in a namespace need not be allowed to see it described.
    const code = (error as { code?: unknown }).code;
    if (code === GRPC.notFound) {
      throw new Error(
        'The Temporal server of TEMPORAL_ADDRESS has no such namespace as TEMPORAL_NAMESPACE names: create it there, ' +
          'or correct the name.',
      );
    }
    if (code === GRPC.unauthenticated) throw new Error('The Temporal server refuses TEMPORAL_API_KEY: correct it.');
  } finally {
    await connection.close();
  }
}

async function trySlack({ slack }: Config, channelId: string | null): Promise<SlackWorkspace> {
  const cure =
    'correct it. Without SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, npm start brings the Slack of the sandbox.';
  const answer = await authTest(slack).catch((error: unknown) => {
    throw new Error(`Slack does not answer at SLACK_API_URL (${reasonOf(error)}): ${cure}`);
  });
  if (!answer.ok || !answer.team_id) {
    throw new Error(`Slack refuses SLACK_BOT_TOKEN (${answer.error ?? 'it names no workspace'}): ${cure}`);
  }
  return {
    teamId: answer.team_id,
    teamName: answer.team ?? null,
    enterpriseId: answer.enterprise_id ?? null,
    botToken: slack.botToken,
    botId: answer.bot_id ?? '',
    botUserId: answer.user_id ?? '',
    channelId,
  };
}

type AuthTest = { ok: boolean } & { [name in AuthTestText]?: string | undefined };
type AuthTestText = 'error' | 'team_id' | 'team' | 'enterprise_id' | 'bot_id' | 'user_id';

async function authTest({ apiUrl, botToken }: Config['slack']): Promise<AuthTest> {
  const response = await fetch(`${apiUrl.replace(/\/*$/, '/')}auth.test`, {
    method: 'POST',
    headers: { authorization: `Bearer ${botToken}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()) as AuthTest;
}

/** `fetch` and gRPC tell the reason in the cause, if at all. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause).split('\n')[0] ?? '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
