import { createConnectSessions, MAX_SESSION_MS, SESSION_MS } from '../../api/connect/sessions';
import type { Db } from '../../prisma/client';
import { createAcme, openStores, type Stores } from '../support/stores';

const MINUTE = 60_000;

describe('C9 a session of the connect page', () => {
  let stores: Stores;
  let db: Db;
  let organisationId: string;
  let memberId: string;
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
    ({ organisationId, memberId } = await createAcme(db));
  });
  afterAll(async () => {
    await stores?.close();
  });

  /** A session that was opened this long ago, and is over in a minute if nobody uses it. */
  async function opened(agoMs: number) {
    const sessions = createConnectSessions({ db, now: () => Date.now() - agoMs });
    const { token } = await db.oneTimeLinks.create(organisationId, { memberId, kind: 'connect', ttlMs: MINUTE });
    const link = await sessions.open(token);
    const cookie = link.outcome === 'ok' ? link.cookie : '';
    const id = (await sessions.find(cookie))?.id ?? '';
    const leave = (ms: number) =>
      db.pool.query(`update one_time_link set expires_at = now() + $2 * interval '1 ms' where id = $1`, [id, ms]);
    const leftMs = async (): Promise<number> => {
      const sql = `select extract(epoch from expires_at - now()) * 1000 as left from one_time_link where id = $1`;
      return Number((await db.pool.query(sql, [id])).rows[0].left);
    };
    await leave(MINUTE);
    return { sessions, cookie, leave, leftMs };
  }

  it('goes on for half an hour from each use', async () => {
    const { sessions, cookie, leftMs } = await opened(0);
    expect(await sessions.find(cookie)).not.toBeNull();
    expect(await leftMs()).toBeGreaterThan(SESSION_MS - 2 * MINUTE);
    expect(await leftMs()).toBeLessThanOrEqual(SESSION_MS);
  });

  it('goes on for what is left of eight hours, and not beyond them', async () => {
    const { sessions, cookie, leftMs } = await opened(MAX_SESSION_MS - 10 * MINUTE);
    expect(await sessions.find(cookie)).not.toBeNull();
    expect(await leftMs()).toBeGreaterThan(5 * MINUTE);
    expect(await leftMs()).toBeLessThanOrEqual(10 * MINUTE);
  });

  it('stays over when it is over', async () => {
    const { sessions, cookie, leave } = await opened(0);
    await leave(-1);
    expect(await sessions.find(cookie)).toBeNull();
    expect(await sessions.find(cookie)).toBeNull();
  });
});
