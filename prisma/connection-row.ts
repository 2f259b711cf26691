import type { ConnectionStatus } from '../workflows/rules/vocabulary';

export type ConnectionKind = 'api_token' | 'oauth';

/** A connection as everybody may see it: nothing in it is secret. */
export type ConnectionRow = {
  id: string;
  organisationId: string;
  kind: ConnectionKind;
  status: ConnectionStatus;
  /** Cause and cure while it is not connected, without secrets. */
  statusReason: string | null;
  brokenAt: Date | null;
  siteUrl: string;
  /** Where it is set, calls go through Atlassian's gateway: always for OAuth, and for scoped API tokens. */
  cloudId: string | null;
  /** Who the credentials belong to: the e-mail of an API token's account, the display name of a grant's. */
  accountEmail: string | null;
  accountId: string | null;
  projectKey: string;
  autoSync: boolean;
  mapping: unknown;
  /** What an OAuth grant allows; empty for an API token. */
  scopes: string[];
  /** Ids of the dynamic webhooks, unique per site only. */
  dynamicWebhookIds: string[];
  webhookExpiresAt: Date | null;
  webhookError: string | null;
  lastWebhookAt: Date | null;
  lastPollAt: Date | null;
  pollError: string | null;
  polledUntil: Date | null;
  /** Routed projects that the account cannot see any more. */
  lostProjects: string[];
  /** When the access token of a grant ends. */
  tokenExpiresAt: Date | null;
  /** When the credentials were stored last; tells one set of them from the next. */
  refreshedAt: Date | null;
  createdAt: Date;
  deletedAt: Date | null;
};

/** The columns of a `ConnectionRow`, for a select or a returning clause on the table itself. */
export const connectionColumns = `id, organisation_id as "organisationId", kind, status, status_reason as "statusReason",
  broken_at as "brokenAt", site_url as "siteUrl", cloud_id as "cloudId", account_email as "accountEmail",
  account_id as "accountId", project_key as "projectKey", auto_sync as "autoSync", mapping, scopes,
  coalesce(dynamic_webhook_ids, '{}') as "dynamicWebhookIds", webhook_expires_at as "webhookExpiresAt",
  webhook_error as "webhookError", last_webhook_at as "lastWebhookAt", last_poll_at as "lastPollAt",
  poll_error as "pollError", polled_until as "polledUntil", lost_projects as "lostProjects",
  token_expires_at as "tokenExpiresAt", refreshed_at as "refreshedAt", created_at as "createdAt",
  deleted_at as "deletedAt"`;
