// Connections to Jira sites, but for what has files of its own: credentials (connection-credentials.ts), OAuth grants
// (grants.ts), state (connection-marks.ts) and pacing (pacing.ts). `db.connections` is all of them.

import type { Pool } from 'pg';
import { createConnectionCredentials } from './connection-credentials';
import { createConnectionMarks } from './connection-marks';
import { type ConnectionRow, connectionColumns } from './connection-row';
import { createGrantStore } from './grants';
import { createPacing } from './pacing';
import type { SecretBox } from './secret-box';

export type { ConnectionRow } from './connection-row';
export type ConnectionStore = ReturnType<typeof createConnectionStore>;

/** Store of connections. What is called with each call to Jira is a named statement, which is planned once. */
export function createConnectionStore({ pool, box }: { pool: Pool; box: SecretBox }) {
  return {
    ...createConnectionCredentials({ pool, box }),
    ...createGrantStore({ pool, box }),
    ...createConnectionMarks({ pool }),
    ...createPacing({ pool }),

    async list(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<ConnectionRow[]> {
      const { rows } = await pool.query<ConnectionRow>({
        name: 'connection-list',
        text: `select ${connectionColumns} from connection where organisation_id = $1 and deleted_at is null
          and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
        values: [organisationId, page.after ?? null, page.limit],
      });
      return rows;
    },

    async find(organisationId: string, id: string): Promise<ConnectionRow | null> {
      const { rows } = await pool.query<ConnectionRow>({
        name: 'connection-find',
        text: `select ${connectionColumns} from connection where id = $2 and organisation_id = $1 and deleted_at is null`,
        values: [organisationId, id],
      });
      return rows[0] ?? null;
    },

    /** Changes what people set on a connection; what is not given stays. */
    async update(
      organisationId: string,
      id: string,
      change: { projectKey?: string | undefined; autoSync?: boolean | undefined },
    ): Promise<ConnectionRow | null> {
      const { rows } = await pool.query<ConnectionRow>(
        `update connection set project_key = coalesce($3, project_key), auto_sync = coalesce($4, auto_sync)
         where organisation_id = $1 and id = $2 and deleted_at is null returning ${connectionColumns}`,
        [organisationId, id, change.projectKey ?? null, change.autoSync ?? null],
      );
      return rows[0] ?? null;
    },

    /** Stores the status mapping of one project of the connection. */
    async setMapping(organisationId: string, id: string, change: { projectKey: string; mapping: object }) {
      const { rowCount } = await pool.query(
        `update connection set mapping = jsonb_set(mapping, array[$3::text], $4::jsonb)
         where organisation_id = $1 and id = $2 and deleted_at is null`,
        [organisationId, id, change.projectKey, JSON.stringify(change.mapping)],
      );
      return rowCount === 1;
    },

    /** Moves a connection to another address of the same site: the sandbox's port may change between starts. */
    async moveSite(id: string, siteUrl: string): Promise<void> {
      await pool.query('update connection set site_url = $2 where id = $1', [id, siteUrl]);
    },

    /** Writes down the change that Recheck is about to make, so that its echo is recognised. */
    async expectChange(input: {
      organisationId: string;
      connectionId: string;
      jiraIssueId: string;
      field: string;
      target: string;
    }): Promise<void> {
      const { organisationId, connectionId, jiraIssueId, field, target } = input;
      await pool.query(
        `insert into expected_change (organisation_id, connection_id, jira_issue_id, field, target, expires_at)
         values ($1, $2, $3, $4, $5, now() + interval '15 minutes')`,
        [organisationId, connectionId, jiraIssueId, field, target],
      );
    },
  };
}
