// Connections to Jira sites: their sealed credentials, their health, and the pacing that all processes share.

import type { Pool } from 'pg';
import type { PrismaClient } from './generated/client';
import type { SecretBox } from './secret-box';

export type ConnectionStatus = 'connected' | 'reconnect_required' | 'disconnected';
export type ConnectionRow = {
  id: string;
  organisationId: string;
  kind: string;
  status: string;
  statusReason: string | null;
  siteUrl: string;
  cloudId: string | null;
  accountEmail: string | null;
  accountId: string | null;
  projectKey: string;
  autoSync: boolean;
  mapping: unknown;
  lastWebhookAt: Date | null;
  lastPollAt: Date | null;
  webhookExpiresAt: Date | null;
  tokenExpiresAt: Date | null;
};
export type Slot = { kind: 'granted'; waitMs: number } | { kind: 'later'; waitMs: number };

const credentialsContext = (id: string) => `connection:${id}:credentials`;
const secretContext = (id: string) => `connection:${id}:webhook_secret`;

const columns = {
  id: true,
  organisationId: true,
  kind: true,
  status: true,
  statusReason: true,
  siteUrl: true,
  cloudId: true,
  accountEmail: true,
  accountId: true,
  projectKey: true,
  autoSync: true,
  mapping: true,
  lastWebhookAt: true,
  lastPollAt: true,
  webhookExpiresAt: true,
  tokenExpiresAt: true,
} as const;

export type ConnectionStore = ReturnType<typeof createConnectionStore>;

