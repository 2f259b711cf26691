import { Router, raw } from 'express';
import type { Jira } from '../jira';
import { type Handler, type RouteOptions, restRoute } from '../rest';
import * as attachments from './attachments';
import { postComment } from './comments';
import * as createMeta from './create-meta';
import * as dynamic from './dynamic-webhooks';
import * as issues from './issues';
import * as metadata from './metadata';
import * as search from './search';
import * as transitions from './transitions';
import * as webhooks from './webhooks';

// Every operation of the REST API in one visible list. The site and the API gateway mount it with different ways of
// telling who calls.

const api = '/rest/api/3';
const issue = `${api}/issue/:issueIdOrKey`;
const webhook = '/rest/webhooks/1.0/webhook';

// The classic scopes that an OAuth grant needs; operations with null are for administrators and not for apps.
const none: string[] = [];
const read = ['read:jira-work'];
const write = ['write:jira-work'];
const people = ['read:jira-user'];
const hooks = ['read:jira-work', 'manage:jira-webhook'];
const configure = ['manage:jira-configuration'];

type Method = 'get' | 'post' | 'put' | 'delete';
type Operation = [
  method: Method,
  path: string,
  handler: (jira: Jira, call: Parameters<Handler>[0]) => ReturnType<Handler>,
  scopes: readonly string[] | null,
];

const operations: Operation[] = [
  ['get', `${api}/myself`, metadata.getMyself, people],
  ['get', `${api}/serverInfo`, metadata.getServerInfo, none],
  ['get', `${api}/mypermissions`, metadata.getMyPermissions, read],
  ['get', `${api}/project/search`, metadata.searchProjects, read],
  ['get', `${api}/project/:projectIdOrKey`, metadata.getProjectDetails, read],
  ['get', `${api}/project/:projectIdOrKey/statuses`, metadata.getProjectStatuses, read],
  ['get', `${api}/label`, metadata.getLabels, read],
  ['get', `${api}/priority/search`, metadata.searchPriorities, configure],
  ['get', `${api}/resolution/search`, metadata.searchResolutions, read],
  ['get', `${api}/status`, metadata.getStatuses, read],
  ['get', `${api}/status/:idOrName`, metadata.getOneStatus, read],
  ['get', `${api}/statuscategory`, metadata.getStatusCategories, read],
  ['get', `${api}/statuscategory/:idOrKey`, metadata.getStatusCategory, read],
  ['get', `${api}/user/search`, metadata.searchUsers, people],
  ['get', `${api}/issue/createmeta/:projectIdOrKey/issuetypes`, createMeta.getCreateTypes, read],
  ['get', `${api}/issue/createmeta/:projectIdOrKey/issuetypes/:issueTypeId`, createMeta.getCreateFields, read],
  ['post', `${api}/issue`, issues.postIssue, write],
  ['post', `${api}/issue/bulk`, issues.postBulk, write],
  ['post', `${api}/issue/bulkfetch`, issues.bulkFetch, read],
  ['get', issue, issues.getIssue, read],
  ['put', issue, issues.putIssue, write],
  ['delete', issue, issues.removeIssue, write],
  ['get', `${issue}/changelog`, transitions.getChangelog, read],
  ['get', `${issue}/transitions`, transitions.getTransitions, read],
  ['post', `${issue}/transitions`, transitions.postTransition, write],
  ['post', `${issue}/comment`, postComment, write],
  ['get', `${issue}/properties/:propertyKey`, attachments.getProperty, read],
  ['put', `${issue}/properties/:propertyKey`, attachments.putProperty, write],
  ['post', `${issue}/remotelink`, attachments.postRemoteLink, write],
  ['post', `${issue}/attachments`, attachments.postAttachments, write],
  ['get', `${api}/attachment/meta`, attachments.getAttachmentMeta, read],
  ['get', `${api}/attachment/content/:id`, attachments.getAttachmentContent, read],
  ['get', `${api}/search/jql`, search.getSearch, read],
  ['post', `${api}/search/jql`, search.postSearch, read],
  ['get', `${api}/search`, search.removedSearch, read],
  ['post', `${api}/search`, search.removedSearch, read],
  ['get', '/rest/api/2/search', search.removedSearch, read],
  ['post', '/rest/api/2/search', search.removedSearch, read],
  ['post', `${api}/changelog/bulkfetch`, transitions.bulkFetchChangelogs, read],
  ['get', `${api}/webhook`, dynamic.listDynamic, hooks],
  ['post', `${api}/webhook`, dynamic.registerDynamic, hooks],
  ['delete', `${api}/webhook`, dynamic.removeDynamic, hooks],
  ['put', `${api}/webhook/refresh`, dynamic.refreshDynamic, hooks],
  ['get', `${api}/webhook/failed`, dynamic.listFailed, hooks],
  ['get', webhook, webhooks.listWebhooks, null],
  ['post', webhook, webhooks.postWebhook, null],
  ['get', `${webhook}/:id`, webhooks.getWebhook, null],
  ['put', `${webhook}/:id`, webhooks.putWebhook, null],
  ['delete', `${webhook}/:id`, webhooks.deleteWebhook, null],
];

/** The REST API of one site as an Express router, with one way of telling who calls. */
export function createRestRouter(options: Omit<RouteOptions, 'scopes' | 'operation'>): Router {
  const { jira } = options;
  const router = Router({ caseSensitive: true });
  router.use(`${api}/issue`, raw({ type: 'multipart/form-data', limit: attachments.uploadLimit * 6 }));
  for (const [method, path, handler, scopes] of operations) {
    router[method](
      path,
      restRoute({ ...options, scopes, operation: path }, (call) => handler(jira, call)),
    );
  }
  return router;
}
