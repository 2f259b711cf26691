import { Pool } from 'pg';
import { PreparedClient } from '../../prisma/prepared-client';

describe('a connection that prepares its statements', () => {
  let pool: Pool;
  beforeAll(() => {
    pool = new Pool({ connectionString: process.env.TEST_DATABASE_URL, Client: PreparedClient, max: 1 });
  });
  afterAll(async () => {
    await pool.end();
  });

  it('plans a text once, however often and in whichever form it is asked', async () => {
    const text = 'select $1::int + 1 as next';
    expect((await pool.query(text, [1])).rows).toEqual([{ next: 2 }]);
    expect((await pool.query({ text, values: [2] })).rows).toEqual([{ next: 3 }]);
    expect((await pool.query({ text, values: [3], rowMode: 'array' })).rows).toEqual([[4]]);
    expect((await pool.query({ name: 'mine', text: 'select $1::text as word', values: ['a'] })).rows).toEqual([
      { word: 'a' },
    ]);
    const { rows } = await pool.query('select name from pg_prepared_statements where statement = any($1)', [[text]]);
    expect(rows).toHaveLength(1);
    const named = await pool.query(`select statement from pg_prepared_statements where name = 'mine'`);
    expect(named.rows).toEqual([{ statement: 'select $1::text as word' }]);
  });

  it('leaves alone what takes no values: it may be several statements', async () => {
    await pool.query('create temporary table t (n int); insert into t values (1); insert into t values (2)');
    expect((await pool.query('select count(*)::int as n from t')).rows).toEqual([{ n: 2 }]);
  });
});
