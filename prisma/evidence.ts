// Pictures of findings: stored once per organisation by their hash, and attached to each issue once.

import type { Pool, PoolClient } from 'pg';
import type { Coverage } from '../workflows/rules/report-verdict';
import { type NamedPicture, placePictures, tellable } from './picture-places';
import type { Group } from './report-grouping';

/** A picture of an upload; `hash` is its SHA-256 in hex, `size` in bytes. */
export type Picture = NamedPicture & { hash: string; contentType: string; size: number; read: () => Promise<Buffer> };
export type EvidenceRow = { id: string; name: string; contentType: string; size: number };
/** A picture that is not on the finding's issue yet. */
export type WaitingPicture = EvidenceRow & { hash: string; linkId: string; connectionId: string; issueId: string };
/** What became of the pictures of an upload; `unused` are those that are not kept, and why. */
export type PicturesTold = { kept: number; unused: { name: string; reason: string }[] };
type FindingRef = { organisationId: string; findingId: string };
type Settled = FindingRef & { linkId: string; evidenceId: string };

/** An issue that is there, and has a picture neither on it nor noted as refused. */
const waitingSql = `
from issue_link l
join finding_evidence fe on fe.finding_id = l.finding_id
join evidence e on e.id = fe.evidence_id
where l.active and l.state = 'linked' and l.jira_issue_id is not null and l.missing_since is null
  and not (l.id::text = any(e.attached_to))
  and not exists (select 1 from audit_event a where a.dedupe_key = 'evidence:' || l.id || ':' || e.id)`;

export type EvidenceStore = ReturnType<typeof createEvidenceStore>;

/** Store of pictures. They come in with a report: `storePictures`. */
export function createEvidenceStore({ pool }: { pool: Pool }) {
  return {
    /** What is stored of a finding, without the bytes. */
    async ofFinding(findingId: string): Promise<EvidenceRow[]> {
      const { rows } = await pool.query<EvidenceRow>(
        `select e.id, e.filename as name, e.content_type as "contentType", e.size
         from finding_evidence fe join evidence e on e.id = fe.evidence_id
         where fe.finding_id = $1 order by fe.created_at, e.filename, e.id limit 200`,
        [findingId],
      );
      return rows;
    },

    /** One picture with its bytes, or null. */
    async content(organisationId: string, id: string): Promise<(EvidenceRow & { content: Buffer }) | null> {
      const { rows } = await pool.query<EvidenceRow & { content: Buffer }>(
        `select id, filename as name, content_type as "contentType", size, content from evidence
         where organisation_id = $1 and id = $2`,
        [organisationId, id],
      );
      return rows[0] ?? null;
    },

    /** The pictures that the finding's issue lacks; none where it has no issue. */
    async waiting({ organisationId, findingId }: FindingRef): Promise<WaitingPicture[]> {
      const { rows } = await pool.query<WaitingPicture>(
        `select e.id, e.filename as name, e.content_type as "contentType", e.size, e.hash, l.id as "linkId",
           l.connection_id as "connectionId", l.jira_issue_id as "issueId"
         ${waitingSql} and l.organisation_id = $1 and l.finding_id = $2 order by fe.created_at, e.hash`,
        [organisationId, findingId],
      );
      return rows;
    },

    /** Which of these findings have an issue that lacks a picture. */
    async lacking(organisationId: string, findingIds: string[]): Promise<string[]> {
      if (findingIds.length === 0) return [];
      const { rows } = await pool.query<{ findingId: string }>(
        `select distinct l.finding_id as "findingId" ${waitingSql}
           and l.organisation_id = $1 and l.finding_id = any($2::uuid[])`,
        [organisationId, findingIds],
      );
      return rows.map((row) => row.findingId);
    },

    /** Findings whose issues at this connection lack a picture, at most 500 of them. */
    async lackingAt(connectionId: string): Promise<string[]> {
      const { rows } = await pool.query<{ findingId: string }>(
        `select distinct l.finding_id as "findingId" ${waitingSql} and l.connection_id = $1 limit 500`,
        [connectionId],
      );
      return rows.map((row) => row.findingId);
    },

    /** Findings whose issue has lacked a picture for `forMs` to `atMostMs`, at most 200 of them. */
    async stranded({ forMs, atMostMs }: { forMs: number; atMostMs: number }): Promise<FindingRef[]> {
      const { rows } = await pool.query<FindingRef>(
        `select distinct l.organisation_id as "organisationId", l.finding_id as "findingId" ${waitingSql}
           and greatest(fe.created_at, l.linked_at)
             between now() - $2 * interval '1 millisecond' and now() - $1 * interval '1 millisecond'
           -- Said by indexes what the line above says of each: few have a picture, or a link, that is so new.
           and l.finding_id = any(array(
             select finding_id from finding_evidence where created_at >= now() - $2 * interval '1 millisecond'
             union select finding_id from issue_link
               where active and jira_issue_id is not null
                 and coalesce(linked_at, created_at) >= now() - $2 * interval '1 millisecond')) limit 200`,
        [forMs, atMostMs],
      );
      return rows;
    },

    /** Writes down that the picture is on the issue, once. */
    async attached(input: Settled & { name: string }): Promise<void> {
      await pool.query(
        `with kept as (
           update evidence set attached_to = array_append(attached_to, $3::text)
           where organisation_id = $1 and id = $4::uuid and not ($3::text = any(attached_to)))
         ${eventSql}`,
        [input.organisationId, input.findingId, input.linkId, input.evidenceId, 'evidence_attached', input.name],
      );
    },

    /** Writes down that Jira does not take the picture, and why; it is not tried again with this issue. */
    async refused(input: Settled & { reason: string }): Promise<void> {
      await pool.query(eventSql, [
        input.organisationId,
        input.findingId,
        input.linkId,
        input.evidenceId,
        'evidence_refused',
        input.reason,
      ]);
    },
  };
}

