import { issueTypes, priorities, resolutions, statuses } from '../catalog';
import { type JqlContext, placeholder } from './context';
import { compareDates } from './dates';
import type { Clause, Condition } from './parse';
import { JqlError } from './tokens';

type Compile = (clause: Clause, context: JqlContext) => string;
type Resolve = (value: string, context: JqlContext) => string[];

/** A condition on `jira.issues i` as SQL with placeholders; throws `JqlError` for what Jira would refuse. */
export function conditionSql(condition: Condition, context: JqlContext): string {
  switch (condition.kind) {
    case 'not':
      return `not (${conditionSql(condition.part, context)})`;
    case 'clause':
      return clauseSql(condition, context);
    default:
      return condition.parts.map((part) => `(${conditionSql(part, context)})`).join(` ${condition.kind} `);
  }
}

/** An ORDER BY list; ties are broken by id, so that pages do not overlap. */
export function orderSql(orderBy: { field: string; descending: boolean }[]): string {
  const parts = orderBy.map(({ field, descending }) => {
    const column = orderColumns[field];
    if (!column) throw new JqlError(`Not able to sort using field '${field}'.`);
    return `${column} ${descending ? 'desc nulls last' : 'asc nulls first'}`;
  });
  return [...parts, orderBy.length === 0 ? 'i.created_at desc, i.id desc' : 'i.id desc'].join(', ');
}

const orderColumns: Record<string, string> = {
  key: 'i.id',
  issuekey: 'i.id',
  id: 'i.id',
  created: 'i.created_at',
  updated: 'i.updated_at',
  priority: 'i.priority_id::int',
  status: 'i.status_id::int',
  resolution: 'i.resolution_id',
  resolved: 'i.resolved_at',
  resolutiondate: 'i.resolved_at',
  summary: 'i.summary',
  assignee: 'i.assignee',
  issuetype: 'i.type_id',
  project: 'i.project_id',
  statuscategorychangeddate: 'i.category_changed_at',
  rank: 'i.id',
};

const fields: Record<string, Compile> = {
  key: keyClause,
  issuekey: keyClause,
  issue: keyClause,
  id: keyClause,
  project: idClause('i.project_id::text', resolveProject),
  status: idClause('i.status_id', fromList(statuses, 'status')),
  statuscategory: idClause('i.status_id', resolveCategory),
  issuetype: idClause('i.type_id', fromList(issueTypes, 'issuetype')),
  type: idClause('i.type_id', fromList(issueTypes, 'type')),
  priority: idClause(
    'i.priority_id',
    fromList(() => priorities, 'priority'),
  ),
  resolution: idClause(
    'i.resolution_id',
    fromList(() => resolutions, 'resolution'),
  ),
  assignee: idClause('i.assignee', (value) => [value]),
  reporter: idClause('i.reporter', (value) => [value]),
  creator: idClause('i.creator', (value) => [value]),
  parent: idClause('(select p.key from jira.issues p where p.id = i.parent_id)', (value) => [value.toUpperCase()]),
  labels: labelsClause,
  summary: textClause("to_tsvector('simple', i.summary)"),
  description: textClause("to_tsvector('simple', i.description_text)"),
  text: textClause("to_tsvector('simple', i.summary || ' ' || i.description_text)"),
  created: dateClause('i.created_at'),
  createddate: dateClause('i.created_at'),
  updated: dateClause('i.updated_at'),
  updateddate: dateClause('i.updated_at'),
  resolved: dateClause('i.resolved_at'),
  resolutiondate: dateClause('i.resolved_at'),
  statuscategorychangeddate: dateClause('i.category_changed_at'),
};

function clauseSql(clause: Clause, context: JqlContext): string {
  const compile = Object.hasOwn(fields, clause.field) ? fields[clause.field] : undefined;
  if (!compile) {
    throw new JqlError(`Field '${clause.field}' does not exist or you do not have permission to view it.`);
  }
  return compile(clause, context);
}

