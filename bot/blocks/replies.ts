import { actions, button, header, section } from './elements';
import { foreign, type Message } from './text';

export const menuActions = {
  list: 'menu.list',
  verification: 'menu.verification',
  sessions: 'menu.sessions',
  help: 'menu.help',
} as const;

/** A short answer of our own words; foreign parts in it went through `foreign`. */
export function notice(text: string): Message {
  return { text, blocks: [section(text)] };
}

/** An expected "no", told as it is. `message` may quote anybody and is escaped here. */
export function refused(message: string): Message {
  return notice(foreign(message, 2500));
}

/** Something broke: what to say to whoever looks after Recheck. */
export function failed(reference: string): Message {
  return notice(
    `Something went wrong on our side, and it may not have been done. Try again in a moment; if it stays, tell whoever runs Recheck the reference *${reference}*.`,
  );
}

/** The answer to a bare `/recheck`. */
export function menu(command: string): Message {
  const text = `What would you like to do? \`${command} help\` lists every command.`;
  const label = (action: string, label: string) => button({ action, label, value: label });
  return {
    text,
    blocks: [
      section(text),
      actions([
        label(menuActions.verification, 'What needs a re-run'),
        label(menuActions.list, 'All findings'),
        label(menuActions.sessions, 'Sessions'),
        label(menuActions.help, 'Help'),
      ]),
    ],
  };
}

const commandLines: [usage: string, does: string][] = [
  ['push F-12', 'push findings to Jira; several are named one after the other'],
  ['push shop', 'push findings of a source: all that are ready, or those that you choose; asks first'],
  ['approve', 'the pushes that wait for an admin'],
  ['rerun F-12', 'start a re-run session for findings that are Done in Jira'],
  ['status F-12', 'show a finding, also by its Jira key (`/recheck status ACC-42`) or a link to either'],
  ['list', 'list findings; narrow with a status and a source: `/recheck list open source:shop`'],
  ['why F-12', 'the history of a finding in plain words'],
  ['sessions', 'the re-run sessions under way'],
  ['rules shop', 'what flows to Jira from a source, and how; admins and owners change it'],
  ['connect', 'connect Jira, or see how the connections stand; for admins and owners'],
  ['disconnect', 'end a connection to Jira; asks first'],
  ['help', 'this list'],
];

/** Every command with an example. */
export function help(command: string): Message {
  const lines = commandLines.map(([usage, does]) => `• \`${command} ${usage}\`: ${does}`);
  const text = `*Commands of Recheck*\n${lines.join('\n')}`;
  return {
    text,
    blocks: [
      header('Commands of Recheck'),
      section(lines.join('\n')),
      section(
        'A finding that is Done in Jira is only closed after a re-run passes. Verdicts are given in the answer to that, or on its card.',
      ),
    ],
  };
}

/** An unknown word after the command, with the nearest that we know. */
export function unknownCommand(command: string, given: { word: string; nearest: string | null }): Message {
  const hint = given.nearest ? ` Did you mean \`${command} ${given.nearest}\`?` : '';
  const text = `Recheck has no command called “${foreign(given.word, 60)}”.${hint}`;
  const { blocks } = help(command);
  return { text: `${text} \`${command} help\` lists every command.`, blocks: [section(text), ...blocks] };
}

const elsewhere: Record<string, string> = {
  subscribe: '',
  roles: '`GET` and `POST /api/v1/members`',
};

/** Names of commands that this version does not have in Slack. */
export const elsewhereCommands = Object.keys(elsewhere);

/** Says honestly that a command is not there yet, and what does the same meanwhile. */
export function notYet(where: { command: string; baseUrl: string }, name: string): Message {
  const call = elsewhere[name];
  const instead = call
    ? `The HTTP API does the same with ${call}; calls are described at <${where.baseUrl}/docs>.`
    : 'Nothing does the same yet.';
  return notice(`\`${where.command} ${name}\` is not available in this version yet. ${instead}`);
}