const eventSql = `
insert into audit_event (organisation_id, finding_id, actor, event, detail, dedupe_key)
values ($1::uuid, $2::uuid, 'recheck', $5::text, $6::text, 'evidence:' || $3::text || ':' || $4::text)
on conflict (dedupe_key) do nothing`;

/**
 * Stores the pictures of a report in its transaction, each once, with the findings that they show; answers those
 * findings, and what to tell the sender. Bytes are read one picture at a time.
 */
export async function storePictures(
  client: PoolClient,
  input: {
    organisationId: string;
    pictures?: readonly Picture[];
    coverage: Coverage;
    /** The findings of the report by key, and the rows that they are, those that it comes too late for included. */
    groups: Map<string, Group>;
    rows: readonly { id: string; key: string }[];
  },
): Promise<{ findingIds: string[]; told: PicturesTold | null }> {
  const { organisationId, pictures = [], groups, rows, coverage } = input;
  if (pictures.length === 0) return { findingIds: [], told: null };
  const findings = rows.flatMap(({ id, key }) => {
    const group = groups.get(key);
    return group ? [{ ...group, id, occurrences: [...group.occurrences.values()] }] : [];
  });
  const places = placePictures(pictures, { findings, coverage });
  // By hash, so that two reports with the same pictures take them in the same order.
  const shown = pictures
    .map((picture, index) => ({ picture, findingIds: places[index]?.findingIds ?? [] }))
    .filter(({ findingIds }) => findingIds.length > 0)
    .sort((a, b) => (a.picture.hash < b.picture.hash ? -1 : 1));
  for (const { picture, findingIds } of shown) {
    const evidenceId = await storePicture(client, organisationId, picture);
    await client.query(
      `insert into finding_evidence (organisation_id, finding_id, evidence_id)
       select $1, x.id, $2 from unnest($3::uuid[]) as x(id) on conflict do nothing`,
      [organisationId, evidenceId, findingIds],
    );
  }
  const unused = pictures.flatMap(({ filename }, index) => {
    const reason = places[index]?.unused;
    return reason ? [{ name: tellable(filename), reason }] : [];
  });
  const findingIds = [...new Set(shown.flatMap((each) => each.findingIds))];
  return { findingIds, told: { kept: shown.length, unused } };
}

async function storePicture(client: PoolClient, organisationId: string, picture: Picture): Promise<string> {
  const known = 'select id from evidence where organisation_id = $1 and hash = $2';
  const values = [organisationId, picture.hash];
  const found = (await client.query<{ id: string }>(known, values)).rows[0];
  if (found) return found.id;
  const { rows } = await client.query<{ id: string }>(
    `insert into evidence (id, organisation_id, hash, filename, content_type, size, content, attached_to)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, '{}')
     on conflict (organisation_id, hash) do update set hash = excluded.hash returning id`,
    [...values, plainName(picture), picture.contentType, picture.size, await picture.read()],
  );
  return rows[0]?.id ?? '';
}

/** The last part of the name, without what a file system or a header could stumble over. */
function plainName({ filename, contentType }: Picture): string {
  const last = filename.replaceAll('\\', '/').split('/').at(-1) ?? '';
  const stem = last
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replace(/[^\p{L}\p{N} ._-]+/gu, '_')
    .trim()
    .slice(0, 100);
  return `${stem || 'picture'}.${extensions[contentType] ?? 'png'}`;
}

const extensions: { [type: string]: string } = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
};