function idClause(column: string, resolve: Resolve): Compile {
  return (clause, context) => {
    const { operator } = clause;
    if (operator === 'is' || operator === 'is not') return emptySql(clause, `${column} is null`);
    const isUnresolved = (value: string) => clause.field === 'resolution' && value.toLowerCase() === 'unresolved';
    const found = values(clause, context);
    const ids = found.filter((value) => !isUnresolved(value)).flatMap((value) => resolve(value, context));
    const within = `${column} = any(${placeholder(context, ids)}::text[])`;
    const positive = found.some(isUnresolved) ? `(${within} or ${column} is null)` : within;
    if (operator === '=' || operator === 'in') return `coalesce(${positive}, false)`;
    if (operator === '!=' || operator === 'not in') return `(${column} is not null and not ${positive})`;
    return unsupported(clause);
  };
}

function keyClause(clause: Clause, context: JqlContext): string {
  const given = values(clause, context).map((value) => value.toUpperCase());
  const ids = given.filter((value) => /^\d{1,18}$/.test(value));
  const keys = placeholder(context, given);
  // As one set of ids: joined by `or`, the three ways would make PostgreSQL read every issue.
  const within = `i.id in (
    select k.id from jira.issues k where k.key = any(${keys}::text[])
    union select unnest(${placeholder(context, ids)}::bigint[])
    union select m.issue_id from jira.moved_keys m where m.old_key = any(${keys}::text[]))`;
  if (clause.operator === '=' || clause.operator === 'in') return within;
  if (clause.operator === '!=' || clause.operator === 'not in') return `not ${within}`;
  return unsupported(clause);
}

function labelsClause(clause: Clause, context: JqlContext): string {
  const { operator } = clause;
  if (operator === 'is' || operator === 'is not') return emptySql(clause, "i.labels = '{}'");
  const within = `i.labels && ${placeholder(context, values(clause, context))}::text[]`;
  if (operator === '=' || operator === 'in') return within;
  if (operator === '!=' || operator === 'not in') return `(i.labels <> '{}' and not ${within})`;
  return unsupported(clause);
}

function textClause(vector: string): Compile {
  return (clause, context) => {
    if (clause.operator !== '~' && clause.operator !== '!~') return unsupported(clause);
    const [text = ''] = values(clause, context);
    const hit = `${vector} @@ plainto_tsquery('simple', ${placeholder(context, text)})`;
    return clause.operator === '~' ? hit : `not (${hit})`;
  };
}

function dateClause(column: string): Compile {
  return (clause, context) => {
    const { operator } = clause;
    if (operator === 'is' || operator === 'is not') return emptySql(clause, `${column} is null`);
    const compare = compareDates(operator);
    if (!compare) return unsupported(clause);
    return compare({ column, clause, context });
  };
}

function emptySql(clause: Clause, isEmpty: string): string {
  if (clause.operands[0]?.kind !== 'empty') return unsupported(clause);
  return clause.operator === 'is' ? isEmpty : `not (${isEmpty})`;
}

function values(clause: Clause, context: JqlContext): string[] {
  return clause.operands.map((operand) => {
    if (operand.kind === 'value') return operand.value;
    if (operand.kind === 'function' && operand.name === 'currentuser') return context.accountId ?? '';
    return unsupported(clause);
  });
}

function unsupported(clause: Clause): never {
  throw new JqlError(
    `The operator '${clause.operator}' with this value is not supported by the '${clause.field}' field.`,
  );
}

function resolveProject(value: string, { projects }: JqlContext): string[] {
  const wanted = value.toLowerCase();
  const found = projects.filter(({ id, key, name }) => [id, key.toLowerCase(), name.toLowerCase()].includes(wanted));
  return known(found, { value, field: 'project' });
}

function resolveCategory(value: string): string[] {
  const wanted = value.toLowerCase();
  const names: Record<string, string[]> = {
    new: ['new', 'to do', '2'],
    indeterminate: ['indeterminate', 'in progress', '4'],
    done: ['done', '3'],
  };
  const found = statuses().filter(({ category }) => names[category]?.includes(wanted));
  return known(found, { value, field: 'statusCategory' });
}

function fromList(list: () => readonly { id: string; name: string }[], field: string): Resolve {
  return (value) => {
    const found = list().filter(({ id, name }) => id === value || name.toLowerCase() === value.toLowerCase());
    return known(found, { value, field });
  };
}

function known(found: { id: string }[], { value, field }: { value: string; field: string }): string[] {
  if (found.length === 0) throw new JqlError(`The value '${value}' does not exist for the field '${field}'.`);
  return found.map(({ id }) => id);
}
