import { z } from 'zod';
import {
  noteRequest,
  pushChoices,
  pushPreview,
  pushRequest,
  pushView,
  waitingPushes,
  waitingQuery,
} from '../schemas/pushes';
import { sourceKey, uuid } from '../schemas/shared';
import { idempotencyHeaders } from '../schemas/sources';
import { defineRoute, type Route } from './route';

const params = z.object({ id: uuid });
const tag = 'Pushes';

const decisions = {
  approve: 'Approves a push that waits for it',
  reject: 'Rejects a push that waits for approval',
  cancel: 'Cancels what has not been created yet',
  retry: 'Takes up the failed items again',
} as const;

export const pushRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/pushes',
    tag,
    summary: 'Pushes findings to Jira; with dryRun it only says what would happen',
    headers: idempotencyHeaders,
    body: pushRequest,
    answers: {
      200: { description: 'With dryRun: what a push would create, reuse and refuse', schema: pushPreview },
      202: { description: 'Started; ask for the push by its id', schema: pushView },
      409: { description: 'The Idempotency-Key was used for another push' },
    },
    handle: async ({ operations, caller, headers, body: { dryRun, ...request } }) => {
      if (dryRun) return { status: 200, body: await operations.previewPush(caller, request) };
      const requestId = headers['idempotency-key'];
      return { status: 202, body: await operations.push(caller, { ...request, requestId }) };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/pushes',
    tag,
    summary: 'Lists the pushes that wait for an approval, the oldest first; at most 50',
    query: waitingQuery,
    answers: { 200: { description: 'The pushes', schema: waitingPushes } },
    handle: async ({ operations, caller }) => ({
      status: 200,
      body: { items: await operations.waitingPushes(caller), nextCursor: null },
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/sources/{key}/choices',
    tag,
    summary: 'What can be pushed from a source, and why the rest cannot: what the picker in Slack shows',
    params: z.object({ key: sourceKey }),
    answers: { 200: { description: 'The choices', schema: pushChoices } },
    handle: async ({ operations, caller, params: { key } }) => ({
      status: 200,
      body: await operations.pushChoices(caller, key),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/pushes/{id}',
    tag,
    summary: 'Shows a push, item by item',
    params,
    answers: { 200: { description: 'The push', schema: pushView } },
    handle: async ({ operations, caller, params: { id } }) => ({
      status: 200,
      body: await operations.getPush(caller, id),
    }),
  }),
  ...(['approve', 'reject', 'cancel', 'retry'] as const).map((decision) =>
    defineRoute({
      method: 'post',
      path: `/api/v1/pushes/{id}/${decision}`,
      tag,
      summary: decisions[decision],
      params,
      body: noteRequest,
      answers: {
        200: { description: 'The push', schema: pushView },
        403: { description: 'Not yours to decide; the detail says why' },
        409: { description: 'There is nothing to do' },
      },
      handle: async ({ operations, caller, params: { id }, body: { note } }) => ({
        status: 200,
        body: await operations.decidePush(caller, id, decision, note),
      }),
    }),
  ),
];
