// The calls to a Jira Cloud site, and nothing that decides what to do with them.
// No retries, no database, no Slack. The one exchange below every call: request.ts; what its failures mean:
// failed-answer.ts; what goes into an issue: issue-content.ts.
import { FormData } from 'undici';
import type { AdfDocument } from './adf';
import type { JiraRequestDeps } from './request';
import { createJiraRequest, pathOf } from './request';
import * as schemas from './schemas';

/** The calls to one Jira site. Every method throws `JiraError` and nothing else. */
export type JiraClient = ReturnType<typeof createJiraClient>;

const PAGE = 200;
const MAX_PAGES = 50;

/**
 * A thin typed client for Jira Cloud's REST API v3: named calls, validated answers, one error class, no retries (the
 * workflow or the activity's policy retries). Cheap to make; connections are pooled for the whole process.
 *
 * Vendor source: Atlassian's OpenAPI description of the Jira Cloud platform REST API v3.
 */
export function createJiraClient(deps: JiraRequestDeps) {
  const request = createJiraRequest(deps);
  return {
    ...siteCalls(request),
    ...projectCalls(request),
    ...issueReads(request),
    ...issueWrites(request),
    ...attachmentCalls(request),
    ...webhookCalls(request),
  };
}

type Request = ReturnType<typeof createJiraRequest>;

function siteCalls({ ask }: Request) {
  return {
    /** The account behind the credentials; never anonymous, so it proves them. */
    myself() {
      return ask({ operation: 'myself', path: '/myself' }, schemas.myself);
    },
    /** The accounts with an id; none where there is no such account, or ours may not see it. */
    usersById(accountId: string) {
      return ask({ operation: 'usersById', path: '/user/search', query: { accountId } }, schemas.users);
    },
    /** Answers to anybody: proves the URL only. */
    serverInfo() {
      return ask({ operation: 'serverInfo', path: '/serverInfo' }, schemas.serverInfo);
    },
    /** Which of the permissions the account has in a project (404 where it cannot see it). */
    async mypermissions(projectKey: string, permissions: ReadonlyArray<string>): Promise<Record<string, boolean>> {
      const query = { projectKey, permissions: permissions.join(',') };
      const answer = await ask({ operation: 'mypermissions', path: '/mypermissions', query }, schemas.permissions);
      return Object.fromEntries(
        permissions.map((name) => [name, answer.permissions[name]?.havePermission ?? false] as const),
      );
    },
    /** Every resolution of the site. */
    resolutions() {
      return allPages(async (startAt) => {
        const query = { startAt, maxResults: PAGE };
        const page = await ask({ operation: 'resolutions', path: '/resolution/search', query }, schemas.resolutionPage);
        return { items: page.values, isLast: page.isLast };
      });
    },
  };
}

function projectCalls({ ask }: Request) {
  return {
    /** The key is case-sensitive; 404 also where the account may not see the project. */
    project(key: string) {
      return ask({ operation: 'project', path: pathOf`/project/${key}` }, schemas.project);
    },
    /** One page of the projects in which the account may create issues. */
    projectSearch(search: { query?: string | undefined; startAt?: number; maxResults?: number } = {}) {
      const query = { action: 'create', maxResults: 100, ...search };
      return ask({ operation: 'projectSearch', path: '/project/search', query }, schemas.projectPage);
    },
    /** The issue types that can be created in a project. */
    issueTypes(projectIdOrKey: string) {
      return allPages(async (startAt) => {
        const path = pathOf`/issue/createmeta/${projectIdOrKey}/issuetypes`;
        const query = { startAt, maxResults: PAGE };
        const page = await ask({ operation: 'issueTypes', path, query }, schemas.issueTypePage);
        return { items: page.issueTypes ?? page.createMetaIssueType ?? [], total: page.total };
      });
    },
    /** The fields of the create screen of a project and issue type; no other field may be sent with a new issue. */
    issueFields(projectIdOrKey: string, issueTypeId: string) {
      return allPages(async (startAt) => {
        const path = pathOf`/issue/createmeta/${projectIdOrKey}/issuetypes/${issueTypeId}`;
        const query = { startAt, maxResults: PAGE };
        const page = await ask({ operation: 'issueFields', path, query }, schemas.issueFieldPage);
        return { items: page.fields ?? page.results ?? [], total: page.total };
      });
    },
    /** The statuses of a project, per issue type. */
    projectStatuses(key: string) {
      return ask({ operation: 'projectStatuses', path: pathOf`/project/${key}/statuses` }, schemas.projectStatuses);
    },
  };
}

