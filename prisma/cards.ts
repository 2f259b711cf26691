import type { Pool, PoolClient } from 'pg';
import {
  defaultRule,
  type FindingStatus,
  type SessionStatus,
  type Severity,
  type SyncRule,
} from '../workflows/rules/vocabulary';
import { createCardQueue } from './card-queue';

/** A card that this process may write until its lease ends. */
export type ClaimedCard = {
  id: string;
  organisationId: string;
  findingId: string;
  installationId: string;
  channelId: string;
  /** The message's timestamp in Slack; null until it is posted. */
  ts: string | null;
  /** What the message shows, and the last audit event that its thread was told; null before the first post. */
  shown: { hash: string; event: string } | null;
  /** Attempts since the last success, this one included. */
  attempts: number;
};

/** What a card shows, and the changes since the last one that its thread was told, oldest first. */
export type CardView = {
  finding: CardFindingRow;
  lastEventId: string;
  untold: { id: string; event: string; actor: string; detail: string }[];
};

type CardFindingRow = {
  id: string;
  title: string;
  rule: string;
  severity: Severity;
  status: FindingStatus;
  reason: string | null;
  source: { name: string; kind: 'site' | 'suite' };
  verifier: SyncRule['verifier'];
  page: string | null;
  pages: number;
  occurrences: number;
  firstSeenAt: Date;
  lastSeenAt: Date;
  jira: { key: string; url: string; status: string | null; resolution: string | null } | null;
  claimedBy: string | null;
  missing: boolean;
  /** The connection of its issue was ended. */
  notFollowed: boolean;
  session: { id: string; status: SessionStatus } | null;
  lastEvent: { event: string; actor: string; detail: string; at: Date } | null;
};

type ViewRow = Omit<CardFindingRow, 'lastEvent'> & {
  lastEvent: { id: string; event: string; actor: string; detail: string; at: string } | null;
  untold: CardView['untold'];
};

/** The channel that whoever marks cards dirty notifies. */
const cardChannel = 'recheck_cards';

const viewSql = `
  select 'F-' || f.number as id, f.title, f.rule, f.severity, f.status, f.status_reason as reason,
    json_build_object('name', s.name, 'kind', s.kind) as source,
    coalesce(s.rule ->> 'verifier', '${defaultRule.verifier}') as verifier,
    place.page, place.pages::int as pages, place.occurrences::int as occurrences,
    f.first_seen_at as "firstSeenAt", f.last_seen_at as "lastSeenAt", f.claimed_by as "claimedBy",
    case when link.jira_key is not null then json_build_object('key', link.jira_key,
      'url', rtrim(connection.site_url, '/') || '/browse/' || link.jira_key,
      'status', link.jira_status, 'resolution', link.jira_resolution) end as jira,
    link.missing_since is not null as missing,
    link.jira_key is not null and connection.deleted_at is not null as "notFollowed",
    case when session.id is not null then json_build_object('id', session.id, 'status', session.status) end as session,
    last.event as "lastEvent", coalesce(news.untold, '[]'::json) as untold
  from finding f
  join source s on s.id = f.source_id
  left join issue_link link on link.finding_id = f.id and link.active
  left join connection on connection.id = link.connection_id
  left join member pusher on pusher.id = link.pushed_by_id
  left join session_case held on held.finding_id = f.id and held.open
  left join session on session.id = held.session_id and session.status in ('planned', 'in_progress')
  left join lateral (
    select count(*) as occurrences, count(distinct o.page) as pages, (array_agg(o.page order by o.last_seen_at desc, o.id))[1] as page
    from occurrence o where o.finding_id = f.id) place on true
  left join lateral (
    select json_build_object('id', e.id::text, 'event', e.event, 'detail', e.detail, 'at', e.at,
      'actor', case when e.event = 'pushed' then coalesce(pusher.name, e.actor) else e.actor end) as event
    from audit_event e where e.finding_id = f.id order by e.id desc limit 1) last on true
  left join lateral (
    select json_agg(json_build_object('id', e.id::text, 'event', e.event, 'actor', e.actor, 'detail', e.detail)
      order by e.id) as untold
    from audit_event e where e.finding_id = f.id and e.id > $3::bigint and e.event = any ($4)) news on true
  where f.organisation_id = $1 and f.id = $2`;

/** The cards of findings: who may write which one now, and what it shows. Raw SQL, because every change passes here. */
export function createCardStore({ pool }: { pool: Pool }) {
  const queue = createCardQueue({ pool, table: 'card', subject: 'finding_id' });
  return {
    ...queue,

    /** Takes up to `limit` due cards for `leaseMs`, updates before posts. No other process gets them meanwhile. */
    async claim(ask: { limit: number; leaseMs: number }): Promise<ClaimedCard[]> {
      const claimed = await queue.claim(ask);
      return claimed.map(({ subject, renderedHash, ...card }) => ({
        ...card,
        findingId: subject,
        shown: parseShown(renderedHash),
      }));
    },

    /**
     * What a card shows now. A query of its own after the claim: inside the same statement it could read an older
     * snapshot than the mark that the claim takes away. `told`: events that the thread is told of.
     */
    async view(card: ClaimedCard, told: readonly string[]): Promise<CardView | null> {
      const { organisationId, findingId, shown } = card;
      const { rows } = await pool.query<ViewRow>(viewSql, [organisationId, findingId, shown?.event ?? '0', told]);
      const [row] = rows;
      if (!row) return null;
      const { lastEvent: last, untold, ...finding } = row;
      const lastEvent = last && { event: last.event, actor: last.actor, detail: last.detail, at: new Date(last.at) };
      return { finding: { ...finding, lastEvent }, lastEventId: last?.id ?? '0', untold };
    },

    /** Keeps what is in Slack now, at once, so that a crash after it repeats as little as possible. */
    async showed({ id, ts, hash, event }: { id: string; ts: string; hash: string; event: string }): Promise<void> {
      await queue.showed({ id, ts, shown: `${hash}:${event}` });
    },

    /** The short number of the finding that a message shows; null where it is no card. */
    async findFindingAt(organisationId: string, at: { channelId: string; ts: string }): Promise<string | null> {
      const { rows } = await pool.query<{ id: string }>(
        `select 'F-' || f.number as id from card join finding f on f.id = card.finding_id
         where card.organisation_id = $1 and card.channel_id = $2 and card.ts = $3`,
        [organisationId, at.channelId, at.ts],
      );
      return rows[0]?.id ?? null;
    },

    /** Calls `changed` for every notification, on a connection of its own, until `stop`; `lost` when it breaks. */
    async listen(changed: () => void, lost: (error: Error) => void): Promise<{ stop(): void }> {
      const client: PoolClient = await pool.connect();
      let isReleased = false;
      const release = (error: Error | true) => {
        if (isReleased) return;
        isReleased = true;
        client.removeAllListeners('notification');
        client.release(error);
      };
      client.on('notification', changed);
      client.on('error', (error) => {
        if (isReleased) return;
        release(error);
        lost(error);
      });
      try {
        await client.query(`listen ${cardChannel}`);
      } catch (error) {
        release(true);
        throw error;
      }
      // Destroyed rather than handed back: a pooled connection must not go on listening.
      return { stop: () => release(true) };
    },
  };
}

function parseShown(renderedHash: string | null): ClaimedCard['shown'] {
  const [hash, event] = renderedHash?.split(':') ?? [];
  return hash && event ? { hash, event } : null;
}
