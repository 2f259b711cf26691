// The bodies of what Slack sends to the app: field for field as Bolt's types and Slack's reference have them.
import { randomBytes } from 'node:crypto';
import type { Context } from './context';
import { APP, type Channel, TEAM, type User } from './directory';
import { elementsOf, viewState } from './element-state';
import { type Block, type Message, messageObject } from './messages';
import { type View, viewObject } from './views';

type Values = View['values'];

/** The fields of a slash command's form. */
export async function commandForm(
  context: Context,
  { user, channel, text }: { user: User; channel: Channel; text: string },
): Promise<Record<string, string>> {
  const target = { channel: channel.id, userId: user.id, ts: null, isEphemeral: true, threadTs: null };
  return {
    token: 'deprecated',
    team_id: TEAM.id,
    team_domain: TEAM.domain,
    channel_id: channel.id,
    channel_name: channelName(channel),
    user_id: user.id,
    user_name: user.name,
    command: context.settings.command,
    text,
    api_app_id: APP.id,
    is_enterprise_install: 'false',
    response_url: await responseUrl(context, target),
    trigger_id: await context.triggers.create({ userId: user.id, viewId: null }),
  };
}

/** A block_actions payload for an element of a message. */
export async function messageActions(
  context: Context,
  { user, channel, message, action, values }: Acted & { channel: Channel; message: Message },
) {
  const isEphemeral = message.ephemeralFor !== null;
  const thread = message.threadTs ? { thread_ts: message.threadTs } : {};
  return {
    type: 'block_actions',
    ...common(user),
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...thread,
    },
    trigger_id: await context.triggers.create({ userId: user.id, viewId: null }),
    channel: { id: channel.id, name: channelName(channel) },
    ...(isEphemeral ? {} : { message: messageObject(message) }),
    state: { values: viewState(message.blocks ?? [], values) },
    response_url: await responseUrl(context, {
      channel: channel.id,
      userId: user.id,
      ts: message.ts,
      isEphemeral,
      threadTs: message.threadTs,
    }),
    actions: [action],
  };
}

/** A block_actions payload for an element of a modal or Home tab: no channel and no response_url. */
export async function viewActions(context: Context, { user, view, action }: Omit<Acted, 'values'> & { view: View }) {
  return {
    type: 'block_actions',
    ...common(user),
    container: { type: 'view', view_id: view.id },
    trigger_id: await context.triggers.create({ userId: user.id, viewId: view.id }),
    view: viewObject(view),
    actions: [action],
  };
}

/** A view_submission payload. */
export async function submission(context: Context, { user, view }: { user: User; view: View }) {
  return {
    type: 'view_submission',
    ...common(user),
    trigger_id: await context.triggers.create({ userId: user.id, viewId: view.id }),
    view: viewObject(view),
    response_urls: await submissionUrls(context, user, view),
  };
}

/** A view_closed payload. */
export function closing({ user, view, isCleared }: { user: User; view: View; isCleared: boolean }) {
  return { type: 'view_closed', ...common(user), view: viewObject(view), is_cleared: isCleared };
}

/** A global shortcut's payload, or a message shortcut's where a message is given. */
export async function shortcut(
  context: Context,
  { user, callbackId, on }: { user: User; callbackId: string; on?: { channel: Channel; message: Message } | undefined },
) {
  const triggerId = await context.triggers.create({ userId: user.id, viewId: null });
  const shared = { ...common(user), callback_id: callbackId, trigger_id: triggerId, action_ts: context.messages.now() };
  if (!on) return { type: 'shortcut', ...shared };
  const { channel, message } = on;
  return {
    type: 'message_action',
    ...shared,
    channel: { id: channel.id, name: channelName(channel) },
    message_ts: message.ts,
    message: messageObject(message),
    response_url: await responseUrl(context, {
      channel: channel.id,
      userId: user.id,
      ts: message.ts,
      isEphemeral: false,
      threadTs: message.threadTs,
    }),
  };
}

/** A block_suggestion payload: the options of an external select are asked for what the user typed. */
export function suggestion({ user, view, on, actionId, blockId, value }: Suggested) {
  return {
    type: 'block_suggestion',
    ...common(user),
    action_id: actionId,
    block_id: blockId,
    value,
    ...(view ? { container: { type: 'view', view_id: view.id }, view: viewObject(view) } : {}),
    ...(on
      ? {
          container: { type: 'message', message_ts: on.message.ts, channel_id: on.channel.id, is_ephemeral: false },
          channel: { id: on.channel.id, name: channelName(on.channel) },
          message: messageObject(on.message),
        }
      : {}),
  };
}

/** The envelope of an Events API delivery. */
export function eventEnvelope(event: Record<string, unknown>) {
  return {
    token: 'deprecated',
    team_id: TEAM.id,
    context_team_id: TEAM.id,
    context_enterprise_id: null,
    api_app_id: APP.id,
    event,
    type: 'event_callback',
    event_id: `Ev0${randomBytes(5).toString('hex').toUpperCase()}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      { enterprise_id: null, team_id: TEAM.id, user_id: APP.userId, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
  };
}

interface Acted {
  user: User;
  action: Record<string, unknown>;
  values: Values;
}

interface Suggested {
  user: User;
  view?: View | null;
  on?: { channel: Channel; message: Message } | null;
  actionId: string;
  blockId: string;
  value: string;
}

function common(user: User) {
  return {
    user: { id: user.id, username: user.name, name: user.name, team_id: TEAM.id },
    api_app_id: APP.id,
    token: 'deprecated',
    team: { id: TEAM.id, domain: TEAM.domain },
    enterprise: null,
    is_enterprise_install: false,
  };
}

function channelName(channel: Channel): string {
  return channel.kind === 'im' ? 'directmessage' : channel.name;
}

async function responseUrl(
  context: Context,
  target: Parameters<Context['triggers']['createResponseUrl']>[0],
): Promise<string> {
  return `${context.settings.baseUrl}/response/${await context.triggers.createResponseUrl(target)}`;
}

// A select with response_url_enabled gives the app a way to post where the user pointed to.
async function submissionUrls(context: Context, user: User, view: View) {
  const urls = [];
  for (const block of view.content.blocks as Block[]) {
    for (const element of elementsOf(block)) {
      const chosen = view.values[String(block.block_id)]?.[element.action_id] as Record<string, string> | undefined;
      const channel = chosen?.selected_conversation ?? chosen?.selected_channel;
      if (!element.response_url_enabled || !channel) continue;
      const target = { channel, userId: user.id, ts: null, isEphemeral: true, threadTs: null };
      urls.push({
        response_url: await responseUrl(context, target),
        channel_id: channel,
        block_id: block.block_id,
        action_id: element.action_id,
      });
    }
  }
  return urls;
}
