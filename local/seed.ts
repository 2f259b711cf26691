// What a fresh local Recheck starts with: an organisation whose people are the sandbox's people, a connection to the
// sandbox's Jira, and one enabled source of each kind. Run at every start; what is there already stays.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createDb, type Db } from '../prisma/client';
import { createInstallationStore } from '../prisma/installations';
import { createSecretBox, parseEncryptionKeys } from '../prisma/secret-box';
import { defaultRule, type Role } from '../workflows/rules/vocabulary';
import type { SlackWorkspace } from './given';
import { sandboxOrganisation } from './sandbox-organisation';

type SandboxAccount = { email: string; apiToken: string; accountId: string };

/** What the sandbox process says when it is ready. */
export type SandboxReady = {
  jiraUrl: string;
  /** All sites of the sandbox's Jira; `jiraUrl` is the first. */
  jiraSiteUrls: string[];
  /** The OAuth app; its authorization server and API gateway are at `jiraUrl`. */
  oauth: { clientId: string; clientSecret: string };
  slackUrl: string;
  slackApiUrl: string;
  /** `bot` is whom Recheck writes as; `person` is somebody whose acts fire webhooks. */
  accounts: { person: SandboxAccount; bot: SandboxAccount };
  slack: { teamId: string; channelId: string; users: { id: string; name: string; role: string }[] };
};
export type SeedInput = {
  databaseUrl: string;
  encryptionKeys: string;
  baseUrl: string;
  sandbox: SandboxReady;
  slackBotToken: string;
  /** A real workspace, in place of the sandbox's. */
  slack?: SlackWorkspace;
};
/** A Slack guest has no key. */
export type SeededMember = { role: string; slackUserId: string; apiKey?: string };
export type Seeded = {
  /** With an owner's rights. */
  apiKey: string;
  connectionId: string;
  sourceKeys: { site: string; suite: string };
  members: SeededMember[];
};

const project = 'ACC';
const sourceKeys = { site: 'shop', suite: 'checkout-tests' };

/** Brings the local data to what `.recheck/local.json` promises, and answers it. Safe to repeat. */
export async function seedLocal(input: SeedInput): Promise<Seeded> {
  const db = createDb({
    url: input.databaseUrl,
    box: createSecretBox(parseEncryptionKeys(input.encryptionKeys)),
    poolSize: 4,
  });
  try {
    const organisationId = (await sandboxOrganisation(db.pool)) ?? (await createOrganisation(db, input.sandbox));
    const members = await seedMembers(db, organisationId, input);
    const owner = members.find((member) => member.role === 'owner');
    if (!owner?.apiKey) throw new Error('The local data have no owner. Start again with --fresh.');
    const connectionId = await seedConnection(db, organisationId, input.sandbox, owner.memberId);
    await seedInstallation(db, organisationId, input);
    await registerWebhook(db, connectionId, input.baseUrl, input.sandbox);
    await seedSources(db, organisationId, connectionId);
    return {
      apiKey: owner.apiKey,
      connectionId,
      sourceKeys,
      members: members.map(({ memberId: _, ...member }) => member),
    };
  } finally {
    await db.close();
  }
}

/** With its first member in the same breath: by that one it is known again. */
async function createOrganisation(db: Db, sandbox: SandboxReady): Promise<string> {
  const owner = ownerOf(sandbox);
  if (!owner) throw new Error("The sandbox's Slack has no owner.");
  const member = { name: owner.name, role: 'owner', slackTeamId: sandbox.slack.teamId, slackUserId: owner.id };
  return (await db.prisma.organisation.create({ data: { name: 'Acme', members: { create: member } } })).id;
}

type Person = SeededMember & { memberId: string };

async function seedMembers(db: Db, organisationId: string, input: SeedInput): Promise<Person[]> {
  const { teamId, users } = input.sandbox.slack;
  const seeded: Person[] = [];
  for (const person of users) {
    if (person.role === 'guest') {
      seeded.push({ role: 'guest', slackUserId: person.id, memberId: '' });
      continue;
    }
    if (!isRole(person.role)) continue;
    const known = await db.prisma.member.findFirst({
      where: { organisationId, removedAt: null, slackUserId: person.id },
    });
    const member =
      known ??
      (await db.members.create(organisationId, {
        name: person.name,
        role: person.role,
        slackTeamId: teamId,
        slackUserId: person.id,
      }));
    if (!member) continue;
    // The same key at every start, so that scripts on this machine keep working.
    const key = `rk_${createHmac('sha256', input.encryptionKeys).update(`local key of ${member.id}`).digest('base64url')}`;
    await db.members.ensureKey(organisationId, { memberId: member.id, name: 'local', key });
    seeded.push({ role: person.role, slackUserId: person.id, apiKey: key, memberId: member.id });
  }
  return seeded;
}

