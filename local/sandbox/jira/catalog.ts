// What every site of the sandbox has and nobody can change: projects, issue types, statuses, resolutions, priorities.
// What changes while it runs lives in PostgreSQL (schema.ts). How these look on the wire: beans.ts.

export type CategoryKey = 'new' | 'indeterminate' | 'done' | 'undefined';

export interface StatusCategory {
  id: number;
  key: CategoryKey;
  colorName: string;
  name: string;
}

export interface Status {
  id: string;
  name: string;
  category: CategoryKey;
  description: string;
}

export interface Transition {
  id: string;
  name: string;
  to: string;
}

export interface IssueType {
  id: string;
  name: string;
  description: string;
  subtask: boolean;
}

export interface Named {
  id: string;
  name: string;
  description: string;
}

export interface Priority extends Named {
  color: string;
}

export interface ProjectKind {
  style: 'classic' | 'next-gen';
  statuses: readonly Status[];
  transitions: readonly Transition[];
  issueTypes: readonly IssueType[];
}

export const categories: readonly StatusCategory[] = [
  { id: 1, key: 'undefined', colorName: 'medium-gray', name: 'No Category' },
  { id: 2, key: 'new', colorName: 'blue-gray', name: 'To Do' },
  { id: 4, key: 'indeterminate', colorName: 'yellow', name: 'In Progress' },
  { id: 3, key: 'done', colorName: 'green', name: 'Done' },
];

const companyStatuses: readonly Status[] = [
  { id: '10000', name: 'To Do', category: 'new', description: '' },
  { id: '3', name: 'In Progress', category: 'indeterminate', description: 'Somebody is working on it.' },
  { id: '10001', name: 'In Review', category: 'indeterminate', description: 'It is being reviewed.' },
  { id: '10002', name: 'Done', category: 'done', description: '' },
];

// A team-managed project has statuses of its own; without a resolution to choose, "Won't Do" can only be a status.
const teamStatuses: readonly Status[] = [
  { id: '10010', name: 'To Do', category: 'new', description: '' },
  { id: '10011', name: 'In Progress', category: 'indeterminate', description: '' },
  { id: '10012', name: 'In Review', category: 'indeterminate', description: '' },
  { id: '10013', name: 'Done', category: 'done', description: '' },
  { id: '10014', name: "Won't Do", category: 'done', description: '' },
];

// Named unlike the statuses that they lead to, as in many real workflows: only `to` tells where a transition goes.
const transitionNames: Record<string, { id: string; name: string }> = {
  'To Do': { id: '11', name: 'Back to the list' },
  'In Progress': { id: '21', name: 'Start work' },
  'In Review': { id: '31', name: 'Ask for review' },
  Done: { id: '41', name: 'Mark as done' },
  "Won't Do": { id: '51', name: 'Decline' },
};

function transitionsTo(statuses: readonly Status[]): Transition[] {
  return statuses.map((status) => ({
    ...(transitionNames[status.name] ?? { id: status.id, name: status.name }),
    to: status.id,
  }));
}

const kinds: Record<'classic' | 'next-gen', ProjectKind> = {
  classic: {
    style: 'classic',
    statuses: companyStatuses,
    transitions: transitionsTo(companyStatuses),
    issueTypes: [
      { id: '10001', name: 'Task', description: 'A small, distinct piece of work.', subtask: false },
      { id: '10002', name: 'Story', description: 'Something that a user wants.', subtask: false },
      { id: '10003', name: 'Sub-task', description: 'A part of another issue.', subtask: true },
      { id: '10004', name: 'Bug', description: 'A problem or error.', subtask: false },
    ],
  },
  'next-gen': {
    style: 'next-gen',
    statuses: teamStatuses,
    transitions: transitionsTo(teamStatuses),
    issueTypes: [
      { id: '10011', name: 'Task', description: 'A small, distinct piece of work.', subtask: false },
      { id: '10012', name: 'Story', description: 'Something that a user wants.', subtask: false },
      { id: '10013', name: 'Subtask', description: 'A part of another issue.', subtask: true },
      { id: '10014', name: 'Bug', description: 'A problem or error.', subtask: false },
    ],
  },
};

/** Two sites of one customer, as an OAuth grant may cover several. All are on one port; `host` tells them apart. */
export const seedSites = [
  { cloudId: '6f1d5a6c-2f0b-4c7e-9a51-8d3e0b7c4101', name: 'acme', host: null },
  { cloudId: '6f1d5a6c-2f0b-4c7e-9a51-8d3e0b7c4102', name: 'acme-operations', host: 'ops.localhost' },
] as const;

