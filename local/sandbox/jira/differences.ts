import { documentWiki } from './adf/text';
import type { AdfNode } from './adf/validate';
import { customField, getIssueType, getStatus, priorities, resolutions } from './catalog';
import type { FieldValues } from './fields';
import type { ChangeItem, IssueRow } from './issue-rows';
import { findAccount, getProject, type Site } from './site';

/** The new values of some columns; what is absent stays. */
export interface NewState extends Omit<FieldValues, 'parent'> {
  key?: string;
  projectId?: string;
  typeId?: string;
  statusId?: string;
}

interface Rendered {
  id: string | null;
  text: string | null;
}

/** What a change does to an issue: the new row, and the entries of its history for what differs. */
export function differences(site: Site, before: IssueRow, state: NewState): { row: IssueRow; items: ChangeItem[] } {
  const now = new Date();
  const row: IssueRow = {
    ...before,
    key: state.key ?? before.key,
    project_id: state.projectId ?? before.project_id,
    type_id: state.typeId ?? before.type_id,
    status_id: state.statusId ?? before.status_id,
    resolution_id: state.resolutionId === undefined ? before.resolution_id : state.resolutionId,
    priority_id: state.priorityId ?? before.priority_id,
    summary: state.summary ?? before.summary,
    description: state.description === undefined ? before.description : state.description,
    environment: state.environment === undefined ? before.environment : state.environment,
    labels: state.labels ?? before.labels,
    assignee: state.assignee === undefined ? before.assignee : state.assignee,
    reporter: state.reporter ?? before.reporter,
    due_date: state.dueDate === undefined ? before.due_date : state.dueDate,
    custom: { ...before.custom, ...state.custom },
  };
  if (row.resolution_id !== before.resolution_id) row.resolved_at = row.resolution_id ? now : null;
  if (getStatus(row.status_id).category !== getStatus(before.status_id).category) row.category_changed_at = now;
  return { row, items: changeItems(site, before, row) };
}

function changeItems(site: Site, before: IssueRow, after: IssueRow): ChangeItem[] {
  const person = (id: string | null): Rendered => ({ id, text: findAccount(site, id)?.displayName ?? null });
  const named = (list: readonly { id: string; name: string }[], id: string | null): Rendered => ({
    id,
    text: list.find((entry) => entry.id === id)?.name ?? null,
  });
  const plain = (text: string | null): Rendered => ({ id: null, text });
  const wiki = (doc: AdfNode | null): Rendered => plain(documentWiki(doc));
  const custom = (row: IssueRow) => plain((row.custom[customField.id] as string | undefined) ?? null);
  const project = (row: IssueRow): Rendered => ({ id: row.project_id, text: getProject(site, row.project_id).name });
  // Jira lists the resolution before the status.
  const renderers: [field: string, render: (row: IssueRow) => Rendered][] = [
    ['project', project],
    ['Key', (row) => plain(row.key)],
    ['issuetype', (row) => ({ id: row.type_id, text: getIssueType(row.type_id).name })],
    ['resolution', (row) => named(resolutions, row.resolution_id)],
    ['status', (row) => ({ id: row.status_id, text: getStatus(row.status_id).name })],
    ['priority', (row) => named(priorities, row.priority_id)],
    ['summary', (row) => plain(row.summary)],
    ['description', (row) => wiki(row.description)],
    ['environment', (row) => wiki(row.environment)],
    ['labels', (row) => plain(row.labels.join(' '))],
    ['assignee', (row) => person(row.assignee)],
    ['reporter', (row) => person(row.reporter)],
    ['duedate', (row) => ({ id: row.due_date, text: row.due_date })],
    [customField.name, custom],
  ];
  return renderers.flatMap(([field, render]) => item({ field, from: render(before), to: render(after) }));
}

function item({ field, from, to }: { field: string; from: Rendered; to: Rendered }): ChangeItem[] {
  if (from.id === to.id && from.text === to.text) return [];
  const isCustom = field === customField.name;
  return [
    {
      field,
      fieldtype: isCustom ? 'custom' : 'jira',
      fieldId: isCustom ? customField.id : field.toLowerCase(),
      from: from.id,
      fromString: from.text,
      to: to.id,
      toString: to.text,
    },
  ];
}