export interface NewIssue {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Stored atomically with the issue. */
  readonly properties?: ReadonlyArray<{ readonly key: string; readonly value: unknown }>;
}

export interface JqlSearch {
  /** Must hold at least one restriction. The index behind it lags and flickers: a miss proves nothing. */
  readonly jql: string;
  readonly fields?: ReadonlyArray<string>;
  readonly properties?: ReadonlyArray<string>;
  readonly nextPageToken?: string | undefined;
  readonly maxResults?: number;
}

function issueReads({ ask }: Request) {
  return {
    /** By an old key this answers the moved issue under its new key. */
    getIssue(
      idOrKey: string,
      wanted: { fields: ReadonlyArray<string>; expand?: string; properties?: ReadonlyArray<string> },
    ) {
      const query = {
        fields: wanted.fields.join(','),
        expand: wanted.expand,
        properties: wanted.properties?.join(','),
      };
      return ask({ operation: 'getIssue', path: pathOf`/issue/${idOrKey}`, query }, schemas.issue);
    },
    /** At most 100 ids. What does not exist or cannot be seen is missing from the answer. */
    bulkFetch(ids: ReadonlyArray<string>, fields: ReadonlyArray<string>) {
      const json = { issueIdsOrKeys: ids, fields };
      return ask(
        { operation: 'bulkFetch', method: 'POST', write: false, path: '/issue/bulkfetch', json },
        schemas.bulkFetchedIssues,
      );
    },
    /** One page; the last one has no `nextPageToken`. */
    searchJql(json: JqlSearch) {
      return ask(
        { operation: 'searchJql', method: 'POST', write: false, path: '/search/jql', json },
        schemas.searchResults,
      );
    },
    /** The transitions open to the account; none at all means that it may not transition issues. */
    async transitions(idOrKey: string) {
      const path = pathOf`/issue/${idOrKey}/transitions`;
      const query = { expand: 'transitions.fields' };
      return (await ask({ operation: 'transitions', path, query }, schemas.transitions)).transitions;
    },
  };
}

function issueWrites({ ask, tell }: Request) {
  return {
    /** Creates one issue. There is no idempotency key: an `ambiguous` error must be resolved by its marker. */
    createIssue(json: NewIssue) {
      return ask({ operation: 'createIssue', method: 'POST', path: '/issue', json }, schemas.createdIssue);
    },
    /** Not idempotent. */
    addComment(idOrKey: string, body: AdfDocument) {
      const path = pathOf`/issue/${idOrKey}/comment`;
      return ask({ operation: 'addComment', method: 'POST', path, json: { body } }, schemas.comment);
    },
    transition(idOrKey: string, transitionId: string, fields?: Readonly<Record<string, unknown>>) {
      const path = pathOf`/issue/${idOrKey}/transitions`;
      const json = { transition: { id: transitionId }, ...(fields ? { fields } : {}) };
      return tell({ operation: 'transition', method: 'POST', path, json });
    },
    /** A field may stand in `fields` or in `update`, not in both. */
    editIssue(idOrKey: string, json: { fields?: Record<string, unknown>; update?: Record<string, unknown[]> }) {
      return tell({ operation: 'editIssue', method: 'PUT', path: pathOf`/issue/${idOrKey}`, json });
    },
    /** Idempotent. */
    setProperty(idOrKey: string, property: { key: string; value: unknown }) {
      const path = pathOf`/issue/${idOrKey}/properties/${property.key}`;
      return tell({ operation: 'setProperty', method: 'PUT', path, json: property.value });
    },
  };
}

