import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { APP, TEAM } from './directory';

export interface Block {
  type: string;
  block_id?: string;
  [field: string]: unknown;
}

export interface Message {
  channel: string;
  ts: string;
  threadTs: string | null;
  author: string;
  text: string;
  blocks: Block[] | null;
  /** What Slack shows beside the text: metadata, attachments, files, edited, reactions, subtype. */
  extra: Record<string, unknown>;
  ephemeralFor: string | null;
  isTombstone: boolean;
}

export interface NewMessage {
  channel: string;
  author: string;
  text: string;
  threadTs?: string | null;
  blocks?: Block[] | null;
  extra?: Record<string, unknown>;
  ephemeralFor?: string | null;
}

export interface Page {
  channel: string;
  limit: number;
  oldest?: string | undefined;
  latest?: string | undefined;
  inclusive?: boolean | undefined;
}

const columns = `select channel, ts, thread_ts as "threadTs", author, text, blocks, extra,
  ephemeral_for as "ephemeralFor", is_tombstone as "isTombstone" from slack.messages`;

/** The messages of all channels, ephemeral ones among them. `changed` is called after every write. */
export function createMessages(db: Pool, changed: () => void) {
  const nextTs = createClock();
  const list = async (where: string, values: unknown[]): Promise<Message[]> =>
    (await db.query<Message>(`${columns} ${where}`, values)).rows;

  return {
    async add(message: NewMessage): Promise<Message> {
      const ts = nextTs();
      await db.query(
        `insert into slack.messages (channel, ts, thread_ts, author, text, blocks, extra, ephemeral_for)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          message.channel,
          ts,
          message.threadTs ?? null,
          message.author,
          message.text,
          message.blocks ? JSON.stringify(withIds(message.blocks)) : null,
          JSON.stringify(message.extra ?? {}),
          message.ephemeralFor ?? null,
        ],
      );
      changed();
      const [added] = await list('where channel = $1 and ts = $2', [message.channel, ts]);
      if (!added) throw new Error(`message ${ts} vanished while it was stored`);
      return added;
    },
    /** Finds a message, ephemeral ones included. */
    async find(at: { channel: string; ts: string }): Promise<Message | null> {
      return (await list('where channel = $1 and ts = $2', [at.channel, at.ts]))[0] ?? null;
    },
    async replace(message: Message): Promise<void> {
      await db.query('update slack.messages set text = $3, blocks = $4, extra = $5 where channel = $1 and ts = $2', [
        message.channel,
        message.ts,
        message.text,
        message.blocks ? JSON.stringify(withIds(message.blocks)) : null,
        JSON.stringify(message.extra),
      ]);
      changed();
    },
    /** Deletes; a message with replies stays as a tombstone, as in Slack. */
    async remove(at: { channel: string; ts: string }): Promise<void> {
      const { rowCount } = await db.query(
        `update slack.messages set is_tombstone = true, text = 'This message was deleted.', blocks = null, extra = '{}'
         where channel = $1 and ts = $2 and exists
           (select 1 from slack.messages reply where reply.channel = $1 and reply.thread_ts = $2)`,
        [at.channel, at.ts],
      );
      if (!rowCount) await db.query('delete from slack.messages where channel = $1 and ts = $2', [at.channel, at.ts]);
      changed();
    },
    /** Top-level messages of a channel, newest first; one more than `limit`, which tells whether there are more. */
    history(page: Page): Promise<Message[]> {
      const equal = page.inclusive ? '=' : '';
      return list(
        `where channel = $1 and ephemeral_for is null and (thread_ts is null or extra ? 'broadcast')
           and ts >${equal} $2 and ts <${equal} $3 order by ts desc limit $4`,
        [page.channel, page.oldest ?? '0', page.latest ?? '9', page.limit + 1],
      );
    },
    /** The replies of threads, oldest first. */
    replies(thread: { channel: string; roots: string[] }): Promise<Message[]> {
      return list('where channel = $1 and thread_ts = any ($2) and ephemeral_for is null order by ts', [
        thread.channel,
        thread.roots,
      ]);
    },
    /** What only this person sees, oldest first, from `since` (exclusive) on; the last hundred. */
    async ephemerals(of: { user: string; since?: string }): Promise<Message[]> {
      const newest = await list('where ephemeral_for = $1 and ts > $2 order by ts desc limit 100', [
        of.user,
        of.since ?? '0',
      ]);
      return newest.reverse();
    },
    now: nextTs,
  };
}
export type Messages = ReturnType<typeof createMessages>;

// A ts is the message's name, so two must never be equal, even within one microsecond.
function createClock(): () => string {
  let last = 0;
  return () => {
    last = Math.max(Date.now() * 1000, last + 1);
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
  };
}

/** Gives blocks and their interactive elements the ids that Slack gives where the app left them out. */
export function withIds(blocks: Block[]): Block[] {
  return blocks.map((block) => ({
    ...block,
    block_id: block.block_id ?? shortId(),
    ...(block.type === 'actions' ? { elements: (block.elements as object[]).map(withActionId) } : {}),
    ...(block.accessory ? { accessory: withActionId(block.accessory) } : {}),
    ...(block.element ? { element: withActionId(block.element) } : {}),
  }));
}

function withActionId(element: object): object {
  if ('type' in element && element.type === 'image') return element;
  return { ...element, action_id: 'action_id' in element ? element.action_id : shortId() };
}

function shortId(): string {
  return randomBytes(4).toString('base64url').slice(0, 5);
}

/** A message as the Web API and interaction payloads show it; with `replies`, the summary of its thread as well. */
export function messageObject(message: Message, replies: Message[] = []) {
  const { metadata: _hidden, broadcast, ...extra } = message.extra;
  const isBot = message.author === APP.userId;
  return {
    type: 'message',
    user: message.author,
    ts: message.ts,
    text: message.text,
    team: TEAM.id,
    ...(isBot ? { bot_id: APP.botId, app_id: APP.id } : {}),
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...extra,
    ...(broadcast ? { subtype: 'thread_broadcast' } : {}),
    ...(message.isTombstone ? { subtype: 'tombstone', hidden: true } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...threadSummary(message, replies),
  };
}

function threadSummary(message: Message, replies: Message[]) {
  const last = replies.at(-1);
  if (message.threadTs || !last) return {};
  const users = [...new Set(replies.map((reply) => reply.author))];
  return {
    thread_ts: message.ts,
    reply_count: replies.length,
    reply_users: users,
    reply_users_count: users.length,
    latest_reply: last.ts,
    is_locked: false,
    subscribed: false,
  };
}
