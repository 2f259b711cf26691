import { z } from 'zod';
import { uuid } from '../schemas/shared';
import { reportHeaders, reportQuery } from '../schemas/sources';
import {
  sessionRequest,
  sessionView,
  verdictsRequest,
  verificationPage,
  verificationQuery,
} from '../schemas/verification';
import { reportUpload } from './report-upload';
import { defineRoute, type Route } from './route';

const params = z.object({ id: uuid });
const tag = 'Verification';
const session = { 200: { description: 'The session', schema: sessionView } };

export const verificationRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/verification',
    tag,
    summary: 'Lists the findings that are claimed to be fixed and wait for a re-run',
    query: verificationQuery,
    answers: { 200: { description: 'A page of findings that need a re-run', schema: verificationPage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listVerification(caller, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sessions',
    tag,
    summary: 'Plans a re-run session of flagged findings',
    body: sessionRequest,
    answers: {
      201: { description: 'The session', schema: sessionView },
      409: { description: 'Names the open session that holds a case, or the finding that needs no re-run' },
    },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createSession(caller, body),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/sessions/{id}',
    tag,
    summary: 'Shows a session',
    params,
    answers: session,
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.getSession(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sessions/{id}/start',
    tag,
    summary: 'Starts a planned session',
    params,
    answers: { ...session, 409: { description: 'The session is not planned any more' } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.startSession(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sessions/{id}/cancel',
    tag,
    summary: 'Cancels an open session; its findings stay flagged',
    params,
    answers: { ...session, 409: { description: 'The session is closed already' } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.cancelSession(caller, id),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sessions/{id}/verdicts',
    tag,
    summary: 'Gives verdicts; a planned session starts by it',
    params,
    body: verdictsRequest,
    answers: { ...session, 409: { description: 'The session is closed, or does not hold the finding' } },
    handle: async ({ operations, caller, params: { id }, body }) => ({
      status: 200,
      body: await operations.giveVerdicts(caller, id, body),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sessions/{id}/reports',
    tag,
    summary: 'Takes in a report file that decides the cases it covers, raw, whatever its content type',
    params,
    query: reportQuery,
    headers: reportHeaders,
    raw: true,
    answers: {
      ...session,
      409: { description: 'The session is closed, or the Idempotency-Key was used with another body' },
      413: { description: 'The file is larger than the limit' },
      415: { description: 'An encoding that is not supported' },
    },
    handle: async ({ operations, caller, params: { id }, query, headers, req }) => ({
      status: 200,
      body: await operations.sessionReport(caller, id, reportUpload(req, query, headers)),
    }),
  }),
];
