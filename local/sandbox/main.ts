// ENTRY of the sandbox: a local Jira and a local Slack in one process of their own, on a database of their own. It says
// on stdout, and to its parent, when both listen; it ends with its parent, or on SIGTERM and SIGINT.
import { z } from 'zod';
import { startJiraSandbox } from './jira/server';
import { startSlackSandbox } from './slack/server';

const environment = z.object({
  SANDBOX_DATABASE_URL: z.string().min(1),
  SANDBOX_JIRA_PORT: z.coerce.number().int().min(0).default(0),
  SANDBOX_SLACK_PORT: z.coerce.number().int().min(0).default(0),
  SANDBOX_WEBHOOK_DELAY_MS: z.coerce.number().int().min(0).optional(),
  SLACK_REQUEST_URL: z.url(),
  SLACK_SIGNING_SECRET: z.string().min(1),
  SLACK_BOT_TOKEN: z.string().min(1),
  SLACK_COMMAND: z.string().startsWith('/').default('/recheck'),
});

async function main(): Promise<void> {
  const hasParent = process.connected;
  const parsed = environment.safeParse(process.env);
  if (!parsed.success)
    throw new Error(`The sandbox cannot start, its environment is wrong:\n${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const databaseUrl = env.SANDBOX_DATABASE_URL;
  const delay = env.SANDBOX_WEBHOOK_DELAY_MS;
  const jira = await startJiraSandbox({
    databaseUrl,
    port: env.SANDBOX_JIRA_PORT,
    onError: report,
    ...(delay === undefined ? {} : { webhookDelayMs: delay }),
  });
  const slack = await startSlackSandbox({
    databaseUrl,
    port: env.SANDBOX_SLACK_PORT,
    requestUrl: env.SLACK_REQUEST_URL,
    signingSecret: env.SLACK_SIGNING_SECRET,
    botToken: env.SLACK_BOT_TOKEN,
    command: env.SLACK_COMMAND,
    onError: report,
  });
  const end = endWith(async () => {
    await slack.stop();
    await jira.stop();
  });
  const ready = {
    ready: true,
    jiraUrl: jira.url,
    slackUrl: slack.url,
    slackApiUrl: slack.apiUrl,
    jiraSiteUrls: jira.siteUrls,
    accounts: jira.accounts,
    oauth: jira.oauth,
    slack: { teamId: slack.teamId, channelId: slack.channelId, users: slack.users },
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  if (process.connected) process.send?.(ready);
  else if (hasParent) end();
}

function endWith(stop: () => Promise<void>): () => void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (process.connected) process.on('disconnect', end);
  return end;
}

function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

function fail(error: unknown): void {
  report(error);
  process.exit(1);
}

main().catch(fail);
