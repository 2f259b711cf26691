import { documentWiki } from './adf/text';
import {
  componentBean,
  issueTypeBean,
  jiraTime,
  optionBean,
  priorityBean,
  projectBean,
  resolutionBean,
  statusBean,
  userBean,
} from './beans';
import { customField, getIssueType, getStatus, priorities, resolutions, selectField } from './catalog';
import {
  type AttachmentRow,
  attachmentsOf,
  type ChangelogRow,
  type CommentRow,
  changelogsOf,
  commentsOf,
  type IssueRow,
  propertiesOf,
  relativesOf,
} from './issue-rows';
import { findAccount, getProject, type Queryable, type Site } from './site';

export type Fields = Record<string, unknown>;

/** What a caller wants of issues: field names (`*all`, `*navigable`, `-name`), expansions, property keys. */
export interface Wanted {
  fields: string[];
  expand: string[];
  properties: string[];
}

const notNavigable = ['comment', 'attachment', 'worklog', 'timetracking'];

/** Issues in REST version 3 shape, each as rich as asked for. */
export async function issueBeans(site: Site, issues: readonly IssueRow[], wanted: Wanted): Promise<Fields[]> {
  const names = fieldNames(wanted.fields);
  const extras = await readExtras(site.pool, { issues, names, wanted });
  return issues.map((issue) => {
    const all = { ...plainFields(site, issue), ...heavyFields(site, issue, extras) };
    const fields = Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
    return {
      expand: 'renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations',
      id: issue.id,
      self: issueSelf(site, issue.id),
      key: issue.key,
      fields,
      ...(wanted.expand.includes('changelog') ? { changelog: changelogPage(site, issue, extras.changelogs) } : {}),
      ...(wanted.properties.length > 0 ? { properties: extras.properties.get(issue.id) ?? {} } : {}),
    };
  });
}

/** The address of an issue in the REST API. */
export function issueSelf(site: Site, id: string): string {
  return `${site.url}/rest/api/3/issue/${id}`;
}

interface NameSet {
  has(name: string): boolean;
}

function fieldNames(fields: readonly string[]): NameSet {
  const without = new Set(fields.filter((name) => name.startsWith('-')).map((name) => name.slice(1)));
  const named = new Set(fields);
  const all = named.has('*all') || fields.length === without.size;
  const navigable = named.has('*navigable');
  return {
    has: (name) => !without.has(name) && (all || named.has(name) || (navigable && !notNavigable.includes(name))),
  };
}

interface Extras {
  comments: CommentRow[];
  attachments: AttachmentRow[];
  relatives: IssueRow[];
  changelogs: ChangelogRow[];
  properties: Map<string, Record<string, unknown>>;
}

async function readExtras(
  db: Queryable,
  { issues, names, wanted }: { issues: readonly IssueRow[]; names: NameSet; wanted: Wanted },
): Promise<Extras> {
  const ids = issues.map(({ id }) => id);
  const properties = new Map<string, Record<string, unknown>>();
  if (wanted.properties.length > 0) {
    for (const row of await propertiesOf(db, { issueIds: ids, keys: wanted.properties })) {
      properties.set(row.issue_id, { ...properties.get(row.issue_id), [row.key]: row.value });
    }
  }
  return {
    comments: names.has('comment') ? await commentsOf(db, ids) : [],
    attachments: names.has('attachment') ? await attachmentsOf(db, ids) : [],
    relatives: names.has('subtasks') || names.has('parent') ? await relativesOf(db, issues) : [],
    changelogs: wanted.expand.includes('changelog') ? await changelogsOf(db, ids) : [],
    properties,
  };
}