function attachmentCalls({ ask }: Request) {
  return {
    /** Whether the site takes attachments, and the size limit of one in bytes. */
    attachmentMeta() {
      return ask({ operation: 'attachmentMeta', path: '/attachment/meta' }, schemas.attachmentMeta);
    },
    /** Not idempotent: the same file name is stored twice. Read the field `attachment` before a retry. */
    addAttachment(idOrKey: string, file: { filename: string; contentType: string; content: Uint8Array<ArrayBuffer> }) {
      const form = new FormData();
      form.append('file', new Blob([file.content], { type: file.contentType }), file.filename);
      const path = pathOf`/issue/${idOrKey}/attachments`;
      return ask({ operation: 'addAttachment', method: 'POST', path, form }, schemas.attachments);
    },
  };
}

export interface NewWebhook {
  readonly events: ReadonlyArray<'jira:issue_created' | 'jira:issue_updated' | 'jira:issue_deleted'>;
  /** A restricted JQL: `project in (A, B)` and its like; no labels. */
  readonly jqlFilter: string;
  readonly fieldIdsFilter?: ReadonlyArray<string>;
}

/** What became of one entry of a registration. */
export type RegisteredWebhook = { id: string } | { errors: string[] };

const WEBHOOK_PAGE = 100;

// Dynamic webhooks exist for OAuth alone; an API token is answered 403.
function webhookCalls({ ask, tell }: Request) {
  return {
    /** One result per entry, in order: Jira answers 200 even where it rejects all of them. Not idempotent. */
    async registerWebhooks(json: { url: string; webhooks: ReadonlyArray<NewWebhook> }): Promise<RegisteredWebhook[]> {
      const call = { operation: 'registerWebhooks', method: 'POST', path: '/webhook', json } as const;
      const { webhookRegistrationResult: results } = await ask(call, schemas.registeredWebhooks);
      return json.webhooks.map((_webhook, index) => {
        const { createdWebhookId: id, errors } = results[index] ?? {};
        if (id !== undefined) return { id };
        return { errors: errors?.length ? errors : ['Jira did not say why.'] };
      });
    },
    /** Every dynamic webhook of the app and account on this site. */
    listWebhooks() {
      return allPages(async (startAt) => {
        const query = { startAt, maxResults: WEBHOOK_PAGE };
        const page = await ask({ operation: 'listWebhooks', path: '/webhook', query }, schemas.webhookPage);
        return { items: page.values, isLast: page.isLast, total: page.total };
      });
    },
    /** Puts the end off to 30 days from now and answers it. Ids that Jira does not know are ignored: list them after. */
    async refreshWebhooks(ids: ReadonlyArray<string>): Promise<Date | null> {
      const json = { webhookIds: ids.map(Number) };
      const call = { operation: 'refreshWebhooks', method: 'PUT', path: '/webhook/refresh', json } as const;
      return (await ask(call, schemas.webhookExpiry)).expirationDate ?? null;
    },
    /** Idempotent; Jira removes them a little later. */
    deleteWebhooks(ids: ReadonlyArray<string>) {
      const json = { webhookIds: ids.map(Number) };
      return tell({ operation: 'deleteWebhooks', method: 'DELETE', path: '/webhook', json });
    },
  };
}

interface Page<T> {
  readonly items: ReadonlyArray<T>;
  readonly total?: number | undefined;
  readonly isLast?: boolean | undefined;
}

async function allPages<T>(read: (startAt: number) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const { items, total, isLast } = await read(all.length);
    all.push(...items);
    const done = isLast ?? (total === undefined ? items.length < PAGE : all.length >= total);
    if (done || items.length === 0) break;
  }
  return all;
}
