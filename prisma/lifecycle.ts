// What a finding's lifecycle reads and writes. Raw SQL, one statement a step: this is the path that every finding takes.

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Actor, LifecycleState, LinkedIssue } from '../workflows/rules/lifecycle';
import { heldCause, heldReason, type PushCandidate, projectOf, pushDecision } from '../workflows/rules/push-gate';
import type { ConnectionStatus, FindingStatus, Severity, SyncRule } from '../workflows/rules/vocabulary';
import { createHandLinkStore, handLink, markerOf } from './hand-links';
import { createIssueStatusStore } from './issue-status';
import { type RecordedChange, recordChange } from './lifecycle-record';
import { chosenSql } from './push-target';
import { inTransaction } from './transaction';

/** Whether reports no longer find `finding f`, which was not in the loop when it went, and still is not resolved. */
export const isGoneUnpushedSql = `(f.absent_since is not null and f.status in ('open', 'awaiting_approval', 'push_failed'))`;

export type FindingRef = { organisationId: string; findingId: string };
export type AttemptRef = { organisationId: string; linkId: string; attempt: number };
export type OpenedLink =
  | { kind: 'opened'; linkId: string; attempt: number; resumed: boolean }
  | { kind: 'linked'; issue: LinkedIssue }
  /** `cancelled`: the push was, after it had asked; whoever takes it up again has an item that this does not end. */
  | { kind: 'refused' | 'held'; reason: string; cancelled?: true };
export type SettledAttempt = { kind: 'linked'; issue: LinkedIssue } | { kind: 'never_sent' } | { kind: 'sent' };

type Row = {
  status: FindingStatus;
  claim: number;
  status_reason: string | null;
  severity: Severity;
  rule: SyncRule;
  connection_id: string | null;
  connection_status: ConnectionStatus | null;
  connection_reason: string | null;
  chosen: NonNullable<PushCandidate['chosen']> | null;
  link_id: string | null;
  link_state: string | null;
  attempt: number | null;
  jira_key: string | null;
  missing_since: Date | null;
  absent: boolean;
};

export type LifecycleStore = ReturnType<typeof createLifecycleStore>;

