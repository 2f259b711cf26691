// ENTRY for operators.
//   node dist/api/admin-main.js create-organisation --name <name> --owner <name> [--slack-user <U...>] [--slack-channel <C...>]
// makes an organisation with its owner, installs the Slack workspace of SLACK_BOT_TOKEN, and prints the owner's API key,
// this once.
//   node dist/api/admin-main.js create-key --member <id of GET /api/v1/members> --name <name>
// makes an API key for any member, an owner too, and prints it, this once.
//   node dist/api/admin-main.js rotate-keys
// seals every stored secret again with the first of ENCRYPTION_KEYS, while the system runs.

import { parseArgs } from 'node:util';
import { WebClient } from '@slack/web-api';
import { type Config, parseConfig } from '../activities/config';
import { createDb, type Db } from '../prisma/client';
import { requireDatabase } from '../prisma/database-trouble';
import { createInstallationStore } from '../prisma/installations';
import { rotateKeys } from '../prisma/rotate-keys';
import { createSecretBox, parseEncryptionKeys, type SecretBox } from '../prisma/secret-box';
import { isUuid } from './operations/guard';

const usage =
  'Say: node dist/api/admin-main.js create-organisation --name <name> --owner <name> [--slack-user <U...>] [--slack-channel <C...>]\n' +
  ' or: node dist/api/admin-main.js create-key --member <id of GET /api/v1/members> --name <name>\n' +
  ' or: node dist/api/admin-main.js rotate-keys';

type Wanted = { name: string; owner: string; slackUser: string | null; slackChannel: string | null };
type Act =
  | { kind: 'create-organisation'; wanted: Wanted }
  | { kind: 'create-key'; memberId: string; name: string }
  | { kind: 'rotate-keys' };

async function run(): Promise<void> {
  const act = readArguments();
  if (act === 'help') {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const config = parseConfig();
  const box = createSecretBox(parseEncryptionKeys(config.encryptionKeys));
  const db = createDb({ url: config.databaseUrl, box, poolSize: 2 });
  try {
    await requireDatabase(db.pool);
    if (act.kind === 'rotate-keys') await rotate({ db, box });
    else if (act.kind === 'create-key') await createKey(db, act);
    else await createOrganisation({ db, box, config, wanted: act.wanted });
  } finally {
    await db.close();
  }
}

function readArguments(): Act | 'help' {
  const { positionals, values } = parsed();
  const [command, ...rest] = positionals;
  if (values.help) return 'help';
  if (rest.length > 0) throw new Error(`What is "${rest[0]}"? Put a name with spaces into quotes.\n${usage}`);
  if (command === 'rotate-keys') return { kind: 'rotate-keys' };
  if (command === 'create-key' && values.member && values.name) {
    return { kind: 'create-key', memberId: values.member, name: values.name };
  }
  if (command !== 'create-organisation' || !values.name || !values.owner) throw new Error(usage);
  const { name, owner, 'slack-user': slackUser = null, 'slack-channel': slackChannel = null } = values;
  return { kind: 'create-organisation', wanted: { name, owner, slackUser, slackChannel } };
}

function parsed() {
  const text = { type: 'string' } as const;
  const help = { type: 'boolean', short: 'h' } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: { name: text, owner: text, member: text, 'slack-user': text, 'slack-channel': text, help },
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

async function rotate({ db, box }: { db: Db; box: SecretBox }): Promise<void> {
  const columns = await rotateKeys({ pool: db.pool, box });
  for (const { name, rotated, current, unreadable } of columns) {
    process.stdout.write(
      `${name}: ${rotated} sealed again, ${current} already with the first key, ${unreadable.length} not readable\n`,
    );
  }
  const lost = columns.flatMap(({ name, unreadable }) =>
    unreadable.map(({ id, cause }) => `${name} of ${id}: ${cause}`),
  );
  if (lost.length === 0) return;
  throw new Error(
    `${lost.join('\n')}\nKeep the older keys until this is settled: add the missing key back, or enter these secrets again.`,
  );
}

async function createKey(db: Db, { memberId, name }: { memberId: string; name: string }): Promise<void> {
  const organisationId = isUuid(memberId) ? await db.members.organisationOf(memberId) : null;
  if (!organisationId)
    throw new Error(`There is no member ${memberId}. GET /api/v1/members lists them with their ids.`);
  const { key } = await db.members.createKey(organisationId, { memberId, name, scopes: [] });
  process.stdout.write(`API key ${name}, shown this once: ${key}\n`);
}

async function createOrganisation(input: { db: Db; box: SecretBox; config: Config; wanted: Wanted }): Promise<void> {
  const { db, box, config, wanted } = input;
  const { slack } = config;
  const installations = createInstallationStore({ pool: db.pool, box });
  // Asked first: what is refused must not leave half an organisation behind.
  const auth = slack.botToken ? await askSlack(slack) : null;
  const holder = auth?.team_id ? await installations.ownerOf(auth.team_id) : null;
  if (holder !== null) {
    throw new Error(
      `Slack workspace ${auth?.team} belongs to organisation ${holder}: set the SLACK_BOT_TOKEN of another one, or none.`,
    );
  }
  const organisationId = await db.members.createOrganisation(wanted.name);
  const owner = await db.members.create(organisationId, {
    name: wanted.owner,
    role: 'owner',
    slackTeamId: auth?.team_id ?? null,
    slackUserId: wanted.slackUser,
  });
  if (!owner) throw new Error('The owner could not be made.');
  if (auth?.team_id) {
    await installations.upsert({
      organisationId,
      teamId: auth.team_id,
      teamName: auth.team ?? null,
      enterpriseId: auth.enterprise_id ?? null,
      botToken: slack.botToken,
      botId: auth.bot_id ?? '',
      botUserId: auth.user_id ?? '',
      installerId: wanted.slackUser,
      scopes: ['commands', 'chat:write', 'users:read'],
      channelId: wanted.slackChannel,
    });
  }
  const { key } = await db.members.createKey(organisationId, { memberId: owner.id, name: 'first', scopes: [] });
  process.stdout.write(
    `Organisation ${wanted.name} (${organisationId}) with its owner ${wanted.owner}.\n` +
      (auth ? `Slack workspace ${auth.team} is installed.\n` : 'No Slack workspace: SLACK_BOT_TOKEN is not set.\n') +
      `API key of the owner, shown this once: ${key}\n`,
  );
}

/** Which workspace the token is of. */
async function askSlack({ botToken, apiUrl }: Config['slack']) {
  const client = new WebClient(botToken, { slackApiUrl: apiUrl, timeout: 10_000, retryConfig: { retries: 0 } });
  return await client.auth.test().catch((error: { data?: { error?: string } }) => {
    const refusal = error.data?.error;
    throw new Error(
      refusal
        ? `Slack refuses SLACK_BOT_TOKEN (${refusal}): copy it from the app's page "OAuth & Permissions".`
        : 'Slack does not answer: look at SLACK_API_URL and at what this machine may reach.',
      { cause: error },
    );
  });
}

if (require.main === module) {
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
