// Links of a connection that was disconnected, which a new connection to the same site may take over.

import type { Pool } from 'pg';

export type OldConnection = {
  id: string;
  siteUrl: string;
  projectKey: string;
  disconnectedAt: Date;
  links: number;
  /** Keys of the sources that still name it. */
  sources: string[];
};

// The same site is one with the same cloud id, or, where one of the two has none, the same address.
const isSameSite = `case when c.cloud_id is null or $3::text is null then lower(c.site_url) = lower($2)
  else c.cloud_id = $3 end`;

export type AdoptionStore = ReturnType<typeof createAdoptionStore>;

/** Store of old connections and of the links that they left behind. */
export function createAdoptionStore({ pool }: { pool: Pool }) {
  return {
    /** Disconnected connections that have links left, to the same site or (null) to any, the last one first. */
    async candidates(
      organisationId: string,
      site: { siteUrl: string; cloudId: string | null } | null,
    ): Promise<OldConnection[]> {
      const { rows } = await pool.query<OldConnection>(
        `select c.id, c.site_url as "siteUrl", c.project_key as "projectKey", c.deleted_at as "disconnectedAt",
           l.links,
           array(select s.key from source s where s.connection_id = c.id and s.archived_at is null order by s.key) as sources
         from connection c
         cross join lateral (
           select count(*)::int as links from issue_link l where l.connection_id = c.id and l.state = 'linked') l
         where c.organisation_id = $1 and c.deleted_at is not null and l.links > 0 and ($2::text is null or ${isSameSite})
         order by c.deleted_at desc`,
        [organisationId, site?.siteUrl ?? null, site?.cloudId ?? null],
      );
      return rows;
    },

    /** Keys of the sources that still name a disconnected connection to the same site. */
    async leftBehind(organisationId: string, site: { siteUrl: string; cloudId: string | null }): Promise<string[]> {
      const { rows } = await pool.query<{ key: string }>(
        `select s.key from source s join connection c on c.id = s.connection_id
         where c.organisation_id = $1 and c.deleted_at is not null and s.archived_at is null and ${isSameSite}
         order by s.key`,
        [organisationId, site.siteUrl, site.cloudId],
      );
      return rows.map(({ key }) => key);
    },

    /**
     * Moves the links of a disconnected connection to another one, and answers how many. A link whose issue the new
     * connection knows already stays where it is, as history.
     */
    async adopt(organisationId: string, { from, to }: { from: string; to: string }): Promise<number> {
      const { rowCount } = await pool.query(
        `update issue_link l set connection_id = $3, checked_at = null
         from connection o
         where o.id = $2 and o.organisation_id = $1 and o.deleted_at is not null
           and l.organisation_id = $1 and l.connection_id = o.id and l.state = 'linked'
           and not exists (
             select 1 from issue_link n where n.connection_id = $3 and n.jira_issue_id = l.jira_issue_id)`,
        [organisationId, from, to],
      );
      return rowCount ?? 0;
    },
  };
}
