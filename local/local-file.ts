import { seedProjects } from './sandbox/jira/catalog';
import type { Secrets } from './secrets';
import type { SandboxReady, Seeded } from './seed';

/** `local.json`: how scripts and checks find a Recheck that runs here. Its keys are fixed; more may be added. */
export interface LocalFile extends Seeded, ReturnType<typeof jiraEntries>, Partial<ReturnType<typeof slackEntries>> {
  pid: number;
  baseUrl: string;
  temporalAddress: string;
  temporalNamespace: string;
  /** Absent where the server is not ours. */
  temporalUi?: string;
  databaseUrl: string;
}

/** A person's account, not the one that Recheck writes with: what is done with it counts as somebody's act. */
export function jiraEntries({ jiraUrl, accounts }: SandboxReady) {
  const { email, apiToken } = accounts.person;
  return { jiraUrl, jiraEmail: email, jiraApiToken: apiToken, jiraProject: seedProjects[0].key as string };
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
