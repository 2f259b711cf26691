// What a finding's lifecycle reads and writes. Raw SQL, one statement a step: this is the path that every finding takes.

import { createHash, randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Actor, Record as Change, LifecycleState, LinkedIssue } from '../workflows/rules/lifecycle';
import { pushDecision } from '../workflows/rules/push-gate';
import type { FindingStatus, Severity, SyncRule } from '../workflows/rules/vocabulary';
import { inTransaction } from './transaction';

export type FindingRef = { organisationId: string; findingId: string };
export type AttemptRef = { organisationId: string; linkId: string; attempt: number };
export type OpenedLink =
  | { kind: 'opened'; linkId: string; attempt: number; resumed: boolean }
  | { kind: 'linked'; issue: LinkedIssue }
  | { kind: 'refused'; reason: string };
export type SettledAttempt = { kind: 'linked'; issue: LinkedIssue } | { kind: 'never_sent' } | { kind: 'sent' };

type Row = {
  status: FindingStatus;
  claim: number;
  status_reason: string | null;
  severity: Severity;
  rule: SyncRule;
  connection_id: string | null;
  connection_status: string | null;
  link_id: string | null;
  link_state: string | null;
  attempt: number | null;
  jira_key: string | null;
};

export type LifecycleStore = ReturnType<typeof createLifecycleStore>;

