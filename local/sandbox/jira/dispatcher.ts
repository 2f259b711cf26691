import { createHmac } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { signedToken } from './oauth/signed-token';
import type { OauthClient } from './schema';

/** Sends what stands in the delivery queue. */
export interface Dispatcher {
  /** Ends sending; what was under way is sent again at the next start. */
  stop(): Promise<void>;
}

interface Delivery {
  id: string;
  identifier: string;
  url: string;
  body: string;
  secret: string | null;
  /** For the OAuth app: signed by a token instead of a digest of the body. */
  dynamic: boolean;
  attempts: number;
}

const concurrency = 20;
const mostRetries = 5;
const retried = [408, 409, 425, 429];
const timeoutMs = 20_000;

export interface DispatcherOptions {
  pool: Pool;
  /** Emits `deliver` when something was put into the queue. */
  changes: EventEmitter;
  retryMs: number;
  /** Its secret signs what goes to its webhooks. */
  oauth: OauthClient;
}

/**
 * Starts delivering: at most 20 at once, each up to five times more after 408, 409, 425, 429, 5xx or no answer, `retryMs`
 * apart (Jira waits 5 to 15 minutes). Any other 4xx loses the delivery, as in Jira.
 */
export async function startDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const { pool, changes } = options;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let pumping: Promise<void> | undefined;
  let again = false;

  // A killed run leaves deliveries marked as being sent; whether they arrived is unknown, so they go out again.
  await pool.query(`update jira.deliveries set state = 'waiting' where state = 'sending'`);
  await pool.query(
    `delete from jira.deliveries where state in ('delivered', 'lost') and created_at < now() - interval '7 days'`,
  );

  async function pump(): Promise<void> {
    while (again && !stopping.signal.aborted) {
      again = false;
      for (const delivery of await claim(pool, concurrency - underWay.size)) launch(delivery);
      if (!again) await sleepUntilDue();
    }
  }

  function launch(delivery: Delivery): void {
    // Where the database is away for the result, the claim runs out and the delivery goes out again.
    const work = deliver(options, { delivery, signal: stopping.signal })
      .catch(() => undefined)
      .finally(() => {
        underWay.delete(work);
        wake();
      });
    underWay.add(work);
  }

  async function sleepUntilDue(): Promise<void> {
    const { rows } = await pool.query<{ ms: number | null }>({
      name: 'next-delivery',
      text: `select (extract(epoch from min(next_at) - now()) * 1000)::float8 as ms
             from jira.deliveries where state = 'waiting'`,
    });
    clearTimeout(timer);
    const ms = rows[0]?.ms;
    if (typeof ms === 'number' && underWay.size < concurrency) timer = setTimeout(wake, Math.max(1, Math.ceil(ms)));
  }

  function wake(): void {
    again = true;
    if (pumping || stopping.signal.aborted) return;
    pumping = pump()
      .catch(() => {
        // The database is away; the queue stands there, so only time is lost.
        if (!stopping.signal.aborted) timer = setTimeout(wake, 1_000);
        again = false;
      })
      .finally(() => {
        pumping = undefined;
        if (again) wake();
      });
  }

  changes.on('deliver', wake);
  wake();
  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      changes.off('deliver', wake);
      await pumping;
      clearTimeout(timer);
      await Promise.allSettled(underWay);
    },
  };
}

async function claim(pool: Pool, free: number): Promise<Delivery[]> {
  if (free <= 0) return [];
  const { rows } = await pool.query<Delivery>({
    name: 'claim-deliveries',
    text: `with due as (
             select id from jira.deliveries
             where (state = 'waiting' and next_at <= now())
                or (state = 'sending' and next_at <= now() - interval '1 minute')
             order by next_at, id limit $1 for update skip locked
           )
           update jira.deliveries d set state = 'sending', attempts = attempts + 1, next_at = now()
           from due where d.id = due.id
           returning d.id, d.identifier, d.url, d.body, d.attempts, d.dynamic_id is not null as dynamic,
             (select w.secret from jira.webhooks w where w.id = d.webhook_id) as secret`,
    values: [free],
  });
  // An UPDATE returns rows in no promised order.
  return rows.sort((a, b) => Number(a.id) - Number(b.id));
}

async function deliver(
  { pool, retryMs, oauth }: DispatcherOptions,
  { delivery, signal }: { delivery: Delivery; signal: AbortSignal },
): Promise<void> {
  const headers = deliveryHeaders(delivery, oauth);
  const outcome = await send(delivery, { headers, stop: signal });
  if (signal.aborted) return;
  const { state, status, error } = outcome;
  const retry = state === 'failed' && delivery.attempts <= mostRetries;
  await pool.query({
    name: 'mark-delivery',
    text: `update jira.deliveries set state = $2, last_status = $3, last_error = $4,
             next_at = now() + make_interval(secs => $5::float8 / 1000) where id = $1`,
    values: [delivery.id, retry ? 'waiting' : state === 'failed' ? 'lost' : state, status, error, retry ? retryMs : 0],
  });
}

interface Outcome {
  state: 'delivered' | 'failed' | 'lost';
  status: number | null;
  error: string | null;
}

async function send(
  delivery: Delivery,
  { headers, stop }: { headers: Record<string, string>; stop: AbortSignal },
): Promise<Outcome> {
  try {
    const response = await fetch(delivery.url, {
      method: 'POST',
      body: delivery.body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return { state: verdict(response.status), status: response.status, error: null };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { state: 'failed', status: null, error: cause instanceof Error ? cause.message : String(cause) };
  }
}

function verdict(status: number): Outcome['state'] {
  if (status >= 200 && status < 300) return 'delivered';
  return status >= 500 || retried.includes(status) ? 'failed' : 'lost';
}

function deliveryHeaders(
  { identifier, attempts, body, secret, dynamic }: Delivery,
  oauth: OauthClient,
): Record<string, string> {
  return {
    'content-type': 'application/json; charset=UTF-8',
    'user-agent': 'Atlassian Webhook HTTP Client',
    'x-atlassian-webhook-identifier': identifier,
    'x-atlassian-webhook-flow': 'Primary',
    ...(attempts > 1 ? { 'x-atlassian-webhook-retry': String(attempts - 1) } : {}),
    ...(dynamic ? { authorization: `Bearer ${signedToken(oauth)}` } : {}),
    ...(secret ? { 'x-hub-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` } : {}),
  };
}
