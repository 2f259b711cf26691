import { type categories, getCategory, type IssueType, type Named, type Priority, type Status } from './catalog';
import { type Account, type Project, type Site, seededAccount } from './site';

// The shapes that Jira's REST API gives to people, projects and what they consist of ("beans" in its description).

/** A moment as Jira writes it: milliseconds, and a zone offset without a colon. */
export function jiraTime(moment: Date): string {
  return moment.toISOString().replace('Z', '+0000');
}

/** Avatar addresses, served by the sandbox itself. */
export function avatarUrls(url: string): Record<string, string> {
  return Object.fromEntries(['48', '24', '16', '32'].map((size) => [`${size}x${size}`, `${url}?size=${size}`]));
}

/** A user as in `/myself` and in fields. Webhook bodies carry one without e-mail address. */
export function userBean(site: Site, account: Account, { email = true }: { email?: boolean } = {}) {
  return {
    self: `${site.url}/rest/api/3/user?accountId=${encodeURIComponent(account.accountId)}`,
    accountId: account.accountId,
    accountType: 'atlassian',
    ...(email ? { emailAddress: account.email } : {}),
    avatarUrls: avatarUrls(`${site.url}/secure/useravatar/${encodeURIComponent(account.accountId)}`),
    displayName: account.displayName,
    active: true,
    timeZone: account.timeZone,
  };
}

/** A status category. */
export function categoryBean(site: Site, { id, key, colorName, name }: (typeof categories)[number]) {
  return { self: `${site.url}/rest/api/3/statuscategory/${id}`, id, key, colorName, name };
}

/** A status with its category. */
export function statusBean(site: Site, status: Status) {
  return {
    self: `${site.url}/rest/api/3/status/${status.id}`,
    description: status.description,
    iconUrl: `${site.url}/images/icons/statuses/generic.png`,
    name: status.name,
    id: status.id,
    statusCategory: categoryBean(site, getCategory(status.category)),
  };
}

/** An issue type. */
export function issueTypeBean(site: Site, type: IssueType) {
  return {
    self: `${site.url}/rest/api/3/issuetype/${type.id}`,
    id: type.id,
    description: type.description,
    iconUrl: `${site.url}/images/icons/issuetypes/${type.name.toLowerCase()}.png`,
    name: type.name,
    subtask: type.subtask,
    avatarId: 10_300,
    hierarchyLevel: type.subtask ? -1 : 0,
  };
}

/** A priority as it stands in an issue's fields. */
export function priorityBean(site: Site, { id, name }: Named) {
  return {
    self: `${site.url}/rest/api/3/priority/${id}`,
    iconUrl: `${site.url}/images/icons/priorities/${name.toLowerCase()}.svg`,
    name,
    id,
  };
}

/** A component of a project. */
export function componentBean(site: Site, { id, name }: { id: string; name: string }) {
  return { self: `${site.url}/rest/api/3/component/${id}`, id, name };
}

/** An option of a custom field with a list to choose from. */
export function optionBean(site: Site, { id, value }: { id: string; value: string }) {
  return { self: `${site.url}/rest/api/3/customFieldOption/${id}`, value, id };
}

/** A priority as the priority search gives it. */
export function priorityDetailBean(site: Site, priority: Priority) {
  return {
    ...priorityBean(site, priority),
    description: priority.description,
    statusColor: priority.color,
    isDefault: priority.name === 'Medium',
  };
}

/** A resolution as it stands in an issue's fields. */
export function resolutionBean(site: Site, { id, name, description }: Named) {
  return { self: `${site.url}/rest/api/3/resolution/${id}`, id, description, name };
}

/** A project as it stands in an issue's fields. */
export function projectBean(site: Site, project: Project) {
  return {
    self: `${site.url}/rest/api/3/project/${project.id}`,
    id: project.id,
    key: project.key,
    name: project.name,
    projectTypeKey: 'software',
    simplified: project.style === 'next-gen',
    avatarUrls: avatarUrls(`${site.url}/secure/projectavatar/${project.key}`),
  };
}

/** A project as the project search lists it. */
export function projectListBean(site: Site, project: Project) {
  return {
    expand: 'description,lead,issueTypes,url,projectKeys,permissions,insight',
    ...projectBean(site, project),
    style: project.style,
    isPrivate: false,
    properties: {},
  };
}

/** A project with lead, description and issue types. */
export function projectDetailBean(site: Site, project: Project) {
  return {
    ...projectListBean(site, project),
    description: project.description,
    lead: userBean(site, seededAccount(site, 'person'), { email: false }),
    components: [],
    issueTypes: project.kind.issueTypes.map((type) => issueTypeBean(site, type)),
    assigneeType: 'UNASSIGNED',
    versions: [],
    roles: {},
  };
}
