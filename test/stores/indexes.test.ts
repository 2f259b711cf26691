// What the sweeps ask every few seconds, and what is asked for each finding, goes by an index: otherwise each look reads
// whole tables, in every process, for ever.

import type { Pool } from 'pg';
import { createDeliveryStore } from '../../prisma/deliveries';
import { createEvidenceStore } from '../../prisma/evidence';
import { createFindingStore } from '../../prisma/findings';
import { createPushCardStore } from '../../prisma/push-cards';
import { createPushStore } from '../../prisma/pushes';
import { createSessionStore } from '../../prisma/sessions';
import { createAcme, openStores, type Stores } from '../support/stores';

let stores: Stores;
let organisationId: string;
beforeAll(async () => {
  stores = await openStores();
  organisationId = (await createAcme(stores.db)).organisationId;
  for (const sql of manyRows) await stores.db.pool.query(sql);
}, 60_000);
afterAll(async () => {
  await stores?.close();
});

const manyRows = [
  `insert into connection (id, organisation_id, site_url, project_key, dynamic_webhook_ids)
   select gen_random_uuid(), id, 'https://a.example', 'ACC', '{}' from organisation`,
  `insert into source (id, organisation_id, key, name, kind, rule, connection_id)
   select gen_random_uuid(), organisation_id, 's', 'S', 'site', '{}', id from connection`,
  `insert into finding (id, organisation_id, source_id, number, key, rule, title, severity)
   select gen_random_uuid(), organisation_id, id, n, n::text, 'r', 't', 'minor' from source, generate_series(1, 3000) n`,
  `insert into issue_link (id, organisation_id, finding_id, connection_id, generation, state, marker, project_key, jira_issue_id, jira_key, linked_at)
   select gen_random_uuid(), f.organisation_id, f.id, c.id, 1, 'linked', 'm', 'ACC', number::text, 'ACC-' || number, now() - number * interval '1 hour'
   from finding f, connection c`,
  `insert into push_batch (id, organisation_id, source_id, kind, status)
   select gen_random_uuid(), organisation_id, id, 'single', 'running' from source, generate_series(1, 3000) n`,
  `insert into push_item (organisation_id, batch_id, finding_id, outcome)
   select b.organisation_id, b.id, f.id, 'created' from (select *, row_number() over () n from push_batch) b join finding f on f.number = b.n`,
  `insert into approval (id, organisation_id, batch_id) select gen_random_uuid(), organisation_id, id from push_batch`,
  `insert into slack_installation (id, organisation_id, team_id, bot_id, bot_user_id, bot_token)
   select gen_random_uuid(), id, 'T', 'B', 'U', 'sealed' from organisation`,
  `insert into push_card (id, organisation_id, batch_id, installation_id, channel_id, dirty)
   select gen_random_uuid(), b.organisation_id, b.id, i.id, 'C', false from push_batch b, slack_installation i`,
  `insert into evidence (id, organisation_id, hash, filename, content_type, size, content, attached_to)
   select gen_random_uuid(), organisation_id, 'h', 'a.png', 'image/png', 1, 'x', '{}' from source`,
  `insert into finding_evidence (organisation_id, finding_id, evidence_id, created_at)
   select f.organisation_id, f.id, e.id, now() - number * interval '1 hour' from finding f, evidence e`,
  `insert into delivery (id, organisation_id, connection_id, identifier, event, jira_issue_id, state)
   select gen_random_uuid(), organisation_id, id, n::text, 'e', n::text, 'processed' from connection, generate_series(1, 3000) n`,
  `insert into session (id, organisation_id, source_id) select gen_random_uuid(), organisation_id, id from source`,
  `insert into session_case (id, organisation_id, session_id, finding_id, claim, open)
   select gen_random_uuid(), f.organisation_id, s.id, f.id, 1, false from finding f, session s`,
  `insert into verdict (id, organisation_id, case_id, verdict) select gen_random_uuid(), organisation_id, id, 'pass' from session_case`,
  'analyze',
];

/** The indexes by which PostgreSQL would do what a store asks of it. */
async function indexesOf(work: (pool: Pool) => Promise<unknown>): Promise<string[]> {
  const used: string[] = [];
  const explain = {
    query: async (asked: string | { text: string; values: unknown[] }, values?: unknown[]) => {
      const text = typeof asked === 'string' ? asked : asked.text;
      const { rows } = await stores.db.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      for (const { 'QUERY PLAN': line } of rows)
        used.push(/Index (?:Only )?Scan (?:using|on) (\w+)/.exec(line)?.[1] ?? '');
      return { rows: [], rowCount: 0 };
    },
  };
  await work(explain as unknown as Pool);
  return used.filter((name) => name !== '');
}

const nobody = '00000000-0000-4000-8000-000000000000';
const lately = { forMs: 30_000, atMostMs: 600_000 };

it.each<[string, string[], (pool: Pool) => Promise<unknown>]>([
  ['P6 items that nobody works on', ['push_item_waiting'], (pool) => createPushStore({ pool }).takeStranded(1)],
  ['P9 pushes that nobody asked about', ['push_batch_unapproved'], (pool) => createPushStore({ pool }).takeUnasked(1)],
  ['C10 items that are held', ['push_item_waiting'], (pool) => createPushStore({ pool }).releaseHeld(nobody)],
  [
    'S3 deliveries before their link',
    ['delivery_untracked'],
    (pool) => createDeliveryStore({ pool }).promoteUntracked({ linkedWithinMs: 600_000 }),
  ],
  [
    'P7 pictures that nobody attaches',
    ['finding_evidence_created_at_idx', 'issue_link_lately'],
    (pool) => createEvidenceStore({ pool }).stranded(lately),
  ],
  ['P9 messages of pushes', ['push_card_due'], (pool) => createPushCardStore({ pool }).claim({ limit: 1, leaseMs: 1 })],
  [
    'V3 the verdict of a comment',
    ['verdict_case_id_idx'],
    (pool) => createSessionStore({ pool }).findVerdict({ organisationId, sessionId: nobody, findingId: nobody }),
  ],
  [
    'B1 the finding of an issue',
    ['issue_link_organisation_id_jira_key_idx'],
    (pool) => createFindingStore({ pool }).byJiraKey(organisationId, 'ACC-1'),
  ],
])('%s: found by %p', async (_what, indexes, work) => {
  expect(await indexesOf(work)).toEqual(expect.arrayContaining(indexes));
});
