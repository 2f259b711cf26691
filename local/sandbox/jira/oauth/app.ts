import { createHash, timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import type { OauthClient } from '../schema';
import { createGrants, type Grants } from './grants';

/** The one OAuth app that the sandbox knows, and what people have granted to it. */
export interface OauthApp extends OauthClient {
  grants: Grants;
  /** How many of the sites the authorization server and the gateway admit to: a control for tests. */
  siteCount(): number;
  setSiteCount(count: number): Promise<void>;
  /** Whether id and secret are the app's. */
  isClient(given: { clientId: unknown; clientSecret: unknown }): boolean;
}

const allSites = 2;

/** Reads the app of a prepared database. */
export async function loadOauthApp(pool: Pool): Promise<OauthApp> {
  const client = await setting<OauthClient>(pool, 'oauthClient');
  if (!client) throw new Error("The sandbox's Jira has no OAuth app; its database is not prepared.");
  let siteCount = (await setting<number>(pool, 'siteCount')) ?? allSites;
  return {
    ...client,
    grants: createGrants(pool),
    siteCount: () => siteCount,
    async setSiteCount(count) {
      siteCount = count;
      await pool.query(
        `insert into jira.settings (name, value) values ('siteCount', $1)
         on conflict (name) do update set value = excluded.value`,
        [JSON.stringify(count)],
      );
    },
    isClient: ({ clientId, clientSecret }) => clientId === client.clientId && same(client.clientSecret, clientSecret),
  };
}

async function setting<T>(pool: Pool, name: string): Promise<T | undefined> {
  const { rows } = await pool.query<{ value: T }>('select value from jira.settings where name = $1', [name]);
  return rows[0]?.value;
}

function same(expected: string, given: unknown): boolean {
  if (typeof given !== 'string') return false;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(expected), hash(given));
}
