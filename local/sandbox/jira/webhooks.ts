import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { documentWiki } from './adf/text';
import { jiraTime, userBean } from './beans';
import { type DynamicWebhookRow, matchDynamic, readDynamicWebhooks } from './dynamic-webhooks';
import type { Faults } from './faults';
import { issueSelf, webhookFields } from './issue-beans';
import type { ChangelogRow, CommentRow, IssueRow } from './issue-rows';
import { parseJql } from './jql/parse';
import { conditionSql } from './jql/sql';
import { type Account, type Site, visibleProjects } from './site';

export type WebhookEvent = 'jira:issue_created' | 'jira:issue_updated' | 'jira:issue_deleted' | 'comment_created';

/** The section of `filters` that holds the JQL for events of issues. */
export const filterSection = 'issue-related-events-section';

export interface WebhookRow {
  id: string;
  name: string;
  url: string;
  events: string[];
  filters: Record<string, string>;
  exclude_body: boolean;
  enabled: boolean;
  secret: string | null;
  last_updated_user: string;
  last_updated: Date;
}

/** Something that happened to an issue, told to the webhooks that listen for it. */
export interface Occasion {
  event: WebhookEvent;
  /** Jira's finer word for it, such as `issue_generic` for a transition. */
  type: string;
  actor: Account;
  issue: IssueRow;
  changelog?: ChangelogRow;
  comment?: CommentRow;
}

/** The webhooks of the site, read from memory on every change, and the writing side of their queue. */
export interface Webhooks {
  list(): WebhookRow[];
  /** Those of the OAuth app, expired ones included. */
  dynamic(): DynamicWebhookRow[];
  /** Reads them again, after they were changed. */
  reload(): Promise<void>;
  /** Puts deliveries into the queue, in the transaction of the change that they tell of. */
  announce(client: PoolClient, occasion: Occasion): Promise<void>;
  /** Whether any webhook listens for one of these events; a change without a listener needs no second statement. */
  listensTo(...events: WebhookEvent[]): boolean;
  /** Called after the commit: emits `deliver` on the site's emitter if something was put into the queue. */
  flush(): void;
}

/** Loads the webhooks of a site. `delayMs` is waited before each first delivery. */
export async function loadWebhooks({
  site,
  faults,
  delayMs,
}: {
  site: Site;
  faults: Faults;
  delayMs: number;
}): Promise<Webhooks> {
  let webhooks = await readWebhooks(site);
  let dynamic = await readDynamicWebhooks(site);
  let position = 0;
  let queued = false;

  const listening = (event: WebhookEvent) =>
    webhooks.filter((webhook) => webhook.enabled && webhook.events.includes(event));

  async function dueInMs(): Promise<number> {
    const late = await faults.take('webhookDelay');
    const mixed = await faults.take('reorder');
    let due = delayMs + (late?.spec.ms ?? 0);
    if (mixed) {
      due += (mixed.spec.size - (position % mixed.spec.size)) * mixed.spec.gapMs;
      position += 1;
    }
    return due;
  }

  async function enqueue(
    client: PoolClient,
    sent: { occasion: Occasion; webhookId: string | null; dynamicId: string | null; url: string; body: string },
  ): Promise<void> {
    const { occasion, webhookId, dynamicId, url, body } = sent;
    const due = await dueInMs();
    const copies = 1 + ((await faults.take('duplicate'))?.spec.times ?? 0);
    await client.query({
      name: 'enqueue-delivery',
      text: `insert into jira.deliveries (webhook_id, dynamic_id, identifier, event, url, body, next_at)
             select $1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7::float8 / 1000) from generate_series(1, $8)`,
      values: [webhookId, dynamicId, randomUUID(), occasion.event, deliveryUrl(url, occasion.actor), body, due, copies],
    });
    queued = true;
  }

  return {
    list: () => webhooks,
    dynamic: () => dynamic,
    listensTo: (...events) =>
      events.some((event) => listening(event).length > 0 || dynamic.some((webhook) => webhook.events.includes(event))),
    async reload() {
      webhooks = await readWebhooks(site);
      dynamic = await readDynamicWebhooks(site);
    },
    flush() {
      if (queued) site.changes.emit('deliver');
      queued = false;
    },
    async announce(client, occasion) {
      for (const webhook of listening(occasion.event)) {
        if (!(await matches({ site, client, webhook, issue: occasion.issue }))) continue;
        const body = webhook.exclude_body ? '' : JSON.stringify(payload(site, occasion));
        await enqueue(client, { occasion, webhookId: webhook.id, dynamicId: null, url: webhook.url, body });
      }
      if (dynamic.length === 0) return;
      for (const { matchedWebhookIds, ...match } of await matchDynamic(dynamic, { site, client, occasion })) {
        const body = JSON.stringify({ ...payload(site, occasion), matchedWebhookIds });
        await enqueue(client, { occasion, webhookId: null, ...match, body });
      }
    },
  };
}

