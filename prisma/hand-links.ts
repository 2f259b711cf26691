// Links to issues that people made. Such a link is kept first and made the active one by the finding's lifecycle; until
// then it stands in the way of everything else that would give the finding an issue, so that one of them wins.

import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { FindingStatus } from '../workflows/rules/vocabulary';
import { inTransaction } from './transaction';

export type HandLink = {
  organisationId: string;
  findingId: string;
  linkId: string;
  connectionId: string;
  memberId: string;
  issueId: string;
  key: string;
  projectKey: string;
};
/**
 * `linked`: the finding has that issue; `linking`: it is about to get it; `pushing`: one is being made for it; `taken`: the
 * issue is another finding's.
 */
export type AdoptedLink = { kind: 'adopted' | 'pushing' | 'taken' } | { kind: 'linked' | 'linking'; key: string };

/** A lifecycle takes a link up at once; what it has not taken up by then was left behind by a process that died. */
const isFreshSql = `linked_at > now() - interval '1 minute'`;
const isWaitingSql = `state = 'linked' and not active`;

/** Store of links to issues that people made. */
export function createHandLinkStore({ pool }: { pool: Pool }) {
  return {
    /**
     * Keeps the link to an issue that people made, for the lifecycle to make it the active one. An issue that was unlinked
     * is free again: its old link keeps only the key.
     */
    async adoptLink(input: HandLink): Promise<AdoptedLink> {
      const { organisationId, findingId } = input;
      return await inTransaction(pool, async (client) => {
        const { rows } = await client.query<{ status: FindingStatus; key: string | null }>(
          `select f.status, l.jira_key as key from finding f
             left join issue_link l on l.finding_id = f.id and l.active and l.state = 'linked'
           where f.organisation_id = $1 and f.id = $2 for no key update of f`,
          [organisationId, findingId],
        );
        if (rows[0]?.key) return { kind: 'linked', key: rows[0].key };
        if (rows[0]?.status === 'pushing') return { kind: 'pushing' };
        const coming = await handLink(client, findingId);
        if (coming) return { kind: 'linking', key: coming };
        await freeIssue(client, input);
        if (!(await insertLink(client, input))) return { kind: 'taken' };
        // A push that was held or failed may have left a link behind, and a finding has one active link.
        await client.query(
          `update issue_link set state = 'failed', active = false, last_error = 'Another issue was linked instead.'
           where organisation_id = $1 and finding_id = $2 and active and state = 'creating'`,
          [organisationId, findingId],
        );
        return { kind: 'adopted' };
      });
    },

    /** Removes a link that its lifecycle has handled and not made the active one; answers whether that was so. */
    async dropUnused({ organisationId, linkId }: Pick<HandLink, 'organisationId' | 'linkId'>): Promise<boolean> {
      const { rowCount } = await pool.query(
        `delete from issue_link where organisation_id = $1 and id = $2 and ${isWaitingSql}`,
        [organisationId, linkId],
      );
      return rowCount === 1;
    },
  };
}

/** The key of the issue that a finding is about to be linked to, or null. */
export async function handLink(client: PoolClient, findingId: string): Promise<string | null> {
  const { rows } = await client.query<{ jira_key: string }>(
    `select jira_key from issue_link where finding_id = $1 and ${isWaitingSql} and ${isFreshSql}`,
    [findingId],
  );
  return rows[0]?.jira_key ?? null;
}

/** The label that finds an issue again when its answer was lost; a new one for each generation of a link. */
export function markerOf(linkId: string): string {
  return `recheck-${createHash('sha256').update(linkId).digest('hex').slice(0, 16)}`;
}

/** Takes the issue from a link that was ended, and from one that was left behind where it can come to nothing any more. */
async function freeIssue(client: PoolClient, { organisationId, findingId, connectionId, issueId }: HandLink) {
  await client.query(
    `update issue_link l set jira_issue_id = null
     where organisation_id = $1 and connection_id = $2 and jira_issue_id = $3 and not active and (
       state = 'detached' or not ${isFreshSql} and (finding_id = $4 or exists (
         select 1 from issue_link n where n.finding_id = l.finding_id and n.active and n.state = 'linked')))`,
    [organisationId, connectionId, issueId, findingId],
  );
}

async function insertLink(client: PoolClient, input: HandLink): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into issue_link (id, organisation_id, finding_id, connection_id, generation, state, marker, project_key,
       jira_issue_id, jira_key, pushed_by_id, linked_at, active)
     select $1, $2, $3, $4, 1 + coalesce(max(l.generation), 0), 'linked', $5, $6, $7, $8, $9, now(), false
     from (select 1) one left join issue_link l on l.finding_id = $3
     on conflict do nothing`,
    [
      input.linkId,
      input.organisationId,
      input.findingId,
      input.connectionId,
      markerOf(input.linkId),
      input.projectKey,
      input.issueId,
      input.key,
      input.memberId,
    ],
  );
  return rowCount === 1;
}
