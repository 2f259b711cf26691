import { z } from 'zod';
import { apiKeyPage, apiKeyRequest, memberPage, memberRequest, memberView, newApiKeyView } from '../schemas/members';
import { pageQuery, uuid } from '../schemas/shared';
import { defineRoute, type Route } from './route';

const params = z.object({ id: uuid });
const tag = 'Members and API keys';

export const memberRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/members',
    tag,
    summary: 'Lists the members',
    query: pageQuery,
    answers: { 200: { description: 'A page of members', schema: memberPage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listMembers(caller, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/members',
    tag,
    summary: 'Adds a member',
    body: memberRequest,
    answers: { 201: { description: 'The member', schema: memberView } },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createMember(caller, body),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/members/{id}',
    tag,
    summary: 'Removes a member; their API keys end with them',
    params,
    answers: { 204: { description: 'Removed' } },
    handle: async ({ operations, caller, params: { id } }) => {
      await operations.removeMember(caller, id);
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/api-keys',
    tag,
    summary: 'Lists the API keys by their first characters',
    query: pageQuery,
    answers: { 200: { description: 'A page of API keys', schema: apiKeyPage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listApiKeys(caller, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/api-keys',
    tag,
    summary: "Makes an API key with at most its member's rights",
    body: apiKeyRequest,
    answers: { 201: { description: 'The key, shown this once', schema: newApiKeyView } },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createApiKey(caller, body),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/api-keys/{id}',
    tag,
    summary: 'Revokes an API key',
    params,
    answers: { 204: { description: 'Revoked' } },
    handle: async ({ operations, caller, params: { id } }) => {
      await operations.revokeApiKey(caller, id);
      return { status: 204 };
    },
  }),
];
