import type { types } from '@slack/bolt';
import type { ConnectionView, EndedView } from '../../api/operations/connection-types';
import { actions, button, header, section } from './elements';
import { notice } from './replies';
import { count, foreign, type Message, moment } from './text';

export const connectActions = {
  open: 'connect.open_page',
  askDisconnect: 'connect.ask_disconnect',
  disconnect: 'connect.disconnect',
  keep: 'connect.keep',
} as const;

const SHOWN = 10;

/** The way to the connect page, and how the connections stand. The link is in the button alone, for nobody to unfurl. */
export function connectOffer(input: {
  connections: ConnectionView[];
  ended: EndedView[];
  url: string;
  minutes: number;
}): Message {
  const { connections, ended, url, minutes } = input;
  const rows = [...connections.slice(0, SHOWN).map(connectionWords), ...ended.slice(0, SHOWN).map(endedWords)];
  const none = ended.length === 0 ? 'Jira is not connected yet.' : 'Jira is not connected any more.';
  const head = connections.length === 0 ? none : `${count(connections.length, 'connection')} to Jira`;
  const how = `The button opens the connect page. The link works once, for you alone, in the next ${count(minutes, 'minute')}.`;
  return {
    text: fitting(head, rows, how),
    blocks: [
      header(head),
      ...rows.map((row) => section(row)),
      section(how),
      actions([button({ action: connectActions.open, label: 'Open the connect page', url, style: 'primary' })]),
    ],
  };
}

/** What a connection that was ended left behind, safe for mrkdwn. */
function endedWords({ siteUrl, projectKey, disconnectedAt, links, sources }: EndedView): string {
  const named = sources.slice(0, SHOWN).map((key) => foreign(key, 100));
  const more = sources.length > SHOWN ? ` and ${sources.length - SHOWN} more` : '';
  const left = sources.length > 0 ? ` Sources that still name it: ${named.join(', ')}${more}.` : '';
  const name = `*${foreign(siteUrl, 200)}* (${foreign(projectKey, 80)})`;
  const how = 'can be adopted by a new connection to the same site: the connect page offers it';
  return `${name}: disconnected ${moment(new Date(disconnectedAt))}. Its ${count(links, 'link')} to issues ${how}.${left}`;
}

/** As many of the rows as fit into a message that must not be cut at its end. */
function fitting(head: string, rows: string[], last: string): string {
  let text = head;
  for (const row of rows) if (text.length + row.length + last.length < 3900) text += `\n${row}`;
  return `${text}\n${last}`;
}

const kindWords: Record<ConnectionView['kind'], string> = { api_token: 'API token', oauth: 'OAuth' };

/** What tells two connections apart, even to one site: the project, and the kind and account of the credentials. */
function partsOf(connection: ConnectionView): { site: string; rest: string } {
  const { siteUrl, projectKey, kind, email, accountName, accountId } = connection;
  const account = email ?? accountName ?? (accountId && `account ${accountId}`);
  const by = account ? `${kindWords[kind]} of ${account}` : kindWords[kind];
  return { site: siteUrl, rest: `${projectKey}, ${by}` };
}

/** The same for mrkdwn. */
function nameOf(connection: ConnectionView): string {
  const { site, rest } = partsOf(connection);
  return `*${foreign(site, 200)}* (${foreign(rest, 300)})`;
}

/** The same where nothing is parsed; Slack reads out 75 characters of a label, so the address goes without its scheme. */
function plainName(connection: ConnectionView): string {
  const { site, rest } = partsOf(connection);
  return `${site.replace(/^https?:\/\//, '')}, ${rest}`;
}

/** One connection with its health in words, safe for mrkdwn. */
function connectionWords(connection: ConnectionView): string {
  const { status, autoSync, health } = connection;
  const name = nameOf(connection);
  const state =
    status === 'reconnect_required' ? 'needs to be reconnected' : health.ok ? 'works' : 'works, but look at this';
  const troubles = health.checks.filter((check) => !check.ok);
  const facts = [
    health.lastWebhookAt ? `last webhook ${moment(new Date(health.lastWebhookAt))}` : 'no webhook yet',
    health.lastPollAt ? `last poll ${moment(new Date(health.lastPollAt))}` : 'no poll yet',
    `auto sync ${autoSync ? 'on' : 'off'}`,
    ...(health.webhookExpiresAt ? [`webhook until ${moment(new Date(health.webhookExpiresAt))}`] : []),
    ...(health.heldPushes > 0 ? [`${health.heldPushes} held ${health.heldPushes === 1 ? 'push' : 'pushes'}`] : []),
  ];
  const lines = troubles.slice(0, 3).map(({ cause, cure }) => `• ${foreign(`${cause ?? ''} ${cure ?? ''}`, 500)}`);
  return [`${name}: ${state}; ${facts.join(', ')}.`, ...lines].join('\n');
}

/** What is said when a connection was ended. */
export function disconnected(connection: ConnectionView): Message {
  return notice(`${nameOf(connection)} is disconnected. Its links stay as history.`);
}

/** Which connection is to be ended. */
export function disconnectChoice(connections: ConnectionView[]): Message {
  if (connections.length === 0) return notice('Jira is not connected, so there is nothing to disconnect.');
  const text = 'Which connection shall be ended? You are asked once more.';
  const rows = connections.slice(0, SHOWN).map((connection): types.KnownBlock => {
    const ask = button({
      action: connectActions.askDisconnect,
      label: 'Disconnect',
      about: plainName(connection),
      value: connection.id,
      style: 'danger',
    });
    return section(nameOf(connection), ask);
  });
  const names = connections.slice(0, SHOWN).map(nameOf);
  return { text: `${text}\n${names.join('\n')}`, blocks: [section(text), ...rows] };
}

/** What ending a connection means for which sources, with the button that does it. */
export function disconnectConfirmation(connection: ConnectionView, { sources }: { sources: string[] }): Message {
  const { id, kind } = connection;
  const named = sources.slice(0, SHOWN).map((key) => foreign(key, 100));
  const more = sources.length > SHOWN ? ` and ${sources.length - SHOWN} more` : '';
  const affected =
    sources.length === 0
      ? 'No source is routed to it.'
      : `Sources that push nothing until their rule names another connection: ${named.join(', ')}${more}.`;
  const text = `Disconnect ${nameOf(connection)}? Its credentials are erased, nothing is pushed through it any more${kind === 'oauth' ? ', its webhook in Jira is deleted' : ''}, and its links stay as history. ${affected} A new connection to the same site can adopt the links.`;
  return {
    text,
    blocks: [
      section(text),
      actions([
        button({
          action: connectActions.disconnect,
          label: 'Yes, disconnect',
          about: plainName(connection),
          value: id,
          style: 'danger',
        }),
        button({ action: connectActions.keep, label: 'Keep it', value: id }),
      ]),
    ],
  };
}