/** The lifecycle's own store: the only writer of the status of a finding in the loop. */
export function createLifecycleStore({ pool }: { pool: Pool }) {
  return {
    /** The state that a run starts from. Throws when the finding is not there. */
    async load(ref: FindingRef): Promise<LifecycleState> {
      const row = await readRow(pool, ref);
      const issue =
        row.link_state === 'linked' && row.link_id ? { linkId: row.link_id, key: row.jira_key ?? '' } : null;
      return { version: 1, status: row.status, claim: row.claim, issue, reason: row.status_reason };
    },

    /**
     * Puts the finding to `pushing` and makes the link row whose marker will find the issue again; decides by the
     * push gate as things stand now. A link that an earlier run left in `creating` is taken over, not made again.
     */
    async openLink(input: FindingRef & { batchId: string | null; actor: Actor }): Promise<OpenedLink> {
      return await inTransaction(pool, async (client) => {
        const row = await readRow(client, input, 'for update of f');
        if (row.link_id && row.link_state === 'linked') {
          return { kind: 'linked', issue: { linkId: row.link_id, key: row.jira_key ?? '' } };
        }
        if (row.link_id && row.attempt !== null) {
          return { kind: 'opened', linkId: row.link_id, attempt: row.attempt, resumed: true };
        }
        const decision = pushDecision({
          severity: row.severity,
          status: row.status,
          jiraKey: null,
          rule: row.rule,
          connection: row.connection_status ? { status: row.connection_status } : null,
        });
        if (decision.kind === 'refuse') return { kind: 'refused', reason: decision.reason };
        return { kind: 'opened', linkId: await insertLink(client, input, row), attempt: 1, resumed: false };
      });
    },

    /**
     * The fence: answers true to exactly one caller per attempt, right before sending. A worker that comes back from
     * the dead finds the attempt sent, or a later attempt opened, and must not send.
     */
    async fenceSend({ linkId, attempt }: AttemptRef): Promise<boolean> {
      const { rowCount } = await pool.query(
        `update issue_link set sent_at = now() where id = $1 and state = 'creating' and attempt = $2 and sent_at is null`,
        [linkId, attempt],
      );
      return rowCount === 1;
    },

    /** Stores the issue that an attempt made, and relays the deliveries that came in before anybody knew it. */
    async storeIssue(input: { linkId: string; issueId: string; key: string }): Promise<void> {
      await pool.query(
        `with linked as (
           update issue_link set state = 'linked', jira_issue_id = $2, jira_key = $3, linked_at = now(), last_error = null
           where id = $1 and state = 'creating' returning connection_id)
         update delivery d set state = 'pending' from linked l
         where d.connection_id = l.connection_id and d.jira_issue_id = $2 and d.state = 'untracked'`,
        [input.linkId, input.issueId, input.key],
      );
    },

    /**
     * Keeps the link to an issue that people made; the lifecycle makes it the active one. Answers true when the issue
     * is another finding's already. An issue that was unlinked is free again: its old link keeps only the key.
     */
    async adoptLink(
      input: FindingRef & {
        linkId: string;
        connectionId: string;
        memberId: string;
        issueId: string;
        key: string;
        projectKey: string;
      },
    ): Promise<boolean> {
      const { organisationId, findingId, connectionId, issueId } = input;
      return await inTransaction(pool, async (client) => {
        // The last condition frees what the same finding once had, or what a link that died half-way left behind.
        await client.query(
          `update issue_link set jira_issue_id = null
           where organisation_id = $1 and connection_id = $2 and jira_issue_id = $3 and not active and (
             state = 'detached' or finding_id = $4 and linked_at < now() - interval '1 minute')`,
          [organisationId, connectionId, issueId, findingId],
        );
        const { rowCount } = await client.query(
          `insert into issue_link (id, organisation_id, finding_id, connection_id, generation, state, marker, project_key,
             jira_issue_id, jira_key, pushed_by_id, linked_at, active)
           select $1, $2, $3, $4, 1 + coalesce(max(l.generation), 0), 'linked', $5, $6, $7, $8, $9, now(), false
           from (select 1) one left join issue_link l on l.finding_id = $3
           on conflict do nothing`,
          [
            input.linkId,
            organisationId,
            findingId,
            connectionId,
            markerOf(input.linkId),
            input.projectKey,
            issueId,
            input.key,
            input.memberId,
          ],
        );
        return rowCount === 0;
      });
    },

    /** Ends a link that Jira refused: it is kept as history and the finding can be pushed anew. */
    async failLink({ linkId, reason }: { linkId: string; reason: string }): Promise<void> {
      await pool.query(
        `update issue_link set state = 'failed', active = false, last_error = $2 where id = $1 and state = 'creating'`,
        [linkId, reason],
      );
    },

    /** What became of an attempt without an answer: linked after all, never sent (and now it never will be), or sent. */
    async settleAttempt({ linkId, attempt }: AttemptRef): Promise<SettledAttempt> {
      const { rows } = await pool.query<{ state: string; jira_key: string; sent_at: Date | null }>(
        // Burning the unsent attempt and reading it is one statement, so that no worker can send in between.
        `update issue_link set attempt = attempt + case when sent_at is null and attempt = $2 and state = 'creating' then 1 else 0 end
         where id = $1 returning state, jira_key, sent_at`,
        [linkId, attempt],
      );
      const row = rows[0];
      if (!row) throw new Error(`Issue link ${linkId} is not there.`);
      if (row.state === 'linked') return { kind: 'linked', issue: { linkId, key: row.jira_key } };
      return { kind: row.sent_at === null ? 'never_sent' : 'sent' };
    },

    /** Opens the attempt after `attempt`; asked twice for the same one it answers the same. */
    async nextAttempt({ linkId, attempt }: AttemptRef): Promise<{ attempt: number }> {
      await pool.query(
        `update issue_link set attempt = $2 + 1, sent_at = null where id = $1 and attempt = $2 and state = 'creating'`,
        [linkId, attempt],
      );
      return { attempt: attempt + 1 };
    },

    /** Writes one change down: status, audit event, push items, cases, occurrences, and the card, all or nothing. */
    async record(
      input: FindingRef & { state: LifecycleState; record: Change; dedupeKey: string; keepsStatus?: boolean },
    ): Promise<void> {
      const { state, record } = input;
      // Named, so that each connection plans it once: planning costs more than running it.
      const values = [
        input.organisationId,
        input.findingId,
        state.status,
        state.claim,
        state.reason,
        state.issue?.linkId ?? null,
        state.issue?.key ?? null,
        record.event,
        record.detail ?? '',
        record.actor.kind === 'member' ? record.actor.id : null,
        record.actor.kind,
        input.dedupeKey,
        record.occurrences ?? null,
        record.withdraw ?? false,
        record.items?.outcome ?? null,
        record.items?.batchId ?? null,
        record.items?.reason ?? null,
        input.keepsStatus ?? false,
      ];
      await pool.query({ name: 'lifecycle-record', text: recordSql, values });
    },
  };
}

/** The label that finds an issue again when its answer was lost; a new one for each generation of a link. */
export function markerOf(linkId: string): string {
  return `recheck-${createHash('sha256').update(linkId).digest('hex').slice(0, 16)}`;
}

async function readRow(client: Pool | PoolClient, ref: FindingRef, lock = ''): Promise<Row> {
  const { rows } = await client.query<Row>({
    name: `lifecycle-row ${lock}`,
    text: `select f.status, f.claim, f.status_reason, f.severity, s.rule, s.connection_id, c.status as connection_status,
            l.id as link_id, l.state as link_state, l.attempt, l.jira_key
     from finding f join source s on s.id = f.source_id
     left join connection c on c.id = s.connection_id
     left join issue_link l on l.finding_id = f.id and l.active
     where f.organisation_id = $1 and f.id = $2 ${lock}`,
    values: [ref.organisationId, ref.findingId],
  });
  const row = rows[0];
  if (!row) throw new Error(`Finding ${ref.findingId} is not there.`);
  return row;
}

