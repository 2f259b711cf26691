import { z } from 'zod';
import { type Answer, type Call, JiraProblem, mustHaveAccount, ok, pageBean, pageOf } from '../answer';
import { jiraTime } from '../beans';
import { alive, type DynamicWebhookRow, filterMistake } from '../dynamic-webhooks';
import type { Jira } from '../jira';

// The webhooks of OAuth apps: `/rest/api/3/webhook`. They belong to the app and the account that it acts for.

const mostWebhooks = 5;
const lifetime = '30 days';
const events = [
  'jira:issue_created',
  'jira:issue_updated',
  'jira:issue_deleted',
  'comment_created',
  'comment_updated',
  'comment_deleted',
  'issue_property_set',
  'issue_property_deleted',
  'sprint_created',
  'sprint_updated',
  'sprint_closed',
  'sprint_deleted',
  'sprint_started',
  'jira:version_released',
  'jira:version_unreleased',
  'jira:version_created',
  'jira:version_moved',
  'jira:version_updated',
  'jira:version_merged',
  'jira:version_deleted',
];

const strings = z.array(z.string());
const registration = z.object({
  url: z.url({ protocol: /^https?$/ }),
  webhooks: z
    .array(
      z.object({
        events: strings,
        jqlFilter: z.string(),
        fieldIdsFilter: strings.nullish(),
        issuePropertyKeysFilter: strings.nullish(),
      }),
    )
    .min(1),
});
const idList = z.object({ webhookIds: z.array(z.coerce.string().regex(/^\d{1,18}$/)) });

/** POST /webhook: 200 even where webhooks are refused; the entries say so, in the order of the request. */
export async function registerDynamic(jira: Jira, call: Call): Promise<Answer> {
  const accountId = mustBeApp(call);
  const { url, webhooks } = read(registration, call.body);
  const results: ({ createdWebhookId: number } | { errors: string[] })[] = [];
  for (const wanted of webhooks) {
    const errors = await mistakes(jira, { wanted, accountId });
    if (errors.length > 0) {
      results.push({ errors });
      continue;
    }
    const { rows } = await jira.site.pool.query<{ id: string }>(
      `insert into jira.dynamic_webhooks
         (cloud_id, account_id, url, events, jql_filter, field_ids, property_keys, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval) returning id`,
      [
        jira.site.cloudId,
        accountId,
        url,
        wanted.events,
        wanted.jqlFilter,
        wanted.fieldIdsFilter ?? null,
        wanted.issuePropertyKeysFilter ?? null,
        lifetime,
      ],
    );
    await jira.webhooks.reload();
    results.push({ createdWebhookId: Number(rows[0]?.id) });
  }
  return ok({ webhookRegistrationResult: results });
}

type Wanted = z.output<typeof registration>['webhooks'][number];

async function mistakes(jira: Jira, { wanted, accountId }: { wanted: Wanted; accountId: string }): Promise<string[]> {
  const fault = await jira.faults.take('registration');
  if (fault) return fault.spec.errors;
  const unknown = wanted.events.filter((event) => !events.includes(event));
  if (wanted.events.length === 0) return ['At least one event is required.'];
  if (unknown.length > 0) return unknown.map((event) => `The event ${event} is not allowed for dynamic webhooks.`);
  const mistake = filterMistake(jira.site, { jql: wanted.jqlFilter, accountId });
  if (mistake) return [mistake];
  if (own(jira, accountId).length >= mostWebhooks) {
    return [`The maximum number of webhooks (${mostWebhooks}) for this app and user has been reached.`];
  }
  return [];
}

/** GET /webhook: those of the calling app and its account; expired ones are gone. */
export function listDynamic(jira: Jira, call: Call): Answer {
  const beans = own(jira, mustBeApp(call)).map(dynamicBean);
  const self = new URL(call.req.originalUrl, jira.site.url).toString();
  return ok(pageBean(beans, { ...pageOf(call, { most: 100 }), self }));
}

/** PUT /webhook/refresh: thirty days from now; ids that are unknown, expired or of others are ignored. */
export async function refreshDynamic(jira: Jira, call: Call): Promise<Answer> {
  const accountId = mustBeApp(call);
  const { webhookIds } = read(idList, call.body);
  const { rows } = await jira.site.pool.query<{ until: Date }>(
    `with refreshed as (
       update jira.dynamic_webhooks set expires_at = now() + $4::interval
       where id = any($1::bigint[]) and cloud_id = $2 and account_id = $3 and expires_at > now()
     )
     select now() + $4::interval as until`,
    [webhookIds, jira.site.cloudId, accountId, lifetime],
  );
  await jira.webhooks.reload();
  return ok({ expirationDate: jiraTime(rows[0]?.until ?? new Date()) });
}

/** DELETE /webhook: 202; ids that are unknown or of others are ignored. */
export async function removeDynamic(jira: Jira, call: Call): Promise<Answer> {
  const accountId = mustBeApp(call);
  const { webhookIds } = read(idList, call.body);
  await jira.site.pool.query(
    'delete from jira.dynamic_webhooks where id = any($1::bigint[]) and cloud_id = $2 and account_id = $3',
    [webhookIds, jira.site.cloudId, accountId],
  );
  await jira.webhooks.reload();
  return { status: 202 };
}

/** GET /webhook/failed: for Connect apps alone. */
export function listFailed(): Answer {
  throw new JiraProblem(403, { messages: ['The caller is not a Connect app.'] });
}

function mustBeApp(call: Call): string {
  const { accountId } = mustHaveAccount(call);
  if (call.app) return accountId;
  throw new JiraProblem(403, { messages: ["The caller isn't an app. Only apps can use this operation."] });
}

function own(jira: Jira, accountId: string): DynamicWebhookRow[] {
  return alive(jira.webhooks.dynamic()).filter((webhook) => webhook.account_id === accountId);
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new JiraProblem(400, { messages: [z.prettifyError(parsed.error)] });
}

/** A webhook of an OAuth app as Jira lists it. */
export function dynamicBean(webhook: DynamicWebhookRow) {
  return {
    id: Number(webhook.id),
    url: webhook.url,
    events: webhook.events,
    jqlFilter: webhook.jql_filter,
    ...(webhook.field_ids ? { fieldIdsFilter: webhook.field_ids } : {}),
    ...(webhook.property_keys ? { issuePropertyKeysFilter: webhook.property_keys } : {}),
    expirationDate: jiraTime(webhook.expires_at),
  };
}
