import type { types } from '@slack/bolt';
import type { ConnectionView } from '../../api/operations/connection-types';
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
export function connectOffer(input: { connections: ConnectionView[]; url: string; minutes: number }): Message {
  const { connections, url, minutes } = input;
  const rows = connections.slice(0, SHOWN).map(connectionWords);
  const head =
    connections.length === 0 ? 'Jira is not connected yet.' : `${count(connections.length, 'connection')} to Jira`;
  const how = `The button opens the connect page. The link works once, for you alone, in the next ${count(minutes, 'minute')}.`;
  return {
    text: [head, ...rows, how].join('\n'),
    blocks: [
      header(head),
      ...rows.map((row) => section(row)),
      section(how),
      actions([button({ action: connectActions.open, label: 'Open the connect page', url, style: 'primary' })]),
    ],
  };
}

/** One connection with its health in words, safe for mrkdwn. */
function connectionWords({ siteUrl, projectKey, kind, status, autoSync, health }: ConnectionView): string {
  const name = `*${foreign(siteUrl, 200)}* (${foreign(projectKey, 80)}, ${kind === 'oauth' ? 'OAuth' : 'API token'})`;
  const state =
    status === 'reconnect_required' ? 'needs to be reconnected' : health.ok ? 'works' : 'works, but look at this';
  const troubles = health.checks.filter((check) => !check.ok);
  const facts = [
    health.lastWebhookAt ? `last webhook ${moment(new Date(health.lastWebhookAt))}` : 'no webhook yet',
    health.lastPollAt
      ? `last poll ${moment(new Date(health.lastPollAt))}`
      : `auto sync ${autoSync ? 'on, no poll yet' : 'off'}`,
    ...(health.webhookExpiresAt ? [`webhook until ${moment(new Date(health.webhookExpiresAt))}`] : []),
    ...(health.heldPushes > 0 ? [`${health.heldPushes} held ${health.heldPushes === 1 ? 'push' : 'pushes'}`] : []),
  ];
  const lines = troubles.slice(0, 3).map(({ cause, cure }) => `• ${foreign(`${cause ?? ''} ${cure ?? ''}`, 500)}`);
  return [`${name}: ${state}; ${facts.join(', ')}.`, ...lines].join('\n');
}

/** Which connection is to be ended. */
export function disconnectChoice(connections: ConnectionView[]): Message {
  if (connections.length === 0) return notice('Jira is not connected, so there is nothing to disconnect.');
  const text = 'Which connection shall be ended? You are asked once more.';
  const rows = connections.slice(0, SHOWN).map(({ id, siteUrl, projectKey }): types.KnownBlock => {
    const name = `${siteUrl} (${projectKey})`;
    const ask = button({
      action: connectActions.askDisconnect,
      label: 'Disconnect',
      says: `Disconnect ${name}`,
      value: id,
      style: 'danger',
    });
    return section(`*${foreign(siteUrl, 200)}* (${foreign(projectKey, 80)})`, ask);
  });
  const names = connections
    .slice(0, SHOWN)
    .map(({ siteUrl, projectKey }) => foreign(`${siteUrl} (${projectKey})`, 300));
  return { text: `${text}\n${names.join('\n')}`, blocks: [section(text), ...rows] };
}

/** What ending a connection means, with the button that does it. */
export function disconnectConfirmation({ id, siteUrl, projectKey }: ConnectionView): Message {
  const text = `Disconnect *${foreign(siteUrl, 200)}* (${foreign(projectKey, 80)})? Its credentials are erased, nothing is pushed through it any more, and its links stay as history. A new connection to the same site can adopt them.`;
  return {
    text,
    blocks: [
      section(text),
      actions([
        button({
          action: connectActions.disconnect,
          label: 'Yes, disconnect',
          says: `Yes, disconnect ${siteUrl}`,
          value: id,
          style: 'danger',
        }),
        button({ action: connectActions.keep, label: 'Keep it', value: id }),
      ]),
    ],
  };
}
