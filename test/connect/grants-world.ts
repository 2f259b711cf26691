// A database of Recheck's, the sandbox's Jira with its authorization server, and what stands between the two: the stores
// and the access to Jira. No server and no worker: grants are the same in all of them.
import { randomBytes, randomUUID } from 'node:crypto';
import { createJiraAccess, type JiraAccess } from '../../activities/jira-access';
import { startJiraSandbox } from '../../local/sandbox/jira/server';
import { createDb } from '../../prisma/client';
import { applyMigrations } from '../../prisma/migrate';
import { createSecretBox } from '../../prisma/secret-box';
import { createDatabase } from '../support/database';
import { createCaller, createFaults, must } from '../support/stack-clients';

export const redirectUri = 'http://127.0.0.1:1/connect/atlassian/callback';

export type SandboxGrant = {
  id: string;
  scopes: string[];
  endedAt: string | null;
  refreshes: number;
  reuses: number;
  refusals: number;
};
export type GrantWorld = Awaited<ReturnType<typeof startGrantWorld>>;

/** Starts it; `stop` ends everything. */
export async function startGrantWorld() {
  const [product, sandboxDatabase] = await Promise.all([createDatabase(), createDatabase()]);
  const [jira] = await Promise.all([
    startJiraSandbox({ databaseUrl: sandboxDatabase.url, port: 0 }),
    applyMigrations(product.url),
  ]);
  const key = randomBytes(32);
  const box = createSecretBox([{ id: 'k1', key }]);
  const db = createDb({ url: product.url, box });
  const sandbox = createCaller(`${jira.url}/sandbox`);
  const settings = { allowedHttpOrigins: [jira.url, ...jira.siteUrls], timeoutMs: 5_000 };
  const atlassian = { ...jira.oauth, authUrl: jira.url, apiUrl: jira.url };
  const access = createJiraAccess({ db, settings, atlassian });
  const organisationId = await db.members.createOrganisation('Acme');
  const member = await db.members.create(organisationId, {
    name: 'Olivia',
    role: 'owner',
    slackTeamId: null,
    slackUserId: null,
  });
  const memberId = member?.id ?? '';

  /** What the callback gets after a person has pressed Accept on the consent page. */
  async function consent(): Promise<string> {
    const asked = new URL(oauthOf(access).authorizeUrl({ state: 'a-state', redirectUri }));
    const form = new URLSearchParams(asked.searchParams);
    form.set('decision', 'accept');
    const answer = await fetch(new URL('/authorize', jira.url), { method: 'POST', body: form, redirect: 'manual' });
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.searchParams.get('state')).toBe('a-state');
    return back.searchParams.get('code') ?? '';
  }

  const grants = async () => (await must<{ grants: SandboxGrant[] }>(sandbox('GET', '/oauth'))).grants;

  return {
    jira,
    db,
    box,
    key,
    databaseUrl: product.url,
    access,
    atlassian,
    settings,
    sandbox,
    faults: createFaults(sandbox),
    organisationId,
    memberId,
    consent,
    grants,
    grant: async (id: string) => (await grants()).find((each) => each.id === id),
    /** Consents and stores the connection; `site` counts from 0. */
    async connect({ site = 0, projectKey = 'ACC' } = {}) {
      const oauth = oauthOf(access);
      const { scopes, ...grant } = await oauth.exchange({ code: await consent(), redirectUri });
      const chosen = (await oauth.sites(grant.accessToken))[site];
      if (!chosen) throw new Error(`The grant covers no site number ${site}.`);
      const connection = await db.connections.createOauth(organisationId, {
        ...{ id: randomUUID(), siteUrl: chosen.url, cloudId: chosen.cloudId, accountId: 'bot', projectKey },
        ...{ autoSync: false, memberId, grant, scopes },
      });
      return { id: connection.id, grantId: (await grants()).at(-1)?.id ?? '', grant, connection };
    },
    /** Stores a connection by API token, of the sandbox's bot where no other is said. */
    async connectByToken(apiToken = jira.accounts.bot.apiToken) {
      const { email, accountId } = jira.accounts.bot;
      const connection = await db.connections.create(organisationId, {
        ...{ id: randomUUID(), siteUrl: jira.url, email, accountId, apiToken, webhookSecret: 'a secret' },
        ...{ projectKey: 'ACC', autoSync: false, memberId },
      });
      return connection.id;
    },
    async row(id: string) {
      const row = await db.connections.find(organisationId, id);
      if (!row) throw new Error(`There is no connection ${id}.`);
      return row;
    },
    async notices(id: string): Promise<{ kind: string; detail: string; open: boolean }[]> {
      const { rows } = await db.pool.query(
        `select kind, detail, resolved_at is null as open from notice where connection_id = $1 order by created_at, kind`,
        [id],
      );
      return rows;
    },
    async stop() {
      await db.close();
      await jira.stop();
      await Promise.all([product.drop(), sandboxDatabase.drop()]);
    },
  };
}

/** The OAuth part of an access that has an app. */
export function oauthOf(access: JiraAccess): NonNullable<JiraAccess['oauth']> {
  if (!access.oauth) throw new Error('There is no OAuth app.');
  return access.oauth;
}
