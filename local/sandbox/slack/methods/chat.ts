import { z } from 'zod';
import { LIMITS } from '../block-kit-elements';
import type { Context } from '../context';
import { APP, type Channel } from '../directory';
import { type Block, type Message, messageObject } from '../messages';
import { args, checkBlocks, getChannel, getJoinedChannel, type Method, method, SlackError } from './method';

const content = {
  text: args.text,
  blocks: args.blocks,
  attachments: z.unknown().optional(),
  metadata: z.unknown().optional(),
};
const place = { channel: args.name, ts: args.name };

export const chatMethods: Record<string, Method> = {
  'chat.postMessage': method(
    {
      channel: args.name,
      thread_ts: args.text,
      reply_broadcast: args.flag.optional(),
      markdown_text: args.text,
      ...content,
    },
    async (context, posted) => {
      const channel = await getJoinedChannel(context, posted.channel);
      const retryAfter = context.faults.pace(channel.id);
      if (retryAfter) return { ok: false, error: 'ratelimited', retryAfter };
      const checked = checkContent(posted);
      const threadTs = await threadOf(context, channel, posted.thread_ts);
      const message = await context.messages.add({
        channel: channel.id,
        author: APP.userId,
        threadTs,
        ...checked,
        extra: { ...checked.extra, ...(posted.reply_broadcast && threadTs ? { broadcast: true } : {}) },
      });
      return { channel: channel.id, ts: message.ts, message: messageObject(message) };
    },
  ),
  'chat.update': method({ ...place, ...content }, async (context, changed) => {
    const { channel, message } = await ownMessage(context, changed, 'cant_update_message');
    if ((changed.text ?? '').length > LIMITS.updatedText) throw new SlackError('msg_too_long');
    const { text, blocks, extra } = checkContent(changed);
    const updated: Message = {
      ...message,
      // Text without blocks deletes the blocks; metadata and attachments stay unless given anew.
      text: changed.text ?? message.text,
      blocks,
      extra: {
        ...message.extra,
        ...extra,
        ...(blocks ? {} : { edited: { user: APP.userId, ts: context.messages.now() } }),
      },
    };
    await context.messages.replace(updated);
    return { channel: channel.id, ts: message.ts, text, message: messageObject(updated) };
  }),
  'chat.delete': method(place, async (context, at) => {
    const { channel, message } = await ownMessage(context, at, 'cant_delete_message');
    await context.messages.remove(message);
    return { channel: channel.id, ts: message.ts };
  }),
  'chat.postEphemeral': method(
    { channel: args.name, user: args.name, thread_ts: args.text, ...content },
    async (context, posted) => {
      const channel = await getJoinedChannel(context, posted.channel);
      if (!channel.members.includes(posted.user)) throw new SlackError('user_not_in_channel');
      const message = await context.messages.add({
        channel: channel.id,
        author: APP.userId,
        threadTs: await threadOf(context, channel, posted.thread_ts),
        ...checkContent(posted),
        ephemeralFor: posted.user,
      });
      return { message_ts: message.ts };
    },
  ),
  'chat.getPermalink': method({ channel: args.name, message_ts: args.name }, async (context, at) => {
    const channel = await getChannel(context, at.channel);
    const message = await context.messages.find({ channel: channel.id, ts: at.message_ts });
    if (!message || message.ephemeralFor) throw new SlackError('message_not_found');
    return { channel: channel.id, permalink: permalink(context, message) };
  }),
  'reactions.add': method({ channel: args.name, timestamp: args.name, name: args.name }, async (context, at) => {
    const channel = await getJoinedChannel(context, at.channel);
    const message = await context.messages.find({ channel: channel.id, ts: at.timestamp });
    if (!message || message.ephemeralFor) throw new SlackError('message_not_found');
    if (!/^[a-z0-9_+'-]+$/.test(at.name)) throw new SlackError('invalid_name');
    const reactions = (message.extra.reactions ?? []) as { name: string; users: string[]; count: number }[];
    if (reactions.some((each) => each.name === at.name && each.users.includes(APP.userId)))
      throw new SlackError('already_reacted');
    const others = reactions.filter((each) => each.name !== at.name);
    const users = [...(reactions.find((each) => each.name === at.name)?.users ?? []), APP.userId];
    const extra = { ...message.extra, reactions: [...others, { name: at.name, users, count: users.length }] };
    await context.messages.replace({ ...message, extra });
    return {};
  }),
};

/** The address of a message in the sandbox's page. */
export function permalink(context: Context, message: Message): string {
  const thread = message.threadTs ? `?thread_ts=${message.threadTs}&cid=${message.channel}` : '';
  return `${context.settings.baseUrl}/archives/${message.channel}/p${message.ts.replace('.', '')}${thread}`;
}

interface Content {
  text?: string | undefined;
  blocks?: unknown;
  attachments?: unknown;
  metadata?: unknown;
  markdown_text?: string | undefined;
}

/** Checks text, blocks and metadata of a message as chat.postMessage does, and cuts text at 40 000 characters. */
export function checkContent(posted: Content): {
  text: string;
  blocks: Block[] | null;
  extra: Record<string, unknown>;
} {
  checkBlocks(posted.blocks);
  const blocks = Array.isArray(posted.blocks) && posted.blocks.length ? (posted.blocks as Block[]) : null;
  if (posted.markdown_text !== undefined && (posted.text !== undefined || blocks))
    throw new SlackError('markdown_text_conflict');
  if ((posted.markdown_text ?? '').length > LIMITS.markdown) throw new SlackError('msg_too_long');
  const text = (posted.text ?? posted.markdown_text ?? '').slice(0, LIMITS.postedText);
  if (!text.trim() && !blocks && !posted.attachments) throw new SlackError('no_text');
  return {
    text,
    blocks,
    extra: {
      ...(posted.metadata ? { metadata: checkMetadata(posted.metadata) } : {}),
      ...(posted.attachments ? { attachments: posted.attachments } : {}),
    },
  };
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const metadata = z.strictObject({
  event_type: z.string().regex(/^\w{1,255}$/),
  event_payload: z.record(z.string(), z.union([scalar, z.array(scalar), z.record(z.string(), scalar)])),
});

function checkMetadata(value: unknown): unknown {
  const parsed = metadata.safeParse(value);
  if (!parsed.success) throw new SlackError('invalid_metadata_format');
  return parsed.data;
}

/** The parent of a reply: it must exist and not itself be a reply. */
async function threadOf(context: Context, channel: Channel, ts: string | undefined): Promise<string | null> {
  if (!ts) return null;
  const parent = await context.messages.find({ channel: channel.id, ts });
  if (!parent || parent.ephemeralFor) throw new SlackError('thread_not_found');
  if (parent.threadTs) throw new SlackError('cannot_reply_to_message');
  return ts;
}

/** The app's own message. A person's id is no channel here: updates need the id of the direct message itself. */
async function ownMessage(context: Context, at: { channel: string; ts: string }, refused: string) {
  const channel = await getChannel(context, at.channel);
  if (channel.id !== at.channel) throw new SlackError('channel_not_found');
  const message = await context.messages.find({ channel: channel.id, ts: at.ts });
  if (!message || message.ephemeralFor || message.isTombstone) throw new SlackError('message_not_found');
  if (message.author !== APP.userId) throw new SlackError(refused);
  return { channel, message };
}
