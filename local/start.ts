// ENTRY of `npm start`: all of Recheck on this machine, until Ctrl-C. See stack.ts for what is started in which order.
import { parseArgs } from 'node:util';
import type { LocalFile } from './local-file';
import { createProgress } from './progress';
import { startStack } from './stack';
import { onStopSignal } from './stop-signal';

const USAGE = 'Say: npm start -- [--fresh] [--home <folder>]';
const progress = createProgress();

async function main({ fresh, home }: { fresh: boolean; home: string | undefined }): Promise<void> {
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    await stack.stop();
    process.exit(exitCode);
  };
  const stack = await startStack({
    home,
    fresh,
    env: process.env,
    progress,
    onDeath(message) {
      if (!stopping) progress.say(`${message}\nStopping everything else ...`);
      void stop(1);
    },
  });
  onStopSignal({
    first() {
      progress.say('Stopping ... (Ctrl-C again to force)');
      void stop(0);
    },
    again() {
      stack.kill();
      process.exit(130);
    },
  });
  try {
    const local = await stack.ready;
    progress.say(welcome(local, stack.home.path('local.json')));
  } catch (error) {
    if (!stopping) progress.say(messageOf(error));
    await stop(1);
  }
}

function welcome(local: LocalFile, file: string): string {
  return [
    '',
    'Recheck is ready.',
    `  API and docs   ${local.baseUrl}/docs`,
    ...(local.slackUrl ? [`  Slack          ${local.slackUrl}`] : []),
    `  Jira           ${local.jiraUrl}`,
    ...(local.temporalUi ? [`  Temporal UI    ${local.temporalUi}`] : []),
    `  Keys, tokens   ${file}`,
    '',
    ...(local.slackUrl ? tour : ownSlack(local)),
    'Ctrl-C stops everything.',
  ].join('\n');
}

const tour = [
  'To try: upload a report (the README shows how), then type "/recheck push F-1" in Slack.',
  'Move the issue to Done on the Jira board: the card in Slack says that a re-run is needed.',
  'Type "/recheck rerun F-1", start it, pass it, and see the finding verified.',
];

/** Nobody of the sandbox is in a real workspace, and Slack does not reach this machine by itself. */
function ownSlack({ baseUrl }: LocalFile): string[] {
  return [
    'The Slack workspace of SLACK_BOT_TOKEN is installed in place of the sandbox. To use it there, have a tunnel lead',
    `to ${baseUrl}, make its public address + /slack/events the request URL of your Slack app, and add yourself:`,
    `POST ${baseUrl}/api/v1/members { "name": ..., "role": "owner", "slackUserId": "U..." } with the key of local.json.`,
    ...(process.env.SLACK_CHANNEL?.trim()
      ? []
      : ['Cards come with SLACK_CHANNEL, the id of a channel with the bot in it.']),
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readArguments(): { fresh: boolean; home: string | undefined } {
  try {
    const options = { fresh: { type: 'boolean' }, home: { type: 'string' }, help: { type: 'boolean' } } as const;
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    return { fresh: values.fresh ?? false, home: values.home };
  } catch (error) {
    progress.say(`${messageOf(error)}\n${USAGE}`);
    process.exit(2);
  }
}

main(readArguments()).catch((error) => {
  progress.say(messageOf(error));
  process.exit(1);
});
