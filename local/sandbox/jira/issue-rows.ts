import type { AdfNode } from './adf/validate';
import type { Queryable } from './site';

export interface IssueRow {
  id: string;
  key: string;
  project_id: string;
  type_id: string;
  status_id: string;
  resolution_id: string | null;
  resolved_at: Date | null;
  category_changed_at: Date;
  priority_id: string;
  summary: string;
  description: AdfNode | null;
  environment: AdfNode | null;
  labels: string[];
  assignee: string | null;
  reporter: string;
  creator: string;
  parent_id: string | null;
  due_date: string | null;
  custom: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
}

export interface CommentRow {
  id: string;
  issue_id: string;
  author: string;
  body: AdfNode;
  created_at: Date;
}

/** One field that an edit changed. `toString` is Jira's own name for it; read with `Object.hasOwn`. */
export interface ChangeItem {
  field: string;
  fieldtype: string;
  fieldId: string;
  from: string | null;
  fromString: string | null;
  to: string | null;
  toString: string | null;
}

export interface ChangelogRow {
  id: string;
  issue_id: string;
  author: string;
  items: ChangeItem[];
  created_at: Date;
}

export interface AttachmentRow {
  id: string;
  issue_id: string;
  filename: string;
  mime_type: string;
  size: number;
  author: string;
  created_at: Date;
}

const columns = `i.id, i.key, i.project_id, i.type_id, i.status_id, i.resolution_id, i.resolved_at,
  i.category_changed_at, i.priority_id, i.summary, i.description, i.environment, i.labels, i.assignee, i.reporter,
  i.creator, i.parent_id, i.due_date, i.custom, i.created_at, i.updated_at`;

/** The columns of an issue, for statements over `jira.issues i`. */
export const issueColumns = columns;

/** Issues by ids and keys, old keys of moved issues included, in ascending order of id. */
export async function findIssues(
  db: Queryable,
  idsOrKeys: readonly string[],
  { lock = false }: { lock?: boolean } = {},
): Promise<IssueRow[]> {
  const keys = idsOrKeys.map((value) => value.toUpperCase());
  const ids = idsOrKeys.filter((value) => /^\d{1,18}$/.test(value));
  const { rows } = await db.query<IssueRow>({
    name: lock ? 'lock-issues' : 'find-issues',
    text: `select ${columns} from jira.issues i
           where i.id in (
             select id from jira.issues where key = any($1)
             union select unnest($2::bigint[])
             union select issue_id from jira.moved_keys where old_key = any($1)
           )
           order by i.id ${lock ? 'for update of i' : ''}`,
    values: [keys, ids],
  });
  return rows;
}

/** Comments of issues, oldest first. */
export async function commentsOf(db: Queryable, issueIds: readonly string[]): Promise<CommentRow[]> {
  const { rows } = await db.query<CommentRow>({
    name: 'comments-of-issues',
    text: `select id, issue_id, author, body, created_at from jira.comments
           where issue_id = any($1::bigint[]) order by id`,
    values: [issueIds],
  });
  return rows;
}

/** Changelog entries of issues, oldest first. */
export async function changelogsOf(db: Queryable, issueIds: readonly string[]): Promise<ChangelogRow[]> {
  const { rows } = await db.query<ChangelogRow>(
    'select id, issue_id, author, items, created_at from jira.changelogs where issue_id = any($1::bigint[]) order by id',
    [issueIds],
  );
  return rows;
}

/** Attachments of issues without their bytes, oldest first. */
export async function attachmentsOf(db: Queryable, issueIds: readonly string[]): Promise<AttachmentRow[]> {
  const { rows } = await db.query<AttachmentRow>({
    name: 'attachments-of-issues',
    text: `select id, issue_id, filename, mime_type, size, author, created_at
           from jira.attachments where issue_id = any($1::bigint[]) order by id`,
    values: [issueIds],
  });
  return rows;
}

/** Subtasks of issues and the parents that issues name, for `fields.subtasks` and `fields.parent`. */
export async function relativesOf(db: Queryable, issues: readonly IssueRow[]): Promise<IssueRow[]> {
  const { rows } = await db.query<IssueRow>({
    name: 'relatives-of-issues',
    text: `select ${columns} from jira.issues i
           where i.parent_id = any($1::bigint[]) or i.id = any($2::bigint[]) order by i.id`,
    values: [issues.map(({ id }) => id), issues.flatMap(({ parent_id }) => parent_id ?? [])],
  });
  return rows;
}

/** Entity properties of issues, only those with the given keys. */
export async function propertiesOf(
  db: Queryable,
  { issueIds, keys }: { issueIds: readonly string[]; keys: readonly string[] },
): Promise<{ issue_id: string; key: string; value: unknown }[]> {
  const { rows } = await db.query<{ issue_id: string; key: string; value: unknown }>({
    name: 'properties-of-issues',
    text: 'select issue_id, key, value from jira.properties where issue_id = any($1::bigint[]) and key = any($2)',
    values: [issueIds, keys],
  });
  return rows;
}
