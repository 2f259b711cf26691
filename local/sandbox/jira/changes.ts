import { documentText } from './adf/text';
import type { AdfNode } from './adf/validate';
import { JiraProblem } from './answer';
import { defaultPriorityId, doneResolutionId, isDone, type Transition } from './catalog';
import { differences, type NewState } from './differences';
import type { FieldValues } from './fields';
import { type IssueRow, issueColumns } from './issue-rows';
import { finish, insertComment, json, lockIssue, only, storeChangelog, storeRow } from './issue-writes';
import type { Jira } from './jira';
import { type Account, getProject, inTransaction, type Project, type Queryable } from './site';

// Every write to an issue: the row, its history and the deliveries for webhooks in one transaction.

export interface IssueProperty {
  key: string;
  value: unknown;
}

/** Makes an issue with its properties in one statement, so that both exist or neither. */
export async function createIssue(
  jira: Jira,
  input: {
    actor: Account;
    project: Project;
    typeId: string;
    values: FieldValues;
    parentId: string | null;
    properties: IssueProperty[];
  },
): Promise<IssueRow> {
  const { pool } = jira.site;
  const listened = jira.webhooks.listensTo('jira:issue_created');
  const issue = listened
    ? await inTransaction(pool, async (client) => {
        const created = await insertIssue(client, input);
        await jira.webhooks.announce(client, {
          event: 'jira:issue_created',
          type: 'issue_created',
          actor: input.actor,
          issue: created,
        });
        return created;
      })
    : await insertIssue(pool, input);
  finish(jira, issue);
  return issue;
}

async function insertIssue(db: Queryable, input: Parameters<typeof createIssue>[1]): Promise<IssueRow> {
  const { actor, project, typeId, values, parentId, properties } = input;
  const { rows } = await db.query<IssueRow>({
    name: 'insert-issue',
    text: `with numbered as (
       update jira.projects set last_number = last_number + 1 where id = $1 returning key || '-' || last_number as key
     ), i as (
       insert into jira.issues (key, project_id, type_id, status_id, priority_id, summary, description,
         description_text, environment, labels, assignee, reporter, creator, parent_id, due_date, custom)
       select key, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 from numbered
       returning *
     ), kept as (
       insert into jira.properties (issue_id, key, value)
       select i.id, given.key, given.value from i, jsonb_to_recordset($16) as given(key text, value jsonb)
     )
     select ${issueColumns} from i`,
    values: [
      project.id,
      typeId,
      project.kind.statuses[0]?.id,
      values.priorityId ?? defaultPriorityId,
      values.summary,
      json(values.description ?? null),
      documentText(values.description ?? null),
      json(values.environment ?? null),
      values.labels ?? [],
      values.assignee ?? null,
      values.reporter ?? actor.accountId,
      actor.accountId,
      parentId,
      values.dueDate ?? null,
      JSON.stringify(values.custom ?? {}),
      JSON.stringify(properties),
    ],
  });
  return only(rows);
}

/** Changes fields of an issue; a change of nothing leaves no trace. */
export async function editIssue(
  jira: Jira,
  input: { actor: Account; issueId: string; values: FieldValues; comment?: AdfNode | undefined },
): Promise<void> {
  const { priorityId, resolutionId, ...rest } = input.values;
  const state: NewState = {
    ...rest,
    ...(priorityId === undefined ? {} : { priorityId }),
    ...(resolutionId === undefined ? {} : { resolutionId }),
  };
  await change(jira, { ...input, type: 'issue_updated', state: () => state });
}