/** Store of connections. Secrets go in and come out here alone; rows that it answers never carry them. */
export function createConnectionStore({ pool, prisma, box }: { pool: Pool; prisma: PrismaClient; box: SecretBox }) {
  return {
    async create(
      organisationId: string,
      input: {
        id: string;
        siteUrl: string;
        email: string;
        accountId: string;
        apiToken: string;
        webhookSecret: string;
        projectKey: string;
        autoSync: boolean;
        memberId: string;
      },
    ): Promise<ConnectionRow> {
      const { id, siteUrl, projectKey, autoSync, accountId } = input;
      return await prisma.connection.create({
        data: {
          id,
          organisationId,
          siteUrl,
          projectKey,
          autoSync,
          accountId,
          accountEmail: input.email,
          createdById: input.memberId,
          credentials: bytes(box.seal(JSON.stringify({ apiToken: input.apiToken }), credentialsContext(id))),
          webhookSecret: bytes(box.seal(input.webhookSecret, secretContext(id))),
        },
        select: columns,
      });
    },

    async list(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<ConnectionRow[]> {
      return await prisma.connection.findMany({
        where: { organisationId, deletedAt: null },
        orderBy: { id: 'asc' },
        take: page.limit,
        ...(page.after ? { cursor: { id: page.after }, skip: 1 } : {}),
        select: columns,
      });
    },

    async find(organisationId: string, id: string): Promise<ConnectionRow | null> {
      return await prisma.connection.findFirst({ where: { organisationId, id, deletedAt: null }, select: columns });
    },

    /** The connection with its API token, for calling Jira. Null when it is gone or its credentials are erased. */
    async withCredentials(id: string): Promise<(ConnectionRow & { apiToken: string }) | null> {
      const row = await prisma.connection.findFirst({
        where: { id, deletedAt: null },
        select: { ...columns, credentials: true },
      });
      if (!row?.credentials) return null;
      const { credentials, ...rest } = row;
      const { apiToken } = JSON.parse(box.open(credentials, credentialsContext(id))) as { apiToken: string };
      return { ...rest, apiToken };
    },

    /** The webhook secret of a live connection, for checking signatures; null where there is none. */
    async webhookSecret(id: string): Promise<{ organisationId: string; secret: string } | null> {
      const row = await prisma.connection.findFirst({
        where: { id, deletedAt: null },
        select: { organisationId: true, webhookSecret: true },
      });
      if (!row?.webhookSecret) return null;
      return { organisationId: row.organisationId, secret: box.open(row.webhookSecret, secretContext(id)) };
    },

    /** Soft-deletes: the row and its links stay as history, the secrets are erased. */
    async disconnect(organisationId: string, id: string): Promise<boolean> {
      const { count } = await prisma.connection.updateMany({
        where: { organisationId, id, deletedAt: null },
        data: { status: 'disconnected', deletedAt: new Date(), credentials: null, webhookSecret: null },
      });
      return count === 1;
    },

    async setStatus(id: string, status: ConnectionStatus, reason: string | null): Promise<void> {
      await prisma.connection.updateMany({ where: { id, deletedAt: null }, data: { status, statusReason: reason } });
    },

    /** Moves a connection to another address of the same site: the sandbox's port may change between starts. */
    async moveSite(id: string, siteUrl: string): Promise<void> {
      await prisma.connection.update({ where: { id }, data: { siteUrl } });
    },

    /**
     * Grants the connection's next slot, over all processes: calls start `intervalMs` apart. A slot within the next
     * second is granted (start after `waitMs`); one that is further away is not, and may be asked for again then.
     */
    async takeSlot(id: string, intervalMs: number): Promise<Slot> {
      const { rows } = await pool.query<{ granted: boolean; wait_ms: string }>({
        name: 'connection-slot',
        text: `with due as (
           select id, greatest(clock_timestamp(), coalesce(next_slot_at, clock_timestamp()), coalesce(blocked_until, clock_timestamp())) as at
           from connection where id = $1 for update),
         taken as (
           update connection c set next_slot_at = d.at + $2 * interval '1 millisecond' from due d
           where c.id = d.id and d.at <= clock_timestamp() + interval '1 second' returning 1)
         select exists (select 1 from taken) as granted,
                greatest(0, extract(epoch from d.at - clock_timestamp()) * 1000)::int as wait_ms from due d`,
        values: [id, intervalMs],
      });
      const row = rows[0];
      if (!row) throw new Error(`Connection ${id} is not there.`);
      return { kind: row.granted ? 'granted' : 'later', waitMs: Number(row.wait_ms) };
    },

    /** No call of this connection starts before `ms` from now: Jira answered 429. */
    async block(id: string, ms: number): Promise<void> {
      await pool.query(
        `update connection set blocked_until = greatest(coalesce(blocked_until, now()), now() + $2 * interval '1 millisecond') where id = $1`,
        [id, Math.ceil(ms)],
      );
    },

    /** Whether a 429 that came in meanwhile still blocks the connection; milliseconds, 0 when it does not. */
    async blockedMs(id: string): Promise<number> {
      const { rows } = await pool.query<{ ms: string }>(
        `select greatest(0, extract(epoch from blocked_until - clock_timestamp()) * 1000)::int as ms from connection where id = $1`,
        [id],
      );
      return Number(rows[0]?.ms ?? 0);
    },

    /** Pushes that wait because the connection does not work (features C10). */
    async heldPushes(organisationId: string, id: string): Promise<number> {
      return await prisma.pushItem.count({
        where: { organisationId, outcome: 'held', batch: { source: { connectionId: id } } },
      });
    },

    /** Has every issue that the connection tracks read again: one delivery each, which the relay works off. */
    async requestReads(organisationId: string, id: string): Promise<void> {
      await pool.query(
        `insert into delivery (id, organisation_id, connection_id, identifier, event, jira_issue_id, state)
         select gen_random_uuid(), organisation_id, connection_id, 'sync:' || gen_random_uuid(), 'sync', jira_issue_id, 'pending'
         from issue_link where organisation_id = $1 and connection_id = $2 and active and state = 'linked'`,
        [organisationId, id],
      );
    },

    /** Writes down the change that Recheck is about to make, so that its echo is recognised. */
    async expectChange(input: {
      organisationId: string;
      connectionId: string;
      jiraIssueId: string;
      field: string;
      target: string;
    }): Promise<void> {
      await prisma.expectedChange.create({ data: { ...input, expiresAt: new Date(Date.now() + 15 * 60_000) } });
    },
  };
}

// Prisma's Bytes wants a Uint8Array over a plain ArrayBuffer.
function bytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
