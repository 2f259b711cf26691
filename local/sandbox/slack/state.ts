import type { Context } from './context';
import { APP, type Channel, TEAM, type User } from './directory';
import { COMMAND_HINTS } from './hints';
import { type Message, messageObject } from './messages';
import { viewObject } from './views';

const SHOWN_MESSAGES = 100;

/**
 * What one person sees: the workspace, the channels with their last hundred messages and threads (of one channel where
 * `channel` names it), ephemeral messages, the open modal and the Home tab.
 */
export async function visibleState(context: Context, { user, channel }: { user: User; channel?: string | undefined }) {
  const channels = (await context.directory.channels()).filter((each) => each.members.includes(user.id));
  const ephemerals = await context.messages.ephemerals({ user: user.id });
  const top = await context.views.top(user.id);
  const home = await context.views.home(user.id);
  const { settings } = context;
  return {
    team: TEAM,
    app: APP,
    me: user,
    users: await context.directory.users(),
    command: settings.command,
    hints: COMMAND_HINTS,
    shortcuts: settings.shortcuts,
    channels: await Promise.all(
      channels.map(async (each) => ({
        ...summary(each),
        latest: (await context.messages.history({ channel: each.id, limit: 0 }))[0]?.ts ?? null,
        ...(!channel || channel === each.id ? { messages: await conversation(context, each, ephemerals) } : {}),
      })),
    ),
    view: top ? viewObject(top) : null,
    viewDepth: top ? await context.views.depth(top) : 0,
    home: home ? viewObject(home) : null,
  };
}

function summary({ id, name, kind, topic, user, members }: Channel) {
  return { id, name, kind, topic, user, memberCount: members.length, hasApp: members.includes(APP.userId) };
}

async function conversation(context: Context, channel: Channel, ephemerals: Message[]) {
  const own = ephemerals.filter((each) => each.channel === channel.id);
  const newest = await context.messages.history({ channel: channel.id, limit: SHOWN_MESSAGES - 1 });
  const roots = newest.filter((each) => !each.threadTs).map((each) => each.ts);
  const replies = await context.messages.replies({ channel: channel.id, roots });
  const threads = groupByThread([...replies, ...own]);
  const top = [...newest, ...own.filter((each) => !each.threadTs)].sort(byTs);
  return top.map((each) => ({
    ...shown(
      each,
      replies.filter((reply) => reply.threadTs === each.ts),
    ),
    replies: each.threadTs ? [] : (threads.get(each.ts) ?? []).sort(byTs).map((reply) => shown(reply)),
  }));
}

function shown(message: Message, replies: Message[] = []) {
  return { ...messageObject(message, replies), ephemeral: message.ephemeralFor !== null };
}

function byTs(one: Message, other: Message): number {
  return one.ts < other.ts ? -1 : 1;
}

function groupByThread(messages: Message[]): Map<string, Message[]> {
  const threads = new Map<string, Message[]>();
  for (const message of messages) {
    const root = message.threadTs ?? '';
    threads.set(root, [...(threads.get(root) ?? []), message]);
  }
  return threads;
}
