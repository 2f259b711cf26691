import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { botTokenContext } from './sealed-columns';
import type { SecretBox } from './secret-box';

/** A Slack workspace that Recheck is installed in, its bot token opened. */
export type Installation = {
  id: string;
  organisationId: string;
  teamId: string;
  enterpriseId: string | null;
  teamName: string | null;
  botToken: string;
  botId: string;
  botUserId: string;
  installerId: string | null;
  channelId: string | null;
};

export type NewInstallation = {
  organisationId: string;
  teamId: string;
  enterpriseId?: string | null;
  teamName?: string | null;
  botToken: string;
  botId: string;
  botUserId: string;
  installerId?: string | null;
  scopes: string[];
  /** Where cards go when no subscription says otherwise. */
  channelId?: string | null;
};

type Row = Omit<Installation, 'botToken'> & { sealedToken: Buffer };

const columns = `select id, organisation_id as "organisationId", team_id as "teamId", enterprise_id as "enterpriseId",
  team_name as "teamName", bot_token as "sealedToken", bot_id as "botId", bot_user_id as "botUserId",
  installer_id as "installerId", channel_id as "channelId"
  from slack_installation where status = 'installed' and bot_token is not null`;

/** Slack installations. Bot tokens are sealed here and leave opened; nothing else reads that column. */
export function createInstallationStore({ pool, box }: { pool: Pool; box: SecretBox }) {
  async function findOne(where: string, values: string[]): Promise<Installation | null> {
    const [row] = (await pool.query<Row>(`${columns} and ${where}`, values)).rows;
    if (!row) return null;
    const { sealedToken, ...rest } = row;
    return { ...rest, botToken: box.open(sealedToken, botTokenContext(row.id)) };
  }

  return {
    /** The installed workspace behind a team id; null where Recheck is not installed, or no longer. */
    findByTeam(teamId: string): Promise<Installation | null> {
      return findOne('team_id = $1', [teamId]);
    },

    /** The name of the organisation that a workspace belongs to, installed or not any more. */
    async ownerOf(teamId: string): Promise<string | null> {
      const { rows } = await pool.query<{ name: string }>(
        `select o.name from slack_installation i join organisation o on o.id = i.organisation_id where i.team_id = $1`,
        [teamId],
      );
      return rows[0]?.name ?? null;
    },

    /** Null where the workspace has removed Recheck. */
    findById(organisationId: string, id: string): Promise<Installation | null> {
      return findOne('organisation_id = $1 and id = $2', [organisationId, id]);
    },

    /**
     * Installs, or installs again: the newest token counts, and a channel is only replaced by another one.
     * Throws where the workspace belongs to another organisation.
     */
    async upsert(installation: NewInstallation): Promise<{ id: string }> {
      const { organisationId, teamId } = installation;
      const id = randomUUID();
      // The id of an earlier installation is kept, and the token is bound to it; hence the two steps.
      const { rows } = await pool.query<{ id: string }>(
        `insert into slack_installation
           (id, organisation_id, team_id, enterprise_id, team_name, bot_id, bot_user_id, installer_id, scopes, channel_id, status)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'disconnected')
         on conflict (team_id) do update set enterprise_id = excluded.enterprise_id, team_name = excluded.team_name,
           bot_id = excluded.bot_id, bot_user_id = excluded.bot_user_id, scopes = excluded.scopes,
           installer_id = excluded.installer_id,
           channel_id = coalesce(excluded.channel_id, slack_installation.channel_id)
         where slack_installation.organisation_id = excluded.organisation_id
         returning id`,
        [
          id,
          organisationId,
          teamId,
          installation.enterpriseId ?? null,
          installation.teamName ?? null,
          installation.botId,
          installation.botUserId,
          installation.installerId ?? null,
          installation.scopes,
          installation.channelId ?? null,
        ],
      );
      const [row] = rows;
      if (!row) throw new Error(`Slack workspace ${teamId} belongs to another organisation. Remove it there first.`);
      await pool.query(`update slack_installation set bot_token = $2, status = 'installed' where id = $1`, [
        row.id,
        box.seal(installation.botToken, botTokenContext(row.id)),
      ]);
      return { id: row.id };
    },

    /** Slack no longer takes the token, or the app was removed: the token is erased, cards wait for a new install. */
    async markDisconnected(id: string): Promise<void> {
      await pool.query(`update slack_installation set status = 'disconnected', bot_token = null where id = $1`, [id]);
    },
  };
}