async function insertLink(
  client: PoolClient,
  input: FindingRef & { batchId: string | null; actor: Actor },
  row: Row,
): Promise<string> {
  const linkId = randomUUID();
  const member = input.actor.kind === 'member' ? input.actor.id : null;
  await client.query(
    `with link as (
       insert into issue_link (id, organisation_id, finding_id, connection_id, generation, state, marker, project_key, pushed_by_id, note)
       select $1, $2, $3, $4, 1 + coalesce(max(l.generation), 0), 'creating', $5, $6, $7,
              (select note from push_batch where id = $8)
       from (select 1) one left join issue_link l on l.finding_id = $3),
     finding as (
       update finding set status = 'pushing', status_since = now(), status_reason = null, in_loop = true, updated_at = now()
       where id = $3),
     cards as (update card set dirty = true, dirty_since = now() where finding_id = $3 returning id),
     told as (select pg_notify('recheck_cards', '') from cards limit 1)
     insert into audit_event (organisation_id, finding_id, actor, event)
     select $2, $3, coalesce((select name from member where id = $7), 'recheck'), 'push_asked' from (select count(*) from told) t`,
    [
      linkId,
      input.organisationId,
      input.findingId,
      row.connection_id,
      markerOf(linkId),
      row.rule.projectKey,
      member,
      input.batchId,
    ],
  );
  return linkId;
}

// One statement, so that a reader sees all of a change or nothing. $12 makes a repeated step write its event once; $18
// leaves the status of a settled finding alone, which ingest may have changed meanwhile.
const recordSql = `
with before as (select status, claim, $18::boolean and not in_loop as keeps from finding where organisation_id = $1::uuid and id = $2::uuid for update),
jira_actor as (
  select d.actor_name from delivery d join issue_link l on l.connection_id = d.connection_id and l.jira_issue_id = d.jira_issue_id
  where l.id = $6::uuid and d.actor_name is not null and d.state <> 'ignored' order by d.received_at desc limit 1),
actor as (
  select coalesce(case $11::text
    when 'member' then (select name from member where organisation_id = $1::uuid and id = $10::uuid)
    when 'jira' then coalesce((select actor_name from jira_actor), 'Jira') end, 'recheck') as name),
changed as (
  update finding f set
    status = case when b.keeps then f.status else $3 end,
    status_reason = case when b.keeps then f.status_reason else $5 end,
    in_loop = not b.keeps and $3 not in ('open', 'verified', 'resolved', 'blocked'),
    claim = $4, updated_at = now(),
    status_since = case when b.keeps or b.status = $3 then f.status_since else now() end,
    claimed_by = case when $4 > b.claim then a.name else f.claimed_by end,
    claimed_at = case when $4 > b.claim then now() else f.claimed_at end
  from before b, actor a where f.organisation_id = $1::uuid and f.id = $2::uuid returning f.id),
link as (
  update issue_link set
    active = $6::uuid is not null, jira_key = coalesce($7, jira_key),
    state = case when $6::uuid is null and state = 'linked' then 'detached' else state end
  where finding_id = $2::uuid and not (select keeps from before)
    and (id = $6::uuid or ($6::uuid is null and active and state = 'linked'))),
occurrences as (
  update occurrence set status = $13 where finding_id = $2::uuid and $13::text is not null and status <> $13),
withdrawn as (
  update session_case set verdict = 'withdrawn', open = false where finding_id = $2::uuid and open and $14
  returning session_id),
sessions as (
  update session s set status = 'completed', completed_at = now() from withdrawn w
  where s.id = w.session_id and s.status = 'in_progress'
    and not exists (select 1 from session_case c where c.session_id = s.id and c.verdict is null and c.finding_id <> $2::uuid)),
items as (
  update push_item set
    outcome = case when $15 = 'created' and batch_id is distinct from $16::uuid then 'reused' else $15 end,
    jira_key = $7, reason = $17, updated_at = now()
  where finding_id = $2::uuid and outcome = 'pending' and $15::text is not null returning batch_id),
batches as (
  update push_batch b set status = 'completed', completed_at = now()
  where b.id in (select batch_id from items) and b.status = 'running' and not exists (
    select 1 from push_item i where i.batch_id = b.id and i.outcome in ('pending', 'held') and i.finding_id <> $2::uuid)),
event as (
  insert into audit_event (organisation_id, finding_id, actor, event, detail, dedupe_key)
  select $1::uuid, $2::uuid, a.name, $8, $9, $12 from actor a on conflict (dedupe_key) do nothing),
cards as (
  insert into card (id, organisation_id, finding_id, installation_id, channel_id)
  select gen_random_uuid(), $1::uuid, $2::uuid, i.id, i.channel_id from slack_installation i
  where i.organisation_id = $1::uuid and i.status = 'installed' and i.channel_id is not null
  on conflict (finding_id, channel_id) do update set dirty = true, dirty_since = now()
  returning id)
select pg_notify('recheck_cards', ''), (select count(*) from changed) from cards limit 1`;
