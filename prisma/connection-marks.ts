// The state that a connection is in (works or not, lost projects, webhooks, polls), and the notices that go with a
// change of it. Each change is one statement: of several processes that see the same failure, exactly one flips the
// state and writes the notice.

import type { Pool } from 'pg';

/** The part of the connection store that marks the state of connections. */
export function createConnectionMarks({ pool }: { pool: Pool }) {
  /** Whether the statement answers a row: the caller is the one that changed the state. */
  async function flips(name: string, text: string, values: unknown[]): Promise<boolean> {
    const { rows } = await pool.query({ name, text, values });
    return rows.length > 0;
  }

  return {
    /**
     * The credentials do not work any more: `connected` becomes `reconnect_required`, with one open notice. True for
     * the one caller that flipped it. `reason` names cause and cure, without secrets. With `credentialsSince` (the
     * `refreshedAt` of the credentials that failed) newer ones, stored meanwhile, are not blamed.
     */
    async markBroken(input: {
      id: string;
      reason: string;
      credentialsSince?: Date | null | undefined;
    }): Promise<boolean> {
      return await flips('connection-broken', broken, [input.id, input.reason, input.credentialsSince ?? null]);
    },

    /**
     * The credentials work: `reconnect_required` becomes `connected`, its notice is resolved and one that says
     * `restored` is written. True for the one caller that flipped it; that one has the connection synchronised.
     */
    async markHealthy(id: string): Promise<boolean> {
      return await flips('connection-healthy', healthy, [id]);
    },

    /** A routed project cannot be seen any more: kept by key, with one open notice. True for the caller that added it. */
    async lostProject(input: { id: string; projectKey: string; detail: string }): Promise<boolean> {
      return await flips('connection-lost-project', lost, [input.id, input.projectKey, input.detail]);
    },

    /** A lost project is seen again; the last one resolves the notice. True for the caller that removed it. */
    async foundProject(input: { id: string; projectKey: string }): Promise<boolean> {
      return await flips('connection-found-project', found, [input.id, input.projectKey]);
    },

    /**
     * Stores what the registration of the dynamic webhooks came to. An `error` (cause and cure) opens one notice
     * `webhook_failed`; none resolves it. False where the connection is gone meanwhile: the webhooks are orphans then.
     */
    async setWebhooks(input: {
      id: string;
      webhookIds: ReadonlyArray<string | number>;
      expiresAt: Date | null;
      error: string | null;
    }): Promise<boolean> {
      const { id, webhookIds, expiresAt, error } = input;
      return await flips('connection-webhooks', webhooks, [id, webhookIds.map(String), expiresAt, error]);
    },

    /**
     * Stores that a poll ended. `polledUntil` moves the mark up to which changes in Jira are known, forwards only;
     * `error` says why it could not be moved.
     */
    async notePoll(input: { id: string; polledUntil?: Date | null; error?: string | null }): Promise<void> {
      await pool.query({
        name: 'connection-polled',
        text: `update connection set last_poll_at = now(), poll_error = $3,
          polled_until = greatest(polled_until, $2::timestamptz) where id = $1 and deleted_at is null`,
        values: [input.id, input.polledUntil ?? null, input.error ?? null],
      });
    },
  };
}

const broken = `with flipped as (
    update connection set status = 'reconnect_required', status_reason = $2, broken_at = now()
    where id = $1 and status = 'connected' and deleted_at is null
      and ($3::timestamptz is null or refreshed_at is not distinct from $3::timestamptz)
    returning id, organisation_id),
  told as (
    insert into notice (organisation_id, connection_id, kind, detail)
    select organisation_id, id, 'reconnect_required', $2 from flipped
    on conflict (connection_id, kind) where resolved_at is null do nothing)
  select 1 from flipped`;

const healthy = `with flipped as (
    update connection set status = 'connected', status_reason = null, broken_at = null
    where id = $1 and status = 'reconnect_required' and deleted_at is null returning id, organisation_id),
  resolved as (
    update notice n set resolved_at = now() from flipped f
    where n.connection_id = f.id and n.kind = 'reconnect_required' and n.resolved_at is null),
  told as (
    insert into notice (organisation_id, connection_id, kind, detail, resolved_at)
    select organisation_id, id, 'restored', 'The connection to Jira works again.', now() from flipped)
  select 1 from flipped`;

const lost = `with flipped as (
    update connection set lost_projects = array_append(lost_projects, $2::text)
    where id = $1 and deleted_at is null and not $2::text = any (lost_projects) returning id, organisation_id),
  told as (
    insert into notice (organisation_id, connection_id, kind, detail)
    select organisation_id, id, 'project_lost', $3 from flipped
    on conflict (connection_id, kind) where resolved_at is null do update set detail = excluded.detail)
  select 1 from flipped`;

const found = `with flipped as (
    update connection set lost_projects = array_remove(lost_projects, $2::text)
    where id = $1 and $2::text = any (lost_projects) returning id, cardinality(lost_projects) as left_over),
  resolved as (
    update notice n set resolved_at = now() from flipped f
    where n.connection_id = f.id and n.kind = 'project_lost' and n.resolved_at is null and f.left_over = 0)
  select 1 from flipped`;

const webhooks = `with stored as (
    update connection set dynamic_webhook_ids = $2::bigint[], webhook_expires_at = $3, webhook_error = $4
    where id = $1 and deleted_at is null returning id, organisation_id),
  resolved as (
    update notice n set resolved_at = now() from stored s
    where $4::text is null and n.connection_id = s.id and n.kind = 'webhook_failed' and n.resolved_at is null),
  told as (
    insert into notice (organisation_id, connection_id, kind, detail)
    select organisation_id, id, 'webhook_failed', $4 from stored where $4::text is not null
    on conflict (connection_id, kind) where resolved_at is null do nothing)
  select 1 from stored`;
