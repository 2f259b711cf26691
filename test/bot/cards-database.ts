import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { createCardStore } from '../../prisma/cards';
import { createInstallationStore } from '../../prisma/installations';
import { applyMigrations } from '../../prisma/migrate';
import { createSecretBox } from '../../prisma/secret-box';
import { createDatabase } from '../support/database';

export type CardsDatabase = Awaited<ReturnType<typeof openCardsDatabase>>;

/** A migrated database with one organisation and source, and the stores on it. */
export async function openCardsDatabase() {
  const database = await createDatabase();
  await applyMigrations(database.url);
  const pool = new Pool({ connectionString: database.url, max: 10 });
  // A connection that a test ends on purpose must not end the test run.
  pool.on('error', () => undefined);
  const box = createSecretBox([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
  const organisationId = randomUUID();
  const sourceId = randomUUID();
  await pool.query(`insert into organisation (id, name) values ($1, 'Acme')`, [organisationId]);
  await pool.query(
    `insert into source (id, organisation_id, key, name, kind, rule) values ($1, $2, 'shop', 'Storefront', 'site', '{}')`,
    [sourceId, organisationId],
  );
  const installations = createInstallationStore({ pool, box });
  let number = 0;

  return {
    pool,
    box,
    organisationId,
    cards: createCardStore({ pool }),
    installations,

    /** The bot in a workspace, whose cards go to a channel. */
    install: (workspace: { teamId: string; botToken: string; channelId: string }) =>
      installations.upsert({
        ...workspace,
        organisationId,
        botId: 'B0RECHECK0',
        botUserId: 'U0RECHECK0',
        scopes: ['chat:write'],
      }),

    /** A finding with a dirty card that was never posted. */
    async addCard(to: {
      installationId: string;
      channelId: string;
    }): Promise<{ findingId: string; cardId: string; id: string }> {
      const findingId = randomUUID();
      const cardId = randomUUID();
      number += 1;
      const id = `F-${number}`;
      await pool.query(
        `insert into finding (id, organisation_id, source_id, number, key, rule, title, severity)
         values ($1, $2, $3, $4, $5, 'color-contrast', 'Text has too little contrast', 'serious')`,
        [findingId, organisationId, sourceId, number, id],
      );
      await pool.query(
        `with added as (insert into card (id, organisation_id, finding_id, installation_id, channel_id)
           values ($1, $2, $3, $4, $5) returning id)
         select pg_notify('recheck_cards', '') from added`,
        [cardId, organisationId, findingId, to.installationId, to.channelId],
      );
      return { findingId, cardId, id };
    },

    /** What the lifecycle does: status, audit event and dirty card in one transaction, then the notification. */
    async change(
      findingId: string,
      to: { status: string; event: string; actor?: string; claimedBy?: string },
    ): Promise<void> {
      await pool.query(
        `with changed as (update finding set status = $2, claimed_by = coalesce($5, claimed_by) where id = $1),
           event as (insert into audit_event (organisation_id, finding_id, actor, event) values ($6, $1, $4, $3)),
           cards as (update card set dirty = true, dirty_since = now() where finding_id = $1 returning id)
         select pg_notify('recheck_cards', '') from cards`,
        [findingId, to.status, to.event, to.actor ?? 'recheck', to.claimedBy ?? null, organisationId],
      );
    },

    async card(cardId: string) {
      const { rows } = await pool.query('select * from card where id = $1', [cardId]);
      return rows[0] as {
        ts: string | null;
        dirty: boolean;
        attempts: number;
        last_error: string | null;
        rendered_hash: string | null;
        not_before: Date | null;
      };
    },

    async close(): Promise<void> {
      await pool.end();
      await database.drop();
    },
  };
}
