import type { PoolClient } from 'pg';
import { parseJql } from './jql/parse';
import { conditionSql } from './jql/sql';
import { JqlError } from './jql/tokens';
import { findAccount, type Queryable, type Site, visibleProjects } from './site';
import type { Occasion } from './webhooks';

/** A webhook that the OAuth app has registered for an account; it lives thirty days unless it is refreshed. */
export interface DynamicWebhookRow {
  id: string;
  account_id: string;
  url: string;
  events: string[];
  jql_filter: string;
  /** Null where every change of a field is told of. */
  field_ids: string[] | null;
  property_keys: string[] | null;
  expires_at: Date;
}

/** One delivery for all webhooks of one address that an occasion concerns. */
export interface DynamicMatch {
  dynamicId: string;
  url: string;
  matchedWebhookIds: number[];
}

/** The living webhooks of OAuth apps on a site. */
export async function readDynamicWebhooks(site: Site): Promise<DynamicWebhookRow[]> {
  const { rows } = await site.pool.query<DynamicWebhookRow>(
    `select id, account_id, url, events, jql_filter, field_ids, property_keys, expires_at
     from jira.dynamic_webhooks where cloud_id = $1 order by id`,
    [site.cloudId],
  );
  return rows;
}

/** Those that are not expired. */
export function alive(webhooks: readonly DynamicWebhookRow[]): DynamicWebhookRow[] {
  const now = new Date();
  return webhooks.filter(({ expires_at }) => expires_at > now);
}

/** Which of the webhooks an occasion concerns, by event, changed fields and JQL, one entry for each address. */
export async function matchDynamic(
  webhooks: readonly DynamicWebhookRow[],
  { site, client, occasion }: { site: Site; client: PoolClient; occasion: Occasion },
): Promise<DynamicMatch[]> {
  const matches = new Map<string, DynamicMatch>();
  for (const webhook of alive(webhooks)) {
    if (!webhook.events.includes(occasion.event) || !hasField(webhook, occasion)) continue;
    if (!(await hasIssue(webhook, { site, client, occasion }))) continue;
    const match = matches.get(webhook.url) ?? { dynamicId: webhook.id, url: webhook.url, matchedWebhookIds: [] };
    match.matchedWebhookIds.push(Number(webhook.id));
    matches.set(webhook.url, match);
  }
  return [...matches.values()];
}

function hasField({ field_ids }: DynamicWebhookRow, { event, changelog }: Occasion): boolean {
  if (field_ids === null || event !== 'jira:issue_updated') return true;
  return (changelog?.items ?? []).some(({ fieldId }) => field_ids.includes(fieldId));
}

async function hasIssue(
  webhook: DynamicWebhookRow,
  { site, client, occasion: { issue } }: { site: Site; client: Queryable; occasion: Occasion },
): Promise<boolean> {
  const owner = findAccount(site, webhook.account_id) ?? null;
  if (!visibleProjects(site, owner).some(({ id }) => id === issue.project_id)) return false;
  const { where } = parseJql(webhook.jql_filter);
  if (!where) return true;
  const parameters: unknown[] = [issue.id];
  // A filter may name projects that the owner has lost since; they match nothing, as was seen above.
  const context = { projects: site.projects, accountId: webhook.account_id, timeZone: 'Etc/UTC', parameters };
  const condition = conditionSql(where, context);
  const found = await client.query({
    name: `dynamic-filter-${webhook.id}`,
    text: `select 1 from jira.issues i where i.id = $1 and (${condition})`,
    values: parameters,
  });
  return found.rowCount === 1;
}

const filterFields = ['project', 'issuekey', 'issuetype', 'status', 'assignee', 'reporter'];
const filterOperators = ['=', '!=', 'in', 'not in'];

/** Why a filter cannot be one: JQL that is wrong or beyond the subset, or names what the owner cannot see. */
export function filterMistake(site: Site, { jql, accountId }: { jql: string; accountId: string }): string | undefined {
  try {
    const { where, orderBy } = parseJql(jql);
    if (!where) return 'The jqlFilter is empty.';
    if (orderBy.length > 0) return 'ORDER BY is unsupported';
    const clause = unsupportedClause(where);
    if (clause) return `The clause ${clause} is unsupported`;
    const projects = visibleProjects(site, findAccount(site, accountId) ?? null);
    conditionSql(where, { projects, accountId, timeZone: 'Etc/UTC', parameters: [] });
    return undefined;
  } catch (error) {
    if (error instanceof JqlError) return error.message;
    throw error;
  }
}

type Where = NonNullable<ReturnType<typeof parseJql>['where']>;

function unsupportedClause(condition: Where): string | undefined {
  if (condition.kind === 'not') return unsupportedClause(condition.part);
  if (condition.kind !== 'clause') {
    return condition.parts.map(unsupportedClause).find((name) => name !== undefined);
  }
  const isPlain = condition.operands.every(({ kind }) => kind !== 'empty');
  const isKnown = filterFields.includes(condition.field) && filterOperators.includes(condition.operator);
  return isPlain && isKnown ? undefined : condition.field;
}
