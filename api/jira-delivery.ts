// What is kept of a Jira delivery: read from its body, with nothing believed that is not there.

import { createHash, randomUUID } from 'node:crypto';
import type { JiraChange, NewDelivery } from '../prisma/deliveries';

/** The parsed body of a delivery; null where there is none to use. */
export type DeliveryBody = Fields | null;
type Read = Omit<NewDelivery, 'organisationId' | 'connectionId'>;

/**
 * What is kept of a delivery: event, issue id, actor, time, and changes of status, resolution, key or project; never a
 * text of the issue. A body without event or issue id (webhooks can be set to exclude it) is of interest: something
 * happened. Without `identifier` (x-atlassian-webhook-identifier) event, issue and time tell deliveries apart.
 */
export function readDelivery(root: DeliveryBody, identifier?: string): Read {
  const event = text(own(root, 'webhookEvent')) ?? '';
  const jiraIssueId = text(own(object(own(root, 'issue')), 'id'));
  const timestamp = own(root, 'timestamp');
  const user = object(own(root, 'user'));
  const changes = changesOfInterest(object(own(root, 'changelog')));
  const usable = event !== '' && (jiraIssueId !== null || !issueEvents.has(event));
  return {
    identifier: identifier || fallbackIdentifier({ event, issue: jiraIssueId, timestamp }),
    event,
    jiraIssueId,
    changes,
    ofInterest: !usable || event === 'jira:issue_deleted' || (event === 'jira:issue_updated' && changes.length > 0),
    actorId: text(own(user, 'accountId')),
    actorName: text(own(user, 'displayName')),
    occurredAt: typeof timestamp === 'number' && Math.abs(timestamp) < 8.64e15 ? new Date(timestamp) : null,
  };
}

/** Which of the app's dynamic webhooks a delivery is for, and the address that it gives for its issue. */
export function addressOf(root: DeliveryBody): { webhookIds: string[]; issueSelf: string | null } {
  const ids = own(root, 'matchedWebhookIds');
  return {
    webhookIds: Array.isArray(ids) ? ids.flatMap((id) => text(id) ?? []) : [],
    issueSelf: text(own(object(own(root, 'issue')), 'self')),
  };
}

const issueEvents = new Set(['jira:issue_updated', 'jira:issue_deleted', 'jira:issue_created']);
const fieldsOfInterest = new Set(['status', 'resolution', 'key', 'project']);

function changesOfInterest(changelog: Fields | null): JiraChange[] {
  const items = own(changelog, 'items');
  if (!Array.isArray(items)) return [];
  return items.flatMap((entry) => {
    const item = object(entry);
    const field = [text(own(item, 'fieldId')), text(own(item, 'field'))].find((name) => isOfInterest(name));
    if (!field) return [];
    return {
      field: field.toLowerCase(),
      from: text(own(item, 'from')),
      to: text(own(item, 'to')),
      fromName: text(own(item, 'fromString')),
      toName: text(own(item, 'toString')),
    };
  });
}

const isOfInterest = (name: string | null): name is string => name !== null && fieldsOfInterest.has(name.toLowerCase());

function fallbackIdentifier(parts: { event: string; issue: string | null; timestamp: unknown }): string {
  // Nothing to tell it by: better handled twice than taken for another one.
  if (typeof parts.timestamp !== 'number') return `none:${randomUUID()}`;
  return createHash('sha256')
    .update(JSON.stringify([parts.event, parts.issue, parts.timestamp]))
    .digest('hex');
}

type Fields = { [key: string]: unknown };

/** The body of a delivery as an object; null where it is empty, no JSON or something else. */
export function parseDelivery(body: Buffer): DeliveryBody {
  try {
    return object(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}

function object(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Changelog items have a field named `toString`; where it is absent, a plain read finds Object's function. */
function own(fields: Fields | null, key: string): unknown {
  return fields && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** Ids arrive as strings from some senders and as numbers from others. */
function text(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : null;
}
