import { documentHtml } from './adf/html';
import { getIssueType, getStatus, isDone, priorities, resolutions } from './catalog';
import { attachmentsOf, type ChangeItem, changelogsOf, commentsOf, type IssueRow, issueColumns } from './issue-rows';
import type { Jira } from './jira';
import { findAccount, getProject, type Project } from './site';

// What the page shows. Its shapes are its own; Jira has none for a board in REST version 3.

const mostCards = 100;

/** A project's board: its columns with at most 100 cards each, the latest first. An unknown key means the first project. */
export async function boardOf({ site }: Jira, key: string) {
  const project = site.projects.find((candidate) => candidate.key === key) ?? site.projects[0];
  if (!project) throw new Error("The sandbox's Jira has no projects; its database is not prepared.");
  const counts = await site.pool.query<{ status_id: string; count: number }>(
    'select status_id, count(*)::int from jira.issues where project_id = $1 group by status_id',
    [project.id],
  );
  const { rows } = await site.pool.query<IssueRow>(
    `select ${issueColumns} from (
       select *, row_number() over (partition by status_id order by updated_at desc, id desc) as place
       from jira.issues where project_id = $1
     ) i where i.place <= $2 order by i.place`,
    [project.id, mostCards],
  );
  return {
    project: { key: project.key, name: project.name, style: project.style, description: project.description },
    issueTypes: project.kind.issueTypes.filter(({ subtask }) => !subtask).map(({ id, name }) => ({ id, name })),
    resolutions: resolutions.map(({ id, name, description }) => ({ id, name, description })),
    columns: project.kind.statuses.map((status) => ({
      id: status.id,
      name: status.name,
      category: status.category,
      count: counts.rows.find(({ status_id }) => status_id === status.id)?.count ?? 0,
      cards: rows.filter(({ status_id }) => status_id === status.id).map((issue) => cardOf(site, issue)),
    })),
  };
}

function cardOf(site: Jira['site'], issue: IssueRow) {
  return {
    key: issue.key,
    summary: issue.summary,
    type: getIssueType(issue.type_id).name,
    priority: priorities.find(({ id }) => id === issue.priority_id)?.name ?? '',
    labels: issue.labels,
    resolution: resolutions.find(({ id }) => id === issue.resolution_id)?.name ?? null,
    isDone: isDone(issue.status_id),
    assignee: personOf(site, issue.assignee),
    updated: issue.updated_at.toISOString(),
  };
}

/** Everything that the issue view shows, texts as safe HTML. */
export async function cardDetails({ site }: Jira, issue: IssueRow) {
  const project = getProject(site, issue.project_id);
  const [comments, history, attachments] = await Promise.all([
    commentsOf(site.pool, [issue.id]),
    changelogsOf(site.pool, [issue.id]),
    attachmentsOf(site.pool, [issue.id]),
  ]);
  return {
    ...cardOf(site, issue),
    project: { key: project.key, name: project.name, style: project.style },
    otherProjects: site.projects.filter(({ id }) => id !== project.id).map(({ key, name }) => ({ key, name })),
    status: statusOf(issue.status_id),
    resolutionId: issue.resolution_id,
    resolutions: resolutions.map(({ id, name, description }) => ({ id, name, description })),
    transitions: transitionsOf(project, issue),
    descriptionHtml: documentHtml(issue.description),
    reporter: personOf(site, issue.reporter),
    created: issue.created_at.toISOString(),
    comments: comments.map(({ id, author, body, created_at }) => ({
      id,
      author: personOf(site, author),
      html: documentHtml(body),
      at: created_at.toISOString(),
    })),
    history: history.reverse().map(({ id, author, items, created_at }) => ({
      id,
      author: personOf(site, author),
      at: created_at.toISOString(),
      items: items.map(changeView),
    })),
    attachments: attachments.map(({ id, filename, size, mime_type }) => ({
      filename,
      size,
      isImage: /^image\/(png|jpeg|gif|webp)$/.test(mime_type),
      url: `/sandbox/attachments/${id}`,
    })),
  };
}

function changeView(item: ChangeItem) {
  // Long texts are told as changed; their old and new wording would drown the rest.
  const isText = item.field === 'description' || item.field === 'environment';
  return { field: item.field, from: isText ? null : item.fromString, to: isText ? null : item.toString, isText };
}

function statusOf(id: string) {
  const { name, category } = getStatus(id);
  return { id, name, category };
}

function transitionsOf(project: Project, issue: IssueRow) {
  return project.kind.transitions
    .filter(({ to }) => to !== issue.status_id)
    .map(({ to }) => ({ ...statusOf(to), asksForResolution: project.style === 'classic' && isDone(to) }));
}

function personOf(site: Jira['site'], accountId: string | null) {
  const account = findAccount(site, accountId);
  if (!account) return null;
  return { name: account.displayName, avatar: `/secure/useravatar/${encodeURIComponent(account.accountId)}` };
}
