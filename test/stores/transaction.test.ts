import { Pool, type PoolClient } from 'pg';
import { inTransaction } from '../../prisma/transaction';
import { openStores, type Stores } from '../support/stores';
import { until } from '../support/until';

describe('a transaction', () => {
  let stores: Stores;
  let other: Pool;
  beforeAll(async () => {
    stores = await openStores();
    other = new Pool({ connectionString: stores.url, max: 2 });
  });
  afterAll(async () => {
    await other?.end();
    await stores?.close();
  });

  const pidOf = async (client: PoolClient) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid ?? 0;
  };
  const terminate = (pid: number) => other.query('select pg_terminate_backend($1)', [pid]);
  const named = async (name: string) =>
    (await other.query('select 1 from organisation where name = $1', [name])).rowCount ?? 0;
  /** Another connection that keeps everybody from the table until it is let go. */
  async function lockOrganisations() {
    const blocker = await other.connect();
    await blocker.query('begin; lock table organisation');
    return async () => {
      await blocker.query('commit');
      blocker.release();
    };
  }
  const isWaiting = async (pid: number) =>
    (await other.query(`select 1 from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`, [pid])).rowCount;

  it('S3 fails, and the process lives, where its connection breaks between two statements', async () => {
    const { pool } = stores.db;
    const work = inTransaction(pool, async (client) => {
      const ended = new Promise((resolve) => client.once('end', resolve));
      await terminate(await pidOf(client));
      await ended;
      return await client.query('select 1');
    });
    await expect(work).rejects.toThrow(/connection/);
    expect((await pool.query('select 1')).rowCount).toBe(1);
  });

  it('S3 fails, and the process lives, where its connection breaks within a statement', async () => {
    const { pool } = stores.db;
    const letGo = await lockOrganisations();
    const work = inTransaction(pool, async (client) => {
      const pid = await pidOf(client);
      const waits = client.query('select 1 from organisation');
      const broken = until(() => isWaiting(pid), { what: 'the statement waiting' }).then(() => terminate(pid));
      await Promise.all([waits, broken]);
    });
    await expect(work).rejects.toThrow(/terminat/);
    await letGo();
    expect((await pool.query('select 1')).rowCount).toBe(1);
  });

  it('S3 gives back no connection with its transaction open, which would lose what is written next', async () => {
    // So small that neither the statement nor the rollback behind it comes through the lock.
    const pool = new Pool({ connectionString: stores.url, max: 1, query_timeout: 300 });
    const letGo = await lockOrganisations();
    const insert = (name: string) => ({
      text: `insert into organisation (id, name) values (gen_random_uuid(), $1)`,
      values: [name],
    });
    const work = inTransaction(pool, (client) => client.query(insert('given up')));
    await expect(work).rejects.toThrow(/timeout/);
    await letGo();
    const patient = { ...insert('kept'), query_timeout: 60_000 };
    expect((await pool.query(patient)).rowCount).toBe(1);
    expect([await named('kept'), await named('given up')]).toEqual([1, 0]);
    await pool.end();
  });

  it('S3 what waits for too long is ended by the server, before we give it up', async () => {
    const { rows } = await stores.db.pool.query<{ ms: number }>(
      `select setting::int as ms from pg_settings where name = 'statement_timeout'`,
    );
    const { query_timeout: givenUpMs = 0 } = stores.db.pool.options;
    expect(rows[0]?.ms).toBeGreaterThan(0);
    expect(rows[0]?.ms).toBeLessThan(givenUpMs);
  });
});
