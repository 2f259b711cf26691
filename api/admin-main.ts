// ENTRY for operators: makes an organisation with its owner, and installs the Slack workspace of SLACK_BOT_TOKEN.
//   node dist/api/admin-main.js create-organisation --name <name> --owner <name> [--slack-user <U...>] [--slack-channel <C...>]
// Prints the owner's API key, this once.

import { parseArgs } from 'node:util';
import { WebClient } from '@slack/web-api';
import { type Config, parseConfig } from '../activities/config';
import { createDb, type Db } from '../prisma/client';
import { createInstallationStore } from '../prisma/installations';
import { createSecretBox, parseEncryptionKeys, type SecretBox } from '../prisma/secret-box';

const usage =
  'Say: node dist/api/admin-main.js create-organisation --name <name> --owner <name> [--slack-user <U...>] [--slack-channel <C...>]';

type Wanted = { name: string; owner: string; slackUser: string | null; slackChannel: string | null };

async function run(): Promise<void> {
  const wanted = readArguments();
  const config = parseConfig();
  const box = createSecretBox(parseEncryptionKeys(config.encryptionKeys));
  const db = createDb({ url: config.databaseUrl, box, poolSize: 2 });
  try {
    await createOrganisation({ db, box, config, wanted });
  } finally {
    await db.close();
  }
}

function readArguments(): Wanted {
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { name: text, owner: text, 'slack-user': text, 'slack-channel': text },
  });
  if (positionals[0] !== 'create-organisation' || !values.name || !values.owner) throw new Error(usage);
  return {
    name: values.name,
    owner: values.owner,
    slackUser: values['slack-user'] ?? null,
    slackChannel: values['slack-channel'] ?? null,
  };
}

async function createOrganisation(input: { db: Db; box: SecretBox; config: Config; wanted: Wanted }): Promise<void> {
  const { db, box, config, wanted } = input;
  const { slack } = config;
  // Asked first: a bad token must not leave half an organisation behind.
  const auth = slack.botToken
    ? await new WebClient(slack.botToken, {
        slackApiUrl: slack.apiUrl,
        timeout: 10_000,
        retryConfig: { retries: 0 },
      }).auth.test()
    : null;
  const organisationId = await db.members.createOrganisation(wanted.name);
  const owner = await db.members.create(organisationId, {
    name: wanted.owner,
    role: 'owner',
    slackTeamId: auth?.team_id ?? null,
    slackUserId: wanted.slackUser,
  });
  if (!owner) throw new Error('The owner could not be made.');
  if (auth?.team_id) {
    await createInstallationStore({ pool: db.pool, box }).upsert({
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

if (require.main === module) {
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
