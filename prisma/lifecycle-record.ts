// One change of a finding's lifecycle, written down. The hottest statement of the loop.

import type { Pool } from 'pg';
import type { Change, LifecycleState } from '../workflows/rules/lifecycle';
import { markPushCardsSql } from './push-cards';

export type RecordedChange = {
  organisationId: string;
  findingId: string;
  state: LifecycleState;
  record: Change;
  /** Unique for this step: repeated, it writes its event once. */
  dedupeKey: string;
  /** The change is none of the status, so that a settled finding keeps what ingest has made of it meanwhile. */
  keepsStatus?: boolean;
  /** The status that the change starts from, of a settled finding: where ingest has made another of it, nothing is written. */
  restsAs?: string;
};

/**
 * Writes one change down: status, audit event, link, push items, cases, occurrences, and the card, all or nothing.
 * Answers the sessions that it took a case from. `isOvertaken`: nothing was written, because ingest was there first.
 */
export async function recordChange(
  pool: Pool,
  input: RecordedChange,
): Promise<{ withdrawnFrom: string[]; isOvertaken: boolean }> {
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
    state.missing ?? false,
    input.restsAs ?? null,
  ];
  const { rows } = await pool.query<{ withdrawn_from: string[] | null; overtaken: boolean }>({
    name: 'lifecycle-record',
    text: recordSql,
    values,
  });
  return { withdrawnFrom: rows[0]?.withdrawn_from ?? [], isOvertaken: rows[0]?.overtaken ?? false };
}

/** Findings of one push that still have cards of their own from the push on. */
const FEW = 10;
// More of them would flood the channel, in which the message of the push says it all: their cards come when Jira or a
// person does something with them.
const isToldByPushSql = `$3 in ('open', 'awaiting_approval', 'awaiting_fix', 'push_failed') and exists (
  select 1 from push_item q where q.batch_id = (
    select p.batch_id from push_item p join push_batch b on b.id = p.batch_id
    where p.finding_id = $2::uuid order by b.created_at desc limit 1) offset ${FEW})`;

// One statement, so that a reader sees all of a change or nothing. $12 makes a repeated step write its event once; $18
// leaves the status of a settled finding alone, which ingest may have changed meanwhile; where $20 says what it was and
// it is that no longer, there is no row in "before" and nothing is written. A link that is history stays so. Recheck's
// own change of status (expected_change) comes back as a delivery too, perhaps after that of a person: who did it is the
// person. A run that took a push over does not know whose it was ($16): the oldest's. A cancelled item whose issue was
// under way has it. The note of a verdict stays out of workflows: it is read where the verdict is kept.
const recordSql = `
with before as (
  select status, claim, $18::boolean and not in_loop as keeps from finding
  where organisation_id = $1::uuid and id = $2::uuid and ($20::text is null or in_loop or status = $20) for update),
jira_actor as (
  select d.actor_name from delivery d join issue_link l on l.connection_id = d.connection_id and l.jira_issue_id = d.jira_issue_id
  where l.id = $6::uuid and d.actor_name is not null and d.state <> 'ignored' and not exists (
    select 1 from expected_change e join connection c on c.id = e.connection_id and c.account_id = d.actor_id
    where e.connection_id = d.connection_id and e.jira_issue_id = d.jira_issue_id
      and d.changes @> jsonb_build_array(jsonb_build_object('field', e.field, 'to', e.target))
      and coalesce(d.occurred_at, d.received_at) between e.expires_at - interval '16 minutes' and e.expires_at)
  order by d.received_at desc limit 1),
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
    project_key = coalesce(substring($7 from '^(.+)-[0-9]+$'), project_key),
    missing_since = case when $6::uuid is null then missing_since when $19::boolean then coalesce(missing_since, now()) end,
    state = case when $6::uuid is null and state = 'linked' then 'detached' else state end
  where finding_id = $2::uuid and not (select keeps from before)
    and state = 'linked' and (id = $6::uuid or ($6::uuid is null and active))),
occurrences as (
  update occurrence set status = $13 where finding_id = $2::uuid and $13::text is not null and status <> $13
    and exists (select 1 from before)),
withdrawn as (
  update session_case set verdict = 'withdrawn', open = false where finding_id = $2::uuid and open and $14
    and exists (select 1 from before)
  returning session_id),
sessions as (
  update session s set status = 'completed', completed_at = now() from withdrawn w
  where s.id = w.session_id and s.status = 'in_progress'
    and not exists (select 1 from session_case c where c.session_id = s.id and c.verdict is null and c.finding_id <> $2::uuid)),
items as (
  update push_item set
    outcome = case when $15 = 'created' and batch_id is distinct from coalesce($16::uuid, (
      select p.batch_id from push_item p join push_batch b on b.id = p.batch_id
      where p.finding_id = $2::uuid and p.outcome = 'pending' order by b.created_at limit 1)) then 'reused' else $15 end,
    jira_key = $7, reason = $17, updated_at = now()
  where finding_id = $2::uuid and $15::text is not null and exists (select 1 from before) and (
    outcome = 'pending' or outcome = 'held' and $15 = 'created'
    or outcome = 'cancelled' and $15 = 'created' and batch_id = $16::uuid)
  returning batch_id),
batches as (
  update push_batch b set status = 'completed', completed_at = now()
  where b.id in (select batch_id from items) and b.status = 'running' and $15 <> 'held' and not exists (
    select 1 from push_item i where i.batch_id = b.id and i.outcome in ('pending', 'held') and i.finding_id <> $2::uuid)),
said as (
  select v.note from session_case c join verdict v on v.case_id = c.id
  where $8 in ('verified', 'verdict_fail', 'verdict_skip', 'verdict_unstable') and c.organisation_id = $1::uuid
    and c.finding_id = $2::uuid and c.claim = $4 and v.member_id is not distinct from $10::uuid order by v.created_at desc limit 1),
event as (
  insert into audit_event (organisation_id, finding_id, actor, event, detail, dedupe_key)
  select $1::uuid, $2::uuid, a.name, $8, $9::text || coalesce(': ' || (select note from said), ''), $12
  from actor a, before on conflict (dedupe_key) do nothing),
cards as (
  insert into card (id, organisation_id, finding_id, installation_id, channel_id)
  select gen_random_uuid(), $1::uuid, $2::uuid, i.id, i.channel_id from slack_installation i
  where i.organisation_id = $1::uuid and i.status = 'installed' and i.channel_id is not null
    and exists (select 1 from before) and (not (${isToldByPushSql}) or exists (
      select 1 from card c where c.finding_id = $2::uuid and c.channel_id = i.channel_id))
  on conflict (finding_id, channel_id) do update set dirty = true, dirty_since = now()
  returning id),
push_cards as (${markPushCardsSql('select batch_id from items')})
select (select array_agg(session_id) from withdrawn) as withdrawn_from, (select count(*) from changed),
  not exists (select 1 from before) as overtaken,
  (select pg_notify('recheck_cards', '') from (select id from cards union all select id from push_cards) c limit 1)`;