async function readWebhooks({ pool, cloudId }: Site): Promise<WebhookRow[]> {
  const { rows } = await pool.query<WebhookRow>('select * from jira.webhooks where cloud_id = $1 order by id', [
    cloudId,
  ]);
  return rows;
}

async function matches(parts: {
  site: Site;
  client: PoolClient;
  webhook: WebhookRow;
  issue: IssueRow;
}): Promise<boolean> {
  const { site, client, webhook, issue } = parts;
  const { where } = parseJql(webhook.filters[filterSection] ?? '');
  if (!where) return true;
  const owner = site.accounts.find(({ accountId }) => accountId === webhook.last_updated_user) ?? null;
  const parameters: unknown[] = [issue.id];
  const condition = conditionSql(where, {
    projects: visibleProjects(site, owner),
    accountId: owner?.accountId ?? null,
    timeZone: owner?.timeZone ?? 'Etc/UTC',
    parameters,
  });
  const found = await client.query(`select 1 from jira.issues i where i.id = $1 and (${condition})`, parameters);
  return found.rowCount === 1;
}

function deliveryUrl(url: string, actor: Account): string {
  const address = new URL(url);
  address.searchParams.append('triggeredByUser', actor.accountId);
  return address.toString();
}

function payload(site: Site, { event, type, actor, issue, changelog, comment }: Occasion) {
  const user = userBean(site, actor, { email: false });
  const told = {
    id: issue.id,
    self: issueSelf(site, issue.id).replace('/rest/api/3/', '/rest/api/2/'),
    key: issue.key,
  };
  if (event === 'comment_created') {
    return {
      timestamp: Date.now(),
      webhookEvent: event,
      comment: comment ? commentOf(site, { comment, user }) : undefined,
      issue: { ...told, fields: brief(webhookFields(site, issue)) },
      eventType: 'primaryAction',
    };
  }
  return {
    timestamp: Date.now(),
    webhookEvent: event,
    issue_event_type_name: type,
    user,
    issue: { ...told, fields: webhookFields(site, issue) },
    ...(changelog ? { changelog: { id: changelog.id, items: changelog.items } } : {}),
    ...(comment ? { comment: commentOf(site, { comment, user }) } : {}),
  };
}

function brief({ summary, issuetype, project, assignee, priority, status }: Record<string, unknown>) {
  return { summary, issuetype, project, assignee, priority, status };
}

function commentOf(site: Site, { comment, user }: { comment: CommentRow; user: ReturnType<typeof userBean> }) {
  return {
    self: `${issueSelf(site, comment.issue_id).replace('/rest/api/3/', '/rest/api/2/')}/comment/${comment.id}`,
    id: comment.id,
    author: user,
    body: documentWiki(comment.body),
    updateAuthor: user,
    created: jiraTime(comment.created_at),
    updated: jiraTime(comment.created_at),
    jsdPublic: true,
  };
}
