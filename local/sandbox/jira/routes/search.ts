import { createHash } from 'node:crypto';
import { type Answer, bodyList, type Call, JiraProblem, objectBody, ok, queryList } from '../answer';
import { issueBeans } from '../issue-beans';
import { type IssueRow, issueColumns } from '../issue-rows';
import type { Jira } from '../jira';
import { parseJql } from '../jql/parse';
import { conditionSql, orderSql } from '../jql/sql';
import { visibleProjects } from '../site';

interface Search {
  jql: string;
  fields: string[];
  expand: string[];
  properties: string[];
  maxResults: number;
  nextPageToken: string | undefined;
  reconcileIssues: string[];
}

const mostResults = 5_000;
// Jira may return fewer than asked for; with fields it does.
const mostWithFields = 100;
const mostOrderFields = 7;

/** GET /search/jql. */
export function getSearch(jira: Jira, call: Call): Promise<Answer> {
  return search(jira, {
    call,
    wanted: {
      jql: call.query.get('jql') ?? '',
      fields: queryList(call, 'fields'),
      expand: queryList(call, 'expand'),
      properties: queryList(call, 'properties'),
      maxResults: Number(call.query.get('maxResults') ?? 50),
      nextPageToken: call.query.get('nextPageToken') ?? undefined,
      reconcileIssues: queryList(call, 'reconcileIssues'),
    },
  });
}

/** POST /search/jql. */
export function postSearch(jira: Jira, call: Call): Promise<Answer> {
  const body = objectBody(call);
  return search(jira, {
    call,
    wanted: {
      jql: typeof body.jql === 'string' ? body.jql : '',
      fields: bodyList(body.fields),
      expand: bodyList(body.expand),
      properties: bodyList(body.properties),
      maxResults: Number(body.maxResults ?? 50),
      nextPageToken: typeof body.nextPageToken === 'string' ? body.nextPageToken : undefined,
      reconcileIssues: bodyList(body.reconcileIssues),
    },
  });
}

/** The old GET and POST /search: gone. */
export function removedSearch(): Answer {
  throw new JiraProblem(410, {
    messages: [
      'The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. ' +
        'A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046',
    ],
  });
}

async function search(jira: Jira, { call, wanted }: { call: Call; wanted: Search }): Promise<Answer> {
  const query = parseJql(wanted.jql);
  if (!query.where) {
    throw new JiraProblem(400, {
      messages: ['Unbounded JQL queries are not allowed here. Please add a search restriction to your query.'],
    });
  }
  check(wanted, query.orderBy.length);
  const projects = visibleProjects(jira.site, call.account);
  // An anonymous caller sees no project, so nothing is found, and unknown names are no error either.
  if (projects.length === 0) return ok({ issues: [], isLast: true });

  const parameters: unknown[] = [projects.map(({ id }) => id)];
  const context = {
    projects: jira.site.projects,
    accountId: call.account?.accountId ?? null,
    timeZone: call.account?.timeZone ?? 'Etc/UTC',
    parameters,
  };
  const condition = conditionSql(query.where, context);
  const seen = await indexSql(jira, { parameters, reconcile: wanted.reconcileIssues });
  const offset = readToken(wanted);
  const size = pageSize(wanted);
  const rows = await find(jira, {
    sql: `select ${issueColumns} from jira.issues i
          where i.project_id = any($1::bigint[]) and (${condition}) and ${seen}
          order by ${orderSql(query.orderBy)} offset ${offset} limit ${size + 1}`,
    parameters,
  });
  const page = rows.slice(0, size);
  const isLast = rows.length <= size;
  return ok({
    issues: await beans(jira, { page, wanted }),
    isLast,
    ...(isLast ? {} : { nextPageToken: writeToken(wanted, offset + page.length) }),
  });
}

function check(wanted: Search, orderFields: number): void {
  const messages: string[] = [];
  if (!Number.isInteger(wanted.maxResults) || wanted.maxResults < 0)
    messages.push('maxResults must be a whole number.');
  if (wanted.properties.length > 5) messages.push('At most 5 properties can be asked for.');
  if (wanted.reconcileIssues.length > 50) messages.push('At most 50 issues can be reconciled.');
  if (wanted.reconcileIssues.some((id) => !/^\d{1,18}$/.test(id))) messages.push('reconcileIssues takes numeric ids.');
  if (orderFields > mostOrderFields) messages.push(`At most ${mostOrderFields} fields can be in ORDER BY.`);
  if (messages.length > 0) throw new JiraProblem(400, { messages });
}

// The search index runs behind the database, as in Jira: young issues are missing, and may vanish again for a moment.
async function indexSql(
  jira: Jira,
  { parameters, reconcile }: { parameters: unknown[]; reconcile: readonly string[] },
): Promise<string> {
  const fault = jira.faults.find('index');
  if (!fault) return 'true';
  // Read before anything is awaited: searches at the same time have numbers of their own.
  const hit = fault.hits + 1;
  await jira.faults.take('index');
  const { indexLagMs, flicker } = fault.spec;
  const isBlind = flicker !== undefined && hit % flicker === 0;
  const oldEnough = isBlind
    ? `i.created_at < now() - interval '1 hour'`
    : `i.created_at <= now() - make_interval(secs => ${indexLagMs}::float8 / 1000)`;
  parameters.push(reconcile);
  return `(${oldEnough} or i.id = any($${parameters.length}::bigint[]))`;
}

async function find(jira: Jira, { sql, parameters }: { sql: string; parameters: unknown[] }): Promise<IssueRow[]> {
  try {
    return (await jira.site.pool.query<IssueRow>(sql, parameters)).rows;
  } catch (error) {
    // Class 22 is a value that PostgreSQL cannot read, such as the 31st of February.
    const isValue = error instanceof Error && 'code' in error && String(error.code).startsWith('22');
    if (!isValue) throw error;
    throw new JiraProblem(400, { messages: ['A date in the JQL query is not valid.'] });
  }
}

function isIdOnly(wanted: Search): boolean {
  return wanted.fields.every((field) => field === 'id') && wanted.expand.length === 0 && wanted.properties.length === 0;
}

function pageSize(wanted: Search): number {
  return Math.min(wanted.maxResults, isIdOnly(wanted) ? mostResults : mostWithFields);
}

async function beans(jira: Jira, { page, wanted }: { page: IssueRow[]; wanted: Search }): Promise<unknown[]> {
  if (isIdOnly(wanted)) return page.map(({ id }) => ({ id }));
  const fields = wanted.fields.length > 0 ? wanted.fields : ['id'];
  return issueBeans(jira.site, page, { ...wanted, fields });
}

function queryHash({ jql, reconcileIssues }: Search): string {
  return createHash('sha256')
    .update(JSON.stringify([jql, reconcileIssues]))
    .digest('base64url')
    .slice(0, 16);
}

function writeToken(wanted: Search, offset: number): string {
  return Buffer.from(JSON.stringify([offset, queryHash(wanted)])).toString('base64url');
}

function readToken(wanted: Search): number {
  if (!wanted.nextPageToken) return 0;
  try {
    const [offset, hash] = JSON.parse(Buffer.from(wanted.nextPageToken, 'base64url').toString('utf8')) as unknown[];
    if (typeof offset === 'number' && Number.isInteger(offset) && hash === queryHash(wanted)) return offset;
  } catch {
    // Answered below, like a token of another query.
  }
  throw new JiraProblem(400, { messages: ['The nextPageToken is not valid for this query.'] });
}