async function seedConnection(
  db: Db,
  organisationId: string,
  sandbox: SandboxReady,
  memberId: string,
): Promise<string> {
  const { bot } = sandbox.accounts;
  // The first of them: people may connect the same account again.
  const [known] = (await db.connections.list(organisationId, { limit: 50 }))
    .filter((row) => row.accountEmail === bot.email)
    .sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
  if (known) {
    if (known.siteUrl !== sandbox.jiraUrl) await db.connections.moveSite(known.id, sandbox.jiraUrl);
    return known.id;
  }
  const created = await db.connections.create(organisationId, {
    id: randomUUID(),
    siteUrl: sandbox.jiraUrl,
    email: bot.email,
    accountId: bot.accountId,
    apiToken: bot.apiToken,
    webhookSecret: randomBytes(32).toString('base64url'),
    projectKey: project,
    autoSync: false,
    memberId,
  });
  return created.id;
}

/** Installs the workspace whose Slack is called, and no other: a token must not reach somebody else's Slack. */
async function seedInstallation(db: Db, organisationId: string, input: SeedInput): Promise<void> {
  const installations = createInstallationStore({
    pool: db.pool,
    box: createSecretBox(parseEncryptionKeys(input.encryptionKeys)),
  });
  const workspace = input.slack ?? (await sandboxWorkspace(input));
  const installerId = input.slack ? null : (ownerOf(input.sandbox)?.id ?? null);
  const scopes = ['commands', 'chat:write', 'users:read'];
  const { id } = await installations.upsert({ organisationId, ...workspace, installerId, scopes });
  const others = await db.prisma.slackInstallation.findMany({
    where: { organisationId, status: 'installed', id: { not: id } },
  });
  for (const other of others) await installations.markDisconnected(other.id);
}

async function sandboxWorkspace(input: SeedInput): Promise<SlackWorkspace> {
  const { sandbox } = input;
  const auth = await slackCall<{ bot_id: string; user_id: string; team: string }>(
    sandbox,
    input.slackBotToken,
    'auth.test',
  );
  return {
    teamId: sandbox.slack.teamId,
    teamName: auth.team,
    enterpriseId: null,
    botToken: input.slackBotToken,
    botId: auth.bot_id,
    botUserId: auth.user_id,
    channelId: sandbox.slack.channelId,
  };
}

function ownerOf({ slack }: SandboxReady): SandboxReady['slack']['users'][number] | undefined {
  return slack.users.find(({ role }) => role === 'owner');
}

async function seedSources(db: Db, organisationId: string, connectionId: string): Promise<void> {
  const rule = { ...defaultRule, enabled: true, projectKey: project };
  await db.sources.create(organisationId, {
    key: sourceKeys.site,
    name: 'Shop website',
    kind: 'site',
    connectionId,
    rule,
  });
  await db.sources.create(organisationId, {
    key: sourceKeys.suite,
    name: 'Checkout tests',
    kind: 'suite',
    connectionId,
    rule,
  });
}

/** Does what the README asks of a Jira admin: a webhook on issue changes with Recheck's URL and secret. */
async function registerWebhook(db: Db, connectionId: string, baseUrl: string, sandbox: SandboxReady): Promise<void> {
  const secret = (await db.connections.webhookSecret(connectionId))?.secret;
  const url = `${baseUrl}/api/integrations/jira/webhook?integration_id=${connectionId}`;
  const hooks = await jiraCall<{ self: string; name: string; url: string }[]>(
    sandbox,
    'GET',
    '/rest/webhooks/1.0/webhook',
  );
  const mine = hooks.filter((hook) => hook.name === 'Recheck');
  if (mine.some((hook) => hook.url === url)) return;
  for (const hook of mine) await jiraCall(sandbox, 'DELETE', new URL(hook.self).pathname);
  await jiraCall(sandbox, 'POST', '/rest/webhooks/1.0/webhook', {
    name: 'Recheck',
    url,
    events: ['jira:issue_updated', 'jira:issue_deleted'],
    filters: {},
    excludeBody: false,
    secret,
  });
}

async function jiraCall<T>(sandbox: SandboxReady, method: string, path: string, body?: object): Promise<T> {
  const { email, apiToken } = sandbox.accounts.person;
  const response = await fetch(sandbox.jiraUrl + path, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${email}:${apiToken}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`The sandbox's Jira answered ${response.status} to ${method} ${path}.`);
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

async function slackCall<T>(sandbox: SandboxReady, token: string, method: string): Promise<T> {
  const response = await fetch(new URL(method, sandbox.slackApiUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const answer = (await response.json()) as T & { ok: boolean; error?: string };
  if (!answer.ok) throw new Error(`The sandbox's Slack answered ${answer.error ?? response.status} to ${method}.`);
  return answer;
}

function isRole(role: string): role is Role {
  return role === 'owner' || role === 'admin' || role === 'member';
}
