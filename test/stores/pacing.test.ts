// The pacing of calls to Jira: slots of a connection, and the line in which bulk pushes wait for them.

import { randomUUID } from 'node:crypto';
import { createSlotLine } from '../../activities/slot-line';
import type { Db } from '../../prisma/client';
import type { Slot } from '../../prisma/pacing';
import { openStores, type Stores } from '../support/stores';
import { until } from '../support/until';

describe('P5 the slots of a connection', () => {
  let stores: Stores;
  let db: Db;
  let organisationId: string;
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
    organisationId = await db.members.createOrganisation('Acme');
  });
  afterAll(async () => {
    await stores?.close();
  });

  async function connection(): Promise<string> {
    const id = randomUUID();
    await db.pool.query(
      `insert into connection (id, organisation_id, site_url, project_key) values ($1, $2, 'https://acme.atlassian.net', 'ACC')`,
      [id, organisationId],
    );
    return id;
  }
  const nextIn = (id: string, ms: number) =>
    db.pool.query(
      `update connection set next_slot_at = clock_timestamp() + $2 * interval '1 millisecond' where id = $1`,
      [id, ms],
    );

  it('P5 are granted one at a time, whoever asks', async () => {
    const id = await connection();
    const slots = await Promise.all(Array.from({ length: 20 }, () => db.connections.takeSlot(id, 30_000)));
    expect(slots.filter(({ kind }) => kind === 'granted')).toEqual([{ kind: 'granted', waitMs: 0 }]);
    const later = slots.filter(({ kind }) => kind === 'later').map(({ waitMs }) => waitMs);
    expect(Math.min(...later)).toBeGreaterThan(20_000);
    // Another connection has slots of its own.
    expect(await db.connections.takeSlot(await connection(), 30_000)).toEqual({ kind: 'granted', waitMs: 0 });
  });

  it('P5 are granted further ahead to people than to bulks, so that a person is next', async () => {
    const id = await connection();
    await until(
      async () => {
        const begun = Date.now();
        await nextIn(id, 900);
        const bulk = await db.connections.takeSlot(id, 0, 'bulk');
        const person = await db.connections.takeSlot(id, 0, 'interactive');
        // On a machine that is held up for so long, the slot has come meanwhile.
        if (Date.now() - begun > 500) return false;
        expect([bulk.kind, person.kind]).toEqual(['later', 'granted']);
        return true;
      },
      { what: 'the slots of both' },
    );
  });

  it('P5 are none while Jira wants no calls, and a shorter wait does not shorten a longer one', async () => {
    const id = await connection();
    await db.connections.block(id, 60_000);
    await db.connections.block(id, 1_000);
    const slot = await db.connections.takeSlot(id, 0);
    expect(slot.kind).toBe('later');
    expect(slot.waitMs).toBeGreaterThan(40_000);
    expect(await db.connections.blockedMs(id)).toBeGreaterThan(40_000);
  });
});

describe('P5 the line for slots', () => {
  /** Slots that are granted when the test says so. */
  function slots() {
    const asked: { lane: string; grant: (slot: Slot) => void }[] = [];
    const slotFor = createSlotLine({
      takeSlot: (_, __, lane) =>
        new Promise((grant) => {
          asked.push({ lane, grant });
        }),
    });
    const take = (lane: 'interactive' | 'bulk', connectionId = 'one') =>
      slotFor({ connectionId, intervalMs: 150, lane });
    return { asked, take };
  }
  const granted: Slot = { kind: 'granted', waitMs: 0 };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('P5 lets one bulk push of a connection ask at a time, the first come first, and people at once', async () => {
    const { asked, take } = slots();
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const waiting = [take('bulk').then(note('first')), take('bulk').then(note('second'))];
    await settled();
    expect(asked.map(({ lane }) => lane)).toEqual(['bulk']);
    waiting.push(take('interactive').then(note('person')), take('bulk', 'two').then(note('elsewhere')));
    await settled();
    expect(asked.map(({ lane }) => lane)).toEqual(['bulk', 'interactive', 'bulk']);
    asked[1]?.grant(granted);
    asked[2]?.grant(granted);
    await settled();
    asked[0]?.grant(granted);
    await until(() => asked.length === 4, { what: 'the second of the line asking' });
    asked[3]?.grant(granted);
    await Promise.all(waiting);
    expect(order).toEqual(['person', 'elsewhere', 'first', 'second']);
  });

  it('P5 gives a place up that takes too long, so that an attempt ends in its time', async () => {
    const { asked, take } = slots();
    const first = take('bulk');
    expect(await take('bulk')).toMatchObject({ kind: 'later' });
    asked[0]?.grant(granted);
    expect(await first).toEqual(granted);
  });
});
