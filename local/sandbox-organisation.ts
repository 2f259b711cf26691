import { TEAM } from './sandbox/slack/directory';

type Queryable = { query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> };

/** The database is somebody's own. */
export class ForeignDatabase extends Error {}

/**
 * The id of the organisation that `npm start` made in this database: its first member, removed or not, is of the
 * sandbox's Slack. Null where the database has no organisation, or is not migrated. Throws where there are only others:
 * the sandbox's people, who have keys, do not belong there.
 */
export async function sandboxOrganisation(database: Queryable): Promise<string | null> {
  const { rows: tables } = await database.query(`select to_regclass('organisation') is not null as "isThere"`);
  if (!(tables[0] as { isThere: boolean }).isThere) return null;
  const { rows } = await database.query(
    `select id, name, (select slack_team_id from member where organisation_id = organisation.id
       order by created_at limit 1) as team from organisation order by created_at`,
  );
  const organisations = rows as { id: string; name: string; team: string | null }[];
  const own = organisations.find(({ team }) => team === TEAM.id);
  if (own) return own.id;
  if (!organisations[0]) return null;
  throw new ForeignDatabase(
    `The database holds the organisation "${organisations[0].name}", which npm start did not make; the sandbox's ` +
      'people, keys and connection are not put there. Name an empty database in DATABASE_URL, or leave it out.',
  );
}
