// ENTRY of `npm run demo`: reports once round the whole loop, on the Recheck that runs here or on one that is started
// for it. Exit code 0: every finding reached the state that it should; 1: one did not; 2: the command or a file is wrong.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createJiraPerson } from './demo/jira-person';
import { createRecheck } from './demo/recheck';
import { InputError, readReports, shippedReports } from './demo/reports';
import { openRecheck, type RunningRecheck } from './demo/running';
import { createSlackPeople } from './demo/slack-people';
import { playStory } from './demo/story';
import { createTimeline } from './demo/timeline';
import { createProgress } from './progress';
import { onStopSignal } from './stop-signal';

const USAGE = 'Say: npm run demo -- [--break] [<axe-core JSON or JUnit XML file> ...]';
const NO_SANDBOX =
  'A real Slack is configured for this Recheck, and nobody can act as a person there. The demo needs the sandbox: ' +
  'start Recheck without SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET.';
const progress = createProgress();

type Arguments = { files: string[]; isBroken: boolean };

async function main(): Promise<number> {
  const { files, isBroken } = readArguments();
  const reports = await readReports(files);
  let end = { close: async () => {}, kill: () => {} };
  let isStopped = false;
  onStopSignal({
    first() {
      isStopped = true;
      progress.say('Stopping ... (Ctrl-C again to force)');
      void end.close().finally(() => process.exit(130));
    },
    again() {
      end.kill();
      process.exit(130);
    },
  });
  try {
    const running = await openRecheck({ progress, env: process.env, onStarting: (started) => (end = started) });
    try {
      return await play(running, { reports, isBroken });
    } finally {
      if (!isStopped) await running.close();
    }
  } catch (error) {
    // What fails while everything is being stopped is no news; the stop ends the process.
    return isStopped ? new Promise<never>(() => {}) : Promise.reject(error);
  }
}

async function play({ local, isTemporary }: RunningRecheck, story: Parameters<typeof playStory>[1]): Promise<number> {
  const slack = createSlackPeople(local);
  if (!slack) throw new Error(NO_SANDBOX);
  const timeline = createTimeline((line) => process.stdout.write(`${line}\n`));
  timeline.plain(isTemporary ? 'On a Recheck started for this demo.' : `On the Recheck that runs at ${local.baseUrl}.`);
  const [recheck, jira] = [createRecheck(local), await createJiraPerson(local)];
  const missed = await playStory({ recheck, jira, slack, timeline }, story);
  timeline.plain(`\n${missed.length === 0 ? 'Every finding is where it should be.' : missed.join('\n')}`);
  if (!isTemporary) timeline.plain(`See the cards: ${local.slackUrl}   the board: ${local.jiraUrl}`);
  return missed.length === 0 ? 0 : 1;
}

function readArguments(): Arguments {
  try {
    const options = { break: { type: 'boolean' }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    // npm and the bootstrap change the folder; files are named from where the command was typed.
    const from = process.env.INIT_CWD ?? process.env.PWD ?? process.cwd();
    const files = positionals.length > 0 ? positionals.map((file) => resolve(from, file)) : shippedReports();
    return { files, isBroken: values.break ?? false };
  } catch (error) {
    throw new InputError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    progress.say(error instanceof Error ? error.message : String(error));
    process.exit(error instanceof InputError ? 2 : 1);
  },
);
