// Storing deliveries: the hottest statement of the system, so what arrives at once is stored by one statement.

import DataLoader from 'dataloader';
import type { Pool } from 'pg';
import { plain } from '../workflows/rules/plain-text';
import type { DeliveryState, JiraChange, NewDelivery } from './deliveries';

type Stored = DeliveryState | 'duplicate';

/** Statements under way at once; what arrives meanwhile makes up the next one. */
const AT_ONCE = 2;
const MOST_PER_STATEMENT = 50;

/**
 * A function that stores a delivery and answers its state, or `duplicate` where the connection already sent this
 * identifier. It answers after the commit. Deliveries that wait share a statement; where that fails because of what
 * one of them says, each is stored by itself, so that none fails for another.
 */
export function createDeliveryInsert(pool: Pick<Pool, 'query'>): (delivery: NewDelivery) => Promise<Stored> {
  let running = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    if (running < AT_ONCE) waiting.shift()?.();
  };
  const loader = new DataLoader<NewDelivery, Stored>(
    async (deliveries) => {
      running += 1;
      try {
        return await insertAll(pool, deliveries);
      } finally {
        running -= 1;
        next();
      }
    },
    {
      cache: false,
      maxBatchSize: MOST_PER_STATEMENT,
      batchScheduleFn(dispatch) {
        waiting.push(dispatch);
        // Not before the batch has its first delivery.
        setImmediate(next);
      },
    },
  );
  return (delivery) => loader.load(delivery);
}

async function insertAll(pool: Pick<Pool, 'query'>, deliveries: readonly NewDelivery[]): Promise<(Stored | Error)[]> {
  try {
    return await insertTogether(pool, deliveries);
  } catch (error) {
    if (deliveries.length === 1 || !isAboutValues(error)) throw error;
    return await Promise.all(
      deliveries.map(async (delivery) => {
        const alone = await insertAll(pool, [delivery]).catch(asError);
        return alone instanceof Error ? alone : (alone[0] ?? 'duplicate');
      }),
    );
  }
}

async function insertTogether(pool: Pick<Pool, 'query'>, deliveries: readonly NewDelivery[]): Promise<Stored[]> {
  const identifiers = deliveries.map(({ identifier }) => plain(identifier, 200));
  const { rows } = await pool.query<{ connection_id: string; identifier: string; state: DeliveryState }>({
    name: 'delivery-insert',
    text: insertSql,
    values: [
      deliveries.map(({ organisationId }) => organisationId),
      deliveries.map(({ connectionId }) => connectionId),
      identifiers,
      deliveries.map(({ event }) => plain(event, 100)),
      deliveries.map(({ jiraIssueId }) => jiraIssueId && plain(jiraIssueId, 100)),
      deliveries.map(({ changes }) => toJson(changes)),
      deliveries.map(({ actorId }) => actorId && plain(actorId, 200)),
      deliveries.map(({ actorName }) => actorName && plain(actorName, 200)),
      deliveries.map(({ occurredAt }) => occurredAt),
      deliveries.map(({ ofInterest }) => ofInterest),
    ],
  });
  const stored = new Map(rows.map((row) => [`${row.connection_id} ${row.identifier}`, row.state]));
  return deliveries.map(({ connectionId }, n) => {
    const key = `${connectionId} ${identifiers[n]}`;
    const state = stored.get(key) ?? 'duplicate';
    // The same delivery twice in one statement: the first one was stored.
    stored.delete(key);
    return state;
  });
}

const insertSql = `
  insert into delivery (organisation_id, connection_id, identifier, event, jira_issue_id, changes, actor_id, actor_name,
    occurred_at, id, state)
  select d.organisation_id, d.connection_id, d.identifier, d.event, d.jira_issue_id, d.changes::jsonb, d.actor_id,
    d.actor_name, d.occurred_at, gen_random_uuid(),
    case
      when not d.of_interest then 'ignored'
      when d.jira_issue_id is null then 'pending'
      when exists (
        select 1 from issue_link l
        where l.connection_id = d.connection_id and l.jira_issue_id = d.jira_issue_id
          and l.organisation_id = d.organisation_id and l.active
      ) then 'pending'
      else 'untracked'
    end
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::boolean[])
    as d (organisation_id, connection_id, identifier, event, jira_issue_id, changes, actor_id, actor_name, occurred_at,
      of_interest)
  on conflict (connection_id, identifier) do nothing
  returning connection_id, identifier, state`;

const toJson = (changes: JiraChange[]) => (changes.length === 0 ? '[]' : JSON.stringify(changes, plainValue));

const plainValue = (_key: string, value: unknown) => (typeof value === 'string' ? plain(value, 300) : value);

/** Classes 22 and 23 of PostgreSQL's error codes: a value that does not fit, a constraint that does not hold. */
function isAboutValues(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^2[23]/.test(code);
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
