// Dynamic webhooks of OAuth connections: one per connection, for exactly the projects that matter to it. Jira lets them
// live for 30 days, ignores unknown ids when they are refreshed, and answers 200 to registrations that it rejects.
// https://developer.atlassian.com/cloud/jira/platform/webhooks/

import type { Db } from '../prisma/client';
import type { WebhookOutcome } from '../workflows/sync-contract';
import type { JiraClient, NewWebhook } from './jira/client';
import type { JiraWebhook } from './jira/schemas';
import type { JiraAccess } from './jira-access';

export type JiraWebhooksDeps = {
  db: Pick<Db, 'connections' | 'sync'>;
  jira: Pick<JiraAccess, 'clientFor'>;
  baseUrl: string;
};

const DAY = 86_400_000;
/** A webhook with less than this left is refreshed. */
const RENEW_MS = 7 * DAY;
/** What Jira gives a new one; used until it says so itself. */
const LIFE_MS = 30 * DAY;

/** What a webhook tells of. Nothing that Recheck writes but a reopening is among these fields, so little comes back. */
const WANTED = {
  events: ['jira:issue_updated', 'jira:issue_deleted'],
  fieldIdsFilter: ['status', 'resolution', 'project'],
} satisfies Pick<NewWebhook, 'events' | 'fieldIdsFilter'>;

/** Registers and renews the dynamic webhooks. What concerns one connection is done one at a time. */
export function createJiraWebhooks({ db, jira, baseUrl }: JiraWebhooksDeps) {
  const urlOf = (connectionId: string) => `${baseUrl}/api/integrations/jira/webhook/${connectionId}`;

  async function register(client: JiraClient, parts: Parts): Promise<WebhookOutcome['webhook']> {
    const { connectionId, jqlFilter, ours } = parts;
    const [result] = await client.registerWebhooks({ url: urlOf(connectionId), webhooks: [{ ...WANTED, jqlFilter }] });
    if (!result || 'errors' in result) {
      const said = result?.errors.join('; ') ?? 'nothing';
      await db.connections.setWebhooks({
        id: connectionId,
        webhookIds: ours.map(({ id }) => id),
        expiresAt: earliest(ours),
        error:
          `Jira does not send webhooks for ${parts.projects.join(', ')}: ${said} ` +
          'Changes are found by polls alone (auto sync) until this is mended: check that the projects are visible to ' +
          'the connecting account and that its app has no more than five webhooks, then synchronise the connection.',
      });
      return 'refused';
    }
    const kept = await db.connections.setWebhooks({
      id: connectionId,
      webhookIds: [result.id],
      expiresAt: new Date(Date.now() + LIFE_MS),
      error: null,
    });
    // The old ones go last, so that no change falls between; where the connection is gone, the new one goes too.
    await remove(client, [...ours, ...(kept ? [] : [result])]);
    return 'registered';
  }

  /** Takes away all that the connection has, because nothing is routed. */
  async function clear(client: JiraClient, { connectionId, ours }: Parts): Promise<WebhookOutcome['webhook']> {
    await remove(client, ours);
    await db.connections.setWebhooks({ id: connectionId, webhookIds: [], expiresAt: null, error: null });
    return 'none';
  }

  /** Keeps the webhook that fits; null where it turns out to be gone. */
  async function keep(client: JiraClient, parts: Parts, fitting: JiraWebhook) {
    const { id, expirationDate } = fitting;
    let expiresAt = expirationDate ?? new Date(Date.now() + LIFE_MS);
    const isEnding = expiresAt.getTime() - Date.now() < RENEW_MS;
    if (isEnding) {
      expiresAt = (await client.refreshWebhooks([id])) ?? expiresAt;
      // An id that Jira does not know any more is ignored without a word.
      if (!(await client.listWebhooks()).some((webhook) => webhook.id === id)) return null;
    }
    await db.connections.setWebhooks({ id: parts.connectionId, webhookIds: [id], expiresAt, error: null });
    await remove(
      client,
      parts.ours.filter((webhook) => webhook.id !== id),
    );
    return isEnding ? 'renewed' : 'kept';
  }

  return {
    /**
     * Makes sure that Jira tells of the projects that are routed or tracked, and of no others: keeps what fits, puts off
     * its end when less than seven days are left, registers anew what does not fit or has vanished. A registration
     * that Jira rejects is kept as the connection's `webhookError`, with a notice. Throws `JiraError`.
     */
    async ensure(connectionId: string): Promise<WebhookOutcome> {
      return await db.sync.oneAtATime(`webhook:${connectionId}`, async () => {
        const { routed, tracked } = await db.sync.projects(connectionId);
        const projects = [...new Set([...routed, ...tracked])].sort();
        const jqlFilter = `project in (${projects.map((key) => `"${key}"`).join(', ')})`;
        const client = await jira.clientFor(connectionId);
        const ours = (await client.listWebhooks()).filter(({ url }) => url === urlOf(connectionId));
        const parts = { connectionId, projects, jqlFilter, ours };
        if (projects.length === 0) return { webhook: await clear(client, parts), projects };
        const fitting = ours.find((webhook) => isWanted(webhook, jqlFilter));
        const kept = fitting && (await keep(client, parts, fitting));
        if (kept) return { webhook: kept, projects };
        const left = ours.filter((webhook) => webhook !== fitting);
        return { webhook: await register(client, { ...parts, ours: left }), projects };
      });
    },
  };
}

type Parts = { connectionId: string; projects: string[]; jqlFilter: string; ours: JiraWebhook[] };

async function remove(client: JiraClient, webhooks: { id: string }[]): Promise<void> {
  if (webhooks.length > 0) await client.deleteWebhooks(webhooks.map(({ id }) => id));
}

function isWanted(webhook: JiraWebhook, jqlFilter: string): boolean {
  const { events, fieldIdsFilter = [], expirationDate } = webhook;
  const isOver = expirationDate !== undefined && expirationDate.getTime() <= Date.now();
  return (
    !isOver &&
    webhook.jqlFilter === jqlFilter &&
    isSameSet(events, WANTED.events) &&
    isSameSet(fieldIdsFilter, WANTED.fieldIdsFilter)
  );
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry) => right.includes(entry));
}

function earliest(webhooks: JiraWebhook[]): Date | null {
  const ends = webhooks.flatMap(({ expirationDate }) => (expirationDate ? [expirationDate.getTime()] : []));
  return ends.length > 0 ? new Date(Math.min(...ends)) : null;
}
