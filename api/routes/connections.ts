import { z } from 'zod';
import { connectionPage, connectionRequest, connectionTest, newConnectionView } from '../schemas/connections';
import { pageQuery, uuid } from '../schemas/shared';
import { defineRoute, type Route } from './route';

const params = z.object({ id: uuid });
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
    summary: 'Connects a Jira Cloud site by API token, after trying it',
    body: connectionRequest,
    answers: { 201: { description: 'The connection, and its webhook secret this once', schema: newConnectionView } },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createConnection(caller, body),
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
