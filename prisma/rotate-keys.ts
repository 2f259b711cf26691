// Rotation of the encryption keys: everything that an older key sealed is sealed again with the first one.

import type { Pool } from 'pg';
import { type SealedColumn, sealedColumns } from './sealed-columns';
import type { SecretBox } from './secret-box';

/** What became of one column; `unreadable` names the rows that could not be opened, with the cause. */
export type RotatedColumn = {
  name: string;
  rotated: number;
  current: number;
  unreadable: { id: string; cause: string }[];
};

type RotationInput = {
  pool: Pool;
  box: SecretBox;
  /** Rows read at a time. */
  batch?: number;
};
type Outcome = { kind: 'rotated' | 'current' | 'gone' } | { kind: 'unreadable'; cause: string };

const MAX_TRIES = 20;

/**
 * Seals everything again with the first key, while the system runs: in small batches, and each value only where it is
 * still the one that was opened, so that a token which is refreshed meanwhile is never overwritten. Every process must
 * know both keys before. Rows that cannot be opened are left alone and named; the rest is done all the same.
 */
export async function rotateKeys({ pool, box, batch = 100 }: RotationInput): Promise<RotatedColumn[]> {
  const result: RotatedColumn[] = [];
  for (const column of sealedColumns) {
    const counted: RotatedColumn = { name: column.name, rotated: 0, current: 0, unreadable: [] };
    for await (const { id, sealed } of rowsOf(pool, column, batch)) {
      const outcome = await rotateOne({ pool, box, column }, { id, sealed });
      if (outcome.kind === 'rotated') counted.rotated += 1;
      else if (outcome.kind === 'current') counted.current += 1;
      else if (outcome.kind === 'unreadable') counted.unreadable.push({ id, cause: outcome.cause });
    }
    result.push(counted);
  }
  return result;
}

type Row = { id: string; sealed: Buffer };

async function* rowsOf(pool: Pool, column: SealedColumn, batch: number): AsyncGenerator<Row> {
  let after: string | null = null;
  while (true) {
    const { rows }: { rows: Row[] } = await pool.query<Row>(column.page, [after, batch]);
    yield* rows;
    const last = rows.at(-1);
    if (!last) return;
    after = last.id;
  }
}

type Place = { pool: Pool; box: SecretBox; column: SealedColumn };

async function rotateOne({ pool, box, column }: Place, row: Row): Promise<Outcome> {
  let { sealed } = row;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    if (box.isCurrent(sealed)) return { kind: 'current' };
    let fresh: Buffer;
    try {
      fresh = box.seal(box.open(sealed, column.context(row.id)), column.context(row.id));
    } catch (error) {
      return { kind: 'unreadable', cause: error instanceof Error ? error.message : 'It could not be opened.' };
    }
    const { rowCount } = await pool.query(column.swap, [row.id, sealed, fresh]);
    if (rowCount === 1) return { kind: 'rotated' };
    // Somebody stored another value meanwhile, or erased it.
    const { rows } = await pool.query<{ sealed: Buffer }>(column.one, [row.id]);
    if (!rows[0]) return { kind: 'gone' };
    sealed = rows[0].sealed;
  }
  return { kind: 'unreadable', cause: 'It was changed again and again by a process that seals with an older key.' };
}