export const seedProjects = [
  { id: '10000', key: 'ACC', name: 'Accessibility', style: 'classic', description: 'Barriers found in our shop.' },
  { id: '10001', key: 'WEB', name: 'Web shop', style: 'classic', description: 'The shop and its tests.' },
  { id: '10002', key: 'TEAM', name: 'Design team', style: 'next-gen', description: 'A team-managed project.' },
] as const;

/** The projects of the second site. */
export const otherProjects = [
  { id: '20000', key: 'OPS', name: 'Operations', style: 'classic', description: 'Alerts and repairs.' },
] as const;

export const resolutions: readonly Named[] = [
  { id: '10000', name: 'Done', description: 'Work has been completed on this issue.' },
  { id: '10001', name: "Won't Do", description: "This issue won't be actioned." },
  { id: '10002', name: 'Duplicate', description: 'The problem is a duplicate of an existing issue.' },
  { id: '10003', name: 'Cannot Reproduce', description: 'All attempts at reproducing this issue failed.' },
  { id: '10004', name: "Won't Fix", description: 'The problem is known and will not be fixed.' },
];

/** The resolution that a workflow's post function sets when an issue enters Done and none is given. */
export const doneResolutionId = '10000';

export const priorities: readonly Priority[] = [
  { id: '1', name: 'Highest', description: 'This problem will block progress.', color: '#d04437' },
  { id: '2', name: 'High', description: 'Serious problem that could block progress.', color: '#f15c75' },
  { id: '3', name: 'Medium', description: 'Has the potential to affect progress.', color: '#f79232' },
  { id: '4', name: 'Low', description: 'Minor problem or easily worked around.', color: '#707070' },
  { id: '5', name: 'Lowest', description: 'Trivial problem with little or no impact.', color: '#999999' },
];

export const defaultPriorityId = '3';

/** A custom field that lies on no screen until a project's settings require it (`PUT /sandbox/projects/{key}`). */
export const customField = { id: 'customfield_10050', name: 'Owning team', customId: 10050 } as const;

/** A custom field with a list to choose from, likewise. */
export const selectField = {
  ...{ id: 'customfield_10051', name: 'Product area', customId: 10051 },
  options: [
    { id: '10100', value: 'Storefront' },
    { id: '10101', value: 'Back office' },
  ],
} as const;

/** What a kind of project offers: statuses, transitions and issue types. */
export function projectKind(style: 'classic' | 'next-gen'): ProjectKind {
  return kinds[style];
}

const allStatuses = [...companyStatuses, ...teamStatuses];
const statusesById = new Map(allStatuses.map((status) => [status.id, status]));
const typesById = new Map(
  [...kinds.classic.issueTypes, ...kinds['next-gen'].issueTypes].map((type) => [type.id, type]),
);

/** Every status of the site, company-managed ones first. */
export function statuses(): readonly Status[] {
  return allStatuses;
}

/** Every issue type of the site. */
export function issueTypes(): IssueType[] {
  return [...typesById.values()];
}

/** The status with this id; throws for an id that the sandbox never hands out. */
export function getStatus(id: string): Status {
  return must(statusesById.get(id), `status ${id}`);
}

/** The issue type with this id; throws for an id that the sandbox never hands out. */
export function getIssueType(id: string): IssueType {
  return must(typesById.get(id), `issue type ${id}`);
}

/** The category of a status; throws for an unknown key. */
export function getCategory(key: CategoryKey): StatusCategory {
  return must(
    categories.find((category) => category.key === key),
    `status category ${key}`,
  );
}

/** Whether a status counts as finished. */
export function isDone(statusId: string): boolean {
  return getStatus(statusId).category === 'done';
}

/** The entry that a reference such as `{id}` or `{name}` means, or undefined. */
export function pick<T extends { id: string; name: string }>(list: readonly T[], reference: unknown): T | undefined {
  if (typeof reference !== 'object' || reference === null) return undefined;
  const { id, name } = reference as { id?: unknown; name?: unknown };
  if (id !== undefined) return list.find((entry) => entry.id === String(id));
  return list.find((entry) => entry.name === name);
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The sandbox's Jira knows no ${what}.`);
  return value;
}
