import { z } from 'zod';
import { findingDetail, findingPage, findingQuery, linkRequest, missingRequest } from '../schemas/findings';
import { findingId, uuid } from '../schemas/shared';
import { defineRoute, type Route } from './route';

const params = z.object({ id: findingId });
const tag = 'Findings';

const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

export const findingRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/findings',
    tag,
    summary: 'Lists findings, of a source or in a status',
    query: findingQuery,
    answers: { 200: { description: 'A page of findings', schema: findingPage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listFindings(caller, query),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/findings/{id}',
    tag,
    summary: 'Shows a finding with its occurrences and its history',
    params,
    answers: { 200: { description: 'The finding', schema: findingDetail } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.getFinding(caller, id),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/evidence/{id}',
    tag,
    summary: 'Answers a picture of a finding, as it was uploaded',
    params: z.object({ id: uuid }),
    answers: { 200: { description: 'The picture', contentTypes: pictureTypes } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      file: await operations.getEvidence(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/findings/{id}/link',
    tag,
    summary: 'Links a finding to an issue that exists in Jira',
    params,
    body: linkRequest,
    answers: {
      200: { description: 'The finding', schema: findingDetail },
      409: { description: 'The finding or the issue is linked already' },
    },
    handle: async ({ operations, caller, params: { id }, body: { jiraKey } }) => ({
      status: 200,
      body: await operations.linkFinding(caller, id, jiraKey),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/findings/{id}/link',
    tag,
    summary: 'Takes a finding off its Jira issue; the issue stays',
    params,
    answers: {
      200: { description: 'The finding', schema: findingDetail },
      409: { description: 'The finding has no issue' },
    },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.unlinkFinding(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/findings/{id}/missing',
    tag,
    summary: 'Decides what becomes of a finding whose Jira issue was deleted: recreate, accept or drop',
    params,
    body: missingRequest,
    answers: {
      200: { description: 'The finding', schema: findingDetail },
      403: { description: 'Accepting a finding as it is needs an admin or owner' },
      409: { description: 'The issue is not gone, or no new one may be made; the detail says why' },
    },
    handle: async ({ operations, caller, params: { id }, body: { decision } }) => ({
      status: 200,
      body: (await operations.decideMissing(caller, id, decision)).finding,
    }),
  }),
];
