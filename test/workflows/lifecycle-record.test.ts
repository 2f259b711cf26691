// One change of a lifecycle on PostgreSQL, while a report changes the same finding.

import { randomUUID } from 'node:crypto';
import { reopen } from '../../prisma/report-statements';
import { nextStep } from '../../workflows/rules/next-step';
import { defaultRule } from '../../workflows/rules/vocabulary';
import { createAcme, openStores, type Stores } from '../support/stores';
import { until } from '../support/until';

let stores: Stores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(async () => {
  await stores?.close();
});

/** A settled finding with an issue, and the change that the reopening of the issue would make. */
async function settled() {
  const { db } = stores;
  const { organisationId } = await createAcme(db);
  const { id: connectionId } = await db.prisma.connection.create({
    data: { organisationId, kind: 'api_token', siteUrl: 'https://a.example', status: 'connected', projectKey: 'AAA' },
  });
  const made = { key: 'shop', name: 'Shop', kind: 'site', connectionId, rule: defaultRule } as const;
  const sourceId = (await db.sources.create(organisationId, made))?.id ?? '';
  const { id: findingId } = await db.prisma.finding.create({
    data: {
      ...{ organisationId, sourceId, number: 1, key: 'k', rule: 'label', title: 'label', severity: 'serious' },
      ...{ status: 'verified', claim: 1, inLoop: false },
    },
  });
  await db.prisma.issueLink.create({
    data: {
      ...{ organisationId, findingId, connectionId, generation: 1, state: 'linked', marker: 'm', projectKey: 'AAA' },
      ...{ jiraIssueId: '1', jiraKey: 'AAA-1', sentAt: new Date() },
    },
  });
  const ref = { organisationId, findingId };
  const { state, effects } = nextStep(await db.lifecycle.load(ref), {
    ...{ type: 'issue_read', meaning: 'not_done', key: 'AAA-1', onJiraDone: 'verify' },
  });
  const record = effects.find((effect) => effect.type === 'record');
  if (!record) throw new Error('The reopening changes nothing.');
  return { ref, change: { ...ref, state, record, dedupeKey: randomUUID() } };
}

async function rowsOf({ findingId }: { findingId: string }) {
  const { finding, issueLink, auditEvent } = stores.db.prisma;
  const { status, inLoop } = await finding.findUniqueOrThrow({ where: { id: findingId } });
  const { active, state } = await issueLink.findFirstOrThrow({ where: { findingId } });
  return { status, inLoop, active, state, events: await auditEvent.count({ where: { findingId } }) };
}

it('S8 V7 writes nothing over what a report makes of a settled finding at the same time', async () => {
  const { ref, change } = await settled();
  const { pool, lifecycle } = stores.db;
  const report = await pool.connect();
  let writing: ReturnType<typeof lifecycle.record>;
  try {
    await report.query('begin');
    expect(await reopen(report, ref.organisationId, [ref.findingId])).toEqual([ref.findingId]);
    writing = lifecycle.record({ ...change, restsAs: 'verified' });
    await until(
      async () => {
        const { rows } = await pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      },
      { what: 'the change waiting for the report' },
    );
    await report.query('commit');
  } finally {
    report.release();
  }
  expect(await writing).toMatchObject({ isOvertaken: true });
  expect(await rowsOf(ref)).toEqual({ status: 'open', inLoop: false, active: false, state: 'detached', events: 0 });
  expect(await stores.db.lifecycle.load(ref)).toMatchObject({ status: 'open', issue: null });
});

it('S8 never makes a link active again that is history', async () => {
  const { ref, change } = await settled();
  const report = await stores.db.pool.connect();
  await reopen(report, ref.organisationId, [ref.findingId]);
  report.release();
  await stores.db.lifecycle.record(change);
  expect(await rowsOf(ref)).toMatchObject({ active: false, state: 'detached' });
});

it('S8 writes it where the finding is as it was', async () => {
  const { ref, change } = await settled();
  expect(await stores.db.lifecycle.record({ ...change, restsAs: 'verified' })).toMatchObject({ isOvertaken: false });
  expect(await rowsOf(ref)).toEqual({ status: 'awaiting_fix', inLoop: true, active: true, state: 'linked', events: 1 });
});
