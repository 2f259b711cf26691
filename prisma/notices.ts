import type { Pool } from 'pg';
import type { ConnectionKind } from './connection-row';
import { waitsForConnection } from './pushes';

/** A notice that this process may deliver until its lease ends. */
export type ClaimedNotice = {
  id: string;
  organisationId: string;
  kind: string;
  /** Cause and cure in plain words, without secrets. */
  detail: string;
  createdAt: Date;
  /** Null while it is not over. */
  resolvedAt: Date | null;
  siteUrl: string;
  /** The connection's own project, and the kind of its credentials. */
  projectKey: string;
  connectionKind: ConnectionKind;
  /** Push items that wait for the connection just now. */
  heldPushes: number;
  /** Attempts to deliver it, this one included. */
  attempts: number;
};

/** Where a notice goes: the direct messages of one person, or a channel. */
export type Addressee = { installationId: string; channelId: string; name: string };

/** Who has to know: everybody who may connect Jira, and where to say it if none of them can be reached. */
export type Audience = { admins: Addressee[]; channels: Addressee[] };

// Older ones are no news any more; they wait where Slack was not there for so long.
const unsent = `n.sent_at is null and n.created_at > now() - interval '7 days'`;

// What broke is told before what is well again: of each connection only the oldest is due.
const claimSql = `
  update notice set attempts = notice.attempts + 1, not_before = now() + $1 * interval '1 millisecond'
  from connection c
  where c.id = notice.connection_id and notice.id in (
    select n.id from notice n
    where ${unsent} and (n.not_before is null or n.not_before <= now())
      and exists (
        select 1 from slack_installation i
        where i.organisation_id = n.organisation_id and i.status = 'installed' and i.bot_token is not null)
      and not exists (
        select 1 from notice older
        where older.connection_id = n.connection_id and older.sent_at is null
          and older.created_at > now() - interval '7 days' and (older.created_at, older.id) < (n.created_at, n.id))
    order by n.created_at
    limit 1 for update skip locked)
  returning notice.id, notice.organisation_id as "organisationId", notice.kind, notice.detail,
    notice.created_at as "createdAt", notice.resolved_at as "resolvedAt", c.site_url as "siteUrl", notice.attempts,
    c.project_key as "projectKey", c.kind as "connectionKind",
    (select count(*)::int from push_item i join push_batch b on b.id = i.batch_id join source s on s.id = b.source_id
      where i.outcome = 'held' and b.status = 'running' and ${waitsForConnection} = c.id) as "heldPushes"`;

// A reminder of an approval has the id of its push, which whoever asked for it cannot approve.
const audienceSql = `
  select i.id as "installationId", i.channel_id as "channelId", m.slack_user_id as "userId", m.name,
    exists (
      select 1 from notice n join push_batch b on b.id = n.id
      where n.id = $2 and n.kind = 'approval_waits' and b.requested_by_id = m.id) as "hasAsked"
  from slack_installation i
  left join member m on m.organisation_id = i.organisation_id and m.slack_team_id = i.team_id
    and m.slack_user_id is not null and m.removed_at is null and m.role in ('owner', 'admin')
  where i.organisation_id = $1 and i.status = 'installed' and i.bot_token is not null
  order by i.created_at, m.created_at, m.id`;

type AudienceRow = {
  installationId: string;
  channelId: string | null;
  userId: string | null;
  name: string | null;
  hasAsked: boolean;
};

/** What admins are told about connections. Who was told what is kept in the audit log, so that nobody is told twice. */
export function createNoticeStore({ pool }: { pool: Pool }) {
  const toldKey = (noticeId: string, channelId: string) => `notice:${noticeId}:${channelId}`;

  return {
    /** Takes the oldest due notice for `leaseMs`; no other process gets it meanwhile. Null where none is due. */
    async claim({ leaseMs }: { leaseMs: number }): Promise<ClaimedNotice | null> {
      const { rows } = await pool.query<ClaimedNotice>({ name: 'notice-claim', text: claimSql, values: [leaseMs] });
      return rows[0] ?? null;
    },

    /** The owners and admins who can be reached in Slack and do something about it, and the workspaces' channels. */
    async audience({ organisationId, id }: { organisationId: string; id: string }): Promise<Audience> {
      const { rows } = await pool.query<AudienceRow>(audienceSql, [organisationId, id]);
      const channels = new Map<string, Addressee>();
      for (const { installationId, channelId } of rows) {
        if (channelId) channels.set(installationId, { installationId, channelId, name: 'the channel' });
      }
      const people = rows.flatMap(({ installationId, userId, name, hasAsked }) =>
        userId ? { to: { installationId, channelId: userId, name: name ?? userId }, hasAsked } : [],
      );
      const others = people.filter(({ hasAsked }) => !hasAsked);
      // Who is alone hears it after all: that somebody else has to be made admin.
      const admins = (others.length > 0 ? others : people).map(({ to }) => to);
      return { admins, channels: [...channels.values()] };
    },

    /** Which of these people and channels know of a notice already. */
    async told({ id, channelIds }: { id: string; channelIds: string[] }): Promise<Set<string>> {
      const { rows } = await pool.query<{ key: string }>(
        'select dedupe_key as key from audit_event where dedupe_key = any ($1)',
        [channelIds.map((channelId) => toldKey(id, channelId))],
      );
      return new Set(rows.map(({ key }) => key.slice(toldKey(id, '').length)));
    },

    /** Keeps that somebody was told, at once, so that an attempt after a crash repeats as little as possible. */
    async markTold(notice: { id: string; organisationId: string; kind: string }, to: Addressee): Promise<void> {
      await pool.query(
        `insert into audit_event (organisation_id, actor, event, detail, dedupe_key)
         values ($1, 'recheck', 'admin_told', $2, $3) on conflict (dedupe_key) do nothing`,
        [notice.organisationId, `${notice.kind}: ${to.name}`, toldKey(notice.id, to.channelId)],
      );
    },

    /** Everybody knows; `error` says why somebody does not and never will. */
    async markSent({ id, error }: { id: string; error?: string }): Promise<void> {
      await pool.query('update notice set sent_at = now(), not_before = null, last_error = $2 where id = $1', [
        id,
        error ?? null,
      ]);
    },

    /** Gives a notice back, due again after `delayMs`; with `error`, the attempt counts as failed. */
    async postpone({ id, delayMs, error }: { id: string; delayMs: number; error?: string }): Promise<void> {
      await pool.query(
        `update notice set not_before = now() + $2 * interval '1 millisecond',
           attempts = case when $3::text is null then greatest(attempts - 1, 0) else attempts end,
           last_error = coalesce($3, last_error)
         where id = $1`,
        [id, delayMs, error ?? null],
      );
    },
  };
}
