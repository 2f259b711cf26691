import { z } from 'zod';
import { validateBlocks } from '../block-kit';
import type { Context } from '../context';
import { APP, type Channel } from '../directory';

/** A method of the Web API: its arguments, and what it does; the answer's `ok: true` is added by the caller. */
export interface Method {
  args: z.ZodType<Record<string, unknown>>;
  run: (context: Context, args: never) => Promise<Record<string, unknown>>;
}

/** Ties a method's work to the type of its arguments. */
export function method<S extends z.ZodRawShape>(
  shape: S,
  run: (context: Context, args: z.infer<z.ZodObject<S, z.core.$loose>>) => Promise<Record<string, unknown>>,
): Method {
  return { args: z.looseObject(shape), run: run as Method['run'] };
}

/** An answer with `ok: false`: the message is Slack's error word. */
export class SlackError extends Error {
  readonly details: Record<string, unknown>;

  constructor(error: string, details: Record<string, unknown> = {}) {
    super(error);
    this.name = 'SlackError';
    this.details = details;
  }
}

/** Arguments of a form are texts: these read them as what they mean. */
export const args = {
  name: z.string().default(''),
  text: z.string().optional(),
  flag: z
    .union([z.boolean(), z.enum(['true', 'false', '0', '1'])])
    .transform((value) => String(value) === 'true' || value === '1'),
  count: z.coerce.number().int().min(1),
  blocks: z.unknown().optional(),
};

/** Finds a channel or throws `channel_not_found`. */
export async function getChannel(context: Context, name: string): Promise<Channel> {
  const channel = await context.directory.findChannel(name);
  if (!channel) throw new SlackError('channel_not_found');
  return channel;
}

/** Finds a channel that the app is a member of; throws `channel_not_found` or `not_in_channel`. */
export async function getJoinedChannel(context: Context, name: string): Promise<Channel> {
  const channel = await getChannel(context, name);
  if (!channel.members.includes(APP.userId)) throw new SlackError('not_in_channel');
  return channel;
}

/** Checks the blocks of a message; throws `invalid_blocks_format` or `invalid_blocks` with Slack's messages. */
export function checkBlocks(blocks: unknown): void {
  if (blocks === undefined) return;
  if (!Array.isArray(blocks)) throw new SlackError('invalid_blocks_format');
  const messages = validateBlocks(blocks);
  if (messages.length) throw new SlackError('invalid_blocks', { errors: messages, response_metadata: { messages } });
}
