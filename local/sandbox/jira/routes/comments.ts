import { mustBeAllowed } from '../access';
import { addComment } from '../additions';
import type { AdfNode } from '../adf/validate';
import { type Answer, type Call, isObject, objectBody } from '../answer';
import { readCommentBody } from '../fields';
import { commentBean } from '../issue-beans';
import type { Jira } from '../jira';

/** POST /issue/{issueIdOrKey}/comment. */
export async function postComment(jira: Jira, call: Call): Promise<Answer> {
  const { account, issue } = await mustBeAllowed(jira, call, 'ADD_COMMENTS');
  const body = readCommentBody(objectBody(call).body);
  const comment = await addComment(jira, { actor: account, issueId: issue.id, body });
  return { status: 201, body: commentBean(jira.site, comment) };
}

/** The comment that an edit or a transition carries as `update.comment[0].add.body`; 400 where it is no document. */
export function commentInUpdate(body: Record<string, unknown>): AdfNode | undefined {
  const operations = isObject(body.update) ? body.update.comment : undefined;
  const first: unknown = Array.isArray(operations) ? operations[0] : undefined;
  if (!isObject(first) || !isObject(first.add)) return undefined;
  return readCommentBody(first.add.body);
}
