import type { Pool } from 'pg';
import { type PushCardView, pushesAwaitingApproval } from './push-cards';

export type ChoiceRow = { findingId: string; title: string; rule: string; pages: number; wcag: string[] };

/** The part of the push store that people choose from. */
export function createPushChoiceStore({ pool }: { pool: Pool }) {
  return {
    /** What a person picks findings by, for those named; in no order. */
    async choices(organisationId: string, findingIds: string[]): Promise<ChoiceRow[]> {
      const { rows } = await pool.query<ChoiceRow>(
        `select f.id as "findingId", f.title, f.rule,
           (select count(distinct o.page)::int from occurrence o where o.finding_id = f.id) as pages,
           case when jsonb_typeof(f.details -> 'wcag') = 'array'
             then array(select jsonb_array_elements_text(f.details -> 'wcag')) else '{}' end as wcag
         from finding f where f.organisation_id = $1 and f.id = any($2::uuid[])`,
        [organisationId, findingIds],
      );
      return rows;
    },

    /** Pushes that wait for an approval, the oldest first; at most `limit`. */
    async awaitingApproval(organisationId: string, limit: number): Promise<PushCardView[]> {
      return await pushesAwaitingApproval(pool, { organisationId, limit });
    },
  };
}
