import { randomBytes } from 'node:crypto';
import { createDb, type Db } from '../../prisma/client';
import { applyMigrations } from '../../prisma/migrate';
import { createSecretBox, type SecretBox } from '../../prisma/secret-box';
import { createDatabase } from './database';

export type Stores = { db: Db; url: string; close: () => Promise<void> };

/** A migrated database of one's own, and the stores on it; `close` ends both. */
export async function openStores(
  box: SecretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }]),
): Promise<Stores> {
  const { url, drop } = await createDatabase();
  await applyMigrations(url);
  const db = createDb({ url, box });
  return {
    db,
    url,
    async close() {
      await db.close();
      await drop();
    },
  };
}

/** An organisation with its owner. */
export async function createAcme(db: Db): Promise<{ organisationId: string; memberId: string }> {
  const organisationId = await db.members.createOrganisation('Acme');
  const owner = { name: 'Olivia', role: 'owner', slackTeamId: null, slackUserId: null } as const;
  const member = await db.members.create(organisationId, owner);
  if (!member) throw new Error('The owner was not made.');
  return { organisationId, memberId: member.id };
}
