// What is looked after by schedule: webhooks near their end, grants that nothing uses, connections that may work again,
// projects that are visible again, left-overs. A connection that fails is no reason not to look after the next.

import { heartbeat } from '@temporalio/activity';
import type { Db } from '../prisma/client';
import type { ConnectionToMind, SentMarker } from '../prisma/maintenance';
import type { Engine } from './engine';
import type { JiraClient } from './jira/client';
import { JiraError } from './jira/errors';
import type { JiraAccess } from './jira-access';
import { createJiraWebhooks } from './jira-webhooks';

export type MaintenanceDeps = {
  db: Pick<Db, 'connections' | 'maintenance' | 'oneTimeLinks' | 'sync'>;
  jira: Pick<JiraAccess, 'clientFor' | 'probe' | 'refreshIfIdle'>;
  engine: Pick<Engine, 'syncConnection' | 'ensureSchedules'>;
  baseUrl: string;
};
/** What an operator reads of it: how many connections, and what was done or did not succeed, by connection. */
export type Minded = { connections: number; did: string[] };

/** An issue's marker is searched with others, and after as many days as a missed sweep may lie back. */
const MARKERS_AT_ONCE = 50;
const SWEEP_DAYS = 3;

/** The activities of the maintenance. */
export function createMaintenanceActivities({ db, jira, engine, baseUrl }: MaintenanceDeps) {
  const webhooks = createJiraWebhooks({ db, jira, baseUrl });

  async function restored({ organisationId, connectionId }: ConnectionToMind): Promise<string> {
    await engine.syncConnection({ organisationId, connectionId, reason: 'restored' });
    return 'works again';
  }

  async function mindBroken(connection: ConnectionToMind): Promise<string[]> {
    const probed = await jira.probe(connection.connectionId);
    return probed.restored ? [await restored(connection)] : [];
  }

  async function mindWebhook(connection: ConnectionToMind): Promise<string[]> {
    const { webhook } = await webhooks.ensure(connection.connectionId);
    // It had vanished or expired, so changes went by unheard.
    if (webhook === 'registered') await restored(connection);
    return ['renewed', 'registered', 'refused'].includes(webhook) ? [`webhook ${webhook}`] : [];
  }

  /** Answers what it did for the connection, in words. */
  async function mind(connection: ConnectionToMind): Promise<string[]> {
    const { connectionId, kind, lostProjects } = connection;
    if (connection.status !== 'connected') return await mindBroken(connection);
    // Whoever restored it died before it was synchronised.
    const did = connection.isBehind ? [await restored(connection)] : [];
    if (kind === 'oauth') {
      if (await jira.refreshIfIdle(connectionId)) did.push('grant refreshed');
      did.push(...(await mindWebhook(connection)));
    }
    if (lostProjects.length === 0) return did;
    const found = await seenAgain(db, await jira.clientFor(connectionId), connection);
    if (found.length === 0) return did;
    return [...did, `sees ${found.join(', ')} again, ${await restored(connection)}`];
  }

  return {
    /** Looks after every connection, one after the other. */
    async mindConnections(): Promise<Minded> {
      const connections = await db.maintenance.connections();
      const did: string[] = [];
      for (const connection of connections) {
        heartbeat(connection.connectionId);
        if ((await db.connections.blockedMs(connection.connectionId)) > 0) continue;
        const done = await mind(connection).catch((error: unknown) => noted(db, connection, error));
        if (done.length > 0) did.push(`${connection.connectionId}: ${done.join(', ')}`);
      }
      return { connections: connections.length, did };
    },

    /** Brings the schedules of the polls in line with the connections. */
    ensureSchedules: () =>
      engine.ensureSchedules(async () => (await db.maintenance.connections()).filter(({ autoSync }) => autoSync)),

    /** Reports findings of which a lost answer made two issues after all. Answers how many. */
    async findDuplicates(): Promise<number> {
      let count = 0;
      for (const connection of await db.maintenance.connections()) {
        heartbeat(connection.connectionId);
        if (connection.status !== 'connected') continue;
        count += await duplicatesOf(db, jira, connection).catch(async (error: unknown) => {
          await noted(db, connection, error);
          return 0;
        });
      }
      return count;
    },

    /** Deletes what has expired: one-time links, and changes of our own that were expected. */
    async deleteExpired(): Promise<void> {
      await db.oneTimeLinks.deleteExpired();
      await db.maintenance.deleteExpired();
    },
  };
}

type Deps = Pick<MaintenanceDeps, 'db' | 'jira'>;

/** A failure of Jira in words; a rate limit also keeps other calls of the connection back. Other errors are thrown. */
async function noted(db: Deps['db'], { connectionId }: ConnectionToMind, error: unknown): Promise<string[]> {
  if (!(error instanceof JiraError)) throw error;
  if (error.kind === 'rate-limited') await db.connections.block(connectionId, error.retryAfterMs ?? 30_000);
  return [error.message];
}

async function seenAgain(db: Deps['db'], client: JiraClient, connection: ConnectionToMind): Promise<string[]> {
  const found: string[] = [];
  for (const projectKey of connection.lostProjects) {
    try {
      await client.project(projectKey);
    } catch (error) {
      if (error instanceof JiraError && error.kind === 'not-found') continue;
      throw error;
    }
    await db.connections.foundProject({ id: connection.connectionId, projectKey });
    found.push(projectKey);
  }
  return found;
}

async function duplicatesOf(db: Deps['db'], jira: Deps['jira'], { connectionId }: ConnectionToMind): Promise<number> {
  const markers = await db.maintenance.sentMarkers(connectionId, SWEEP_DAYS);
  if (markers.length === 0) return 0;
  const client = await jira.clientFor(connectionId);
  let count = 0;
  for (let from = 0; from < markers.length; from += MARKERS_AT_ONCE) {
    const chunk = markers.slice(from, from + MARKERS_AT_ONCE);
    const keys = await keysByMarker(client, chunk);
    for (const { findingId, marker } of chunk) {
      const found = keys.get(marker) ?? [];
      if (found.length < 2) continue;
      await db.maintenance.noteDuplicates({ findingId, marker, keys: found.sort() });
      count += 1;
    }
  }
  return count;
}

async function keysByMarker(client: JiraClient, markers: SentMarker[]): Promise<Map<string, string[]>> {
  const list = markers.map(({ marker }) => `"${marker}"`).join(', ');
  const { issues } = await client.searchJql({ jql: `labels in (${list})`, fields: ['labels'], maxResults: 1000 });
  const keys = new Map<string, string[]>(markers.map(({ marker }) => [marker, []]));
  for (const issue of issues) {
    for (const label of issue.fields?.labels ?? []) keys.get(label)?.push(issue.key ?? issue.id);
  }
  return keys;
}
