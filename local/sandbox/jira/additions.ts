import type { AdfNode } from './adf/validate';
import type { CommentRow } from './issue-rows';
import { finish, insertComment, lockIssue, only, storeChangelog, touch } from './issue-writes';
import type { Jira } from './jira';
import { type Account, inTransaction } from './site';

// What is added to an issue and stands beside its row: comments and files.

/** Adds a comment; Jira tells of it by two events. */
export async function addComment(
  jira: Jira,
  { actor, issueId, body }: { actor: Account; issueId: string; body: AdfNode },
): Promise<CommentRow> {
  const { comment, issue } = await inTransaction(jira.site.pool, async (client) => {
    const added = await insertComment(client, { issue: await lockIssue(client, issueId), actor, body });
    const commented = await touch(client, issueId);
    const occasion = { actor, issue: commented, comment: added };
    await jira.webhooks.announce(client, { ...occasion, event: 'comment_created', type: 'comment_created' });
    await jira.webhooks.announce(client, { ...occasion, event: 'jira:issue_updated', type: 'issue_commented' });
    return { comment: added, issue: commented };
  });
  finish(jira, issue);
  return comment;
}

/** Stores files with an issue, one history entry for each. */
export async function addAttachments(
  jira: Jira,
  input: { actor: Account; issueId: string; files: { filename: string; mimeType: string; bytes: Buffer }[] },
): Promise<string[]> {
  const { actor, issueId, files } = input;
  const { ids, issue } = await inTransaction(jira.site.pool, async (client) => {
    await lockIssue(client, issueId);
    const stored: string[] = [];
    const touched = await touch(client, issueId);
    for (const { filename, mimeType, bytes } of files) {
      const { rows } = await client.query<{ id: string }>(
        `insert into jira.attachments (issue_id, filename, mime_type, size, bytes, author)
         values ($1, $2, $3, $4, $5, $6) returning id`,
        [issueId, filename, mimeType, bytes.length, bytes, actor.accountId],
      );
      const { id } = only(rows);
      stored.push(id);
      const item = { field: 'Attachment', fieldtype: 'jira', fieldId: 'attachment', from: null, fromString: null };
      const items = [{ ...item, to: id, toString: filename }];
      const changelog = await storeChangelog(client, { issue: touched, actor, items });
      const occasion = { actor, issue: touched, changelog };
      await jira.webhooks.announce(client, { ...occasion, event: 'jira:issue_updated', type: 'issue_updated' });
    }
    return { ids: stored, issue: touched };
  });
  finish(jira, issue);
  return ids;
}
