import type { PoolClient } from 'pg';
import { documentText } from './adf/text';
import type { AdfNode } from './adf/validate';
import { JiraProblem } from './answer';
import { type ChangelogRow, type CommentRow, findIssues, type IssueRow, issueColumns } from './issue-rows';
import type { Jira } from './jira';
import type { Account } from './site';

// The single statements that a change of an issue is put together from; each runs in the caller's transaction.

/** Stores a changed row. */
export async function storeRow(client: PoolClient, row: IssueRow): Promise<IssueRow> {
  const { rows } = await client.query<IssueRow>({
    name: 'store-issue',
    text: `update jira.issues i set key = $2, project_id = $3, type_id = $4, status_id = $5, resolution_id = $6,
       resolved_at = $7, category_changed_at = $8, priority_id = $9, summary = $10, description = $11,
       description_text = $12, environment = $13, labels = $14, assignee = $15, reporter = $16, due_date = $17,
       custom = $18, updated_at = clock_timestamp()
     where i.id = $1 returning ${issueColumns}`,
    values: [
      row.id,
      row.key,
      row.project_id,
      row.type_id,
      row.status_id,
      row.resolution_id,
      row.resolved_at,
      row.category_changed_at,
      row.priority_id,
      row.summary,
      json(row.description),
      documentText(row.description),
      json(row.environment),
      row.labels,
      row.assignee,
      row.reporter,
      row.due_date,
      JSON.stringify(row.custom),
    ],
  });
  return only(rows);
}

/** Stores a comment. */
export async function insertComment(
  client: PoolClient,
  { issue, actor, body }: { issue: IssueRow; actor: Account; body: AdfNode },
): Promise<CommentRow> {
  const { rows } = await client.query<CommentRow>({
    name: 'insert-comment',
    text: `insert into jira.comments (issue_id, author, body) values ($1, $2, $3)
           returning id, issue_id, author, body, created_at`,
    values: [issue.id, actor.accountId, JSON.stringify(body)],
  });
  return only(rows);
}

/** Reads an issue and keeps others from changing it until the transaction ends; 404 where it is gone. */
export async function lockIssue(client: PoolClient, issueId: string): Promise<IssueRow> {
  const [issue] = await findIssues(client, [issueId], { lock: true });
  if (issue) return issue;
  throw new JiraProblem(404, { messages: ['Issue does not exist or you do not have permission to see it.'] });
}

/** Sets `updated` for a change that stands beside the row. */
export async function touch(client: PoolClient, issueId: string): Promise<IssueRow> {
  const { rows } = await client.query<IssueRow>({
    name: 'touch-issue',
    text: `update jira.issues i set updated_at = clock_timestamp() where i.id = $1 returning ${issueColumns}`,
    values: [issueId],
  });
  return only(rows);
}

/** Stores an entry of the history. */
export async function storeChangelog(
  client: PoolClient,
  { issue, actor, items }: { issue: IssueRow; actor: Account; items: ChangelogRow['items'] },
): Promise<ChangelogRow> {
  const { rows } = await client.query<ChangelogRow>({
    name: 'insert-changelog',
    text: `insert into jira.changelogs (issue_id, author, items) values ($1, $2, $3)
           returning id, issue_id, author, items, created_at`,
    values: [issue.id, actor.accountId, JSON.stringify(items)],
  });
  return only(rows);
}

/** Called after the commit: tells the board, and sends what was put into the queue. */
export function finish(jira: Jira, issue: IssueRow): void {
  jira.site.changes.emit('change', issue.key);
  jira.webhooks.flush();
}

/** A document as a parameter for a jsonb column. */
export function json(value: AdfNode | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** The row of a statement that always answers one. */
export function only<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error("The sandbox's Jira got no row where it wrote one.");
  return row;
}
