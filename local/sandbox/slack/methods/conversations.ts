import { z } from 'zod';
import { APP, type Channel, channelObject } from '../directory';
import { messageObject } from '../messages';
import { args, getChannel, getJoinedChannel, type Method, method, SlackError } from './method';

const paging = {
  limit: args.count.max(999).default(100),
  cursor: z.string().optional(),
  oldest: args.text,
  latest: args.text,
  inclusive: args.flag.optional(),
  include_all_metadata: args.flag.optional(),
};

export const conversationMethods: Record<string, Method> = {
  'conversations.history': method({ channel: args.name, ...paging }, async (context, asked) => {
    const channel = await getJoinedChannel(context, asked.channel);
    const found = await context.messages.history({
      ...asked,
      channel: channel.id,
      latest: asked.cursor ? fromCursor(asked.cursor) : asked.latest,
      inclusive: asked.inclusive && !asked.cursor,
    });
    const shown = found.slice(0, asked.limit);
    const roots = shown.filter((each) => !each.threadTs).map((each) => each.ts);
    const replies = await context.messages.replies({ channel: channel.id, roots });
    const messages = shown.map((each) => ({
      ...messageObject(
        each,
        replies.filter((reply) => reply.threadTs === each.ts),
      ),
      ...(asked.include_all_metadata && each.extra.metadata ? { metadata: each.extra.metadata } : {}),
    }));
    const last = found.length > asked.limit ? shown.at(-1) : undefined;
    return { messages, has_more: last !== undefined, pin_count: 0, ...cursorOf(last?.ts) };
  }),
  'conversations.replies': method({ channel: args.name, ts: args.name, ...paging }, async (context, asked) => {
    const channel = await getJoinedChannel(context, asked.channel);
    const message = await context.messages.find({ channel: channel.id, ts: asked.ts });
    if (!message || message.ephemeralFor) throw new SlackError('thread_not_found');
    const root = message.threadTs ?? message.ts;
    const parent = await context.messages.find({ channel: channel.id, ts: root });
    const replies = await context.messages.replies({ channel: channel.id, roots: [root] });
    const after = asked.cursor ? fromCursor(asked.cursor) : (asked.oldest ?? '0');
    const left = replies.filter((each) => each.ts > after);
    const shown = left.slice(0, asked.limit);
    const last = left.length > shown.length ? shown.at(-1) : undefined;
    const messages = [...(parent ? [messageObject(parent, replies)] : []), ...shown.map((each) => messageObject(each))];
    return { messages, has_more: last !== undefined, ...cursorOf(last?.ts) };
  }),
  'conversations.list': method({ types: z.string().default('public_channel') }, async ({ directory }, { types }) => {
    const kinds = types.split(',').map((type) => (type.trim() === 'im' ? 'im' : 'channel'));
    const channels = (await directory.channels()).filter((channel) => kinds.includes(channel.kind));
    return { channels: channels.map(channelObject), response_metadata: { next_cursor: '' } };
  }),
  'conversations.info': method({ channel: args.name }, async (context, { channel }) => ({
    channel: channelObject(await getChannel(context, channel)),
  })),
  'conversations.members': method({ channel: args.name }, async (context, { channel }) => ({
    members: (await getChannel(context, channel)).members,
    response_metadata: { next_cursor: '' },
  })),
  'conversations.join': method({ channel: args.name }, async (context, { channel }) => {
    const found = await getChannel(context, channel);
    if (found.kind === 'im') throw new SlackError('method_not_supported_for_channel_type');
    await context.directory.addMember({ channel: found.id, user: APP.userId });
    return { channel: channelObject({ ...found, members: [...found.members, APP.userId] }) };
  }),
  'conversations.open': method(
    { channel: args.text, users: args.text, return_im: args.flag.optional() },
    async (context, asked) => {
      if (!asked.users && !asked.channel) throw new SlackError('users_list_not_supplied');
      const channel = await context.directory.findChannel(asked.channel ?? asked.users ?? '');
      if (!isDirect(channel)) throw new SlackError(asked.channel ? 'channel_not_found' : 'user_not_found');
      return { channel: asked.return_im ? channelObject(channel) : { id: channel.id } };
    },
  ),
};

function isDirect(channel: Channel | null): channel is Channel {
  return channel?.kind === 'im';
}

function cursorOf(ts: string | undefined) {
  return ts ? { response_metadata: { next_cursor: Buffer.from(`ts:${ts}`).toString('base64') } } : {};
}

function fromCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64').toString();
  if (!text.startsWith('ts:')) throw new SlackError('invalid_cursor');
  return text.slice(3);
}
