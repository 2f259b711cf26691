import { z } from 'zod';
import {
  connectionChange,
  connectionPage,
  connectionRequest,
  connectionTest,
  connectionView,
  mappingChange,
  mappingView,
  newConnectionView,
  newToken,
} from '../schemas/connections';
import { line, pageQuery, uuid } from '../schemas/shared';
import { defineRoute, type Route } from './route';

const params = z.object({ id: uuid });
const mappingParams = z.object({ id: uuid, projectKey: line(255) });
const tag = 'Jira connections';

export const connectionRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/connections',
    tag,
    summary: 'Lists the Jira connections with their health',
    query: pageQuery,
    answers: { 200: { description: 'A page of connections', schema: connectionPage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listConnections(caller, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/connections',
    tag,
    summary: 'Connects a Jira Cloud site by API token, after trying it; every source starts opted out',
    body: connectionRequest,
    answers: { 201: { description: 'The connection, and its webhook secret this once', schema: newConnectionView } },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createConnection(caller, body),
    }),
  }),
  defineRoute({
    method: 'put',
    path: '/api/v1/connections/{id}',
    tag,
    summary: 'Switches auto sync, or changes the default project; what is absent stays',
    params,
    body: connectionChange,
    answers: { 200: { description: 'The connection', schema: connectionView } },
    handle: async ({ operations, caller, params: { id }, body }) => ({
      status: 200,
      body: await operations.updateConnection(caller, id, body),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/connections/{id}/reconnect',
    tag,
    summary: 'Gives a connection a new API token, after trying it; what was held goes on',
    params,
    body: newToken,
    answers: {
      200: { description: 'The connection', schema: connectionView },
      409: { description: 'The connection goes by OAuth: reconnect it on the connect page' },
    },
    handle: async ({ operations, caller, params: { id }, body }) => ({
      status: 200,
      body: await operations.reconnect(caller, id, body),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/connections/{id}/mapping/{projectKey}',
    tag,
    summary: 'Shows which resolutions and statuses of a project mean "will not be fixed"',
    params: mappingParams,
    answers: { 200: { description: 'The lists, and what there is to choose from', schema: mappingView } },
    handle: async ({ operations, caller, params: { id, projectKey } }) => ({
      status: 200,
      body: await operations.getMapping(caller, id, projectKey),
    }),
  }),
  defineRoute({
    method: 'put',
    path: '/api/v1/connections/{id}/mapping/{projectKey}',
    tag,
    summary: 'Stores these lists, by id',
    params: mappingParams,
    body: mappingChange,
    answers: { 200: { description: 'The lists as stored', schema: mappingView } },
    handle: async ({ operations, caller, params: { id, projectKey }, body }) => ({
      status: 200,
      body: await operations.putMapping(caller, id, projectKey, body),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/connections/{id}/test',
    tag,
    summary: 'Tries a connection, point by point',
    params,
    answers: { 200: { description: 'What holds and what does not, with cause and cure', schema: connectionTest } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.testConnection(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/connections/{id}/sync',
    tag,
    summary: 'Polls Jira for what changed, now',
    params,
    answers: { 202: { description: 'Started' } },
    handle: async ({ operations, caller, params: { id } }) => {
      await operations.syncConnection(caller, id);
      return { status: 202 };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/connections/{id}',
    tag,
    summary: 'Disconnects: tokens are erased, links stay as history',
    params,
    answers: { 204: { description: 'Disconnected' } },
    handle: async ({ operations, caller, params: { id } }) => {
      await operations.deleteConnection(caller, id);
      return { status: 204 };
    },
  }),
];