/** The lifecycle's own store: the only writer of the status of a finding in the loop. */
export function createLifecycleStore({ pool }: { pool: Pool }) {
  return {
    ...createHandLinkStore({ pool }),
    ...createIssueStatusStore({ pool }),

    /** The state that a run starts from. Throws when the finding is not there. */
    async load(ref: FindingRef): Promise<LifecycleState> {
      const row = await readRow(pool, ref);
      const issue =
        row.link_state === 'linked' && row.link_id ? { linkId: row.link_id, key: row.jira_key ?? '' } : null;
      const missing = issue !== null && row.missing_since !== null;
      return { version: 1, status: row.status, claim: row.claim, issue, reason: row.status_reason, missing };
    },

    /**
     * Puts the finding to `pushing` and makes the link row whose marker will find the issue again; decides by the
     * push gate as things stand now. A link that an earlier run left in `creating` is taken over where an attempt may
     * have been sent; where none was, or its site was disconnected, the push starts over.
     */
    async openLink(input: FindingRef & { batchId: string | null; actor: Actor }): Promise<OpenedLink> {
      return await inTransaction(pool, async (client) => {
        const row = await readRow(client, input, { batchId: input.batchId });
        if (row.link_id && row.link_state === 'linked') {
          return { kind: 'linked', issue: { linkId: row.link_id, key: row.jira_key ?? '' } };
        }
        const resumed = await resumeLink(client, input, row);
        if (resumed) return resumed;
        const overtaken = await overtakenBy(client, input);
        if (overtaken) return { kind: 'refused', ...overtaken };
        const decision = pushDecision(candidateOf(row));
        if (decision.kind === 'refuse') return { kind: 'refused', reason: decision.reason };
        if (decision.kind === 'held') return decision;
        return { kind: 'opened', linkId: await insertLink(client, input, row), attempt: 1, resumed: false };
      });
    },

    /**
     * The fence: answers true to exactly one caller per attempt, right before sending. A worker that comes back from
     * the dead finds the attempt sent, or a later attempt opened, and must not send.
     */
    async fenceSend({ linkId, attempt }: Omit<AttemptRef, 'organisationId'>): Promise<boolean> {
      const { rowCount } = await pool.query(
        `update issue_link set sent_at = now() where id = $1 and state = 'creating' and attempt = $2 and sent_at is null`,
        [linkId, attempt],
      );
      return rowCount === 1;
    },

    /**
     * The fence once more, before an attempt that Jira refused is sent in another form: only while it is the one that is
     * open. Meanwhile it may have been given up.
     */
    async fenceAgain({ linkId, attempt }: Omit<AttemptRef, 'organisationId'>): Promise<boolean> {
      const { rowCount } = await pool.query(
        `update issue_link set sent_at = now() where id = $1 and state = 'creating' and attempt = $2 and sent_at is not null`,
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

    /** Ends a link that Jira refused. */
    failLink: (ended: { linkId: string; reason: string }) => giveUpLink(pool, ended),

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
    async nextAttempt({ linkId, attempt }: Omit<AttemptRef, 'organisationId'>): Promise<{ attempt: number }> {
      await pool.query(
        `update issue_link set attempt = $2 + 1, sent_at = null where id = $1 and attempt = $2 and state = 'creating'`,
        [linkId, attempt],
      );
      return { attempt: attempt + 1 };
    },

    /** Writes one change down: status, audit event, push items, cases, occurrences, and the card, all or nothing. */
    record: (change: RecordedChange) => recordChange(pool, change),
  };
}

/** `push`: for that push, which may go to another connection than the source's; the finding is locked then. */
async function readRow(client: Pool | PoolClient, ref: FindingRef, push?: { batchId: string | null }): Promise<Row> {
  const { rows } = await client.query<Row>({
    name: push ? 'lifecycle-push-row' : 'lifecycle-row',
    text: `select f.status, f.claim, ${isGoneUnpushedSql} as absent, f.status_reason, f.severity, s.rule, c.id as connection_id, c.status as connection_status,
            c.status_reason as connection_reason, ${chosenSql('b.connection_id')} as chosen,
            l.id as link_id, l.state as link_state, l.attempt, l.jira_key, l.missing_since
     from finding f join source s on s.id = f.source_id
     left join push_batch b on b.organisation_id = $1 and b.id = $3::uuid
     left join connection c on c.id = coalesce(b.connection_id, s.connection_id)
     left join issue_link l on l.finding_id = f.id and l.active
     where f.organisation_id = $1 and f.id = $2 ${push ? 'for update of f' : ''}`,
    values: [ref.organisationId, ref.findingId, push?.batchId ?? null],
  });
  const row = rows[0];
  if (!row) throw new Error(`Finding ${ref.findingId} is not there.`);
  return row;
}

/** Why a push that nothing was sent for yet ends here although the rule lets it through; null where it goes on. */
async function overtakenBy(client: PoolClient, push: { findingId: string; batchId: string | null }) {
  if (await wasCancelled(client, push)) return { reason: 'The push was cancelled.', cancelled: true as const };
  const key = await handLink(client, push.findingId);
  const reason = `It is being linked to ${key} right now. Look at it in a minute, and push it again if it has no issue.`;
  return key ? { reason } : null;
}

/** Whether the push was cancelled after it had asked the lifecycle, and no other one waits for it. */
async function wasCancelled(client: PoolClient, { findingId, batchId }: { findingId: string; batchId: string | null }) {
  const { rows } = await client.query<{ outcome: string; other: boolean }>(
    `select outcome, exists (select 1 from push_item p join push_batch b on b.id = p.batch_id
       where p.finding_id = $2 and p.outcome = 'pending' and b.status = 'running') as other
     from push_item where batch_id = $1 and finding_id = $2`,
    [batchId, findingId],
  );
  return rows[0]?.outcome === 'cancelled' && !rows[0].other;
}

function candidateOf(row: Row): PushCandidate {
  const { severity, status, absent, rule, chosen, connection_status: connection, connection_reason: reason } = row;
  const known = { severity, status, absent, jiraKey: null, rule, chosen };
  return { ...known, connection: connection ? { status: connection, reason } : null };
}

/**
 * Goes on with a link that was left in `creating`, on the connection that it was begun with: what was sent there may be
 * an issue. Null: nothing can be there, the link is given up, and the push starts over.
 */
async function resumeLink(client: PoolClient, ref: FindingRef, row: Row): Promise<OpenedLink | null> {
  const { link_id: linkId, attempt } = row;
  if (linkId === null || attempt === null) return null;
  const { rows } = await client.query<{ sent: boolean; status: string; status_reason: string | null }>(
    `select l.sent_at is not null as sent, c.status, c.status_reason
     from issue_link l join connection c on c.id = l.connection_id where l.id = $1`,
    [linkId],
  );
  const link = rows[0];
  if (!link) return null;
  // What was not sent goes by the rule, the note and the push of now, not by those that it was begun with. A run that
  // died may have sent something all the same.
  const mayBeSent = link.sent || row.status === 'pushing';
  if (link.status === 'disconnected' || !mayBeSent) {
    await giveUpLink(client, { linkId, reason: 'The push was started over.' });
    return null;
  }
  if (link.status === 'reconnect_required') return { kind: 'held', reason: heldReason(link.status_reason) };
  await client.query(
    `with finding as (
       update finding set status = 'pushing', status_since = now(), status_reason = null, in_loop = true, updated_at = now()
       where organisation_id = $1 and id = $2 and status <> 'pushing' returning id),
     cards as (
       update card set dirty = true, dirty_since = now() from finding f where finding_id = f.id returning card.id),
     told as (select pg_notify('recheck_cards', '') from cards limit 1)
     insert into audit_event (organisation_id, finding_id, actor, event)
     select $1, id, 'recheck', 'push_resumed' from finding, (select count(*) from told) t`,
    [ref.organisationId, ref.findingId],
  );
  return { kind: 'opened', linkId, attempt, resumed: true };
}

/** Ends a link that made no issue: it is kept as history and the finding can be pushed anew. */
async function giveUpLink(client: Pool | PoolClient, { linkId, reason }: { linkId: string; reason: string }) {
  await client.query(
    `update issue_link set state = 'failed', active = false, last_error = $2 where id = $1 and state = 'creating'`,
    [linkId, reason],
  );
}

async function insertLink(
  client: PoolClient,
  input: FindingRef & { batchId: string | null; actor: Actor },
  row: Row,
): Promise<string> {
  const linkId = randomUUID();
  const member = input.actor.kind === 'member' ? input.actor.id : null;
  // It was held after it had begun: who asked for it stands in the history already.
  const goesOn = row.link_id !== null && row.status === 'open' && heldCause(row.status_reason) !== null;
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
     select $2, $3, coalesce((select name from member where id = $7 and not $9), 'recheck'),
       case when $9::boolean then 'push_resumed' else 'push_asked' end
     from (select count(*) from told) t`,
    [
      linkId,
      input.organisationId,
      input.findingId,
      row.connection_id,
      markerOf(linkId),
      projectOf(row),
      member,
      input.batchId,
      goesOn,
    ],
  );
  return linkId;
}
