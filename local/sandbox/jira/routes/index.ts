import { Router, raw } from 'express';
import type { Jira } from '../jira';
import { type Handler, restRoute } from '../rest';
import * as attachments from './attachments';
import { postComment } from './comments';
import * as createMeta from './create-meta';
import * as issues from './issues';
import * as metadata from './metadata';
import * as search from './search';
import * as transitions from './transitions';
import * as webhooks from './webhooks';

// Every operation of the REST API in one visible list. The gateway of OAuth (`/ex/jira/{cloudId}`) can mount the same
// router again with another way of telling who calls.

const api = '/rest/api/3';
const issue = `${api}/issue/:issueIdOrKey`;
const webhook = '/rest/webhooks/1.0/webhook';

type Method = 'get' | 'post' | 'put' | 'delete';
type Operation = [
  method: Method,
  path: string,
  handler: (jira: Jira, call: Parameters<Handler>[0]) => ReturnType<Handler>,
];

const operations: Operation[] = [
  ['get', `${api}/myself`, metadata.getMyself],
  ['get', `${api}/serverInfo`, metadata.getServerInfo],
  ['get', `${api}/mypermissions`, metadata.getMyPermissions],
  ['get', `${api}/project/search`, metadata.searchProjects],
  ['get', `${api}/project/:projectIdOrKey`, metadata.getProjectDetails],
  ['get', `${api}/project/:projectIdOrKey/statuses`, metadata.getProjectStatuses],
  ['get', `${api}/label`, metadata.getLabels],
  ['get', `${api}/priority/search`, metadata.searchPriorities],
  ['get', `${api}/resolution/search`, metadata.searchResolutions],
  ['get', `${api}/status`, metadata.getStatuses],
  ['get', `${api}/status/:idOrName`, metadata.getOneStatus],
  ['get', `${api}/statuscategory`, metadata.getStatusCategories],
  ['get', `${api}/statuscategory/:idOrKey`, metadata.getStatusCategory],
  ['get', `${api}/user/search`, metadata.searchUsers],
  ['get', `${api}/issue/createmeta/:projectIdOrKey/issuetypes`, createMeta.getCreateTypes],
  ['get', `${api}/issue/createmeta/:projectIdOrKey/issuetypes/:issueTypeId`, createMeta.getCreateFields],
  ['post', `${api}/issue`, issues.postIssue],
  ['post', `${api}/issue/bulk`, issues.postBulk],
  ['post', `${api}/issue/bulkfetch`, issues.bulkFetch],
  ['get', issue, issues.getIssue],
  ['put', issue, issues.putIssue],
  ['delete', issue, issues.removeIssue],
  ['get', `${issue}/changelog`, transitions.getChangelog],
  ['get', `${issue}/transitions`, transitions.getTransitions],
  ['post', `${issue}/transitions`, transitions.postTransition],
  ['post', `${issue}/comment`, postComment],
  ['get', `${issue}/properties/:propertyKey`, attachments.getProperty],
  ['put', `${issue}/properties/:propertyKey`, attachments.putProperty],
  ['post', `${issue}/remotelink`, attachments.postRemoteLink],
  ['post', `${issue}/attachments`, attachments.postAttachments],
  ['get', `${api}/attachment/meta`, attachments.getAttachmentMeta],
  ['get', `${api}/attachment/content/:id`, attachments.getAttachmentContent],
  ['get', `${api}/search/jql`, search.getSearch],
  ['post', `${api}/search/jql`, search.postSearch],
  ['get', `${api}/search`, search.removedSearch],
  ['post', `${api}/search`, search.removedSearch],
  ['get', '/rest/api/2/search', search.removedSearch],
  ['post', '/rest/api/2/search', search.removedSearch],
  ['get', webhook, webhooks.listWebhooks],
  ['post', webhook, webhooks.postWebhook],
  ['get', `${webhook}/:id`, webhooks.getWebhook],
  ['put', `${webhook}/:id`, webhooks.putWebhook],
  ['delete', `${webhook}/:id`, webhooks.deleteWebhook],
];

/** The REST API as an Express router. `onError` hears of mistakes of the sandbox itself. */
export function createRestRouter(jira: Jira, onError: (error: unknown) => void): Router {
  const router = Router({ caseSensitive: true });
  router.use(`${api}/issue`, raw({ type: 'multipart/form-data', limit: attachments.uploadLimit * 6 }));
  for (const [method, path, handler] of operations) {
    router[method](
      path,
      restRoute({ jira, onError }, (call) => handler(jira, call)),
    );
  }
  return router;
}
