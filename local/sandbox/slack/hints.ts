/**
 * What the composer offers after the app's command, in the order of the app's help: each word with what it is for. The
 * sandbox knows the app from outside alone, as Slack does, so this is a copy; a test holds it to the help.
 */
export const COMMAND_HINTS: readonly (readonly [word: string, what: string])[] = [
  ['push', 'Push findings to Jira: push F-12'],
  ['approve', 'Pushes that wait for an admin'],
  ['rerun', 'Verify fixes: rerun F-12'],
  ['status', 'Where a finding stands: status F-12'],
  ['list', 'Findings, by status and source: list open source:shop'],
  ['why', 'The history of a finding in plain words: why F-12'],
  ['sessions', 'Re-run sessions that are open'],
  ['rules', 'What flows to Jira from a source: rules shop'],
  ['connect', 'Connect Jira, or see how the connections stand'],
  ['disconnect', 'End a connection to Jira'],
  ['help', 'What Recheck can do'],
];