/** Takes a transition. `resolutionId` undefined: Done gets the default resolution; null: Done without a resolution. */
export async function transitionIssue(
  jira: Jira,
  input: {
    actor: Account;
    issueId: string;
    transition: Transition;
    resolutionId?: string | null | undefined;
    comment?: AdfNode | undefined;
  },
): Promise<void> {
  const { transition, resolutionId } = input;
  await change(jira, {
    ...input,
    type: 'issue_generic',
    state: (issue) => {
      if (issue.status_id === transition.to) {
        throw new JiraProblem(400, {
          messages: [
            `It seems that you have tried to perform a workflow operation (${transition.name}) that is not valid ` +
              'for the current state of this issue. The likely cause is that somebody has changed the issue recently.',
          ],
        });
      }
      const resolution = resolutionId === undefined ? doneResolutionId : resolutionId;
      return { statusId: transition.to, resolutionId: isDone(transition.to) ? resolution : null };
    },
  });
}

/** Moves an issue to another project: it keeps its id and gets a new key; the old key still finds it. */
export async function moveIssue(
  jira: Jira,
  input: { actor: Account; issueId: string; project: Project },
): Promise<IssueRow> {
  const { project } = input;
  const { rows } = await jira.site.pool.query<{ key: string }>(
    `update jira.projects set last_number = last_number + 1 where id = $1 returning key || '-' || last_number as key`,
    [project.id],
  );
  const { key } = only(rows);
  return change(jira, {
    ...input,
    type: 'issue_moved',
    state: (issue) => {
      const from = getProject(jira.site, issue.project_id).kind;
      const sameName = <T extends { id: string; name: string }>(list: readonly T[], all: readonly T[], id: string) =>
        list.find(({ name }) => name === all.find((entry) => entry.id === id)?.name) ?? list[0];
      return {
        key,
        projectId: project.id,
        typeId: sameName(project.kind.issueTypes, from.issueTypes, issue.type_id)?.id ?? issue.type_id,
        statusId: sameName(project.kind.statuses, from.statuses, issue.status_id)?.id ?? issue.status_id,
      };
    },
  });
}

interface Change {
  actor: Account;
  issueId: string;
  type: string;
  state: (issue: IssueRow) => NewState;
  comment?: AdfNode | undefined;
}

async function change(jira: Jira, { actor, issueId, type, state, comment }: Change): Promise<IssueRow> {
  const changed = await inTransaction(jira.site.pool, async (client) => {
    const before = await lockIssue(client, issueId);
    const { items, row } = differences(jira.site, before, state(before));
    const added = comment ? await insertComment(client, { issue: before, actor, body: comment }) : undefined;
    if (items.length === 0 && !added) return before;
    const issue = await storeRow(client, row);
    const changelog = await storeChangelog(client, { issue, actor, items });
    if (before.key !== issue.key) {
      await client.query('insert into jira.moved_keys values ($1, $2) on conflict do nothing', [before.key, issue.id]);
    }
    await jira.webhooks.announce(client, {
      event: 'jira:issue_updated',
      type,
      actor,
      issue,
      ...(items.length > 0 ? { changelog } : {}),
      ...(added ? { comment: added } : {}),
    });
    return issue;
  });
  finish(jira, changed);
  return changed;
}

/** Deletes an issue with all that belongs to it; subtasks only where `withSubtasks` says so, otherwise 400. */
export async function deleteIssue(
  jira: Jira,
  { actor, issueId, withSubtasks }: { actor: Account; issueId: string; withSubtasks: boolean },
): Promise<void> {
  const issue = await inTransaction(jira.site.pool, async (client) => {
    const found = await lockIssue(client, issueId);
    const { rows: children } = await client.query<IssueRow>(
      `select ${issueColumns} from jira.issues i where i.parent_id = $1 for update`,
      [issueId],
    );
    if (children.length > 0 && !withSubtasks) {
      throw new JiraProblem(400, {
        messages: [
          `The issue '${found.key}' has subtasks.  You must specify the 'deleteSubtasks' parameter to delete it.`,
        ],
      });
    }
    for (const gone of [...children, found]) {
      await jira.webhooks.announce(client, { event: 'jira:issue_deleted', type: 'issue_deleted', actor, issue: gone });
    }
    await client.query('delete from jira.issues where id = $1', [issueId]);
    return found;
  });
  finish(jira, issue);
}
