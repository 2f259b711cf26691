import { z } from 'zod';
import { type Answer, type Call, JiraProblem, mustHaveAccount, ok } from '../answer';
import type { Jira } from '../jira';
import { parseJql } from '../jql/parse';
import { conditionSql } from '../jql/sql';
import { findAccount } from '../site';
import { filterSection, type WebhookRow } from '../webhooks';

// The administrators' webhooks. Those of OAuth apps (`/rest/api/3/webhook`) live thirty days and are another resource.

const events = ['jira:issue_created', 'jira:issue_updated', 'jira:issue_deleted', 'comment_created'] as const;

const body = z.object({
  name: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  events: z.array(z.enum(events)).min(1),
  filters: z.record(z.string(), z.string()).default({}),
  excludeBody: z.boolean().default(false),
  enabled: z.boolean().default(true),
  secret: z.string().optional(),
});

/** GET /rest/webhooks/1.0/webhook. */
export function listWebhooks(jira: Jira, call: Call): Answer {
  mustAdminister(call);
  return ok(jira.webhooks.list().map((webhook) => webhookBean(jira, webhook)));
}

/** GET /rest/webhooks/1.0/webhook/{id}. */
export function getWebhook(jira: Jira, call: Call): Answer {
  mustAdminister(call);
  return ok(webhookBean(jira, mustFind(jira, call.params.id)));
}

/** POST /rest/webhooks/1.0/webhook: the secret is written once and never shown. */
export async function postWebhook(jira: Jira, call: Call): Promise<Answer> {
  const account = mustAdminister(call);
  const given = readBody(jira, call.body);
  const { rows } = await jira.site.pool.query<{ id: string }>(
    `insert into jira.webhooks (name, url, events, filters, exclude_body, enabled, secret, last_updated_user, cloud_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id`,
    [...columns(given), given.secret || null, account.accountId, jira.site.cloudId],
  );
  await jira.webhooks.reload();
  return { status: 201, body: webhookBean(jira, mustFind(jira, rows[0]?.id)) };
}

/** PUT /rest/webhooks/1.0/webhook/{id}: a secret that is left out stays, an empty one is removed. */
export async function putWebhook(jira: Jira, call: Call): Promise<Answer> {
  const account = mustAdminister(call);
  const { id, ...before } = mustFind(jira, call.params.id);
  const change = typeof call.body === 'object' ? call.body : {};
  const current = { ...before, excludeBody: before.exclude_body, secret: before.secret ?? undefined };
  const given = readBody(jira, { ...current, ...change });
  await jira.site.pool.query(
    `update jira.webhooks set name = $1, url = $2, events = $3, filters = $4, exclude_body = $5, enabled = $6,
       secret = $7, last_updated_user = $8, last_updated = now() where id = $9`,
    [...columns(given), given.secret || null, account.accountId, id],
  );
  await jira.webhooks.reload();
  return ok(webhookBean(jira, mustFind(jira, id)));
}

/** DELETE /rest/webhooks/1.0/webhook/{id}: what waits for delivery goes with it. */
export async function deleteWebhook(jira: Jira, call: Call): Promise<Answer> {
  mustAdminister(call);
  await jira.site.pool.query('delete from jira.webhooks where id = $1', [mustFind(jira, call.params.id).id]);
  await jira.webhooks.reload();
  return { status: 204 };
}

function columns({ name, url, events: wanted, filters, excludeBody, enabled }: z.output<typeof body>): unknown[] {
  return [name, url, wanted, JSON.stringify(filters), excludeBody, enabled];
}

function readBody(jira: Jira, given: unknown): z.output<typeof body> {
  const parsed = body.safeParse(given);
  if (!parsed.success) throw new JiraProblem(400, { messages: [z.prettifyError(parsed.error)] });
  // Tried here, because a delivery has nobody to tell that its filter is wrong; `JqlError` becomes a 400.
  const { where } = parseJql(parsed.data.filters[filterSection] ?? '');
  if (where) {
    conditionSql(where, { projects: jira.site.projects, accountId: null, timeZone: 'Etc/UTC', parameters: [] });
  }
  return parsed.data;
}

function mustAdminister(call: Call) {
  const account = mustHaveAccount(call);
  if (account.role === 'person') return account;
  throw new JiraProblem(403, { messages: ['Only Jira administrators can manage webhooks.'] });
}

function mustFind(jira: Jira, id: string | undefined): WebhookRow {
  const webhook = jira.webhooks.list().find((candidate) => candidate.id === id);
  if (webhook) return webhook;
  throw new JiraProblem(404, { messages: [`The webhook with id '${id}' does not exist.`] });
}

function webhookBean({ site }: Jira, webhook: WebhookRow) {
  return {
    self: `${site.url}/rest/webhooks/1.0/webhook/${webhook.id}`,
    name: webhook.name,
    url: webhook.url,
    events: webhook.events,
    filters: webhook.filters,
    excludeBody: webhook.exclude_body,
    enabled: webhook.enabled,
    isSigned: webhook.secret !== null,
    lastUpdatedUser: webhook.last_updated_user,
    lastUpdatedDisplayName: findAccount(site, webhook.last_updated_user)?.displayName ?? '',
    lastUpdated: webhook.last_updated.getTime(),
  };
}
