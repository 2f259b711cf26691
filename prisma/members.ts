// Organisations, their members, and API keys. A key is shown once; only its hash is kept.

import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '../workflows/rules/vocabulary';
import type { Prisma, PrismaClient } from './generated/client';

export type MemberRow = { id: string; organisationId: string; name: string; role: Role; slackUserId: string | null };
export type ApiKeyRow = {
  id: string;
  memberId: string;
  name: string;
  prefix: string;
  scopes: string[];
  createdAt: Date;
};

export type MemberStore = ReturnType<typeof createMemberStore>;

/** Store of organisations, members and API keys. */
export function createMemberStore({ prisma }: { prisma: PrismaClient }) {
  const toMember = (row: {
    id: string;
    organisationId: string;
    name: string;
    role: string;
    slackUserId: string | null;
  }): MemberRow => ({
    id: row.id,
    organisationId: row.organisationId,
    name: row.name,
    role: row.role as Role,
    slackUserId: row.slackUserId,
  });
  /** Who comes and who goes is settled one after the other: both look at the others first. */
  async function oneByOne<T>(organisationId: string, work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> {
    return await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`members:${organisationId}`}, 0))`;
      return await work(tx);
    }, patience);
  }
  return {
    async createOrganisation(name: string): Promise<string> {
      return (await prisma.organisation.create({ data: { name } })).id;
    },

    async list(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<MemberRow[]> {
      const rows = await prisma.member.findMany({
        where: { organisationId, removedAt: null, ...after(page) },
        orderBy: { id: 'asc' },
        take: page.limit,
      });
      return rows.map(toMember);
    },

    async find(organisationId: string, id: string): Promise<MemberRow | null> {
      const row = await prisma.member.findFirst({ where: { organisationId, id, removedAt: null } });
      return row && toMember(row);
    },

    /** Answers null when the Slack user is a member already. */
    async create(
      organisationId: string,
      input: { name: string; role: Role; slackTeamId: string | null; slackUserId: string | null },
    ): Promise<MemberRow | null> {
      const { slackTeamId, slackUserId } = input;
      return await oneByOne(organisationId, async (tx) => {
        const same = { organisationId, slackTeamId, slackUserId, removedAt: null };
        if (slackUserId && (await tx.member.findFirst({ where: same }))) return null;
        return toMember(await tx.member.create({ data: { organisationId, ...input } }));
      });
    },

    /** Removes a member, unless it is the last owner, and revokes their keys; their name stays in histories. */
    async remove(organisationId: string, id: string): Promise<'removed' | 'last_owner'> {
      const removedAt = new Date();
      return await oneByOne(organisationId, async (tx) => {
        const owners = await tx.member.findMany({ where: { organisationId, role: 'owner', removedAt: null }, take: 2 });
        if (owners.length === 1 && owners[0]?.id === id) return 'last_owner';
        await tx.member.updateMany({
          where: { organisationId, id, removedAt: null },
          data: { removedAt, slackUserId: null },
        });
        await tx.apiKey.updateMany({
          where: { organisationId, memberId: id, revokedAt: null },
          data: { revokedAt: removedAt },
        });
        return 'removed';
      });
    },

    /** The organisation of a member who was not removed, or null. */
    async organisationOf(memberId: string): Promise<string | null> {
      const row = await prisma.member.findFirst({ where: { id: memberId, removedAt: null } });
      return row?.organisationId ?? null;
    },

    async bySlackUser(who: { teamId: string; userId: string }): Promise<MemberRow | null> {
      const row = await prisma.member.findFirst({
        where: { slackTeamId: who.teamId, slackUserId: who.userId, removedAt: null },
      });
      return row && toMember(row);
    },

    /** Makes a key of 256 random bits; the answer is the only time that it is seen. */
    async createKey(
      organisationId: string,
      input: { memberId: string; name: string; scopes: string[] },
    ): Promise<{ key: string; row: ApiKeyRow }> {
      const key = `rk_${randomBytes(32).toString('base64url')}`;
      const row = await prisma.apiKey.create({
        data: { organisationId, ...input, prefix: key.slice(0, 9), hash: hashOf(key) },
      });
      return { key, row };
    },

    /** Makes a key of the caller's choosing known, once; for local seeding, where it is derived from a local secret. */
    async ensureKey(organisationId: string, input: { memberId: string; name: string; key: string }): Promise<void> {
      const { memberId, name, key } = input;
      const data = { organisationId, memberId, name, scopes: [], prefix: key.slice(0, 9), hash: hashOf(key) };
      await prisma.apiKey.createMany({ data: [data], skipDuplicates: true });
    },

    async listKeys(organisationId: string, page: { after?: string | undefined; limit: number }): Promise<ApiKeyRow[]> {
      return await prisma.apiKey.findMany({
        where: { organisationId, revokedAt: null, ...after(page) },
        orderBy: { id: 'asc' },
        take: page.limit,
      });
    },

    async findKey(organisationId: string, id: string): Promise<ApiKeyRow | null> {
      return await prisma.apiKey.findFirst({ where: { organisationId, id, revokedAt: null } });
    },

    async revokeKey(organisationId: string, id: string): Promise<boolean> {
      const { count } = await prisma.apiKey.updateMany({
        where: { organisationId, id, revokedAt: null },
        data: { revokedAt: new Date() },
      });
      return count === 1;
    },

    /** The member and scopes behind a key, or null for one that is unknown or revoked. */
    async byKey(key: string): Promise<{ member: MemberRow; scopes: string[] } | null> {
      const row = await prisma.apiKey.findUnique({ where: { hash: hashOf(key) }, include: { member: true } });
      if (!row || row.revokedAt || row.member.removedAt) return null;
      return { member: toMember(row.member), scopes: row.scopes };
    },

    async firstOrganisation(): Promise<string | null> {
      return (await prisma.organisation.findFirst({ orderBy: { createdAt: 'asc' } }))?.id ?? null;
    },

    /** The Slack workspace of an organisation, for members that are named by Slack user alone. */
    async slackTeamOf(organisationId: string): Promise<string | null> {
      const row = await prisma.slackInstallation.findFirst({ where: { organisationId, status: 'installed' } });
      return row?.teamId ?? null;
    },
  };
}

/** Milliseconds to get a connection, and for the transaction with what it waits for. */
const patience = { maxWait: 5_000, timeout: 30_000 };

/** Not Prisma's `cursor`: that skips a row when the one that it names is gone. */
function after(page: { after?: string | undefined }): { id?: { gt: string } } {
  return page.after ? { id: { gt: page.after } } : {};
}

// A key has 256 random bits, so a fast hash is enough: there is nothing to guess.
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
