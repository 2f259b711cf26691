import type { EventEmitter } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { type ProjectKind, projectKind } from './catalog';

export interface Account {
  accountId: string;
  email: string;
  displayName: string;
  role: 'person' | 'bot' | 'colleague';
  apiToken: string | null;
  timeZone: string;
}

/** What can be changed about a project while it runs, to make it hard for a client. */
export interface ProjectSettings {
  /** Fields that are not on the screens, such as `labels` or `priority`. */
  hiddenFields: string[];
  /** Fields that must be given and have no default. */
  requiredFields: string[];
  /** Names of the project's components. */
  components: string[];
  /** The bot account cannot see the project. */
  invisible: boolean;
  /** Permissions that the bot account lacks, such as `CREATE_ISSUES`. */
  denied: string[];
}

export interface Project {
  id: string;
  key: string;
  name: string;
  style: 'classic' | 'next-gen';
  description: string;
  settings: ProjectSettings;
  kind: ProjectKind;
}

/** One site: its database, and what is read so often that it is kept in memory beside it. */
export interface Site {
  cloudId: string;
  name: string;
  pool: Pool;
  /** Base address without a trailing slash; `self` links begin with it. */
  url: string;
  accounts: Account[];
  projects: Project[];
  /** Emits `change` with an issue key after each committed change; the board listens. */
  changes: EventEmitter;
}

export type Queryable = Pick<Pool | PoolClient, 'query'>;

/** Reads the accounts and one site's projects of a prepared database. Its `url` is filled in when it is known. */
export async function loadSite(
  pool: Pool,
  { cloudId, name, changes }: { cloudId: string; name: string; changes: EventEmitter },
): Promise<Site> {
  const users = await pool.query<Account>(
    `select account_id as "accountId", email, display_name as "displayName", role, api_token as "apiToken",
            time_zone as "timeZone"
     from jira.users order by account_id`,
  );
  const projects = await loadProjects(pool, cloudId);
  return { cloudId, name, pool, url: '', accounts: users.rows, projects, changes };
}

async function loadProjects(pool: Pool, cloudId: string): Promise<Project[]> {
  const { rows } = await pool.query<Omit<Project, 'kind' | 'settings'> & { settings: Partial<ProjectSettings> }>(
    'select id, key, name, style, description, settings from jira.projects where cloud_id = $1 order by id',
    [cloudId],
  );
  return rows.map((row) => ({
    ...row,
    settings: { ...plainSettings(), ...row.settings },
    kind: projectKind(row.style),
  }));
}

/** The settings that a project starts with. */
export function plainSettings(): ProjectSettings {
  return { hiddenFields: [], requiredFields: [], components: [], invisible: false, denied: [] };
}

/** The components of a project; the ids are its own. */
export function componentsOf({ id, settings }: Project): { id: string; name: string }[] {
  return settings.components.map((name, index) => ({ id: `${id}${String(index).padStart(3, '0')}`, name }));
}

/** Stores new settings of a project and applies them at once. */
export async function changeSettings(
  site: Site,
  project: Project,
  change: { [K in keyof ProjectSettings]?: ProjectSettings[K] | undefined },
): Promise<ProjectSettings> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  project.settings = { ...project.settings, ...Object.fromEntries(given) };
  await site.pool.query('update jira.projects set settings = $2 where id = $1', [
    project.id,
    JSON.stringify(project.settings),
  ]);
  return project.settings;
}

/** The person or the bot whose account the sandbox was seeded with. */
export function seededAccount(site: Site, role: 'person' | 'bot'): Account {
  const account = site.accounts.find((candidate) => candidate.role === role);
  if (!account) throw new Error(`The sandbox's Jira has no ${role}; its database is not prepared.`);
  return account;
}

/** The account with this id, or undefined. */
export function findAccount(site: Site, accountId: string | null): Account | undefined {
  return site.accounts.find((account) => account.accountId === accountId);
}

/** Projects that a caller can see; none for an anonymous one. */
export function visibleProjects(site: Site, account: Account | null): Project[] {
  if (!account) return [];
  return site.projects.filter((project) => account.role !== 'bot' || !project.settings.invisible);
}

/** Whether an account holds a permission in a project that it can see. */
export function may({
  account,
  project,
  permission,
}: {
  account: Account;
  project: Project;
  permission: string;
}): boolean {
  return account.role !== 'bot' || !project.settings.denied.includes(permission);
}

/** The project by id, for rows whose foreign key guarantees it. */
export function getProject(site: Site, id: string): Project {
  const project = site.projects.find((candidate) => candidate.id === id);
  if (!project) throw new Error(`The sandbox's Jira has no project with id ${id}.`);
  return project;
}

/** Runs work in one transaction; rolls back when it throws. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    client.release(error instanceof Error && 'code' in error ? error : undefined);
    throw error;
  }
}
