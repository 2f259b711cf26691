import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

const TRIGGER_SECONDS = 3;
const RESPONSE_URL_MINUTES = 30;
const RESPONSE_URL_USES = 5;

export interface Trigger {
  userId: string;
  /** The view that the user acted in; views.push needs one. */
  viewId: string | null;
}

export interface ResponseTarget {
  channel: string;
  userId: string;
  /** The message that replace_original and delete_original mean; none for a slash command. */
  ts: string | null;
  isEphemeral: boolean;
  threadTs: string | null;
}

/** The two short-lived permits of an interaction: trigger_id (3 s, once) and response_url (30 minutes, 5 uses). */
export function createTriggers(db: Pool) {
  return {
    async create(trigger: Trigger): Promise<string> {
      const id = `${Date.now()}.${Math.floor(Math.random() * 1e9)}.${randomBytes(16).toString('hex')}`;
      await db.query('insert into slack.triggers (id, user_id, view_id) values ($1, $2, $3)', [
        id,
        trigger.userId,
        trigger.viewId,
      ]);
      return id;
    },
    /** Uses a trigger up. Answers Slack's error word when it is unknown, too old or used before. */
    async exchange(
      id: string,
    ): Promise<Trigger | 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id'> {
      const taken = await db.query<Trigger>(
        `update slack.triggers set used_at = now()
         where id = $1 and used_at is null and created_at > now() - make_interval(secs => $2)
         returning user_id as "userId", view_id as "viewId"`,
        [id, TRIGGER_SECONDS],
      );
      if (taken.rows[0]) return taken.rows[0];
      const { rows } = await db.query<{ used: boolean }>(
        'select used_at is not null as used from slack.triggers where id = $1',
        [id],
      );
      if (!rows[0]) return 'invalid_trigger_id';
      return rows[0].used ? 'exchanged_trigger_id' : 'expired_trigger_id';
    },
    /** Answers the id in the path of a new response_url. */
    async createResponseUrl(target: ResponseTarget): Promise<string> {
      const id = randomBytes(12).toString('hex');
      await db.query(
        `insert into slack.response_urls (id, channel, user_id, ts, is_ephemeral, thread_ts)
         values ($1, $2, $3, $4, $5, $6)`,
        [id, target.channel, target.userId, target.ts, target.isEphemeral, target.threadTs],
      );
      return id;
    },
    /** Counts one use. Answers null when the URL is unknown, too old or used up. */
    async useResponseUrl(id: string): Promise<ResponseTarget | null> {
      const { rows } = await db.query<ResponseTarget>(
        `update slack.response_urls set uses = uses + 1
         where id = $1 and uses < $2 and created_at > now() - make_interval(mins => $3)
         returning channel, user_id as "userId", ts, is_ephemeral as "isEphemeral", thread_ts as "threadTs"`,
        [id, RESPONSE_URL_USES, RESPONSE_URL_MINUTES],
      );
      return rows[0] ?? null;
    },
  };
}
export type Triggers = ReturnType<typeof createTriggers>;