/** The fields that stand in the issue's own row. */
export function plainFields(site: Site, issue: IssueRow): Fields {
  const status = getStatus(issue.status_id);
  const priority = priorities.find(({ id }) => id === issue.priority_id);
  const resolution = resolutions.find(({ id }) => id === issue.resolution_id);
  return {
    summary: issue.summary,
    description: issue.description,
    issuetype: issueTypeBean(site, getIssueType(issue.type_id)),
    project: projectBean(site, getProject(site, issue.project_id)),
    status: statusBean(site, status),
    statusCategory: statusBean(site, status).statusCategory,
    statuscategorychangedate: jiraTime(issue.category_changed_at),
    resolution: resolution ? resolutionBean(site, resolution) : null,
    resolutiondate: issue.resolved_at ? jiraTime(issue.resolved_at) : null,
    priority: priority ? priorityBean(site, priority) : null,
    labels: issue.labels,
    assignee: person(site, issue.assignee),
    reporter: person(site, issue.reporter),
    creator: person(site, issue.creator),
    created: jiraTime(issue.created_at),
    updated: jiraTime(issue.updated_at),
    environment: issue.environment,
    duedate: issue.due_date,
    components: ((issue.custom.components ?? []) as Parameters<typeof componentBean>[1][]).map((component) =>
      componentBean(site, component),
    ),
    fixVersions: [],
    versions: [],
    issuelinks: [],
    votes: { self: `${site.url}/rest/api/3/issue/${issue.key}/votes`, votes: 0, hasVoted: false },
    watches: { self: `${site.url}/rest/api/3/issue/${issue.key}/watchers`, watchCount: 0, isWatching: false },
    [customField.id]: issue.custom[customField.id] ?? null,
    [selectField.id]: optionOf(site, issue.custom[selectField.id]),
  };
}

function optionOf(site: Site, option: unknown) {
  return option ? optionBean(site, option as Parameters<typeof optionBean>[1]) : null;
}

/** Fields as webhook bodies carry them: REST version 2, where text is wiki markup, and people without e-mail. */
export function webhookFields(site: Site, issue: IssueRow): Fields {
  return {
    ...plainFields(site, issue),
    description: documentWiki(issue.description),
    environment: documentWiki(issue.environment),
    assignee: person(site, issue.assignee, { email: false }),
    reporter: person(site, issue.reporter, { email: false }),
    creator: person(site, issue.creator, { email: false }),
  };
}

function heavyFields(site: Site, issue: IssueRow, extras: Extras): Fields {
  const comments = extras.comments.filter(({ issue_id }) => issue_id === issue.id);
  const parent = extras.relatives.find(({ id }) => id === issue.parent_id);
  return {
    comment: {
      comments: comments.map((comment) => commentBean(site, comment)),
      self: `${issueSelf(site, issue.id)}/comment`,
      maxResults: comments.length,
      total: comments.length,
      startAt: 0,
    },
    attachment: extras.attachments
      .filter(({ issue_id }) => issue_id === issue.id)
      .map((attachment) => attachmentBean(site, attachment)),
    subtasks: extras.relatives.filter(({ parent_id }) => parent_id === issue.id).map((child) => brief(site, child)),
    ...(parent ? { parent: brief(site, parent) } : {}),
  };
}

function brief(site: Site, issue: IssueRow): Fields {
  const { summary, status, priority, issuetype } = plainFields(site, issue);
  return {
    id: issue.id,
    key: issue.key,
    self: issueSelf(site, issue.id),
    fields: { summary, status, priority, issuetype },
  };
}

function person(site: Site, accountId: string | null, options: { email?: boolean } = {}) {
  const account = findAccount(site, accountId);
  return account ? userBean(site, account, options) : null;
}

/** A comment in REST version 3 shape. */
export function commentBean(site: Site, comment: CommentRow): Fields {
  const author = person(site, comment.author);
  return {
    self: `${issueSelf(site, comment.issue_id)}/comment/${comment.id}`,
    id: comment.id,
    author,
    body: comment.body,
    updateAuthor: author,
    created: jiraTime(comment.created_at),
    updated: jiraTime(comment.created_at),
    jsdPublic: true,
  };
}

/** An attachment; its bytes are at `content`. */
export function attachmentBean(site: Site, attachment: AttachmentRow): Fields {
  const content = `${site.url}/rest/api/3/attachment/content/${attachment.id}`;
  return {
    self: `${site.url}/rest/api/3/attachment/${attachment.id}`,
    id: attachment.id,
    filename: attachment.filename,
    author: person(site, attachment.author),
    created: jiraTime(attachment.created_at),
    size: attachment.size,
    mimeType: attachment.mime_type,
    content,
    ...(attachment.mime_type.startsWith('image/') ? { thumbnail: content } : {}),
  };
}

/** One changelog entry. */
export function changelogBean(site: Site, entry: ChangelogRow): Fields {
  return { id: entry.id, author: person(site, entry.author), created: jiraTime(entry.created_at), items: entry.items };
}

function changelogPage(site: Site, issue: IssueRow, entries: ChangelogRow[]): Fields {
  // Jira lists the newest first here, and the oldest first at /changelog.
  const own = entries.filter(({ issue_id }) => issue_id === issue.id).reverse();
  return {
    startAt: 0,
    maxResults: own.length,
    total: own.length,
    histories: own.map((entry) => changelogBean(site, entry)),
  };
}
