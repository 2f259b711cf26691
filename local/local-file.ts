import { seedProjects } from './sandbox/jira/catalog';
import type { Secrets } from './secrets';
import type { SandboxReady, Seeded } from './seed';

/** `local.json`: how scripts and checks find a Recheck that runs here. Its keys are fixed; more may be added. */
export interface LocalFile
  extends Seeded,
    ReturnType<typeof jiraEntries>,
    Partial<ReturnType<typeof atlassianEntries>>,
    Partial<ReturnType<typeof slackEntries>> {
  pid: number;
  baseUrl: string;
  temporalAddress: string;
  temporalNamespace: string;
  /** Absent where the server is not ours. */
  temporalUi?: string;
  databaseUrl: string;
}

/** A person's account, whose acts count as somebody's, and the bot's, which Recheck writes with. */
export function jiraEntries({ jiraUrl, accounts }: SandboxReady) {
  const { email, apiToken } = accounts.person;
  return {
    jiraUrl,
    jiraEmail: email,
    jiraApiToken: apiToken,
    jiraProject: seedProjects[0].key as string,
    jiraBotEmail: accounts.bot.email,
    jiraBotApiToken: accounts.bot.apiToken,
  };
}

/** The OAuth app of the sandbox; left out where a real one is configured. */
export function atlassianEntries({ oauth }: SandboxReady) {
  return { atlassianClientId: oauth.clientId, atlassianClientSecret: oauth.clientSecret };
}

/** What Recheck's processes need to reach the sandbox's Jira and the OAuth app that is registered with it. */
export function jiraEnvironment({ jiraUrl, jiraSiteUrls, oauth }: SandboxReady) {
  return {
    JIRA_ALLOWED_HTTP_ORIGINS: jiraSiteUrls.join(','),
    ATLASSIAN_CLIENT_ID: oauth.clientId,
    ATLASSIAN_CLIENT_SECRET: oauth.clientSecret,
    ATLASSIAN_AUTH_URL: jiraUrl,
    ATLASSIAN_API_URL: jiraUrl,
  };
}

/** The entries of the sandbox's Slack; left out where a real one is configured. */
export function slackEntries({ slackUrl, slackApiUrl, slack }: SandboxReady, secrets: Secrets) {
  return {
    slackUrl,
    slackApiUrl,
    slackBotToken: secrets.slackBotToken,
    slackSigningSecret: secrets.slackSigningSecret,
    slackTeamId: slack.teamId,
    slackChannelId: slack.channelId,
    slackUserId: slack.users.find(({ role }) => role === 'owner')?.id ?? '',
  };
}
